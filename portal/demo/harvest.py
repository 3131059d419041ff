"""What the demo farm's past boxes held, and what is known of the coming ones."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Formula, Product
from portal.compositions.models import (
    Composition,
    CompositionChange,
    CompositionLine,
    CompositionState,
    Exclusion,
    ShortageNotice,
)
from portal.deliveries.models import Delivery
from portal.demo import farm, people, season
from portal.pickup.models import PickupPoint
from portal.rules.cutoffs import is_past, local_day
from portal.web.i18n import french

# Before the cutoff, or before now where the cutoff is still to come.
SHOWN, CORRECTED, CONFIRMED = timedelta(days=4), timedelta(hours=20), timedelta(hours=9)
WHY = "Le froid de la nuit en a pris une partie, il n'y en a pas assez pour tout le monde."


def add_compositions(session: Session, seed: int, now: datetime, *, since: date) -> None:
    """What boxes hold: all that was delivered since a day, and two coming deliveries of each tour."""
    formulas = {formula.slug: formula.id for formula in session.scalars(select(Formula))}
    products = {product.slug: product.id for product in session.scalars(select(Product))}
    coming = []
    for delivery, state in _composed(session, since, now):
        known = min(delivery.cutoff_at, now)
        for formula in farm.FORMULAS:
            composition = Composition(
                delivery_id=delivery.id,
                formula_id=formulas[formula.slug],
                state=state,
                shown_at=None if state is CompositionState.DRAFT else known - SHOWN,
                confirmed_at=known - CONFIRMED if state is CompositionState.CONFIRMED else None,
                lines=[
                    CompositionLine(product_id=products[line.product.slug], amount=line.amount)
                    for line in season.compose(formula, delivery.week, seed)
                ],
            )
            session.add(composition)
            if composition.shown_at and delivery.day >= local_day(now) and formula.kind == "vegetables":
                missing = season.fell_short(formula, delivery.week, seed)
                coming.append(
                    (composition, products[missing.product.slug], missing.amount, known - CORRECTED)
                )
    session.flush()
    desk = session.scalars(select(Account.id).where(Account.email == people.STAFF.email)).one()
    last = session.scalar(select(func.max(Account.id)))
    for composition, missing_id, planned, at in coming:
        came = composition.lines[-1]
        session.add_all(
            CompositionChange(
                composition_id=composition.id, product_id=product_id, at=at, before=before, after=after
            )
            for product_id, before, after in ((missing_id, planned, 0), (came.product_id, 0, came.amount))
        )
        session.add(
            ShortageNotice(
                delivery_id=composition.delivery_id,
                product_id=missing_id,
                instead_id=came.product_id,
                formula_ids=[composition.formula_id],
                point_ids=[],
                instead_amounts={str(composition.formula_id): came.amount},
                note=french(WHY),
                made_at=at,
                made_by=desk,
                told_through=last,
                told_at=at,
            )
        )
    _exclude(session, [composition for composition, *_ in coming], now)
    session.flush()


def _exclude(session: Session, shown: Iterable[Composition], now: datetime) -> None:
    """The last stop of each round gets something else than its first vegetable: known from the start."""
    last_stops: dict[int, int] = {}
    for point in session.scalars(select(PickupPoint).order_by(PickupPoint.position)):
        last_stops[point.tour_id] = point.id
    tours = dict(session.execute(select(Delivery.id, Delivery.tour_id)).all())
    mushrooms = session.scalars(select(Product.id).where(Product.slug == "pleurotes")).one()
    for composition in shown:
        held = [line.product_id for line in composition.lines]
        if composition.shown_at and mushrooms not in held:
            session.add(
                Exclusion(
                    composition_id=composition.id,
                    pickup_point_id=last_stops[tours[composition.delivery_id]],
                    product_id=held[0],
                    instead_id=mushrooms,
                    instead_amount=200,
                    made_at=min(now, composition.shown_at) - timedelta(minutes=30),
                )
            )


def _composed(session: Session, since: date, now: datetime) -> Iterator[tuple[Delivery, CompositionState]]:
    """Of each tour what has closed, confirmed, then the next delivery as a forecast, one more as a draft."""
    held = select(Delivery).where(Delivery.cancelled_at.is_(None), Delivery.day >= since)
    held = held.order_by(Delivery.tour_id, Delivery.day)
    for _, of_tour in groupby(session.scalars(held).all(), key=lambda delivery: delivery.tour_id):
        ahead = iter((CompositionState.FORECAST, CompositionState.DRAFT))
        for delivery in of_tour:
            closed = is_past(delivery.cutoff_at, now)
            state = CompositionState.CONFIRMED if closed else next(ahead, None)
            if state is None:
                break
            yield delivery, state
