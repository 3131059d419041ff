"""Carts, orders, vouchers and wishes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from portal.accounts.models import Account
from portal.catalogue.models import Article
from portal.deliveries.models import Delivery
from portal.infra.orm import Base, PrimaryKey, word
from portal.pickup.models import PickupPoint
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit

FIRST_ORDER_NUMBER = 10_000


class ShopSettings(Base):
    """How the farm sells; exactly one row."""

    __tablename__ = "shop_settings"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[PrimaryKey]
    accepts_at_once: Mapped[bool]
    """Orders are accepted as they are placed."""
    guests_welcome: Mapped[bool]
    guest_minimum: Mapped[Money]
    payment_means: Mapped[str | None] = mapped_column(String(120))
    """How one can pay where an order is collected, as the farm words it."""


class Cart(Base):
    """The order that an account is filling; a visitor's stands in a signed cookie.

    `key` names it until it is ordered, so that one cart makes one order. Without a delivery it goes with the
    next box.
    """

    __tablename__ = "cart"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    pickup_point_id: Mapped[int | None] = mapped_column(ForeignKey("pickup_point.id"), index=True)
    voucher_code: Mapped[str | None] = mapped_column(String(40))
    changed_at: Mapped[datetime]
    lines: Mapped[list["CartLine"]] = relationship(cascade="all, delete-orphan", order_by="CartLine.id")


class CartLine(Base):
    """`seen_price` is the unit price when it was put in or last shown to have changed."""

    __tablename__ = "cart_line"
    __table_args__ = (
        Index(None, "account_id", "article_id", unique=True),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("cart.account_id", ondelete="CASCADE"))
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), index=True)
    quantity: Mapped[int]
    seen_price: Mapped[Money]


_OF_GUEST = text("account_id IS NULL")


class Order(Base):
    """Products that travel with a delivery, for an account or a guest.

    `with_box` says that it follows the person's box; else it is collected alone. What concerns the buyer is
    written down as it was given (mail addresses in small letters): a paper never changes with an account. `cart_key`
    and `digest` (of what was shown before the button) tell a form sent twice from another order.
    """

    __tablename__ = "shop_order"
    __table_args__ = (
        Index(None, "delivery_id", "state"),
        Index(None, "account_id", "placed_at"),
        Index(None, "instead_of_id"),
        Index("ix_shop_order_guest", "email", sqlite_where=_OF_GUEST, postgresql_where=_OF_GUEST),
        CheckConstraint("discount >= 0", name="discount_not_negative"),
    )

    id: Mapped[PrimaryKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    pickup_point_id: Mapped[int] = mapped_column(ForeignKey("pickup_point.id"), index=True)
    instead_of_id: Mapped[int | None] = mapped_column(ForeignKey("pickup_point.id"))
    """The point that it was for: closed on that day, until when it is collected at another."""
    with_box: Mapped[bool]
    told_day: Mapped[date]
    """The delivery's day as the buyer knows it: where the farm has moved it since, a mail says so."""
    state: Mapped[OrderState] = mapped_column(word(OrderState))
    placed_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    cart_key: Mapped[str] = mapped_column(String(32), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    conditions_id: Mapped[int | None] = mapped_column(ForeignKey("conditions.id"), index=True)
    discount: Mapped[Money]
    name: Mapped[str] = mapped_column(String(160))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(30))
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80))
    erased_at: Mapped[datetime | None]
    """When a guest's name and addresses were emptied."""
    account: Mapped[Account | None] = relationship()
    delivery: Mapped[Delivery] = relationship()
    pickup_point: Mapped[PickupPoint] = relationship(foreign_keys=[pickup_point_id])
    lines: Mapped[list["OrderLine"]] = relationship(
        cascade="all, delete-orphan", order_by="OrderLine.id", back_populates="order"
    )
    events: Mapped[list["OrderEvent"]] = relationship(cascade="all, delete-orphan", order_by="OrderEvent.id")

    @validates("email")
    def _as_accounts_keep_it(self, _name: str, email: str) -> str:
        return email.lower()

    @property
    def number(self) -> str:
        return order_number(self.id)


def order_number(order_id: int) -> str:
    """As papers name an order."""
    return f"B{FIRST_ORDER_NUMBER + order_id}"


class OrderLine(Base):
    """An article of an order, at the price that was shown; name, unit and price are kept as they were.

    `quantity` is what is ordered, and reserved; `given` what was really weighed or could be given, once that
    differs or is known: it decides what is paid. `instead_of` is the line that it replaces.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity_not_negative"),
        CheckConstraint("given >= 0", name="given_not_negative"),
    )

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), index=True)
    instead_of_id: Mapped[int | None] = mapped_column(ForeignKey("order_line.id"), index=True)
    withdrawal_id: Mapped[int | None] = mapped_column(ForeignKey("withdrawal.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    sale_unit: Mapped[SaleUnit] = mapped_column(word(SaleUnit))
    quantity: Mapped[int]
    given: Mapped[int | None]
    unit_price: Mapped[Money]
    vat_basis_points: Mapped[int]
    perishable: Mapped[bool]
    order: Mapped[Order] = relationship(back_populates="lines")
    article: Mapped[Article] = relationship()

    @property
    def paid(self) -> int:
        return self.quantity if self.given is None else self.given

    @property
    def reserved(self) -> int:
        """What it keeps from others: of what is not there nothing."""
        return min(self.paid, self.quantity)

    @property
    def kept_back(self) -> bool:
        """Withdrawn from before it left the farm: nobody gets it any more."""
        return self.withdrawal_id is not None and not self.paid


class Happening(StrEnum):
    """What befell an order, as its timeline tells it; its words are in the templates."""

    PLACED = "placed"
    CHANGED = "changed"
    """By its owner, before the cutoff."""
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SHORT = "short"
    """Something was missing and was reduced or replaced."""
    WEIGHED = "weighed"
    CORRECTED = "corrected"
    """By staff, once its delivery had closed."""
    MOVED = "moved"
    """To another delivery or point."""
    PREPARED = "prepared"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"


class OrderEvent(Base):
    """A step of an order's life; `by_id` is nobody for the farm's clockwork and for guests."""

    __tablename__ = "order_event"

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    what: Mapped[Happening] = mapped_column(word(Happening))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    reason: Mapped[str | None] = mapped_column(String(300))


class OrderCorrection(Base):
    """What staff changed of an order after its delivery had closed, and why; taken back, it keeps its line.

    `before` and `after` say the state, what is given of each line by its id, and the voucher in use.
    """

    __tablename__ = "order_correction"
    __table_args__ = (Index(None, "delivery_id", "at"),)

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"))
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    reason: Mapped[str] = mapped_column(String(300))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    undone_at: Mapped[datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)


class SupplierNotice(Base):
    """That a supplier was mailed how much of an article of theirs is ordered for a delivery."""

    __tablename__ = "supplier_notice"

    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True)
    supplier_id: Mapped[int] = mapped_column(
        ForeignKey("supplier.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    article_id: Mapped[int] = mapped_column(
        ForeignKey("article.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[datetime]


class Withdrawal(Base):
    """Somebody has withdrawn from the purchase of some lines (Code de la consommation, L221-18 and L221-21)."""

    __tablename__ = "withdrawal"

    id: Mapped[PrimaryKey]
    order_id: Mapped[int] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime]
    name: Mapped[str] = mapped_column(String(160))
    email: Mapped[str] = mapped_column(String(254))
    settled_at: Mapped[datetime | None]
    """When staff marked it as dealt with."""


class Voucher(Base):
    """A code that takes an amount or a share (in basis points) off an order.

    `uses` is how often in all, `per_person` how often for one; without a number as often as one likes.
    """

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("(amount IS NULL) <> (share IS NULL)", name="amount_or_share"),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("share > 0 AND share <= 10000", name="share_in_range"),
        CheckConstraint("last_day >= first_day", name="days_in_order"),
    )

    id: Mapped[PrimaryKey]
    code: Mapped[str] = mapped_column(String(40), unique=True)
    amount: Mapped[Money | None]
    share: Mapped[int | None]
    first_day: Mapped[date]
    last_day: Mapped[date]
    minimum: Mapped[Money]
    uses: Mapped[int | None]
    per_person: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    """Whose alone it is."""


class VoucherUse(Base):
    """The voucher that an order was placed with; it goes when the order is cancelled or refused."""

    __tablename__ = "voucher_use"

    order_id: Mapped[int] = mapped_column(ForeignKey("shop_order.id", ondelete="CASCADE"), primary_key=True)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id"), index=True)


class Wish(Base):
    """An article on somebody's private list; `missed_at` is when it was found to be unavailable."""

    __tablename__ = "wish"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("article.id"), primary_key=True, index=True)
    made_at: Mapped[datetime]
    missed_at: Mapped[datetime | None]
