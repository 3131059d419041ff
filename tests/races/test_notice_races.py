"""What many are told, by whatever workers there are, is told to each of them once."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from flask import Flask
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.catalogue.formulas import withdraw_formula_price
from portal.catalogue.models import FormulaPrice
from portal.compositions.models import ShortageNotice
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PointClosing
from portal.pickup.queries import points
from portal.planning import announcements, closings, jobs
from portal.rules.calendar import WEEK
from portal.rules.money import Money
from tests import crowd
from tests.composing import SOMEBODY, delivery_on, formula, product, put, show
from tests.infra.workers import wait_until, worker
from tests.races.helpers import meetings
from tests.world import NOW, TUESDAY

EVERY = 5


def shortage(session: Session) -> None:
    """Salad was shown in the large boxes of Tuesday, and there is none."""
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "grand", "carottes", 500)
    show(session, tuesday)
    session.add(
        ShortageNotice(
            delivery_id=tuesday.id,
            product_id=product(session, "salade"),
            formula_ids=[formula(session, "grand")],
            point_ids=[],
            instead_amounts={},
            made_at=NOW,
            made_by=SOMEBODY,
            told_through=0,
        )
    )


def price(session: Session) -> None:
    """The large box will cost more."""
    large = formula(session, "grand")
    session.execute(
        delete(FormulaPrice).where(FormulaPrice.formula_id == large, FormulaPrice.since > TUESDAY)
    )
    session.add(
        FormulaPrice(
            formula_id=large,
            since=TUESDAY + 6 * WEEK,
            price=Money(2100),
            vat_basis_points=550,
            notice="Un mot.",
            told_through=0,
        )
    )


def closing(session: Session) -> None:
    """The Halle is closed on Tuesday; what went before is over."""
    for before in session.scalars(select(PointClosing).where(PointClosing.ended_at.is_(None))):
        before.ended_at = before.made_at
    session.flush()
    known = {point.slug: point for point in points(session)}
    wish = closings.Wish(known["halle"], known["gare"], TUESDAY, TUESDAY)
    assert closings.close(session, wish, "Travaux", by=SOMEBODY).changed


class News(NamedTuple):
    announce: Callable[[Session], None]
    tell: Callable[[], bool]


ALL = {
    "shortage": News(shortage, announcements.tell_of_shortages),
    "price": News(price, announcements.tell_of_prices),
    "closing": News(closing, jobs.tell_of_closings),
}


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some lots of those that the small farm has."""
    monkeypatch.setattr(announcements, "AT_ONCE", 2)
    monkeypatch.setattr(jobs, "AT_ONCE", 2)


def announce(app: Flask, *news: News, people: int = 0) -> None:
    with app.app_context():
        if people:
            crowd.add(db.session(), people)
        with own_transaction() as session:
            for one in news:
                one.announce(session)


def tell_all(app: Flask, *news: News) -> None:
    with app.app_context():
        for one in news:
            while one.tell():
                pass


def told(app: Flask) -> list[tuple[str, str]]:
    """Who was told what."""
    with app.app_context(), own_transaction() as session:
        return sorted(tuple(row) for row in session.execute(select(Mail.recipient, Mail.subject)))


def forget(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        session.execute(delete(Mail))


def told_by_two_workers(app: Flask, reader: Flask, news: News) -> Iterator[bool]:
    """Have two workers tell of the same thing at once: whether everybody hears of it as from one, once."""
    announce(reader, news, people=12)
    tell_all(reader, news)
    expected = told(reader)
    assert len(expected) == len(set(expected)) > announcements.AT_ONCE

    def work() -> bool:
        with app.app_context():
            return news.tell()

    forget(reader)
    announce(reader, news)
    for results in meetings(app, work, work, every=EVERY):
        tell_all(reader, news)
        yield told(reader) == expected and not any(isinstance(result, Exception) for result in results)
        forget(reader)
        announce(reader, news)


@pytest.mark.parametrize("news", ALL.values(), ids=ALL)
def test_two_workers_tell_everybody_once(app: Flask, news: News) -> None:
    assert set(told_by_two_workers(app, app, news)) == {True}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", ["shortage", "price"])
def test_without_locks_some_are_told_twice_or_a_worker_falls(app: Flask, unlocked: Flask, name: str) -> None:
    assert not all(told_by_two_workers(unlocked, app, ALL[name]))


def test_a_worker_that_is_killed_leaves_nobody_out_and_tells_nobody_twice(app: Flask) -> None:
    news = ALL.values()
    announce(app, *news, people=50)
    tell_all(app, *news)
    expected = told(app)
    assert len(expected) == len(set(expected)) > 30
    forget(app)
    announce(app, *news)
    with worker(app, "smtp://127.0.0.1:9") as process:
        wait_until(lambda: len(told(app)) > 5, process)
    tell_all(app, *news)
    assert told(app) == expected


def test_a_price_that_somebody_was_told_of_is_not_taken_back(app: Flask) -> None:
    def take_back() -> object:
        with app.app_context(), own_transaction() as session:
            large = formula(session, "grand")
            return withdraw_formula_price(session, large, TUESDAY + 6 * WEEK, at=NOW, by=SOMEBODY)

    def work() -> bool:
        with app.app_context():
            return announcements.tell_of_prices()

    announced = select(FormulaPrice.id).where(FormulaPrice.notice.is_not(None))
    announce(app, ALL["price"])
    for results in meetings(app, work, take_back, every=1):
        with app.app_context(), own_transaction() as session:
            stands = session.scalar(announced) is not None
        assert bool(told(app)) is stands, results
        forget(app)
        announce(app, ALL["price"])
