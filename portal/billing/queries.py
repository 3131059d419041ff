"""Reading invoices and credit notes."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import customer_number
from portal.billing.models import (
    Customer,
    DirectDebit,
    FileState,
    Invoice,
    InvoiceBuyer,
    InvoiceFile,
    InvoiceLine,
    InvoiceRate,
    Mandate,
)
from portal.boxes.models import Basket, BasketCorrection
from portal.catalogue.models import FormulaPrice
from portal.infra.orm import View
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import DocumentKind, LineKind, Mention, VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.shop.models import Order, OrderCorrection, Voucher, VoucherUse, order_number


@dataclass(frozen=True, slots=True)
class BuyerView:
    """To whom it is made out; nobody once that is forgotten."""

    invoice_id: int
    name: str
    street: str
    postcode: str
    town: str
    email: str
    company: str | None
    vat_number: str | None
    siren: str | None
    purchase_reference: str | None
    delivered_to: str | None
    kept_until: date


@dataclass(frozen=True, slots=True)
class SellerView:
    """The farm as it was, and the words that the law asked for."""

    name: str
    tagline: str
    legal_name: str
    legal_form: str
    siret: str
    register: str | None
    vat_number: str | None
    address: str
    postcode: str
    town: str
    email: str
    phone: str
    certifier: str | None
    iban: str | None
    bic: str | None
    cheques_to: str | None
    creditor_id: str | None
    """Its ICS."""
    regime: VatRegime
    mentions: Mapping[Mention, str]


@dataclass(frozen=True, slots=True)
class Reference:
    """The invoice that a credit note corrects."""

    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Announced:
    """The direct debit that an invoice gave notice of."""

    reference: str
    """The mandate's."""
    last_four: str
    collected_on: date
    amount: Money


@dataclass(frozen=True, slots=True)
class LineView:
    invoice_id: int
    id: int
    position: int
    kind: LineKind
    source: str | None
    corrects_id: int | None
    delivery_id: int | None
    subscription_id: int | None
    order_id: int | None
    day: date
    label: str
    quantity: int
    weighed: bool
    unit_price: Money
    vat_basis_points: int
    net: Money
    total: Money

    @property
    def vat(self) -> Money:
        return self.total - self.net


@dataclass(frozen=True, slots=True)
class RateView:
    invoice_id: int
    basis_points: int
    net: Money
    vat: Money
    total: Money


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice or a credit note as it was issued, and how far its file is."""

    id: int
    number: str
    kind: DocumentKind
    customer_id: int
    account_id: int | None
    of_order_id: int | None
    """A guest's."""
    month: date | None
    run_id: int | None
    corrects_id: int | None
    reason: str | None
    issued_at: datetime
    issued_on: date
    first_day: date
    last_day: date
    due_on: date
    means: PaymentMeans | None
    net: Money
    vat: Money
    total: Money
    file: FileState | None
    told_at: datetime | None
    kept_seller: dict[str, Any]
    corrects: Reference | None
    debit: Announced | None
    buyer: BuyerView | None
    lines: tuple[LineView, ...] = field(default=())
    rates: tuple[RateView, ...] = field(default=())

    @property
    def seller(self) -> SellerView:
        kept = self.kept_seller
        said = {Mention(kind): words for kind, words in kept["mentions"].items()}
        return SellerView(**kept | {"regime": VatRegime(kept["regime"]), "mentions": said})

    @property
    def customer_number(self) -> str:
        """Who buys, as papers name them: an account, or a guest's order."""
        if self.account_id is not None:
            return customer_number(self.account_id)
        assert self.of_order_id is not None
        return order_number(self.of_order_id)

    @property
    def is_credit(self) -> bool:
        return self.kind is DocumentKind.CREDIT_NOTE


_BUYER = View(BuyerView, **{each.name: getattr(InvoiceBuyer, each.name) for each in fields(BuyerView)})
_LINE = View(LineView, **{each.name: getattr(InvoiceLine, each.name) for each in fields(LineView)})
_RATE = View(
    RateView,
    invoice_id=InvoiceRate.invoice_id,
    basis_points=InvoiceRate.vat_basis_points,
    net=InvoiceRate.net,
    vat=InvoiceRate.vat,
    total=InvoiceRate.total,
)
_corrected = aliased(Invoice)
_REFERENCE = View(Reference, number=_corrected.number, issued_on=_corrected.issued_on)
_ANNOUNCED = View(
    Announced,
    reference=Mandate.reference,
    last_four=Mandate.last_four,
    collected_on=DirectDebit.collected_on,
    amount=DirectDebit.amount,
)
_INVOICES: Select[*tuple[Any, ...]] = (
    select(
        Invoice.id,
        Invoice.number,
        Invoice.kind,
        Invoice.customer_id,
        Customer.account_id,
        Customer.order_id,
        Invoice.month,
        Invoice.run_id,
        Invoice.corrects_id,
        Invoice.reason,
        Invoice.issued_at,
        Invoice.issued_on,
        Invoice.first_day,
        Invoice.last_day,
        Invoice.due_on,
        Invoice.means,
        Invoice.net,
        Invoice.vat,
        Invoice.total,
        InvoiceFile.state,
        InvoiceFile.told_at,
        Invoice.seller,
        _REFERENCE,
        _ANNOUNCED,
        _BUYER,
    )
    .join(Invoice.customer)
    .outerjoin(Invoice.buyer)
    .outerjoin(InvoiceFile, InvoiceFile.invoice_id == Invoice.id)
    .outerjoin(_corrected, _corrected.id == Invoice.corrects_id)
    .outerjoin(DirectDebit, (DirectDebit.invoice_id == Invoice.id) & (DirectDebit.attempt == 1))
    .outerjoin(Mandate, Mandate.id == DirectDebit.mandate_id)
    .order_by(Invoice.issued_at.desc(), Invoice.id.desc())
)


def find_invoice(session: Session, account_id: int | None, number: str) -> InvoiceView | None:
    """By its number: an account's; anybody's where none is named."""
    wanted = _INVOICES.where(Invoice.number == number)
    if account_id is not None:
        wanted = wanted.where(Customer.account_id == account_id)
    return next(iter(_read(session, wanted)), None)


def invoices_of(session: Session, account_id: int, *, year: int | None = None) -> list[InvoiceView]:
    """An account's, the last one first; those of a year by the day of issue."""
    wanted = _INVOICES.where(Customer.account_id == account_id)
    if year is not None:
        wanted = wanted.where(Invoice.issued_on.between(date(year, 1, 1), date(year, 12, 31)))
    return _read(session, wanted)


def invoices_of_order(session: Session, order_id: int) -> list[InvoiceView]:
    """Whatever bills an order, the last one first; whoever asks knows whose order it is."""
    bills = select(InvoiceLine.invoice_id).where(InvoiceLine.order_id == order_id)
    return _read(session, _INVOICES.where(Invoice.id.in_(bills)))


def these(session: Session, invoice_ids: Collection[int]) -> dict[int, InvoiceView]:
    """Whosoever's they are: id → invoice."""
    return {view.id: view for view in _read(session, _INVOICES.where(Invoice.id.in_(invoice_ids)))}


def _read(session: Session, statement: Select[*tuple[Any, ...]]) -> list[InvoiceView]:
    found = [InvoiceView(*row) for row in session.execute(statement)]
    if not found:
        return []
    ids = [view.id for view in found]
    lines: defaultdict[int, list[LineView]] = defaultdict(list)
    own_lines = select(_LINE).where(InvoiceLine.invoice_id.in_(ids)).order_by(InvoiceLine.position)
    for line in session.scalars(own_lines):
        lines[line.invoice_id].append(line)
    rates: defaultdict[int, list[RateView]] = defaultdict(list)
    own_rates = select(_RATE).where(InvoiceRate.invoice_id.in_(ids)).order_by(InvoiceRate.vat_basis_points)
    for rate in session.scalars(own_rates):
        rates[rate.invoice_id].append(rate)
    return [replace(view, lines=tuple(lines[view.id]), rates=tuple(rates[view.id])) for view in found]


# « Pourquoi ce prix »


@dataclass(frozen=True, slots=True)
class Correction:
    """What staff have set right of a box or an order, and why."""

    at: datetime
    reason: str

    @property
    def day(self) -> date:
        return local_day(self.at)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another invoice or credit note says of the same."""

    number: str
    kind: DocumentKind
    issued_on: date
    quantity: int
    total: Money


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a line's amount comes from.

    `since` is when a box's price came into force; what was ordered keeps the price of the day it was ordered
    (`ordered_at`). `ordered` and `given` are pieces, or grams.
    """

    line: LineView
    since: date | None = None
    ordered_at: datetime | None = None
    ordered: int | None = None
    given: int | None = None
    voucher: str | None = None
    corrections: tuple[Correction, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()

    @property
    def ordered_on(self) -> date | None:
        return local_day(self.ordered_at) if self.ordered_at else None


_ELSEWHERE = View(
    Elsewhere,
    number=Invoice.number,
    kind=Invoice.kind,
    issued_on=Invoice.issued_on,
    quantity=InvoiceLine.quantity,
    total=InvoiceLine.total,
)


def explain(session: Session, line_id: int, *, account_id: int | None = None) -> Explanation | None:
    """Of a line of somebody's invoices, where an account is named of that account's."""
    wanted = select(_LINE).select_from(InvoiceLine).join(Invoice, Invoice.id == InvoiceLine.invoice_id)
    wanted = wanted.join(Invoice.customer)
    if account_id is not None:
        wanted = wanted.where(Customer.account_id == account_id)
    line = session.scalar(wanted.where(InvoiceLine.id == line_id))
    if line is None:
        return None
    same = InvoiceLine.source == line.source if line.source else InvoiceLine.id == line.corrects_id
    others = select(_ELSEWHERE).select_from(InvoiceLine).join(Invoice, Invoice.id == InvoiceLine.invoice_id)
    others = others.where(
        or_(same, InvoiceLine.corrects_id == line.id), InvoiceLine.invoice_id != line.invoice_id
    )
    elsewhere = tuple(session.scalars(others.order_by(Invoice.id, InvoiceLine.position)))
    if line.subscription_id is not None:
        return replace(_explain_box(session, line), elsewhere=elsewhere)
    if line.order_id is not None:
        return replace(_explain_order(session, line), elsewhere=elsewhere)
    return Explanation(line, elsewhere=elsewhere)


def _explain_box(session: Session, line: LineView) -> Explanation:
    own = select(Basket).where(
        Basket.subscription_id == line.subscription_id, Basket.delivery_id == line.delivery_id
    )
    if line.source:
        own = own.where(Basket.week == date.fromisoformat(line.source.rpartition("/")[2]))
    box = session.scalars(own.limit(1)).first()
    if box is None:
        return Explanation(line)
    price = session.scalars(
        select(FormulaPrice)
        .where(FormulaPrice.formula_id == box.formula_id, FormulaPrice.since <= line.day)
        .order_by(FormulaPrice.since.desc())
        .limit(1)
    ).first()
    corrections = select(View(Correction, at=BasketCorrection.at, reason=BasketCorrection.reason))
    stands = (BasketCorrection.basket_id == box.id, BasketCorrection.undone_at.is_(None))
    return Explanation(
        line,
        since=price.since if price and price.price == line.unit_price else None,
        corrections=tuple(session.scalars(corrections.where(*stands).order_by(BasketCorrection.id))),
    )


def _explain_order(session: Session, line: LineView) -> Explanation:
    order = session.get_one(Order, line.order_id)
    code = select(Voucher.code).join(VoucherUse, VoucherUse.voucher_id == Voucher.id)
    corrections = select(View(Correction, at=OrderCorrection.at, reason=OrderCorrection.reason))
    stands = (OrderCorrection.order_id == order.id, OrderCorrection.undone_at.is_(None))
    ordered = next((each for each in order.lines if f"line/{each.id}" == line.source), None)
    return Explanation(
        line,
        ordered_at=order.placed_at,
        ordered=ordered.quantity if ordered else None,
        given=ordered.paid if ordered else None,
        voucher=session.scalar(code.where(VoucherUse.order_id == order.id)),
        corrections=tuple(session.scalars(corrections.where(*stands).order_by(OrderCorrection.id))),
    )
