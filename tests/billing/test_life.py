"""Deliver, set right, bill, credit, collect, merge in any order: after each step the books are right.

Beside the portal stands a model that only adds up: what is to be paid of each source, and what money came and went.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from portal.accounts.models import Account
from portal.billing import batches, checking, debits, returns
from portal.billing.balances import HOLDER, books_of, books_of_customer, open_invoices
from portal.billing.batches import Made
from portal.billing.charges import unbilled
from portal.billing.credits import cancel, gesture
from portal.billing.drafting import drafts_of
from portal.billing.issuing import issue, issue_for_order
from portal.billing.models import (
    Customer,
    DebitBatch,
    DebitState,
    DirectDebit,
    Invoice,
    InvoiceLine,
    LedgerEntry,
    NumberSeries,
)
from portal.billing.payments import Payment, pay, refund, reverse
from portal.boxes import services as boxes
from portal.boxes.models import Basket
from portal.deliveries.models import Delivery, Tour
from portal.infra import clock as real_clock
from portal.privacy.merging import merge
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import DocumentKind, month_of
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import ReturnCode
from portal.shop.claiming import claim
from portal.shop.models import Order, OrderLine
from portal.subscriptions.models import Subscription
from tests.billing.books import account, delivered
from tests.billing.debiting import bank, office
from tests.billing.signing import signed
from tests.infra.workers import ROUNDS
from tests.shop import making
from tests.world import CAMILLE, NOW, YACINE

WHO = st.sampled_from([CAMILLE, YACINE])
ANY = st.integers(0, 99)
BILLED = precondition(lambda self: self.session.scalar(select(exists(Invoice.id))))


class Life(RuleBasedStateMachine):
    def __init__(self, session: Session, clock: time_machine.Traveller) -> None:
        super().__init__()
        self.session, self.clock = session, clock

    @initialize()
    def begin(self) -> None:
        self.clock.move_to(NOW)
        delivered(self.session)
        self.by = office(self.session)
        camille = account(self.session)
        camille.email_proven_at = NOW
        camille.payment_means = PaymentMeans.DIRECT_DEBIT
        signed(self.session, at=NOW)
        bank(self.session)
        self.honey = making.article(self.session)
        self.money: defaultdict[int, int] = defaultdict(int)
        self.collected: defaultdict[int, int] = defaultdict(int)
        self.merged = False
        for email in (CAMILLE, YACINE):
            self.bill(email)

    def teardown(self) -> None:
        self.session.rollback()
        self.session.expunge_all()

    @property
    def today(self) -> Any:
        return local_day(real_clock.now())

    def whose(self, email: str) -> int:
        return account(self.session, CAMILLE if self.merged else email).id

    # What is delivered

    @rule()
    def deliver(self) -> None:
        """A week goes by."""
        day = self.today + timedelta(weeks=1)
        self.clock.move_to(datetime(day.year, day.month, day.day, 8, tzinfo=UTC))
        due = select(Delivery.id).where(Delivery.day <= day, Delivery.frozen_at.is_(None))
        for delivery_id in self.session.scalars(due.order_by(Delivery.day)).all():
            boxes.freeze(self.session, delivery_id)

    @rule(email=st.sampled_from([CAMILLE, YACINE, None]), pots=st.integers(1, 3))
    def order(self, email: str | None, pots: int) -> None:
        """Brought on the last Tuesday; a guest has an account without having signed in."""
        tour = select(func.max(Delivery.day)).join(Delivery.tour).where(Tour.slug == "mardi")
        came = self.session.scalars(tour.where(Delivery.day <= self.today)).one()
        buyer = email and self.session.get_one(Account, self.whose(email)).email
        said = {"day": came, "state": OrderState.DELIVERED}
        making.order(self.session, {self.honey: pots}, email=buyer, **said).email = buyer or CAMILLE

    @rule(which=ANY, quantity=st.integers(0, 3), cents=st.sampled_from([1950, 1150, 999]))
    def set_right(self, which: int, quantity: int, cents: int) -> None:
        if row := self.pick(select(Basket).order_by(Basket.id), which):
            row.billed_quantity, row.unit_price = quantity, Money(cents)

    @precondition(lambda self: self.session.scalar(select(exists(OrderLine.id))))
    @rule(which=ANY, given=st.integers(0, 4))
    def weigh(self, which: int, given: int) -> None:
        if row := self.pick(select(OrderLine).order_by(OrderLine.id), which):
            row.given = given

    @rule(which=ANY)
    def close(self, which: int) -> None:
        """A delivery did not come after all."""
        if row := self.pick(
            select(Delivery).where(Delivery.frozen_at.is_not(None)).order_by(Delivery.id), which
        ):
            row.cancelled_at = None if row.cancelled_at else NOW

    # What is billed

    @rule(email=WHO)
    def bill(self, email: str) -> None:
        """All that came, at once: then what was billed is what stands, or was given back already."""
        owner = self.whose(email)
        issue(self.session, owner, through=self.today, by=None)
        assert issue(self.session, owner, through=self.today, by=None) is None
        assert not drafts_of(self.session, unbilled(self.session, [owner], through=self.today))
        billed = self.billed()
        for source, due in self.standing(owner).items():
            assert billed.get(source, 0) == due or self.left_of(source) <= due < billed[source]

    @rule(email=WHO)
    def bill_month(self, email: str) -> None:
        owner, month = self.whose(email), month_of(self.today)
        for _twice in range(2):
            issue(self.session, owner, through=self.today, month=month, by=None)
        own = (
            select(func.count())
            .join(Invoice.customer)
            .where(Customer.account_id == owner, Invoice.month == month)
        )
        before_they_were_one = 2 if self.merged else 1
        assert (self.session.scalar(own) or 0) <= before_they_were_one

    @precondition(lambda self: self.session.scalar(select(exists(Order.id))))
    @rule(which=ANY)
    def bill_order(self, which: int) -> None:
        if order := self.pick(select(Order).order_by(Order.id), which):
            issue_for_order(self.session, order.id, by=None)
            assert issue_for_order(self.session, order.id, by=None) is None

    @BILLED
    @rule(which=ANY, rebill=st.booleans())
    def credit(self, which: int, rebill: bool) -> None:
        if invoice := self.pick(self.invoices(), which):
            before = self.billed()
            cancel(self.session, invoice.id, "Erreur.", rebill=rebill, by=self.by)
            assert cancel(self.session, invoice.id, "Erreur.", rebill=rebill, by=self.by) is None
            assert rebill or self.billed() == before

    @BILLED
    @rule(which=ANY, cents=st.integers(1, 3000))
    def give(self, which: int, cents: int) -> None:
        if invoice := self.pick(self.invoices(), which):
            before = self.billed()
            gesture(self.session, invoice.id, Money(cents), "Abîmé.", by=self.by)
            assert self.billed() == before

    # What is paid

    @BILLED
    @rule(which=ANY, cents=st.integers(1, 6000))
    def pay(self, which: int, cents: int) -> None:
        if customer := self.pick(select(Customer).order_by(Customer.id), which):
            self.note(pay(self.session, self.payment(customer, cents), at=real_clock.now(), by=None))

    @BILLED
    @rule(which=ANY, cents=st.integers(1, 6000))
    def give_back(self, which: int, cents: int) -> None:
        if customer := self.pick(select(Customer).order_by(Customer.id), which):
            ahead = books_of_customer(self.session, customer.id).credit
            done = refund(
                self.session, self.payment(customer, cents), reason="Trop payé.", at=real_clock.now(), by=None
            )
            assert isinstance(done, LedgerEntry) == (cents <= ahead.cents)
            self.note(done)

    @rule(which=ANY)
    def reverse(self, which: int) -> None:
        taken_back = select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.is_not(None))
        entered = (
            LedgerEntry.means.is_not(None),
            LedgerEntry.debit_id.is_(None),
            LedgerEntry.id.not_in(taken_back),
        )
        if entry := self.pick(select(LedgerEntry).where(*entered).order_by(LedgerEntry.id), which):
            self.note(
                reverse(self.session, entry, day=self.today, reason="Erreur.", at=real_clock.now(), by=None)
            )

    @precondition(lambda self: self.debits(DebitState.ANNOUNCED))
    @rule()
    def collect(self) -> None:
        """The file goes to the bank three days ahead, and the day comes."""
        day = min(debit.collected_on for debit in self.debits(DebitState.ANNOUNCED))
        ahead = datetime(day.year, day.month, day.day, 8, tzinfo=UTC) - timedelta(days=4)
        if real_clock.now() > ahead:
            debits.postpone(self.session, day, by=self.by)
            return
        self.clock.move_to(ahead)
        self.session.execute(update(DirectDebit).values(told_at=DirectDebit.announced_at))
        known = set(self.session.scalars(select(DebitBatch.id)))
        made = batches.make(self.session, day, by=self.by)
        assert isinstance(made, Made), made
        for batch_id in set(self.session.scalars(select(DebitBatch.id))) - known:
            assert batches.present(self.session, batch_id, by=self.by) is None
        self.clock.move_to(ahead + timedelta(days=4))
        for debit in self.debits(DebitState.PRESENTED):
            self.money[debit.customer_id] += debit.amount.cents
            self.collected[debit.customer_id] += debit.amount.cents
        debits.collect(self.session, self.debits(DebitState.PRESENTED), at=real_clock.now(), by=None)

    @precondition(lambda self: self.debits(DebitState.COLLECTED))
    @rule(which=ANY, code=st.sampled_from([ReturnCode.AM04, ReturnCode.MD06]))
    def come_back(self, which: int, code: ReturnCode) -> None:
        found = self.debits(DebitState.COLLECTED)
        debit = found[which % len(found)]
        self.money[debit.customer_id] -= debit.amount.cents
        self.collected[debit.customer_id] -= debit.amount.cents
        assert not isinstance(
            returns.enter(self.session, debit.id, code, self.today, by=self.by), returns.Refusal
        )

    # Whose it is

    @BILLED
    @precondition(lambda self: not self.merged)
    @rule()
    def become_one(self) -> None:
        done = merge(self.session, self.whose(CAMILLE), self.whose(YACINE), at=real_clock.now())
        assert isinstance(done, Account), done
        self.merged = True

    @precondition(
        lambda self: self.session.scalar(select(exists(Order.id).where(Order.account_id.is_(None))))
    )
    @rule()
    def claim(self) -> None:
        claim(self.session, CAMILLE, self.whose(CAMILLE), by=self.by)

    # What holds

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "money"):
            return
        self.session.flush()
        self.check_chain()
        self.check_balances()
        self.check_lines()

    def check_chain(self) -> None:
        series = dict(self.session.execute(select(NumberSeries.name, NumberSeries.last)).all())
        assert checking.verify(self.session) == checking.Verdict(series.get("ledger", 0))
        for kind, name in ((DocumentKind.INVOICE, "F2026"), (DocumentKind.CREDIT_NOTE, "A2026")):
            numbers = self.session.scalars(select(Invoice.number).where(Invoice.kind == kind))
            assert sorted(numbers) == [f"{name}-{n:05}" for n in range(1, series.get(name, 0) + 1)]

    def check_balances(self) -> None:
        """What is owed is what was billed less what was paid, and what is open, less what is ahead."""
        holder = dict(self.session.execute(select(Customer.id, HOLDER)).all())
        owed: defaultdict[int, int] = defaultdict(int)
        paid: defaultdict[int, int] = defaultdict(int)
        named: defaultdict[int, int] = defaultdict(int)
        for invoice in self.session.scalars(select(Invoice)):
            owed[holder[invoice.customer_id]] += invoice.total.cents
        for customer_id, cents in self.money.items():
            paid[holder[customer_id]] += cents
            named[holder[customer_id]] += self.collected[customer_id]
        everybodys = open_invoices(self.session)
        for customer_id, whose in holder.items():
            found = books_of_customer(self.session, customer_id)
            opened = {bill.id: bill.open for bill in found.bills if bill.open.cents}
            assert found.balance.cents == owed[whose] - paid[whose]
            assert opened == {each.id: each.open for each in everybodys if holder[each.customer_id] == whose}
            beyond = (
                found.balance.cents + found.credit.cents - sum(amount.cents for amount in opened.values())
            )
            assert beyond == 0 or 0 < beyond <= named[whose] - paid[whose]
            if whose > 0:
                assert books_of(self.session, whose) == found

    def check_lines(self) -> None:
        for invoice in self.session.scalars(select(Invoice)):
            total = sum(line.total.cents for line in invoice.lines)
            assert total == sum(rate.total.cents for rate in invoice.rates) == invoice.total.cents
            assert sum(line.net.cents for line in invoice.lines) == invoice.net.cents
            assert (invoice.total.cents > 0) == (invoice.kind is DocumentKind.INVOICE)

    def billed(self) -> dict[str, int]:
        by_source = (
            select(InvoiceLine.source, func.sum(InvoiceLine.total))
            .where(InvoiceLine.source.is_not(None))
            .group_by(InvoiceLine.source)
        )
        return {source: total.cents for source, total in self.session.execute(by_source) if total.cents}

    def left_of(self, source: str) -> int:
        """Of what was billed of it, once gestures are taken off; nothing, where nothing is left of its invoice."""
        of, root = aliased(InvoiceLine), func.coalesce(Invoice.corrects_id, Invoice.id)
        own = or_(InvoiceLine.source == source, of.source == source)
        lines = select(func.sum(InvoiceLine.total)).outerjoin(of, of.id == InvoiceLine.corrects_id).where(own)
        last = select(func.max(root)).join(InvoiceLine).where(InvoiceLine.source == source).scalar_subquery()
        papers = select(func.sum(Invoice.total)).where(root == last)
        return min(self.session.scalar(lines).cents, self.session.scalar(papers).cents)

    def standing(self, owner: int) -> dict[str, int]:
        """What an account is to pay of each thing that came."""
        came = {
            row.id
            for row in self.session.scalars(select(Delivery))
            if not row.cancelled_at and row.day <= self.today
        }
        found = {}
        for box in self.session.scalars(select(Basket)):
            if self.session.get_one(Subscription, box.subscription_id).account_id == owner:
                due = box.billed_quantity * box.unit_price.cents if box.delivery_id in came else 0
                found[f"box/{box.subscription_id}/{box.week}"] = due
        for order in self.session.scalars(select(Order).where(Order.account_id == owner)):
            for line in order.lines:
                given = line.quantity if line.given is None else line.given
                found[f"line/{line.id}"] = line.unit_price.cents * given if order.delivery_id in came else 0
        return found

    def invoices(self) -> Any:
        return select(Invoice).where(Invoice.kind == DocumentKind.INVOICE).order_by(Invoice.id)

    def debits(self, state: DebitState) -> list[DirectDebit]:
        return list(
            self.session.scalars(
                select(DirectDebit).where(DirectDebit.state == state).order_by(DirectDebit.id)
            )
        )

    def pick(self, wanted: Any, which: int) -> Any:
        found = self.session.scalars(wanted).all()
        return found[which % len(found)] if found else None

    def payment(self, customer: Customer, cents: int) -> Payment:
        return Payment(customer.id, PaymentMeans.CHEQUE, Money(cents), self.today)

    def note(self, done: Any) -> None:
        if isinstance(done, LedgerEntry):
            self.money[done.customer_id] -= done.amount.cents


def test_whatever_happens_nothing_is_billed_twice_and_the_books_are_right(
    session: Session, clock: time_machine.Traveller
) -> None:
    run_state_machine_as_test(
        lambda: Life(session, clock),
        settings=settings(
            max_examples=2 * ROUNDS,
            stateful_step_count=30,
            phases=[Phase.generate],  # the steps of a failure read well enough
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
