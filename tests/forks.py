"""Processes of their own, each forked from one that has loaded the portal: to load it takes seconds."""

import os
import sys
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from flask import Flask, cli

_forks = get_context("forkserver")
_forks.set_forkserver_preload(["portal"])


def start(function: Callable[..., object], *arguments: Any, env: Mapping[str, str]) -> ForkServerProcess:
    """Have it called in an environment of its own; it sees nothing else of the tests' process, nor their clock."""
    process = _forks.Process(target=_begin, args=(function, arguments, env, Flask.jinja_options))
    process.start()
    return process


def call(function: Callable[..., object], *arguments: Any, env: Mapping[str, str]) -> None:
    """As `start`, until it has returned."""
    process = start(function, *arguments, env=env)
    process.join()
    assert process.exitcode == 0


def ended(function: Callable[..., object], *arguments: Any, env: Mapping[str, str]) -> tuple[int | None, str]:
    """As `start`, until it has ended: its exit status, and what it has said."""
    with NamedTemporaryFile("r") as said:
        process = start(_aloud, said.name, function, arguments, env=env)
        process.join()
        return process.exitcode, said.read()


def flask(*arguments: str) -> None:
    """The command."""
    sys.argv[:] = ["flask", "--app", "wsgi", *arguments]
    cli.main()


def _aloud(path: str, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    with Path(path).open("w") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    function(*arguments)


def _begin(
    function: Callable[..., object],
    arguments: tuple[Any, ...],
    env: Mapping[str, str],
    jinja_options: dict[str, Any],
) -> None:
    os.environ.clear()
    os.environ.update(env)
    Flask.jinja_options = jinja_options  # templates that are compiled already
    function(*arguments)
