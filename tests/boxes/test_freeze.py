"""The freeze: what is written down when a delivery closes, and that it stays so."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Event

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes import services
from portal.boxes.carried import counts, packing
from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket
from portal.boxes.queries import MemberBox, member_boxes, with_changes
from portal.catalogue.models import Formula, FormulaPrice
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import view
from portal.infra import jobs
from portal.infra.audit import AuditEvent
from portal.pickup.models import PickupPoint
from portal.rules.calendar import Rhythm, monday_of
from portal.rules.money import Money
from portal.subscriptions.models import Subscription, Term
from portal.subscriptions.queries import of_account
from tests.world import CAMILLE, CUTOFF, NOW, TUESDAY

BOX, EGGS = 1, 2
"""Camille's subscriptions."""
MONDAY = monday_of(TUESDAY)
DAY = timedelta(days=1)


@pytest.fixture
def tuesday(session: Session) -> Delivery:
    return delivery(session, "mardi", MONDAY)


def delivery(session: Session, tour: str, week: date) -> Delivery:
    return session.scalars(select(Delivery).join(Tour).where(Tour.slug == tour, Delivery.week == week)).one()


def id_of(session: Session, table: type[Formula | PickupPoint], slug: str) -> int:
    return session.scalars(select(table.id).where(table.slug == slug)).one()


def rows(session: Session) -> list[tuple[object, ...]]:
    """All that is frozen, column by column."""
    columns = Basket.__table__.columns
    return [tuple(row) for row in session.execute(select(*columns).order_by(Basket.id))]


def frozen_by_now(session: Session) -> set[tuple[str, date]]:
    frozen = select(Tour.slug, Delivery.day).join(Delivery).where(Delivery.frozen_at.is_not(None))
    return {(slug, day) for slug, day in session.execute(frozen)}


def lines(session: Session) -> list[AuditEvent]:
    return list(session.scalars(select(AuditEvent).order_by(AuditEvent.id)))


def boxes_of(session: Session, email: str, of: Delivery) -> list[MemberBox]:
    account = session.scalars(select(Account.id).where(Account.email == email)).one()
    return member_boxes(session, with_changes(session, of_account(session, account), of.day), [view(of)])


def freeze_everything_due(session: Session) -> None:
    """As the worker does, in its own transactions."""
    session.commit()
    freeze_due()


def new_price(session: Session, slug: str, since: date, cents: int, vat: int) -> None:
    formula = id_of(session, Formula, slug)
    session.add(FormulaPrice(formula_id=formula, since=since, price=Money(cents), vat_basis_points=vat))


# What is written


def test_who_receives_what_where_and_at_which_price(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    clock.move_to(CUTOFF)
    assert services.freeze(session, tuesday.id)
    halle = id_of(session, PickupPoint, "halle")
    assert {row[1:] for row in rows(session)} == {
        (BOX, MONDAY, tuesday.id, id_of(session, Formula, "grand"), 1, halle, Money(1950), 550, 1),
        (EGGS, MONDAY, tuesday.id, id_of(session, Formula, "oeufs"), 1, halle, Money(240), 550, 1),
    }
    assert tuesday.frozen_at == CUTOFF


def test_a_skipped_box_is_not_written_and_one_taken_back_is(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    for plan in (holding.plan for holding in of_account(session, 1)):
        skipped = plan.with_change(MONDAY, skip=True, skip_at=NOW)
        services.save(session, plan, skipped, at=NOW, by=1)
        if plan.subscription_id == EGGS:
            services.save(session, skipped, plan, at=NOW, by=1)
    clock.move_to(CUTOFF)
    services.freeze(session, tuesday.id)
    assert list(session.scalars(select(Basket.subscription_id))) == [EGGS]


@pytest.mark.parametrize(
    ("moved_to", "expected"),
    [
        (TUESDAY, (Money(1950), 550)),
        (TUESDAY + DAY, (Money(2100), 1000)),
        (TUESDAY + 2 * DAY, (Money(2100), 1000)),
    ],
)
def test_price_and_vat_are_those_of_the_day_on_which_it_is_delivered(
    session: Session,
    clock: time_machine.Traveller,
    tuesday: Delivery,
    moved_to: date,
    expected: tuple[Money, int],
) -> None:
    new_price(session, "grand", TUESDAY + DAY, 2100, 1000)
    new_price(session, "grand", TUESDAY + 5 * DAY, 9900, 2000)
    tuesday.day = moved_to
    clock.move_to(CUTOFF)
    services.freeze(session, tuesday.id)
    basket = session.scalars(select(Basket).where(Basket.subscription_id == BOX)).one()
    assert (basket.unit_price, basket.vat_basis_points) == expected


def test_the_trail_says_how_many_boxes_were_frozen_and_that_nobody_pressed_a_button(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    clock.move_to(CUTOFF)
    services.freeze(session, tuesday.id)
    [line] = lines(session)
    assert (line.action, line.subject_id, line.account_id) == ("delivery.freeze", str(tuesday.id), None)
    assert (line.at, line.after) == (CUTOFF, {"boxes": 2})


# When


def test_an_open_delivery_is_not_frozen(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    clock.move_to(CUTOFF - timedelta(milliseconds=1))
    assert not services.freeze(session, tuesday.id)
    assert (tuesday.frozen_at, rows(session), lines(session)) == (None, [], [])


def test_a_cancelled_delivery_is_not_frozen(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    tuesday.cancelled_at = NOW
    clock.move_to(CUTOFF)
    assert not services.freeze(session, tuesday.id)
    freeze_everything_due(session)
    assert (tuesday.frozen_at, boxes_of(session, CAMILLE, tuesday)) == (None, [])


def test_freezing_twice_changes_nothing(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    clock.move_to(CUTOFF)
    services.freeze(session, tuesday.id)
    before = rows(session)
    clock.shift(timedelta(hours=1))
    assert not services.freeze(session, tuesday.id)
    assert (rows(session), tuesday.frozen_at, len(lines(session))) == (before, CUTOFF, 1)


def test_a_worker_that_was_off_across_cutoffs_freezes_once_and_late_what_has_closed(
    app: Flask, session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    freeze_everything_due(session)
    before = frozen_by_now(session)
    assert ("vendredi", date(2026, 6, 12)) in before and ("mardi", TUESDAY) not in before

    clock.move_to(CUTOFF + timedelta(days=1, hours=8))  # Tuesday morning: Monday's cutoff has passed as well
    expected = packing(session, tuesday.id)
    session.commit()
    jobs.run(app, Event(), once=True)
    assert frozen_by_now(session) - before == {("mardi", TUESDAY), ("jeudi", date(2026, 6, 18))}
    assert sorted(map(repr, packing(session, tuesday.id))) == sorted(map(repr, expected))

    once = (rows(session), len(lines(session)))
    session.commit()
    clock.shift(timedelta(minutes=5))
    jobs.run(app, Event(), once=True)
    assert (rows(session), len(lines(session))) == once


def test_a_formula_without_a_price_stops_its_delivery_loudly_and_no_other(
    session: Session,
    clock: time_machine.Traveller,
    tuesday: Delivery,
    caplog: pytest.LogCaptureFixture,
) -> None:
    freeze_everything_due(session)
    eggs = id_of(session, Formula, "oeufs")
    session.execute(delete(FormulaPrice).where(FormulaPrice.formula_id == eggs))
    clock.move_to(CUTOFF + 2 * DAY)
    expected = counts(session, [tuesday.id])
    freeze_everything_due(session)
    assert tuesday.frozen_at is None
    assert delivery(session, "jeudi", MONDAY).frozen_at and delivery(session, "vendredi", MONDAY).frozen_at
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == [
        f"freeze failed for delivery {tuesday.id}"
    ]
    assert counts(session, [tuesday.id]) == expected, "until it is mended, the lists go on without it"

    new_price(session, "oeufs", TUESDAY, 250, 550)
    freeze_everything_due(session)
    assert tuesday.frozen_at == CUTOFF + 2 * DAY
    assert len(boxes_of(session, CAMILLE, tuesday)) == 2


# What never changes any more


def change_terms(session: Session) -> None:
    session.execute(
        update(Term).values(
            formula_id=id_of(session, Formula, "petit"),
            quantity=3,
            rhythm=Rhythm.FORTNIGHT_A,
            pickup_point_id=id_of(session, PickupPoint, "cafe"),
        )
    )


def end_subscriptions(session: Session) -> None:
    session.execute(update(Subscription).values(last_day=TUESDAY - DAY))


def change_prices(session: Session) -> None:
    session.execute(update(FormulaPrice).values(price=Money(1), vat_basis_points=2000))


def move_points(session: Session) -> None:
    friday = session.scalars(select(Tour.id).where(Tour.slug == "vendredi")).one()
    session.execute(update(PickupPoint).values(tour_id=friday))


@pytest.mark.parametrize("change", [change_terms, end_subscriptions, change_prices, move_points])
def test_what_is_frozen_stays_as_it_was(
    session: Session,
    clock: time_machine.Traveller,
    tuesday: Delivery,
    change: Callable[[Session], None],
) -> None:
    clock.move_to(CUTOFF)
    services.freeze(session, tuesday.id)

    def seen() -> tuple[object, ...]:
        session.expire_all()
        mine = [
            (b.formula.slug, b.quantity, b.point.slug, b.skipped) for b in boxes_of(session, CAMILLE, tuesday)
        ]
        packed = sorted(map(repr, packing(session, tuesday.id)))
        return rows(session), mine, packed, counts(session, [tuesday.id])

    before = seen()
    assert before[1] == [("grand", 1, "halle", False), ("oeufs", 1, "halle", False)]
    change(session)
    assert seen() == before


# Cancelled after the freeze


@pytest.fixture
def cancelled(session: Session, clock: time_machine.Traveller, tuesday: Delivery) -> Delivery:
    """Tuesday's delivery, given up on Monday morning when its boxes were already written."""
    clock.move_to(CUTOFF)
    freeze_everything_due(session)
    tuesday.cancelled_at = CUTOFF + timedelta(hours=9)
    session.flush()
    return tuesday


def test_the_boxes_of_a_delivery_cancelled_after_its_freeze_are_void(
    session: Session, cancelled: Delivery
) -> None:
    assert counts(session, [cancelled.id]) == {cancelled.id: []}
    assert packing(session, cancelled.id) == []
    assert boxes_of(session, CAMILLE, cancelled) == []


def test_another_tour_may_bring_the_box_of_that_week_instead(
    session: Session, clock: time_machine.Traveller, cancelled: Delivery
) -> None:
    cafe = id_of(session, PickupPoint, "cafe")
    session.execute(update(Term).where(Term.subscription_id == BOX).values(pickup_point_id=cafe))
    friday = delivery(session, "vendredi", MONDAY)
    clock.move_to(friday.cutoff_at)
    freeze_everything_due(session)

    of_the_week = select(Basket.subscription_id, Basket.delivery_id).where(
        Basket.week == MONDAY, Basket.subscription_id.in_([BOX, EGGS])
    )
    assert {tuple(row) for row in session.execute(of_the_week)} == {(BOX, friday.id), (EGGS, cancelled.id)}
    assert [box.point.slug for box in boxes_of(session, CAMILLE, friday)] == ["cafe"]
    assert boxes_of(session, CAMILLE, cancelled) == []
    [line] = (line for line in lines(session) if line.subject_id == str(friday.id))
    assert (line.before, line.after) == ({"void": [BOX]}, {"boxes": 1})


def test_a_second_box_of_a_week_is_not_written_and_refused_by_the_database(
    session: Session, clock: time_machine.Traveller, tuesday: Delivery
) -> None:
    clock.move_to(CUTOFF)
    services.freeze(session, tuesday.id)
    cafe = id_of(session, PickupPoint, "cafe")
    session.execute(update(Term).where(Term.subscription_id == BOX).values(pickup_point_id=cafe))
    friday = delivery(session, "vendredi", MONDAY)
    clock.move_to(friday.cutoff_at)
    services.freeze(session, friday.id)
    [first] = session.scalars(
        select(Basket).where(Basket.subscription_id == BOX, Basket.week == tuesday.week)
    )
    assert first.delivery_id == tuesday.id
    again = {column.name: getattr(first, column.name) for column in Basket.__table__.c if column.name != "id"}
    with pytest.raises(IntegrityError):
        session.execute(insert(Basket).values(again | {"delivery_id": friday.id}))
