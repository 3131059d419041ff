"""Mails that let somebody in, as tests read them."""

import re

from flask import Flask
from sqlalchemy import select

from portal.accounts.jobs import answer_mail_requests
from portal.infra.outbox import Mail
from tests.accounts.people import database
from tests.client import Browser

CODE = re.compile(r"\b(\d{3})\s(\d{3})\b")
LINK = re.compile(r"http://localhost(/lien/[A-Za-z0-9_-]{43})\b")


def answered(app: Flask) -> list[Mail]:
    """All mails so far, once the worker has answered who waits."""
    with app.app_context():
        while answer_mail_requests():
            pass
    with database(app) as session:
        found = list(session.scalars(select(Mail).order_by(Mail.id)))
        session.expunge_all()
    return found


def code_in(mail: Mail) -> str:
    [code] = {"".join(found) for found in CODE.findall(mail.text or "")}
    assert code[:3] in (mail.html or "") and code[:3] not in mail.subject and mail.secret
    return code


def link_in(mail: Mail) -> str:
    [path] = set(LINK.findall(mail.text or ""))
    assert path in (mail.html or "")
    return str(path)


def ask_for_code(app: Flask, client: Browser, email: str, path: str = "/connexion/code") -> str:
    """The code that is mailed to the address."""
    client.get(path)
    answer = client.submit(path, {"email": email})
    assert (answer.status_code, answer.location) == (303, "/connexion/code/saisie")
    return code_in(answered(app)[-1])
