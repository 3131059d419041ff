"""What the browser tests share: screens, a furnished farm, questions to a page."""

from datetime import date, timedelta
from threading import Event

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, LinkPurpose, MailedLink
from portal.accounts.sessions import hash_token
from portal.billing.payments import pay
from portal.boxes.models import BoxChange
from portal.deliveries.models import Delivery
from portal.infra import jobs, mail, outbox
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail, MailState
from portal.messages.models import ContactFile, ContactMessage, ContactState, Subject
from portal.messages.questions import start_with_ours
from portal.planning.models import Termination
from portal.profile.models import FarmProfile
from portal.profile.queries import get_farm
from portal.subscriptions.models import Contract, Subscription
from tests import joining
from tests.billing.banking import received
from tests.billing.books import invoiced
from tests.billing.debiting import shown as show_debits
from tests.billing.signing import signed
from tests.billing.writing import customer, paid
from tests.composing import delivery_on, put, show
from tests.exchange.making import send_tables
from tests.messages import campaigning
from tests.stall import fill_cart, stock_the_shop, take_orders
from tests.world import CAMILLE, NOW, TUESDAY, YACINE

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}

TOKEN = "a-token-that-only-the-mail-holds"
KEPT, FAILED, SENT = 1, 2, 3
"""The mails of a furnished farm."""


def furnish() -> None:
    """Give every page something to show: a composed delivery, a cancelled one, a small shop, orders, mails, a link."""
    with own_transaction() as session:
        compose(session)
        honey = stock_the_shop(session)
        take_orders(session, honey)
        fill_cart(session, honey)
        send_tables(session)
        joining.begin(session)
        start_with_ours(session, at=NOW, by=None)
        campaigning.draft(session)
        session.add(
            ContactMessage(
                subject=Subject.BOX,
                name="Emma Roux",
                email="emma@example.org",
                text="Où est mon panier ?",
                sent_at=NOW,
                state=ContactState.NEW,
                files=[ContactFile(name="piece-1.pdf", content_type="application/pdf", data=b"%PDF-")],
            )
        )
        cancelled = session.scalars(
            select(Delivery).where(Delivery.day == TUESDAY + timedelta(weeks=2))
        ).one()
        cancelled.cancelled_at, cancelled.cancel_reason = NOW, "Les maraîchers se reposent."
        for state, error in ((MailState.KEPT, None), (MailState.FAILED, "550"), (MailState.SENT, None)):
            letter = _post(session)
            letter.state, letter.closed_at, letter.attempts, letter.last_error = state, NOW, 1, error
        leave(session)
        camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
        session.add(
            MailedLink(
                token_hash=hash_token(TOKEN),
                purpose=LinkPurpose.RESET_PASSWORD,
                account_id=camille,
                created_at=NOW,
                expires_at=NOW + timedelta(days=2),
            )
        )
        signed(session)
        invoiced(session)
        show_debits(session)
        pay(session, paid(2000, customer(session, YACINE)), at=NOW, by=None)
        received(session)


def leave(session: Session) -> None:
    """One whom nobody knows notifies the end of a contract, one has still to confirm it; a contract that is new."""
    session.get_one(FarmProfile, 1).partner = "l'épicerie solidaire"
    said = {"reference": "mon panier", "notified_at": NOW, "searched_at": NOW, "ended": {}}
    session.add(Termination(**said, name="Ida Perdue", contact="3 rue du Four, 05700 Serres"))
    session.flush()
    box = session.scalars(select(Subscription).order_by(Subscription.id)).first()
    session.add(Termination(**said, name="Camille Aubert", contact=CAMILLE, account_id=box.account_id))
    session.add(Contract(subscription=box, made_at=NOW, paper=b"%PDF-"))


def compose(session: Session) -> None:
    """Tuesday's boxes, shown, and changed since."""
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "grand", "carottes", 1000)
    put(session, tuesday, "grand", "radis", 1)
    put(session, tuesday, "oeufs", "oeufs", 6)
    show(session, tuesday)
    put(session, tuesday, "grand", "carottes", 1500)
    put(session, tuesday, "grand", "salade", 1)


def skips() -> list[date]:
    """The weeks that somebody skips, one for each subscription."""
    with own_transaction() as session:
        return list(session.scalars(select(BoxChange.week).where(BoxChange.skip).order_by(BoxChange.id)))


def _post(session: Session) -> Mail:
    written = mail.render("password_changed", first_name="Camille", at=NOW, beside=[], farm=get_farm(session))
    return outbox.post(session, to=CAMILLE, at=NOW, **written.parts)


def work(app: Flask) -> None:
    """What the worker does when it is awake."""
    jobs.run(app, Event(), once=True)
