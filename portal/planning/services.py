"""What subscribers do to one week of their planning: each act under the locks, by the rules, with its mail."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from functools import partial
from itertools import groupby

from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes.queries import MemberBox
from portal.catalogue.queries import formulas
from portal.pickup.queries import offered_points
from portal.planning.case import Case, Orders
from portal.planning.desk import Decision, decide, hold
from portal.planning.queries import next_box
from portal.planning.taps import Tap, tap_link
from portal.rules.changes import (
    POSTPONED_AT_MOST,
    Facts,
    Refusal,
    comes,
    refusal_to_bring_forward,
    refusal_to_move,
    refusal_to_postpone,
    refusal_to_skip,
    refusal_to_vary,
    with_box,
    with_place,
    with_postponement,
    with_skip,
)
from portal.rules.orders import Aboard
from portal.rules.planning import Place, Plan, term_owing, weeks_aboard
from portal.subscriptions.queries import Holding


class Act(StrEnum):
    """What is done to a week; its words are in the templates."""

    SKIP = "skip"
    UNSKIP = "unskip"
    POSTPONE = "postpone"
    BRING_FORWARD = "bring_forward"
    MOVE = "move"
    MOVE_BACK = "move_back"
    VARY = "vary"
    VARY_BACK = "vary_back"


@dataclass(frozen=True, slots=True)
class Changed:
    """A box before and after."""

    before: MemberBox
    after: MemberBox


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act: the boxes that changed, none where all was as wished already, or why nothing did."""

    act: Act
    changed: tuple[Changed, ...] = ()
    refusal: Refusal | None = None
    orders: Orders = field(default_factory=Orders, compare=False)

    @property
    def together(self) -> list[list[Changed]]:
        """What changed, by the delivery and the point at which it now arrives."""
        return [list(group) for _, group in groupby(sorted(self.changed, key=_arrival), key=_arrival)]


def _arrival(change: Changed) -> tuple[date, int, int]:
    box = change.after
    return (box.delivery.day, box.delivery.id, box.point.id)


def skip(
    session: Session,
    account: Account,
    subscription_ids: Collection[int],
    week: date,
    *,
    wanted: bool = True,
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Skip a week's own boxes, or take them back; None where a subscription is not the account's."""

    def decision(plan: Plan, facts: Facts) -> Plan | Refusal:
        refusal = refusal_to_skip(plan, week, facts)
        if refusal in {None, Refusal.PAST_CUTOFF} and comes(plan, week, facts) != wanted:
            return plan
        return refusal or with_skip(plan, week, facts, skip=wanted)

    act = Act.SKIP if wanted else Act.UNSKIP
    return _in_week(session, act, account, subscription_ids, week, decision=decision, by=by, orders=orders)


def postpone(
    session: Session,
    account: Account,
    subscription_ids: Collection[int],
    week: date,
    to_week: date | None,
    *,
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Let a week's own boxes travel in a later week, or in their own again where no other is named."""

    def decision(plan: Plan, facts: Facts) -> Plan | Refusal:
        if plan.change_of(week).to_week == to_week:
            return plan
        if to_week is None:
            refusal = refusal_to_bring_forward(plan, week, facts)
        else:
            refusal = refusal_to_postpone(plan, week, to_week, facts)
        return refusal or with_postponement(plan, week, to_week)

    act = Act.POSTPONE if to_week else Act.BRING_FORWARD
    return _in_week(session, act, account, subscription_ids, week, decision=decision, by=by, orders=orders)


def move(
    session: Session,
    account: Account,
    subscription_ids: Collection[int],
    week: date,
    point_id: int | None,
    *,
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Let what travels in a week be collected at another point for once, or at the usual one again.

    None where a subscription is not the account's or there is no such point.
    """
    known = {point.id: point for point in offered_points(session)}
    if point_id is not None and point_id not in known:
        return None
    place = Place(point_id, known[point_id].tour_id) if point_id is not None else None

    def decision(plan: Plan, facts: Facts) -> Plan | Refusal:
        after = with_place(plan, week, place)
        wished = after.change_of(week).place
        if wished == plan.change_of(week).place and weeks_aboard(plan, week):
            return plan
        return refusal_to_move(plan, week, wished, facts) or after

    return _in_week(
        session,
        Act.MOVE if place else Act.MOVE_BACK,
        account,
        subscription_ids,
        week,
        decision=decision,
        tours={place.tour_id} if place else set(),
        learn=lambda holding: replace(holding, points=known | holding.points),
        by=by,
        orders=orders,
    )


def vary(
    session: Session,
    account: Account,
    subscription_ids: Collection[int],
    week: date,
    *,
    formula_id: int | None,
    quantity: int | None,
    by: Account | None = None,
    orders: Aboard | None = None,
) -> Outcome | None:
    """Another formula or quantity for a week's own boxes, once; the usual ones where nothing is named.

    Vegetables stay vegetables. None where a subscription is not the account's or there is no such formula.
    """
    known = {formula.id: formula for formula in formulas(session)}
    if formula_id is not None and formula_id not in known:
        return None

    def decision(plan: Plan, facts: Facts) -> Plan | Refusal:
        after = with_box(plan, week, formula_id, quantity)
        if after == plan:
            return plan
        term = term_owing(plan, week)
        named = after.change_of(week).formula_id
        if term and named and known[named].kind is not known[term.formula_id].kind:
            return Refusal.NOT_OFFERED
        if named and known[named].retired and named != plan.change_of(week).formula_id:
            return Refusal.NOT_OFFERED
        return refusal_to_vary(plan, week, named, facts) or after

    return _in_week(
        session,
        Act.VARY if formula_id or quantity else Act.VARY_BACK,
        account,
        subscription_ids,
        week,
        decision=decision,
        learn=lambda holding: replace(holding, formulas=known | holding.formulas),
        by=by,
        orders=orders,
    )


def _in_week(
    session: Session,
    act: Act,
    account: Account,
    subscription_ids: Collection[int],
    week: date,
    *,
    decision: Decision,
    tours: Iterable[int] = (),
    learn: Callable[[Holding], Holding] = lambda holding: holding,
    by: Account | None,
    orders: Aboard | None,
) -> Outcome | None:
    """All the boxes or none: one refusal refuses the act. What is as wished already is left alone."""
    if not subscription_ids:
        return Outcome(act, refusal=Refusal.NOTHING_CHOSEN)
    case = hold(
        session,
        account,
        subscription_ids,
        since=week - POSTPONED_AT_MOST,
        until=week + POSTPONED_AT_MOST,
        tours=tours,
        by=by,
        orders=orders,
    )
    if case is None:
        return None
    case = replace(case, holdings=tuple(map(learn, case.holdings)))
    decided = decide(session, case, decision)
    if isinstance(decided, Refusal):
        return Outcome(act, refusal=decided, orders=case.orders)
    outcome = Outcome(act, tuple(_changes(case, decided, week)), orders=case.orders)
    if outcome.changed:
        _tell(session, case, outcome, (replace(holding, plan=plan) for holding, plan in decided))
    return outcome


def _changes(case: Case, decided: Iterable[tuple[Holding, Plan]], week: date) -> Iterable[Changed]:
    """The boxes that an act has changed: the week's own, and those that travel with them."""
    for holding, plan in decided:
        for origin in sorted({week, *weeks_aboard(plan, week)}):
            before, after = case.box(holding, holding.plan, origin), case.box(holding, plan, origin)
            if before and after and before != after:
                yield Changed(before, after)


_MAILS = {Act.SKIP: "box_skipped", Act.UNSKIP: "box_taken_back"}


def _tell(session: Session, case: Case, outcome: Outcome, planned: Iterable[Holding]) -> None:
    """One mail for the act: what, when, until when it can be undone, when deliveries go on."""
    boxes = [change.after for change in outcome.changed]
    back = []
    if outcome.act is Act.SKIP:
        found = (next_box(session, holding, boxes[0].delivery.day) for holding in planned)
        back = [box for box in found if box]
    household.tell(
        session,
        case.account,
        _MAILS.get(outcome.act, "box_changed"),
        at=case.facts.now,
        by=case.by,
        act=outcome.act,
        together=outcome.together,
        boxes=boxes,
        delivery=boxes[0].delivery,
        point=boxes[0].point,
        back=back,
        settled=case.orders.settled,
        take_back=partial(tap_link, tap=Tap.of(boxes, boxes[0].week, skip=False)),
    )
