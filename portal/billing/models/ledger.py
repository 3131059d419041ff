"""The books: what is owed, what was paid of it, what was asked for again. Entries are never changed (0008)."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.billing.models.invoices import Customer, Invoice
from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans


class EntryKind(StrEnum):
    """What an entry of the ledger is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REVERSAL = "reversal"
    """Of a payment: a slip of the hand, or a debit that came back."""
    REFUND = "refund"
    """Money that the farm has given back."""
    WRITE_OFF = "write_off"
    """What nobody will pay any more, with its reason in the trail."""


class LedgerEntry(Base):
    """A line of the books: what somebody owes more (positive) or less. Never changed, chained by hash to the last.

    `number` counts without a gap; `digest` is over the entry and the digest before it (`billing.ledger`).
    """

    __tablename__ = "ledger_entry"
    __table_args__ = (
        Index(None, "customer_id", "number"),
        Index(None, "day"),
        CheckConstraint("(kind = 'payment' OR kind = 'refund') = (means IS NOT NULL)", name="paid_by_means"),
        CheckConstraint("(kind = 'reversal') = (reverses_id IS NOT NULL)", name="reversal_reverses"),
    )

    id: Mapped[PrimaryKey]
    number: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[EntryKind] = mapped_column(word(EntryKind))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    day: Mapped[date]
    """On which it counts; never within a month that is closed."""
    amount: Mapped[Money]
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"), unique=True)
    means: Mapped[PaymentMeans | None] = mapped_column(word(PaymentMeans))
    reference: Mapped[str | None] = mapped_column(String(40))
    """A cheque's or a transfer's number; no name."""
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    debit_id: Mapped[int | None] = mapped_column(ForeignKey("direct_debit.id"), index=True)
    pays_id: Mapped[int | None] = mapped_column(ForeignKey("invoice.id"), index=True)
    """The invoice that whoever paid named; a reversal has its payment's."""
    entered_at: Mapped[datetime]
    entered_by: Mapped[int | None]
    key: Mapped[str | None] = mapped_column(String(40), unique=True)
    """Of the form that it was entered with: sent twice, it enters once. Not sealed."""
    content: Mapped[str | None] = mapped_column(String(64))
    """The digest of all that its invoice says."""
    before: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    customer: Mapped[Customer] = relationship()
    invoice: Mapped[Invoice | None] = relationship(foreign_keys=[invoice_id])


class LedgerClosing(Base):
    """A month of the books is closed: nothing is entered into it any more (CGI 286, I, 3° bis). Never changed."""

    __tablename__ = "ledger_closing"

    month: Mapped[date] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    closed_by: Mapped[int | None]
    last_number: Mapped[int]
    """The last entry when it was closed."""
    billed: Mapped[Money]
    paid: Mapped[Money]
    """Money that came, less what was given back."""
    written_off: Mapped[Money]
    perpetual: Mapped[Money]
    """All that was ever billed until then."""
    before: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class ReminderStep(Base):
    """How late a debt is when a reminder goes out, and what it says; the farm writes its own words."""

    __tablename__ = "payment_reminder_step"

    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    days: Mapped[int]
    """After the day on which it was due."""
    subject: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)


class PaymentReminder(Base):
    """That somebody was reminded of an invoice, and of how much."""

    __tablename__ = "payment_reminder"
    __table_args__ = (UniqueConstraint("invoice_id", "position"),)

    id: Mapped[PrimaryKey]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    position: Mapped[int]
    """The step, as it was numbered then."""
    amount: Mapped[Money]
    sent_at: Mapped[datetime]
    sent_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """Nobody where the worker did by itself."""
