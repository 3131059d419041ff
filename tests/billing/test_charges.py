"""What is billed: what was delivered, as it now stands, less what was billed of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.billing.charges import of_orders, unbilled
from portal.billing.explaining import explain
from portal.billing.issuing import issue
from portal.billing.models import Invoice, TaxStatus
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
from portal.planning.corrections import Correction, correct, stamp, standing
from portal.rules.calendar import monday_of
from portal.rules.corrections import Wish
from portal.rules.invoicing import Charge, DocumentKind
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit
from portal.shop import queries as shop
from portal.shop.models import Order, Voucher, VoucherUse
from tests.billing.books import JUNE, able_to_bill, account, box, delivered, invoiced, invoices_of
from tests.composing import delivery_on
from tests.shop import making
from tests.world import CAMILLE, NOW, TODAY, YACINE

FIRST, MIDDLE, LAST = date(2026, 5, 26), date(2026, 6, 2), date(2026, 6, 9)
VEGETABLES = 1


def to_bill(session: Session, email: str = CAMILLE, *, through: date = TODAY) -> list[Charge]:
    mine = account(session, email).id
    return unbilled(session, [mine], through=through).get(mine, [])


def said(charges: list[Charge]) -> list[tuple[date, str, int]]:
    return [(charge.day, charge.label, charge.total.cents) for charge in charges]


def documents(session: Session) -> list[tuple[DocumentKind, int]]:
    return [(view.kind, view.total.cents) for view in invoices_of(session, account(session).id)]


def change(session: Session, week: date, **values: Any) -> None:
    session.add(BoxChange(subscription_id=VEGETABLES, week=week, changed_at=NOW, **values))
    session.flush()


def set_right(
    session: Session, day: date, quantity: int, *, farm_fault: bool, formula: str = "grand"
) -> None:
    """Staff correct Camille's vegetables."""
    row = box(session, day)
    seen = standing(session, delivery_on(session, day), row.subscription_id)[row.week]
    kind = session.scalars(select(Formula.id).where(Formula.slug == formula)).one()
    wish = Wish(kind, quantity, row.pickup_point_id)
    asked = Correction(row.week, wish, stamp(seen), "Un cageot est tombé", farm_fault=farm_fault)
    outcome = correct(session, row.delivery_id, row.subscription_id, asked, by=3)
    assert outcome and outcome.changed, outcome


def ordered(session: Session, **changes: Any) -> Order:
    """Two jars, 480 g of carrots of the 500 that were ordered, and a bottle at another rate; a voucher of 5 €."""
    honey, wine = making.article(session), making.article(session, "Cidre", 735, vat=2000)
    carrots = making.article(session, "Carottes", 245, sale_unit=SaleUnit.WEIGHT, step=250)
    made = making.order(session, {honey: 2, carrots: 500, wine: 1}, day=LAST, **changes)
    voucher = Voucher(
        code="BIENVENUE",
        amount=Money(500),
        first_day=date(2026, 1, 1),
        last_day=date(2026, 12, 31),
        minimum=Money(0),
    )
    session.add(voucher)
    session.flush()
    session.add(VoucherUse(order_id=made.id, voucher_id=voucher.id))
    made.discount = Money(500)
    session.flush()
    return made


# Boxes


def test_skipped_is_not_billed_and_postponed_is_where_it_goes(session: Session) -> None:
    change(session, monday_of(FIRST), to_week=monday_of(MIDDLE))
    change(session, monday_of(LAST), skip=True)
    delivered(session)
    assert said(to_bill(session, through=date(2026, 5, 31))) == [(FIRST, "Œufs", 240)]
    boxes = to_bill(session)
    assert said(boxes) == [
        (FIRST, "Œufs", 240),
        (MIDDLE, "Grand panier", 1950),
        (MIDDLE, "Grand panier", 1950),
        (MIDDLE, "Œufs", 240),
        (LAST, "Œufs", 240),
    ]
    assert {charge.delivery_id for charge in boxes if charge.day == MIDDLE} == {
        delivery_on(session, MIDDLE).id
    }
    assert {charge.place for charge in boxes} == {"Halle de Serres, 1 place du Village, 05700 Serres"}


def test_a_delivery_that_was_moved_is_billed_with_the_month_of_the_day_that_it_came(session: Session) -> None:
    """BAR T12."""
    delivered(session)
    making.delivery(session, FIRST).day = date(2026, 6, 1)
    session.flush()
    assert not to_bill(session, through=date(2026, 5, 31))
    assert [charge.day for charge in to_bill(session)][:2] == [date(2026, 6, 1)] * 2


def test_what_is_frozen_is_billed_once_its_day_has_come_and_not_where_it_was_cancelled(
    session: Session,
) -> None:
    delivered(session, through=date(2026, 6, 12))
    assert not any(charge.day > TODAY for charge in to_bill(session, YACINE))
    assert to_bill(session, YACINE, through=date(2026, 6, 12))
    making.delivery(session, FIRST).cancelled_at = NOW
    assert FIRST not in {charge.day for charge in to_bill(session)}
    invoiced(session, month=JUNE)
    making.delivery(session, MIDDLE).cancelled_at = NOW
    session.flush()
    assert said(to_bill(session)) == [(MIDDLE, "Grand panier", -1950), (MIDDLE, "Œufs", -240)]


def test_forgotten_is_billed_and_what_the_farm_forgot_is_not(session: Session) -> None:
    delivered(session)
    set_right(session, LAST, 0, farm_fault=False)
    assert (LAST, "Grand panier", 1950) in said(to_bill(session))
    set_right(session, FIRST, 1, farm_fault=False, formula="petit")
    assert (FIRST, "Grand panier", 1950) in said(to_bill(session)), "billed as what was asked for"
    set_right(session, MIDDLE, 0, farm_fault=True)
    assert (MIDDLE, "Grand panier", 1950) not in said(to_bill(session))


def test_what_is_set_right_later_is_the_difference(session: Session) -> None:
    invoiced(session, month=JUNE)
    set_right(session, MIDDLE, 3, farm_fault=True)
    set_right(session, LAST, 1, farm_fault=True, formula="petit")
    more, less, instead = to_bill(session)
    assert said([more]) == [(MIDDLE, "Grand panier", 3900)] and more.quantity == 2
    assert sorted([less.total.cents, instead.total.cents]) == [-1950, 1150]
    july = date(2026, 7, 1)
    issue(session, account(session).id, through=TODAY, month=july, by=None)
    assert documents(session)[:2] == [(DocumentKind.INVOICE, 3900), (DocumentKind.CREDIT_NOTE, -800)]
    assert to_bill(session) == []
    view, note = invoices_of(session, account(session).id)[:2]
    assert (view.month, note.month) == (july, None), "a month has one invoice, and what corrects is of none"
    why = explain(session, view)[view.lines[0].id]
    assert why.since == date(2025, 1, 1)
    assert [correction.reason for correction in why.corrections] == ["Un cageot est tombé"]
    assert [(other.number, other.total) for other in why.elsewhere] == [("F2026-00001", Money(1950))]


# Orders


def test_an_order_comes_to_the_cent_to_what_its_page_says(session: Session) -> None:
    order = ordered(session)
    assert not of_orders(session, [order.id]), "it is still to be weighed"
    order.lines[1].given = 483
    session.flush()
    charges = of_orders(session, [order.id])[order.id]
    view = shop.these(session, [order.id])[order.id]
    assert sum((charge.total for charge in charges), Money.zero()) == view.total
    by_rate = {part.basis_points: part.total for part in view.vat}
    for rate, total in by_rate.items():
        own = [charge.total for charge in charges if charge.vat_basis_points == rate]
        assert sum(own, Money.zero()) == total
    [carrots] = [charge for charge in charges if charge.weighed]
    assert (carrots.quantity, carrots.unit_price.cents, carrots.total.cents) == (483, 245, 118)
    assert [charge.label for charge in charges][-2:] == ["Bon d'achat BIENVENUE"] * 2
    able_to_bill(session)
    made = issue(session, account(session).id, through=TODAY, by=None)
    assert isinstance(made, Invoice) and made.total == view.total
    view = invoices_of(session, account(session).id)[0]
    why = explain(session, view)[next(line.id for line in view.lines if line.weighed)]
    assert (why.ordered, why.given) == (500, 483)


def test_of_an_order_set_right_the_difference_follows_its_voucher(session: Session) -> None:
    order = ordered(session)
    order.lines[1].given = 483
    session.flush()
    invoiced(session, month=JUNE)
    order.lines[0].given, order.discount = 1, Money(400)
    session.flush()
    view = shop.these(session, [order.id])[order.id]
    made = issue(session, account(session).id, through=TODAY, by=None)
    assert isinstance(made, Invoice) and made.kind is DocumentKind.CREDIT_NOTE
    own = [
        line.total
        for bill in invoices_of(session, account(session).id)
        for line in bill.lines
        if line.order_id
    ]
    assert sum(own, Money.zero()) == view.total


def test_only_an_order_that_brought_something_is_billed(session: Session) -> None:
    honey = making.article(session)
    states = {state: making.order(session, {honey: 1}, day=LAST, state=state).id for state in OrderState}
    found = of_orders(session, list(states.values()))
    assert {state for state, order_id in states.items() if order_id in found} == {
        OrderState.ACCEPTED,
        OrderState.PREPARED,
        OrderState.DELIVERED,
    }


def test_a_farm_without_vat_bills_none_since_then(session: Session) -> None:
    session.add(TaxStatus(since=date(2026, 6, 1), regime=VatRegime.FRANCHISE, on_debits=False))
    delivered(session)
    assert {(charge.day >= date(2026, 6, 1), charge.vat_basis_points) for charge in to_bill(session)} == {
        (False, 550),
        (True, 0),
    }


def test_as_many_queries_for_one_as_for_all(
    session: Session, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    delivered(session)
    ordered(session)
    session.flush()
    with count_queries() as for_one:
        unbilled(session, [1], through=TODAY)
    with count_queries() as for_all:
        assert len(unbilled(session, [1, 2, 3, 4], through=TODAY)) == 2
    assert len(for_one) == len(for_all) <= 8
