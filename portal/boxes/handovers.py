"""Boxes that somebody else collects, or that are given away: reading them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session

from portal.boxes.carried import carried
from portal.boxes.models import Handover, HandoverKind
from portal.infra.orm import View
from portal.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class Handed:
    """To whom a box goes, and what they say at the point."""

    kind: HandoverKind
    name: str
    email: str | None
    code: str

    @property
    def given(self) -> bool:
        return self.kind is HandoverKind.PARTNER


HANDED = View(Handed, kind=Handover.kind, name=Handover.name, email=Handover.email, code=Handover.code)
_HANDED = select(Handover.subscription_id, Handover.week, HANDED).where(
    Handover.subscription_id.in_(bindparam("subscription_ids", expanding=True))
)


def handed_boxes(session: Session, subscription_ids: Collection[int]) -> dict[tuple[int, date], Handed]:
    """Of some subscriptions, by subscription and week of origin."""
    rows = session.execute(_HANDED, {"subscription_ids": list(subscription_ids)})
    return {(subscription_id, week): handed for subscription_id, week, handed in rows}


def handed_on(
    session: Session, delivery_id: int, *, although_cancelled: bool = False
) -> dict[tuple[int, int], tuple[Handed, int]]:
    """Of a delivery, by account and point: to whom, and how many boxes."""
    boxes = carried([delivery_id], although_cancelled=although_cancelled)
    of_box = and_(Handover.subscription_id == boxes.c.subscription_id, Handover.week == boxes.c.week)
    key = (Subscription.account_id, boxes.c.pickup_point_id)
    to = (Handover.kind, Handover.name, Handover.email, Handover.code)
    rows = session.execute(
        select(*key, *to, func.sum(boxes.c.quantity))
        .join(Handover, of_box)
        .join(Subscription, Subscription.id == Handover.subscription_id)
        .group_by(*key, *to)
        .order_by(*key, Handover.code)
    )
    return {(whose, where): (Handed(*handed), int(number)) for whose, where, *handed, number in rows}
