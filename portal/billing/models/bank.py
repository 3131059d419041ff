"""What the farm's bank says."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.money import Money


class StatementFormat(StrEnum):
    CAMT = "camt"
    CSV = "csv"


class BankStatement(Base):
    """A statement of the farm's bank, as it was imported; the same one twice is one."""

    __tablename__ = "bank_statement"

    id: Mapped[PrimaryKey]
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    file_name: Mapped[str] = mapped_column(String(120))
    format: Mapped[StatementFormat] = mapped_column(word(StatementFormat))
    imported_at: Mapped[datetime]
    imported_by: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    lines: Mapped[list["BankLine"]] = relationship(order_by="BankLine.id", back_populates="statement")


class BankLineState(StrEnum):
    OPEN = "open"
    ENTERED = "entered"
    IGNORED = "ignored"


class BankLine(Base):
    """Money that came in or went out; what it is for is proposed, staff decide. `key` tells a line met before."""

    __tablename__ = "bank_line"
    __table_args__ = (Index(None, "state", "day"),)

    id: Mapped[PrimaryKey]
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    day: Mapped[date]
    amount: Mapped[Money]
    name: Mapped[str] = mapped_column(String(160))
    """Who paid, as the bank says it; emptied with the label when it is old, or its person is forgotten."""
    label: Mapped[str] = mapped_column(Text)
    state: Mapped[BankLineState] = mapped_column(word(BankLineState))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    """Whose it is, once it is entered."""
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    statement: Mapped[BankStatement] = relationship(back_populates="lines")
