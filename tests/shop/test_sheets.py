"""What a delivery's orders are prepared by: bags, piles, and what is still to do."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article, Category, Product, Supplier
from portal.packing.harvest import Amount, ordered_amounts
from portal.rules.orders import LIVE, OrderState
from portal.rules.selling import Measured, SaleUnit
from portal.shop.models import Order
from portal.shop.sheets import bags, orders_by_point, piles, work
from tests.composing import delivery_on
from tests.shop.making import article, line, order
from tests.world import NOW, TUESDAY, YACINE


@pytest.fixture
def tuesday(session: Session) -> int:
    return delivery_on(session, TUESDAY).id


@pytest.fixture
def honey(session: Session) -> Article:
    return article(session, "Miel", supplier=Supplier(name="Le Rucher"))


def many_orders(session: Session) -> list[Order]:
    """Of all states, for members and guests, at both points of the tour, some lines short or weighed."""
    goods = [
        article(
            session, f"Produit {n}", 100 + n, sale_unit=unit, step=250 if unit is SaleUnit.WEIGHT else None
        )
        for n, unit in enumerate(SaleUnit)
    ]
    made = []
    for n in range(40):
        chosen = {good: (1 + n % 3) * (good.step or 1) for good in goods[n % 5 :]}
        made.append(
            order(
                session,
                chosen,
                email=(YACINE, None)[n % 2],
                point=("halle", "gare")[n % 3 % 2],
                state=list(OrderState)[n % 6],
            )
        )
        made[-1].lines[0].given = n % 2 or None
    session.flush()
    return made


def test_points_products_and_orders_sum_up_to_the_same(session, tuesday):
    made = [one for one in many_orders(session) if one.state in LIVE]
    ordered = sum(row.quantity if row.given is None else row.given for one in made for row in one.lines)
    found = bags(session, tuesday)
    heaps = piles(found)
    assert len(found) == len(made) == sum(orders_by_point(session, tuesday).values())
    assert sum(portion.quantity for bag in found for portion in bag.portions) == ordered
    assert sum(heap.total for heap in heaps) == ordered
    for point_id in orders_by_point(session, tuesday):
        there = sum(p.quantity for bag in found if bag.pickup_point_id == point_id for p in bag.portions)
        assert there == sum(heap.by_point.get(point_id, 0) for heap in heaps)
    grams = sum(heap.total for heap in heaps if heap.portion.sale_unit is SaleUnit.WEIGHT)
    units = ordered - grams
    harvest = ordered_amounts(session, tuesday).values()
    assert (sum(h.grams for h in harvest), sum(h.pieces for h in harvest)) == (grams, units)


def test_only_what_comes_is_put_into_a_bag(session, tuesday, honey):
    for state in OrderState:
        order(session, {honey: 1}, state=state)
    short = order(session, {honey: 2, article(session, "Jus"): 1}, email=None)
    short.lines[0].given = 0
    session.flush()
    found = bags(session, tuesday)
    assert {bag.state for bag in found} == LIVE
    guest = next(bag for bag in found if bag.guest)
    assert [portion.name for portion in guest.portions] == ["Jus"]
    assert (guest.last_name, guest.first_name, guest.number) == ("Roux", "Emma", short.number)


def test_bags_are_in_alphabetical_order_and_piles_shelf_by_shelf(session, tuesday):
    second = Category(slug="legumes", name="Légumes", position=1, drawing="leek")
    leeks, honey, juice = (
        article(session, "Poireaux", category=second),
        article(session, "Miel"),
        article(session, "Éclairs"),
    )
    order(session, {leeks: 1, honey: 1}, email=None, name="Zoé d'Arc")
    order(session, {juice: 1})
    order(session, {honey: 1}, email=None, name="Éluard")
    found = bags(session, tuesday)
    assert [bag.last_name for bag in found] == ["Aubert", "d'Arc", "Éluard"]
    assert [pile.portion.name for pile in piles(found)] == ["Éclairs", "Miel", "Poireaux"]


def test_a_cancelled_delivery_carries_nothing_unless_one_asks_what_it_would(session, tuesday, honey):
    made = order(session, {honey: 1})
    made.delivery.cancelled_at = NOW
    session.flush()
    assert bags(session, tuesday) == [] and orders_by_point(session, tuesday) == {}
    assert ordered_amounts(session, tuesday) == {}
    assert [bag.id for bag in bags(session, tuesday, although_cancelled=True)] == [made.id]


def test_work_counts_states_and_what_waits_for_the_scale(session, tuesday, honey):
    carrots = article(session, "Carottes", sale_unit=SaleUnit.WEIGHT, step=250)
    order(session, {carrots: 250, honey: 1})
    weighed = order(session, {carrots: 250})
    weighed.lines[0].given = 240
    order(session, {carrots: 250}, state=OrderState.PLACED)
    order(session, {honey: 1}, state=OrderState.CANCELLED)
    session.flush()
    other = delivery_on(session, TUESDAY.replace(day=23)).id
    found = work(session, [tuesday, other])
    assert (found[tuesday].to_accept, found[tuesday].to_prepare, found[tuesday].to_weigh) == (1, 2, 1)
    assert found[tuesday].live == 3 and found[other].live == 0


def test_the_harvest_knows_grams_of_what_is_weighed_and_pieces_of_what_is_counted(session, tuesday):
    carrots = article(session, "Carottes", sale_unit=SaleUnit.WEIGHT, step=250)
    sack = article(session, "Sac", sale_unit=SaleUnit.PACK, content=2000, measured=Measured.GRAMS)
    bunch = article(session, "Botte", sale_unit=SaleUnit.BUNCH)
    juice = article(session, "Jus", sale_unit=SaleUnit.JAR, content=750, measured=Measured.MILLILITRES)
    salad = article(
        session, "Salade", product="salade", sale_unit=SaleUnit.PIECE, content=300, measured=Measured.GRAMS
    )
    first = order(session, {carrots: 500, sack: 2, bunch: 3, juice: 1, salad: 2})
    first.lines[0].given = 480
    order(session, {carrots: 250}, email=None, state=OrderState.PLACED)
    order(session, {carrots: 750}, state=OrderState.REFUSED)
    session.flush()
    ids = dict(session.execute(select(Product.slug, Product.id)).all())
    assert ordered_amounts(session, tuesday) == {
        ids["carottes"]: Amount(grams=480 + 250 + 4000, pieces=4),
        ids["salade"]: Amount(grams=0, pieces=2),
    }


@pytest.mark.parametrize("read", [bags, orders_by_point, ordered_amounts, lambda s, d: work(s, [d])])
def test_each_is_read_in_one_statement(session, tuesday, count_queries, read):
    many_orders(session)
    session.commit()
    with count_queries() as statements:
        read(session, tuesday)
    assert len(statements) == 1


def test_what_replaces_something_is_handed_out_too(session, tuesday, honey):
    made = order(session, {honey: 2})
    made.lines[0].given = 1
    session.flush()
    made.lines.append(line(article(session, "Gelée"), 1, instead_of_id=made.lines[0].id))
    session.flush()
    [bag] = bags(session, tuesday)
    assert [(p.name, p.quantity) for p in bag.portions] == [("Gelée", 1), ("Miel", 1)]
    assert bag.portions[1].supplier == "Le Rucher"
    assert bag.account_id == session.scalars(select(Account.id).where(Account.last_name == "Aubert")).one()
