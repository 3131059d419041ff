"""Staff who judge, weigh and pack the same orders at once, and owners who cancel theirs meanwhile."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.catalogue.articles import offers
from portal.catalogue.models import Article
from portal.infra.audit import AuditEvent
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.rules.orders import OrderState
from portal.rules.selling import StockKind
from portal.shop.claiming import claim
from portal.shop.models import Happening, Order, OrderEvent
from tests.client import Browser
from tests.races.helpers import meetings
from tests.shop.making import article, line, order
from tests.world import CAMILLE, CUTOFF, STAFF, TODAY

PAGE = "/ferme/commandes/2026-06-16/mardi"


@pytest.fixture
def jars(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return article(session).id


def desk(app: Flask, email: str = STAFF) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/mon-compte")
    return browser


def place(app: Flask, jars: int, state: OrderState = OrderState.PLACED) -> int:
    """An order of Camille's, alone on its delivery; mails of earlier ones are gone."""
    with app.app_context(), own_transaction() as session:
        for old in session.scalars(select(Order).where(Order.state.in_(["placed", "accepted"]))):
            old.state = OrderState.CANCELLED
        for mail in session.scalars(select(Mail)):
            session.delete(mail)
        number = len(session.scalars(select(Order.id)).all())
        made = order(session, {session.get_one(Article, jars): 1}, state=state, cart_key=f"race-{number}")
        return made.id


def outcome(app: Flask, order_id: int) -> tuple[OrderState, list[Happening], int]:
    """Its state, what befell it since it was placed, how many mails there are."""
    with app.app_context(), own_transaction() as session:
        steps = select(OrderEvent.what).where(OrderEvent.order_id == order_id).order_by(OrderEvent.id)
        state = session.get_one(Order, order_id).state
        return state, session.scalars(steps).all()[1:], len(session.scalars(select(Mail.id)).all())


def raced(
    app: Flask,
    jars: int,
    first: Callable[[int], TestResponse],
    second: Callable[[int], TestResponse],
    *,
    state: OrderState = OrderState.PLACED,
) -> Iterator[tuple[Any, tuple[OrderState, list[Happening], int]]]:
    """Let two acts meet over a new order at every point: the answers, and what came of it."""
    orders = [place(app, jars, state)]
    for answers in meetings(app, lambda: first(orders[-1]), lambda: second(orders[-1])):
        statuses = [500 if isinstance(answer, Exception) else answer.status_code for answer in answers]
        yield statuses, outcome(app, orders[-1])
        orders.append(place(app, jars, state))


def accepted_by_two(app: Flask, jars: int) -> Iterator[bool]:
    """Two members of staff accept an order: whether both hear yes and one mail goes out."""
    one, other = desk(app), desk(app)
    for statuses, came in raced(
        app,
        jars,
        lambda n: one.submit(f"/ferme/commandes/{n}/acceptation"),
        lambda n: other.submit(f"/ferme/commandes/{n}/acceptation"),
    ):
        yield statuses == [303, 303] and came == (OrderState.ACCEPTED, [Happening.ACCEPTED], 1)


def test_two_who_accept_the_same_order_send_one_mail(app: Flask, jars: int) -> None:
    assert set(accepted_by_two(app, jars)) == {True}


def test_without_locks_two_who_accept_get_in_each_others_way(app: Flask, jars: int, unlocked: Flask) -> None:
    assert not all(accepted_by_two(unlocked, jars))


def test_one_who_accepts_and_one_who_refuses_agree_in_the_end(app: Flask, jars: int) -> None:
    one, other = desk(app), desk(app)
    for statuses, (state, steps, mails) in raced(
        app,
        jars,
        lambda n: one.submit(f"/ferme/commandes/{n}/acceptation"),
        lambda n: other.submit(f"/ferme/commandes/{n}/refus", {"reason": "Vide."}),
    ):
        assert state is OrderState.REFUSED and len(steps) == mails
        accepted_first = steps == [Happening.ACCEPTED, Happening.REFUSED]
        assert accepted_first or (steps == [Happening.REFUSED] and statuses == [422, 303])


def test_accepting_all_while_an_owner_cancels_ends_with_what_came_last(app: Flask, jars: int) -> None:
    staff, camille = desk(app), desk(app, CAMILLE)
    for statuses, (state, steps, mails) in raced(
        app,
        jars,
        lambda _: staff.submit(f"{PAGE}/acceptation"),
        lambda n: camille.submit(f"/commandes/{n}/annulation"),
    ):
        assert statuses == [303, 303]
        assert state is OrderState.CANCELLED
        assert steps in ([Happening.CANCELLED], [Happening.ACCEPTED, Happening.CANCELLED])
        assert mails == len(steps)


def test_two_who_pack_the_same_order_send_one_mail(app: Flask, jars: int) -> None:
    with time_machine.travel(CUTOFF, tick=False):
        one, other = desk(app), desk(app)
        for statuses, came in raced(
            app,
            jars,
            lambda _: one.submit(f"{PAGE}/preparation"),
            lambda n: other.submit(f"/ferme/commandes/{n}/preparation", {"prete": "oui"}),
            state=OrderState.ACCEPTED,
        ):
            assert (statuses, came) == ([303, 303], (OrderState.PREPARED, [Happening.PREPARED], 1))


def test_one_shortage_settled_twice_at_once_is_told_once(app: Flask, jars: int) -> None:
    one, other = desk(app), desk(app)

    def settle(browser: Browser, order_id: int) -> TestResponse:
        with app.app_context():
            [line] = db.session().get_one(Order, order_id).lines
            field = f"ligne-{line.id}"
        return browser.submit(f"{PAGE}/manque/{jars}", {field: "0", "reason": "Vide."})

    for statuses, (state, steps, mails) in raced(
        app, jars, lambda n: settle(one, n), lambda n: settle(other, n), state=OrderState.ACCEPTED
    ):
        assert state is OrderState.REFUSED
        assert (steps, mails) == ([Happening.SHORT, Happening.REFUSED], 1)
        assert 303 in statuses and set(statuses) <= {303, 404, 422}


def test_a_shortage_and_a_buyer_wait_for_each_other_and_never_for_ever(app: Flask, jars: int) -> None:
    with app.app_context(), own_transaction() as session:
        before, after = (
            article(session, name, stock_kind=StockKind.COUNTED, stock=10_000).id
            for name in ("Confiture", "Pollen")
        )
    staff = desk(app)

    def settle(order_id: int) -> TestResponse:
        """What stood in for the jar goes back, something else is taken."""
        with app.app_context():
            field = f"ligne-{db.session().get_one(Order, order_id).lines[0].id}"
        fields = {field: "0", "remplacement": str(after), "reason": "Vide."}
        return staff.submit(f"{PAGE}/manque/{jars}", fields)

    def buy() -> None:
        with app.app_context(), own_transaction() as session:
            offers(session, [before, after], TODAY, held=True)

    def replaced() -> int:
        order_id = place(app, jars, OrderState.ACCEPTED)
        with app.app_context(), own_transaction() as session:
            made = session.get_one(Order, order_id)
            made.lines[0].given = 0
            instead = line(session.get_one(Article, before), 1, instead_of_id=made.lines[0].id)
            made.lines.append(instead)
        return order_id

    waiting = [replaced()]
    for settled, bought in meetings(app, lambda: settle(waiting[-1]), buy):
        assert not isinstance(settled, Exception) and settled.status_code == 303
        assert bought is None
        waiting.append(replaced())


def attached_by_two(app: Flask, reader: Flask, jars: int) -> Iterator[bool]:
    """Give a guest's two orders to the account twice at once: whether each went there once, by one of them."""
    with reader.app_context(), own_transaction() as session:
        of = {
            email: session.scalars(select(Account.id).where(Account.email == email)).one()
            for email in (CAMILLE, STAFF)
        }

    def guests() -> list[int]:
        with reader.app_context(), own_transaction() as session:
            jar = session.get_one(Article, jars)
            made = [order(session, {jar: 1}, email=None, with_box=False) for _ in range(2)]
            for one in made:
                one.email = CAMILLE
            return [one.id for one in made]

    def attach() -> int:
        with app.app_context(), own_transaction() as session:
            return claim(session, CAMILLE, of[CAMILLE], by=of[STAFF])

    ids = guests()
    for results in meetings(app, attach, attach):
        with reader.app_context(), own_transaction() as session:
            owners = session.scalars(select(Order.account_id).where(Order.id.in_(ids))).all()
            said = (AuditEvent.action == "order.claim", AuditEvent.subject_id.in_(map(str, ids)))
            lines = session.scalars(select(AuditEvent.id).where(*said)).all()
        yield sorted(map(repr, results)) == ["0", "2"] and owners == [of[CAMILLE]] * 2 and len(lines) == 2
        ids = guests()


def test_a_guests_orders_are_attached_once_by_two(app: Flask, jars: int) -> None:
    assert set(attached_by_two(app, app, jars)) == {True}


def test_without_locks_they_are_attached_twice(app: Flask, jars: int, unlocked: Flask) -> None:
    assert not all(attached_by_two(unlocked, app, jars))
