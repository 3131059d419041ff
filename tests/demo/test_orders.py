"""The demo farm's shop as it stands in the database: what there is, who has ordered it, what became of it."""

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from portal.accounts.models import Account, Address
from portal.boxes.carried import received
from portal.boxes.models import Basket
from portal.catalogue.articles import on_sale
from portal.catalogue.models import Article, Category, DeliveryStock, Label, NotOnTour, Supplier
from portal.deliveries.models import Delivery
from portal.demo.people import SUBSCRIBER
from portal.profile.queries import conditions_in_force
from portal.rules.cutoffs import is_past, local_day
from portal.rules.money import Money
from portal.rules.orders import LIVE, OrderState, may_become
from portal.rules.pricing import DatedPrice, price_on
from portal.rules.selling import Journey, Missing, SaleUnit, StockKind, amount, is_low, why_missing
from portal.rules.vouchers import discount
from portal.rules.withdrawals import may_withdraw
from portal.shop.models import (
    Cart,
    Happening,
    Order,
    OrderLine,
    ShopSettings,
    Voucher,
    VoucherUse,
    Wish,
    Withdrawal,
)
from portal.shop.vouchers import terms_of
from portal.subscriptions.models import Subscription
from tests.demo.conftest import Demo

CAMILLE = "abonnee@example.org"
FINISHED = {OrderState.DELIVERED, OrderState.CANCELLED, OrderState.REFUSED}


@pytest.fixture
def orders(demo: Demo) -> list[Order]:
    everything = (
        selectinload(Order.lines).joinedload(OrderLine.article).selectinload(Article.prices),
        selectinload(Order.events),
        joinedload(Order.account),
    )
    return demo.all(select(Order).options(*everything).order_by(Order.id))


def test_the_shop_sells_sixty_articles_of_which_some_are_low_and_some_are_gone(demo: Demo) -> None:
    tables = (Article, Category, Supplier, Voucher, ShopSettings)
    assert [len(demo.all(select(table))) for table in tables] == [60, 8, 6, 4, 1]
    offers = on_sale(demo.session, demo.today)
    assert len(offers) == 60
    assert Counter(offer.article.stock_kind for offer in offers).keys() == set(StockKind)
    assert sum(is_low(offer.goods, offer.left) for offer in offers) >= 4
    missing = Counter(offer.missing(None, demo.now) for offer in offers)
    assert missing[Missing.SOLD_OUT] >= 1 and missing[Missing.OUT_OF_SEASON] >= 5
    assert missing[None] >= 40
    assert {offer.article.label for offer in offers} == {*Label, None}
    assert len(demo.all(select(NotOnTour.article_id).distinct())) >= 5


def test_every_article_has_had_a_price_for_as_long_as_there_are_orders(demo: Demo) -> None:
    since = demo.today - timedelta(weeks=15)
    changed = coming = 0
    for article in demo.all(select(Article).options(selectinload(Article.prices))):
        days = [price.since for price in article.prices]
        assert days[0] <= since
        changed += len([day for day in days if since < day <= demo.today])
        coming += days[-1] > demo.today
    assert changed >= 3 and coming >= 1


def test_conditions_are_in_force_and_every_order_was_placed_under_them(
    demo: Demo, orders: list[Order]
) -> None:
    conditions = conditions_in_force(demo.session)
    assert conditions is not None and len(conditions.sections) > 8
    assert {order.conditions_id for order in orders} == {conditions.id}
    assert all(conditions.published_at < order.placed_at for order in orders)


def test_three_months_of_orders_are_there_in_all_states(demo: Demo, orders: list[Order]) -> None:
    days = [order.told_day for order in orders]
    assert min(days) <= demo.today - timedelta(weeks=11) and max(days) > demo.today
    states = Counter(order.state for order in orders)
    under_way = {delivery.id for delivery in _closed(demo) if delivery.day >= demo.today}
    expected = set(OrderState) - (set() if under_way else {OrderState.PREPARED})
    assert states.keys() == expected
    assert states[OrderState.DELIVERED] > 100 and demo.summary.orders == len(orders)


def test_an_order_is_as_far_as_its_delivery(demo: Demo, orders: list[Order]) -> None:
    for order in orders:
        delivery = order.delivery
        assert delivery.cancelled_at is None and order.told_day == delivery.day
        if delivery.day < demo.today:
            assert order.state in FINISHED
        elif is_past(delivery.cutoff_at, demo.now):
            assert order.state not in {OrderState.PLACED, OrderState.DELIVERED}
        else:
            assert order.state not in {OrderState.PREPARED, OrderState.DELIVERED}


def test_the_next_deliveries_of_each_tour_have_orders_to_judge_and_orders_to_prepare(
    demo: Demo, orders: list[Order]
) -> None:
    ahead = [order for order in orders if order.delivery.cutoff_at > demo.now]
    assert {order.state for order in ahead} >= {OrderState.PLACED, OrderState.ACCEPTED}
    assert len({order.delivery.tour_id for order in ahead}) == 3


def test_an_order_travels_with_a_box_of_its_owner_to_where_that_is_collected(
    demo: Demo, orders: list[Order]
) -> None:
    boxes = {
        tuple(row)
        for row in demo.session.execute(
            select(Subscription.account_id, Basket.delivery_id, Basket.pickup_point_id).join(
                Basket, Basket.subscription_id == Subscription.id
            )
        )
    }
    coming = received([order.delivery_id for order in orders]).subquery()
    boxes |= {
        tuple(row)
        for row in demo.session.execute(
            select(Subscription.account_id, coming.c.delivery_id, coming.c.pickup_point_id).join(
                coming, coming.c.subscription_id == Subscription.id
            )
        )
    }
    for order in orders:
        assert order.with_box is (order.account_id is not None)
        assert order.pickup_point.tour_id == order.delivery.tour_id
        if order.with_box:
            assert (order.account_id, order.delivery_id, order.pickup_point_id) in boxes


def test_guests_ordered_for_enough_and_gave_all_that_is_asked(demo: Demo, orders: list[Order]) -> None:
    guests = [order for order in orders if order.account_id is None]
    minimum = demo.session.scalars(select(ShopSettings.guest_minimum)).one()
    known = set(demo.all(select(Account.email)))
    assert len(guests) >= 3
    assert all(_subtotal(order) >= minimum for order in guests)
    assert [order.email for order in guests if order.email in known] == [SUBSCRIBER.email], (
        "she had not signed in"
    )
    assert all(
        order.name and order.phone and order.street and order.postcode and order.town for order in orders
    )


def test_the_first_order_kept_where_the_bills_go(demo: Demo, orders: list[Order]) -> None:
    kept = {
        (address.account_id, address.street, address.town)
        for address in demo.all(select(Address).where(Address.billing, Address.archived_at.is_(None)))
    }
    used = {(order.account_id, order.street, order.town) for order in orders if order.account_id}
    assert used <= kept


def test_everything_was_to_be_had_when_it_was_ordered(demo: Demo, orders: list[Order]) -> None:
    goods = {offer.article.id: offer.goods for offer in on_sale(demo.session, demo.today)}
    for order in orders:
        delivery = order.delivery
        assert order.placed_at < min(delivery.cutoff_at, demo.now)
        assert order.account is None or order.account.created_at < order.placed_at
        journey = Journey(delivery.day, delivery.tour_id, delivery.cutoff_at, cancelled=False)
        assert order.lines and len({line.article_id for line in order.lines}) == len(order.lines)
        for line in order.lines:
            assert why_missing(goods[line.article_id], journey, order.placed_at) is None
            assert line.quantity % (line.article.step or 1) == 0 < line.quantity


def test_lines_keep_the_price_of_the_day_on_which_they_were_ordered(orders: list[Order]) -> None:
    older = 0
    for order in orders:
        for line in order.lines:
            prices = [DatedPrice(row.since, row.price, row.vat_basis_points) for row in line.article.prices]
            price = price_on(prices, local_day(order.placed_at))
            assert (line.unit_price, line.vat_basis_points) == (price.price, price.vat_basis_points)
            assert (line.name, line.perishable) == (line.article.name, line.article.perishable)
            older += price != max(prices, key=lambda price: price.since)
    assert older > 5


def test_what_is_prepared_has_been_weighed_and_nothing_else_has(orders: list[Order]) -> None:
    differing = short = 0
    for order in orders:
        packed = order.state in {OrderState.PREPARED, OrderState.DELIVERED}
        steps = {event.what for event in order.events}
        for line in order.lines:
            if line.sale_unit is SaleUnit.WEIGHT:
                assert (line.given is not None) is packed
            if line.given == 0:
                short += 1
                assert Happening.SHORT in steps
            elif line.given is not None:
                assert line.sale_unit is SaleUnit.WEIGHT and Happening.WEIGHED in steps
                assert 0.9 < line.given / line.quantity < 1.1
                differing += line.given != line.quantity
    assert differing > 10 and short >= 1


def test_timelines_go_forward_by_steps_that_exist(demo: Demo, orders: list[Order]) -> None:
    for order in orders:
        times = [event.at for event in order.events]
        assert times == sorted(times) and times[-1] <= demo.now
        assert order.changed_at == times[-1]
        assert order.events[0].what is Happening.PLACED and times[0] == order.placed_at
        states = [OrderState(event.what) for event in order.events if event.what in set(OrderState)]
        assert states[-1] is order.state
        assert all(may_become(before, after) for before, after in pairwise(states))
        if order.state in {OrderState.CANCELLED, OrderState.REFUSED}:
            assert times[-1] <= order.delivery.cutoff_at
        refused = [event.reason for event in order.events if event.what is Happening.REFUSED]
        assert all(refused)


def test_numbers_rise_with_time(orders: list[Order]) -> None:
    assert [order.placed_at for order in orders] == sorted(order.placed_at for order in orders)
    assert len({order.cart_key for order in orders}) == len(orders)


def test_what_is_left_for_a_delivery_is_what_nobody_has_ordered(demo: Demo, orders: list[Order]) -> None:
    taken: dict[tuple[int, int], int] = defaultdict(int)
    for order in orders:
        for line in order.lines:
            if order.state in LIVE and line.article.stock_kind is StockKind.BY_DELIVERY:
                taken[line.article_id, order.delivery_id] += line.quantity
    per_delivery = {article.id: article.per_delivery for article in demo.all(select(Article))}
    left = {(row.article_id, row.delivery_id): row.remaining for row in demo.all(select(DeliveryStock))}
    assert left == {key: per_delivery[key[0]] - quantity for key, quantity in taken.items()}
    assert len(left) > 50


def test_vouchers_are_current_expired_and_used_up_and_took_off_what_they_say(
    demo: Demo, orders: list[Order]
) -> None:
    rows = {voucher.id: voucher for voucher in demo.all(select(Voucher))}
    uses = {use.order_id: rows[use.voucher_id] for use in demo.all(select(VoucherUse))}
    counts = Counter(voucher.code for voucher in uses.values())
    assert counts["MERCI-CHANTIER"] == 3 == next(v.uses for v in rows.values() if v.code == "MERCI-CHANTIER")
    current = {
        voucher.code for voucher in rows.values() if voucher.first_day <= demo.today <= voucher.last_day
    }
    assert current == {"BIENVENUE", "SAISON10", "MERCI-CHANTIER"}
    assert counts["BIENVENUE"] and counts["SAISON10"]
    people = Counter((order.account_id, uses[order.id].code) for order in orders if order.id in uses)
    assert all(count == 1 for (_, code), count in people.items() if code != "SAISON10")
    for order in orders:
        voucher = uses.get(order.id)
        if voucher is None:
            assert order.discount == Money.zero() or order.state not in LIVE
            continue
        assert order.state in LIVE
        assert voucher.first_day <= local_day(order.placed_at) <= voucher.last_day
        assert voucher.minimum <= _subtotal(order)
        assert order.discount == discount(terms_of(voucher), _subtotal(order)) > Money.zero()


def test_camille_has_orders_in_several_states_and_one_with_her_next_boxes(
    demo: Demo, orders: list[Order]
) -> None:
    own = [order for order in orders if order.email == CAMILLE]
    ahead = [order for order in own if not is_past(order.delivery.cutoff_at, demo.now)]
    ahead.sort(key=lambda order: order.delivery.day)
    assert {order.state for order in own} >= {*FINISHED, OrderState.PLACED, OrderState.ACCEPTED}
    next_open = min(
        (row for row in _open(demo) if row.tour_id == ahead[0].delivery.tour_id), key=lambda row: row.day
    )
    assert next_open.id == ahead[0].delivery_id and ahead[0].state is OrderState.PLACED
    assert any(not line.perishable for order in own if order.state in LIVE for line in order.lines)
    assert not demo.all(select(Cart))


def test_two_orders_were_sent_back_of_which_one_is_settled(demo: Demo, orders: list[Order]) -> None:
    by_id = {order.id: order for order in orders}
    rows = {row.id: row for row in demo.all(select(Withdrawal))}
    returned = [line for order in orders for line in order.lines if line.withdrawal_id]
    assert sorted(line.withdrawal_id or 0 for line in returned) == sorted(rows)
    assert sorted(row.settled_at is None for row in rows.values()) == [False, True]
    for line in returned:
        row, order = rows[line.withdrawal_id or 0], by_id[line.order_id]
        assert row.order_id == order.id and (row.name, row.email) == (order.name, order.email)
        assert may_withdraw(line.perishable, order.delivery.day, local_day(row.made_at))
        assert order.events[-1].what is Happening.WITHDRAWN and row.made_at < demo.now


def test_some_wish_for_what_they_cannot_have_today(demo: Demo) -> None:
    offers = {offer.article.id: offer for offer in on_sale(demo.session, demo.today)}
    wishes = demo.all(select(Wish))
    for wish in wishes:
        missing = offers[wish.article_id].missing(None, demo.now)
        assert (wish.missed_at is not None) is (missing is not None)
        assert wish.made_at < demo.now
    assert len({wish.account_id for wish in wishes}) > 15
    camille = demo.session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
    own = [wish for wish in wishes if wish.account_id == camille]
    assert {wish.missed_at is None for wish in own} == {True, False}


def _subtotal(order: Order) -> Money:
    return sum((amount(line.unit_price, line.sale_unit, line.quantity) for line in order.lines), Money.zero())


def _closed(demo: Demo) -> list[Delivery]:
    return demo.all(select(Delivery).where(Delivery.frozen_at.is_not(None)))


def _open(demo: Demo) -> list[Delivery]:
    return demo.all(select(Delivery).where(Delivery.cutoff_at > demo.now, Delivery.cancelled_at.is_(None)))
