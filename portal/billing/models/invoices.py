"""How the farm bills, whom, and what it has billed: never changed once issued, triggers see to it (0008)."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account, customer_number
from portal.deliveries.models import Delivery
from portal.infra.crypto import Sealed
from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.invoicing import DocumentKind, LineKind
from portal.rules.mentions import VatRegime
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.shop.models import Order, order_number

ACCOUNT_NUMBER = 34
"""An IBAN has no more characters."""


class BillingSettings(Base):
    """How the farm bills and is paid; exactly one row. What is missing for an invoice stops the run, and is named."""

    __tablename__ = "billing_settings"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[PrimaryKey]
    bills_from: Mapped[date | None]
    """What was delivered before was billed elsewhere."""
    due_days: Mapped[int] = mapped_column(server_default="15")
    """A person pays so many days after the day of the invoice; a company has its own terms (`Company.due_days`)."""
    company_due_days: Mapped[int] = mapped_column(server_default="30")
    late_rate_basis_points: Mapped[int] = mapped_column(server_default="1200")
    """What a company pays on what is late, in a year (Code de commerce, L441-10)."""
    iban: Mapped[str | None] = mapped_column(String(ACCOUNT_NUMBER))
    """The farm's own, printed on invoices for who pays by transfer."""
    bic: Mapped[str | None] = mapped_column(String(11))
    creditor_id: Mapped[str | None] = mapped_column(String(35))
    """Its SEPA creditor identifier (ICS): without one nothing is collected."""
    creditor_name: Mapped[str | None] = mapped_column(String(70))
    reminds: Mapped[bool] = mapped_column(server_default="0")
    """Whether the worker sends reminders by itself; else staff send each step."""
    collection_day: Mapped[int] = mapped_column(server_default="10")
    """Of the month, or the next day on which banks work."""
    notice_days: Mapped[int] = mapped_column(server_default="14")
    """Between the announcement of a debit and the debit (SEPA core rulebook)."""
    debits_a_file: Mapped[int] = mapped_column(server_default="5000")
    cheques_to: Mapped[str | None] = mapped_column(String(120))
    """To whom cheques are made out and sent."""
    statement_columns: Mapped[dict[str, Any] | None]
    """Which column of the bank's CSV is what, as it was chosen once."""
    ledger_accounts: Mapped[dict[str, Any] | None]
    """The accountant's own account numbers for the FEC, where they are not the usual ones."""


class TaxStatus(Base):
    """Under which VAT regime the farm sells from a day on, and the words for it; dated, as the law moves.

    Without a row the farm is liable to VAT.
    """

    __tablename__ = "tax_status"

    since: Mapped[date] = mapped_column(primary_key=True)
    regime: Mapped[VatRegime] = mapped_column(word(VatRegime))
    mention: Mapped[str | None] = mapped_column(String(300))
    """In place of the usual words (`rules.mentions.mentions`)."""
    on_debits: Mapped[bool]
    """« Option pour le paiement de la taxe d'après les débits »."""


class Customer(Base):
    """Who owes or has paid: an account's or a guest order's row in the books.

    Invoices and entries never change, so they name this; it alone follows where two accounts become one, or an
    order gets an account. One account may then have several: whatever is somebody's is read through all of them.
    """

    __tablename__ = "customer"
    __table_args__ = (
        CheckConstraint("account_id IS NOT NULL OR order_id IS NOT NULL", name="is_somebody"),
        Index(
            "ix_customer_uneven",
            "account_id",
            sqlite_where=text("balance <> 0"),
            postgresql_where=text("balance <> 0"),
        ),
    )

    id: Mapped[PrimaryKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("shop_order.id"), unique=True)
    """A guest's."""
    balance: Mapped[Money] = mapped_column(server_default="0", deferred=True)
    """What its entries come to: the database keeps it (0009), so that one finds whoever owes. The ledger says what."""
    account: Mapped[Account | None] = relationship()
    order: Mapped[Order | None] = relationship()

    @property
    def number(self) -> str:
        if self.account_id is not None:
            return customer_number(self.account_id)
        assert self.order_id is not None
        return order_number(self.order_id)


class NumberSeries(Base):
    """The last number of a series: held from when a number is taken until it is committed, so that none is missing."""

    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    """« F2026 », « A2026 »; the ledger has its own."""
    last: Mapped[int]


class Invoice(Base):
    """An invoice or a credit note, as it was issued. Amounts of a credit note are negative.

    `month` is its first day where it is the monthly invoice: one a customer and month. `source` of a line says what
    it bills (`rules.invoicing.Source`): what has been billed of something is the sum of its lines, so nothing is
    billed twice, and what changed since is the difference.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("customer_id", "month"),
        Index(None, "issued_on"),
        Index(None, "corrects_id"),
        Index(None, "month", "last_day", "kind", "total"),
        CheckConstraint("net + vat = total", name="adds_up"),
    )

    id: Mapped[PrimaryKey]
    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[DocumentKind] = mapped_column(word(DocumentKind))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    month: Mapped[date | None]
    run_id: Mapped[int | None] = mapped_column(ForeignKey("invoice_run.id"), index=True)
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"))
    """The invoice that a credit note takes back from."""
    reason: Mapped[str | None] = mapped_column(String(300))
    """Of a credit note."""
    issued_at: Mapped[datetime]
    issued_on: Mapped[date]
    issued_by: Mapped[int | None]
    """Named without a reference, as in the trail: it never follows a merge."""
    first_day: Mapped[date]
    """Of the deliveries that it bills."""
    last_day: Mapped[date]
    due_on: Mapped[date]
    means: Mapped[PaymentMeans | None] = mapped_column(word(PaymentMeans))
    net: Mapped[Money]
    vat: Mapped[Money]
    total: Mapped[Money]
    seller: Mapped[dict[str, Any]]
    """The farm as it was then, and the words that the law asked for (`billing.parties.Seller`)."""
    buyer_digest: Mapped[str] = mapped_column(String(64))
    customer: Mapped[Customer] = relationship()
    buyer: Mapped["InvoiceBuyer | None"] = relationship(back_populates="invoice")
    lines: Mapped[list["InvoiceLine"]] = relationship(order_by="InvoiceLine.position")
    rates: Mapped[list["InvoiceRate"]] = relationship(order_by="InvoiceRate.vat_basis_points")


class InvoiceBuyer(Base):
    """To whom an invoice is made out, apart from it: kept ten years, whoever is erased meanwhile.

    A trigger lets it go once an invoice was issued after `kept_until` (Code de commerce, L123-22).
    """

    __tablename__ = "invoice_buyer"

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    kept_until: Mapped[date]
    name: Mapped[str] = mapped_column(String(160))
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(254))
    company: Mapped[str | None] = mapped_column(String(160))
    vat_number: Mapped[str | None] = mapped_column(String(20))
    siren: Mapped[str | None] = mapped_column(String(9))
    purchase_reference: Mapped[str | None] = mapped_column(String(60))
    salt: Mapped[str] = mapped_column(String(32))
    """Of their digest (`billing.contents`)."""
    delivered_to: Mapped[str | None] = mapped_column(String(300))
    """Where it was collected, if that is not the buyer's address: the pickup points."""
    invoice: Mapped[Invoice] = relationship(back_populates="buyer")


class InvoiceLine(Base):
    """A line, all taxes included; `net` is its share of its rate's net amount, so that they add up to it."""

    __tablename__ = "invoice_line"
    __table_args__ = (UniqueConstraint("invoice_id", "position"), Index(None, "source"))

    id: Mapped[PrimaryKey]
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    position: Mapped[int]
    kind: Mapped[LineKind] = mapped_column(word(LineKind))
    source: Mapped[str | None] = mapped_column(String(60))
    """What it bills; none of a gesture, which changes nothing of what is billed."""
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("invoice_line.id"), index=True)
    """The line that a gesture takes something off."""
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("delivery.id"), index=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscription.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("shop_order.id"), index=True)
    day: Mapped[date]
    label: Mapped[str] = mapped_column(String(200))
    quantity: Mapped[int]
    """Pieces, or grams; negative in a credit note."""
    weighed: Mapped[bool]
    """The quantity is in grams, the price is a kilo's."""
    unit_price: Mapped[Money]
    vat_basis_points: Mapped[int]
    net: Mapped[Money]
    total: Mapped[Money]
    delivery: Mapped[Delivery | None] = relationship()


class InvoiceRate(Base):
    """What of an invoice bears a VAT rate."""

    __tablename__ = "invoice_rate"
    __table_args__ = (CheckConstraint("net + vat = total", name="adds_up"),)

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    vat_basis_points: Mapped[int] = mapped_column(primary_key=True)
    net: Mapped[Money]
    vat: Mapped[Money]
    total: Mapped[Money]


class FileState(StrEnum):
    WAITING = "waiting"
    MADE = "made"
    FAILED = "failed"
    """Tried too often; staff are told."""


class InvoiceFile(Base):
    """An invoice's PDF, made by the worker once it is issued; its buyer is mailed once it is there."""

    __tablename__ = "invoice_file"
    __table_args__ = (Index(None, "state", "due_at"),)

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"), primary_key=True)
    state: Mapped[FileState] = mapped_column(word(FileState))
    due_at: Mapped[datetime]
    tries: Mapped[int]
    made_at: Mapped[datetime | None]
    data: Mapped[bytes | None] = mapped_column(Sealed("invoice_file.data"), deferred=True)
    """Sealed: it names its buyer."""
    told_at: Mapped[datetime | None]
    """When its buyer was mailed."""
    invoice: Mapped[Invoice] = relationship()


class RunState(StrEnum):
    WORKING = "working"
    DONE = "done"
    STOPPED = "stopped"
    """By staff; what is issued stays."""


class InvoiceRun(Base):
    """A month is billed, by the worker, some customers at a time; begun again it goes on behind `through`."""

    __tablename__ = "invoice_run"

    id: Mapped[PrimaryKey]
    month: Mapped[date] = mapped_column(index=True)
    state: Mapped[RunState] = mapped_column(word(RunState), index=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    through: Mapped[int] = mapped_column(server_default="0")
    """The last account that was seen to, in the order of their ids."""
    wanted: Mapped[int]
    """How many customers have something to be billed."""
    issued: Mapped[int] = mapped_column(server_default="0")
    total: Mapped[Money] = mapped_column(server_default="0")
    ended_at: Mapped[datetime | None]


class RunFailure(Base):
    """A customer whom a run could not bill; the others were."""

    __tablename__ = "invoice_run_failure"

    run_id: Mapped[int] = mapped_column(ForeignKey("invoice_run.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    reason: Mapped[str] = mapped_column(String(80))
