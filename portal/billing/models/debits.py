"""What the farm may collect, and collects."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.billing.models.invoices import Customer, Invoice
from portal.infra.crypto import Sealed
from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.money import Money
from portal.rules.sepa import MandateEnd, ReturnCode, Sequence


class Mandate(Base):
    """That somebody lets the farm collect by SEPA core direct debit; kept once it has ended."""

    __tablename__ = "mandate"
    __table_args__ = (Index(None, "account_id", "ended_at"),)

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    reference: Mapped[str] = mapped_column(String(35), unique=True)
    """Its RUM."""
    iban: Mapped[bytes | None] = mapped_column(Sealed("mandate.iban"), deferred=True)
    """Emptied once nothing that was collected under it can come back (`billing.forgetting`)."""
    last_four: Mapped[str] = mapped_column(String(4))
    """All that is ever shown of the IBAN."""
    bic: Mapped[str | None] = mapped_column(String(11))
    """Within the European Economic Area banks ask for none."""
    bank: Mapped[str | None] = mapped_column(String(120))
    holder: Mapped[str] = mapped_column(String(70))
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80))
    signed_at: Mapped[datetime]
    signed_by: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    paper: Mapped[bytes] = mapped_column(Sealed("mandate.paper"), deferred=True)
    """Its PDF, with the words that were agreed to."""
    used_on: Mapped[date | None]
    """The last day on which something was collected: the first time it is FRST, afterwards RCUR."""
    ended_at: Mapped[datetime | None]
    end: Mapped[MandateEnd | None] = mapped_column(word(MandateEnd))
    account: Mapped[Account] = relationship(foreign_keys=[account_id])


class DebitState(StrEnum):
    ANNOUNCED = "announced"
    """Its person knows the amount and the day."""
    IN_FILE = "in_file"
    PRESENTED = "presented"
    """The bank has the file."""
    COLLECTED = "collected"
    """The day has come: it is in the ledger as paid, unless it comes back."""
    RETURNED = "returned"
    """Rejected, or refunded to its person."""
    DROPPED = "dropped"
    """Paid otherwise, or the mandate has ended."""


ALIVE = (DebitState.ANNOUNCED, DebitState.IN_FILE, DebitState.PRESENTED)
"""Under collection: nobody is reminded of what it is for."""


class DebitBatch(Base):
    """A file for the bank, with all that is collected on a day; larger ones are split."""

    __tablename__ = "debit_batch"

    id: Mapped[PrimaryKey]
    message_id: Mapped[str] = mapped_column(String(35), unique=True)
    collected_on: Mapped[date] = mapped_column(index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    presented_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    """Taken back before it was presented: its debits are announced again."""
    count: Mapped[int]
    total: Mapped[Money]
    data: Mapped[bytes | None] = mapped_column(Sealed("debit_batch.data"), deferred=True)
    """The pain.008 itself: the only place where an IBAN is whole (BAR P1); emptied once it is old."""


class DirectDebit(Base):
    """What is, or was, to be collected under a mandate for an invoice; tried again it is another row."""

    __tablename__ = "direct_debit"
    __table_args__ = (
        Index(
            "uq_direct_debit_live_invoice",
            "invoice_id",
            unique=True,
            sqlite_where=text("state IN ('announced', 'in_file', 'presented')"),
            postgresql_where=text("state IN ('announced', 'in_file', 'presented')"),
        ),
        Index(None, "state", "collected_on"),
        CheckConstraint("amount > 0", name="amount_positive"),
    )

    id: Mapped[PrimaryKey]
    end_to_end: Mapped[str] = mapped_column(String(35), unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), index=True)
    mandate_id: Mapped[int] = mapped_column(ForeignKey("mandate.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("debit_batch.id"), index=True)
    amount: Mapped[Money]
    """Announced; never more is collected, but less where something was paid meanwhile."""
    announced: Mapped[Money | None]
    """What was, while it is in a file that asks for less."""
    collected_on: Mapped[date]
    sequence: Mapped[Sequence | None] = mapped_column(word(Sequence))
    """Known once it is in a file."""
    state: Mapped[DebitState] = mapped_column(word(DebitState))
    announced_at: Mapped[datetime]
    told_at: Mapped[datetime | None]
    """When its person was told the day; the worker mails who was not."""
    attempt: Mapped[int] = mapped_column(server_default="1")
    returned_on: Mapped[date | None]
    return_code: Mapped[ReturnCode | None] = mapped_column(word(ReturnCode))
    customer: Mapped[Customer] = relationship()
    mandate: Mapped[Mandate] = relationship()
    invoice: Mapped[Invoice] = relationship()
    batch: Mapped[DebitBatch | None] = relationship()
