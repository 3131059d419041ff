"""Money that came in or went out, entered by staff, from the bank's statement or by the day of a debit.

Whoever enters holds the ledger first, so what is decided on stands until the commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from portal.billing import ledger
from portal.billing.balances import books_of_customer
from portal.billing.ledger import Entry
from portal.billing.models import Customer, EntryKind, Invoice, LedgerEntry
from portal.infra import audit
from portal.infra.audit import AuditEvent
from portal.rules.cutoffs import local_day
from portal.rules.matching import invoice_numbers
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

NONE = Money.zero()
LONGEST_AGO = timedelta(days=366)
REVERSIBLE = (EntryKind.PAYMENT, EntryKind.REFUND, EntryKind.WRITE_OFF)


class Refusal(StrEnum):
    """Why something is not entered; the words are in the templates."""

    MONTH_CLOSED = "month_closed"
    FUTURE_DAY = "future_day"
    LONG_AGO = "long_ago"
    """Most likely a slip of the year, which would stand in the books for ever."""
    NOT_REVERSIBLE = "not_reversible"
    """Not money, or a reversal itself: an invoice is corrected by a credit note."""
    MORE_THAN_CREDIT = "more_than_credit"
    MORE_THAN_OWED = "more_than_owed"
    FORM_USED = "form_used"
    """Its form has entered something else already."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What somebody paid; the amount is positive. `key` is its form's: sent twice, it is entered once."""

    customer_id: int
    means: PaymentMeans
    amount: Money
    day: date
    reference: str | None = None
    debit_id: int | None = None
    key: str | None = None

    def as_(self, kind: EntryKind) -> Entry:
        amount = self.amount if kind is EntryKind.REFUND else NONE - self.amount
        return Entry(
            kind,
            self.customer_id,
            self.day,
            amount,
            means=self.means,
            reference=self.reference,
            debit_id=self.debit_id,
            key=self.key,
        )


def pay(session: Session, payment: Payment, *, at: datetime, by: int | None) -> LedgerEntry | Refusal:
    return _first(pay_all(session, [payment], at=at, by=by))


def pay_all(
    session: Session, payments: Sequence[Payment], *, at: datetime, by: int | None
) -> list[LedgerEntry] | Refusal:
    """All of them or none; who names an invoice by its number pays it (C. civ., 1342-10)."""
    ledger.hold(session)
    named = _named(session, payments)
    entries = [replace(each.as_(EntryKind.PAYMENT), pays_id=named.get(each)) for each in payments]
    return _enter_once(session, entries, at=at, by=by)


def refund(
    session: Session, payment: Payment, *, reason: str, at: datetime, by: int | None
) -> LedgerEntry | Refusal:
    """Give back what somebody is ahead, or part of it."""
    ledger.hold(session)
    entry = payment.as_(EntryKind.REFUND)
    if (
        not _is_known(session, entry)
        and payment.amount > books_of_customer(session, payment.customer_id).credit
    ):
        return Refusal.MORE_THAN_CREDIT
    return _first(_enter_once(session, [entry], at=at, by=by, reason=reason))


def write_off(
    session: Session,
    customer_id: int,
    amount: Money,
    *,
    day: date,
    reason: str,
    key: str | None = None,
    at: datetime,
    by: int | None,
) -> LedgerEntry | Refusal:
    """Give up what somebody owes, or part of it."""
    ledger.hold(session)
    entry = Entry(EntryKind.WRITE_OFF, customer_id, day, NONE - amount, key=key)
    if not _is_known(session, entry) and amount > books_of_customer(session, customer_id).balance:
        return Refusal.MORE_THAN_OWED
    return _first(_enter_once(session, [entry], at=at, by=by, reason=reason))


def reverse(
    session: Session, entry: LedgerEntry, *, day: date, reason: str, at: datetime, by: int | None
) -> LedgerEntry | Refusal:
    """Take a payment, a refund or a write-off back; asked again, it is the reversal that there is."""
    ledger.hold(session)
    if entry.kind not in REVERSIBLE:
        return Refusal.NOT_REVERSIBLE
    done = session.scalar(select(LedgerEntry).where(LedgerEntry.reverses_id == entry.id))
    if done:
        return done
    opposite = Entry(
        EntryKind.REVERSAL,
        entry.customer_id,
        day,
        NONE - entry.amount,
        reverses_id=entry.id,
        pays_id=entry.pays_id,
    )
    return _first(_enter_once(session, [opposite], at=at, by=by, reason=reason))


def _named(session: Session, payments: Iterable[Payment]) -> dict[Payment, int]:
    """The invoices, of who pays, whose number is the reference or stands in it alone."""
    said = {each: invoice_numbers(each.reference) for each in payments if each.reference}
    numbers = {each: found[0] for each, found in said.items() if len(found) == 1}
    if not numbers:
        return {}
    payer = aliased(Customer)
    same = or_(payer.id == Customer.id, payer.account_id == Customer.account_id)
    own = (
        select(payer.id, Invoice.number, Invoice.id)
        .select_from(Invoice)
        .join(Invoice.customer)
        .join(payer, same)
    )
    named = own.where(
        Invoice.number.in_(numbers.values()), payer.id.in_([each.customer_id for each in numbers])
    )
    found = {(payer_id, number): invoice_id for payer_id, number, invoice_id in session.execute(named)}
    return {
        each: found[each.customer_id, number]
        for each, number in numbers.items()
        if (each.customer_id, number) in found
    }


def refusal_of_day(session: Session, day: date, at: datetime) -> Refusal | None:
    if day > local_day(at):
        return Refusal.FUTURE_DAY
    opens = ledger.first_open_day(session)
    if opens and day < opens:
        return Refusal.MONTH_CLOSED
    return Refusal.LONG_AGO if local_day(at) - day > LONGEST_AGO else None


def reason_of(session: Session, number: int) -> str | None:
    """Why it was entered, where somebody had to say so."""
    about = (AuditEvent.subject_type == "ledger_entry", AuditEvent.subject_id == str(number))
    told = session.scalar(select(AuditEvent.after).where(*about).order_by(AuditEvent.id).limit(1))
    return (told or {}).get("reason")


def _enter_once(
    session: Session, entries: Sequence[Entry], *, at: datetime, by: int | None, reason: str | None = None
) -> list[LedgerEntry] | Refusal:
    """What a form has entered before stays as it is, if that is what it says now."""
    known = _known(session, entries)
    if any(not _is_same(known[entry.key], entry) for entry in entries if entry.key in known):
        return Refusal.FORM_USED
    new = [entry for entry in entries if entry.key not in known]
    for day in {entry.day for entry in new}:
        if refusal := refusal_of_day(session, day, at):
            return refusal
    rows = ledger.append(session, new, at=at, by=by)
    for row in rows:
        after: dict[str, Any] = {"amount": row.amount.cents, "customer_id": row.customer_id}
        if reason:
            after["reason"] = reason
        audit.record(session, f"ledger.{row.kind}", ("ledger_entry", row.number), at=at, by=by, after=after)
    return [*known.values(), *rows]


def _known(session: Session, entries: Sequence[Entry]) -> dict[str | None, LedgerEntry]:
    keys = [entry.key for entry in entries if entry.key]
    found = session.scalars(select(LedgerEntry).where(LedgerEntry.key.in_(keys))) if keys else ()
    return {row.key: row for row in found}


def _is_known(session: Session, entry: Entry) -> bool:
    return bool(_known(session, [entry]))


def _is_same(row: LedgerEntry, entry: Entry) -> bool:
    return all(getattr(row, field.name) == getattr(entry, field.name) for field in fields(entry))


def _first(found: list[LedgerEntry] | Refusal) -> LedgerEntry | Refusal:
    return found if isinstance(found, Refusal) else found[0]
