"""Subscribing: the act, its contract, its mail."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.accounts.services import hold_open
from portal.infra import clock, locks, mail, outbox
from portal.planning import contracts
from portal.planning.desk import refusal_where_full
from portal.planning.joining import Joining, deliveries_ahead, from_nothing, joining_of
from portal.planning.places import served
from portal.planning.previews import TermView
from portal.planning.terms import Answer
from portal.profile.queries import get_farm
from portal.rules.changes import Facts, Refusal
from portal.rules.planning import Season
from portal.shop.papers import conditions_file
from portal.subscriptions import models
from portal.subscriptions import terms as rows
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import withheld

TWICE = timedelta(minutes=30)
"""The same wish again within it is the same press of the button."""


def subscribe(
    session: Session,
    account: Account,
    wanted: TermView,
    seen: str,
    *,
    beside: TermView | None = None,
    since: date | None = None,
    by: Account | None = None,
) -> Joining | Answer | Refusal:
    """Subscribe to just what was seen, by the digest of its preview; the contract goes by mail.

    The account is locked: one form sent twice makes one subscription. Staff may exceed a point's places, and
    need no conditions of sale: what they enter was agreed elsewhere.
    """
    by = by or account
    hold_open(session, account.id)
    if _just_made(session, account, wanted, clock.now()):
        return Answer.ALREADY
    found = deliveries_ahead(session, wanted, clock.now(), held=True)
    facts = Facts(Season(delivery.for_rules for delivery in found), clock.now(), withheld(session))
    joining = joining_of(session, wanted, facts, found, beside=beside, since=since)
    if isinstance(joining, Refusal):
        return joining
    if joining.conditions is None and by is account:
        return Refusal.NOT_OPEN
    if joining.digest != seen:
        return Answer.OTHERWISE
    begun = from_nothing(joining)
    full = refusal_where_full(session, begun, facts.season, account_id=account.id, held=True)
    if full and by is account:
        return full
    locks.checked()
    ids = [rows.begin(session, account.id, plan, at=facts.now, by=by.id) for _, plan in begun]
    served(session, account.id, [wanted.point.id])
    _confirm(session, account, joining, ids, at=facts.now, by_farm=by is not account)
    return joining if full is None else joining.over_full()


def _confirm(
    session: Session, account: Account, joining: Joining, ids: list[int], *, at: datetime, by_farm: bool
) -> None:
    """Keep the contract, and mail it with the conditions that it names (L221-13)."""
    farm = get_farm(session)
    files = [contracts.write(session, account, joining, ids, farm, at=at)]
    if joining.conditions:
        files.append(conditions_file(joining.conditions, farm))
    rendered = mail.render(
        "subscription_new", first_name=account.first_name, joining=joining, by_farm=by_farm, farm=farm
    )
    outbox.post(session, to=account.email, **rendered.parts, at=at, attachments=files)


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
