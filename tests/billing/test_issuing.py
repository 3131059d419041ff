"""Issuing invoices: what they bill, what they say, that they stay as they are."""

from sqlalchemy.orm import Session

from portal.billing.queries import find_invoice
from tests.billing import books


def test_a_month_is_billed_box_by_box(session: Session) -> None:
    made = books.invoiced(session)
    view = find_invoice(session, books.account(session).id, made.number)
    assert view and view.number == "F2026-00001"
    assert [(line.label, line.total.cents) for line in view.lines] == [("Grand panier", 1950), ("Œufs", 240)]
    assert (view.net.cents, view.vat.cents, view.total.cents) == (2076, 114, 2190)
