"""What is to be billed: what was delivered, less what was billed of it.

Read by what was delivered and not by whose books it went into: a subscription or an order that has become another
account's is not billed twice.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from portal.billing.models import Invoice, InvoiceLine
from portal.billing.settings import billing_settings, tax_on, taxes
from portal.boxes.models import Basket, BasketCorrection
from portal.catalogue.models import Formula
from portal.deliveries.models import Delivery
from portal.pickup.models import PickupPoint
from portal.rules import selling
from portal.rules.invoicing import Charge, LineKind, differences
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.orders import LIVE, OrderState
from portal.rules.selling import SaleUnit
from portal.rules.vouchers import shared
from portal.shop.models import Order, OrderLine, Voucher, VoucherUse
from portal.subscriptions.models import Subscription
from portal.web.i18n import gettext as _

LOOKS_BACK = timedelta(days=730)
"""What is older is neither billed nor set right by itself: a claim lapses (Code de la consommation, L218-2)."""
BILLED = sorted(LIVE - {OrderState.PLACED})

RateOf = Callable[[int, date], int]
_PLACE = (PickupPoint.name, PickupPoint.address, PickupPoint.postcode, PickupPoint.town)


def unbilled(session: Session, account_ids: Collection[int], *, through: date) -> dict[int, list[Charge]]:
    """What accounts are to be billed of deliveries through that day: whoever has something, by what differs."""
    days = days_billed(session, through)
    mine = (Subscription.account_id.in_(account_ids), days)
    ordered = (Order.account_id.in_(account_ids), days)
    rate_of = _rates(session)
    standing = [*_boxes(session, mine, rate_of), *_orders(session, ordered, Order.account_id, rate_of)]
    billed = [
        *_billed(session, Subscription.account_id, InvoiceLine.subscription_id == Subscription.id, mine),
        *_billed(session, Order.account_id, InvoiceLine.order_id == Order.id, ordered),
    ]
    return _differences(standing, billed)


def days_billed(session: Session, through: date) -> ColumnElement[bool]:
    """Of deliveries, those of which something may be billed or set right."""
    begins = billing_settings(session).bills_from or date.min
    return Delivery.day.between(max(begins, through - LOOKS_BACK), through)


def of_orders(session: Session, order_ids: Collection[int]) -> dict[int, list[Charge]]:
    """What is to be billed of orders, by order; nothing of one that is still to be weighed."""
    these = (Order.id.in_(order_ids), Delivery.day >= (billing_settings(session).bills_from or date.min))
    standing = _orders(session, these, Order.id, _rates(session))
    return _differences(standing, _billed(session, Order.id, InvoiceLine.order_id == Order.id, these))


Owned = tuple[int, Charge]


def _differences(standing: Iterable[Owned], billed: Iterable[Owned]) -> dict[int, list[Charge]]:
    now, before = defaultdict(list), defaultdict(list)
    for owner, charge in standing:
        now[owner].append(charge)
    for owner, charge in billed:
        before[owner].append(charge)
    found = {owner: differences(now[owner], before[owner]) for owner in sorted({*now, *before})}
    return {owner: charges for owner, charges in found.items() if charges}


def _rates(session: Session) -> RateOf:
    """The VAT rate of something on a day, none where the farm's sales bear none."""
    known = taxes(session)
    if not known:
        return lambda rate, _day: rate
    return lambda rate, day: rate if tax_on(known, day).regime is VatRegime.LIABLE else 0


def _boxes(session: Session, which: tuple[ColumnElement[bool], ...], rate_of: RateOf) -> Iterable[Owned]:
    found = (
        select(
            Subscription.account_id,
            Basket.id,
            Basket.subscription_id,
            Basket.week,
            Basket.formula_id,
            Basket.delivery_id,
            Basket.billed_quantity,
            Basket.unit_price,
            Basket.vat_basis_points,
            Delivery.day,
            *_labelled(),
        )
        .select_from(Basket)
        .join(Subscription, Subscription.id == Basket.subscription_id)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .join(PickupPoint, PickupPoint.id == Basket.pickup_point_id)
        .where(Basket.billed_quantity > 0, Delivery.cancelled_at.is_(None), *which)
    )
    names = dict(session.execute(select(Formula.id, Formula.name)).all())
    otherwise = _billed_as(session, which)
    for row in session.execute(found):
        yield (
            row.account_id,
            Charge(
                source=f"box/{row.subscription_id}/{row.week}",
                kind=LineKind.BOX,
                day=row.day,
                label=names[otherwise.get(row.id, row.formula_id)],
                quantity=row.billed_quantity,
                weighed=False,
                unit_price=row.unit_price,
                vat_basis_points=rate_of(row.vat_basis_points, row.day),
                total=row.unit_price * row.billed_quantity,
                delivery_id=row.delivery_id,
                subscription_id=row.subscription_id,
                place=_place(row),
            ),
        )


def _billed_as(session: Session, which: tuple[ColumnElement[bool], ...]) -> dict[int, int]:
    """The formulas of boxes that bring another one than they are billed as: the fault was not the farm's."""
    made = (
        select(BasketCorrection)
        .join(Basket, Basket.id == BasketCorrection.basket_id)
        .join(Subscription, Subscription.id == Basket.subscription_id)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .where(BasketCorrection.undone_at.is_(None), *which)
        .order_by(BasketCorrection.id)
    )
    formulas: dict[int, int] = {}
    for each in session.scalars(made):
        if each.before and each.before["billed"] and not each.farm_fault:
            formulas.setdefault(each.basket_id, each.before["formula"])
        else:
            formulas[each.basket_id] = each.after["formula"]
    return formulas


def _labelled() -> list[ColumnElement[Any]]:
    return [column.label(f"point_{column.key}") for column in _PLACE]


def _place(row: Any) -> str:
    return f"{row.point_name}, {row.point_address}, {row.point_postcode} {row.point_town}"


def _orders(
    session: Session, which: tuple[ColumnElement[bool], ...], owner: Any, rate_of: RateOf
) -> Iterable[Owned]:
    """In one statement: lines and voucher as they stood at one moment."""
    found = (
        select(
            owner.label("owner"),
            Order.id.label("order_id"),
            Order.delivery_id,
            Order.discount,
            OrderLine.id,
            OrderLine.name,
            OrderLine.sale_unit,
            OrderLine.quantity,
            OrderLine.given,
            OrderLine.unit_price,
            OrderLine.vat_basis_points,
            Delivery.day,
            Voucher.code,
            *_labelled(),
        )
        .select_from(Order)
        .join(Order.lines)
        .join(Order.delivery)
        .join(PickupPoint, PickupPoint.id == Order.pickup_point_id)
        .outerjoin(VoucherUse, VoucherUse.order_id == Order.id)
        .outerjoin(Voucher, Voucher.id == VoucherUse.voucher_id)
        .where(Order.state.in_(BILLED), Delivery.cancelled_at.is_(None), *which)
        .order_by(Order.id, OrderLine.id)
    )
    for _order, lines in groupby(session.execute(found), key=lambda row: row.order_id):
        rows = list(lines)
        if not any(_to_weigh(row) for row in rows):
            for charge in _charges(rows, rate_of):
                yield rows[0].owner, charge


def waits(order: Order) -> bool:
    """Whether an order that is to be billed is still to be weighed."""
    return order.state in BILLED and any(_to_weigh(line) for line in order.lines)


def _to_weigh(row: Row[Any] | OrderLine) -> bool:
    return row.sale_unit is SaleUnit.WEIGHT and row.given is None and row.quantity > 0


def _charges(rows: list[Row[Any]], rate_of: RateOf) -> Iterable[Charge]:
    """An order's lines, and its voucher as its page shares it (`shop.views.vat_of`)."""
    totals: defaultdict[int, Money] = defaultdict(Money.zero)
    for row in rows:
        paid = row.quantity if row.given is None else row.given
        amount = selling.amount(row.unit_price, row.sale_unit, paid)
        totals[row.vat_basis_points] += amount
        if paid:
            yield _of_order(
                row,
                rate_of,
                source=f"line/{row.id}",
                kind=LineKind.ARTICLE,
                label=row.name,
                quantity=paid,
                weighed=row.sale_unit is SaleUnit.WEIGHT,
                unit_price=row.unit_price,
                total=amount,
            )
    for rate, off in shared(rows[0].discount, totals).items():
        if off.cents:
            row = next(row for row in rows if row.vat_basis_points == rate)
            yield _of_order(
                row,
                rate_of,
                source=f"off/{row.order_id}/{rate}",
                kind=LineKind.DISCOUNT,
                label=_("Bon d'achat %(code)s", code=row.code) if row.code else _("Bon d'achat"),
                quantity=1,
                weighed=False,
                unit_price=off * -1,
                total=off * -1,
            )


def _of_order(row: Row[Any], rate_of: RateOf, **said: Any) -> Charge:
    return Charge(
        day=row.day,
        vat_basis_points=rate_of(row.vat_basis_points, row.day),
        delivery_id=row.delivery_id,
        order_id=row.order_id,
        place=_place(row),
        **said,
    )


def _billed(
    session: Session, owner: Any, bond: ColumnElement[bool], which: tuple[ColumnElement[bool], ...]
) -> Iterable[Owned]:
    """What each invoice has billed, less what its credit notes took back."""
    root = func.coalesce(Invoice.corrects_id, Invoice.id)
    terms = (
        InvoiceLine.source,
        InvoiceLine.kind,
        InvoiceLine.weighed,
        InvoiceLine.unit_price,
        InvoiceLine.vat_basis_points,
        InvoiceLine.delivery_id,
        InvoiceLine.subscription_id,
        InvoiceLine.order_id,
    )
    found = (
        select(
            owner.label("owner"),
            *terms,
            func.min(InvoiceLine.day).label("day"),
            func.max(InvoiceLine.label).label("label"),
            func.sum(InvoiceLine.quantity).label("quantity"),
            func.sum(InvoiceLine.total).label("total"),
            root.label("corrects_id"),
        )
        .select_from(InvoiceLine)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .join(owner.class_, bond)
        .join(Delivery, Delivery.id == InvoiceLine.delivery_id)
        .where(InvoiceLine.source.is_not(None), *which)
        .group_by(owner, *terms, root)
    )
    for row in session.execute(found):
        said = row._asdict()
        yield said.pop("owner"), Charge(**said | {"quantity": int(row.quantity)})
