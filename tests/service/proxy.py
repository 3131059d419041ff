"""nginx in front of the web processes, as the README has it: the block there is what runs here."""

import os
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.client import HTTPSConnection
from pathlib import Path

from flask import Flask

from portal.settings import ROOT
from tests.benchmarks.server import reserve_port
from tests.conftest import NGINX
from tests.service.people import Person
from tests.service.processes import HOST, PATIENCE, Server, Service, service
from tests.world import NOW

NAME = "boutique.maferme.fr"
SITE = f"https://{NAME}"
CERTIFICATE = ROOT / "tests" / "infra" / "localhost.pem"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 2;
{user}
events {{ worker_connections 768; }}
http {{
    gzip on;
    access_log off;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/none;
    uwsgi_temp_path {folder}/none;
    scgi_temp_path {folder}/none;
{block}
}}
"""
"""Like Debian's nginx.conf, with all that nginx writes in a folder of the test's."""
PROGRAM = (NGINX, "-e", "stderr", "-c")
UNVERIFIED = ssl._create_unverified_context()


def documented() -> str:
    """The README's block."""
    text = (ROOT / "README.md").read_text()
    [block] = re.findall(r"(?m)^    upstream portal \{\n(?:(?:    .*)?\n)+", text)
    return str(block)


def configuration(folder: Path, port: int, plain: int, webs: list[int]) -> str:
    """The block with the addresses, folders and certificate of a test: each of them stands in it."""
    block = documented()
    for wanted, ours in (
        (r"listen \[::\]:.*;", ""),
        (r"listen 80;", f"listen {HOST}:{plain} reuseport;"),
        (r"listen 443 ", f"listen {HOST}:{port} reuseport "),
        (r"(ssl_certificate(_key)?) +/etc/.*;", rf"\1 {CERTIFICATE};"),
        (r"/var/lib/nginx/portal", f"{folder}/kept"),
        (r"127\.0\.0\.1:8001", f"{HOST}:{webs[0]}"),
        (r"127\.0\.0\.1:8002", f"{HOST}:{webs[1]}"),
    ):
        block, found = re.subn(wanted, ours, block)
        assert found, wanted
    user = "user root;" if os.getuid() == 0 else ""
    return AROUND.format(folder=folder, user=user, block=block)


class Nginx(Server):
    """Answers as the documented site: by https at `port`; at `plain` it sends there."""

    def __init__(self, folder: Path, port: int, plain: int, webs: list[int]) -> None:
        self.plain = plain
        self.settings = folder / "nginx.conf"
        self.settings.write_text(configuration(folder, port, plain, webs))
        super().__init__(port, [*PROGRAM, self.settings], dict(os.environ), folder / "nginx.log")


@contextmanager
def behind_nginx(app: Flask, folder: Path, now: datetime = NOW) -> Iterator[tuple[Service, Nginx]]:
    """Two web processes behind the documented proxy."""
    env = {"PORTAL_BASE_URL": SITE, "PORTAL_TRUSTED_PROXIES": "1"}
    with service(app, folder, webs=2, now=now, **env) as running:
        webs = [web.port for web in running.webs]
        nginx = Nginx(folder, running.port, reserve_port(running.stack), webs)
        running.stack.callback(nginx.kill)
        nginx.wait_until_it_listens()
        yield running, nginx


def come(running: Service, person: Person | None = None) -> Person:
    """A visitor, or whoever is signed in, by https to the documented name."""
    person = person or Person(running.port)
    person.connection = HTTPSConnection(HOST, running.port, timeout=PATIENCE, context=UNVERIFIED)
    person.headers = {"Host": NAME, "Referer": f"{SITE}/"}
    person.cookie = person.cookie.replace("session=", "__Host-session=")
    running.stack.callback(person.leave)
    return person
