"""Telling a person what became of a delivery of theirs, and taking along the boxes that lose their way."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_boxes
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.infra import locks, mail, outbox
from portal.planning.desk import Case, hold, write
from portal.planning.models import DeliveryNotice
from portal.planning.queries import LOOK_AHEAD, next_box
from portal.profile.queries import get_farm
from portal.rules.changes import POSTPONED_AT_MOST
from portal.rules.deliveries import taken_along
from portal.subscriptions.models import Subscription


class News(StrEnum):
    """What became of a delivery; its words are in the mail's templates."""

    CANCELLED = "cancelled"
    REINSTATED = "reinstated"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Fate:
    """A box that a cancelled delivery does not bring: it comes with another one, or the next box is `next`."""

    box: MemberBox
    instead: MemberBox | None
    next: MemberBox | None


def tell(session: Session, delivery_id: int, account_id: int) -> None:
    """Tell one person, once: the mail, the boxes that it speaks of and the notice's end are one transaction.

    The notice is locked after the delivery: whoever changes a delivery holds it while its notices are written.
    """
    account, delivery = session.get_one(Account, account_id), session.get_one(Delivery, delivery_id)
    case = hold(
        session,
        account,
        session.scalars(select(Subscription.id).where(Subscription.account_id == account.id)).all(),
        since=delivery.week - POSTPONED_AT_MOST,
        until=delivery.week + LOOK_AHEAD,
        tours={delivery.tour_id},
    )
    assert case is not None, "they are the account's"
    own = (DeliveryNotice.delivery_id == delivery_id, DeliveryNotice.account_id == account_id)
    notice = session.scalar(locks.for_update(select(DeliveryNotice).where(*own), of=DeliveryNotice))
    if notice is None:  # another worker was here
        return
    locks.checked()
    case = replace(case, by=session.get_one(Account, notice.made_by))
    view = case.deliveries[delivery_id]
    if news := _news(notice, view):
        _tell(session, case, news, notice, view)
    session.delete(notice)


def _news(notice: DeliveryNotice, delivery: DeliveryView) -> News | None:
    if delivery.cancelled:
        return None if notice.known_cancelled else News.CANCELLED
    if notice.known_cancelled:
        return News.REINSTATED
    return News.MOVED if notice.known_day != delivery.day else None


def _tell(session: Session, case: Case, news: News, notice: DeliveryNotice, delivery: DeliveryView) -> None:
    boxes = member_boxes(session, case.holdings, [replace(delivery, cancelled=False)])
    fates = _take_along(session, case, delivery, boxes) if delivery.cancelled else []
    if delivery.cancelled and not fates:  # all was skipped or suspended, and still is
        return
    rendered = mail.render(
        "delivery_changed",
        farm=get_farm(session),
        first_name=case.account.first_name,
        news=news,
        known_day=notice.known_day,
        reason=delivery.cancel_reason if delivery.cancelled else delivery.move_reason,
        delivery=delivery,
        open=delivery.for_rules.is_open(case.facts.now),
        boxes=[box for box in boxes if not box.skipped],
        fates=fates,
    )
    outbox.post(session, to=case.account.email, **rendered.parts, at=case.facts.now)


def _take_along(
    session: Session, case: Case, delivery: DeliveryView, boxes: Iterable[MemberBox]
) -> list[Fate]:
    """Write down where the boxes of a cancelled delivery go; answers what came or now comes."""
    fates = []
    after = {
        h.id: replace(h, plan=taken_along(h.plan, delivery.for_rules, case.facts)) for h in case.holdings
    }
    for holding in case.holdings:
        write(session, case, holding.plan, after[holding.id].plan)
    for box in boxes:
        holding = after[box.subscription_id]
        instead = case.box(holding, holding.plan, box.week)
        if box.skipped and (instead is None or instead.skipped):
            continue
        fates.append(Fate(box, instead, None if instead else next_box(session, holding, delivery.day)))
    return fates
