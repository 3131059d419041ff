"""The farm of the rules' examples is the guide's, around June 2026.

Tuesday's delivery closes on Sunday, Thursday's on Monday, Friday's on Tuesday, each at 23:59.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import Facts
from portal.rules.cutoffs import PARIS, Lead, cutoff_instant
from portal.rules.planning import Delivery, Place, Plan, Season, Term, project

TUESDAY, THURSDAY, FRIDAY = 1, 3, 4  # a tour's id is its weekday here
LEADS = {
    TUESDAY: Lead(2, time(23, 59)),
    THURSDAY: Lead(3, time(23, 59)),
    FRIDAY: Lead(3, time(23, 59)),
}
LARAGNE, VEYNES, SERRES, GAP = Place(10, TUESDAY), Place(11, TUESDAY), Place(30, THURSDAY), Place(40, FRIDAY)
SMALL, LARGE, EGGS = 1, 2, 3

WEEK_1 = date(2026, 6, 1)  # a fortnight A
WEEK_2, WEEK_3, WEEK_4, WEEK_5, WEEK_6 = (WEEK_1 + n * WEEK for n in range(1, 6))
TERM = Term(date(2026, 1, 5), SMALL, 1, Rhythm.WEEKLY, *LARAGNE)
PLAN = Plan(subscription_id=7, terms=(TERM,))


def delivery(tour: int, week: date, **facts: Any) -> Delivery:
    day = facts.pop("day", week + timedelta(days=tour))
    number = tour * 1000 + (week - WEEK_1).days // 7
    return Delivery(number, tour, week, day, cutoff_instant(day, LEADS[tour]), **facts)


def season(*instead: Delivery, weeks: int = 6) -> Season:
    """All deliveries of some weeks from May to July, with some in place of the usual ones."""
    usual = {
        (tour, WEEK_1 + n * WEEK): delivery(tour, WEEK_1 + n * WEEK)
        for tour in LEADS
        for n in range(-3, weeks)
    }
    return Season((usual | {(other.tour_id, other.week): other for other in instead}).values())


def paris(month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


def at(now: datetime, *instead: Delivery, withheld: Iterable[tuple[Place, int]] = ()) -> Facts:
    """The farm at a moment; `withheld` are formulas that a place does not offer."""
    return Facts(season(*instead), now, {(place.point_id, formula) for place, formula in withheld})


def received(plan: Plan, *instead: Delivery, since: date = WEEK_1) -> dict[date, tuple[int, int, int]]:
    """Tour, formula and quantity by week of origin, of what comes."""
    return {
        box.week: (box.delivery.tour_id, box.formula_id, box.quantity)
        for box in project(plan, season(*instead))
        if box.week >= since and box.comes
    }


def arriving(plan: Plan, *instead: Delivery) -> dict[date, list[date]]:
    """The weeks of origin of what comes, by the week in which it comes."""
    aboard: dict[date, list[date]] = {}
    for box in project(plan, season(*instead)):
        if box.comes and box.delivery.week >= WEEK_1:
            aboard.setdefault(box.delivery.week, []).append(box.week)
    return aboard
