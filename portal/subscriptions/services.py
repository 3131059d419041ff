"""What pickup points offer."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.infra import audit, locks
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Withheld


def set_withheld(
    session: Session, point_id: int, formula_ids: Collection[int], *, at: datetime, by: int
) -> bool:
    """Let a point offer all formulas but these; who receives one there keeps it. Whether anything changed."""
    point = select(PickupPoint).where(PickupPoint.id == point_id)
    session.scalars(locks.for_update(point, of=PickupPoint)).one()
    before = set(session.scalars(select(Withheld.formula_id).where(Withheld.pickup_point_id == point_id)))
    after = set(formula_ids)
    if before == after:
        return False
    session.execute(
        delete(Withheld).where(Withheld.pickup_point_id == point_id, Withheld.formula_id.in_(before - after))
    )
    session.add_all(Withheld(pickup_point_id=point_id, formula_id=id_) for id_ in sorted(after - before))
    audit.record(
        session,
        "pickup_point.formulas",
        ("pickup_point", point_id),
        at=at,
        by=by,
        before={"withheld": sorted(before)},
        after={"withheld": sorted(after)},
    )
    return True
