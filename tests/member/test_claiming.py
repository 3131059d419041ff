"""Orders placed without an account join it once a code has proven the mailbox."""

import re

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.shop.models import Order
from tests.accounts.people import account_of
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, YACINE

PAGE = "/commandes/rattachement"
CODE = re.compile(r"\b(\d{3}) (\d{3})\b")


def guest_orders(session: Session, honey: Article, *emails: str) -> list[Order]:
    made = [order(session, {honey: 1}, email=None, with_box=False) for _ in emails]
    for one, email in zip(made, emails, strict=True):
        one.email = email
    session.commit()
    return made


def newest_code(session: Session) -> str:
    session.expire_all()
    mail = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert mail is not None and mail.secret and mail.recipient == CAMILLE
    found = CODE.search((mail.text or "").replace("\u202f", " ").replace("\u00a0", " "))
    assert found
    return found[1] + found[2]


def test_guest_orders_are_offered_and_given_for_a_code_alone(app: Flask, session: Session) -> None:
    honey = article(session)
    mine, too, others = guest_orders(session, honey, CAMILLE, CAMILLE.title(), YACINE)
    camille = account_of(session, CAMILLE)
    client: Browser = app.test_client()  # type: ignore[assignment]
    client.sign_in(CAMILLE)
    assert "sans compte" not in client.get("/commandes").text, "nobody knows yet whose the mailbox is"
    camille.email_proven_at = NOW
    session.commit()
    assert "2 commandes passées sans compte avec votre adresse" in text_of(client.get("/commandes"))
    page = client.get(PAGE)
    assert "2 commandes ont été passées" in text_of(page) and 'name="code"' not in page.text
    assert client.submit(PAGE).status_code == 422
    assert client.submit(f"{PAGE}/code").location == f"{PAGE}?code=1"
    code = newest_code(session)
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    assert client.submit(PAGE, {"code": wrong}).status_code == 422
    session.refresh(mine)
    assert mine.account_id is None
    assert client.submit(PAGE, {"code": f"{code[:3]} {code[3:]}"}).location == "/commandes"
    session.expire_all()
    assert (mine.account_id, too.account_id, others.account_id) == (camille.id, camille.id, None)
    lines = session.scalars(select(AuditEvent).where(AuditEvent.action == "order.claim")).all()
    assert [(line.subject_id, line.account_id) for line in lines] == [
        (str(one.id), camille.id) for one in (mine, too)
    ]
    assert client.get(PAGE).location == "/commandes", "there is nothing left"
    guest_orders(session, honey, CAMILLE)
    assert 'name="code"' not in client.get(PAGE).text
    assert client.submit(PAGE).status_code == 303, "the session has proven the mailbox"
    assert session.scalars(select(Order.id).where(Order.account_id.is_(None))).all() == [others.id]
