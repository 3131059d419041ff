"""What a mail says and how it is written: templates to a subject, a text and an HTML part, then a message."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import Any, TypedDict

from flask import current_app, render_template

from portal.infra.outbox import CONTROL, File, Mail


class _OneLine(UniqueUnstructuredHeader):
    """An address stays whole: folded to 78 characters it would be written as encoded words, which nobody reads."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)  # type: ignore[arg-type]
_POLICY = SMTP.clone(cte_type="7bit", header_factory=_HEADERS)  # not every server on the way takes more
_BLANK_LINES = re.compile(r"[^\S\n]*\n\s*\n\s*")


class Parts(TypedDict):
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail's content: `outbox.post(session, **rendered.parts, to=…, at=…)`."""

    subject: str
    text: str
    html: str

    @property
    def parts(self) -> Parts:
        return {"subject": self.subject, "text": self.text, "html": self.html}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the farm's name, and where an answer goes if not to the sending address."""

    name: str
    reply_to: str


def render(name: str, /, **context: Any) -> Rendered:
    """Write `templates/mail/<name>/{subject.txt,text.txt,body.html}`; `link(endpoint, …)` makes addresses.

    Within a transaction that is not the request's, hand `farm` over: else the layout reads it in another one.
    """
    subject, text, html = (
        render_template(f"mail/{name}/{part}", **context, link=link)
        for part in ("subject.txt", "text.txt", "body.html")
    )
    return Rendered(
        subject=CONTROL.sub(" ", subject).strip(" "),
        text=_BLANK_LINES.sub("\n\n", text).strip() + "\n",
        html=html,
    )


def link(endpoint: str, /, **values: Any) -> str:
    """A full address of the site: it begins with the base URL, whatever host a request claims."""
    settings = current_app.config["SETTINGS"]
    site = current_app.url_map.bind(settings.host, url_scheme="https" if settings.https else "http")
    return site.build(endpoint, values, force_external=True)


def message(mail: Mail, files: Sequence[File], *, sent_from: str, sender: Sender) -> EmailMessage:
    """The same bytes and Message-ID at every attempt, so that who gets it twice sees it once."""
    local, _, domain = mail.recipient.rpartition("@")
    name = _header(sender.name)
    written = EmailMessage(policy=_POLICY)
    written["From"] = Address(display_name=name, addr_spec=sent_from)
    written["To"] = f"{local}@{domain.encode('idna').decode()}"
    if sender.reply_to:
        written["Reply-To"] = Address(display_name=name, addr_spec=sender.reply_to)
    written["Subject"] = _header(mail.subject)
    written["Date"] = mail.created_at
    written["Message-ID"] = mail.message_id
    written["Auto-Submitted"] = "auto-generated"  # no answer from a holiday responder
    if mail.unsubscribe:
        written["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        written["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    written.set_content(mail.text or "")
    written.add_alternative(mail.html or "", subtype="html")
    for file in files:
        kind, _, subtype = file.content_type.partition("/")
        written.add_attachment(file.data, maintype=kind, subtype=subtype, filename=file.name)
    envelopes = [part for part in written.walk() if part.is_multipart()]
    for number, part in enumerate(envelopes):
        part.set_boundary(f"={number}={mail.message_id.strip('<>').partition('@')[0]}=")
    return written


def _header(text: str) -> str:
    """Text that stays in its header: the email package would decode an encoded word, line breaks and all."""
    return CONTROL.sub(" ", text).replace("=?", "= ?")
