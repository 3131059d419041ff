"""The way to a withdrawal from every page: to one's own orders, or to a link that goes to the order's address only."""

import pytest
from sqlalchemy import select

from portal.accounts.jobs import answer_mail_requests
from portal.infra.outbox import Mail
from portal.rules.orders import OrderState
from portal.shop.tokens import order_token
from tests.pages import markup_of
from tests.shop.making import article, order
from tests.world import CAMILLE, YACINE

EMMA = "emma@example.org"


@pytest.fixture
def placed(session):
    """An order of Emma, who has no account, then one of Camille."""
    honey = article(session)
    made = [order(session, {honey: 3}, email=email).id for email in (None, CAMILLE)]
    session.commit()
    return made


def mails(session):
    while answer_mail_requests():
        pass
    found = list(session.scalars(select(Mail).order_by(Mail.id)))
    session.expunge_all()
    session.rollback()
    return found


def test_every_page_leads_there(browser):
    for path in ("/", "/boutique", "/connexion", "/retractation"):
        foot = markup_of(browser.get(path)).partition("<footer")[2]
        assert 'href="/retractation"' in foot
        assert "Renoncer au contrat ici" in foot


def ask(browser, number, email):
    browser.get("/retractation")
    answer = browser.submit("/retractation", {"numero": number, "email": email})
    assert (answer.status_code, answer.location) == (303, "/retractation")
    return markup_of(browser.get("/retractation")).partition("<main")[2].partition("csrf_token")[0]


@pytest.mark.parametrize("number", ["B10001", "b10001", "10001"])
def test_the_link_goes_to_the_address_that_has_ordered(session, browser, placed, number):
    ask(browser, number, "Emma@Example.org")
    [mail] = mails(session)
    assert mail.recipient == EMMA
    assert f"http://localhost/lien/commande/{order_token(placed[0])}" in mail.text


def test_an_accounts_order_is_found_among_its_own(session, browser, placed):
    ask(browser, "B10002", CAMILLE)
    [mail] = mails(session)
    assert f"http://localhost/commandes/{placed[1]}" in mail.text


@pytest.mark.parametrize(
    ("number", "email"),
    [
        ("B10001", YACINE),
        ("B10001", CAMILLE),
        ("B10099", EMMA),
        ("B1", EMMA),
        ("B٠١٢٣٤", EMMA),
        ("B999999999", EMMA),
    ],
)
def test_everybody_reads_the_same_and_nobody_else_gets_a_mail(session, browser, placed, number, email):
    known, unknown = ask(browser, "B10001", EMMA), ask(browser, number, email)
    assert known == unknown
    assert len(mails(session)) == 1


@pytest.mark.parametrize(
    "sent",
    [{}, {"numero": "B10001"}, {"numero": "", "email": EMMA}, {"numero": "B10001", "email": "a,b@c.fr"}],
)
def test_what_is_missing_is_named(session, browser, placed, sent):
    browser.get("/retractation")
    assert browser.submit("/retractation", sent).status_code == 422
    assert mails(session) == []


def test_an_address_gets_three_mails_an_hour_at_the_most(session, browser, placed):
    for _ in range(5):
        ask(browser, "B10001", EMMA)
    assert len(mails(session)) == 3


def test_nobody_asks_without_end(browser, placed):
    browser.get("/retractation")
    sent = {"numero": "B10001", "email": EMMA}
    statuses = [browser.submit("/retractation", sent).status_code for _ in range(31)]
    assert statuses == [303] * 30 + [429]


def test_who_is_signed_in_sees_what_can_be_returned(session, browser, placed):
    order(session, {article(session, "Pain", perishable=True): 1})
    order(session, {article(session, "Jus"): 1}, state=OrderState.CANCELLED)
    session.commit()
    browser.sign_in(CAMILLE)
    page = markup_of(browser.get("/retractation")).partition("<main")[2].partition("<footer")[0]
    assert f'href="/commandes/{placed[1]}/retractation"' in page
    assert page.count("/retractation") == 1
