"""Subscribing to another formula, seen before it is ordered."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_box
from portal.catalogue.queries import formula_prices
from portal.deliveries.queries import DeliveryView, of_weeks
from portal.infra import clock, locks, mail, outbox
from portal.pickup.queries import closings
from portal.planning.desk import refusal_where_full
from portal.planning.terms import DAYS, HORIZON, Answer, TermView, first_days
from portal.rules.calendar import Rhythm, monday_of
from portal.rules.changes import Facts, Refusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.planning import Plan, Season, Term, project
from portal.rules.terms import TermChange, effective_monday
from portal.subscriptions import models
from portal.subscriptions import terms as rows
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import Holding, withheld

STARTS = 8
"""First deliveries among which staff choose."""


@dataclass(frozen=True, slots=True)
class Joining:
    """What subscribing comes to: from which Monday, the first boxes, and what each costs."""

    wanted: TermView
    holding: Holding
    boxes: tuple[MemberBox, ...]
    price: Money
    full: bool = False
    """The point lacks the places: staff may exceed them, and are told."""

    @property
    def monday(self) -> date:
        return self.holding.plan.terms[0].monday


@dataclass(frozen=True, slots=True)
class JoiningPreview:
    """What it would come to, or why it cannot be; `rhythms` says each rhythm by its first dates.

    `starts` are the deliveries with which it can begin, by the Mondays of their weeks.
    """

    rhythms: dict[Rhythm, tuple[date, ...]]
    joining: Joining | None = None
    refusal: Refusal | None = None
    starts: dict[date, date] = field(default_factory=dict)


def preview_joining(
    session: Session, wanted: TermView, now: datetime, *, since: date | None = None, by_farm: bool = False
) -> JoiningPreview:
    """What another subscription would come to, from a Monday on if it may begin so late; writes nothing."""
    found = _deliveries(session, wanted, now)
    facts = Facts(Season(delivery.for_rules for delivery in found), now, withheld(session))
    rhythms = {
        rhythm: first_days(facts, wanted.point.tour_id, rhythm, plan.terms[0].monday)
        for rhythm in Rhythm
        for plan in [_plan(replace(wanted, rhythm=rhythm), facts)]
    }
    starts = _starts(wanted, facts)
    joining = _joining(session, wanted, facts, found, since)
    if isinstance(joining, Refusal):
        return JoiningPreview(rhythms, refusal=joining, starts=starts)
    full = refusal_where_full(session, [_from_nothing(joining.holding)], facts.season)
    if full and not by_farm:
        return JoiningPreview(rhythms, refusal=full, starts=starts)
    return JoiningPreview(rhythms, replace(joining, full=full is not None), starts=starts)


def _starts(wanted: TermView, facts: Facts) -> dict[date, date]:
    boxes = project(_plan(wanted, facts), facts.season)[:STARTS]
    return {box.week: box.delivery.day for box in boxes}


def _deliveries(
    session: Session, wanted: TermView, now: datetime, *, held: bool = False
) -> list[DeliveryView]:
    this_week = monday_of(local_day(now))
    return of_weeks(session, this_week, this_week + HORIZON, {wanted.point.tour_id}, held=held)


def _plan(wanted: TermView, facts: Facts, since: date | None = None) -> Plan:
    """The plan that begins on the first Monday on which nothing is closed, or later if so wished."""
    term = Term(
        monday_of(local_day(facts.now)),
        wanted.formula.id,
        wanted.quantity,
        wanted.rhythm,
        wanted.point.id,
        wanted.point.tour_id,
    )
    unbegun = Plan(0, (term,))
    monday = effective_monday(plan=unbegun, change=TermChange(), season=facts.season, now=facts.now)
    return replace(unbegun, terms=(replace(term, monday=max(monday, since or monday)),))


def _joining(
    session: Session,
    wanted: TermView,
    facts: Facts,
    found: Iterable[DeliveryView],
    since: date | None,
) -> Joining | Refusal:
    if (wanted.point.id, wanted.formula.id) in facts.withheld:
        return Refusal.NOT_OFFERED
    holding = Holding(
        _plan(wanted, facts, since), {wanted.formula.id: wanted.formula}, {wanted.point.id: wanted.point}
    ).with_closings(closings(session, local_day(facts.now)))
    boxes = project(holding.plan, facts.season)[:DAYS]
    if not boxes:
        return Refusal.NOT_EXPECTED
    views = {view.id: view for view in found}
    return Joining(
        wanted,
        holding,
        tuple(member_box(holding, box, views[box.delivery.id]) for box in boxes),
        wanted.price(formula_prices(session), boxes[0].delivery.day),
    )


def _from_nothing(holding: Holding) -> tuple[Holding, Plan]:
    return replace(holding, plan=replace(holding.plan, terms=())), holding.plan


TWICE = timedelta(minutes=30)
"""The same wish again within it is the same press of the button."""


def subscribe(
    session: Session,
    account: Account,
    wanted: TermView,
    expected: date | None,
    *,
    since: date | None = None,
    by: Account | None = None,
) -> Joining | Answer | Refusal:
    """Subscribe to another formula, from the Monday that was seen.

    The account is locked: one form sent twice makes one subscription. Staff may exceed a point's places.
    """
    by = by or account
    session.scalars(locks.for_update(select(Account.id).where(Account.id == account.id), of=Account)).one()
    if _just_made(session, account, wanted, clock.now()):
        return Answer.ALREADY
    found = _deliveries(session, wanted, clock.now(), held=True)
    facts = Facts(Season(delivery.for_rules for delivery in found), clock.now(), withheld(session))
    joining = _joining(session, wanted, facts, found, since)
    if isinstance(joining, Refusal):
        return joining
    if joining.monday != expected:
        return Answer.OTHER_DATE
    full = refusal_where_full(session, [_from_nothing(joining.holding)], facts.season, held=True)
    if full and by is account:
        return full
    locks.checked()
    rows.begin(session, account.id, joining.holding.plan, at=facts.now, by=by.id)
    rendered = mail.render(
        "subscription_new",
        first_name=account.first_name,
        joining=joining,
        by_farm=by is not account,
    )
    outbox.post(session, to=account.email, **rendered.parts, at=facts.now)
    return replace(joining, full=full is not None)


def _just_made(session: Session, account: Account, wanted: TermView, now: datetime) -> bool:
    made = (
        select(models.Term.id)
        .join(Subscription, Subscription.id == models.Term.subscription_id)
        .where(
            Subscription.account_id == account.id,
            Subscription.created_at >= now - TWICE,
            models.Term.formula_id == wanted.formula.id,
            models.Term.quantity == wanted.quantity,
            models.Term.rhythm == wanted.rhythm,
            models.Term.pickup_point_id == wanted.point.id,
        )
    )
    return session.scalars(made).first() is not None
