"""Carries due mail from the outbox to the SMTP server."""

import logging
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, unquote, urlsplit

from portal.infra import clock, mail, outbox
from portal.settings import BadSettings, Settings

logger = logging.getLogger(__name__)

SMTP_TIMEOUT = 20.0
"""Seconds for the server to answer one word."""

REST = timedelta(minutes=1)
"""Between two tries to reach a server that is down: no mail is blamed for it, none is put off for long."""

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class _Line:
    """An open connection, and who writes over it."""

    smtp: smtplib.SMTP
    sender: mail.Sender

    def answers(self) -> bool:
        with suppress(OSError):
            return self.smtp.noop()[0] == 250
        return False


class Postman:
    """One mail a call, over a connection that stays while there is more; True as long as there may be."""

    def __init__(self, settings: Settings, ask_sender: Callable[[], mail.Sender]) -> None:
        self._settings = settings
        self._server = _parse(settings.smtp_url) if settings.smtp_url else None
        self._ask_sender = ask_sender
        self._line: _Line | None = None
        self._rests_until = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> bool:
        now = clock.now()
        if self._server is None:
            outbox.keep_all(now)
            return False
        # the server is reached before a mail is claimed: none is blamed for a server that is down
        line = self._open_line(self._server, now)
        letter = outbox.claim(now) if line else None
        if line is None or letter is None:
            self._hang_up()
            return False
        self._carry(letter, line)
        return True

    def _open_line(self, server: SplitResult, now: datetime) -> _Line | None:
        """The present line if it still answers, or a new one; none while the server rests or nothing is due."""
        if self._line and self._line.answers():
            return self._line
        self._hang_up()
        if now < self._rests_until or not outbox.is_due(now):
            return None
        sender = self._ask_sender()
        try:
            self._line = _Line(_connect(server, self._settings.hostname), sender)
        except OSError as error:
            self._rests_until = now + REST
            logger.warning("mail server out of reach", extra={"reason": _reason(error)})
        return self._line

    def _carry(self, letter: outbox.Mail, line: _Line) -> None:
        sent_from, files = self._settings.mail_from, outbox.files_of(letter)
        try:
            message = mail.message(letter, files, sent_from=sent_from, sender=line.sender)
            line.smtp.send_message(message, sent_from, [message["To"].addresses[0].addr_spec])
        except Exception as error:
            outbox.mark_refused(letter, _reason(error), clock.now(), for_good=_is_for_good(error))
            logger.warning("mail refused", extra={"mail": letter.id, "reason": _reason(error)})
        else:
            outbox.mark_sent(letter, clock.now())

    def _hang_up(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.smtp.quit()
            self._line.smtp.close()
            self._line = None


def _parse(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        known = parts.scheme in PORTS and parts.hostname and parts.port != 0
    except ValueError:  # the port is no number
        known = False
    if not known:
        raise BadSettings(
            "Set PORTAL_SMTP_URL to an address such as smtps://user:password@smtp.example.org:465."
        )
    return parts


def _connect(server: SplitResult, helo: str) -> smtplib.SMTP:
    host, port = server.hostname or "", server.port or PORTS[server.scheme]
    if server.scheme == "smtps":
        trusted = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(host, port, helo, timeout=SMTP_TIMEOUT, context=trusted)
    else:
        connection = smtplib.SMTP(host, port, helo, timeout=SMTP_TIMEOUT)
    try:
        if server.scheme == "smtp+starttls":
            connection.starttls(context=ssl.create_default_context())
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection


def _code(error: Exception) -> int | None:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return next(iter(error.recipients.values()))[0]
        case smtplib.SMTPResponseException():
            return error.smtp_code
    return None


def _reason(error: Exception) -> str:
    """The kind of failure; never the server's words, they name people."""
    name, code = type(error).__name__, _code(error)
    return f"{name} {code}" if code else name


def _is_for_good(error: Exception) -> bool:
    """A 5xx answer, or a mail that this program or server cannot write; all else may pass."""
    code = _code(error)
    if code is not None:
        return 500 <= code < 600
    return not isinstance(error, OSError) or isinstance(error, smtplib.SMTPNotSupportedError)
