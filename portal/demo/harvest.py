"""What the demo farm's past boxes held, and what is known of the coming ones."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, Product
from portal.compositions.models import Composition, CompositionChange, CompositionLine, CompositionState
from portal.deliveries.models import Delivery
from portal.demo import farm, season
from portal.rules.cutoffs import is_past, local_day

# Before the cutoff, or before now where the cutoff is still to come.
SHOWN, CORRECTED, CONFIRMED = timedelta(days=4), timedelta(hours=20), timedelta(hours=9)


def add_compositions(session: Session, seed: int, now: datetime) -> None:
    """What boxes hold: all that was delivered, and two coming deliveries of each tour."""
    formulas = {formula.slug: formula.id for formula in session.scalars(select(Formula))}
    products = {product.slug: product.id for product in session.scalars(select(Product))}
    coming = []
    for delivery, state in _composed(session, now):
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
    for composition, missing_id, planned, at in coming:
        came = composition.lines[-1]
        session.add_all(
            CompositionChange(
                composition_id=composition.id, product_id=product_id, at=at, before=before, after=after
            )
            for product_id, before, after in ((missing_id, planned, 0), (came.product_id, 0, came.amount))
        )
    session.flush()


def _composed(session: Session, now: datetime) -> Iterator[tuple[Delivery, CompositionState]]:
    """Of each tour what has closed, confirmed, then the next delivery as a forecast, one more as a draft."""
    held = select(Delivery).where(Delivery.cancelled_at.is_(None)).order_by(Delivery.tour_id, Delivery.day)
    for _, of_tour in groupby(session.scalars(held).all(), key=lambda delivery: delivery.tour_id):
        ahead = iter((CompositionState.FORECAST, CompositionState.DRAFT))
        for delivery in of_tour:
            closed = is_past(delivery.cutoff_at, now)
            state = CompositionState.CONFIRMED if closed else next(ahead, None)
            if state is None:
                break
            yield delivery, state
