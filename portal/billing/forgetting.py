"""What the books keep for a time only: who bought, account numbers, what the bank said."""

from sqlalchemy import delete, exists, func, select, update

from portal.billing import statements
from portal.billing.models import DebitBatch, DirectDebit, Invoice, InvoiceBuyer, InvoiceFile, Mandate
from portal.billing.statements import KEPT
from portal.infra import clock
from portal.infra.orm import own_transaction
from portal.rules.cutoffs import local_day

AT_ONCE = 500


def forget_old() -> bool:
    statements.forget_old()
    _forget_account_numbers()
    return _forget_buyers()


def _forget_buyers() -> bool:
    """Ten years and more after it was issued an invoice has no name any more, nor a PDF; True if more wait."""
    over = InvoiceBuyer.kept_until < select(func.max(Invoice.issued_on)).scalar_subquery()
    with own_transaction() as session:
        ids = session.scalars(select(InvoiceBuyer.invoice_id).where(over).limit(AT_ONCE)).all()
        session.execute(update(InvoiceFile).where(InvoiceFile.invoice_id.in_(ids)).values(data=None))
        session.execute(delete(InvoiceBuyer).where(InvoiceBuyer.invoice_id.in_(ids)))
    return len(ids) == AT_ONCE


def _forget_account_numbers() -> None:
    """Those in the bank's files, and of mandates that have ended, once nothing can come back any more."""
    now = clock.now()
    last = local_day(now) - KEPT
    recent = exists().where(DirectDebit.mandate_id == Mandate.id, DirectDebit.collected_on >= last)
    ended = (Mandate.ended_at < now - KEPT, Mandate.iban.is_not(None), ~recent)
    old = (DebitBatch.collected_on < last, DebitBatch.data.is_not(None))
    with own_transaction() as session:
        session.execute(update(DebitBatch).where(*old).values(data=None))
        session.execute(update(Mandate).where(*ended).values(iban=None))
