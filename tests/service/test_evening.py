"""The evening before: everybody changes, skips, undoes and orders in the last minute, while the freeze runs."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import select, update

from portal.accounts.models import Account
from portal.boxes.models import Basket
from portal.catalogue.models import Article
from portal.deliveries.models import Delivery
from portal.infra.audit import AuditEvent
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.rules.orders import OrderState
from portal.rules.selling import StockKind
from portal.shop.models import Order
from tests import crowd
from tests.client import Browser
from tests.infra.workers import ROUNDS, mute_everybody, wait_until
from tests.service.evening import GARE, GOODS, HALLE, MOST, RARE, Goods, Subscriber
from tests.service.people import NOBODY, all_at_once, at_most, signed_in
from tests.service.processes import Service, service
from tests.shop.making import article, delivery
from tests.world import CUTOFF, STAFF

PROVING = ROUNDS > 1
PEOPLE = 500 if PROVING else 40
LAST = 60.0 if PROVING else 5.0
"""Seconds from the first act to the cutoff."""
AFTER = 6.0 if PROVING else 2.0
PAUSE = 15.0 if PROVING else 1.0
"""Between two looks at the screen, on average."""
P99 = 2.0 if PROVING else 10.0
SOON = timedelta(minutes=10)
STOCK = {"Miel": PEOPLE // 5, **dict.fromkeys(RARE, 1)}
ROOM = PEOPLE // 4
"""How many boxes the second point takes."""
ACTS = (
    "box.change",
    "subscription.suspend",
    "subscription.resume",
    "order.place",
    "order.amend",
    "order.state",
)


@pytest.fixture
def everybody(app: Flask) -> list[int]:
    """Subscribers, known by their numbers, with one small box each at the Halle; nobody else has any."""
    with app.app_context():
        crowd.add_thousands(db.session(), PEOPLE)
    with app.app_context(), own_transaction() as session:
        crowded = Account.first_name == ""
        numbers = list(session.scalars(select(Account.id).where(crowded)))
        session.execute(update(Account).where(crowded).values(last_name=Account.fs_uniquifier))
        for point, room in ((HALLE, PEOPLE * MOST), (GARE, ROOM)):
            session.execute(update(PickupPoint).where(PickupPoint.id == point).values(capacity=room))
        for name in GOODS:
            stock = STOCK.get(name)
            article(
                session, name, stock_kind=StockKind.COUNTED if stock else StockKind.UNLIMITED, stock=stock
            )
    mute_everybody(app)
    return numbers


@dataclass
class Evening:
    """What has been: who acted, and when Tuesday's delivery closed."""

    app: Flask
    people: list[Subscriber]
    closed_at: datetime


@contextmanager
def evening(app: Flask, everybody: list[int], folder: Path) -> Iterator[tuple[Service, Evening]]:
    """All in service; the people begin when the block does, Tuesday's delivery closes LAST seconds later."""
    with service(app, folder, webs=2, workers=2, now=CUTOFF - SOON) as running:
        people = [
            Subscriber(number, signed_in(app, running.webs[number % 2].port, f"{number}@example.org"))
            for number in everybody
        ]
        for number, who in enumerate(people[: 2 * len(RARE)]):
            who.want(len(GOODS) - number // 2)  # each two on two processes
            who.look()
        closed_at = running.now() + timedelta(seconds=LAST)
        with app.app_context(), own_transaction() as session:
            delivery(session).cutoff_at = closed_at
        for who in people:
            who.chance, who.pause = random.Random(f"{app.name} {who.number}"), PAUSE
            who.now, who.closes_at = running.now, closed_at
            who.goes_to_bed_at = closed_at + timedelta(seconds=AFTER)
        yield running, Evening(app, people, closed_at)


def kill_some(running: Service, closed_at: datetime) -> None:
    """A web process halfway to the cutoff, replaced at once, and one of two workers at the cutoff."""
    time.sleep(max(0.0, (closed_at - running.now()).total_seconds() / 2))
    running.webs[0].kill()
    running.add_web(running.webs[0].port)
    time.sleep(max(0.0, (closed_at - running.now()).total_seconds()))
    running.workers[0].kill()


@pytest.mark.parametrize("killing", [True, False] if PROVING else [True])
def test_what_was_accepted_in_the_last_minute_is_on_the_lists_and_nothing_else(
    app: Flask, everybody: list[int], tmp_path: Path, killing: bool
) -> None:
    with evening(app, everybody, tmp_path) as (running, been):
        killer = [partial(kill_some, running, been.closed_at)] if killing else []
        all_at_once([*(who.spend_the_evening for who in been.people), *killer])
        wait_until(lambda: frozen_at(app) is not None)
        logs = "".join(path.read_text() for path in tmp_path.glob("*.log"))
    answers = [answer for who in been.people for answer in who.person.answers]
    answered = [answer for answer in answers if answer.status]
    slowest = at_most(0.99, answered)
    print(
        f"{len(answered)} answers, half within {at_most(0.5, answered):.3f} s, 99 of 100 within {slowest:.3f} s"
    )
    assert {answer.status for answer in answers} <= {200, 303, 422, NOBODY}
    killed = {who.number for who in been.people if killing and who.number % 2 == 0}
    assert {
        who.number for who in been.people for answer in who.person.answers if answer.status == NOBODY
    } <= killed
    assert '"level": "error"' not in logs
    check_boxes(been)
    check_orders(been)
    check_trail_and_mails(been)
    assert sum(who.accepted for who in been.people) and sum(who.too_late for who in been.people)
    assert slowest < P99


def frozen_at(app: Flask) -> datetime | None:
    with app.app_context(), own_transaction() as session:
        return delivery(session).frozen_at


def staff_page(app: Flask, path: str) -> html.HtmlElement:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(STAFF)
    return html.document_fromstring(browser.get(path).text)


def check_boxes(been: Evening) -> None:
    """The frozen rows and the packing list are what the books say."""
    with been.app.app_context(), own_transaction() as session:
        rows = session.execute(
            select(Basket.subscription_id, Basket.formula_id, Basket.quantity, Basket.pickup_point_id)
            .join(Delivery, Delivery.id == Basket.delivery_id)
            .where(Delivery.id == delivery(session).id)
        )
        frozen = {number: tuple(box) for number, *box in rows}
    for who in been.people:
        assert frozen.get(who.number) in {box.packed for box in who.boxes}, f"{who.number}: {who.boxes}"
    assert sum(box[1] for number, box in frozen.items() if box[2] == GARE) <= ROOM
    listed = Counter()
    for row in staff_page(been.app, "/ferme/livraisons/2026-06-16/mardi/liste").iter("tr"):
        for item in row.find_class("packed"):
            listed[row.find(".//th//b").text, int(item.find("b").text)] += 1
    for who in been.people:
        boxes = [quantity for (name, quantity) in listed.elements() if name == str(who.number)]
        assert boxes == ([frozen[who.number][1]] if who.number in frozen else [])


def check_orders(been: Evening) -> None:
    """Each accepted order stands once as it was last accepted; what was sold and what is left is what there was."""
    with been.app.app_context(), own_transaction() as session:
        tuesday = delivery(session).id
        orders = session.scalars(select(Order)).all()
        standing = {order.id: order for order in orders}
        assert len(standing) == len(orders)
        for who in been.people:
            mine = {order.id: order for order in orders if order.account_id == who.number}
            assert set(who.orders) <= set(mine)
            for order in mine.values():
                possible = who.orders.get(order.id) or [who.unsure[order.cart_key]]
                assert contents(order) in possible
        live = {order.number for order in orders if contents(order) and order.delivery_id == tuesday}
        late = {number for who in been.people for number in who.late_orders}
        assert all(
            o.placed_at < been.closed_at and o.id not in late for o in orders if o.delivery_id == tuesday
        )
        sold = sum((Counter(contents(order)) for order in orders), Counter[str]())
        counted = select(Article.name, Article.stock).where(Article.name.in_(STOCK))
        left = dict(session.execute(counted).all())
        assert min(left.values()) >= 0 and {name: sold[name] + left[name] for name in STOCK} == STOCK
    sheet = staff_page(been.app, "/ferme/commandes/2026-06-16/mardi/points")
    assert Counter(small.text for small in sheet.iterfind(".//tbody//th/small")) == Counter(live)
    packing = staff_page(been.app, "/ferme/livraisons/2026-06-16/mardi/liste").text_content()
    assert all(number in packing for number in live)


def contents(order: Order) -> Goods:
    return {} if order.state is OrderState.CANCELLED else {line.name: line.quantity for line in order.lines}


def check_trail_and_mails(been: Evening) -> None:
    """One line and one mail for each act that was accepted, none for another; each decided before the cutoff."""
    with been.app.app_context(), own_transaction() as session:
        line = AuditEvent
        acts = session.execute(
            select(line.account_id, line.action, line.at).where(
                line.action.in_(ACTS), line.account_id.in_([who.number for who in been.people])
            )
        ).all()
        lines = Counter(act.account_id for act in acts)
        mails = Counter(session.scalars(select(Mail.recipient)))
        tuesday = (line.subject_type == "delivery", line.subject_id == str(delivery(session).id))
        [frozen] = session.scalars(select(line.at).where(line.action == "delivery.freeze", *tuesday))
    for who in been.people:
        assert lines[who.number] == mails[f"{who.number}@example.org"]
        assert 0 <= lines[who.number] - who.accepted <= who.unanswered
    assert all(act.at < been.closed_at for act in acts if act.action == "box.change")
    assert frozen >= been.closed_at
