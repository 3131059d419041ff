"""Invoices written straight into the books: a number and a total are all that who pays is about."""

from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.queries import find_account
from portal.billing import contents, ledger
from portal.billing.customers import customer_of
from portal.billing.ledger import Entry
from portal.billing.models import Customer, EntryKind, Invoice, InvoiceBuyer, InvoiceLine, InvoiceRate
from portal.billing.payments import Payment
from portal.rules.invoicing import DocumentKind, LineKind, kept_until
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from tests.world import CAMILLE, NOW, TODAY


def customer(session: Session, email: str = CAMILLE) -> Customer:
    account = find_account(session, email)
    assert account
    return customer_of(session, account.id)


def written(
    session: Session,
    cents: int,
    *,
    to: Customer | None = None,
    due: date = TODAY,
    corrects: Invoice | None = None,
    day: date = TODAY,
    means: PaymentMeans | None = None,
) -> Invoice:
    """An invoice, or a credit note where it is less than nothing, with its entry."""
    to = to or customer(session)
    kind = DocumentKind.INVOICE if cents >= 0 else DocumentKind.CREDIT_NOTE
    count = session.scalar(select(func.count()).where(Invoice.kind == kind)) or 0
    buyer: dict[str, Any] = dict.fromkeys(contents.OF_BUYER, "") | {"kept_until": kept_until(day)}
    invoice = Invoice(
        number=f"{'F' if cents >= 0 else 'A'}2026-{count + 1:05}",
        kind=kind,
        customer_id=to.id,
        corrects_id=corrects.id if corrects else None,
        month=None,
        reason=None,
        issued_by=None,
        issued_at=NOW,
        issued_on=day,
        first_day=day,
        last_day=day,
        due_on=due,
        means=means,
        net=Money(cents),
        vat=Money(0),
        total=Money(cents),
        seller={},
        buyer_digest=contents.digest_of_buyer(buyer),
    )
    session.add(invoice)
    session.flush()
    amounts = {"net": Money(cents), "total": Money(cents), "vat_basis_points": 0}
    line = dict.fromkeys(contents.OF_LINE) | amounts
    line |= {"label": "Paniers", "day": day, "quantity": 1, "weighed": False, "unit_price": Money(cents)}
    line |= {"position": 0, "kind": LineKind.BOX}
    rate = amounts | {"vat": Money(0)}
    session.add(InvoiceBuyer(invoice_id=invoice.id, **buyer))
    session.add(InvoiceLine(invoice_id=invoice.id, **line))
    session.add(InvoiceRate(invoice_id=invoice.id, **rate))
    session.flush()
    content = contents.digest_of(vars(invoice), [line], [rate])
    entry = Entry(EntryKind(kind), to.id, day, Money(cents), invoice_id=invoice.id, content=content)
    ledger.append(session, [entry], at=NOW, by=None)
    return invoice


def paid(cents: int, to: Customer, *, day: date = TODAY, key: str | None = None) -> Payment:
    return Payment(to.id, PaymentMeans.CHEQUE, Money(cents), day, "0012345", key=key)
