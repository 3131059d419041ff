"""A small shop on the small farm: enough for every page of staff to show something."""

from datetime import date
from io import BytesIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.catalogue.models import Article, ArticlePrice, Category, Label, Supplier
from portal.catalogue.pictures import Encoded, read, store
from portal.rules.money import Money
from portal.rules.selling import Measured, SaleUnit, StockKind
from portal.shop.models import Cart, CartLine, Voucher, Withdrawal
from tests.photographs import picture
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW

HONEY, BREAD = 1, 2
CART_KEY = "0123456789abcdef" * 2


def stock_the_shop(session: Session) -> Article:
    """A neighbour's honey at a price that goes up, bread by delivery; a voucher.

    Answers the honey.
    """
    encoded = read(BytesIO(picture(size=(400, 300))))
    assert isinstance(encoded, Encoded)
    shown = store(session, encoded)
    honey = article(
        session,
        picture_id=shown.id,
        description="Du plateau de Valensole.",
        stock_kind=StockKind.COUNTED,
        stock=12,
        content=250,
        measured=Measured.GRAMS,
        label=Label.ORGANIC,
        supplier=Supplier(name="Le Rucher", email="rucher@example.org", phone="06 39 98 30 01"),
    )
    article(
        session,
        "Pain de seigle",
        480,
        sale_unit=SaleUnit.PIECE,
        ingredients="Farine de seigle, eau, sel.",
        allergens="gluten",
        stock_kind=StockKind.BY_DELIVERY,
        per_delivery=20,
        season_first=901,
        season_last=630,
        perishable=True,
    )
    session.add_all(
        [
            ArticlePrice(article_id=honey.id, since=date(2026, 9, 1), price=Money(690), vat_basis_points=550),
            Category(slug="legumes", name="Légumes", position=1, drawing="leek"),
            Voucher(
                code="BIENVENUE",
                amount=Money(500),
                first_day=date(2026, 1, 1),
                last_day=date(2026, 12, 31),
                minimum=Money(0),
                note="Aux nouveaux.",
            ),
        ]
    )
    return honey


def take_orders(session: Session, honey: Article) -> None:
    """Two jars for Camille, who has withdrawn from them; carrots to be weighed for a guest."""
    jars = order(session, {honey: 2})
    session.add(Withdrawal(order_id=jars.id, made_at=NOW, name="Camille Aubert", email=CAMILLE))
    order(session, {article(session, "Carottes", 240, sale_unit=SaleUnit.WEIGHT, step=250): 500}, email=None)


def fill_cart(session: Session, honey: Article) -> None:
    """Three jars more, in Camille's order that is not placed yet."""
    camille = session.scalars(select(Account.id).where(Account.email == CAMILLE)).one()
    line = CartLine(article_id=honey.id, quantity=3, seen_price=honey.prices[0].price)
    session.add(Cart(account_id=camille, key=CART_KEY, changed_at=NOW, lines=[line]))
    session.flush()
