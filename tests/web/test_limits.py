"""What is too heavy is refused before anything is done with it, by the application and through the real server."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from portal.settings import ROOT
from portal.web.limits import BODY_BYTES, FORM_FIELDS, HEADER_BYTES, UPLOAD_BYTES
from tests.client import Browser
from tests.databases import BACKENDS
from tests.infra.smtp import free_port
from tests.infra.workers import environment, wait_until


@pytest.fixture
def backend() -> str:
    return "sqlite"


MEGABYTES_30 = 30 * 1024 * 1024
URLENCODED = "application/x-www-form-urlencoded"
PART = b'--parts\r\nContent-Disposition: form-data; name="field"\r\n\r\nx\r\n'
PARTS_5000 = PART * 5000 + b"--parts--\r\n"
FIELDS_2000 = "&".join(f"field{n}=x" for n in range(2000)).encode()


class Zeros(BytesIO):
    """So many bytes that are never held at once."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size

    def read(self, size: int | None = -1) -> bytes:
        size = self.left if size is None or size < 0 else min(size, self.left)
        self.left -= size
        return bytes(size)


@pytest.mark.parametrize(
    "path", ["/connexion", "/ferme/courrier/envoi", "/mot-de-passe-oublie", "/ferme/produits/1/photo"]
)
@pytest.mark.parametrize(
    "kind", [URLENCODED, "multipart/form-data; boundary=parts", "application/json", "image/png", ""]
)
def test_a_body_of_30_megabytes_is_refused_unread(client: Browser, path: str, kind: str) -> None:
    body = Zeros(MEGABYTES_30)
    sent = {"wsgi.input": body, "CONTENT_LENGTH": str(MEGABYTES_30), "CONTENT_TYPE": kind}
    response = client.post(path, environ_overrides=sent)
    assert response.status_code == 413
    assert body.left == MEGABYTES_30


def test_only_where_photographs_are_sent_may_a_body_be_heavier(client: Browser) -> None:
    size = UPLOAD_BYTES
    for path, extra, answer in (
        ("/ferme/produits/1/photo", 0, 403),  # no token: it was read
        ("/ferme/produits/1/photo", 1, 413),
        ("/ferme/produits/1", 0, 413),
    ):
        sent = {"wsgi.input": Zeros(size + extra), "CONTENT_LENGTH": str(size + extra)}
        sent["CONTENT_TYPE"] = "application/octet-stream"
        assert client.post(path, environ_overrides=sent).status_code == answer, path


def test_too_many_fields_or_parts_are_refused(client: Browser) -> None:
    assert client.post("/connexion", data=FIELDS_2000, content_type=URLENCODED).status_code == 413
    multipart = "multipart/form-data; boundary=parts"
    assert client.post("/connexion", data=PARTS_5000, content_type=multipart).status_code == 413


def test_headers_of_200_kilobytes_are_refused(client: Browser) -> None:
    assert client.get("/formules", headers={"X-Long": "x" * 200_000}).status_code == 431
    many = [(f"X-Many-{n}", "x" * 100) for n in range(2000)]
    assert client.get("/formules", headers=many).status_code == 431


@pytest.mark.parametrize("backend", BACKENDS[-1:])
def test_a_nul_is_refused_wherever_it_stands(client: Browser) -> None:
    """PostgreSQL takes none, SQLite does."""
    client.get("/connexion")
    token = {"csrf_token": client.token}
    assert client.get("/livraisons/2026-06-16/mar%00di").status_code == 404
    assert client.get("/connexion?next=/planning%00").status_code == 400
    assert client.get("/connexion?ne%00xt=/planning").status_code == 400
    for field in ({"email": "a\0"}, {"a\0": "b"}, {"email": ["a", "b\0"]}):
        assert client.post("/connexion", data=token | field).status_code == 400
        assert (
            client.post("/connexion", data=token | field, content_type="multipart/form-data").status_code
            == 400
        )


def test_the_largest_page_of_ours_gets_through(client: Browser) -> None:
    client.get("/connexion")
    form = {"csrf_token": client.token, **{f"cell-{n}": "0,5" for n in range(FORM_FIELDS - 1)}}
    assert client.post("/connexion", data=form).status_code == 422
    heavy = {"csrf_token": client.token, "email": "x" * (BODY_BYTES - 1000)}
    assert client.post("/connexion", data=heavy).status_code == 422
    headers = {"X-Long": "x" * (HEADER_BYTES - 1000)}
    assert client.get("/formules", headers=headers).status_code == 200


def test_a_body_that_no_page_looks_at_is_taken_from_the_proxy_all_the_same(client: Browser) -> None:
    body = BytesIO(bytes(BODY_BYTES))
    answer = client.post(
        "/connexion", input_stream=body, content_length=BODY_BYTES, content_type="image/png", buffered=False
    )
    assert answer.status_code == 403
    assert body.tell() == BODY_BYTES


# Through granian


@pytest.fixture
def server(app: Flask, tmp_path: Path) -> Iterator[int]:
    """The port of a real server."""
    port = free_port()
    command = [
        Path(sys.executable).parent / "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "--blocking-threads",
        "1",
    ]
    base_url = f"http://127.0.0.1:{port}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "wsgi:app"],
            cwd=ROOT,
            env=environment(app, PORTAL_BASE_URL=base_url),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: answers(port) or process.poll() is not None)
            assert process.poll() is None, (tmp_path / "log").read_text()
            yield port
        finally:
            process.terminate()
            process.wait()


def answers(port: int) -> bool:
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, method: str, headers: str, body: bytes = b"") -> str:
    """The answer's head; the server may stop reading before everything is sent."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        head = f"{method} /connexion HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(head.encode())
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(body)
        received = b""
        while b"\r\n\r\n" not in received and (more := connection.recv(65536)):
            received += more
    return received.partition(b"\r\n\r\n")[0].decode()


def status(head: str) -> int:
    found = re.match(r"HTTP/1\.1 ([0-9]{3})", head)
    assert found, head
    return int(found[1])


def test_through_the_server_what_is_too_heavy_is_refused_and_the_next_is_served(server: int) -> None:
    form = f"Content-Type: {URLENCODED}\r\n"
    assert (
        status(ask(server, "POST", f"{form}Content-Length: {MEGABYTES_30}\r\n", bytes(MEGABYTES_30))) == 413
    )
    assert (
        status(ask(server, "POST", f"{form}Content-Length: {MEGABYTES_30}\r\nExpect: 100-continue\r\n"))
        == 413
    )
    assert status(ask(server, "POST", f"{form}Content-Length: {len(FIELDS_2000)}\r\n", FIELDS_2000)) == 413
    multipart = f"Content-Type: multipart/form-data; boundary=parts\r\nContent-Length: {len(PARTS_5000)}\r\n"
    assert status(ask(server, "POST", multipart, PARTS_5000)) == 413
    for size in (200_000, 2_000_000):
        assert status(ask(server, "GET", f"Cookie: a={'x' * size}\r\n")) == 431
    chunked = b"".join(b"100000\r\n" + bytes(0x100000) + b"\r\n" for _ in range(30)) + b"0\r\n\r\n"
    assert status(ask(server, "POST", f"{form}Transfer-Encoding: chunked\r\n", chunked)) in {400, 403, 413}
    assert status(ask(server, "GET", "")) == 200
