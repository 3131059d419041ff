"""Credit notes of staff: an invoice taken back whole, something taken off it, never more than is left."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Address
from portal.billing.credits import cancel, gesture
from portal.billing.explaining import explain
from portal.billing.issuing import issue
from portal.billing.ledger import balance
from portal.billing.models import Invoice
from portal.billing.queries import InvoiceView, find_invoice
from portal.infra.audit import AuditEvent
from portal.rules.invoicing import DocumentKind, LineKind, Refusal
from portal.rules.money import Money
from tests.billing.books import JUNE, MAY, account, box, invoiced, live_at
from tests.shop import making
from tests.world import NOW, TODAY


def owed(session: Session) -> int:
    return balance(session, account(session).id).cents


def seen(session: Session, made: object) -> InvoiceView:
    assert isinstance(made, Invoice), made
    view = find_invoice(session, None, made.number)
    assert view
    return view


def test_what_is_taken_back_whole_can_be_billed_anew_to_the_right_address(session: Session) -> None:
    wrong = invoiced(session)
    session.scalars(select(Address).where(Address.account_id == account(session).id)).one().archived_at = NOW
    live_at(session, account(session), "9 rue Neuve")
    credit = seen(session, cancel(session, wrong.id, "Mauvaise adresse", rebill=True, by=3))
    assert (credit.number, credit.kind, credit.reason) == (
        "A2026-00001",
        DocumentKind.CREDIT_NOTE,
        "Mauvaise adresse",
    )
    assert credit.corrects and credit.corrects.number == wrong.number
    assert credit.buyer and credit.buyer.street == "3 rue du Four"
    assert (credit.net.cents, credit.vat.cents, credit.total.cents) == (-2076, -114, -2190)
    assert owed(session) == 0
    assert cancel(session, wrong.id, "Encore", rebill=True, by=3) is None
    again = seen(session, issue(session, account(session).id, through=wrong.last_day, by=3))
    assert (again.number, again.total.cents, again.month) == ("F2026-00002", 2190, None)
    assert again.buyer and again.buyer.street == "9 rue Neuve"
    assert owed(session) == 2190
    actions = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_type == "invoice")).all()
    assert actions == ["invoice.issue", "credit_note.issue", "invoice.issue"]


def test_what_is_given_up_for_good_is_not_billed_again(session: Session) -> None:
    made = invoiced(session)
    credit = seen(session, cancel(session, made.id, "Panier perdu", rebill=False, by=3))
    assert {(line.kind, line.source) for line in credit.lines} == {(LineKind.GESTURE, None)}
    assert issue(session, account(session).id, through=made.last_day, by=3) is None
    assert (owed(session), seen(session, invoiced(session, month=JUNE)).total.cents) == (0, 4380)


def test_never_more_is_taken_off_than_is_left(session: Session) -> None:
    made = invoiced(session)
    box, eggs = made.lines
    credit = seen(session, gesture(session, made.id, Money(200), "Œufs cassés", line_id=eggs.id, by=3))
    assert [(line.label, line.total.cents) for line in credit.lines] == [("Geste commercial (Œufs)", -200)]
    assert gesture(session, made.id, Money(41), "Encore", line_id=eggs.id, by=3) is Refusal.NOTHING_LEFT
    assert gesture(session, made.id, Money(0), "Rien", by=3) is Refusal.NOTHING_LEFT
    assert gesture(session, made.id, Money(-1), "Moins que rien", by=3) is Refusal.NOTHING_LEFT
    why = explain(session, seen(session, made))[eggs.id]
    assert [(other.number, other.total.cents) for other in why.elsewhere] == [("A2026-00001", -200)]
    gesture(session, made.id, Money(1900), "Retard", by=3)
    assert gesture(session, made.id, Money(91), "Trop", by=3) is Refusal.NOTHING_LEFT
    assert gesture(session, made.id, Money(91), "Trop", line_id=box.id, by=3) is Refusal.NOTHING_LEFT
    assert owed(session) == 90
    assert issue(session, account(session).id, through=made.last_day, by=3) is None, "a gesture stays one"
    rest = seen(session, cancel(session, made.id, "Tout", rebill=True, by=3))
    assert (rest.total.cents, owed(session)) == (-2190, -2100)
    issue(session, account(session).id, through=made.last_day, by=3)
    assert owed(session) == 90, "what was given stays given"


def test_a_gesture_on_an_invoice_is_shared_by_its_rates(session: Session) -> None:
    wine = making.article(session, "Cidre", 2190, vat=2000)
    making.order(session, {wine: 1}, day=date(2026, 5, 26))
    made = invoiced(session, month=MAY)
    credit = seen(session, gesture(session, made.id, Money(1001), "Retard", by=3))
    assert [(rate.basis_points, rate.total.cents) for rate in credit.rates] == [(550, -501), (2000, -500)]


def test_only_an_invoice_that_there_is_can_be_corrected(session: Session) -> None:
    made = invoiced(session)
    credit = seen(session, gesture(session, made.id, Money(100), "Retard", by=3))
    assert cancel(session, credit.id, "Avoir", rebill=True, by=3) is None
    assert gesture(session, 99, Money(1), "?", by=3) is gesture(
        session, made.id, Money(1), "?", line_id=99, by=3
    )
    assert credit.due_on == TODAY


def test_what_was_given_is_not_given_again_by_what_is_set_right_later(session: Session) -> None:
    made = invoiced(session, month=MAY)
    gesture(session, made.id, Money(1950), "Le panier était abîmé", line_id=made.lines[0].id, by=3)
    box(session, date(2026, 5, 26)).billed_quantity = 0
    session.flush()
    assert issue(session, account(session).id, through=made.last_day, by=3) is None
    assert owed(session) == 240
    cancel(session, made.id, "Tout", rebill=False, by=3)
    box(session, date(2026, 5, 26), formula="oeufs").billed_quantity = 0
    session.flush()
    assert issue(session, account(session).id, through=made.last_day, by=3) is None
    assert owed(session) == 0


def test_each_invoice_is_corrected_by_no_more_than_it_billed(session: Session) -> None:
    first = invoiced(session, month=MAY)
    sold = box(session, date(2026, 5, 26))
    sold.billed_quantity = 2
    session.flush()
    second = issue(session, account(session).id, through=first.last_day, by=3)
    sold.billed_quantity = 0
    session.flush()
    issue(session, account(session).id, through=first.last_day, by=3)
    notes = session.scalars(
        select(Invoice).where(Invoice.corrects_id.is_not(None)).order_by(Invoice.id)
    ).all()
    assert isinstance(second, Invoice)
    assert {note.corrects_id: note.total.cents for note in notes} == {first.id: -1950, second.id: -1950}
    assert owed(session) == 240
