"""Fills an empty database with the demo farm: the same seed and day make the same farm, secrets aside."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from math import ceil
from random import Random

from flask_security.utils import hash_password
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role
from portal.boxes import services as boxes
from portal.boxes.models import Basket
from portal.catalogue.models import Formula, FormulaPrice, Kind, Product, Unit
from portal.compositions.models import Composition
from portal.deliveries import services as deliveries
from portal.deliveries.jobs import AHEAD
from portal.deliveries.models import Delivery, Tour
from portal.demo import (
    accounts,
    books,
    customers,
    departures,
    farm,
    harvest,
    household,
    joining,
    letters,
    mailbag,
    orders,
    parting,
    people,
    shelves,
)
from portal.demo.points import POINTS
from portal.demo.vegetables import EGGS, VEGETABLES
from portal.demo.vegetables import harvest as harvest_of
from portal.pickup.models import PickupPoint, PointClosing
from portal.profile.models import FarmProfile, News
from portal.rules.calendar import WEEK, monday_of
from portal.rules.money import Money
from portal.rules.permissions import RoleName
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from portal.web.i18n import french

BACK = 13 * WEEK
"""So long ago it is known what boxes held and who ordered; who got which box, as long as bills go back."""
SEED = 1
USUAL_SUBSCRIBERS = 200
"""For whom the points have room; a larger demo farm has larger points."""


class NotEmptyError(Exception):
    """The database has accounts: somebody's data would mix with invented ones."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How much was made."""

    accounts: int
    subscriptions: int
    deliveries: int
    baskets: int
    compositions: int
    orders: int


def generate(
    session: Session,
    *,
    subscribers: int = USUAL_SUBSCRIBERS,
    seed: int = SEED,
    months: int = books.MONTHS,
    today: date,
    now: datetime,
) -> Summary:
    """Write the demo farm as it stands at `now`, the clock's time, with that many billed months behind it.

    Raises NotEmptyError over any account.
    """
    if session.scalar(select(Account.id).limit(1)) is not None:
        raise NotEmptyError
    _add_farm(session, now)
    size = ceil(subscribers / USUAL_SUBSCRIBERS)
    _add_tours(session, size)
    _add_catalogue(session, today)
    session.flush()
    shelves.add_shop(session, size, today, now)
    _add_deliveries(session, min(today - BACK, books.first_month(today, months)), today, now)
    _close_a_point(session, today, now)
    _add_people(session, subscribers, seed, now)
    _freeze(session, now)
    harvest.add_compositions(session, seed, now, since=today - BACK)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("ANALYZE"))  # its planner still takes all that was just written for a few rows
    orders.add_orders(session, seed, now, since=today - BACK)
    household.share(session, now)
    accounts.add_details(session, now)
    mailbag.fill_mailbag(session, now)
    books.keep_books(session, seed, now, months)
    letters.add_letters(session, seed, now)
    joining.add_joining(session, now)
    parting.part(session, now)
    departures.let_go(session, now)
    tables = (Account, Subscription, Delivery, Basket, Composition, Order)
    return Summary(*(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables))


def _add_farm(session: Session, now: datetime) -> None:
    card = farm.FARM
    session.add(
        FarmProfile(
            id=1,
            name=card.name,
            tagline=french(card.tagline),
            email=card.email,
            phone=card.phone,
            phone_hours=french(card.phone_hours),
            address=card.address,
            postcode=card.postcode,
            town=card.town,
            certifier=card.certifier,
            certificate=card.certificate,
        )
    )
    session.add_all(
        News(
            title=french(news.title), text=french(news.text), published_at=now - timedelta(days=news.days_ago)
        )
        for news in farm.NEWS
    )


def _add_tours(session: Session, size: int) -> None:
    for tour in farm.TOURS:
        row = Tour(
            slug=tour.slug,
            name=tour.name,
            weekday=tour.weekday,
            lead_days=tour.lead_days,
            lead_time=tour.closes_at,
        )
        session.add(row)
        stops = [point for point in POINTS if point.tour == tour.slug]
        session.add_all(
            PickupPoint(
                tour=row,
                position=position,
                slug=point.slug,
                name=point.name,
                address=point.address,
                postcode=point.postcode,
                town=point.town,
                latitude=point.latitude,
                longitude=point.longitude,
                opens=point.opens,
                closes=point.closes,
                access=french(point.access),
                capacity=point.capacity * size,
                contact=point.contact,
                phone=point.phone,
                driver_note=french(point.driver_note),
            )
            for position, point in enumerate(stops)
        )


def _add_catalogue(session: Session, today: date) -> None:
    session.add_all(
        Product(
            slug=product.slug,
            name=product.name,
            unit=Unit(product.unit),
            value=Money(product.price),
            drawing=product.drawing,
            storage=french(product.storage),
            **asdict(harvest_of(product)),
        )
        for product in (*VEGETABLES, EGGS)
    )
    for position, formula in enumerate(farm.FORMULAS):
        price = FormulaPrice(
            since=date(today.year - 4, 1, 1), price=Money(formula.price), vat_basis_points=formula.vat
        )
        session.add(
            Formula(
                slug=formula.slug,
                name=formula.name,
                short_name=formula.short_name,
                kind=Kind(formula.kind),
                description=french(formula.description),
                serves=formula.serves,
                drawing=formula.drawing,
                position=position,
                weight=formula.weight,
                per_crate=formula.per_crate,
                prices=[price],
            )
        )


def _add_deliveries(session: Session, since: date, today: date, now: datetime) -> None:
    """All that is told of and a year ahead; the farm is closed in the week of Christmas."""
    deliveries.generate(session, since, today + AHEAD)
    session.flush()
    christmases = {monday_of(date(year, 12, 25)) for year in range(today.year - 1, today.year + 3)}
    for delivery in session.scalars(select(Delivery).where(Delivery.week.in_(christmases))):
        delivery.cancelled_at = min(delivery.cutoff_at - timedelta(days=60), now - timedelta(days=5))
        delivery.cancel_reason = french("Fermeture de Noël : toute l'équipe est en congé cette semaine.")


def _close_a_point(session: Session, today: date, now: datetime) -> None:
    """The first point of a round has works in three weeks; the next one stands in."""
    stops = select(PickupPoint).join(PickupPoint.tour).where(Tour.slug == farm.TOURS[1].slug)
    closed, substitute = session.scalars(stops.order_by(PickupPoint.position).limit(2))
    first = monday_of(today) + timedelta(weeks=3)
    session.add(
        PointClosing(
            pickup_point_id=closed.id,
            substitute_id=substitute.id,
            first_day=first,
            last_day=first + timedelta(days=13),
            reason=french("Travaux dans la salle."),
            made_at=now - timedelta(days=1),
        )
    )


def _add_people(session: Session, subscribers: int, seed: int, now: datetime) -> None:
    market = customers.Market(session, Random(f"people/{seed}"), now)
    camille = customers.save(session, customers.first(subscribers, market))[0]
    camille.password = hash_password(people.PASSPHRASE)
    roles = {name: Role(name=name) for name in RoleName}
    years_ago = now - timedelta(weeks=200)
    for person, names in people.TEAM:
        account = customers.account_of(person, years_ago, hash_password(people.PASSPHRASE))
        account.roles = [roles[name] for name in names]
        session.add(account)
    session.flush()


def _freeze(session: Session, now: datetime) -> None:
    """What has closed is frozen as the worker does it, and dated as if it had been there in time."""
    closed = session.scalars(
        select(Delivery)
        .where(Delivery.cutoff_at <= now, Delivery.cancelled_at.is_(None))
        .order_by(Delivery.cutoff_at, Delivery.id)
    )
    for delivery in closed.all():
        if boxes.freeze(session, delivery.id):
            delivery.frozen_at = delivery.cutoff_at
