"""What the demo farm's people have ordered in three months, and for the next deliveries; what they wish for."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address
from portal.boxes.carried import received
from portal.boxes.models import Basket
from portal.catalogue.models import DeliveryStock
from portal.deliveries.models import Delivery
from portal.demo import people
from portal.demo.desk import Buyer, Desk, Stop
from portal.demo.points import POINTS
from portal.infra.orm import Base
from portal.pickup.models import PickupPoint
from portal.rules.cutoffs import is_past
from portal.rules.orders import OrderState
from portal.shop.models import Happening, Order, OrderEvent, OrderLine, VoucherUse, Wish, Withdrawal
from portal.subscriptions.models import Subscription

COMING = 2
"""On how many open deliveries of each tour somebody has ordered already."""
EAGERNESS, SHARES = (0.5, 0.12, 0.0), (14, 32, 54)
"""On what part of their deliveries people order, and how many are so."""
GUESTS = 12
"""How many come by; not all of them take as much as a guest must."""
STREETS = (
    "rue des Aires", "chemin du Buëch", "montée de l'Église", "route de Gap", "impasse des Tilleuls",
    "place de la Fontaine", "chemin des Vignes", "rue du Four", "traverse du Moulin", "avenue de la Gare",
)  # fmt: skip

CAMILLE_PAST: dict[int, tuple[OrderState | None, tuple[str, ...]]] = {
    -1: (None, ("miel-de-montagne", "tomme-de-vache", "pommes-golden", "jus-de-pomme")),
    -3: (OrderState.CANCELLED, ("lentilles-vertes", "yaourts-nature")),
    -4: (None, ("pain-de-campagne", "oeufs-boite-de-6", "confiture-d-abricot", "carottes")),
    -7: (OrderState.REFUSED, ("pleurotes",)),
    -9: (None, ("farine-de-ble-t80-1-kg", "coulis-de-tomate", "chevre-affine")),
}
"""What the subscriber who signs in has ordered, counted back from her last closed delivery."""
CAMILLE_AHEAD = (
    (OrderState.PLACED, ("jus-de-pomme", "oeufs-boite-de-6", "tomme-de-vache", "miel-de-lavande")),
    (OrderState.ACCEPTED, ("pain-de-campagne", "yaourts-nature", "lentilles-vertes")),
)
CAMILLE_WISHES = ("ratatouille", "fraises-mara-des-bois", "miel-de-lavande", "brioche-au-beurre")


def add_orders(session: Session, seed: int, now: datetime, *, since: date) -> None:
    """Orders of the past since a day and of the next deliveries, with all that belongs to them, and people's wishes."""
    draw = Random(f"orders/{seed}")
    camille_id = session.scalars(select(Account.id).where(Account.email == people.SUBSCRIBER.email)).one()
    buyers = dict(_buyers(session, draw))
    desk = Desk(session, draw, now)
    own: list[Stop] = []
    closed, ahead = _deliveries(session, since, now)
    for account_id, stop in _stops(session, closed, ahead):
        if account_id == camille_id:
            own.append(stop)
        elif (buyer := buyers.get(account_id)) and draw.random() < buyer.eagerness:
            desk.order(buyer, stop)
    _order_for_camille(desk, buyers[camille_id], own)
    _order_for_guests(session, desk, closed, ahead)
    _write(session, desk)
    _withdraw(session, desk.today, camille_id)
    _wish(session, desk, camille_id, list(buyers))
    session.flush()


def _buyers(session: Session, draw: Random) -> Iterator[tuple[int, Buyer]]:
    """Who has a telephone; some order often, some now and then, most never."""
    columns = (Account.id, Account.first_name, Account.last_name, Account.email, Account.phone)
    accounts = select(*columns, Account.created_at).where(Account.phone.is_not(None)).order_by(Account.id)
    for account_id, first_name, last_name, email, phone, created_at in session.execute(accounts):
        eagerness = draw.choices(EAGERNESS, SHARES)[0]
        paper = _paper(draw, f"{first_name} {last_name}", email, phone)
        yield account_id, Buyer(account_id, eagerness, created_at + timedelta(hours=1), paper)


def _paper(draw: Random, name: str, email: str, phone: str | None) -> dict[str, str]:
    """What the shop asks for: a telephone, and where the bill goes."""
    place = draw.choice(POINTS)
    street = f"{draw.randint(1, 60)} {draw.choice(STREETS)}"
    return {
        "name": name,
        "email": email,
        "phone": phone or "06 39 98 77 01",
        "street": street,
        "postcode": place.postcode,
        "town": place.town,
    }


def _deliveries(session: Session, since: date, now: datetime) -> tuple[list[Delivery], list[Delivery]]:
    """Those that have closed, and the next open ones of each tour."""
    held = session.scalars(
        select(Delivery)
        .where(Delivery.cancelled_at.is_(None), Delivery.day >= since)
        .order_by(Delivery.tour_id, Delivery.day)
    ).all()
    closed = [delivery for delivery in held if delivery.frozen_at]
    ahead = [
        delivery
        for _, of_tour in groupby(held, key=lambda delivery: delivery.tour_id)
        for delivery in islice((d for d in of_tour if not is_past(d.cutoff_at, now)), COMING)
    ]
    return closed, ahead


def _stops(session: Session, closed: list[Delivery], ahead: list[Delivery]) -> Iterator[tuple[int, Stop]]:
    """Who receives a box with which delivery, and where; each person and delivery once."""
    deliveries = {delivery.id: delivery for delivery in (*closed, *ahead)}
    points = {point.id: point for point in session.scalars(select(PickupPoint))}
    frozen = select(Basket.subscription_id, Basket.delivery_id, Basket.pickup_point_id)
    coming = received([delivery.id for delivery in ahead]).subquery()
    for boxes in (
        frozen.where(Basket.delivery_id.in_(delivery.id for delivery in closed)).subquery(),
        select(coming.c.subscription_id, coming.c.delivery_id, coming.c.pickup_point_id).subquery(),
    ):
        rows = session.execute(
            select(Subscription.account_id, boxes.c.delivery_id, boxes.c.pickup_point_id)
            .join(boxes, boxes.c.subscription_id == Subscription.id)
            .join(Delivery, Delivery.id == boxes.c.delivery_id)
            .order_by(Delivery.day, Delivery.id, Subscription.account_id, boxes.c.pickup_point_id)
        )
        for (account_id, delivery_id), same in groupby(rows, key=lambda row: (row[0], row[1])):
            yield account_id, Stop(deliveries[delivery_id], points[next(same)[2]])


def _order_for_camille(desk: Desk, buyer: Buyer, own: list[Stop]) -> None:
    past = [stop for stop in own if is_past(stop.delivery.cutoff_at, desk.now)]
    for position, (state, slugs) in CAMILLE_PAST.items():
        if -position <= len(past):
            desk.order(buyer, past[position], state, slugs)
    for stop, (state, slugs) in zip(own[len(past) :], CAMILLE_AHEAD, strict=False):
        desk.order(buyer, stop, state, slugs)


def _order_for_guests(session: Session, desk: Desk, closed: list[Delivery], ahead: list[Delivery]) -> None:
    """Passers-by without an account, at any point."""
    draw = desk.draw
    points = session.scalars(select(PickupPoint).order_by(PickupPoint.id)).all()
    passers_by = islice(people.subscribers(draw), len(people.UNUSUAL), None)
    for number, person in enumerate(islice(passers_by, GUESTS)):
        delivery = draw.choice(closed if number % 4 else ahead)
        point = draw.choice([point for point in points if point.tour_id == delivery.tour_id])
        email = person.email.replace("@", "@passage.")
        paper = _paper(draw, f"{person.first_name} {person.last_name}", email, person.phone)
        desk.order(Buyer(None, 1, delivery.cutoff_at - timedelta(days=90), paper), Stop(delivery, point))


def _write(session: Session, desk: Desk) -> None:
    """In the order in which they were placed, as their numbers tell."""
    drafts = sorted(desk.drafts, key=lambda draft: draft.row["placed_at"])
    rows = [draft.row for draft in drafts]
    _insert(session, Order, rows)
    ids = dict(session.execute(select(Order.cart_key, Order.id)).all())
    for row in rows:
        row["id"] = ids[row["cart_key"]]
    _insert(session, OrderLine, [{**line, "order_id": d.row["id"]} for d in drafts for line in d.lines])
    _insert(session, OrderEvent, [{**event, "order_id": d.row["id"]} for d in drafts for event in d.events])
    uses = [{"order_id": d.row["id"], "voucher_id": d.voucher_id} for d in drafts if d.voucher_id]
    _insert(session, VoucherUse, uses)
    _insert(session, DeliveryStock, list(desk.stall.remaining()))
    _insert(session, Address, list(_addresses(rows)))


def _insert(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.connection().execute(insert(table), rows)


def _addresses(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Where the bills go, from everybody's first order on."""
    known = set()
    for row in rows:
        if (account_id := row["account_id"]) and account_id not in known:
            known.add(account_id)
            kept = {key: row[key] for key in ("account_id", "name", "street", "postcode", "town")}
            yield {**kept, "billing": True, "created_at": row["placed_at"]}


def _withdraw(session: Session, today: date, camille_id: int) -> None:
    """Somebody sends back what keeps: one lately, one long ago, which is settled."""
    of_others = (Order.account_id != camille_id, Order.state == OrderState.DELIVERED)
    for last, settled in ((today - timedelta(days=3), False), (today - timedelta(days=30), True)):
        line = session.scalar(
            select(OrderLine)
            .join(OrderLine.order)
            .join(Order.delivery)
            .where(*of_others, Delivery.day.between(last - timedelta(days=7), last))
            .where(OrderLine.perishable.is_(False), OrderLine.given.is_(None))
            .order_by(Delivery.day.desc(), OrderLine.id)
            .limit(1)
        )
        if line is None:
            continue
        order = line.order
        at = order.changed_at + timedelta(days=1, hours=2)
        settled_at = at + timedelta(days=4) if settled else None
        row = Withdrawal(
            order_id=order.id, made_at=at, name=order.name, email=order.email, settled_at=settled_at
        )
        session.add(row)
        session.flush()
        line.withdrawal_id, order.changed_at = row.id, at
        order.events.append(OrderEvent(at=at, what=Happening.WITHDRAWN, by_id=order.account_id))


def _wish(session: Session, desk: Desk, camille_id: int, account_ids: list[int]) -> None:
    """A private list for one in six; what nobody can have today is missed since it was wished for."""
    draw, stall = desk.draw, desk.stall
    some = [account_id for account_id in account_ids if draw.random() < 1 / 6]
    lists = {account_id: draw.sample(stall.offers, draw.randint(1, 4)) for account_id in some}
    lists[camille_id] = [stall.by_slug[slug] for slug in CAMILLE_WISHES]
    wishes = []
    for account_id, wished in lists.items():
        for offer in wished:
            at = desk.now - timedelta(minutes=draw.randint(200, 20_000))
            missed_at = at if offer.missing(None, desk.now) else None
            row = {"account_id": account_id, "article_id": offer.article.id, "made_at": at}
            wishes.append({**row, "missed_at": missed_at})
    _insert(session, Wish, wishes)
