"""/ferme/livraisons and below: states, counts, and the list that is printed."""

from datetime import timedelta

import html5lib
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.boxes.jobs import freeze_due
from portal.deliveries.models import Delivery
from portal.planning.services import skip
from portal.rules.calendar import monday_of
from portal.subscriptions.models import Subscription
from tests import crowd
from tests.client import Browser
from tests.composing import delivery_on, put, show
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY, YACINE

PAGE = "/ferme/livraisons/2026-06-16/mardi"
LIST = f"{PAGE}/liste"


@pytest.fixture
def staff(client: Browser) -> Browser:
    client.sign_in(STAFF)
    return client


def table(page: TestResponse, caption: str) -> list[list[str]]:
    """A table's rows, read as words."""
    tree = html5lib.parse(page.get_data(as_text=True), namespaceHTMLElements=False)
    found = next(t for t in tree.iter("table") if "".join(t.find("caption").itertext()) == caption)
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in found.iter("tr")]


def cancel(session: Session) -> None:
    session.execute(
        update(Delivery)
        .where(Delivery.day == TUESDAY)
        .values(cancelled_at=NOW, cancel_reason="Le camion est en panne.")
    )
    session.commit()


def skip_camille(session: Session) -> None:
    account = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    ids = list(session.scalars(select(Subscription.id).where(Subscription.account_id == account.id)))
    skip(session, account, ids, monday_of(TUESDAY))
    session.commit()


def freeze(app, clock) -> None:
    clock.move_to(CUTOFF + timedelta(hours=8))
    with app.app_context():
        freeze_due()


# The coming deliveries


def test_two_weeks_of_deliveries_stand_with_their_states_and_counts(staff):
    page = text_of(staff.get("/ferme/livraisons"))
    assert "Semaine du lundi 8 juin" in page and "Semaine du lundi 15 juin" in page
    assert "mardi 9 juin Tournée du mardi Terminée 1 Grand panier 1 Œufs jeudi" in page
    assert "jeudi 11 juin Tournée du jeudi Close Aucun panier attendu" in page, "it is not Yacine's week"
    assert "mardi 16 juin Tournée du mardi Ouverte 1 Grand panier 1 Œufs Paniers à composer" in page
    assert "jeudi 18 juin Tournée du jeudi Ouverte 1 Petit panier Paniers à composer" in page
    assert "lundi 22 juin" not in page


def test_later_and_earlier_weeks_are_a_page_away(staff):
    page = staff.get("/ferme/livraisons")
    assert 'href="/ferme/livraisons?semaine=2026-06-22"' in page.text
    assert 'href="/ferme/livraisons?semaine=2026-05-25"' in page.text
    later = text_of(staff.get("/ferme/livraisons?semaine=2026-06-24"))
    assert "Semaine du lundi 22 juin" in later and "Semaine du lundi 29 juin" in later


def test_a_week_without_a_delivery_is_said(staff):
    assert "Pas de livraison cette semaine." in text_of(staff.get("/ferme/livraisons?semaine=2027-06-14"))


@pytest.mark.parametrize(
    "week", ["", "demain", "0001-01-01", "9999-12-31", "2026-06-16' OR '1'='1", "2026-02-30"]
)
def test_a_week_that_is_no_day_of_our_time_shows_the_present_one(staff, week):
    page = staff.get("/ferme/livraisons", query_string={"semaine": week})
    assert page.status_code == 200 and "Semaine du lundi 8 juin" in text_of(page)


def test_a_skip_is_counted_at_once(staff, session):
    skip_camille(session)
    assert "mardi 16 juin Tournée du mardi Ouverte Aucun panier attendu" in text_of(
        staff.get("/ferme/livraisons")
    )


def test_a_cancelled_delivery_says_why(staff, session):
    cancel(session)
    for path in ("/ferme/livraisons", PAGE, LIST, "/ferme"):
        page = text_of(staff.get(path))
        assert "Le camion est en panne." in page
        assert "1 Grand" not in page.split("mardi 16 juin")[-1]


# One delivery


def test_counts_stand_by_point_and_formula_and_sum_up_both_ways(staff, session):
    crowd.add(session, 40)
    head, *rows, total = table(staff.get(PAGE), "Paniers attendus à ce moment")
    assert head == ["Point de retrait", "Petit panier", "Grand panier", "Œufs", "Total"]
    numbers = [[int(cell) for cell in row[1:]] for row in (*rows, total)]
    assert [row[0] for row in rows] == ["Halle de Serres", "Gare de Veynes"]
    assert all(row[-1] == sum(row[:-1]) > 0 for row in numbers)
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]


def test_a_delivery_tells_where_its_boxes_stand(staff, session):
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    session.commit()
    assert "Ouverte Paniers en brouillon Modifiable jusqu'au dimanche 14 juin, 23 h 59" in text_of(
        staff.get(PAGE)
    )
    show(session, delivery_on(session, TUESDAY))
    session.commit()
    assert "Paniers prévisionnels" in text_of(staff.get(PAGE))


def test_a_delivery_that_nobody_receives_says_so(staff, session):
    skip_camille(session)
    assert "Personne ne reçoit de panier ce jour-là." in text_of(staff.get(PAGE))


def test_the_counts_stay_as_they_were_once_the_delivery_is_frozen(app, staff, session, clock):
    crowd.add(session, 20)
    before = table(staff.get(PAGE), "Paniers attendus à ce moment")
    freeze(app, clock)
    staff.sign_in(STAFF)
    assert table(staff.get(PAGE), "Paniers") == before


# The printed list


def test_the_list_names_who_collects_what_where(staff):
    page = text_of(staff.get(LIST))
    assert "mardi 16 juin 2026 Halle de Serres de 16 h 30 à 19 h, Tournée du mardi" in page
    assert "Aubert Camille 1 G Grand panier 1 Œ Œufs" in page
    assert "€" not in page, "no price on a packing list"


def test_points_without_a_box_are_in_the_summary_only(staff):
    page = staff.get(LIST)
    assert ["Gare de Veynes", "–", "–", "aucun panier"] in table(page, "Paniers par point de retrait")
    assert text_of(page).count("Gare de Veynes") == 1


def test_an_open_list_says_on_every_page_that_it_may_change(staff, session):
    crowd.add(session, 20)
    page = text_of(staff.get(LIST))
    warning = "PROVISOIRE : les changements sont possibles jusqu'au dimanche 14 juin, 23 h 59"
    assert page.count(warning) == page.count("mardi 16 juin 2026 ") == 3, "the summary and two points"
    assert page.count("État au mercredi 10 juin, 10 h") == 3


def test_a_closed_list_says_when_it_was_closed_frozen_already_or_not(app, staff, session, clock):
    clock.move_to(CUTOFF)
    staff.sign_in(STAFF)
    waiting = text_of(staff.get(LIST))
    freeze(app, clock)
    staff.sign_in(STAFF)
    frozen = text_of(staff.get(LIST))
    for page in (waiting, frozen):
        assert "Liste arrêtée le dimanche 14 juin, 23 h 59" in page
        assert "PROVISOIRE" not in page and "Aubert Camille 1 G Grand panier" in page


def test_who_skips_is_on_no_list(staff, session):
    skip_camille(session)
    page = text_of(staff.get(LIST))
    assert "Aubert" not in page and "Rien à emballer" in page


def test_the_head_comes_back_on_every_sheet(staff):
    """Printers repeat a table's head: the title is in it."""
    tree = html5lib.parse(staff.get(LIST).text, namespaceHTMLElements=False)
    (packing,) = (t for t in tree.iter("table") if "packing" in t.get("class"))
    assert "Halle de Serres" in "".join(packing.find("thead").itertext())
    assert "Aubert" not in "".join(packing.find("thead").itertext())


def test_markup_in_a_name_is_text(staff, session):
    session.execute(update(Account).where(Account.email == CAMILLE).values(last_name="<script>1</script>"))
    session.commit()
    html = staff.get(LIST).text
    assert "<script>1" not in html and "&lt;script&gt;1" in html


# Who may, and what it costs


@pytest.mark.parametrize("path", ["/ferme", "/ferme/livraisons", PAGE, LIST])
def test_the_farms_pages_are_for_its_staff(client, path):
    visitor = client.get(path)
    assert visitor.status_code == 303 and visitor.location.startswith("/connexion?next=")
    client.sign_in(YACINE)
    assert client.get(path).status_code == 403


@pytest.mark.parametrize("path", ["2026-06-16/jeudi", "2026-06-17/mardi", "9999-12-31/mardi"])
def test_a_delivery_that_does_not_exist_is_not_found(staff, path):
    assert staff.get(f"/ferme/livraisons/{path}").status_code == 404
    assert staff.get(f"/ferme/livraisons/{path}/liste").status_code == 404


@pytest.mark.parametrize(
    ("path", "at_most"),
    # the week: one for each warning; the list: one for who collects instead
    [("/ferme", 24), ("/ferme/livraisons", 14), (PAGE, 14), (LIST, 15)],
)
def test_a_page_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    staff, session, count_queries, path, at_most
):
    def statements() -> int:
        with count_queries() as seen:
            assert staff.get(path).status_code == 200
        return len(seen)

    crowd.add(session, 3)
    few = statements()
    crowd.add(session, 300, start=3)
    assert statements() == few <= at_most
