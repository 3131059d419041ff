"""What holds for every farm, subscription and moment (DESIGN §5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from portal.rules.calendar import WEEK, Rhythm, fortnight_of, monday_of, receives
from portal.rules.cutoffs import Lead, cutoff_instant, local_day
from portal.rules.planning import (
    Delivery,
    Plan,
    Term,
    TermChange,
    apply_change,
    baskets_at_freeze,
    effective_monday,
    expected_term,
    project,
    term_in_force,
)

# Twelve weeks around the 25-hour Sunday, and twelve around week 53.
FIRST_WEEKS = [date(2026, 9, 14), date(2026, 11, 30)]
TOURS = [1, 2, 3]
POINTS = [(tour * 10 + n, tour) for tour in TOURS for n in (0, 1)]

leads = st.builds(Lead, st.integers(0, 6), st.sampled_from([time(0, 0), time(12, 0), time(23, 59)]))
weeks_ahead = st.integers(0, 11)


@st.composite
def seasons(draw):
    """All deliveries of three tours over twelve weeks, some cancelled, some moved by up to three days."""
    first = draw(st.sampled_from(FIRST_WEEKS))
    cancelled = draw(st.sets(st.tuples(st.sampled_from(TOURS), weeks_ahead), max_size=12))
    moves = draw(
        st.dictionaries(st.tuples(st.sampled_from(TOURS), weeks_ahead), st.integers(-3, 3), max_size=4)
    )
    deliveries = []
    for tour in TOURS:
        weekday, lead = draw(st.integers(0, 6)), draw(leads)
        for n in range(12):
            week = first + n * WEEK
            day = week + timedelta(days=weekday + moves.get((tour, n), 0))
            gone = (tour, n) in cancelled
            deliveries.append(Delivery(tour * 100 + n, tour, week, day, cutoff_instant(day, lead), gone))
    return first, deliveries


@st.composite
def plans(draw, first, most_terms=3):
    mondays = draw(st.sets(st.integers(-3, 9), min_size=1, max_size=most_terms))
    terms = []
    for n in sorted(mondays):
        point, tour = draw(st.sampled_from(POINTS))
        rhythm = draw(st.sampled_from(Rhythm))
        terms.append(
            Term(first + n * WEEK, draw(st.integers(1, 3)), draw(st.integers(1, 3)), rhythm, point, tour)
        )
    skipped = frozenset(first + n * WEEK for n in draw(st.sets(weeks_ahead, max_size=3)))
    last_day = draw(st.none() | st.integers(0, 100).map(lambda n: first + timedelta(days=n)))
    return Plan(1, tuple(terms), skipped, last_day)


@st.composite
def changes(draw):
    point, tour = draw(st.sampled_from([(None, None), *POINTS]))
    optional = st.none() | st.integers(1, 3)
    return TermChange(draw(optional), draw(optional), draw(st.none() | st.sampled_from(Rhythm)), point, tour)


@st.composite
def moments(draw, first):
    start = datetime.combine(first, time(), UTC)
    return start + timedelta(minutes=draw(st.integers(0, 12 * 7 * 24 * 60)))


@st.composite
def situations(draw, most_terms=3):
    first, deliveries = draw(seasons())
    return deliveries, draw(plans(first, most_terms)), draw(moments(first)), draw(changes())


def boxes_by_week(plan, deliveries):
    return {box.week: box for box in project(plan, deliveries)}


def loses_a_box(plan, changed, monday, deliveries):
    """Whether a box falls away before the first one under the new terms, though their rhythm expects it."""
    before, after = boxes_by_week(plan, deliveries), boxes_by_week(changed, deliveries)
    first_new = min((week for week in after if week >= monday), default=date.max)
    return any(
        monday <= week < first_new and receives(term_in_force(changed.terms, week).rhythm, fortnight_of(week))
        for week in before
    )


def touches_a_closed_list(plan, changed, monday, deliveries, now):
    return any(
        expected_term(p, d)
        for p in (plan, changed)
        for d in deliveries
        if d.week >= monday and not d.cancelled and not d.is_open(now)
    )


@given(situations())
def test_a_week_has_at_most_one_box_whatever_the_terms(situation):
    deliveries, plan, _, _ = situation
    weeks = [box.week for box in project(plan, deliveries)]
    assert len(weeks) == len(set(weeks))


@given(situations())
def test_a_change_of_terms_gives_no_week_two_boxes_or_none(situation):
    deliveries, plan, now, change = situation
    monday = effective_monday(plan=plan, change=change, deliveries=deliveries, now=now)
    changed = apply_change(plan, change, monday)
    weeks = [box.week for box in project(changed, deliveries)]
    assert len(weeks) == len(set(weeks))
    assert not loses_a_box(plan, changed, monday, deliveries)


@given(situations())
def test_a_change_of_terms_leaves_closed_lists_and_earlier_weeks_alone(situation):
    deliveries, plan, now, change = situation
    monday = effective_monday(plan=plan, change=change, deliveries=deliveries, now=now)
    changed = apply_change(plan, change, monday)

    def settled(plan):
        return [
            box for box in project(plan, deliveries) if box.week < monday or not box.delivery.is_open(now)
        ]

    assert settled(changed) == settled(plan)


@given(situations())
def test_a_change_of_terms_holds_in_every_week_from_its_monday(situation):
    deliveries, plan, now, change = situation
    monday = effective_monday(plan=plan, change=change, deliveries=deliveries, now=now)
    changed = apply_change(plan, change, monday)
    for week in {delivery.week for delivery in deliveries if delivery.week >= monday}:
        wished = change.over(term_in_force(plan.terms, week))
        assert replace(term_in_force(changed.terms, week), monday=wished.monday) == wished


@given(situations())
def test_no_earlier_monday_would_do(situation):
    deliveries, plan, now, change = situation
    monday = effective_monday(plan=plan, change=change, deliveries=deliveries, now=now)
    assert monday == monday_of(monday)
    earlier = max(plan.terms[0].monday, monday_of(local_day(now)))
    while earlier < monday:
        changed = apply_change(plan, change, earlier)
        assert touches_a_closed_list(plan, changed, earlier, deliveries, now) or loses_a_box(
            plan, changed, earlier, deliveries
        )
        earlier += WEEK


@given(situations(), st.integers(0, 6 * 7 * 24 * 60))
def test_asking_earlier_never_takes_effect_later(situation, minutes):
    deliveries, plan, now, change = situation
    before = now - timedelta(minutes=minutes)
    facts = {"plan": plan, "change": change, "deliveries": deliveries}
    assert effective_monday(**facts, now=before) <= effective_monday(**facts, now=now)


@given(situations(most_terms=1))
def test_a_change_taken_back_from_the_same_monday_leaves_no_trace(situation):
    deliveries, plan, now, change = situation
    monday = effective_monday(plan=plan, change=change, deliveries=deliveries, now=now)
    (term,) = plan.terms
    back = TermChange(term.formula_id, term.quantity, term.rhythm, term.point_id, term.tour_id)
    assert apply_change(apply_change(plan, change, monday), back, monday) == plan


@given(situations(), st.data())
def test_a_skip_marks_one_box_and_its_undo_is_the_identity(situation, data):
    deliveries, plan, _, _ = situation
    boxes = project(plan, deliveries)
    coming = [box for box in boxes if not box.skipped]
    assume(coming)
    box = data.draw(st.sampled_from(coming))
    skipped = replace(plan, skipped_weeks=plan.skipped_weeks | {box.week})
    assert project(skipped, deliveries) == [replace(b, skipped=True) if b is box else b for b in boxes]
    assert baskets_at_freeze([skipped], box.delivery) == []
    undone = replace(skipped, skipped_weeks=skipped.skipped_weeks - {box.week})
    assert project(undone, deliveries) == boxes


@given(situations())
def test_the_freezes_of_a_season_are_its_projection_without_the_skipped(situation):
    deliveries, plan, _, _ = situation
    frozen = [box for delivery in deliveries for box in baskets_at_freeze([plan], delivery)]
    projected = [box for box in project(plan, deliveries) if not box.skipped]
    assert sorted(frozen, key=lambda box: box.week) == sorted(projected, key=lambda box: box.week)
