"""Billing a month: what it waits for, what it will come to, and the run that does it."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from portal.accounts.models import Address
from portal.billing import previews, runs
from portal.billing.charges import unbilled
from portal.billing.issuing import issue
from portal.billing.models import Invoice, InvoiceRun, RunFailure, RunState
from portal.billing.previews import Anomaly
from portal.deliveries.models import Delivery
from portal.rules.invoicing import Refusal
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.selling import SaleUnit
from tests import crowd
from tests.billing.books import JUNE, MAY, account, box, delivered, invoiced
from tests.composing import SOMEBODY
from tests.shop import making
from tests.world import CAMILLE, NOW, TODAY, TUESDAY, YACINE


def start(session: Any, month: Any = MAY) -> InvoiceRun | None:
    run = runs.start(session, month, at=NOW, by=SOMEBODY)
    session.commit()
    return run


def work() -> None:
    while runs.step():
        pass


def issued(session: Any) -> list[tuple[int | None, int]]:
    session.rollback()
    rows = select(Invoice).order_by(Invoice.id)
    return [(invoice.customer.account_id, invoice.total.cents) for invoice in session.scalars(rows)]


def test_a_month_is_billed_for_everybody_and_twice_is_once(session):
    delivered(session)
    run = start(session)
    assert start(session) is run, "it is under way"
    work()
    assert issued(session) == [(1, 2190), (2, 1150)]
    assert (run.state, run.issued, run.total, run.wanted) == (RunState.DONE, 2, Money(3340), 2)
    again = start(session)
    work()
    assert again is not run and (again.issued, len(issued(session))) == (0, 2)
    seen = runs.latest(session, MAY)
    assert seen and (seen.run.id, seen.seen, seen.working) == (again.id, 2, False)


def test_what_is_stopped_stays_and_goes_on_behind_it(session, monkeypatch):
    monkeypatch.setattr(runs, "AT_ONCE", 1)
    delivered(session)
    run = start(session)
    assert runs.step()
    runs.stop(session, MAY, at=NOW, by=SOMEBODY)
    session.commit()
    assert not runs.step() and issued(session) == [(1, 2190)]
    assert start(session) is run
    work()
    assert issued(session) == [(1, 2190), (2, 1150)]


def test_who_cannot_be_billed_holds_up_nobody_and_is_billed_once_it_is_mended(session, monkeypatch):
    delivered(session)
    home = session.scalars(select(Address).where(Address.account_id == account(session).id)).one()
    home.archived_at = NOW
    start(session)
    work()
    assert issued(session) == [(2, 1150)]
    [failed] = runs.latest(session, MAY).failures
    assert (failed.name, failed.number, failed.reason) == ("Camille Aubert", "C10001", Refusal.NO_ADDRESS)
    home.archived_at = None
    start(session)
    work()
    assert issued(session) == [(2, 1150), (1, 2190)]


def test_what_breaks_for_one_is_noted_and_the_others_are_billed(session, monkeypatch):
    delivered(session)
    real = runs.issue_many

    def broken_for_camille(session: Any, account_ids: Any, **said: Any) -> Any:
        made = real(session, account_ids, **said)
        if 1 in account_ids:
            raise RuntimeError
        return made

    monkeypatch.setattr(runs, "issue_many", broken_for_camille)
    start(session)
    work()
    assert issued(session) == [(2, 1150)]
    assert session.scalars(select(Invoice.number)).all() == ["F2026-00001"]
    assert session.scalars(select(RunFailure.reason)).all() == [runs.BROKEN]


def test_a_month_waits_for_its_deliveries_and_for_what_the_law_asks(session):
    assert start(session) is None
    missing = runs.missing(session, MAY, TODAY)
    assert missing.lacks and missing.unfrozen and not missing.to_come
    delivered(session)
    assert not runs.missing(session, MAY, TODAY)
    june = runs.missing(session, JUNE, TODAY)
    assert not june.unfrozen and june.to_come[-1].day == TUESDAY + timedelta(weeks=2)
    assert start(session, JUNE) is None
    for delivery in session.scalars(select(Delivery).where(Delivery.day > TODAY)):
        delivery.cancelled_at = NOW
    assert not runs.missing(session, JUNE, TODAY)


def test_the_preview_puts_first_what_is_strange(session):
    camille, yacine = account(session, CAMILLE), account(session, YACINE)
    camille.payment_means, yacine.payment_means = PaymentMeans.DIRECT_DEBIT, PaymentMeans.CHEQUE
    invoiced(session)
    invoiced(session, YACINE)
    assert previews.preview(session, MAY, TODAY).lines == []
    box(session, TUESDAY - timedelta(weeks=1)).billed_quantity = 3
    session.scalars(select(Address).where(Address.account_id == yacine.id)).one().archived_at = NOW
    preview = previews.preview(session, JUNE, TODAY)
    first, second = preview.lines
    assert (first.person.number, first.difference, first.anomalies) == (
        "C10002",
        Money.zero(),
        [Anomaly.NO_ADDRESS],
    )
    assert (second.person.name, second.amount, second.before, second.basis_points) == (
        "Camille Aubert",
        Money(2 * 2190 + 2 * 1950),
        Money(2190),
        27808,
    )
    assert second.anomalies == [Anomaly.TWICE, Anomaly.NO_MANDATE]
    assert list(preview.counts.values()) == [1, 1, 1]
    assert (preview.billed, preview.total) == (1, second.amount + Money(1150))
    assert issue(session, camille.id, through=TODAY, by=None)
    assert [line.person.number for line in previews.preview(session, JUNE, TODAY).lines] == [
        "C10002",
        "C10001",
    ]
    alone = previews.preview(session, JUNE, TODAY).lines[1]
    assert (alone.amount, alone.difference) == (Money.zero(), second.amount - Money(2190))
    assert Anomaly.NOTHING_NOW not in alone.anomalies
    later = date(2026, 7, 1)
    assert previews.preview(session, later, TODAY).over


def test_the_preview_comes_to_what_is_billed_to_the_cent(session):
    """By one statement for all, and line by line."""
    cheese = making.article(session, "Fromage", 1999, sale_unit=SaleUnit.WEIGHT)
    honey, flowers = making.article(session), making.article(session, "Fleurs", 333, vat=1000)
    past = TUESDAY - timedelta(weeks=1)
    making.order(session, {honey: 3, flowers: 1}, day=past, discount=Money(777))
    making.order(session, {honey: 1}, day=past, discount=Money(99_99))
    weighed = making.order(session, {cheese: 250}, day=past)
    weighed.lines[0].given = 333
    invoiced(session)
    box(session, past).billed_quantity = 0
    making.order(session, {cheese: 500}, day=past, email=YACINE)
    session.flush()
    charged = unbilled(session, [1, 2, 3, 4], through=TODAY)
    sums = {key: sum((charge.total for charge in charges), Money.zero()) for key, charges in charged.items()}
    assert previews.amounts(session, TODAY) == sums and sums[1].cents
    waits = [line for line in previews.preview(session, JUNE, TODAY).lines if line.person.weighs]
    assert [line.person.number for line in waits] == ["C10002"]


def test_as_many_queries_preview_many_as_few(session, count_queries):
    delivered(session)
    session.commit()
    with count_queries() as few:
        previews.preview(session, MAY, TODAY)
    crowd.add(session, 30)
    session.rollback()
    with count_queries() as many:
        previews.preview(session, MAY, TODAY)
    assert len(many) == len(few)
