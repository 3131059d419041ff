"""Orders set right once their delivery has closed, and taking that back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Article
from portal.infra.outbox import Mail
from portal.rules.corrections import AFTERWARDS, Refusal
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import StockKind
from portal.shop import preparing, queries
from portal.shop.corrections import Act, Correction, Outcome, correct, stamp, undo
from portal.shop.models import Happening, Order, OrderCorrection, OrderLine, VoucherUse
from portal.shop.orders import bring
from tests.composing import SOMEBODY
from tests.farm.trail import events
from tests.shop.making import article, order
from tests.shop.vouching import voucher
from tests.world import CUTOFF, NOW

LATE = CUTOFF + timedelta(hours=1)


@pytest.fixture
def jars(session: Session, clock: time_machine.Traveller) -> Order:
    """Two of honey and three of jam for Camille, accepted; their delivery has closed."""
    honey = article(session, stock_kind=StockKind.COUNTED, stock=10)
    made = order(session, {honey: 2, article(session, "Confiture", 400): 3}, state=OrderState.ACCEPTED)
    clock.move_to(LATE)
    return made


def do(session: Session, made: Order, act: Act, shares: Mapping[int, int] = {}, **other: Any) -> Outcome:
    asked = Correction(act, stamp(made), "Pas au point.", shares)
    outcome = correct(session, made.id, replace(asked, **other), by=SOMEBODY)
    assert outcome
    session.flush()
    return outcome


def take_back(session: Session, made: Order, **other: Any) -> Outcome:
    corrections = select(OrderCorrection.id).order_by(OrderCorrection.id.desc())
    outcome = undo(session, made.delivery_id, session.scalars(corrections).first() or 0, by=SOMEBODY, **other)
    assert outcome
    session.flush()
    return outcome


def paid(made: Order) -> list[int]:
    return [line.paid for line in made.lines]


def stock(session: Session) -> int | None:
    return session.scalars(select(Article.stock).where(Article.name == "Miel")).one()


def test_less_is_given_and_paid_and_taken_back_all_is_as_it_was(session: Session, jars: Order) -> None:
    honey, jam = jars.lines
    jars.state = OrderState.PREPARED
    assert do(session, jars, Act.CHANGE, {honey.id: 0, jam.id: 2}) == Outcome(changed=True)
    assert (paid(jars), jars.state, stock(session)) == ([0, 2], OrderState.ACCEPTED, 10), "packed again"
    view = queries.find(session, jars.id)
    assert view and view.total == Money(800) and view.steps[-2].what is Happening.CORRECTED
    assert do(session, jars, Act.CHANGE, {honey.id: 0, jam.id: 2}, seen="") == Outcome(), "it is so"
    assert do(session, jars, Act.CHANGE, {jam.id: 3}, seen="").refusal is Refusal.CHANGED_SINCE
    assert do(session, jars, Act.CHANGE, {jam.id: 4}).refusal is Refusal.CHANGED_SINCE, "more than ordered"
    assert do(session, jars, Act.CHANGE, {jam.id: 0}).refusal is Refusal.EMPTY
    jars.state = OrderState.DELIVERED
    assert take_back(session, jars) == Outcome(changed=True)
    assert (paid(jars), jars.state) == ([2, 3], OrderState.DELIVERED)
    assert take_back(session, jars) == Outcome()
    trail = [event for event in events(session) if event.action.endswith("correct")]
    assert [event.action for event in trail] == ["order.correct", "order.uncorrect"]
    assert trail[0].before != trail[0].after and trail[1].account_id == SOMEBODY


def test_what_has_become_otherwise_since_is_not_taken_back(session: Session, jars: Order) -> None:
    honey, jam = jars.lines
    do(session, jars, Act.CHANGE, {honey.id: 1})
    jam.given = 1
    session.flush()
    assert take_back(session, jars).changed, "another line"
    assert paid(jars) == [2, 1]
    do(session, jars, Act.CHANGE, {honey.id: 1})
    honey.given = 0
    session.flush()
    assert take_back(session, jars).refusal is Refusal.NEWER


def test_an_order_is_cancelled_and_comes_back_with_its_voucher(session: Session, jars: Order) -> None:
    code = voucher(session, amount=Money(100))
    session.add(VoucherUse(order_id=jars.id, voucher_id=code.id))
    jars.state = OrderState.DELIVERED
    assert do(session, jars, Act.CANCEL, tell=True).changed
    assert (jars.state, stock(session)) == (OrderState.CANCELLED, 10), "counted by those who see what is left"
    assert session.get(VoucherUse, jars.id) is None
    assert do(session, jars, Act.CANCEL) == Outcome()
    assert take_back(session, jars, tell=True).changed
    assert jars.state is OrderState.DELIVERED and session.get(VoucherUse, jars.id)
    assert ["annulée" in mail.subject for mail in session.scalars(select(Mail).order_by(Mail.id))] == [
        True,
        False,
    ]


def test_a_voucher_that_was_freed_takes_nothing_off_twice(session: Session, jars: Order) -> None:
    once = voucher(session, amount=Money(100), uses=1)
    jars.discount = Money(100)
    session.add(VoucherUse(order_id=jars.id, voucher_id=once.id))
    do(session, jars, Act.CANCEL)
    do(session, jars, Act.RESTORE)
    assert (jars.discount, session.get(VoucherUse, jars.id)) == (Money(0), None)
    take_back(session, jars)
    first = session.scalars(select(OrderCorrection.id).order_by(OrderCorrection.id)).first() or 0
    assert undo(session, jars.delivery_id, first, by=SOMEBODY) == Outcome(changed=True)
    session.flush()
    assert jars.discount == Money(100) and session.get(VoucherUse, jars.id)
    do(session, jars, Act.CANCEL)
    other = order(session, {article(session, "Ail"): 1})
    session.add(VoucherUse(order_id=other.id, voucher_id=once.id))
    assert take_back(session, jars) == Outcome(changed=True, voucher_gone=True)
    assert (jars.discount, session.get(VoucherUse, jars.id)) == (Money(0), None)


@pytest.mark.parametrize(("left", "refusal"), [(2, None), (1, Refusal.NOTHING_LEFT)])
def test_what_fell_before_the_cutoff_comes_back_if_it_is_still_there(
    session: Session, jars: Order, clock: time_machine.Traveller, left: int, refusal: Refusal | None
) -> None:
    clock.move_to(NOW)
    bring(session, jars, OrderState.CANCELLED, at=NOW, by=None)
    session.get_one(Article, jars.lines[0].article_id).stock = left
    session.flush()
    clock.move_to(LATE)
    assert do(session, jars, Act.RESTORE).refusal is refusal
    if refusal is None:
        assert (jars.state, stock(session)) == (OrderState.ACCEPTED, 0)
        take_back(session, jars)
        assert (jars.state, stock(session)) == (OrderState.CANCELLED, 0)


def test_only_what_has_closed_and_not_long_ago_is_set_right(
    session: Session, jars: Order, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOW)
    assert do(session, jars, Act.CANCEL).refusal is Refusal.STILL_OPEN
    clock.move_to(LATE + AFTERWARDS + timedelta(days=2))
    assert do(session, jars, Act.CANCEL).refusal is Refusal.TOO_LATE
    assert not session.scalars(select(OrderCorrection)).all()


def test_what_was_taken_off_waits_for_no_scale(session: Session, jars: Order) -> None:
    do(session, jars, Act.CHANGE, {jars.lines[0].id: 0})
    outcome = preparing.set_prepared(session, jars.id, True, by=SOMEBODY)
    assert outcome and outcome.changed
    assert session.scalars(select(OrderLine.given).order_by(OrderLine.id)).all() == [0, None]
