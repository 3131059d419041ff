"""Credit notes that staff issue, each with a reason: an invoice taken back whole, or something taken off it.

What is less because a box or an order was set right needs none of this: it comes by itself (`billing.issuing`).
"""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.billing.issuing import Paper, hold, write
from portal.billing.models import Invoice, InvoiceLine
from portal.billing.parties import Seller, buyer_of
from portal.infra import clock, locks
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import (
    Charge,
    DocumentKind,
    Draft,
    LineKind,
    Refusal,
    added_up,
    rates_of,
    taken_back,
)
from portal.rules.money import Money
from portal.rules.vouchers import shared
from portal.shop.models import Order
from portal.web.i18n import gettext as _


def cancel(
    session: Session, invoice_id: int, reason: str, *, rebill: bool, by: int
) -> Invoice | Refusal | None:
    """Take back all that is left of an invoice; nothing where nothing is.

    With `rebill` it is to be billed again, with the next invoice or at once (`issuing.issue`), else never.
    """
    invoice = _held(session, invoice_id)
    if invoice is None:
        return None
    back = taken_back(_billed(session, invoice), rebill=rebill)
    if not any(rate.total.cents for rate in rates_of(back)):
        return None
    return _credit(session, invoice, back, reason, by)


def gesture(
    session: Session, invoice_id: int, amount: Money, reason: str, *, line_id: int | None = None, by: int
) -> Invoice | Refusal | None:
    """Take an amount off a line, or off a whole invoice by its VAT rates: never more than what is left of it."""
    invoice = _held(session, invoice_id)
    line = next((line for line in invoice.lines if line.id == line_id), None) if invoice else None
    if invoice is None or (line_id and line is None):
        return None
    left = _left(session, invoice, line)
    if not Money.zero() < amount <= sum(left.values(), Money.zero()):
        return Refusal.NOTHING_LEFT
    parts = shared(amount, left)
    off = [_gesture(invoice, line, rate, part) for rate, part in parts.items() if part.cents]
    return _credit(session, invoice, off, reason, by)


def left_of(session: Session, invoice_id: int, line_id: int | None = None) -> Money:
    """Of an invoice, or of one of its lines: the most that a gesture takes off."""
    invoice = session.get_one(Invoice, invoice_id)
    line = next((line for line in invoice.lines if line.id == line_id), None)
    return sum(_left(session, invoice, line).values(), Money.zero())


def _left(session: Session, invoice: Invoice, line: InvoiceLine | None) -> dict[int, Money]:
    """By VAT rate."""
    billed = _billed(session, invoice)
    left = {rate.basis_points: rate.total for rate in rates_of(billed) if rate.total.cents > 0}
    if line is None:
        return left
    own = sum((charge.total for charge in added_up(billed) if _is_of(charge, line)), Money.zero())
    return {line.vat_basis_points: min(own, left.get(line.vat_basis_points, Money.zero()))}


def _held(session: Session, invoice_id: int) -> Invoice | None:
    """Nobody takes anything off it beside us: who buys is locked, whoever that has become meanwhile."""
    invoice = session.get(Invoice, invoice_id)
    if invoice is None or invoice.kind is not DocumentKind.INVOICE:
        return None
    customer, held = invoice.customer, None
    while held != (whose := (customer.account_id, customer.order_id)):
        if customer.account_id:
            hold(session, [customer.account_id])
        else:
            own = select(Order.id).where(Order.id == customer.order_id)
            session.scalars(locks.for_update(own, of=Order)).all()
        held = whose
        session.refresh(customer)
    locks.checked()
    return invoice


def _billed(session: Session, invoice: Invoice) -> list[Charge]:
    """Its lines and those of the credit notes that correct it."""
    about = or_(Invoice.id == invoice.id, Invoice.corrects_id == invoice.id)
    lines = select(InvoiceLine).join(Invoice, Invoice.id == InvoiceLine.invoice_id).where(about)
    return [_charge(line) for line in session.scalars(lines.order_by(InvoiceLine.id))]


def _charge(line: InvoiceLine) -> Charge:
    return Charge(
        source=line.source,
        kind=line.kind,
        day=line.day,
        label=line.label,
        quantity=line.quantity,
        weighed=line.weighed,
        unit_price=line.unit_price,
        vat_basis_points=line.vat_basis_points,
        total=line.total,
        delivery_id=line.delivery_id,
        subscription_id=line.subscription_id,
        order_id=line.order_id,
        line_id=line.corrects_id,
    )


def _is_of(charge: Charge, line: InvoiceLine) -> bool:
    """Whether it is what the line bills, or was taken off it."""
    return charge.line_id == line.id or charge.terms == _charge(line).terms


def _gesture(invoice: Invoice, line: InvoiceLine | None, rate: int, off: Money) -> Charge:
    whole = Charge(
        source=None,
        kind=LineKind.GESTURE,
        day=line.day if line else invoice.last_day,
        label=_("Geste commercial (%(label)s)", label=line.label) if line else _("Geste commercial"),
        quantity=1,
        weighed=False,
        unit_price=off * -1,
        vat_basis_points=rate,
        total=off * -1,
    )
    if line is None:
        return whole
    of_line = {name: getattr(line, name) for name in ("delivery_id", "subscription_id", "order_id")}
    return replace(whole, line_id=line.id, **of_line)


def _credit(
    session: Session, invoice: Invoice, charges: Sequence[Charge], reason: str, by: int
) -> Invoice | Refusal:
    """Made out to whom the invoice was, by the farm as it is today."""
    buyer = buyer_of(invoice)
    if isinstance(buyer, Refusal):
        return buyer
    seller = Seller.load(session, local_day(clock.now()))
    if seller.lacks:
        return Refusal.SELLER_INCOMPLETE
    draft = Draft(tuple(charges), invoice.id)
    [credit] = write(session, [Paper(invoice.customer, buyer, draft, reason=reason)], seller, by=by)
    return credit
