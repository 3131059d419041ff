"""Many more subscribers on the tests' small farm, each other one in something."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import cycle, islice
from typing import Any

from sqlalchemy import (
    CTE,
    Column,
    Integer,
    String,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
from portal.infra.orm import db
from portal.pickup.models import PickupPoint
from portal.rules.calendar import Rhythm, monday_of
from portal.subscriptions.models import Subscription, Term
from tests.world import NOW, TUESDAY

LAST_NAMES = ("Zélie", "Éluard", "Œuvrard", "de Gaulle", "D'Arc", "Durand", "Noël", "Ay", "Ångström")


def add(session: Session, people: int, start: int = 0, tour: str = "mardi") -> None:
    """So many people, numbered from `start`; every fifth skips the tests' week, every seventh has a second box."""
    points = session.scalars(
        select(PickupPoint).where(PickupPoint.tour.has(slug=tour)).order_by(PickupPoint.position)
    ).all()
    formulas = session.scalars(select(Formula).order_by(Formula.position)).all()
    for number, last_name in enumerate(islice(cycle(LAST_NAMES), people), start):
        account = Account(
            email=f"personne{number}@example.org",
            fs_uniquifier=f"personne{number}",
            first_name=f"Prénom {number:03}",
            last_name=last_name,
            created_at=NOW - timedelta(days=100),
        )
        for second in range(2 if number % 7 == 0 else 1):
            subscription = Subscription(
                account=account,
                created_at=account.created_at,
                terms=[
                    Term(
                        monday=date(2026, 1, 5),
                        formula=formulas[(number + second) % len(formulas)],
                        quantity=1 + number % 11 // 10,
                        rhythm=tuple(Rhythm)[number % 4 % 3],
                        pickup_point=points[number % len(points)],
                    )
                ],
            )
            session.add(subscription)
            session.flush()
            if number % 5 == 0:
                session.add(
                    BoxChange(
                        subscription_id=subscription.id, week=monday_of(TUESDAY), skip=True, changed_at=NOW
                    )
                )
    session.commit()


def add_thousands(session: Session, people: int, tour: str = "mardi") -> None:
    """So many people in few statements, each with one box a week of the first formula at the first point."""
    first = 1 + max(session.scalar(select(func.max(table.id))) or 0 for table in (Account, Subscription))
    numbers = range(first, first + people)
    since = NOW - timedelta(days=100)
    names = {"first_name": "", "last_name": "", "password": None, "created_at": since}
    point = select(PickupPoint.id).where(PickupPoint.tour.has(slug=tour)).order_by(PickupPoint.position)
    term = {
        "monday": date(2026, 1, 5),
        "until": None,
        "formula_id": session.scalar(select(Formula.id).order_by(Formula.position)),
        "quantity": 1,
        "rhythm": Rhythm.WEEKLY,
        "pickup_point_id": session.scalar(point),
    }
    emails = [{"id": n, "email": f"{n}@example.org", "fs_uniquifier": f"{n}", **names} for n in numbers]
    session.execute(insert(Account), emails)
    session.execute(insert(Subscription), [{"id": n, "account_id": n, "created_at": since} for n in numbers])
    session.execute(insert(Term), [{"subscription_id": n, **term} for n in numbers])
    session.commit()


APART = 1000
"""More than the tests' farm has rows of anything."""
WHOSE = {"email", "recipient", "source"}
"""Columns that say in words whose a row is, or what of theirs."""


def add_alike(session: Session, email: str, people: int, first: int = 1) -> None:
    """So many more with all that somebody has, in whatever table: boxes, orders, invoices, mail.

    Of the n-th one, from the first on, ids and numbers are n times APART more, and words that are theirs begin with n.
    """
    n = _counted(first, first + people)
    ids: dict[Column[Any], Sequence[int]] = {}
    for table in sorted(db.metadata.sorted_tables, key=lambda table: table.name == "ledger_entry"):
        theirs = [column.in_(found) for column in table.c if (found := _moving(column, ids))]
        theirs += [column == email for column in table.c if column.name in {"email", "recipient"}]
        if not theirs:
            continue
        for column in table.primary_key:
            if column.name == "id" or _moving(column, ids):
                ids[column] = session.scalars(select(column).where(or_(*theirs))).all()
        copies = [_copied(column, ids, n.c.n) for column in table.c]
        rows = select(*copies).select_from(table.join(n, true())).where(or_(*theirs))
        session.execute(table.insert().from_select(list(table.c.keys()), rows))
        if "id" in table.c and session.get_bind().dialect.name == "postgresql":
            session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
            )
    session.commit()


def _counted(first: int, end: int) -> CTE:
    counted = select(literal(first).label("n")).cte("counted", recursive=True)
    return counted.union_all(select(counted.c.n + 1).where(counted.c.n < end - 1))


def _moving(column: Column[Any], ids: dict[Column[Any], Sequence[int]]) -> list[int]:
    """Of the numbers that it may hold, those that are somebody's."""
    return [number for key in column.foreign_keys for number in ids.get(key.column, ())]


def _copied(column: Column[Any], ids: dict[Column[Any], Sequence[int]], n: Any) -> Any:
    more = type_coerce(column, Integer) + n * APART
    if moving := [*ids.get(column, ()), *_moving(column, ids)]:
        return case((column.in_(moving), more), else_=column)
    if column.name in WHOSE or column.unique:
        if isinstance(column.type, String):
            return func.substr(cast(n, String).concat(column), 1, column.type.length)
        return more
    return column
