"""`make demo`: on a port of its own, until Ctrl-C."""

import os
import signal
import socket

import pytest

from portal.demo.__main__ import main
from tests import forks
from tests.infra.workers import environment, wait_until


def listens(port):
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


def in_a_terminal():
    """Whose Ctrl-C reaches the whole group."""
    os.setsid()
    main()


def test_the_demo_shares_its_port_with_no_other(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        with pytest.raises(SystemExit, match=f"^Le port {port} est pris"):
            main()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_ctrl_c_ends_the_demo(app, session):
    session.commit()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = forks.start(in_a_terminal, env=environment(app, PORT=str(port)))
    try:
        wait_until(lambda: listens(port))
        os.killpg(running.pid, signal.SIGINT)
        running.join(20)
        assert running.exitcode == 0
        assert not listens(port)
    finally:
        running.kill()
