"""Reading invoices and credit notes."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
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
    LedgerEntry,
    Mandate,
)
from portal.infra.orm import View
from portal.rules.invoicing import DocumentKind, LineKind
from portal.rules.mentions import Mention, VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.shop.models import order_number


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
    owed: Money
    """In all, by its buyer, once it was issued; negative where they were ahead."""
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
    def electronic(self) -> bool:
        """Whether its buyer's programs may want it without the paper."""
        return self.buyer is not None and self.buyer.company is not None

    @property
    def ahead(self) -> Money:
        """What of it was paid in advance when it was issued."""
        return max(self.total - max(self.owed, Money.zero()), Money.zero())

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
_entry, _earlier, _payer = aliased(LedgerEntry), aliased(LedgerEntry), aliased(Customer)
_OWED = (
    select(func.sum(_earlier.amount))
    .join(_payer, _payer.id == _earlier.customer_id)
    .where(
        or_(_payer.id == Customer.id, _payer.account_id == Customer.account_id),
        _earlier.number <= _entry.number,
    )
    .correlate(Customer, _entry)
    .scalar_subquery()
)
"""As the ledger stood at its entry: what is paid later changes nothing of a paper."""
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
        func.coalesce(_OWED, Invoice.total),
        InvoiceFile.state,
        InvoiceFile.told_at,
        Invoice.seller,
        _REFERENCE,
        _ANNOUNCED,
        _BUYER,
    )
    .join(Invoice.customer)
    .outerjoin(_entry, _entry.invoice_id == Invoice.id)
    .outerjoin(Invoice.buyer)
    .outerjoin(InvoiceFile, InvoiceFile.invoice_id == Invoice.id)
    .outerjoin(_corrected, _corrected.id == Invoice.corrects_id)
    .outerjoin(
        DirectDebit,
        (Invoice.means == PaymentMeans.DIRECT_DEBIT) & (DirectDebit.end_to_end == Invoice.number + "-1"),
    )
    .outerjoin(Mandate, Mandate.id == DirectDebit.mandate_id)
    .order_by(Invoice.issued_at.desc(), Invoice.id.desc())
)


def find_invoice(session: Session, account_id: int | None, number: str) -> InvoiceView | None:
    """By its number: an account's; anybody's where none is named."""
    wanted = _INVOICES.where(Invoice.number == number)
    if account_id is not None:
        wanted = wanted.where(Customer.account_id == account_id)
    return next(iter(_read(session, wanted)), None)


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
