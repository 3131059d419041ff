"""The one-off changes of a delivery, for staff: whose, what, when and by whom, and taking them back."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, and_, literal, or_, select
from sqlalchemy.orm import Session, lazyload

from portal.accounts.models import Account
from portal.boxes.carried import served
from portal.boxes.models import BoxChange, Suspension
from portal.boxes.queries import with_changes
from portal.catalogue.queries import FormulaView
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.pickup.queries import PointView, points
from portal.planning import services
from portal.rules import planning
from portal.rules.alphabet import french_order
from portal.rules.changes import (
    POSTPONED_AT_MOST,
    Facts,
    Refusal,
    refusal_to_bring_forward,
    refusal_to_move,
    refusal_to_skip,
    refusal_to_vary,
)
from portal.rules.planning import (
    Plan,
    Season,
    absence,
    carrier,
    delivery_of,
    term_in_force,
    term_owing,
    weeks_aboard,
)
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding, of_anybody, withheld


class Kind(StrEnum):
    """What is not as usual; its words are in the templates."""

    SKIPPED = "skipped"
    SUSPENDED = "suspended"
    POSTPONED = "postponed"
    ELSEWHERE = "elsewhere"
    VARIED = "varied"


@dataclass(frozen=True, slots=True)
class Content:
    """So many boxes of a formula, collected at a point."""

    formula: FormulaView
    quantity: int
    point: PointView


@dataclass(frozen=True, slots=True)
class OneOff:
    """A change to one week of a subscription: from `usual` to `wished`, or between two deliveries.

    `week` is that of the box. `refusal` says why it cannot be taken back, if so; `by` is nobody where the
    subscriber has done it.
    """

    kind: Kind
    account: Account
    subscription_id: int
    week: date
    usual: Content
    wished: Content
    home: DeliveryView | None
    there: DeliveryView | None
    refusal: Refusal | None
    at: datetime
    by: str | None

    @property
    def key(self) -> str:
        """Names it on its page."""
        return f"{self.kind}-{self.subscription_id}-{self.week}"


Signatures = Mapping[tuple[int, date | int], tuple[datetime, str | None]]
"""When and by whom: by subscription, and by week for a change, by its id for a suspension."""


def of_delivery(session: Session, delivery: DeliveryView, now: datetime) -> list[OneOff]:
    """All that takes a box off a delivery, brings one to it or alters one on it, sorted by name."""
    ids = session.scalars(_candidates(delivery)).all()
    since = delivery.week - POSTPONED_AT_MOST
    holdings = with_changes(session, of_anybody(session, ids), since)
    views = of_weeks(session, *_span(holdings, delivery))
    facts = Facts(Season(view.for_rules for view in views), now, withheld(session))
    known = {view.id: view for view in views}
    own = known[delivery.id].for_rules
    every_point = {point.id: point for point in points(session)}
    accounts, signatures = _accounts(session, ids), _signatures(session, ids, delivery)
    found = [
        OneOff(
            kind=kind,
            account=accounts[holding.id],
            subscription_id=holding.id,
            week=week,
            usual=_content(holding, week, every_point, usual=True),
            wished=_content(holding, week, every_point, usual=False),
            home=_shown(delivery_of(holding.plan, week, facts.season), known),
            there=_shown(carrier(holding.plan, week, facts.season), known),
            refusal=_refusal(holding.plan, week, kind, facts),
            at=at,
            by=by,
        )
        for holding in holdings
        for week, kind in _kinds(holding.plan, own, facts.season)
        for at, by in [_signature(holding.plan, week, kind, own, signatures)]
    ]
    return sorted(
        found, key=lambda one: (french_order(one.account.last_name, one.account.first_name), one.key)
    )


def _span(holdings: Iterable[Holding], delivery: DeliveryView) -> tuple[date, date]:
    """The weeks that tell of a delivery's boxes: the farm may take one along farther than one may postpone."""
    weeks = {delivery.week - POSTPONED_AT_MOST, delivery.week + POSTPONED_AT_MOST}
    for holding in holdings:
        for week, change in holding.plan.changes.items():
            if change.to_week and delivery.week in (week, change.to_week):
                weeks |= {week, change.to_week}
    return min(weeks), max(weeks)


def _candidates(delivery: DeliveryView) -> Select[int]:
    """Subscriptions of the delivery's tour with a change in its week or to it, or suspended on its day."""
    wishes = (BoxChange.to_week, BoxChange.pickup_point_id, BoxChange.formula_id, BoxChange.quantity)
    changed = or_(BoxChange.skip.is_(True), *(wish.is_not(None) for wish in wishes))
    here = or_(and_(BoxChange.week == delivery.week, changed), BoxChange.to_week == delivery.week)
    on_the_day = literal(delivery.day).between(Suspension.first_day, Suspension.last_day)
    return select(Subscription.id).where(
        or_(
            Subscription.id.in_(select(BoxChange.subscription_id).where(here)),
            Subscription.id.in_(select(Suspension.subscription_id).where(on_the_day)),
        ),
        Subscription.id.in_(served(delivery.tour_id, delivery.week)),
    )


def _accounts(session: Session, subscription_ids: Collection[int]) -> dict[int, Account]:
    owners = select(Subscription.id, Account).join(Subscription.account).options(lazyload(Account.roles))
    rows = session.execute(owners.where(Subscription.id.in_(subscription_ids)))
    return dict(rows.all())


def _signatures(session: Session, subscription_ids: Collection[int], delivery: DeliveryView) -> Signatures:
    def signed(table: type[BoxChange | Suspension], key: Any, at: Any, by: Any) -> Select[Any]:
        somebody_else = and_(Account.id == by, Account.id != Subscription.account_id)
        return (
            select(table.subscription_id, key, at, Account.first_name, Account.last_name)
            .join(Subscription, Subscription.id == table.subscription_id)
            .outerjoin(Account, somebody_else)
            .where(table.subscription_id.in_(subscription_ids))
        )

    here = or_(BoxChange.week == delivery.week, BoxChange.to_week == delivery.week)
    changes = signed(BoxChange, BoxChange.week, BoxChange.changed_at, BoxChange.changed_by)
    suspensions = signed(Suspension, Suspension.id, Suspension.made_at, Suspension.made_by)
    return {
        (subscription_id, key): (at, f"{first} {last}" if first is not None else None)
        for statement in (changes.where(here), suspensions)
        for subscription_id, key, at, first, last in session.execute(statement)
    }


def _kinds(plan: Plan, delivery: planning.Delivery, season: Season) -> Iterator[tuple[date, Kind]]:
    """What is not as usual about the boxes that the delivery brings, or would bring but for a change."""
    here = plan.change_of(delivery.week)
    origins = {delivery.week, *weeks_aboard(plan, delivery.week)}
    if here.place and weeks_aboard(plan, delivery.week):
        usual = delivery_of(plan.with_change(delivery.week, place=None), delivery.week, season)
        if delivery in (usual, delivery_of(plan, delivery.week, season)):
            yield delivery.week, Kind.ELSEWHERE
    for week in sorted(week for week in origins if term_owing(plan, week)):
        change, there = plan.change_of(week), carrier(plan, week, season)
        if change.to_week and delivery in (there, delivery_of(plan, week, season)):
            yield week, Kind.POSTPONED
        if there == delivery:
            if away := absence(plan, week, delivery):
                yield week, Kind(away)
            if change.formula_id or change.quantity:
                yield week, Kind.VARIED


def _shown(delivery: planning.Delivery | None, known: Mapping[int, DeliveryView]) -> DeliveryView | None:
    return known[delivery.id] if delivery else None


def _content(holding: Holding, week: date, points: Mapping[int, PointView], *, usual: bool) -> Content:
    term, change = term_in_force(holding.plan.terms, week), holding.plan.change_of(week)
    assert term is not None, "who has a box has terms"
    if usual:
        return Content(holding.formulas[term.formula_id], term.quantity, points[term.point_id])
    place = change.place or term.place
    formula = holding.formulas[change.formula_id or term.formula_id]
    return Content(formula, change.quantity or term.quantity, points[place.point_id])


def _signature(
    plan: Plan, week: date, kind: Kind, delivery: planning.Delivery, signatures: Signatures
) -> tuple[datetime, str | None]:
    key: date | int | None = week
    if kind is Kind.SUSPENDED:
        key = next(suspension.id for suspension in plan.suspensions if suspension.covers(delivery))
    assert key is not None, "what is read has an id"
    return signatures[plan.subscription_id, key]


def _refusal(plan: Plan, week: date, kind: Kind, facts: Facts) -> Refusal | None:
    """The rules that the acts of `take_back` ask."""
    match kind:
        case Kind.SKIPPED | Kind.SUSPENDED:
            return refusal_to_skip(plan, week, facts)
        case Kind.POSTPONED:
            return refusal_to_bring_forward(plan, week, facts)
        case Kind.ELSEWHERE:
            return refusal_to_move(plan, week, None, facts)
        case Kind.VARIED:
            return refusal_to_vary(plan, week, None, facts)


def take_back(
    session: Session, kind: Kind, subscription_id: int, week: date, *, by: Account
) -> services.Outcome | None:
    """Let a box be as usual again, for its subscriber, who gets the usual mail; None where there is no such one."""
    owner = select(Account).join(Subscription, Subscription.account_id == Account.id)
    account = session.scalar(owner.where(Subscription.id == subscription_id))
    if account is None:
        return None
    ids = [subscription_id]
    match kind:
        case Kind.SKIPPED | Kind.SUSPENDED:
            return services.skip(session, account, ids, week, wanted=False, by=by)
        case Kind.POSTPONED:
            return services.postpone(session, account, ids, week, None, by=by)
        case Kind.ELSEWHERE:
            return services.move(session, account, ids, week, None, by=by)
        case Kind.VARIED:
            return services.vary(session, account, ids, week, formula_id=None, quantity=None, by=by)
