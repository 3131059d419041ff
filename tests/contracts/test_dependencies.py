"""What the portal stands on is pinned, hashed, and used."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

import pytest

from portal.settings import ROOT

PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)(\[[a-z0-9,-]+\])?==(?P<version>[0-9][^ ;]*)( ; (?P<marker>[^\\]+))?"
)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

NOT_IMPORTED = {
    "argon2-cffi": "Flask-Security hashes with it",
    "granian": "the web server, started as a command",
    "psycopg": "DATABASE_URL names the driver",
    "tzdata": "zoneinfo reads it where the system has no time zones",
}

PART_OF = {
    "alembic": "flask-migrate",
    "babel": "flask-babel",
    "brotli": "flask-compress",
    "click": "flask",
    "jinja2": "flask",
    "markupsafe": "flask",
    "werkzeug": "flask",
    "wtforms": "flask-wtf",
}
"""What is imported under the roof of a package that is asked for, and is no dependency of its own."""

Lock = dict[str, tuple[str, frozenset[str]]]


def read_lock(name: str) -> Lock:
    """Version and hashes by package; fails on any line that pins nothing."""
    text = (ROOT / "requirements" / name).read_text()
    packages = {}
    for entry in re.sub(r"(?m)^ *#.*\n?", "", text).replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split(" --hash=")
        found = PINNED.fullmatch(requirement.strip())
        assert found, f"{name}: {requirement} is not pinned to a version"
        hashes = [f"--hash={value.strip()}" for value in hashes]
        assert hashes and all(map(HASH.fullmatch, hashes)), f"{name}: {requirement} lacks a hash"
        packages[f"{found['name']} {found['marker'] or ''}".strip()] = (found["version"], frozenset(hashes))
    return packages


def declared(group: str | None = None) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = project["dependency-groups"][group] if group else project["project"]["dependencies"]
    return {re.split(r"[\[<>=~!; ]", requirement)[0] for requirement in listed}


def imported() -> set[str]:
    """Distributions of the modules that the program imports, anywhere in a file."""

    def modules() -> Iterator[str]:
        for path in (
            ROOT / "wsgi.py",
            *(ROOT / "portal").rglob("*.py"),
            *(ROOT / "migrations").rglob("*.py"),
        ):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module

    known = packages_distributions()
    roots = {module.partition(".")[0] for module in modules()}
    return {re.sub(r"[_.]", "-", name).lower() for root in roots for name in known.get(root, [])}


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_package_is_pinned_with_its_hashes_and_the_lock_holds_no_address(name: str) -> None:
    assert read_lock(name)
    assert "://" not in (ROOT / "requirements" / name).read_text()


def test_tests_run_on_the_very_packages_that_serve() -> None:
    run, dev = read_lock("run.txt"), read_lock("dev.txt")
    assert {package: dev.get(package) for package in run} == run


def test_the_locks_hold_what_is_asked_for() -> None:
    locked = {
        name: {package.partition(" ")[0] for package in read_lock(name)} for name in ("run.txt", "dev.txt")
    }
    assert declared() <= locked["run.txt"]
    assert declared("dev") <= locked["dev.txt"]


def test_nothing_is_asked_for_that_the_program_does_not_use() -> None:
    assert declared() - imported() - NOT_IMPORTED.keys() == set()


def test_nothing_is_used_that_is_not_asked_for() -> None:
    """Not even what another package happens to bring along."""
    assert {PART_OF.get(name, name) for name in imported()} <= declared()
