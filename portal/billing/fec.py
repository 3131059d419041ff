"""The file of accounting entries that tax law asks for (FEC: LPF, L47 A and A47 A-1), for the accountant.

One line an account and entry, in the order of the ledger, numbered without a gap within the file of a year; the
fields are the law's eighteen, parted by tabs.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby, islice
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import customer_number
from portal.billing.ledger import MEANS, REVERSED
from portal.billing.models import Customer, EntryKind, Invoice, InvoiceBuyer, InvoiceRate, LedgerEntry
from portal.exchange.tables import IN_MEMORY, harmless
from portal.rules.accounts import USUAL, Journal, Posting, Role, of_invoice, of_money
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import Rate
from portal.rules.money import Money
from portal.shop.models import order_number
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

FIELDS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip
AT_ONCE = 500
JOURNALS = {
    Journal.SALES: _l("Ventes"),
    Journal.BANK: _l("Banque"),
    Journal.CASH: _l("Caisse"),
    Journal.OTHER: _l("Opérations diverses"),
}
ACCOUNTS = {
    Role.CUSTOMERS: _l("Clients"),
    Role.SALES_NONE: _l("Ventes sans TVA"),
    Role.SALES_LOW: _l("Ventes à 5,5 %"),
    Role.SALES_MIDDLE: _l("Ventes à 10 %"),
    Role.SALES_FULL: _l("Ventes à 20 %"),
    Role.VAT_LOW: _l("TVA collectée à 5,5 %"),
    Role.VAT_MIDDLE: _l("TVA collectée à 10 %"),
    Role.VAT_FULL: _l("TVA collectée à 20 %"),
    Role.BANK: _l("Banque"),
    Role.CHEQUES: _l("Chèques à encaisser"),
    Role.CARDS: _l("Cartes à encaisser"),
    Role.CASH: _l("Caisse"),
    Role.LOSSES: _l("Pertes sur créances irrécouvrables"),
}
LABELS = {
    EntryKind.INVOICE: _l("Facture"),
    EntryKind.CREDIT_NOTE: _l("Avoir"),
    EntryKind.PAYMENT: _l("Règlement"),
    EntryKind.REVERSAL: _l("Annulation d'un règlement"),
    EntryKind.REFUND: _l("Remboursement"),
    EntryKind.WRITE_OFF: _l("Créance abandonnée"),
}


def file_name(siren: str, year: int) -> str:
    """As the law has it: SIREN, FEC, the last day of the year."""
    return f"{siren}FEC{year}1231.txt"


def make(session: Session, year: int, accounts: Mapping[str, str] | None) -> tuple[IO[bytes], int]:
    """The file, and how many lines it has; the numbers of accounts are the usual ones where none are given."""
    numbers = {role: (accounts or {}).get(role) or usual for role, usual in USUAL.items()}
    file, count = SpooledTemporaryFile(IN_MEMORY), 0  # noqa: SIM115 - whoever sends it closes it
    file.write(_line(FIELDS))
    for row in _lines(session, year, numbers):
        file.write(_line(row))
        count += 1
    return file, count


def _line(values: Iterable[str]) -> bytes:
    return ("\t".join(harmless(" ".join(value.split())) for value in values) + "\r\n").encode()


def _lines(session: Session, year: int, numbers: Mapping[Role, str]) -> Iterator[list[str]]:
    entries = iter(session.execute(_entries(year).execution_options(yield_per=AT_ONCE)))
    number = 0
    while some := list(islice(entries, AT_ONCE)):
        rates = _rates(session, [row.invoice_id for row in some if row.invoice_id])
        for row in some:
            number += 1
            journal, postings = _postings(row, rates)
            for posting in postings:
                yield _fields(number, row, journal, posting, numbers[posting.role])


def _entries(year: int) -> Any:
    named = (
        select(Invoice.customer_id, func.max(InvoiceBuyer.name).label("name"))
        .join(InvoiceBuyer, InvoiceBuyer.invoice_id == Invoice.id)
        .group_by(Invoice.customer_id)
        .subquery()
    )
    return (
        select(
            LedgerEntry.number,
            LedgerEntry.kind,
            LedgerEntry.day,
            LedgerEntry.amount,
            LedgerEntry.invoice_id,
            MEANS.label("means"),
            LedgerEntry.reference,
            LedgerEntry.entered_at,
            Invoice.number.label("invoice"),
            Customer.account_id,
            Customer.order_id,
            named.c.name,
        )
        .join(Customer, Customer.id == LedgerEntry.customer_id)
        .outerjoin(Invoice, Invoice.id == LedgerEntry.invoice_id)
        .outerjoin(REVERSED, REVERSED.id == LedgerEntry.reverses_id)
        .outerjoin(named, named.c.customer_id == LedgerEntry.customer_id)
        .where(LedgerEntry.day.between(date(year, 1, 1), date(year, 12, 31)))
        .order_by(LedgerEntry.number)
    )


def _rates(session: Session, invoice_ids: Collection[int]) -> dict[int, list[Rate]]:
    found = session.scalars(
        select(InvoiceRate)
        .where(InvoiceRate.invoice_id.in_(invoice_ids))
        .order_by(InvoiceRate.invoice_id, InvoiceRate.vat_basis_points)
    )
    return {
        invoice_id: [Rate(row.vat_basis_points, row.net, row.vat, row.total) for row in rows]
        for invoice_id, rows in groupby(found, key=lambda row: row.invoice_id)
    }


def _postings(row: Row[Any], rates: Mapping[int, list[Rate]]) -> tuple[Journal, list[Posting]]:
    if row.invoice_id:
        return Journal.SALES, of_invoice(row.amount, rates[row.invoice_id])
    return of_money(row.amount, row.means)


def _fields(number: int, row: Row[Any], journal: Journal, posting: Posting, account: str) -> list[str]:
    ours = posting.role is Role.CUSTOMERS
    customer = customer_number(row.account_id) if row.account_id else order_number(row.order_id)
    piece = row.invoice or row.reference or str(row.number)
    return [
        journal,
        str(JOURNALS[journal]),
        str(number),
        _day(row.day),
        account,
        str(ACCOUNTS[posting.role]),
        customer if ours else "",
        row.name or customer if ours else "",
        piece,
        _day(row.day),
        _("%(what)s %(piece)s", what=str(LABELS[row.kind]), piece=piece),
        _amount(posting.debit),
        _amount(posting.credit),
        "",
        "",
        _day(local_day(row.entered_at)),
        "",
        "",
    ]


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(amount: Money) -> str:
    return f"{amount.cents // 100},{amount.cents % 100:02}"
