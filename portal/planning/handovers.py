"""A forgotten box: somebody else collects it, or the farm's partner has it.

All that a person collects together goes together, orders too.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes.handovers import Handed, handed_boxes
from portal.boxes.models import Handover, HandoverKind
from portal.boxes.queries import MemberBox
from portal.infra import audit, clock, locks, mail, outbox
from portal.planning.queries import Card, planning
from portal.profile.queries import get_farm
from portal.rules.handovers import HandoverRefusal, refusal_to_hand_over, refusal_to_take_back
from portal.subscriptions.models import Subscription


class Answer(StrEnum):
    DONE = "done"
    ALREADY = "already"


@dataclass(frozen=True, slots=True)
class Wish:
    """Who shall have it; of the partner nothing is asked."""

    kind: HandoverKind
    name: str = ""
    email: str | None = None


class Spot(NamedTuple):
    """Where somebody collects: the day, the tour's slug, the point."""

    day: date
    tour: str
    point_id: int


@dataclass(frozen=True, slots=True)
class Handing:
    """What may be done with a card's boxes, and who has them now."""

    handed: Handed | None
    can_hand_over: bool
    can_take_back: bool


def handing(session: Session, card: Card, now: datetime) -> Handing | None:
    """What a card offers once it is too late to change it; nothing where it brings no box."""
    if card.can_change or card.delivery.cancelled or not card.to_come:
        return None
    known = handed_boxes(session, {box.subscription_id for box in card.to_come})
    handed = next((known[_key(box)] for box in card.to_come if _key(box) in known), None)
    return Handing(handed, _refusal(card, now) is None, bool(handed) and _refusal_back(card, now) is None)


def _refusal(card: Card, now: datetime) -> HandoverRefusal | None:
    return refusal_to_hand_over(card.delivery.cutoff_at, card.delivery.day, card.point.closes, now)


def _refusal_back(card: Card, now: datetime) -> HandoverRefusal | None:
    return refusal_to_take_back(card.delivery.day, card.point.opens, now)


def hand_over(
    session: Session, account: Account, spot: Spot, wish: Wish, *, by: Account
) -> Answer | HandoverRefusal | None:
    """Give what somebody collects on a day at a point to somebody else; None where they collect no box there."""
    card, now = _held(session, account, spot)
    if card is None:
        return None
    if wish.kind is HandoverKind.PARTNER:
        partner = get_farm(session).partner
        if not partner:
            return None
        wish = Wish(wish.kind, partner)
    if refusal := _refusal(card, now):
        return refusal
    rows = _rows(session, card)
    if all(_wished(rows.get(_key(box))) == wish for box in card.to_come):
        return Answer.ALREADY
    if rows and (refusal := _refusal_back(card, now)):
        return refusal  # whoever has the code may have come
    before = next(iter(rows.values()), None)
    locks.checked()
    _tell_other(session, account, card, before, now, given=False)
    code = f"{secrets.randbelow(10_000):04}"
    for box in card.to_come:
        row = rows.get(_key(box)) or Handover(subscription_id=box.subscription_id, week=box.week)
        row.kind, row.name, row.email, row.code = wish.kind, wish.name, wish.email, code
        row.made_at, row.made_by = now, by.id
        session.add(row)
        _record(session, box.subscription_id, "box.hand_over", box.week, at=now, by=by, kind=wish.kind)
    _tell_other(session, account, card, row, now, given=True)
    _tell_owner(session, account, card, now, by=by, wish=wish, code=code)
    return Answer.DONE


def take_back(
    session: Session, account: Account, spot: Spot, *, by: Account
) -> Answer | HandoverRefusal | None:
    """Collect it oneself after all, until the point opens."""
    card, now = _held(session, account, spot)
    if card is None:
        return None
    rows = _rows(session, card)
    if not rows:
        return Answer.ALREADY
    if refusal := _refusal_back(card, now):
        return refusal
    locks.checked()
    _tell_other(session, account, card, next(iter(rows.values())), now, given=False)
    for (subscription_id, week), row in rows.items():
        session.delete(row)
        _record(session, subscription_id, "box.take_back_handed", week, at=now, by=by)
    _tell_owner(session, account, card, now, by=by)
    return Answer.DONE


def _held(session: Session, account: Account, spot: Spot) -> tuple[Card | None, datetime]:
    """What somebody collects on a day at a point, their subscriptions held, and the moment."""
    own = select(Subscription).where(Subscription.account_id == account.id).order_by(Subscription.id)
    session.scalars(locks.for_update(own, of=Subscription)).all()
    now = clock.now()
    for card in planning(session, account.id, since=spot.day, until=spot.day, now=now).cards:
        here = (card.delivery.day, card.delivery.tour_slug, card.point.id) == spot
        if here and card.to_come and not card.delivery.cancelled:
            return card, now
    return None, now


def _key(box: MemberBox) -> tuple[int, date]:
    return box.subscription_id, box.week


def _rows(session: Session, card: Card) -> dict[tuple[int, date], Handover]:
    keys = {_key(box) for box in card.to_come}
    rows = session.scalars(
        select(Handover).where(Handover.subscription_id.in_({number for number, _ in keys}))
    )
    return {(row.subscription_id, row.week): row for row in rows if (row.subscription_id, row.week) in keys}


def _wished(row: Handover | None) -> Wish | None:
    return Wish(row.kind, row.name, row.email) if row else None


def _record(
    session: Session, subscription_id: int, action: str, week: date, *, at: datetime, by: Account, **more: str
) -> None:
    after: dict[str, object] = {"week": week.isoformat(), **more}
    audit.record(session, action, ("subscription", subscription_id), at=at, by=by.id, after=after)


def _tell_other(
    session: Session, account: Account, card: Card, row: Handover | None, at: datetime, *, given: bool
) -> None:
    """Whoever is to collect it, where their address is known: what, where and when; or that they need not come."""
    if row is None or not row.email:
        return
    rendered = mail.render(
        "box_for_you",
        farm=get_farm(session),
        giver=account.first_name,
        full_name=account.full_name,
        name=row.name,
        code=row.code,
        card=card,
        given=given,
    )
    outbox.post(session, to=row.email, **rendered.parts, at=at)


def _tell_owner(
    session: Session,
    account: Account,
    card: Card,
    at: datetime,
    *,
    by: Account,
    wish: Wish | None = None,
    code: str = "",
) -> None:
    way = mail.link("member.delivery", day=card.delivery.day, tour=card.delivery.tour_slug)
    household.tell(
        session,
        account,
        "box_handed_over",
        at=at,
        by=by,
        farm=get_farm(session),
        card=card,
        wish=wish,
        code=code,
        way=way,
    )
