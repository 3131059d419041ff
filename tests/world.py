"""The small farm of the tests: three tours, four points, four people, as of Wednesday 10 June 2026, 10 h in Paris.

Tuesday 16 June is open until Sunday 14, 23 h 59; Thursday 11 and Friday 12 closed on Monday 8 and Tuesday 9.
"""

from datetime import UTC, date, datetime, time, timedelta

from flask_security.utils import hash_password
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role
from portal.catalogue.models import Formula, FormulaPrice, Kind, Product, Unit
from portal.deliveries.models import Delivery, Tour
from portal.pickup.models import PickupPoint
from portal.profile.models import FarmProfile, News
from portal.rules.calendar import Rhythm, delivery_days, fortnight_of, monday_of
from portal.rules.cutoffs import cutoff_instant
from portal.rules.money import Money
from portal.rules.permissions import EVERYDAY, RoleName
from portal.subscriptions.models import Subscription, Term

NOW = datetime(2026, 6, 10, 8, 0, tzinfo=UTC)
TODAY = date(2026, 6, 10)
TUESDAY = date(2026, 6, 16)
CUTOFF = datetime(2026, 6, 14, 22, 0, tzinfo=UTC)
"""First refused instant of Tuesday 16 June: Monday 15, midnight in Paris."""
PASSPHRASE = "trois carottes et deux navets dans un panier"

CAMILLE = "camille@example.org"  # large box and eggs, every Tuesday at the Halle
YACINE = "yacine@example.org"  # small box, every other Thursday
STAFF = "ferme@example.org"
ADMIN = "gestion@example.org"


def fill(session: Session) -> None:
    """Everything but frozen boxes; nothing random."""
    session.add(
        FarmProfile(
            id=1,
            name="Les Jardins du Test",
            tagline="Des légumes de la vallée",
            email="ferme@example.org",
            phone="04 65 71 00 01",
            phone_hours="du lundi au vendredi, de 9 h à 12 h",
            address="12 chemin des Canaux",
            postcode="05700",
            town="Serres",
        )
    )
    session.add(
        News(
            title="Les courgettes arrivent", text="Premières récoltes.", published_at=NOW - timedelta(days=2)
        )
    )
    points = _fill_tours(session)
    formulas = _fill_catalogue(session)
    _fill_people(session, points, formulas)
    session.flush()


def _fill_tours(session: Session) -> dict[str, PickupPoint]:
    tours = {
        "mardi": Tour(slug="mardi", name="Tournée du mardi", weekday=1, lead_days=2, lead_time=time(23, 59)),
        "jeudi": Tour(slug="jeudi", name="Tournée du jeudi", weekday=3, lead_days=3, lead_time=time(23, 59)),
        "vendredi": Tour(
            slug="vendredi", name="Tournée du vendredi", weekday=4, lead_days=3, lead_time=time(23, 59)
        ),
    }
    for tour in tours.values():
        for day in delivery_days(tour.weekday, TODAY - timedelta(weeks=3), TODAY + timedelta(weeks=10)):
            session.add(
                Delivery(
                    tour=tour,
                    week=monday_of(day),
                    fortnight=fortnight_of(monday_of(day)),
                    nominal_day=day,
                    day=day,
                    cutoff_at=cutoff_instant(day, tour.lead),
                )
            )
    points = {}
    for position, (slug, name, tour_slug) in enumerate(
        (
            ("halle", "Halle de Serres", "mardi"),
            ("gare", "Gare de Veynes", "mardi"),
            ("mairie", "Mairie de Laragne", "jeudi"),
            ("cafe", "Café de Sisteron", "vendredi"),
        )
    ):
        points[slug] = PickupPoint(
            tour=tours[tour_slug],
            position=position,
            slug=slug,
            name=name,
            address=f"{position + 1} place du Village",
            postcode="05700",
            town="Serres",
            latitude=44.4 + position / 10,
            longitude=5.7,
            opens=time(16, 30),
            closes=time(19, 0),
            access="Sonnez à la porte verte.",
            capacity=40,
        )
    session.add_all(points.values())
    return points


def _fill_catalogue(session: Session) -> dict[str, Formula]:
    formulas = {}
    for position, (slug, name, kind, cents) in enumerate(
        (
            ("petit", "Petit panier", Kind.VEGETABLES, 1150),
            ("grand", "Grand panier", Kind.VEGETABLES, 1950),
            ("oeufs", "Œufs", Kind.EGGS, 240),
        )
    ):
        formulas[slug] = Formula(
            slug=slug,
            name=name,
            short_name=name,
            kind=kind,
            description="Ce que le jardin donne cette semaine.",
            serves="2 personnes",
            drawing="eggs" if kind is Kind.EGGS else "box-small",
            position=position,
            weight=0 if kind is Kind.EGGS else 1,
            prices=[FormulaPrice(since=date(2025, 1, 1), price=Money(cents), vat_basis_points=550)],
        )
    session.add_all(formulas.values())
    session.add_all(
        Product(
            slug=slug,
            name=name,
            unit=unit,
            value=Money(cents),
            drawing=drawing,
            storage="Au frais, sans fanes.",
        )
        for slug, name, unit, cents, drawing in (
            ("carottes", "Carottes", Unit.KILO, 250, "carrot"),
            ("salade", "Salade", Unit.PIECE, 130, "salad"),
            ("radis", "Radis", Unit.BUNCH, 180, "radish"),
            ("oeufs", "Œufs", Unit.PIECE, 40, "egg"),
        )
    )
    return formulas


def _fill_people(session: Session, points: dict[str, PickupPoint], formulas: dict[str, Formula]) -> None:
    password = hash_password(PASSPHRASE)
    everyday, admin = [Role(name=name) for name in EVERYDAY], Role(name=RoleName.ADMIN)
    session.add_all((*everyday, admin))

    def person(email: str, first: str, last: str, roles: list[Role]) -> Account:
        account = Account(
            email=email,
            password=password,
            fs_uniquifier=f"uniquifier-of-{email}",
            first_name=first,
            last_name=last,
            phone="06 39 98 00 01",
            created_at=NOW - timedelta(days=400),
            roles=roles,
        )
        session.add(account)
        return account

    camille = person(CAMILLE, "Camille", "Aubert", [])
    yacine = person(YACINE, "Yacine", "Benali", [])
    person(STAFF, "Sophie", "Durand", everyday)
    person(ADMIN, "Gérard", "Martin", [*everyday, admin])
    for account, formula, point, rhythm in (
        (camille, "grand", "halle", Rhythm.WEEKLY),
        (camille, "oeufs", "halle", Rhythm.WEEKLY),
        (yacine, "petit", "mairie", Rhythm.FORTNIGHT_A),
    ):
        session.add(
            Subscription(
                account=account,
                created_at=NOW - timedelta(days=300),
                last_day=None,
                terms=[
                    Term(
                        monday=date(2026, 1, 5),
                        until=None,
                        formula=formulas[formula],
                        quantity=1,
                        rhythm=rhythm,
                        pickup_point=points[point],
                    )
                ],
            )
        )
