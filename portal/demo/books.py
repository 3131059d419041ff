"""The demo farm's books: a year of invoices, how they were paid, and what went wrong.

All of it is done as staff and the worker do it, on the day on which it happens.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.accounts.addresses import AddressView
from portal.accounts.models import Account, Address
from portal.billing import batches, closings, credits, debits, mandates, payments, returns
from portal.billing.balances import OpenInvoice, open_invoices
from portal.billing.issuing import issue_for_order, issue_many
from portal.billing.models import (
    BillingSettings,
    Customer,
    DebitBatch,
    DebitState,
    DirectDebit,
    Invoice,
    InvoiceFile,
    InvoiceLine,
    InvoiceRun,
    RunState,
)
from portal.billing.payments import Payment
from portal.demo import people
from portal.demo.orders import STREETS
from portal.demo.points import POINTS
from portal.infra import clock
from portal.infra.outbox import Mail, drop_loose_files
from portal.profile.models import FarmProfile
from portal.rules.calendar import monday_of
from portal.rules.collecting import last_day_to_file
from portal.rules.cutoffs import PARIS, local_day
from portal.rules.invoicing import month_of, next_month
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import BankAccount, ReturnCode, read_account
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from portal.web.i18n import french

MONTHS = 12
VAT_NUMBER = "FR42999000003"
IBAN, BIC, ICS = "FR7616275105000800012345689", "CEPAFRPP627", "FR76ZZZ999003"
BANKS = (("30006", "00001"), ("20041", "01005"), ("13506", "10000"), ("14445", "20200"), ("10278", "08990"))
SIGNERS = 40
"""How many let the farm collect; the others pay as they said."""
MEANS, SHARES = (PaymentMeans.TRANSFER, PaymentMeans.CHEQUE, PaymentMeans.CASH), (70, 24, 6)
ISSUED, AT_ONCE = 2, 100
"""The day of the month on which the month before is billed; so many people at a time."""
COMING = (DebitState.ANNOUNCED, DebitState.PRESENTED)
LATE = 0.07
GESTURE = "Deux oignons abîmés dans le panier : toutes nos excuses."


@dataclass(frozen=True, slots=True)
class Books:
    """What is done on the days of a year, one after the other."""

    session: Session
    draw: Random
    by: int
    """The treasurer."""


def keep_books(session: Session, seed: int, now: datetime, months: int = MONTHS) -> None:
    """Bill the months before this one, and have them paid."""
    last = session.scalar(select(func.max(Mail.id))) or 0
    draw = Random(f"books/{seed}")
    treasurer = session.scalars(select(Account.id).where(Account.email == people.TREASURER)).one()
    books = Books(session, draw, treasurer)
    month = first_month(local_day(now), months)
    _say_how(session, month)
    _agree(books, _at(month, 8))
    while (following := next_month(month)) <= local_day(now):
        if (issued := _at(following.replace(day=ISSUED), 9)) <= now:
            _bill(books, month, issued)
            if next_month(following) == month_of(local_day(now)):
                _make_good(books, month, issued + timedelta(days=4))
        _get_paid(books, following, min(_at(next_month(following), 0), now))
        month = following
    _go_wrong(books, now)
    session.flush()
    _serve_guests(books, now)
    _close(session, now)
    session.execute(update(InvoiceFile).values(told_at=InvoiceFile.due_at))
    session.execute(update(DirectDebit).values(told_at=DirectDebit.announced_at))
    session.execute(delete(Mail).where(Mail.id > last))
    drop_loose_files(session)


def first_month(today: date, months: int) -> date:
    month = month_of(today)
    for _ in range(months):
        month = month_of(month - timedelta(days=1))
    return month


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), PARIS)


def _say_how(session: Session, first: date) -> None:
    session.get_one(FarmProfile, 1).vat_number = VAT_NUMBER
    session.add(
        BillingSettings(
            id=1,
            bills_from=first,
            iban=IBAN,
            bic=BIC,
            creditor_id=ICS,
            creditor_name="Les Jardins de la Blaisance",
            collection_day=5,
            cheques_to=french(
                "Les Jardins de la Blaisance, 120 chemin des Iscles, Lagrand, 05300 Garde-Colombe"
            ),
        )
    )


def _agree(books: Books, at: datetime) -> None:
    """Everybody says where bills go and how they pay; some sign a mandate."""
    session, draw = books.session, books.draw
    subscribed = select(Subscription.account_id)
    accounts = session.scalars(select(Account).where(Account.id.in_(subscribed)).order_by(Account.id)).all()
    housed = set(session.scalars(select(Address.account_id).where(Address.billing)))
    signed = 0
    for account in accounts:
        account.payment_means = draw.choices(MEANS, SHARES)[0]
        place = draw.choice(POINTS)
        home = AddressView(
            account.full_name, f"{draw.randint(1, 60)} {draw.choice(STREETS)}", place.postcode, place.town
        )
        if account.id not in housed:
            moved = {"billing": True, "delivery": True, "created_at": account.created_at}
            session.add(
                Address(
                    account_id=account.id,
                    name=home.name,
                    street=home.street,
                    postcode=home.postcode,
                    town=home.town,
                    **moved,
                )
            )
        if signed < SIGNERS and (not signed or draw.random() < 0.5):
            signed += 1
            joined = max(at, account.created_at)
            with clock.standing_at(joined):
                mandates.sign(session, account, _account(draw), home, at=joined, by=account.id)
    session.flush()


def _account(draw: Random) -> BankAccount:
    """An account number that nobody has, with the keys that it must have."""
    (bank, branch), number = draw.choice(BANKS), f"{draw.randrange(10**10):011}"
    rib = 97 - (int(bank) * 89 + int(branch) * 15 + int(number) * 3) % 97
    bban = f"{bank}{branch}{number}{rib:02}"
    read = read_account(f"FR{98 - int(f'{bban}152700') % 97:02}{bban}")
    assert isinstance(read, BankAccount)
    return read


def _bill(books: Books, month: date, at: datetime) -> None:
    session = books.session
    ids = session.scalars(select(Account.id).where(Account.erased_at.is_(None)).order_by(Account.id)).all()
    run = InvoiceRun(month=month, state=RunState.WORKING, asked_at=at, asked_by=books.by, wanted=0)
    session.add(run)
    session.flush()
    through = next_month(month) - timedelta(days=1)
    with clock.standing_at(at):
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            issue_many(session, some, through=through, month=month, run_id=run.id, by=books.by)
    mine = select(func.count(), func.sum(Invoice.total)).where(Invoice.run_id == run.id)
    run.issued, total = session.execute(mine).one()
    run.total = total or Money.zero()
    run.wanted, run.through, run.state, run.ended_at = run.issued, max(ids), RunState.DONE, at


def _get_paid(books: Books, month: date, until: datetime) -> None:
    """What comes in a month: debits on their day, the others when they think of it."""
    session = books.session
    days = select(DirectDebit.collected_on).where(DirectDebit.state.in_(COMING)).distinct()
    for day in sorted(session.scalars(days)):
        made = _at(last_day_to_file(day), 10)
        if made < until:
            with clock.standing_at(made):
                session.execute(update(DirectDebit).values(told_at=DirectDebit.announced_at))
                batches.make(session, day, by=books.by)
                for batch in session.scalars(select(DebitBatch.id).where(DebitBatch.presented_at.is_(None))):
                    batches.present(session, batch, by=books.by)
        if (due := _at(day, 6)) < until:
            with clock.standing_at(due):
                presented = DirectDebit.collected_on == day, DirectDebit.state == DebitState.PRESENTED
                debits.collect(session, debits.held(session, *presented), at=due, by=None)
    _enter_payments(books, month, until)


def _enter_payments(books: Books, month: date, until: datetime) -> None:
    """The treasurer does it once a week; some pay late, a few never."""
    session, draw = books.session, books.draw
    weeks: dict[datetime, list[Payment]] = {}
    for invoice in open_invoices(session):
        day, luck = month + timedelta(days=draw.randint(ISSUED + 1, 14)), draw.random()
        entered = _at(monday_of(day) + timedelta(days=7), 9)
        if invoice.means is not PaymentMeans.DIRECT_DEBIT and luck > LATE and entered < until:
            means = invoice.means or PaymentMeans.CASH
            paid = Payment(invoice.customer_id, means, invoice.open, day, _reference(draw, invoice, means))
            weeks.setdefault(entered, []).append(paid)
    for entered, some in sorted(weeks.items()):
        with clock.standing_at(entered):
            done = payments.pay_all(session, some, at=entered, by=books.by)
            assert not isinstance(done, payments.Refusal)


def _reference(draw: Random, invoice: OpenInvoice, means: PaymentMeans) -> str | None:
    """What the bank's statement or the cheque says."""
    match means:
        case PaymentMeans.TRANSFER:
            return invoice.number
        case PaymentMeans.CHEQUE:
            return f"{draw.randrange(10**7):07}"
    return None


def _go_wrong(books: Books, now: datetime) -> None:
    """Two debits of the last file come back."""
    session = books.session
    collected = select(DirectDebit).where(DirectDebit.state == DebitState.COLLECTED)
    last = session.scalars(
        collected.order_by(DirectDebit.collected_on.desc(), DirectDebit.id.desc()).limit(2)
    )
    for debit, code in zip(last.all(), (ReturnCode.AM04, ReturnCode.AC04), strict=False):
        at = min(_at(debit.collected_on + timedelta(days=3), 11), now)
        with clock.standing_at(at):
            returns.enter(session, debit.id, code, local_day(at), by=books.by)


def _make_good(books: Books, month: date, at: datetime) -> None:
    """A box had gone bad."""
    session = books.session
    own = select(Invoice.id).join(Invoice.customer).join(Customer.account)
    mine = own.where(Account.email == people.SUBSCRIBER.email, Invoice.month == month)
    if invoice := session.scalar(mine):
        line = session.scalars(select(InvoiceLine.id).where(InvoiceLine.invoice_id == invoice)).first()
        with clock.standing_at(at):
            credits.gesture(session, invoice, Money(250), french(GESTURE), line_id=line, by=books.by)


def _serve_guests(books: Books, now: datetime) -> None:
    """Guests get their bill, and pay at the point."""
    session = books.session
    served = select(Order.id).where(Order.account_id.is_(None), Order.state == OrderState.DELIVERED)
    for order_id in session.scalars(served.order_by(Order.id)).all():
        with clock.standing_at(now):
            invoice = issue_for_order(session, order_id, by=None)
            if isinstance(invoice, Invoice) and invoice.total > Money.zero():
                cash = Payment(invoice.customer_id, PaymentMeans.CASH, invoice.total, local_day(now))
                payments.pay(session, cash, at=now, by=books.by)


def _close(session: Session, now: datetime) -> None:
    over = closings.closable(session, local_day(now))[:-2]
    if over:
        closings.close(session, over[-1], at=now, by=None)
