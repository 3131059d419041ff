"""Points, formulas, names, the round, the labels and the harvest say the same of every farm."""

from collections import Counter
from dataclasses import dataclass
from itertools import product as pairs

import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.boxes.services import freeze
from portal.catalogue.models import Product
from portal.compositions.models import Composition, CompositionLine, CompositionState, Exclusion
from portal.deliveries.models import Delivery
from portal.deliveries.queries import DeliveryView, view
from portal.packing.harvest import Amount, harvest_list, needs
from portal.packing.labels import labels
from portal.packing.queries import counts, packing_list
from portal.packing.rounds import round_sheet
from portal.pickup.models import PickupPoint
from portal.rules.contents import Swap, at_point
from portal.rules.planning import Box
from portal.rules.selling import SaleUnit
from tests.boxes.test_projection import FORMULAS, POINTS, Farm, farms, write
from tests.infra.workers import ROUNDS
from tests.shop.making import article, order
from tests.world import NOW

PRODUCTS = ("carottes", "salade", "radis")
HERE = [point for point, tour in POINTS if tour == POINTS[0][1]]

amounts = st.integers(1, 900)
insides = st.dictionaries(st.sampled_from(PRODUCTS), amounts, max_size=3)
exclusions = st.dictionaries(
    st.tuples(st.sampled_from(FORMULAS), st.sampled_from(HERE), st.sampled_from(PRODUCTS)),
    st.none() | st.tuples(st.sampled_from(PRODUCTS), amounts),
    max_size=4,
)


@dataclass(frozen=True)
class Week:
    """What the boxes of each delivery of a tour hold, what not at which point, and what is ordered where."""

    inside: dict[int, dict[str, int]]
    exclusions: dict[tuple[int, int, str], tuple[str, int] | None]
    orders: list[tuple[int, int]]


weeks = st.builds(
    Week,
    st.fixed_dictionaries(dict.fromkeys(FORMULAS, insides)),
    exclusions,
    st.lists(st.tuples(st.sampled_from(HERE), st.integers(1, 500)), max_size=3),
)


@settings(
    max_examples=4 * ROUNDS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(farm=farms(), week=weeks)
def test_all_papers_of_a_delivery_sum_up_to_the_same_before_and_after_the_freeze(
    session: Session, clock: time_machine.Traveller, farm: Farm, week: Week
) -> None:
    try:
        write(session, farm)
        season = [delivery for delivery in farm.deliveries if delivery.tour_id == POINTS[0][1]]
        ids = {slug: i for slug, i in session.execute(select(Product.slug, Product.id)) if slug in PRODUCTS}
        for delivery in season:
            compose(session, delivery.id, week, ids)
        boxes = farm.baskets()
        clock.move_to(max(delivery.cutoff for delivery in season))
        for frozen, delivery in pairs((False, True), season):
            if frozen:
                assert freeze(session, delivery.id) is not delivery.cancelled
            row = session.get_one(Delivery, delivery.id)
            carried = [box for box in boxes if box.delivery.id == delivery.id]
            compare(session, view(row), carried, week if not delivery.cancelled else None, ids)
    finally:
        session.rollback()
        session.expunge_all()


def compose(session: Session, delivery_id: int, week: Week, ids: dict[str, int]) -> None:
    for formula, inside in week.inside.items():
        written = Composition(
            delivery_id=delivery_id,
            formula_id=formula,
            state=CompositionState.CONFIRMED,
            lines=[CompositionLine(product_id=ids[slug], amount=n) for slug, n in inside.items()],
        )
        session.add(written)
        session.flush()
        for (of, point, slug), instead in week.exclusions.items():
            if of == formula:
                session.add(
                    Exclusion(
                        composition_id=written.id,
                        pickup_point_id=point,
                        product_id=ids[slug],
                        instead_id=ids[instead[0]] if instead else None,
                        instead_amount=instead[1] if instead else None,
                        made_at=NOW,
                    )
                )
    row = session.get_one(Delivery, delivery_id)
    if week.orders:
        loose = article(session, f"Vrac {delivery_id}", sale_unit=SaleUnit.WEIGHT, step=1)
    for point, grams in week.orders:
        collected = session.get_one(PickupPoint, point)
        order(session, {loose: grams}, email=None, point="halle", delivery=row, pickup_point=collected)
    session.flush()


def compare(
    session: Session, delivery: DeliveryView, boxes: list[Box], week: Week | None, ids: dict[str, int]
) -> None:
    expected: Counter[int] = Counter()
    for box in boxes:
        inside = {ids[slug]: amount for slug, amount in week.inside[box.formula_id].items()} if week else {}
        swaps = [
            Swap(ids[slug], ids[instead[0]] if instead else None, instead[1] if instead else 0)
            for (formula, point, slug), instead in (week.exclusions if week else {}).items()
            if (formula, point) == (box.formula_id, box.point_id)
        ]
        for product_id, amount in at_point(inside, swaps).items():
            expected[product_id] += amount * box.quantity
    orders = week.orders if week else []
    grams = sum(ordered for _, ordered in orders)
    needed = {
        i: Amount(expected[i] + grams) if slug == "carottes" else Amount(pieces=expected[i])
        for slug, i in ids.items()
    }
    assert {i: found for i, found in needs(session, delivery.id).items() if found} == {
        i: found for i, found in needed.items() if found
    }
    harvested = {picking.crop.id: picking.needed for picking in harvest_list(session, delivery).pickings}
    assert {i: found for i, found in harvested.items() if found} == {i: f for i, f in needed.items() if f}

    packed, carried = packing_list(session, delivery), sum(box.quantity for box in boxes)
    summed = counts(session, delivery)
    assert dict(summed.tally.boxes) == dict(packed.counts.tally.boxes)
    people = [recipient for stop in packed.stops for recipient in stop.recipients]
    calls = round_sheet(session, delivery).stops
    for number in (
        packed.counts.tally.count(),
        sum(packed.counts.tally.count(point=point) for point in packed.counts.points),
        sum(packed.counts.tally.count(formula=formula) for formula in packed.counts.formulas),
        sum(item.quantity for recipient in people for item in recipient.items),
        sum(call.boxes for call in calls),
        sum(label.formula is not None for label in labels(packed)),
    ):
        assert number == carried
    assert sum(len(r.orders) for r in people) == sum(call.orders for call in calls) == len(orders)
    assert [r.number for r in people] == list(range(1, len(people) + 1))
    assert [n for call in calls for a, b in call.numbers for n in range(a, b + 1)] == [
        r.number for r in people
    ]
