"""Places at pickup points that nobody takes yet: kept for who is invited from the waiting list."""

from collections import Counter
from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula
from portal.planning.models import Waiting


def kept_places(session: Session, point_ids: Collection[int]) -> Counter[tuple[int, int]]:
    """(point, account) → places."""
    rows = session.execute(
        select(Waiting.pickup_point_id, Waiting.account_id, Waiting.quantity * Formula.weight)
        .join(Formula, Formula.id == Waiting.formula_id)
        .where(Waiting.pickup_point_id.in_(point_ids), Waiting.kept_until.is_not(None))
    )
    return Counter({(point_id, account_id): places for point_id, account_id, places in rows})


def served(session: Session, account_id: int, point_ids: Collection[int]) -> bool:
    """Who has come to points waits for them no longer; whether they did."""
    mine = delete(Waiting).where(Waiting.account_id == account_id, Waiting.pickup_point_id.in_(point_ids))
    return bool(session.scalars(mine.returning(Waiting.account_id)).all())
