"""Many more subscribers on the tests' small farm, each other one in something."""

from datetime import date, timedelta
from itertools import cycle, islice

from sqlalchemy import select
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
