"""Many more subscribers on the tests' small farm, each other one in something."""

from datetime import date, timedelta
from itertools import cycle, islice

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
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
