"""The mail by which somebody gets an invoice or a credit note."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing.ledger import balance
from portal.billing.models import DirectDebit
from portal.billing.papers import file_name
from portal.billing.queries import InvoiceView
from portal.infra import mail, outbox, pdf
from portal.profile.queries import get_farm
from portal.shop.tokens import order_token


def tell(session: Session, invoice: InvoiceView, file: bytes, *, at: datetime) -> None:
    """Where a debit is announced, this is the notice that SEPA asks for."""
    buyer = invoice.buyer
    assert buyer
    account = session.get(Account, invoice.account_id) if invoice.account_id else None
    known = account if account and account.erased_at is None else None
    written = mail.render(
        "credit_note_issued" if invoice.is_credit else "invoice_issued",
        farm=get_farm(session),
        invoice=invoice,
        name=known.first_name if known else buyer.name,
        balance=balance(session, known.id) if known else None,
        way=_way(invoice),
    )
    enclosed = outbox.File(file_name(invoice.number, invoice.kind), pdf.CONTENT_TYPE, file)
    to = known.email if known else buyer.email
    outbox.post(session, to=to, at=at, attachments=[enclosed], **written.parts)
    if debit := invoice.debit:
        said = (DirectDebit.invoice_id == invoice.id, DirectDebit.collected_on == debit.collected_on)
        untold = update(DirectDebit).where(*said, DirectDebit.told_at.is_(None))
        session.execute(untold.values(told_at=at))


def _way(invoice: InvoiceView) -> str:
    """To its page: an account's behind the sign-in, a guest's by the order's signed link."""
    if invoice.account_id is not None or invoice.of_order_id is None:
        return mail.link("member.invoice", invoice_number=invoice.number)
    token = order_token(invoice.of_order_id)
    return mail.link("public.guest_invoice", order_token=token, invoice_number=invoice.number)
