"""Who is not seen for three years is warned twice, then forgotten; some never."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account, SignInSession, account_role
from portal.billing.payments import pay
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.messages.models import ContactMessage, ContactState, Subject
from portal.privacy.inactivity import YEAR, step
from portal.privacy.jobs import forget_inactive
from portal.privacy.models import AccountMerge, Departure, InactivityNotice
from portal.rules.orders import OrderState
from portal.subscriptions.models import Subscription
from tests.accounts.people import account_of, database, signed_in
from tests.benchmarks.work import counted
from tests.billing.books import invoiced
from tests.billing.writing import customer, paid
from tests.crowd import add_alike
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, STAFF, YACINE

DAY = timedelta(days=1)
DUE = NOW + 3 * YEAR


@pytest.fixture(autouse=True)
def quiet(app: Flask) -> None:
    """Camille was last seen now, her boxes have ended; nobody else is anybody's concern."""
    with database(app) as session:
        session.execute(update(Subscription).values(last_day=NOW.date()))
        session.execute(update(Account).values(seen_at=NOW + 30 * YEAR))
        account_of(session, CAMILLE).seen_at = NOW


def work(app: Flask, clock: time_machine.Traveller, at: datetime) -> tuple[list[int], bool]:
    """How many days ahead she has been warned, and whether she is forgotten."""
    clock.move_to(at)
    with app.app_context():
        forget_inactive()
    with database(app) as session:
        warned = session.scalars(select(InactivityNotice.days).order_by(InactivityNotice.days)).all()
        gone = session.scalars(select(Account).where(Account.erased_at.is_not(None))).all()
        return list(warned), bool(gone)


def test_two_warnings_then_the_end_each_once(app: Flask, clock: time_machine.Traveller) -> None:
    with database(app) as session:
        pay(session, paid(1200, customer(session)), at=NOW, by=None)
    assert work(app, clock, DUE - 60 * DAY) == ([], False)
    assert work(app, clock, DUE - 59 * DAY) == ([60], False)
    assert work(app, clock, DUE - 15 * DAY) == ([60], False)
    assert work(app, clock, DUE - 14 * DAY) == ([15, 60], False)
    with database(app) as session:
        mails = session.scalars(select(Mail).order_by(Mail.id)).all()
        assert [mail.recipient for mail in mails] == [CAMILLE, CAMILLE]
        assert mails[0].subject == mails[1].subject, "both name the same day"
        assert all("Vous avez 12,00\u00a0€ d'avance" in mail.text for mail in mails if mail.text)
    assert work(app, clock, DUE) == ([15, 60], False)
    assert work(app, clock, DUE + DAY) == ([], True)
    with database(app) as session:
        assert session.scalars(select(Account).where(Account.email == CAMILLE)).all() == []


def test_a_sign_of_life_begins_the_years_anew(app: Flask, clock: time_machine.Traveller) -> None:
    work(app, clock, DUE - 59 * DAY)
    clock.move_to(DUE - 20 * DAY)
    signed_in(app, CAMILLE).get("/mon-compte")
    assert work(app, clock, DUE + 30 * DAY) == ([], False)


def test_an_order_by_telephone_takes_the_warning_back(app: Flask, clock: time_machine.Traveller) -> None:
    work(app, clock, DUE - 59 * DAY)
    with database(app) as session:
        ordered_of_late(session, account_of(session, CAMILLE))
    assert work(app, clock, DUE + DAY) == ([], False)


def held_by_an_order(session: Session, account: Account) -> None:
    order(session, {article(session): 1}, state=OrderState.ACCEPTED)


def held_by_a_subscription(session: Session, account: Account) -> None:
    session.execute(update(Subscription).where(Subscription.account_id == account.id).values(last_day=None))


def works_here(session: Session, account: Account) -> None:
    staff = account_of(session, STAFF)
    role = session.scalars(
        select(account_role.c.role_id).where(account_role.c.account_id == staff.id)
    ).first()
    session.execute(account_role.insert().values(account_id=account.id, role_id=role))


def shares(session: Session, account: Account) -> None:
    account.payer_id = account_of(session, YACINE).id


def is_leaving(session: Session, account: Account) -> None:
    session.add(Departure(account_id=account.id, asked_at=NOW, erase_at=DUE + 9 * YEAR))
    account.active = False


def has_become_anothers(session: Session, account: Account) -> None:
    into = account_of(session, YACINE).id
    session.add(AccountMerge(from_id=account.id, into_id=into, at=NOW, moved={}))


def had_a_box_of_late(session: Session, account: Account) -> None:
    last = (DUE - 60 * DAY).date()
    session.execute(update(Subscription).where(Subscription.account_id == account.id).values(last_day=last))


def ordered_of_late(session: Session, account: Account) -> None:
    made = order(session, {article(session): 1}, state=OrderState.DELIVERED)
    made.placed_at = DUE - 60 * DAY


def wrote_of_late(session: Session, account: Account) -> None:
    values = {
        "name": "",
        "email": account.email,
        "subject": Subject.OTHER,
        "text": "",
        "sent_at": DUE - 60 * DAY,
    }
    session.add(ContactMessage(account_id=account.id, state=ContactState.NEW, **values))


def is_signed_in(session: Session, account: Account) -> None:
    times = {"created_at": NOW, "expires_at": DUE + 9 * YEAR, "seen_at": DUE}
    session.add(SignInSession(token_hash="x", account_id=account.id, data={}, **times))


@pytest.mark.parametrize(
    "reason",
    [
        held_by_an_order,
        held_by_a_subscription,
        works_here,
        shares,
        is_leaving,
        has_become_anothers,
        is_signed_in,
        had_a_box_of_late,
        ordered_of_late,
        wrote_of_late,
    ],
)
def test_some_are_never_warned(app: Flask, clock: time_machine.Traveller, reason) -> None:
    with database(app) as session:
        reason(session, account_of(session, CAMILLE))
    assert work(app, clock, DUE) == ([], False)


def test_whether_somebody_is_forgotten_is_no_more_work_among_many(app: Flask) -> None:
    """The books are held meanwhile."""

    def work() -> int:
        with app.app_context(), counted(db.engine) as done, own_transaction() as session:
            step(session, camille, 0, at=DUE - 59 * DAY)
        return done.done

    with database(app) as session:
        camille = invoiced(session).customer.account_id
        order(session, {article(session): 1})
    assert camille
    alone = work()
    with database(app) as session:
        add_alike(session, Account.email == CAMILLE, 1000)
        session.execute(text("ANALYZE"))
    assert work() <= 1.1 * alone + 100
