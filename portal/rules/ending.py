"""Ending a subscription: its last box, and what falls with it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import is_past
from portal.rules.planning import Box, Delivery, Plan, project


@dataclass(frozen=True, slots=True)
class Ending:
    """A plan with its end; `last` is the last box that comes, `closed` those after the wished day that are too late
    to stop, `fallen` the postponed ones that go with it.
    """

    plan: Plan
    last: Box | None
    closed: tuple[Box, ...]
    fallen: tuple[Box, ...]


def with_end(plan: Plan, wished: date, facts: Facts) -> Ending | Refusal:
    """The plan whose last box is the last at or before the wished day; what is closed by then is still delivered."""
    ahead = _coming(replace(plan, last_day=None), facts.season)
    had = _coming(plan, facts.season)
    closed = tuple(
        box for box in had if box.delivery.day > wished and is_past(box.delivery.cutoff, facts.now)
    )
    last_day = max([wished, *(box.delivery.day for box in closed)])
    after = replace(plan, last_day=last_day)
    if _reaches_what_is_closed(plan, after, facts):
        return Refusal.PAST_CUTOFF
    coming = _coming(after, facts.season)
    left = {box.week for box in coming}
    fallen = tuple(box for box in ahead if box.postponed and box.week not in left and box.week <= last_day)
    return Ending(after, coming[-1] if coming else None, closed, fallen)


def without_end(plan: Plan, facts: Facts) -> Plan | Refusal:
    """The plan without an end; refused once a delivery after it has closed without its box."""
    after = replace(plan, last_day=None)
    return Refusal.PAST_CUTOFF if _reaches_what_is_closed(plan, after, facts) else after


def _reaches_what_is_closed(before: Plan, after: Plan, facts: Facts) -> bool:
    """What was to come, not what was skipped: nobody misses that."""
    closed = [delivery for delivery in facts.season if is_past(delivery.cutoff, facts.now)]
    return _coming(before, closed) != _coming(after, closed)


def _coming(plan: Plan, deliveries: Iterable[Delivery]) -> list[Box]:
    return [box for box in project(plan, deliveries) if box.comes]
