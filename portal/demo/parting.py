"""Who leaves the demo farm: one contract ended, two notified; and boxes that somebody else has."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import carried
from portal.boxes.models import Handover, HandoverKind
from portal.deliveries.models import Delivery
from portal.planning import terminations
from portal.planning.ending import foresee
from portal.planning.models import Termination
from portal.planning.papers import Notice
from portal.profile.models import FarmProfile
from portal.rules.cutoffs import local_day
from portal.subscriptions.models import Subscription
from portal.web.i18n import french

PARTNER = "l'épicerie solidaire du Buëch"
REASON = "Nous partons vivre à la mer. Merci pour ces deux ans de bons légumes !"
STRANGER = Notice(
    "Ginette Pascal", "3 rue du Four, 05300 Laragne-Montéglin", "mon petit panier de la Gare", None
)


def part(session: Session, now: datetime) -> None:
    session.get_one(FarmProfile, 1).partner = french(PARTNER)
    if len(late := _subscribers(session)) < 2:
        return  # on so small a farm nobody leaves
    leaver, doubter = late
    expected = {n: leave.last_day for n, leave in foresee(session, leaver.id, local_day(now), now).items()}
    own = Notice(leaver.full_name, leaver.email, leaver.customer_number, None)
    ended = terminations.notify_and_end(session, leaver, own, expected, by=leaver)
    assert isinstance(ended, Termination)
    terminations.give_reason(session, ended.id, french(REASON))
    theirs = Notice(doubter.full_name, doubter.email, "notre panier", local_day(now + timedelta(weeks=3)))
    for notice in (theirs, STRANGER):
        terminations.search_owner(session, terminations.notify(session, notice, at=now), now)
    _hand_over(session, now)


def _subscribers(session: Session) -> list[Account]:
    """Two who came late, so that nobody whom the demo tells of leaves."""
    goes_on = select(Subscription.account_id).where(Subscription.last_day.is_(None))
    late = select(Account).where(Account.id.in_(goes_on)).order_by(Account.id.desc())
    return list(session.scalars(late.limit(2)))


def _hand_over(session: Session, now: datetime) -> None:
    """Two boxes of the delivery that has closed last."""
    closed = select(Delivery).where(Delivery.cutoff_at <= now, Delivery.cancelled_at.is_(None))
    delivery = session.scalars(closed.order_by(Delivery.cutoff_at.desc())).first()
    boxes = carried([delivery.id] if delivery else [])
    last = select(boxes.c.subscription_id, boxes.c.week).order_by(boxes.c.subscription_id.desc()).limit(2)
    for (number, week), (kind, name, code) in zip(
        session.execute(last),
        ((HandoverKind.PERSON, "Louise Roux", "4821"), (HandoverKind.PARTNER, french(PARTNER), "1037")),
        strict=False,
    ):
        session.add(Handover(subscription_id=number, week=week, kind=kind, name=name, code=code, made_at=now))
