"""Changing terms in two tabs at once, subscribing twice at once, and two people after the last place."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select, update
from werkzeug.test import TestResponse

from portal.infra.orm import Base, own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning.models import JoiningDraft, Waiting
from portal.profile.models import Conditions
from portal.subscriptions.models import Contract, Subscription, Term
from tests.client import Browser
from tests.joining import SUMMARY, choose, order_form
from tests.races.helpers import EVERY, Act, held, meetings, watching
from tests.races.test_skip_races import SECOND, status
from tests.world import CAMILLE, CUTOFF, NOW, YACINE

BEGUN, MONDAY = date(2026, 1, 5), date(2026, 6, 15)
SMALL, LARGE = 1, 2
HALLE, GARE = 1, 2
BOX, EGGS, OTHERS = 1, 2, 3
"""Camille's large box and eggs, Yacine's small box."""


def tab(app: Flask, email: str = CAMILLE) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/mon-compte")
    return browser


def form(formula: int, point: int = HALLE, quantity: int = 1) -> dict[str, object]:
    return {"formule": formula, "quantite": quantity, "rythme": "weekly", "point": point}


def change(browser: Browser, box: int, **wanted: int) -> TestResponse:
    """Confirm terms as a preview has shown them."""
    return browser.submit(f"/abonnements/{box}/modifier", {**form(**wanted), f"des-{box}": MONDAY})


def about_to_join(app: Flask, email: str = CAMILLE, point: int = HALLE) -> Callable[[], TestResponse]:
    """The last button of the summary, with what it shows on the screen."""
    browser = tab(app, email)
    choose(browser, formula=SMALL, point=point)
    return partial(browser.submit, SUMMARY, order_form(browser))


@pytest.fixture
def drafts(app: Flask) -> None:
    """The farm has conditions of sale; nobody has begun to subscribe."""
    with app.app_context(), own_transaction() as session:
        session.add(Conditions(text="La ferme.", published_at=NOW))


def mails(app: Flask) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalar(select(func.count()).select_from(Mail)) or 0


def terms(app: Flask, box: int) -> list[tuple[date, int, int]]:
    with app.app_context(), own_transaction() as session:
        rows = select(Term.monday, Term.formula_id, Term.pickup_point_id).where(Term.subscription_id == box)
        return [tuple(row) for row in session.execute(rows.order_by(Term.monday))]


def as_before(app: Flask) -> None:
    """The farm as each meeting finds it: nobody has changed anything, no mail was written."""
    with app.app_context(), own_transaction() as session:
        session.execute(delete(Contract))
        session.execute(delete(Term).where((Term.monday > BEGUN) | (Term.subscription_id > OTHERS)))
        session.execute(delete(Subscription).where(Subscription.id > OTHERS))
        session.execute(update(Term).values(until=None))
        session.execute(delete(Mail))


def met(
    app: Flask,
    reader: Flask,
    first: Callable[[], TestResponse],
    second: Callable[[], TestResponse],
    every: int = EVERY,
) -> Iterator[list[int]]:
    """Two acts at once, again and again from the same start: their answers, in order."""
    for answers in meetings(app, first, second, every=every):
        yield sorted(map(status, answers))
        as_before(reader)  # once it was looked at


# K1: two tabs


def changes_in_two_tabs(app: Flask, reader: Flask) -> Iterator[bool]:
    """The same change in two tabs: whether it went as one."""
    one, other = (partial(change, tab(app), BOX, formula=SMALL) for _ in range(2))
    for statuses in met(app, reader, one, other, 3 * EVERY):  # a contract takes its time
        yield (
            statuses == [303, 303]
            and terms(reader, BOX) == [(BEGUN, LARGE, HALLE), (MONDAY, SMALL, HALLE)]
            and mails(reader) == 1
        )


@pytest.mark.rounds(2)
def test_two_tabs_that_change_terms_at_once_are_one_change_and_one_mail(app: Flask) -> None:
    assert set(changes_in_two_tabs(app, app)) == {True}


def test_without_locks_two_tabs_get_in_each_others_way(app: Flask, unlocked: Flask) -> None:
    assert not all(changes_in_two_tabs(unlocked, app))


def test_two_tabs_that_want_different_terms_end_with_those_of_one(app: Flask) -> None:
    small = partial(change, tab(app), BOX, formula=SMALL)
    there = partial(change, tab(app), BOX, formula=LARGE, point=GARE)
    for statuses in met(app, app, small, there):
        assert statuses == [303, 303]
        assert terms(app, BOX)[1:] in ([(MONDAY, SMALL, HALLE)], [(MONDAY, LARGE, GARE)])


# K5, K10: one order


def rows(app: Flask, table: type[Base]) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def orders_at_once(app: Flask, reader: Flask) -> Iterator[bool]:
    """An invitation to a full point, accepted in two tabs: whether it made one subscription."""
    again = invited(reader)
    one, other = (about_to_join(app, point=GARE) for _ in range(2))
    again += begun(reader)
    for statuses in met(app, reader, one, other, 3 * EVERY):  # a contract takes its time
        yield (
            statuses == [303, 303]
            and rows(reader, Subscription) == OTHERS + 1
            and rows(reader, Contract) == mails(reader) == 1
            and rows(reader, Waiting) == 0
        )
        put_back(reader, again)


def invited(app: Flask) -> list[Base]:
    """The Gare has no place but the one that is kept for Camille."""
    with app.app_context(), own_transaction() as session:
        session.execute(update(PickupPoint).where(PickupPoint.id == GARE).values(capacity=0))
        kept = {"asked_at": NOW, "invited_at": NOW, "kept_until": NOW + timedelta(days=5)}
        session.add(Waiting(account_id=1, pickup_point_id=GARE, formula_id=SMALL, quantity=1, **kept))
    return all_of(app, Waiting)


def begun(app: Flask) -> list[Base]:
    return all_of(app, JoiningDraft)


def all_of(app: Flask, table: type[Base]) -> list[Base]:
    with app.app_context(), own_transaction() as session:
        found = list(session.scalars(select(table)))
        session.expunge_all()
    return found


def put_back(app: Flask, found: list[Base]) -> None:
    with app.app_context(), own_transaction() as session:
        for row in found:
            session.merge(row)


@pytest.mark.rounds(2)
@pytest.mark.usefixtures("drafts")
def test_an_order_sent_twice_at_once_is_one_subscription_one_contract_and_one_mail(app: Flask) -> None:
    assert set(orders_at_once(app, app)) == {True}


@pytest.mark.usefixtures("drafts")
def test_without_locks_an_order_is_doubled(app: Flask, unlocked: Flask) -> None:
    assert not all(orders_at_once(unlocked, app))


# The last place


def last_place(app: Flask, reader: Flask) -> Iterator[bool]:
    """Two people move to the last place of a point: whether one came in and one did not."""
    with reader.app_context(), own_transaction() as session:
        session.execute(update(PickupPoint).where(PickupPoint.id == GARE).values(capacity=1))
        session.execute(
            update(Term).where(Term.subscription_id == OTHERS).values(pickup_point_id=HALLE, rhythm="weekly")
        )
    camille = partial(change, tab(app), BOX, formula=LARGE, point=GARE)
    yacine = partial(change, tab(app, YACINE), OTHERS, formula=SMALL, point=GARE)
    for statuses in met(app, reader, camille, yacine):
        moved = [terms(reader, box)[-1][2] == GARE for box in (BOX, OTHERS)]
        yield statuses == [303, 422] and sum(moved) == 1 and mails(reader) == 1


@pytest.mark.rounds(2)
def test_the_last_place_goes_to_one(app: Flask) -> None:
    assert set(last_place(app, app)) == {True}


def test_without_locks_a_point_is_overfilled(app: Flask, unlocked: Flask) -> None:
    assert not all(last_place(unlocked, app))


def last_place_joined(app: Flask, reader: Flask) -> Iterator[bool]:
    """Two people subscribe at once, to the last place of a point."""
    with reader.app_context(), own_transaction() as session:
        session.execute(update(PickupPoint).where(PickupPoint.id == GARE).values(capacity=1))
    one, other = (about_to_join(app, email, GARE) for email in (CAMILLE, YACINE))
    again = begun(reader)
    for statuses in met(app, reader, one, other, 3 * EVERY):  # a contract takes its time
        yield statuses == [303, 422] and rows(reader, Contract) == mails(reader) == 1
        put_back(reader, again)


@pytest.mark.rounds(2)
@pytest.mark.usefixtures("drafts")
def test_the_last_place_goes_to_one_who_subscribes(app: Flask) -> None:
    assert set(last_place_joined(app, app)) == {True}


# T9: the lock


@pytest.mark.parametrize(("late", "expected"), [(2 * SECOND, 422), (-SECOND, 303)])
def test_the_time_is_read_once_the_lock_is_held(
    app: Flask, clock: time_machine.Traveller, late: timedelta, expected: int
) -> None:
    browser = tab(app)
    clock.move_to(CUTOFF - 2 * SECOND)
    with held(app, Subscription), watching(app) as somebody_waits:
        request = Act(partial(change, browser, BOX, formula=SMALL))
        request.runs_until(somebody_waits)
        clock.move_to(CUTOFF + late)
    assert status(request.result) == expected
    assert len(terms(app, BOX)) == (2 if expected == 303 else 1)
