"""A real SMTP server on a loopback socket, that answers as it is told and keeps what it took."""

import asyncio
import email
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

TAKEN = "250 OK"
HANGS_FOR = 60.0
Answer = Callable[[SMTP, EmailMessage], Awaitable[str]]


async def take(_server: SMTP, _message: EmailMessage) -> str:
    return TAKEN


def reply(line: str) -> Answer:
    """Answer the message with this line."""

    async def answer(_server: SMTP, _message: EmailMessage) -> str:
        return line

    return answer


async def close(server: SMTP, _message: EmailMessage) -> str:
    """Cut the connection when the message has arrived, without a word."""
    server.transport.abort()
    await asyncio.sleep(HANGS_FOR)
    return TAKEN


async def hang(_server: SMTP, _message: EmailMessage) -> str:
    await asyncio.sleep(HANGS_FOR)
    return TAKEN


class Letterbox:
    """`seen` is all that arrived whole, `taken` what was answered with 250."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"smtp://127.0.0.1:{port}"
        self.answers: dict[str, Answer] = {}
        self.refused_recipients: dict[str, str] = {}
        self.otherwise: Answer = take
        self.seen: list[EmailMessage] = []
        self.taken: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []

    def answer(self, recipient: str, answer: Answer) -> None:
        self.answers[recipient] = answer

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused_recipients:
            return self.refused_recipients[address]
        envelope.rcpt_tos.append(address)
        return TAKEN

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.seen.append(message)
        answer = await self.answers.get(envelope.rcpt_tos[0], self.otherwise)(server, message)
        if answer == TAKEN:
            self.taken.append(message)
            self.envelopes.append((envelope.mail_from or "", envelope.rcpt_tos))
        return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def letterbox(port: int | None = None, **server: Any) -> Iterator[Letterbox]:
    port = port or free_port()
    box = Letterbox(port)
    controller = Controller(box, hostname="127.0.0.1", port=port, **server)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
