"""Articles and orders for tests, in the small farm of `tests.world`."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article, ArticlePrice, Category, Product
from portal.deliveries.models import Delivery, Tour
from portal.pickup.models import PickupPoint
from portal.profile.models import Conditions
from portal.profile.queries import has_conditions
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit, StockKind
from portal.shop.models import Happening, Order, OrderEvent, OrderLine
from tests.world import CAMILLE, NOW, TUESDAY


def article(
    session: Session,
    name: str = "Miel",
    cents: int = 650,
    *,
    product: str = "carottes",
    vat: int = 550,
    **changes: Any,
) -> Article:
    """A jar of which there is as much as one likes, sold since long ago; it keeps, so it can be returned."""
    shelf = session.scalar(select(Category).where(Category.slug == "epicerie"))
    slug = "-".join(name.lower().split())
    values: dict[str, Any] = {
        "product": session.scalars(select(Product).where(Product.slug == product)).one(),
        "category": shelf or Category(slug="epicerie", name="Épicerie", position=0, drawing="honey"),
        "slug": slug,
        "name": name,
        "description": "",
        "sale_unit": SaleUnit.JAR,
        "origin": "France",
        "alcohol": False,
        "perishable": False,
        "stock_kind": StockKind.UNLIMITED,
        "prices": [ArticlePrice(since=date(2025, 1, 1), price=Money(cents), vat_basis_points=vat)],
    }
    made = Article(**(values | changes))
    session.add(made)
    if not has_conditions(session):
        open_shop(session)
    session.flush()
    return made


def open_shop(session: Session) -> None:
    """Without conditions of sale nobody can order."""
    session.add(Conditions(text="# Qui vend\n\nLa ferme.", published_at=NOW - timedelta(days=90)))


def delivery(session: Session, day: date = TUESDAY, tour: str = "mardi") -> Delivery:
    dated = select(Delivery).join(Delivery.tour).where(Tour.slug == tour, Delivery.day == day)
    return session.scalars(dated).one()


def order(
    session: Session,
    lines: dict[Article, int],
    *,
    email: str | None = CAMILLE,
    day: date = TUESDAY,
    point: str = "halle",
    state: OrderState = OrderState.ACCEPTED,
    at: datetime = NOW - timedelta(days=1),
    **changes: Any,
) -> Order:
    """What somebody has ordered, a guest where no account is named; stock is left to the test."""
    number = session.scalar(select(func.count(Order.id))) or 0
    account = session.scalars(select(Account).where(Account.email == email)).one() if email else None
    collected = session.scalars(select(PickupPoint).where(PickupPoint.slug == point)).one()
    tour = session.get_one(Tour, collected.tour_id)
    values: dict[str, Any] = {
        "account": account,
        "delivery": delivery(session, day, tour.slug),
        "pickup_point": collected,
        "with_box": account is not None,
        "told_day": day,
        "state": state,
        "placed_at": at,
        "changed_at": at,
        "cart_key": f"key-{number}",
        "digest": "",
        "discount": Money(0),
        "name": account.full_name if account else "Emma Roux",
        "email": account.email if account else "emma@example.org",
        "phone": "06 39 98 00 02",
        "street": "3 rue du Four",
        "postcode": "05700",
        "town": "Serres",
        "events": [OrderEvent(at=at, what=Happening.PLACED, by_id=account.id if account else None)],
        "lines": [line(ordered, quantity) for ordered, quantity in lines.items()],
    }
    made = Order(**(values | changes))
    session.add(made)
    session.flush()
    return made


def line(ordered: Article, quantity: int, **changes: Any) -> OrderLine:
    price = ordered.prices[-1]
    values: dict[str, Any] = {
        "article": ordered,
        "name": ordered.name,
        "sale_unit": ordered.sale_unit,
        "quantity": quantity,
        "unit_price": price.price,
        "vat_basis_points": price.vat_basis_points,
        "perishable": ordered.perishable,
    }
    return OrderLine(**(values | changes))
