"""The acts of a subscriber as the services do them: asked of the rules, a new plan or a refusal."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from hypothesis import strategies as st

from portal.rules import changes
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Facts, Refusal, ended
from portal.rules.cutoffs import local_day
from portal.rules.planning import Place, Plan
from portal.rules.terms import TermChange, adopted, apply_change, effective_monday, taken_back
from tests.rules.farms import Situation, boxes_for_once, ranges, term_changes, weeks_near


@dataclass(frozen=True)
class Act:
    """Something done to a plan; `undoes` says that it only takes something back."""

    name: str
    do: Callable[[Plan, Facts], Plan | Refusal] = field(repr=False, compare=False)
    undoes: bool = False


def skip(week: date, *, wanted: bool = True) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        refusal = changes.refusal_to_skip(plan, week, facts)
        return refusal or changes.with_skip(plan, week, facts, skip=wanted)

    return Act(f"{'skip' if wanted else 'unskip'} {week}", do, undoes=not wanted)


def unskip(week: date) -> Act:
    return skip(week, wanted=False)


def postpone(week: date, to_week: date) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        refusal = changes.refusal_to_postpone(plan, week, to_week, facts)
        return refusal or changes.with_postponement(plan, week, to_week)

    return Act(f"postpone {week} to {to_week}", do)


def bring_forward(week: date) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        refusal = changes.refusal_to_bring_forward(plan, week, facts)
        return refusal or changes.with_postponement(plan, week, None)

    return Act(f"bring forward {week}", do, undoes=True)


def move(week: date, place: Place | None) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        after = changes.with_place(plan, week, place)
        return changes.refusal_to_move(plan, week, after.change_of(week).place, facts) or after

    return Act(f"move {week} to {place}", do, undoes=place is None)


def vary(week: date, formula_id: int | None, quantity: int | None) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        after = changes.with_box(plan, week, formula_id, quantity)
        return changes.refusal_to_vary(plan, week, after.change_of(week).formula_id, facts) or after

    return Act(f"vary {week}: {formula_id} x {quantity}", do, undoes=formula_id is quantity is None)


def suspend(first: date, last: date) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        effect = changes.suspend(plan, first, last, facts)
        return changes.refusal_to_suspend([effect], first, last, local_day(facts.now)) or effect.plan

    return Act(f"suspend {first} to {last}", do)


def resume() -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        return replace(plan, suspensions=tuple(ended(s, facts.now) for s in plan.suspensions))

    return Act("resume", do, undoes=True)


def change(wish: TermChange) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        monday = effective_monday(plan=plan, change=wish, season=facts.season, now=facts.now)
        return adopted(plan, apply_change(plan, wish, monday), monday, facts)

    return Act(f"change {wish}", do)


def withdraw(monday: date) -> Act:
    def do(plan: Plan, facts: Facts) -> Plan | Refusal:
        if monday not in {term.monday for term in plan.terms}:
            return plan
        return taken_back(plan, monday, facts)

    return Act(f"withdraw {monday}", do)


@st.composite
def accepted_acts(draw: st.DrawFn, situation: Situation, *, undoing: bool = False) -> tuple[Act, Plan]:
    """An act on the weeks around a situation's moment that is accepted, and the plan that it makes."""
    this_week = monday_of(local_day(situation.now))
    ahead, later = draw(weeks_near)
    week = this_week + ahead * WEEK
    first, days = draw(ranges)
    since = this_week + timedelta(days=first)
    place, formula_id, quantity = draw(boxes_for_once)
    acts = [
        skip(week),
        unskip(week),
        postpone(week, week + later * WEEK),
        bring_forward(week),
        move(week, place),
        move(week, None),
        vary(week, formula_id, quantity),
        vary(week, None, None),
        suspend(since, since + timedelta(days=days)),
        resume(),
        change(draw(term_changes)),
        *(withdraw(term.monday) for term in situation.plan.terms[1:]),
    ]
    asked = [(act, act.do(situation.plan, situation.facts)) for act in acts if act.undoes or not undoing]
    return draw(st.sampled_from([(act, plan) for act, plan in asked if isinstance(plan, Plan)]))
