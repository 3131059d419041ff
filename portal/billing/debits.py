"""Direct debits: announced with an invoice, told where its mail does not, entered as paid on their day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.accounts.models import Account
from portal.billing import ledger, payments
from portal.billing.balances import HOLDER, OpenInvoice, open_invoices
from portal.billing.mandates import MandateView, live_mandates
from portal.billing.models import ALIVE, Customer, DebitState, DirectDebit, Invoice, InvoiceFile
from portal.billing.payments import Payment
from portal.billing.settings import billing_settings
from portal.infra import audit, clock, locks, mail, outbox
from portal.infra.orm import among, own_transaction
from portal.profile.queries import get_farm
from portal.rules import collecting
from portal.rules.collecting import FileRefusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans

AT_ONCE = 100
"""What the worker enters or tells in one transaction."""
NONE = Money.zero()
_NUMBER = joinedload(DirectDebit.invoice, innerjoin=True).load_only(Invoice.number)


def announce(session: Session, invoice: Invoice, *, at: datetime, attempt: int = 1) -> DirectDebit | None:
    """Whoever does posts the mail that tells."""
    debit = next(iter(announce_all(session, [invoice], at=at, attempt=attempt)), None)
    if debit:
        debit.told_at = at
    return debit


def announce_all(
    session: Session, invoices: Iterable[Invoice], *, at: datetime, attempt: int = 1
) -> list[DirectDebit]:
    """What is open of invoices whose people let it be collected, once the ledger has them.

    Within the transaction that issues them: their mails are the notice, once these are posted (`mails.tell`).
    """
    wanted = {
        invoice.id: invoice.customer_id
        for invoice in invoices
        if invoice.means is PaymentMeans.DIRECT_DEBIT and invoice.total > NONE
    }
    under = live_mandates(session, _owners(session, set(wanted.values()))) if wanted else {}
    if not under or billing_settings(session).creditor_id is None:
        return []
    left = [invoice for invoice in open_invoices(session, under) if invoice.id in wanted]
    return _announce(session, left, under, at=at, attempt=attempt)


def collectable(session: Session, account: Account) -> list[OpenInvoice]:
    """What is open and was announced for no day, of somebody who lets it be collected by now."""
    if (
        account.payment_means is not PaymentMeans.DIRECT_DEBIT
        or billing_settings(session).creditor_id is None
    ):
        return []
    if not live_mandates(session, [account.id]):
        return []
    left = open_invoices(session, [account.id])
    before = _before(session, [invoice.id for invoice in left])
    return [invoice for invoice in left if not before[invoice.id].keys() & ALIVE]


def announce_open(session: Session, account: Account, *, at: datetime, by: int) -> list[DirectDebit]:
    """Collect what was billed before they let it be; one mail is the notice of all of it."""
    own = select(Account.id).where(Account.id == account.id)
    session.scalars(locks.for_update(own, of=Account)).one()
    left = collectable(session, account)
    locks.checked()
    if not left:
        return []
    debits = _announce(session, left, live_mandates(session, [account.id]), at=at, attempt=1)
    for debit in debits:
        debit.told_at = at
    audit.record(
        session, "debits.announce", ("account", account.id), at=at, by=by, after={"count": len(debits)}
    )
    words = mail.render(
        "debit_announced",
        farm=get_farm(session),
        first_name=account.first_name,
        debits=debits,
        total=sum((debit.amount for debit in debits), NONE),
        creditor=billing_settings(session).creditor_id,
    )
    outbox.post(session, to=account.email, at=at, **words.parts)
    return debits


def _announce(
    session: Session,
    left: Iterable[OpenInvoice],
    under: Mapping[int, MandateView],
    *,
    at: datetime,
    attempt: int,
) -> list[DirectDebit]:
    ready = [(invoice, under[invoice.account_id]) for invoice in left if invoice.account_id]
    before = _before(session, [invoice.id for invoice, _mandate in ready])
    day = next_day(session, at)
    debits = [
        DirectDebit(
            end_to_end=f"{invoice.number}-{before[invoice.id].total() + 1}",
            customer_id=invoice.customer_id,
            mandate_id=mandate.id,
            invoice_id=invoice.id,
            amount=invoice.open,
            collected_on=day,
            state=DebitState.ANNOUNCED,
            announced_at=at,
            attempt=attempt,
        )
        for invoice, mandate in ready
        if not before[invoice.id].keys() & ALIVE
    ]
    session.add_all(debits)
    session.flush()
    return debits


def _owners(session: Session, customer_ids: Collection[int]) -> set[int]:
    """Whose accounts they are; guests have none."""
    known = select(Customer.account_id).where(Customer.id.in_(customer_ids))
    return {account_id for account_id in session.scalars(known) if account_id is not None}


def _before(session: Session, invoice_ids: Collection[int]) -> dict[int, Counter[DebitState]]:
    """What was announced for them already, by its state."""
    found = defaultdict[int, Counter[DebitState]](Counter)
    known = select(DirectDebit.invoice_id, DirectDebit.state).where(DirectDebit.invoice_id.in_(invoice_ids))
    for invoice_id, state in session.execute(known):
        found[invoice_id][state] += 1
    return found


def days_of_debits(
    session: Session, account_ids: Collection[int | None], *, at: datetime
) -> dict[int | None, date]:
    """When what is issued now will be collected, by account; nobody is in it who lets nothing be."""
    wanted = [account_id for account_id in account_ids if account_id]
    if not wanted or billing_settings(session).creditor_id is None:
        return {}
    return dict.fromkeys(live_mandates(session, wanted), next_day(session, at))


def next_day(session: Session, at: datetime) -> date:
    """On which what is announced now is collected."""
    known = billing_settings(session)
    return collecting.collection_day(
        local_day(at), day_of_month=known.collection_day, notice_days=known.notice_days
    )


def open_amounts(session: Session, invoice_ids: Collection[int]) -> dict[int, Money]:
    """Of these, and of whatever else is open of whose they are, what is not paid."""
    if not invoice_ids:
        return {}
    holders = select(HOLDER).join(Invoice, Invoice.customer_id == Customer.id).distinct()
    whose = session.scalars(holders.where(among(Invoice.id, invoice_ids))).all()
    return {invoice.id: invoice.open for invoice in open_invoices(session, whose)}


def held(session: Session, *which: ColumnElement[bool]) -> Sequence[DirectDebit]:
    """Some debits, kept to ourselves until our commit."""
    found = select(DirectDebit).where(*which).order_by(DirectDebit.id).options(_NUMBER)
    return session.scalars(locks.for_update(found, of=DirectDebit)).all()


def postpone(session: Session, day: date, *, by: int) -> int | FileRefusal:
    """Announce for another day what no file can take any more; the worker tells each person. How many that are."""
    missed = held(session, DirectDebit.collected_on == day, DirectDebit.state == DebitState.ANNOUNCED)
    now = clock.now()
    if collecting.refusal_to_file(day, local_day(now)) is not FileRefusal.TOO_LATE:
        return FileRefusal.TOO_EARLY
    locks.checked()
    return move(session, missed, at=now, by=by)


def move(session: Session, debits: Sequence[DirectDebit], *, at: datetime, by: int) -> int:
    """To the next day for which they can be told in time, with what is open by now. They are held, and of one day."""
    later, left = next_day(session, at), open_amounts(session, [debit.invoice_id for debit in debits])
    for debit in debits:
        if debit.invoice_id not in left:
            debit.state = DebitState.DROPPED
    debits = [debit for debit in debits if debit.invoice_id in left]
    if debits:
        moved = {"count": len(debits), "day": later.isoformat()}
        subject = ("direct_debit", debits[0].collected_on)
        audit.record(session, "debits.postpone", subject, at=at, by=by, after=moved)
    for debit in debits:
        debit.collected_on, debit.announced_at, debit.told_at = later, at, None
        debit.amount = min(debit.amount, left[debit.invoice_id])
    return len(debits)


def tell_moved() -> bool:
    """Mail whom no invoice tells the day of their debit; True if more waits."""
    with own_transaction() as session:
        by_invoice = select(InvoiceFile.invoice_id).where(InvoiceFile.told_at.is_(None))
        untold = select(DirectDebit).where(
            DirectDebit.state == DebitState.ANNOUNCED,
            DirectDebit.told_at.is_(None),
            DirectDebit.invoice_id.not_in(by_invoice),
        )
        some = untold.order_by(DirectDebit.id).limit(AT_ONCE)
        debits = session.scalars(locks.for_update(some, of=DirectDebit)).all()
        now, farm = clock.now(), get_farm(session) if debits else None
        for debit in debits:
            debit.told_at = now
            account = debit.customer.account
            if account is None or account.erased_at:
                continue
            words = mail.render("debit_moved", farm=farm, first_name=account.first_name, debit=debit, now=now)
            outbox.post(session, to=account.email, at=now, **words.parts)
        return len(debits) == AT_ONCE


def collect_due() -> bool:
    """Enter as paid what the bank collects today or has collected; True if more waits."""
    with own_transaction() as session:
        today = local_day(clock.now())
        due = (
            select(DirectDebit)
            .where(DirectDebit.state == DebitState.PRESENTED, DirectDebit.collected_on <= today)
            .order_by(DirectDebit.id)
            .limit(AT_ONCE)
            .options(selectinload(DirectDebit.mandate))
        )
        debits = session.scalars(locks.for_update(due, of=DirectDebit)).all()
        locks.checked()
        collect(session, debits, at=clock.now(), by=None)
        return len(debits) == AT_ONCE


def collect(session: Session, debits: Sequence[DirectDebit], *, at: datetime, by: int | None) -> None:
    """They are held."""
    for debit in debits:
        debit.state = DebitState.COLLECTED
        debit.mandate.used_on = max(debit.mandate.used_on or debit.collected_on, debit.collected_on)
    session.flush()
    opens = ledger.first_open_day(session)
    entered = [
        Payment(
            debit.customer_id,
            PaymentMeans.DIRECT_DEBIT,
            debit.amount,
            max(debit.collected_on, opens or debit.collected_on),
            reference=debit.end_to_end,
            debit_id=debit.id,
        )
        for debit in debits
    ]
    done = payments.pay_all(session, entered, at=at, by=by)
    assert not isinstance(done, payments.Refusal), "a month was closed meanwhile: it comes round again"
