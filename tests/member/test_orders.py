"""A subscriber's orders: all of them, one with its timeline, and what can still be done about it."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from portal.deliveries.models import Delivery, Tour
from portal.rules.calendar import fortnight_of, monday_of
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.shop.models import Happening, OrderEvent
from tests.pages import markup_of
from tests.shop.making import article, order
from tests.shop.ordered import mails, signed_in, state
from tests.world import CUTOFF, NOW, TUESDAY, YACINE

# The list


def test_who_has_ordered_nothing_is_led_to_the_shop(camille):
    page = markup_of(camille.get("/commandes"))
    assert "Pas encore de commande" in page
    assert 'href="/boutique"' in page


def test_what_comes_next_stands_first_and_the_past_by_month_newest_first(session, camille):
    honey = article(session)
    for day in (TUESDAY + timedelta(weeks=1), TUESDAY):
        order(session, {honey: 1}, day=day)
    for day in (TUESDAY - timedelta(weeks=3), TUESDAY - timedelta(weeks=2)):
        order(session, {honey: 1}, day=day, state=OrderState.DELIVERED)
    order(session, {honey: 1}, state=OrderState.CANCELLED)
    order(session, {honey: 1}, email=YACINE, day=TUESDAY - timedelta(days=5), point="mairie")
    session.commit()
    page = markup_of(camille.get("/commandes"))
    places = [page.index(f">Commande B1000{number}<") for number in (2, 1, 5, 4, 3)]
    assert places == sorted(places)
    assert page.index("mai 2026") > page.index("juin 2026") > page.index("Passées")
    assert "B10006" not in page


def long_ago(session, honey, day):
    """An order of a delivery of last year or before."""
    tuesdays = session.scalars(select(Tour).where(Tour.slug == "mardi")).one()
    at = datetime.combine(day - timedelta(days=2), time(22), UTC)
    old = Delivery(
        tour=tuesdays,
        week=monday_of(day),
        fortnight=fortnight_of(day),
        nominal_day=day,
        day=day,
        cutoff_at=at,
    )
    session.add(old)
    session.flush()
    order(session, {honey: 1}, day=day, state=OrderState.DELIVERED)


def test_what_is_older_than_a_year_is_asked_for(session, camille, count_queries):
    honey = article(session)
    for day in (date(2025, 6, 3), date(2025, 5, 27), date(2022, 4, 5)):
        long_ago(session, honey, day)
    session.commit()
    assert listed(camille.get("/commandes")) == ["B10001"]
    page = camille.get("/commandes")
    assert "Pas encore de commande" not in markup_of(page)
    for expected, after in ((["B10002"], "2022-04-05"), (["B10003"], None)):
        [way] = re.findall(r'href="(/commandes\?jusqu-au=[0-9-]+)"', page.text)
        with count_queries() as statements:
            page = camille.get(way)
        assert len(statements) <= 6
        assert listed(page) == expected
        fragment = camille.get(way, headers={"HX-Request": "true"})
        assert listed(fragment) == expected
        assert "<h1" not in fragment.text
        assert ("Plus anciennes" in fragment.text) == bool(after)
        assert not after or f"jusqu-au={after}" in page.text


def listed(page):
    return re.findall(r">Commande (B[0-9]+)<", page.text)


@pytest.mark.parametrize("until", ["", "hier", "2025-02-30", "1999-01-01"])
def test_a_day_that_is_none_is_not_found(camille, until):
    assert camille.get(f"/commandes?jusqu-au={until}").status_code == 404


def test_the_list_takes_a_constant_number_of_queries(session, camille, count_queries):
    goods = [article(session, f"Miel {number}") for number in range(6)]
    for _ in range(20):
        order(session, dict.fromkeys(goods, 1))
    session.commit()
    camille.get("/commandes")
    with count_queries() as statements:
        camille.get("/commandes")
    assert len(statements) <= 6


# One order


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (OrderState.PLACED, "Envoyée"),
        (OrderState.ACCEPTED, "Acceptée"),
        (OrderState.PREPARED, "Préparée"),
        (OrderState.DELIVERED, "Livrée"),
        (OrderState.REFUSED, "Refusée"),
        (OrderState.CANCELLED, "Annulée"),
    ],
)
def test_an_order_says_its_state_in_a_word(session, camille, kind, word):
    made = order(session, {article(session): 1}, state=kind).id
    session.commit()
    assert word in markup_of(camille.get(f"/commandes/{made}"))


def test_the_page_tells_what_where_when_for_how_much_and_until_when(camille, placed):
    page = markup_of(camille.get(f"/commandes/{placed}"))
    for said in (
        "Commande B10001",
        "2 × 6,50 €",
        "17,00 €",
        "dont TVA à 5,5 %",
        "Halle de Serres",
        "de 16 h 30 à 19 h",
        "dimanche 14 juin, 23 h 59",
        "Commande envoyée",
        "mardi 9 juin 2026, 10 h",
    ):
        assert said in page


def test_a_refused_order_says_why_and_what_is_still_possible(session, camille):
    made = order(session, {article(session): 1}, state=OrderState.REFUSED)
    made.events.append(
        OrderEvent(at=NOW, what=Happening.REFUSED, by_id=None, reason="Le miel <b>manque</b>.")
    )
    made_id = made.id
    session.commit()
    page = markup_of(camille.get(f"/commandes/{made_id}"))
    assert "Le miel &lt;b&gt;manque&lt;/b&gt;." in page
    assert "Vous pouvez commander autre chose pour cette livraison jusqu'au dimanche 14 juin" in page
    assert "Modifier la commande" not in page


def test_past_the_cutoff_the_page_offers_no_act_that_would_be_refused(camille, placed, clock):
    clock.move_to(CUTOFF)
    page = markup_of(camille.get(f"/commandes/{placed}"))
    assert "close depuis le dimanche 14 juin" in page
    assert "/annulation" not in page
    assert "/modification" not in page


def test_what_is_ordered_earlier_keeps_the_whole_and_the_rest_goes_until_the_cutoff(session, camille, clock):
    bread = article(session, "Pain", lead_days=4, lead_time=time(23, 59))
    made = order(session, {bread: 1, article(session): 2}).id
    session.commit()
    clock.move_to(CUTOFF - timedelta(seconds=1))
    still = markup_of(camille.get(f"/commandes/{made}"))
    assert "ne s'annule plus en entier" in still and "Vous pouvez encore en retirer le reste" in still
    clock.move_to(CUTOFF)
    closed = markup_of(camille.get(f"/commandes/{made}"))
    assert "en retirer le reste" not in closed
    assert "La commande est close depuis le dimanche 14 juin, 23 h 59" in closed


@pytest.mark.parametrize("way", ["", "/modification", "/retractation", "/impression"])
def test_a_page_takes_a_constant_number_of_queries(session, camille, count_queries, way):
    goods = [article(session, f"Miel {number}") for number in range(12)]
    made = [order(session, dict.fromkeys(goods[:length], 1)).id for length in (1, 12)]
    session.commit()
    counts = []
    for order_id in made:
        camille.get(f"/commandes/{order_id}{way}")
        with count_queries() as statements:
            camille.get(f"/commandes/{order_id}{way}")
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8


@pytest.mark.parametrize("way", ["", "/modification", "/retractation", "/impression", ".pdf"])
def test_somebody_elses_order_is_not_there(session, browser, placed, way):
    signed_in(browser, YACINE)
    assert browser.get(f"/commandes/{placed}{way}").status_code == 404


@pytest.mark.parametrize("act", ["annulation", "modification", "retractation", "reprise"])
def test_nobody_acts_on_somebody_elses_order(session, browser, placed, act):
    signed_in(browser, YACINE)
    form = {"quantite-1": "1", "total": "1", "ligne": "1", "nom": "Y", "email": YACINE}
    assert browser.submit(f"/commandes/{placed}/{act}", form).status_code == 404
    assert state(session, placed) is OrderState.ACCEPTED
    assert mails(session) == []


# Cancelling


def test_an_order_is_cancelled_with_a_word_and_a_mail(session, camille, placed):
    page = markup_of(camille.get(f"/commandes/{placed}"))
    assert f'action="/commandes/{placed}/annulation"' in page
    answer = camille.submit(f"/commandes/{placed}/annulation")
    assert (answer.status_code, answer.location) == (303, f"/commandes/{placed}")
    assert "Votre commande est annulée" in markup_of(camille.get(answer.location))
    assert state(session, placed) is OrderState.CANCELLED
    assert len(mails(session)) == 1
    assert camille.submit(f"/commandes/{placed}/annulation").status_code == 303
    assert len(mails(session)) == 1


def test_a_page_opened_in_time_and_sent_too_late_is_refused_with_what_stands(session, camille, placed, clock):
    camille.get(f"/commandes/{placed}")
    clock.move_to(CUTOFF)
    answer = camille.submit(f"/commandes/{placed}/annulation")
    assert answer.status_code == 422
    assert "La commande est close depuis le dimanche 14 juin, 23 h 59" in markup_of(answer)
    assert state(session, placed) is OrderState.ACCEPTED
    assert mails(session) == []


# On paper


def test_an_order_is_a_sheet_for_paper_and_a_file(camille, placed):
    sheet = markup_of(camille.get(f"/commandes/{placed}/impression"))
    for said in ("Les Jardins du Test", "Commande B10001", "Camille Aubert", "17,00 €", "Halle de Serres"):
        assert said in sheet
    answer = camille.get(f"/commandes/{placed}.pdf")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Content-Disposition"] == 'inline; filename="commande-B10001.pdf"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_paper_says_what_a_voucher_is_taken_off(session, camille):
    made = order(session, {article(session): 2}, discount=Money(150)).id
    session.commit()
    sheet = markup_of(camille.get(f"/commandes/{made}/impression"))
    sums = re.findall(r'<th colspan="3" scope="row">(.*?)</th><td class="num">(.*?)</td>', sheet)
    assert sums == [("Produits", "13,00 €"), ("Bon d'achat", "−1,50 €"), ("Total TTC", "11,50 €")]


@pytest.mark.parametrize("ended", [OrderState.CANCELLED, OrderState.REFUSED])
def test_nothing_is_summed_up_where_nothing_is_to_be_paid(session, camille, ended):
    made = order(session, {article(session): 2}, state=ended).id
    session.commit()
    for page in ("", "/impression"):
        said = markup_of(camille.get(f"/commandes/{made}{page}"))
        assert "Rien à payer." in said
        assert "Total" not in said
