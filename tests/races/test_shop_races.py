"""Many buyers at once, one form sent many times, staff who count meanwhile, a process that is killed."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.catalogue.models import Article
from portal.catalogue.services import count_stock
from portal.deliveries.models import Delivery
from portal.infra import clock
from portal.infra.orm import Base, own_transaction
from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.shop.models import Cart, Order, OrderLine, VoucherUse
from tests import forks
from tests.infra.workers import ROUNDS, environment
from tests.pages import text_of
from tests.races.helpers import Act, held, watching
from tests.races.killed import order_and_die_after
from tests.shop.buying import Buyer, guests, subscriber
from tests.shop.counting import check_tables, count, counted, left, open_to_all, sold
from tests.shop.vouching import voucher
from tests.world import CAMILLE, CUTOFF, STAFF, YACINE

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def no_minimum(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        open_to_all(session)


def at_once(acts: Iterable[Callable[[], TestResponse]]) -> list[TestResponse | Exception]:
    """What all answer that begin at the same moment."""
    acts = list(acts)
    start = Barrier(len(acts))

    def begin(act: Callable[[], TestResponse]) -> TestResponse:
        start.wait()
        return act()

    begun = [Act(partial(begin, act)) for act in acts]
    return [act.result for act in begun]


def in_time(act: Callable[[], TestResponse]) -> TestResponse:
    """What it answers, within the five seconds of K3; a busy machine is asked by `make prove` alone."""
    began = time.monotonic()
    answer = act()
    assert ROUNDS == 1 or time.monotonic() - began < 5
    return answer


def statuses(answers: Iterable[TestResponse | Exception]) -> Counter[int]:
    return Counter(500 if isinstance(answer, Exception) else answer.status_code for answer in answers)


def nothing_sold(app: Flask, units: int) -> None:
    """The farm as each round finds it."""
    with app.app_context(), own_transaction() as session:
        for table in (VoucherUse, Order, Mail):
            session.execute(delete(table))
        session.execute(update(Article).values(stock=units))


# K3: the last five


def the_last_five(app: Flask, reader: Flask, honey: int) -> bool:
    """Fifty buyers of one each: whether five have got theirs, and the others were told why not."""
    answers = at_once(partial(in_time, buyer.press) for buyer in guests(app, *[{honey: 1}] * 50))
    told = [answer for answer in answers if not isinstance(answer, Exception) and answer.status_code == 422]
    return (
        statuses(answers) == {303: 5, 422: 45}
        and all("épuisé" in text_of(answer) for answer in told)
        and (sold(reader), left(reader)) == ({honey: 5}, {honey: 0})
        and (count(reader, Order), count(reader, Mail)) == (5, 5)
    )


@pytest.mark.rounds
def test_of_fifty_buyers_five_get_the_last_five(app: Flask) -> None:
    [honey] = counted(app, 5, "Miel")
    assert the_last_five(app, app, honey)


def test_without_locks_more_is_sold_than_there_is(app: Flask, unlocked: Flask) -> None:
    [honey] = counted(app, 5, "Miel")
    assert not the_last_five(unlocked, app, honey)


# K4: the same things in another order


@pytest.mark.rounds
def test_nobody_waits_for_ever_for_what_the_other_holds(app: Flask) -> None:
    goods = counted(app, 30, "Miel", "Pain", "Jus")
    orders = [(goods[n % 3 :] + goods[: n % 3])[:: (-1) ** n] for n in range(20)]
    buyers = guests(app, *[dict.fromkeys(order, 1) for order in orders])
    assert statuses(at_once(buyer.press for buyer in buyers)) == {303: 20}
    assert (sold(app), left(app)) == (dict.fromkeys(goods, 20), dict.fromkeys(goods, 10))


# K5, K6, K7: one cart, one order


def one_form_ten_times(buyer: Buyer, reader: Flask, honey: int) -> bool:
    """Whether all ten lead to the one order."""
    answers = at_once([buyer.press] * 10)
    where = {answer.location for answer in answers if not isinstance(answer, Exception)}
    return (
        statuses(answers) == {303: 10}
        and len(where) == 1
        and (sold(reader), left(reader)) == ({honey: 2}, {honey: 98})
        and (count(reader, Order), count(reader, Mail)) == (1, 1)
    )


def buyer_of(app: Flask, who: str | None, honey: int) -> Buyer:
    return subscriber(app, who, {honey: 2}) if who else guests(app, {honey: 2})[0]


@pytest.mark.rounds
@pytest.mark.parametrize("who", [None, CAMILLE])
def test_one_form_sent_ten_times_at_once_is_one_order(app: Flask, who: str | None) -> None:
    [honey] = counted(app, 100, "Miel")
    assert one_form_ten_times(buyer_of(app, who, honey), app, honey)


@pytest.mark.parametrize("who", [None, CAMILLE])
def test_without_locks_one_form_gets_in_its_own_way(app: Flask, unlocked: Flask, who: str | None) -> None:
    [honey] = counted(app, 100, "Miel")
    assert not one_form_ten_times(buyer_of(unlocked, who, honey), app, honey)


@pytest.mark.rounds
@pytest.mark.parametrize("who", [None, CAMILLE])
def test_two_forms_of_one_cart_at_once_are_one_order(app: Flask, who: str | None) -> None:
    """In three tabs: one shows other contents than there are, one is in another name."""
    [honey] = counted(app, 100, "Miel")
    buyer = buyer_of(app, who, honey)
    other, renamed = partial(buyer.press, vu="0" * 64), partial(buyer.press, nom="Emma R.")
    answers = at_once([other, buyer.press, renamed])
    assert statuses(answers) == {303: 1, 422: 2}
    assert (sold(app), count(app, Order), count(app, Mail)) == ({honey: 2}, 1, 1)


# The control of K3 and K5: what the locks alone hold, without the database's own guards behind them

GUARDS = {
    "article": ("ck_article_stock_not_negative", "CHECK (stock >= 0)"),
    "shop_order": ("uq_shop_order_cart_key", "UNIQUE (cart_key)"),
}


@pytest.fixture
def unguarded(app: Flask) -> Iterator[Flask]:
    """PostgreSQL lets a stock be less than nothing, and a cart be ordered twice; SQLite has one writer anyway."""
    with app.app_context(), own_transaction() as session:
        for table, (guard, _) in GUARDS.items():
            session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {guard}"))
    yield app
    nothing_sold(app, 0)
    with app.app_context(), own_transaction() as session:
        for table, (guard, rule) in GUARDS.items():
            session.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {guard} {rule}"))


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_the_locks_alone_keep_from_selling_too_much_and_twice(unguarded: Flask, unlocked: Flask) -> None:
    [honey] = counted(unguarded, 5, "Miel")
    assert the_last_five(unguarded, unguarded, honey)
    nothing_sold(unguarded, 5)
    at_once(buyer.press for buyer in guests(unlocked, *[{honey: 1}] * 50))
    assert sold(unguarded)[honey] > 5, "oversold"
    nothing_sold(unguarded, 100)
    assert one_form_ten_times(buyer_of(unguarded, CAMILLE, honey), unguarded, honey)
    nothing_sold(unguarded, 100)
    at_once([buyer_of(unlocked, CAMILLE, honey).press] * 10)
    assert count(unguarded, Order) > 1, "doubled"


# K8: staff count while others buy


@pytest.mark.rounds
def test_what_staff_add_and_what_is_sold_both_count(app: Flask) -> None:
    [honey] = counted(app, 30, "Miel")

    def add() -> TestResponse:
        with app.app_context(), own_transaction() as session:
            staff = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
            count_stock(session, honey, 10, at=clock.now(), by=staff)
        return TestResponse(iter(()), "200 OK", None, None)  # type: ignore[arg-type]

    buyers = [buyer.press for buyer in guests(app, *[{honey: 1}] * 20)]
    assert statuses(at_once([*buyers[:10], add, *buyers[10:]])) == {303: 20, 200: 1}
    assert (sold(app), left(app)) == ({honey: 20}, {honey: 20})


# A voucher for one


def the_only_use(app: Flask, reader: Flask, honey: int) -> bool:
    buyers = guests(app, *[{honey: 1}] * 6, voucher="ETE10")
    buyers += [subscriber(app, email, {honey: 1}, voucher="ETE10") for email in (CAMILLE, YACINE)]
    answers = at_once(buyer.press for buyer in buyers)
    return statuses(answers) == {303: 1, 422: 7} and count(reader, VoucherUse) == 1


@pytest.mark.rounds
def test_a_voucher_for_one_counts_once(app: Flask, session: Session) -> None:
    [honey] = counted(app, 100, "Miel")
    voucher(session, amount=Money(100), uses=1)
    session.rollback()
    assert the_only_use(app, app, honey)


def test_without_locks_a_voucher_counts_twice(app: Flask, unlocked: Flask, session: Session) -> None:
    [honey] = counted(app, 100, "Miel")
    voucher(session, amount=Money(100), uses=1)
    session.rollback()
    assert not the_only_use(unlocked, app, honey)


# T9: the lock


@pytest.mark.parametrize("table", [Cart, Delivery, Article])
@pytest.mark.parametrize(("late", "expected"), [(2 * SECOND, 422), (-SECOND, 303)])
def test_the_time_is_read_once_the_locks_are_held(
    app: Flask, clock: time_machine.Traveller, table: type[Base], late: timedelta, expected: int
) -> None:
    [honey] = counted(app, 5, "Miel")
    clock.move_to(CUTOFF - 2 * SECOND)
    buyer = subscriber(app, CAMILLE, {honey: 1})
    with held(app, table), watching(app) as somebody_waits:
        request = Act(buyer.press)
        request.runs_until(somebody_waits)
        clock.move_to(CUTOFF + late)
    assert statuses([request.result]) == {expected: 1}
    assert left(app) == {honey: 5 if expected == 422 else 4}


# R1: killed in the middle


EVERYTHING = 10_000
"""More statements than there are: killed at the commit."""
DEATHS = (8, 32) if ROUNDS == 1 else range(1, 60)


def test_a_process_killed_anywhere_has_ordered_all_or_nothing(app: Flask) -> None:
    """Killed on its way again and again, then once its answer is there: what stands is the one order."""
    [honey] = counted(app, 100, "Miel")
    buyer = subscriber(app, CAMILLE, {honey: 2})
    order = partial(order_and_die_after, cookies=buyer.cookies, form=buyer.form)
    forks.call(order, [*DEATHS, EVERYTHING, None], env=environment(app))
    assert [count(app, table) for table in (Order, OrderLine, Mail)] == [1, 1, 1]
    assert left(app) == {honey: 98}
    assert statuses([buyer.press()]) == {303: 1}
    assert count(app, Order) == 1
    check_tables(app)
