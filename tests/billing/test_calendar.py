"""Every delivery is in one month's invoice, and in one alone, wherever its day falls (BAR T12)."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.billing.issuing import issue
from portal.billing.models import Invoice, InvoiceLine
from portal.boxes.models import Basket
from portal.catalogue.models import Formula
from portal.deliveries.models import Delivery
from portal.pickup.models import PickupPoint
from portal.rules.calendar import fortnight_of, monday_of
from portal.rules.invoicing import month_of, next_month
from portal.rules.money import Money
from portal.shop.models import Order
from tests.billing.books import able_to_bill, account
from tests.infra.workers import ROUNDS
from tests.world import NOW

VEGETABLES = 1
WEEKS = 6
TURNS = (date(2026, 4, 14), date(2026, 12, 8), date(2028, 2, 8))
"""Tuesdays before 1 May, before 2026-W53 and the first of January, before 29 February 2028."""


@dataclass(frozen=True)
class Week:
    """What becomes of a week's box; its delivery may be moved by some days, or cancelled."""

    moved: int = 0
    closed: bool = False
    into: int | None = 0
    """How many weeks later it is collected; None where it is skipped."""


WEEK = st.builds(
    Week,
    st.integers(-3, 3),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([0, 0, 1, 2, None]),
)
STILL = [Week()] * WEEKS


def frozen(session: Session, first: date, weeks: list[Week]) -> list[Basket]:
    """What was delivered in those weeks, row by row; the boxes that were to be paid."""
    point = session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one()
    formula = session.scalars(select(Formula.id).where(Formula.slug == "grand")).one()
    deliveries = [
        Delivery(
            tour_id=point.tour_id,
            week=monday_of(day),
            fortnight=fortnight_of(monday_of(day)),
            nominal_day=day,
            day=day + timedelta(days=week.moved),
            cutoff_at=NOW,
            frozen_at=NOW,
            cancelled_at=NOW if week.closed else None,
        )
        for day, week in ((first + timedelta(weeks=n), week) for n, week in enumerate(weeks))
    ]
    session.add_all(deliveries)
    session.flush()
    wanted = [(n, n + week.into) for n, week in enumerate(weeks) if week.into is not None]
    boxes = [
        Basket(
            subscription_id=VEGETABLES,
            week=deliveries[n].week,
            delivery_id=deliveries[to].id,
            formula_id=formula,
            quantity=1,
            billed_quantity=1,
            pickup_point_id=point.id,
            unit_price=Money(1950 + n),
            vat_basis_points=550,
        )
        for n, to in wanted
        if to < len(weeks)
    ]
    session.add_all(boxes)
    session.flush()
    cancelled = {delivery.id for delivery in deliveries if delivery.cancelled_at}
    return [box for box in boxes if box.delivery_id not in cancelled]


@pytest.fixture
def empty(session: Session) -> Session:
    """Nobody has received anything yet, and nothing is planned."""
    assert not session.scalars(select(Order.id)).all()
    session.execute(delete(Delivery))
    able_to_bill(session)
    session.commit()
    return session


@settings(
    max_examples=4 * ROUNDS,
    phases=[Phase.explicit, Phase.generate],  # a failure is short as it is
    # every example begins on the small farm again: it is rolled back
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=st.sampled_from(TURNS), weeks=st.lists(WEEK, min_size=WEEKS, max_size=WEEKS))
@example(TURNS[1], STILL)
@example(TURNS[2], [*STILL[:2], Week(into=1), Week(moved=1), *STILL[:2]])
def test_every_delivery_is_in_one_months_invoice(
    empty: Session, clock: time_machine.Traveller, first: date, weeks: list[Week]
) -> None:
    try:
        boxes = frozen(empty, first, weeks)
        days = {row.id: row.day for row in empty.scalars(select(Delivery))}
        month = month_of(first)
        while month <= month_of(max(days.values())):
            after = next_month(month)
            clock.move_to(datetime(after.year, after.month, after.day, 8, tzinfo=UTC))
            for _twice in range(2):
                issue(empty, account(empty).id, through=after - timedelta(days=1), month=month, by=None)
            month = after
        billed = empty.execute(select(Invoice.month, InvoiceLine).join(Invoice.lines)).all()
        found = Counter((month, line.source, line.day, line.total) for month, line in billed)
        assert found == Counter(
            (
                month_of(days[box.delivery_id]),
                f"box/{VEGETABLES}/{box.week}",
                days[box.delivery_id],
                box.unit_price,
            )
            for box in boxes
        )
    finally:
        empty.rollback()
        empty.expunge_all()
