"""A guest follows an order by its signed link: the same pages and acts, for nobody else, known to no search engine."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.billing.issuing import issue_for_order
from portal.billing.models import InvoiceFile
from portal.rules.orders import OrderState
from portal.shop.models import Order, OrderLine, Withdrawal
from portal.shop.tokens import order_token
from tests.billing.books import able_to_bill
from tests.pages import markup_of
from tests.shop.making import article, order
from tests.shop.ordered import mails, state
from tests.world import CAMILLE, CUTOFF


@pytest.fixture
def placed(session):
    """Three jars for Emma, who has no account."""
    made = order(session, {article(session): 3}, email=None)
    made_id = made.id
    session.commit()
    return made_id


@pytest.fixture
def way(session, placed):
    return f"/lien/commande/{order_token(placed)}"


@pytest.mark.parametrize("page", ["", "/modification", "/retractation", "/impression", "/commande.pdf"])
def test_who_holds_the_link_sees_the_order_and_nobody_else_learns_of_it(browser, way, page):
    answer = browser.get(way + page)
    assert answer.status_code == 200
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    if answer.mimetype == "text/html":
        assert '<meta name="robots" content="noindex">' in markup_of(answer)
        assert "B10001" in markup_of(answer)


def test_a_guest_pays_at_the_point_of_collection(browser, way):
    assert "À régler au point de retrait" in markup_of(browser.get(way))


@pytest.mark.parametrize(
    "forge", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.swapcase(), lambda t: "MQ.x" + t]
)
def test_a_link_that_we_never_wrote_opens_nothing(browser, way, forge):
    head, _, token = way.rpartition("/")
    assert browser.get(f"{head}/{forge(token)}").status_code == 404
    browser.get("/retractation")
    assert browser.submit(f"{head}/{forge(token)}/annulation").status_code == 404


def test_a_guests_link_opens_no_order_of_an_account_and_leads_to_its_own_page(session, browser):
    made = order(session, {article(session): 1})
    token = order_token(made.id)
    session.commit()
    assert browser.get(f"/lien/commande/{token}").location == f"/commandes/{made.id}"
    assert browser.get(f"/commandes/{made.id}").location.startswith("/connexion")
    assert browser.get(f"/lien/commande/{token}.pdf").status_code == 404
    assert browser.get(f"/lien/commande/{token}/modification").status_code == 404


def test_an_account_does_not_open_a_guests_order(browser, placed):
    browser.sign_in(CAMILLE)
    assert browser.get(f"/commandes/{placed}").status_code == 404


def test_opening_changes_nothing(session, browser, way, placed):
    for page in ("", "/annulation", "/modification?quantite-1=9"):
        browser.get(way + page)
    assert state(session, placed) is OrderState.ACCEPTED
    assert mails(session) == []


def test_a_guest_cancels_until_the_cutoff(session, browser, way, placed, clock):
    browser.get(way)
    answer = browser.submit(f"{way}/annulation")
    assert (answer.status_code, answer.location) == (303, way)
    assert "Annulée" in markup_of(browser.get(way))
    assert state(session, placed) is OrderState.CANCELLED
    [mail] = mails(session)
    assert mail.recipient == "emma@example.org"
    assert f"http://localhost{way}" in mail.text


def test_too_late_is_said(session, browser, way, placed, clock):
    browser.get(way)
    clock.move_to(CUTOFF)
    assert browser.submit(f"{way}/annulation").status_code == 422
    assert state(session, placed) is OrderState.ACCEPTED


def test_a_guest_orders_more_and_not_less_than_the_minimum(session, browser, way):
    browser.get(way)
    asked = markup_of(browser.get(f"{way}/modification?quantite-1=1"))
    assert asked.count("il manquerait 8,50 €") == 1
    less = browser.submit(f"{way}/modification", {"quantite-1": "1", "total": "650"})
    assert less.status_code == 422
    assert markup_of(less).count("ne descend pas au-dessous de") == 1
    more = browser.submit(f"{way}/modification", {"quantite-1": "4", "total": "2600"})
    assert (more.status_code, more.location) == (303, way)
    assert session.scalars(select(OrderLine.quantity)).all() == [4]


def test_a_guest_orders_again(browser, way):
    browser.get(way)
    answer = browser.submit(f"{way}/reprise")
    assert (answer.status_code, answer.location) == (303, "/ma-commande")
    assert "Miel" in markup_of(browser.get("/ma-commande"))


def test_a_guest_withdraws(session, browser, way):
    browser.get(f"{way}/retractation")
    sent = {"ligne": "1", "nom": "Emma Roux", "email": "emma@example.org"}
    assert browser.submit(f"{way}/retractation", sent).status_code == 303
    assert [mail.recipient for mail in mails(session)] == ["emma@example.org", "ferme@example.org"]
    assert len(session.scalars(select(Withdrawal)).all()) == 1


def test_without_the_pages_token_nothing_is_done(session, browser, way, placed):
    for act in ("annulation", "modification", "retractation", "reprise"):
        assert browser.post(f"{way}/{act}").status_code == 403
    assert state(session, placed) is OrderState.ACCEPTED


def test_a_guests_invoice_is_behind_the_link_from_the_day_of_delivery_on(
    session, browser, way, placed, clock
):
    able_to_bill(session)
    session.get_one(Order, placed).state = OrderState.DELIVERED
    other = order_token(order(session, {article(session, "Cidre"): 1}, email=None).id)
    session.commit()
    assert "Disponible le mardi 16 juin" in markup_of(browser.get(way))
    clock.move_to(CUTOFF + timedelta(days=2))
    made = issue_for_order(session, placed, by=None)
    session.commit()
    path = f"{way}/factures/F2026-00001"
    assert path in markup_of(browser.get(way))
    page = browser.get(path)
    assert "Miel" in markup_of(page) and "Le PDF est en préparation" in markup_of(page)
    assert browser.get(f"{path}.pdf").location == path
    session.get_one(InvoiceFile, made.id).data = b"%PDF-"
    session.commit()
    file = browser.get(f"{path}.pdf")
    assert file.data == b"%PDF-" and "facture-F2026-00001.pdf" in file.headers["Content-Disposition"]
    for answer in (page, file):
        assert (answer.headers["Cache-Control"], answer.headers["X-Robots-Tag"]) == ("no-store", "noindex")
    assert browser.get(f"/lien/commande/{other}/factures/F2026-00001").status_code == 404
    assert browser.get(f"/lien/commande/{other}/factures/F2026-00001.pdf").status_code == 404
