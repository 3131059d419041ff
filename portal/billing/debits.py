"""Direct debits: announced with an invoice, told where its mail does not, entered as paid on their day."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.billing import ledger, payments
from portal.billing.balances import open_invoices
from portal.billing.mandates import live_mandates
from portal.billing.models import ALIVE, Customer, DebitState, DirectDebit, Invoice
from portal.billing.payments import Payment
from portal.billing.settings import billing_settings
from portal.infra import audit, clock, locks, mail, outbox
from portal.infra.orm import own_transaction
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
    return next(iter(announce_all(session, [invoice], at=at, attempt=attempt)), None)


def announce_all(
    session: Session, invoices: Iterable[Invoice], *, at: datetime, attempt: int = 1
) -> list[DirectDebit]:
    """What is open of invoices whose people let it be collected, once the ledger has them.

    Within the transaction that issues them, or enters a return: the mail of that is the notice.
    """
    wanted = [
        invoice for invoice in invoices if invoice.means is PaymentMeans.DIRECT_DEBIT and invoice.total > NONE
    ]
    owners = _owners(session, {invoice.customer_id for invoice in wanted}) if wanted else {}
    under = live_mandates(session, set(owners.values()))
    ready = {
        invoice: under[owner] for invoice in wanted if (owner := owners.get(invoice.customer_id)) in under
    }
    if not ready or billing_settings(session).creditor_id is None:
        return []
    left = open_amounts(session, {mandate.account_id for mandate in ready.values()})
    before = _before(session, [invoice.id for invoice in ready])
    day = next_day(session, at)
    debits = [
        DirectDebit(
            end_to_end=f"{invoice.number}-{before[invoice.id].total() + 1}",
            customer_id=invoice.customer_id,
            mandate_id=mandate.id,
            invoice_id=invoice.id,
            amount=left[invoice.id],
            collected_on=day,
            state=DebitState.ANNOUNCED,
            announced_at=at,
            told_at=at,
            attempt=attempt,
        )
        for invoice, mandate in ready.items()
        if invoice.id in left and not before[invoice.id].keys() & ALIVE
    ]
    session.add_all(debits)
    session.flush()
    return debits


def _owners(session: Session, customer_ids: Collection[int]) -> dict[int, int]:
    """Whose account they are; guests have none."""
    known = select(Customer.id, Customer.account_id).where(Customer.id.in_(customer_ids))
    return {row.id: row.account_id for row in session.execute(known.where(Customer.account_id.is_not(None)))}


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


def open_amounts(session: Session, account_ids: Collection[int] | None = None) -> dict[int, Money]:
    """Of invoices that are not wholly paid: everybody's, or these accounts'."""
    return {invoice.id: invoice.open for invoice in open_invoices(session, account_ids)}


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
    later = next_day(session, now)
    for debit in missed:
        debit.collected_on, debit.announced_at, debit.told_at = later, now, None
    if missed:
        moved = {"count": len(missed), "day": later.isoformat()}
        audit.record(session, "debits.postpone", ("direct_debit", day), at=now, by=by, after=moved)
    return len(missed)


def tell_moved() -> bool:
    """Mail whom no invoice tells the day of their debit; True if more waits."""
    with own_transaction() as session:
        untold = select(DirectDebit).where(
            DirectDebit.state == DebitState.ANNOUNCED, DirectDebit.told_at.is_(None)
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
