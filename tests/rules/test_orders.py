"""Every step of an order, and every other pair of states (BAR T3 for orders)."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import pytest

from portal.rules.cutoffs import Lead, cutoff_instant
from portal.rules.money import Money
from portal.rules.orders import (
    LIVE,
    OPEN,
    OrderState,
    Refusal,
    kept_until,
    may_become,
    refusal_to_amend,
    refusal_to_cancel,
    refusal_to_judge,
    refusal_to_prepare,
)

PLACED, ACCEPTED, REFUSED = OrderState.PLACED, OrderState.ACCEPTED, OrderState.REFUSED
PREPARED, DELIVERED, CANCELLED = OrderState.PREPARED, OrderState.DELIVERED, OrderState.CANCELLED

STEPS = {
    (PLACED, ACCEPTED),
    (PLACED, REFUSED),
    (PLACED, CANCELLED),
    (ACCEPTED, PREPARED),
    (ACCEPTED, DELIVERED),
    (ACCEPTED, REFUSED),
    (ACCEPTED, CANCELLED),
    (PREPARED, ACCEPTED),
    (PREPARED, DELIVERED),
    (PREPARED, REFUSED),
}
PAIRS = list(product(OrderState, repeat=2))

CUTOFF = cutoff_instant(date(2026, 6, 2), Lead(2, time(23, 59)))
IN_TIME, TOO_LATE = CUTOFF - timedelta(milliseconds=1), CUTOFF


@pytest.mark.parametrize(("state", "to"), PAIRS)
def test_an_order_goes_the_steps_there_are_and_no_other(state, to):
    assert may_become(state, to) == ((state, to) in STEPS)


def test_what_is_delivered_refused_or_cancelled_stays_so():
    assert {state for state in OrderState if not any(may_become(state, to) for to in OrderState)} == {
        DELIVERED,
        REFUSED,
        CANCELLED,
    }


def test_open_orders_are_those_that_nobody_has_prepared_and_live_ones_bring_something():
    assert {PLACED, ACCEPTED} == OPEN
    assert {PLACED, ACCEPTED, PREPARED, DELIVERED} == LIVE
    assert {state for state in OrderState if may_become(state, CANCELLED)} == OPEN


# By its owner


@pytest.mark.parametrize("state", OrderState)
def test_an_owner_cancels_an_open_order_until_the_closing_minute_is_over(state):
    early, late = (refusal_to_cancel(state, CUTOFF, now) for now in (IN_TIME, TOO_LATE))
    if state in OPEN:
        assert (early, late) == (None, Refusal.PAST_CUTOFF)
    else:
        assert early is late is Refusal.NOT_IN_THIS_STATE


def test_where_something_closes_first_the_whole_is_cancelled_until_then():
    cutoff = CUTOFF + timedelta(days=1)
    moments = (IN_TIME, TOO_LATE, cutoff)
    found = [refusal_to_cancel(PLACED, cutoff, now, first_closes_at=CUTOFF) for now in moments]
    assert found == [None, Refusal.PARTLY_CLOSED, Refusal.PAST_CUTOFF]


@pytest.mark.parametrize(
    ("state", "cancelled", "now", "empty"),
    list(product(OrderState, [False, True], [IN_TIME, TOO_LATE], [False, True])),
)
def test_an_owner_changes_an_open_order_until_the_closing_minute_is_over(state, cancelled, now, empty):
    reasons = {
        Refusal.NOT_IN_THIS_STATE: state not in OPEN,
        Refusal.CANCELLED_DELIVERY: cancelled,
        Refusal.PAST_CUTOFF: now is TOO_LATE,
        Refusal.NOTHING_LEFT: empty,
    }
    expected = next((reason for reason, true in reasons.items() if true), None)
    assert refusal_to_amend(state, CUTOFF, now, cancelled=cancelled, empty=empty) is expected


def test_a_page_asks_without_knowing_what_will_be_left():
    assert refusal_to_amend(PLACED, CUTOFF, IN_TIME, cancelled=False) is None


# By the farm


@pytest.mark.parametrize(
    ("state", "to", "now", "shortage"),
    [(*pair, *how) for pair in PAIRS for how in product([IN_TIME, TOO_LATE], [False, True])],
)
def test_past_the_cutoff_only_a_shortage_refuses(state, to, now, shortage):
    refusal = refusal_to_judge(state, to, CUTOFF, now, shortage=shortage)
    if (state, to) not in STEPS:
        assert refusal is Refusal.NOT_IN_THIS_STATE
    elif now is TOO_LATE and to is CANCELLED:
        assert refusal is Refusal.PAST_CUTOFF
    elif now is TOO_LATE and to is REFUSED and not shortage:
        assert refusal is Refusal.NEEDS_SHORTAGE
    else:
        assert refusal is None


def test_what_nobody_judged_is_still_accepted_after_the_cutoff():
    assert refusal_to_judge(PLACED, ACCEPTED, CUTOFF, TOO_LATE, shortage=False) is None


@pytest.mark.parametrize("state", OrderState)
def test_what_was_accepted_and_weighed_is_prepared_past_the_cutoff_and_a_slip_is_undone(state):
    done, to_be_weighed, early, undone = (
        refusal_to_prepare(state, to, CUTOFF, now, to_weigh=to_weigh)
        for to, now, to_weigh in (
            (PREPARED, TOO_LATE, False),
            (PREPARED, TOO_LATE, True),
            (PREPARED, IN_TIME, True),
            (ACCEPTED, IN_TIME, True),
        )
    )
    ready = state is ACCEPTED
    assert done is (None if ready else Refusal.NOT_IN_THIS_STATE)
    assert to_be_weighed is (Refusal.TO_WEIGH if ready else Refusal.NOT_IN_THIS_STATE)
    assert early is (Refusal.BEFORE_CUTOFF if ready else Refusal.NOT_IN_THIS_STATE)
    assert undone is (None if state is PREPARED else Refusal.NOT_IN_THIS_STATE)


def test_a_naive_datetime_is_never_guessed_at():
    naive = datetime(2026, 5, 31, 22, 0, tzinfo=UTC).replace(tzinfo=None)
    for attempt in (
        lambda: refusal_to_cancel(PLACED, CUTOFF, naive),
        lambda: refusal_to_amend(PLACED, naive, CUTOFF, cancelled=False),
        lambda: refusal_to_judge(PLACED, REFUSED, CUTOFF, naive, shortage=False),
    ):
        with pytest.raises(ValueError, match="naive"):
            attempt()


# How long a guest is known


@pytest.mark.parametrize(
    ("delivered", "total", "last_day"),
    [
        (date(2026, 6, 16), Money(119_99), date(2029, 6, 16)),
        (date(2026, 6, 16), Money(120_00), date(2036, 6, 16)),
        (date(2028, 2, 29), Money(0), date(2031, 2, 28)),
        (date(2028, 2, 29), Money(120_00), date(2038, 2, 28)),
    ],
)
def test_a_guest_is_known_as_long_as_the_law_wants(delivered: date, total: Money, last_day: date) -> None:
    assert kept_until(delivered, total) == last_day
