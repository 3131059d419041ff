"""What is packed: sums that agree whichever way they are made, and lists that name the right people."""

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import Basket
from portal.boxes.services import freeze
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import DeliveryView
from portal.packing.queries import PackingList, counts, packing_list, tallies
from portal.pickup.models import PickupPoint
from portal.planning.services import skip
from portal.rules.calendar import WEEK, monday_of
from portal.rules.orders import LIVE, OrderState
from portal.subscriptions.models import Subscription, Term
from tests import crowd
from tests.composing import delivery_on, formula
from tests.shop.making import article, order
from tests.world import CAMILLE, CUTOFF, TUESDAY, YACINE


@pytest.fixture
def tuesday(session: Session) -> DeliveryView:
    return delivery_on(session, TUESDAY)


def names(found: PackingList) -> list[tuple[str, str]]:
    return [(r.last_name, r.first_name) for stop in found.stops for r in stop.recipients]


def named_boxes(found: PackingList) -> int:
    return sum(i.quantity for stop in found.stops for r in stop.recipients for i in r.items)


def skip_all(session: Session, email: str) -> None:
    account = session.scalars(select(Account).where(Account.email == email)).one()
    ids = list(session.scalars(select(Subscription.id).where(Subscription.account_id == account.id)))
    skip(session, account, ids, monday_of(TUESDAY))


def freeze_tuesday(session: Session, clock: time_machine.Traveller) -> DeliveryView:
    clock.move_to(CUTOFF)
    assert freeze(session, delivery_on(session, TUESDAY).id)
    session.flush()
    return delivery_on(session, TUESDAY)


def test_a_person_is_listed_once_at_her_point_with_all_her_boxes(session, tuesday):
    (stop,) = packing_list(session, tuesday).stops
    assert stop.point.name == "Halle de Serres"
    (camille,) = stop.recipients
    assert (camille.last_name, camille.first_name, camille.customer_number) == ("Aubert", "Camille", None)
    assert [(item.formula.slug, item.quantity) for item in camille.items] == [("grand", 1), ("oeufs", 1)]


def test_who_skips_is_not_on_the_list(session, tuesday):
    skip_all(session, CAMILLE)
    found = packing_list(session, tuesday)
    assert found.stops == () and found.counts.tally.count() == 0


def test_points_without_a_box_are_in_the_sums_in_the_order_of_the_round(session, tuesday):
    found = packing_list(session, tuesday).counts
    assert [(p.slug, found.tally.count(point=p)) for p in found.points] == [("halle", 2), ("gare", 0)]
    assert [formula.slug for formula in found.formulas] == ["grand", "oeufs"]


def test_points_formulas_and_names_sum_up_to_the_same_before_and_after_the_freeze(session, clock, tuesday):
    crowd.add(session, 80)
    before = packing_list(session, tuesday)
    after = packing_list(session, freeze_tuesday(session, clock))
    assert after == before
    frozen = sum(session.scalars(select(Basket.quantity)))
    for found in (before, after):
        totals, tally = found.counts, found.counts.tally
        assert named_boxes(found) == tally.count() == frozen > 60
        assert sum(tally.count(point=point) for point in totals.points) == tally.count()
        assert sum(tally.count(formula=formula) for formula in totals.formulas) == tally.count()
        for stop in found.stops:
            listed = sum(item.quantity for r in stop.recipients for item in r.items)
            assert listed == tally.count(point=stop.point)


def test_the_page_of_counts_and_the_list_agree(session, clock, tuesday):
    crowd.add(session, 40)
    open_counts = counts(session, tuesday)
    assert dict(open_counts.tally.boxes) == dict(packing_list(session, tuesday).counts.tally.boxes)
    frozen = freeze_tuesday(session, clock)
    assert dict(counts(session, frozen).tally.boxes) == dict(open_counts.tally.boxes)


def test_names_are_in_alphabetical_order_as_french_readers_look_them_up(session, tuesday):
    crowd.add(session, 60)
    _, station = packing_list(session, tuesday).stops
    listed = [(r.last_name, r.first_name) for r in station.recipients]
    assert list(dict.fromkeys(last for last, _ in listed)) == [
        "Ångström",
        "Ay",
        "D'Arc",
        "de Gaulle",
        "Durand",
        "Éluard",
        "Noël",
        "Œuvrard",
        "Zélie",
    ]
    for last_name in {last for last, _ in listed}:
        firsts = [first for last, first in listed if last == last_name]
        assert firsts == sorted(firsts) and len(firsts) > 1


def test_two_people_of_one_name_are_told_apart_by_their_customer_number(session, tuesday):
    crowd.add(session, 6)
    session.execute(
        update(Account)
        .where(Account.email.like("personne%"))
        .values(last_name="Aubert", first_name="Camille")
    )
    session.expire_all()
    numbers = [r.customer_number for stop in packing_list(session, tuesday).stops for r in stop.recipients]
    assert len(numbers) > 2 and len(set(numbers)) == len(numbers)
    listed = session.scalars(select(Account)).all()
    assert set(numbers) <= {account.customer_number for account in listed}


def test_an_order_stands_beside_the_boxes_of_its_person(session, tuesday):
    made = order(session, {article(session): 2, article(session, "Jus"): 1})
    found = packing_list(session, tuesday)
    [(camille,)] = [stop.recipients for stop in found.stops]
    assert len(camille.items) == 2
    assert [(bag.number, len(bag.portions)) for bag in camille.orders] == [(made.number, 2)]


def test_who_collects_an_order_alone_and_guests_are_on_the_list_of_their_point(session, tuesday):
    honey = article(session)
    order(session, {honey: 1}, point="gare")  # not where her box is
    yacine = order(session, {honey: 1}, email=YACINE, point="gare", with_box=False)
    guests = [order(session, {honey: 1}, email=None, point="gare") for _ in range(2)]
    hall, station = packing_list(session, tuesday).stops
    assert [r.orders for r in hall.recipients] == [()]
    listed = [(r.last_name, r.first_name, [bag.number for bag in r.orders]) for r in station.recipients]
    assert listed[0][:2] == ("Aubert", "Camille")
    assert listed[1] == ("Benali", "Yacine", [yacine.number])
    assert listed[2:] == [("Roux", "Emma", [guest.number]) for guest in guests]
    assert all(r.items == () for r in station.recipients)


def test_each_order_that_comes_is_listed_once_and_counted_at_its_point(session, tuesday):
    crowd.add(session, 30)
    honey = article(session)
    people = [*session.scalars(select(Account.email).order_by(Account.id)), None, None]
    coming = set()
    for number, email in enumerate(people):
        state = list(OrderState)[number % 6]
        made = order(session, {honey: 1}, email=email, point=("halle", "gare")[number % 2], state=state)
        coming |= {made.number} if state in LIVE else set()
    for found in (packing_list(session, tuesday), counts(session, tuesday)):
        totals = getattr(found, "counts", found)
        assert sum(totals.orders.values()) == len(coming)
    listed = packing_list(session, tuesday)
    numbers = [bag.number for stop in listed.stops for r in stop.recipients for bag in r.orders]
    assert sorted(numbers) == sorted(coming)
    for stop in listed.stops:
        assert sum(len(r.orders) for r in stop.recipients) == listed.counts.orders.get(stop.point.id, 0)


def test_an_order_stays_on_the_list_when_its_point_leaves_the_tour(session, tuesday):
    order(session, {article(session): 1}, point="gare", with_box=False)
    friday = session.scalars(select(Tour).where(Tour.slug == "vendredi")).one()
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one().tour = friday
    session.flush()
    assert [stop.point.slug for stop in packing_list(session, tuesday).stops] == ["halle", "gare"]


def test_two_subscriptions_to_one_formula_are_one_quantity(session, tuesday):
    eggs = session.scalars(select(Term).where(Term.formula_id == formula(session, "oeufs"))).one()
    eggs.formula_id = formula(session, "grand")
    session.flush()
    (camille,) = packing_list(session, tuesday).stops[0].recipients
    assert [(item.formula.slug, item.quantity) for item in camille.items] == [("grand", 2)]


def test_a_frozen_box_stays_on_the_list_when_its_point_leaves_the_tour(session, clock):
    frozen = freeze_tuesday(session, clock)
    friday = session.scalars(select(Tour).where(Tour.slug == "vendredi")).one()
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "halle")).one().tour = friday
    session.flush()
    assert names(packing_list(session, frozen)) == [("Aubert", "Camille")]


def test_a_cancelled_delivery_has_no_list(session, tuesday):
    session.get(Delivery, tuesday.id).cancelled_at = CUTOFF
    session.flush()
    assert packing_list(session, tuesday).stops == ()


@pytest.mark.parametrize("read", [packing_list, counts])
def test_it_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    session, tuesday, count_queries, read
):
    def statements() -> int:
        session.expire_all()
        with count_queries() as seen:
            read(session, tuesday)
        return len(seen)

    honey = article(session)
    crowd.add(session, 3)
    order(session, {honey: 1})
    few = statements()
    crowd.add(session, 300, start=3)
    for _ in range(300):
        order(session, {honey: 1}, email=None)
    assert statements() == few


def test_open_deliveries_of_ten_thousand_subscribers_are_counted_in_one_statement(session, count_queries):
    tuesdays = [delivery_on(session, TUESDAY + n * WEEK) for n in range(2)]
    assert all(delivery.frozen_at is None for delivery in tuesdays)
    ids = [delivery.id for delivery in tuesdays]
    before = tallies(session, ids)
    crowd.add_thousands(session, 10_000)
    with count_queries() as statements:
        after = tallies(session, ids)
    assert len(statements) == 1
    assert [after[i].count() - before[i].count() for i in ids] == [10_000, 10_000]
