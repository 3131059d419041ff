"""Telling a person what became of deliveries of theirs, and taking along the boxes that lose their way."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import household
from portal.accounts.models import Account
from portal.boxes.queries import MemberBox, member_boxes
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView
from portal.infra import locks
from portal.planning.case import Case
from portal.planning.desk import hold, write
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


@dataclass(frozen=True, slots=True)
class Piece:
    """What became of one delivery, and what it means for the person; `open` while they can change it."""

    news: News
    known_day: date
    delivery: DeliveryView
    boxes: tuple[MemberBox, ...]
    fates: tuple[Fate, ...]
    open: bool

    @property
    def reason(self) -> str | None:
        return self.delivery.cancel_reason if self.delivery.cancelled else self.delivery.move_reason


def tell(session: Session, account_id: int) -> None:
    """Tell one person all that waits for them, once: the mail, the boxes that it speaks of and the notices' end.

    Notices are locked after the deliveries: whoever changes a delivery holds it while its notices are written.
    """
    waiting = select(Delivery).join(DeliveryNotice, DeliveryNotice.delivery_id == Delivery.id)
    concerned = session.scalars(waiting.where(DeliveryNotice.account_id == account_id)).all()
    if not concerned:  # another worker was here
        return
    account, weeks = session.get_one(Account, account_id), [delivery.week for delivery in concerned]
    case = hold(
        session,
        account,
        session.scalars(select(Subscription.id).where(Subscription.account_id == account.id)).all(),
        since=min(weeks) - POSTPONED_AT_MOST,
        until=max(weeks) + LOOK_AHEAD,
        tours={delivery.tour_id for delivery in concerned},
    )
    assert case is not None, "they are the account's"
    held = select(DeliveryNotice).where(
        DeliveryNotice.account_id == account_id, DeliveryNotice.delivery_id.in_([d.id for d in concerned])
    )
    held = held.order_by(DeliveryNotice.delivery_id)
    notices = session.scalars(locks.for_update(held, of=DeliveryNotice)).all()
    locks.checked()
    pieces = []
    for notice in sorted(notices, key=lambda notice: notice.known_day):
        case = replace(case, by=session.get_one(Account, notice.made_by))
        case, piece = _piece(session, case, notice)
        pieces += [piece] if piece else []
        session.delete(notice)
    if pieces:
        household.tell(
            session, account, "delivery_changed", at=case.facts.now, farm=get_farm(session), pieces=pieces
        )


def _piece(session: Session, case: Case, notice: DeliveryNotice) -> tuple[Case, Piece | None]:
    """What a notice comes to, and the case once the boxes of a cancelled delivery are taken along."""
    delivery = case.deliveries[notice.delivery_id]
    news = _news(notice, delivery)
    if news is None:
        return case, None
    boxes = member_boxes(session, case.holdings, [replace(delivery, cancelled=False)])
    fates: list[Fate] = []
    if delivery.cancelled:
        case, fates = _take_along(session, case, delivery, boxes)
        if not fates:  # all was skipped or suspended, and still is
            return case, None
    coming = tuple(box for box in boxes if not box.skipped)
    still = delivery.for_rules.is_open(case.facts.now)
    return case, Piece(news, notice.known_day, delivery, coming, tuple(fates), still)


def _news(notice: DeliveryNotice, delivery: DeliveryView) -> News | None:
    if delivery.cancelled:
        return None if notice.known_cancelled else News.CANCELLED
    if notice.known_cancelled:
        return News.REINSTATED
    return News.MOVED if notice.known_day != delivery.day else None


def _take_along(
    session: Session, case: Case, delivery: DeliveryView, boxes: Iterable[MemberBox]
) -> tuple[Case, list[Fate]]:
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
    return replace(case, holdings=tuple(after.values())), fates
