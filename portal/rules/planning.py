"""What a subscription receives, what may still change in it, and from when.

A subscription owes at most one box a week. Terms, changes and boxes are keyed by (subscription, week), a week
being its Monday, so a week never has two boxes even where its delivery moves or its tour changes (DESIGN §5).
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum

from portal.rules.calendar import WEEK, Fortnight, Rhythm, fortnight_of, monday_of, receives
from portal.rules.cutoffs import is_past, local_day


class Refusal(StrEnum):
    """Why an act is refused; its words are in the templates."""

    CANCELLED = "cancelled"
    NOT_EXPECTED = "not_expected"
    NOTHING_CHOSEN = "nothing_chosen"
    PAST_CUTOFF = "past_cutoff"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A tour in one week.

    `day` is the actual date; `week` stays that of the nominal one when a holiday moves it.
    """

    id: int
    tour_id: int
    week: date
    day: date
    cutoff: datetime
    cancelled: bool = False
    frozen: bool = False

    @property
    def fortnight(self) -> Fortnight:
        return fortnight_of(self.week)

    def is_open(self, now: datetime) -> bool:
        """Whether changes still reach it: not cancelled, not frozen, before its cutoff."""
        return not (self.cancelled or self.frozen or is_past(self.cutoff, now))


@dataclass(frozen=True, slots=True)
class Term:
    """What a subscription agrees to from a Monday on; the tour is the pickup point's."""

    monday: date
    formula_id: int
    quantity: int
    rhythm: Rhythm
    point_id: int
    tour_id: int


@dataclass(frozen=True, slots=True)
class TermChange:
    """A wish to change terms: None leaves a field as it is.

    A point comes with its tour, or ValueError is raised.
    """

    formula_id: int | None = None
    quantity: int | None = None
    rhythm: Rhythm | None = None
    point_id: int | None = None
    tour_id: int | None = None

    def __post_init__(self) -> None:
        if (self.point_id is None) != (self.tour_id is None):
            raise ValueError("a pickup point changes together with its tour")

    def over(self, term: Term) -> Term:
        """The term with the named fields changed."""
        named = {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}
        return replace(term, **named)


@dataclass(frozen=True, slots=True)
class Plan:
    """A subscription as the rules see it.

    Its last box is the last whose delivery's actual date is at or before `last_day`; None means that no end
    is known.
    """

    subscription_id: int
    terms: tuple[Term, ...]
    skipped_weeks: frozenset[date] = frozenset()
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A subscription's box of one week and the delivery that it travels with."""

    subscription_id: int
    week: date
    delivery: Delivery
    formula_id: int
    quantity: int
    point_id: int
    skipped: bool


def term_in_force(terms: Iterable[Term], week: date) -> Term | None:
    """The term that rules a week, given by its Monday; None before the first one."""
    begun = (term for term in terms if term.monday <= week)
    return max(begun, key=lambda term: term.monday, default=None)


def expected_term(plan: Plan, delivery: Delivery) -> Term | None:
    """The term by which a subscription uses a delivery, skipped or cancelled too, or None."""
    if plan.last_day is not None and delivery.day > plan.last_day:
        return None
    term = term_in_force(plan.terms, delivery.week)
    if term is None or term.tour_id != delivery.tour_id or not receives(term.rhythm, delivery.fortnight):
        return None
    return term


def project(plan: Plan, deliveries: Iterable[Delivery]) -> list[Box]:
    """The boxes that a subscription receives on these deliveries, in date order, the skipped ones marked.

    A cancelled delivery brings none; a skip of its week stays and counts again if it is reinstated.
    """
    boxes = []
    for delivery in sorted(deliveries, key=lambda d: (d.day, d.week, d.id)):
        term = expected_term(plan, delivery)
        if term is None or delivery.cancelled:
            continue
        boxes.append(
            Box(
                subscription_id=plan.subscription_id,
                week=delivery.week,
                delivery=delivery,
                formula_id=term.formula_id,
                quantity=term.quantity,
                point_id=term.point_id,
                skipped=delivery.week in plan.skipped_weeks,
            )
        )
    return boxes


def baskets_at_freeze(plans: Iterable[Plan], delivery: Delivery) -> list[Box]:
    """The boxes that a delivery carries when it closes: what is packed, delivered and billed."""
    return [box for plan in plans for box in project(plan, [delivery]) if not box.skipped]


def refusal_to_skip(
    *, box_expected: bool, cancelled: bool, frozen: bool, cutoff: datetime, now: datetime
) -> Refusal | None:
    """Why a week's box cannot be skipped, or None if it can.

    « Si vous ne pouvez pas effectuer de modification pour la prochaine livraison, cela signifie que c'est
    trop tard » (the farm's guide). Raises ValueError for naive datetimes.
    """
    if cancelled:
        return Refusal.CANCELLED
    if not box_expected:
        return Refusal.NOT_EXPECTED
    if frozen or is_past(cutoff, now):
        return Refusal.PAST_CUTOFF
    return None


def refusal_to_unskip(
    *, box_expected: bool, cancelled: bool, frozen: bool, cutoff: datetime, now: datetime
) -> Refusal | None:
    """Why a skipped box cannot be taken back, or None if it can: undoing has the cutoff of doing."""
    return refusal_to_skip(
        box_expected=box_expected, cancelled=cancelled, frozen=frozen, cutoff=cutoff, now=now
    )


def effective_monday(
    *, plan: Plan, change: TermChange, deliveries: Iterable[Delivery], now: datetime
) -> date:
    """From which Monday on a change of terms holds (DESIGN §5, effective date).

    The first Monday from which no delivery that the subscription uses, with or without the change, is past
    its cutoff: so a closed list keeps its boxes and gains none. Where the box of the week in which the change
    would first show falls away, the new tour being cancelled then and the old one not, the old terms keep
    that week. A cancelled delivery blocks nothing. No week gets two boxes, or none, from a change.

    `deliveries` are those of both tours, from the present week at the latest. Raises ValueError for a plan
    without terms and for a naive `now`.
    """
    deliveries = list(deliveries)
    changed = replace(plan, terms=tuple(change.over(term) for term in plan.terms))
    before = _used(plan, deliveries)
    after = _used(changed, deliveries)
    used = before | after

    # A week gone by is left alone, unless its delivery was moved and is still open.
    this_week = monday_of(local_day(now))
    earliest = min([this_week, *(d.week for d in used if d.is_open(now))])
    free = [d.week + WEEK for d in used if not d.is_open(now)]
    monday = max([earliest, min(term.monday for term in plan.terms), *free])

    weeks_before = {d.week for d in before}
    weeks_after = {d.week for d in after}
    for week in sorted(w for w in weeks_before | weeks_after if w >= monday):
        if week in weeks_after:
            break
        term = term_in_force(changed.terms, week)
        if term is not None and receives(term.rhythm, fortnight_of(week)):
            monday = week + WEEK
    return monday


def apply_change(plan: Plan, change: TermChange, monday: date) -> Plan:
    """The plan with a change that holds in every week from `monday`, so over terms that lie ahead too.

    A term that says nothing new is dropped: withdrawing a pending change leaves no trace of it. Raises
    ValueError for a day that is no Monday or that lies before the first term.
    """
    if monday != monday_of(monday):
        raise ValueError("every term starts on a Monday")
    current = term_in_force(plan.terms, monday)
    if current is None:
        raise ValueError("a change cannot begin before the subscription")
    kept = [term for term in plan.terms if term.monday < monday]
    ahead = [replace(current, monday=monday), *(term for term in plan.terms if term.monday > monday)]
    terms: list[Term] = []
    for term in sorted([*kept, *map(change.over, ahead)], key=lambda t: t.monday):
        if not terms or replace(term, monday=terms[-1].monday) != terms[-1]:
            terms.append(term)
    return replace(plan, terms=tuple(terms))


def _used(plan: Plan, deliveries: Iterable[Delivery]) -> set[Delivery]:
    return {d for d in deliveries if not d.cancelled and expected_term(plan, d)}
