"""Issuing invoices, and with them the credit notes for what is less than was billed.

The accounts are locked, then what is to be billed is read, then numbers are taken, which nobody else takes until our
commit: all about an invoice is written at once or not at all, its entry in the ledger last.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Account
from portal.billing import contents, ledger
from portal.billing.charges import of_orders, unbilled, waits
from portal.billing.customers import customer_of_order, customers_of
from portal.billing.debits import announce_all, days_of_debits
from portal.billing.drafting import drafts_of
from portal.billing.ledger import Entry
from portal.billing.models import (
    Customer,
    EntryKind,
    FileState,
    Invoice,
    InvoiceBuyer,
    InvoiceFile,
    InvoiceLine,
    InvoiceRate,
)
from portal.billing.numbers import take
from portal.billing.parties import Buyer, Seller, buyer_of, buyers_of, guest
from portal.infra import audit, clock, locks
from portal.infra.orm import Base
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import (
    DocumentKind,
    Draft,
    Refusal,
    kept_until,
    nets_of,
    rates_of,
)
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.shop.models import Order

SERIES = {DocumentKind.CREDIT_NOTE: "A", DocumentKind.INVOICE: "F"}
"""In the order in which they are taken."""
PLACES = 300


@dataclass(frozen=True, slots=True)
class Paper:
    """A document that is about to get its number."""

    customer: Customer
    buyer: Buyer
    draft: Draft
    month: date | None = None
    run_id: int | None = None
    reason: str | None = None

    @property
    def debited(self) -> int | None:
        """The account of who wishes to be debited."""
        return self.customer.account_id if self.buyer.means is PaymentMeans.DIRECT_DEBIT else None


@dataclass(slots=True)
class Issued:
    """What a batch has come to, by account: documents in the order of their numbers, or why there are none."""

    documents: dict[int, list[Invoice]] = field(default_factory=dict)
    refused: dict[int, Refusal] = field(default_factory=dict)


def issue(
    session: Session,
    account_id: int,
    *,
    through: date,
    month: date | None = None,
    run_id: int | None = None,
    by: int | None,
) -> Invoice | Refusal | None:
    """Bill an account what it has received through that day, as its invoice of a month where one is named.

    Answers the invoice, or the credit note where nothing is to be paid; nothing where there is nothing to bill, or
    the month is billed: what is set right later comes with the next one.
    """
    issued = issue_many(session, [account_id], through=through, month=month, run_id=run_id, by=by)
    if refusal := issued.refused.get(account_id):
        return refusal
    return next(reversed(issued.documents.get(account_id, [])), None)


def issue_many(
    session: Session,
    account_ids: Collection[int],
    *,
    through: date,
    month: date | None = None,
    run_id: int | None = None,
    by: int | None,
) -> Issued:
    """The same for many accounts, in a number of statements that does not grow with them."""
    held = hold(session, account_ids)
    wanted = set(held) - _billed_for(session, held, month)
    today = local_day(clock.now())
    charges = unbilled(session, wanted, through=min(through, today))
    papers = drafts_of(session, charges)
    issued, seller = Issued(), Seller.load(session, today)
    if papers and seller.lacks:
        issued.refused = dict.fromkeys(papers, Refusal.SELLER_INCOMPLETE)
        return issued
    buyers = buyers_of(session, [held[account_id] for account_id in papers], seller.billing)
    issued.refused = {key: buyer for key, buyer in buyers.items() if isinstance(buyer, Refusal)}
    ready = {key: buyer for key, buyer in buyers.items() if not isinstance(buyer, Refusal)}
    customers = customers_of(session, ready)
    corrected = _corrected(session, [draft for key in ready for draft in papers[key]])
    wanted_papers = [
        (key, _paper(draft, corrected, customers[key], buyer, month=month, run_id=run_id))
        for key, buyer in ready.items()
        for draft in papers[key]
    ]
    made = write(session, [paper for _account, paper in wanted_papers], seller, by=by)
    for (account_id, _draft), invoice in zip(wanted_papers, made, strict=True):
        issued.documents.setdefault(account_id, []).append(invoice)
    return issued


def issue_for_order(session: Session, order_id: int, *, by: int | None) -> Invoice | Refusal | None:
    """Bill an order alone, an account's or a guest's, from the day of its delivery on."""
    owner = session.scalar(select(Order.account_id).where(Order.id == order_id))
    held = hold(session, [owner] if owner else [])
    order = session.scalar(locks.for_update(select(Order).where(Order.id == order_id), of=Order))
    if order is None or order.account_id != owner:  # it has become another's meanwhile
        return None
    today = local_day(clock.now())
    if today < order.delivery.day:
        return Refusal.NOT_YET_DELIVERED
    found = drafts_of(session, of_orders(session, [order_id])).get(order_id, [])
    if not found:
        return Refusal.TO_WEIGH if waits(order) else None
    seller = Seller.load(session, today)
    if seller.lacks:
        return Refusal.SELLER_INCOMPLETE
    if owner:
        buyer = buyers_of(session, held.values(), seller.billing)[owner]
        customer = customers_of(session, [owner])[owner]
    else:
        buyer, customer = guest(order), customer_of_order(session, order_id)
    if isinstance(buyer, Refusal):
        return buyer
    corrected = _corrected(session, found)
    papers = [_paper(draft, corrected, customer, buyer) for draft in found]
    return write(session, papers, seller, by=by)[-1]


def hold(session: Session, account_ids: Collection[int]) -> dict[int, Account]:
    """Lock accounts, so that nobody bills them beside us."""
    own = select(Account).where(Account.id.in_(account_ids)).order_by(Account.id)
    return {account.id: account for account in session.scalars(locks.for_update(own, of=Account))}


def _billed_for(session: Session, account_ids: Collection[int], month: date | None) -> set[int]:
    """Who has their invoice of a month already, in whichever of their rows of the books."""
    if month is None:
        return set()
    done = select(Customer.account_id).join(Invoice, Invoice.customer_id == Customer.id)
    found = session.scalars(done.where(Invoice.month == month, Customer.account_id.in_(account_ids)))
    return {account_id for account_id in found if account_id is not None}


def _corrected(session: Session, found: Iterable[Draft]) -> dict[int, Invoice]:
    """The invoices that credit notes correct."""
    invoice_ids = {draft.corrects_id for draft in found if draft.corrects_id}
    if not invoice_ids:
        return {}
    known = (joinedload(Invoice.customer), joinedload(Invoice.buyer))
    named = select(Invoice).where(Invoice.id.in_(invoice_ids)).options(*known)
    return {invoice.id: invoice for invoice in session.scalars(named)}


def _paper(
    draft: Draft, corrected: Mapping[int, Invoice], customer: Customer, buyer: Buyer, **of_run: Any
) -> Paper:
    """A credit note is made out to whom its invoice was."""
    invoice = corrected.get(draft.corrects_id or 0)
    if invoice is None:
        return Paper(customer, buyer, draft, **of_run)
    to = buyer_of(invoice)
    return Paper(invoice.customer, buyer if isinstance(to, Refusal) else to, draft, **of_run)


# Writing them down


def write(session: Session, papers: Sequence[Paper], seller: Seller, *, by: int | None) -> list[Invoice]:
    """Give papers their numbers, and write all that there is about them; who buys is locked."""
    if not papers:
        return []
    numbers, stamp = _numbered(session, [paper.draft.kind for paper in papers], by)
    debited = days_of_debits(session, {paper.debited for paper in papers}, at=stamp.at)
    made = [
        _invoice(paper, number, seller, stamp, debited.get(paper.debited))
        for paper, number in zip(papers, numbers, strict=True)
    ]
    buyers = [_buyer(paper, stamp.day) for paper in papers]
    for invoice, buyer in zip(made, buyers, strict=True):
        invoice.buyer_digest = contents.digest_of_buyer(buyer)
    session.add_all(made)
    session.flush()
    both = list(zip(made, papers, strict=True))
    lines = [list(_lines(invoice, paper)) for invoice, paper in both]
    rates = [list(_rates(invoice, paper)) for invoice, paper in both]
    _insert(session, InvoiceBuyer, ({"invoice_id": i.id, **b} for i, b in zip(made, buyers, strict=True)))
    _insert(session, InvoiceLine, chain.from_iterable(lines))
    _insert(session, InvoiceRate, chain.from_iterable(rates))
    waiting = {"state": FileState.WAITING, "due_at": stamp.at, "tries": 0}
    _insert(session, InvoiceFile, ({"invoice_id": invoice.id, **waiting} for invoice in made))
    for invoice in made:
        _record(session, invoice, at=stamp.at, by=by)
    entries = [
        Entry(
            EntryKind(invoice.kind),
            invoice.customer_id,
            stamp.day,
            invoice.total,
            invoice_id=invoice.id,
            content=contents.digest_of(vars(invoice), *said),
        )
        for invoice, *said in zip(made, lines, rates, strict=True)
    ]
    ledger.append(session, entries, at=stamp.at, by=stamp.by)
    announce_all(session, made, at=stamp.at)
    return made


def _insert(session: Session, table: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    """All at once: nobody asks for their keys."""
    session.execute(insert(table), list(rows))


@dataclass(frozen=True, slots=True)
class Stamp:
    """When something was issued, and by whom."""

    at: datetime
    day: date
    by: int | None


def _numbered(session: Session, kinds: Sequence[DocumentKind], by: int | None) -> tuple[list[str], Stamp]:
    """Numbers for documents of these kinds, and the moment of issue, which is read once they are held.

    At the turn of the year what has a number of the old one is of its last day.
    """
    year = local_day(clock.now()).year
    ahead: dict[DocumentKind, int] = {}
    for kind, letter in SERIES.items():
        if count := kinds.count(kind):
            ahead[kind] = take(session, f"{letter}{year}", count)
    now = clock.now()
    numbers = []
    for kind in kinds:
        numbers.append(f"{SERIES[kind]}{year}-{ahead[kind]:05}")
        ahead[kind] += 1
    return numbers, Stamp(now, min(local_day(now), date(year, 12, 31)), audit.hands(by))


def _invoice(paper: Paper, number: str, seller: Seller, stamp: Stamp, debited: date | None) -> Invoice:
    """What is collected is due on the day of the debit."""
    charges, buyer, day = paper.draft.charges, paper.buyer, stamp.day
    rates = rates_of(charges)
    days = [charge.day for charge in charges]
    credit = paper.draft.kind is DocumentKind.CREDIT_NOTE
    return Invoice(
        number=number,
        kind=paper.draft.kind,
        customer=paper.customer,
        month=None if credit else paper.month,
        run_id=paper.run_id,
        corrects_id=paper.draft.corrects_id,
        reason=paper.reason,
        issued_at=stamp.at,
        issued_on=day,
        issued_by=stamp.by,
        first_day=min(days),
        last_day=max(days),
        due_on=day if credit else debited or day + timedelta(days=buyer.due_days),
        means=buyer.means,
        net=sum((rate.net for rate in rates), Money.zero()),
        vat=sum((rate.vat for rate in rates), Money.zero()),
        total=sum((rate.total for rate in rates), Money.zero()),
        seller=seller.on(day, charges, company=buyer.company is not None),
    )


def _buyer(paper: Paper, day: date) -> dict[str, Any]:
    known = asdict(paper.buyer)
    del known["means"], known["due_days"]
    places = " ; ".join(dict.fromkeys(charge.place for charge in paper.draft.charges if charge.place))
    kept = {"kept_until": kept_until(day), "delivered_to": places[:PLACES] or None}
    return {**known, **kept, "salt": contents.new_salt()}


def _lines(invoice: Invoice, paper: Paper) -> Iterator[dict[str, Any]]:
    charges = paper.draft.charges
    for position, (charge, net) in enumerate(zip(charges, nets_of(charges), strict=True), start=1):
        said = {name: getattr(charge, name) for name in _OF_CHARGE}
        said["corrects_id"] = charge.line_id
        yield {"invoice_id": invoice.id, "position": position, "net": net, **said}


_OF_CHARGE = (
    *("source", "kind", "day", "label", "quantity", "weighed", "unit_price", "vat_basis_points", "total"),
    *("delivery_id", "subscription_id", "order_id"),
)


def _rates(invoice: Invoice, paper: Paper) -> Iterator[dict[str, Any]]:
    for rate in rates_of(paper.draft.charges):
        amounts = {"net": rate.net, "vat": rate.vat, "total": rate.total}
        yield {"invoice_id": invoice.id, "vat_basis_points": rate.basis_points, **amounts}


def _record(session: Session, invoice: Invoice, *, at: datetime, by: int | None) -> None:
    after: dict[str, Any] = {
        "number": invoice.number,
        "total": invoice.total.cents,
        "month": invoice.month.isoformat() if invoice.month else None,
        "corrects": invoice.corrects_id,
    }
    said = {name: value for name, value in after.items() if value is not None}
    audit.record(session, f"{invoice.kind}.issue", ("invoice", invoice.id), at=at, by=by, after=said)
