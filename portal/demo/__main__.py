"""`make demo`: a farm to try, on this machine only: migrations, the demo farm, the web server and the worker."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from portal import create_app
from portal.accounts.models import Account
from portal.demo.generate import generate
from portal.demo.people import PASSPHRASE, SIGN_INS
from portal.infra import clock, schema
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.settings import ROOT, BadSettings, Settings


def main() -> None:
    port = os.environ.get("PORT", "8000")
    if _is_taken(int(port)):
        sys.exit(f"Le port {port} est pris : PORT={int(port) + 1} make demo en prend un autre.")
    environment = {
        **os.environ,
        "PORTAL_MODE": "demo",
        "PORTAL_BASE_URL": f"http://127.0.0.1:{port}",
    }
    try:
        app = create_app(Settings.from_environment(environment))
    except BadSettings as error:
        sys.exit(str(error))
    _prepare(app)
    print(_welcome(f"http://127.0.0.1:{port}"), flush=True)
    _serve(environment, port)


def _is_taken(port: int) -> bool:
    """The server would share it with whoever has it, and each would get some of the requests."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _prepare(app: Flask) -> None:
    schema.upgrade(app)
    with app.app_context():
        session = db.session()
        if session.scalar(select(Account.id).limit(1)) is None:
            now = clock.now()
            print("Plantation de la ferme de démonstration, une minute environ…", flush=True)
            generate(session, today=local_day(now), now=now)
            session.commit()
        db.session.remove()
        db.engine.dispose()


def _welcome(address: str) -> str:
    who = "\n".join(f"    {email:<24} {what}" for email, what in SIGN_INS)
    return (
        f"\n  Le portail est ouvert : {address}\n\n  Connexions, toutes avec la phrase « {PASSPHRASE} » :\n{who}\n\n"
        f"  Les mails arrivent sur {address}/ferme/courrier. Ctrl-C arrête tout ; « make reset » replante.\n"
    )


def _serve(environment: dict[str, str], port: str) -> None:
    """The server and the worker side by side; both stop when either does, or on Ctrl-C."""
    scripts = Path(sys.executable).parent
    server = [
        "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "--blocking-threads",
        "1",
        "--log-level",
        "warning",
        "wsgi:app",
        "--port",
    ]
    worker = ["flask", "--app", "wsgi", "worker"]
    processes = [
        # the terminal's Ctrl-C would reach all of the server's processes at once, which then wait for each other
        subprocess.Popen(
            [scripts / command[0], *command[1:]], cwd=ROOT, env=environment, start_new_session=True
        )
        for command in ([*server, port], worker)
    ]

    def stop(*_: object) -> None:
        for process in processes:
            if process.poll() is None:
                process.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    os.wait()
    stop()
    for process in processes:
        process.wait()


if __name__ == "__main__":
    main()
