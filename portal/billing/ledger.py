"""The ledger: what everybody owes and has paid, entry by entry, each sealed by a hash over it and the one before.

Nothing is changed or removed (CGI 286, I, 3° bis): a slip is reversed by another entry, a closed month gets none.
A balance is the sum of somebody's entries: positive where they owe something, negative where they are ahead.
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from portal.billing.customers import belongs_to
from portal.billing.models import Customer, EntryKind, Invoice, LedgerClosing, LedgerEntry
from portal.billing.numbers import take
from portal.rules.invoicing import next_month
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

SERIES = "ledger"
SEALED = (
    "number", "kind", "customer_id", "day", "amount", "invoice_id", "means", "reference", "reverses_id",
    "debit_id", "pays_id", "entered_at", "entered_by",
    "content", "before",
)  # fmt: skip
"""What a digest is over."""
REVERSED = aliased(LedgerEntry)
MEANS = func.coalesce(LedgerEntry.means, REVERSED.means)
"""By which means money came, went or is taken back: what has none is no money."""
AT_ONCE = 1000
BEGINNING = "0" * 64
"""The digest before the first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be entered; the amount is what the customer owes more by it, negative for what they have paid."""

    kind: EntryKind
    customer_id: int
    day: date
    amount: Money
    invoice_id: int | None = None
    means: PaymentMeans | None = None
    reference: str | None = None
    reverses_id: int | None = None
    debit_id: int | None = None
    pays_id: int | None = None
    key: str | None = None
    content: str | None = None


class MonthClosedError(ValueError):
    """An entry into a month that is closed: whoever enters asks `first_open_day` before."""


def first_open_day(session: Session) -> date | None:
    """The first day on which something can still be entered; None where nothing is closed yet."""
    last = session.scalar(select(func.max(LedgerClosing.month)))
    return None if last is None else next_month(last)


def hold(session: Session) -> None:
    """Keep the ledger's end to ourselves until our commit, to decide on what stands in it: after every other lock."""
    take(session, SERIES, 0)


def append(session: Session, entries: Sequence[Entry], *, at: datetime, by: int | None) -> list[LedgerEntry]:
    """Enter them in their order. The ledger's end is held until our commit: take it after every other lock."""
    if not entries:
        return []
    number = take(session, SERIES, len(entries))
    opens = first_open_day(session)
    last = select(LedgerEntry.digest).where(LedgerEntry.number == number - 1)
    before = session.scalar(last) or BEGINNING
    rows = []
    for count, entry in enumerate(entries):
        if opens and entry.day < opens:
            raise MonthClosedError(entry.day.isoformat())
        row = LedgerEntry(
            number=number + count, entered_at=at, entered_by=by, before=before, **_values(entry)
        )
        row.digest = before = digest_of(row)
        rows.append(row)
    session.add_all(rows)
    session.flush()
    return rows


def years(session: Session) -> range:
    """Those that have an entry."""
    first, last = session.execute(select(func.min(LedgerEntry.day), func.max(LedgerEntry.day))).one()
    return range(first.year, last.year + 1) if first else range(0)


def digest_of(entry: Any) -> str:
    """The SHA-256, in hex, of an entry with the digest before it."""
    return sha256(sealed_text(entry).encode()).hexdigest()


def sealed_text(entry: Any) -> str:
    """What the digest is over: whoever has the two can reckon it again."""
    return as_text({name: getattr(entry, name) for name in SEALED})


def as_text(values: dict[str, Any]) -> str:
    return json.dumps({name: _plain(value) for name, value in values.items()}, sort_keys=True)


def entries(session: Session, *which: ColumnElement[bool]) -> Generator[Any, None, None]:
    """Its rows in their order, some at a time, with the invoice's and the customer's own numbers."""
    columns = [getattr(LedgerEntry, name) for name in SEALED]
    rows = (
        select(
            *columns,
            LedgerEntry.digest,
            MEANS.label("moved_by"),
            Invoice.number.label("invoice"),
            Customer.account_id,
            Customer.order_id,
        )
        .select_from(LedgerEntry)
        .join(LedgerEntry.customer)
        .outerjoin(LedgerEntry.invoice)
        .outerjoin(REVERSED, REVERSED.id == LedgerEntry.reverses_id)
        .where(*which)
        .order_by(LedgerEntry.number)
    )
    with session.execute(rows.execution_options(yield_per=AT_ONCE)) as found:
        yield from found


def _values(entry: Entry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)}


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Money():
            return value.cents
        case _:
            return value


_BALANCE = (
    select(func.sum(LedgerEntry.amount)).join(LedgerEntry.customer).where(belongs_to(bindparam("account_id")))
)


def balance(session: Session, account_id: int) -> Money:
    """What an account owes; negative where it is ahead."""
    return session.scalar(_BALANCE, {"account_id": account_id}) or Money.zero()
