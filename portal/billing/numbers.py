"""Numbers without a gap: taken under a lock that is held until the commit, given back with a rollback."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.models import NumberSeries
from portal.infra import locks
from portal.infra.orm import insert


def take(session: Session, name: str, count: int = 1) -> int:
    """The first of the next `count` numbers of a series, which begins with 1; nobody else takes any meanwhile.

    Series are held in the order of their names, after every other lock.
    """
    own = locks.for_update(select(NumberSeries).where(NumberSeries.name == name), of=NumberSeries)
    series = session.scalars(own).one_or_none()
    if series is None:
        begun = insert(session, NumberSeries).values(name=name, last=0)
        session.execute(begun.on_conflict_do_nothing())
        series = session.scalars(own).one()
    first = series.last + 1
    locks.checked()
    series.last += count
    session.flush()
    return first
