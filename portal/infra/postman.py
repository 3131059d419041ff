"""Carries due mail from the outbox to the SMTP server."""

import logging
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
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


class Postman:
    """One mail a call, over a connection that stays while there is more; True as long as there may be."""

    def __init__(self, settings: Settings, ask_sender: Callable[[], mail.Sender]) -> None:
        self._settings = settings
        self._server = _parse(settings.smtp_url) if settings.smtp_url else None
        self._ask_sender = ask_sender
        self._connection: smtplib.SMTP | None = None
        self._rests_until = datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> bool:
        now = clock.now()
        if self._server is None:
            outbox.keep_all(now)
            return False
        if now < self._rests_until:
            return False
        if not outbox.is_due(now):
            self._hang_up()
            return False
        connection = self._reach(self._server)
        if connection is None:
            self._rests_until = now + REST
            return False
        sender = self._ask_sender()
        claimed = outbox.claim(now)
        if claimed is None:
            return False
        self._carry(claimed, sender, connection)
        return True

    def _reach(self, server: SplitResult) -> smtplib.SMTP | None:
        """The open connection if it still answers, or a new one."""
        with suppress(OSError):
            if self._connection and self._connection.noop()[0] == 250:
                return self._connection
        self._hang_up()
        try:
            self._connection = _connect(server, self._settings.hostname)
        except OSError as error:
            logger.warning("mail server out of reach", extra={"reason": _reason(error)})
        return self._connection

    def _carry(self, letter: outbox.Mail, sender: mail.Sender, connection: smtplib.SMTP) -> None:
        try:
            message = mail.message(letter, sent_from=self._settings.mail_from, sender=sender)
            connection.send_message(message)
        except Exception as error:
            if not isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused):
                self._hang_up()  # nobody knows what it is at
            outbox.mark_refused(letter, _reason(error), clock.now(), for_good=_is_for_good(error))
            logger.warning("mail refused", extra={"mail": letter.id, "reason": _reason(error)})
        else:
            outbox.mark_sent(letter, clock.now())

    def _hang_up(self) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.quit()
            self._connection.close()
            self._connection = None


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
    context = ssl.create_default_context()
    connection = (
        smtplib.SMTP_SSL(host, port, helo, timeout=SMTP_TIMEOUT, context=context)
        if server.scheme == "smtps"
        else smtplib.SMTP(host, port, helo, timeout=SMTP_TIMEOUT)
    )
    try:
        if server.scheme == "smtp+starttls":
            connection.starttls(context=context)
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
