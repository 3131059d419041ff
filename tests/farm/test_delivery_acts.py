"""Cancelling, reinstating and moving a delivery: the preview, the act, the refusals; deliveries on holidays."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.boxes.jobs import freeze_due
from portal.catalogue.models import FormulaPrice
from portal.deliveries.models import Delivery
from portal.deliveries.services import generate
from portal.planning.models import DeliveryNotice
from portal.planning.services import postpone
from portal.rules.orders import OrderState
from tests import crowd
from tests.client import Browser
from tests.composing import formula
from tests.farm.test_deliveries import cancel, skip_camille, table
from tests.pages import text_of
from tests.planning.test_skip import person
from tests.shop import making
from tests.world import CAMILLE, CUTOFF, STAFF, TODAY, TUESDAY

PAGE = "/ferme/livraisons/2026-06-16/mardi"
REASON = "Le camion est en panne."


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in(STAFF)
    return browser


def delivery(session: Session) -> Delivery:
    session.expire_all()
    return session.get_one(Delivery, delivery_on_week(session))


def delivery_on_week(session: Session) -> int:
    return session.scalars(
        select(Delivery.id).where(Delivery.week == date(2026, 6, 15)).order_by(Delivery.id)
    ).all()[0]


def told(session: Session) -> int:
    return len(session.scalars(select(DeliveryNotice)).all())


# What a delivery's page offers


def test_a_delivery_can_be_moved_or_cancelled_and_a_cancelled_one_reinstated(staff, session):
    page = staff.get(PAGE).text
    assert f'href="{PAGE}/annulation"' in page and f'href="{PAGE}/deplacement"' in page
    assert "retablissement" not in page
    cancel(session)
    page = staff.get(PAGE).text
    assert f'href="{PAGE}/retablissement"' in page and "annulation" not in page and "deplacement" not in page


def test_what_is_done_offers_nothing(staff):
    page = staff.get("/ferme/livraisons/2026-06-09/mardi").text
    assert "/annulation" not in page and "/deplacement" not in page


# Cancelling


def test_the_preview_says_who_is_concerned_and_writes_nothing(staff, session):
    camille, (box, _) = person(session, CAMILLE)
    postpone(session, camille, [box], date(2026, 6, 15), date(2026, 6, 22))
    session.commit()
    page = staff.get("/ferme/livraisons/2026-06-23/mardi/annulation")
    words = text_of(page)
    assert "Une personne, 3 paniers. Chacune reçoit un mail." in words
    assert "Parmi eux, un panier reporté à cette date. Il revient à sa date" in words
    assert "Halle de Serres une personne Aubert Camille" in words
    head, *rows = table(page, "Paniers par point et par formule")
    assert head == ["Point de retrait", "Grand panier", "Œufs", "Total"]
    assert rows[0] == ["Halle de Serres", "2", "1", "3"]
    assert told(session) == 0 and delivery(session).cancelled_at is None


def test_a_delivery_is_cancelled_with_a_reason_that_everybody_reads(staff, session):
    staff.get(f"{PAGE}/annulation")
    answer = staff.submit(f"{PAGE}/annulation", {"reason": REASON})
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = text_of(staff.get(PAGE))
    assert "La livraison est annulée. Une personne va recevoir un mail." in page
    assert REASON in page
    assert told(session) == 1


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", "Dites en quelques mots pourquoi."),
        ("\u202e \x07", "Dites en"),
        ("n" * 201, "200 signes au plus"),
    ],
)
def test_without_a_reason_that_can_be_read_nothing_is_cancelled(staff, session, reason, words):
    staff.get(f"{PAGE}/annulation")
    answer = staff.submit(f"{PAGE}/annulation", {"reason": reason})
    assert answer.status_code == 422 and words in text_of(answer)
    assert 'aria-describedby="reason-hint reason-error"' in answer.text
    if len(reason) > 200:
        assert reason in answer.text, "what was typed stays"
    assert delivery(session).cancelled_at is None


def test_cancelling_what_is_cancelled_says_so(staff, session):
    cancel(session)
    assert "Cette livraison est déjà annulée." in text_of(staff.get(f"{PAGE}/annulation"))
    assert staff.submit(f"{PAGE}/annulation", {"reason": REASON}).status_code == 303
    assert "C'était déjà fait" in text_of(staff.get(PAGE))


def test_what_is_done_is_refused_in_words(staff):
    path = "/ferme/livraisons/2026-06-09/mardi"
    for act in ("annulation", "deplacement", "retablissement"):
        page = staff.get(f"{path}/{act}")
        assert "Cette livraison a eu lieu : elle ne change plus." in text_of(page)
    answer = staff.submit(f"{path}/annulation", {"reason": REASON})
    assert answer.status_code == 422 and "elle ne change plus" in text_of(answer)


# Reinstating


def test_the_preview_of_a_reinstatement_says_who_would_receive_it(staff, session):
    cancel(session)
    page = staff.get(f"{PAGE}/retablissement")
    assert "Une personne, 2 paniers." in text_of(page) and "Aubert Camille" in text_of(page)


def test_a_delivery_is_reinstated(staff, session):
    cancel(session)
    staff.get(f"{PAGE}/retablissement")
    assert staff.submit(f"{PAGE}/retablissement").status_code == 303
    assert "La livraison est rétablie. Une personne va recevoir un mail." in text_of(staff.get(PAGE))
    assert delivery(session).cancelled_at is None


def test_past_its_cutoff_it_is_not(staff, session, clock):
    cancel(session)
    clock.move_to(CUTOFF)
    staff.sign_in(STAFF)
    assert "Trop tard" in text_of(staff.get(f"{PAGE}/retablissement"))
    answer = staff.submit(f"{PAGE}/retablissement")
    assert answer.status_code == 422 and "Trop tard" in text_of(answer)


# Moving


def test_a_move_is_shown_with_its_new_cutoff_before_it_is_done(staff, session):
    first = staff.get(f"{PAGE}/deplacement")
    assert 'value="2026-06-17"' in first.text, "the day after is suggested"
    assert "Qui est concerné" not in text_of(first)
    page = text_of(staff.get(f"{PAGE}/deplacement?jour=2026-06-18"))
    assert "Du mardi 16 juin au jeudi 18 juin" in page
    assert "Modifiable jusqu'au mardi 16 juin, 23 h 59, au lieu du dimanche 14 juin, 23 h 59." in page
    assert "Aubert Camille" in page
    assert delivery(session).day == TUESDAY


def test_a_delivery_is_moved_and_its_page_with_it(staff, session):
    staff.get(f"{PAGE}/deplacement?jour=2026-06-17")
    answer = staff.submit(f"{PAGE}/deplacement?jour=2026-06-17", {"reason": "Marché."})
    assert (answer.status_code, answer.location) == (303, "/ferme/livraisons/2026-06-17/mardi")
    page = text_of(staff.get(answer.location))
    assert "La livraison est déplacée. Une personne va recevoir un mail." in page
    assert "Déplacée du mardi 16 juin. Marché." in page


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2026-06-23", "atteint ou dépasse une autre livraison"),
        ("0001-01-01", "Indiquez une date"),
        ("9999-12-31", "Indiquez une date"),
        ("hier", "Indiquez une date"),
        ("", "Indiquez une date"),
    ],
)
def test_a_day_that_does_not_do_is_refused_beside_the_field(staff, session, day, words):
    path = f"{PAGE}/deplacement?jour={day}"
    page = staff.get(path)
    assert words in text_of(page) and 'id="jour-error"' in page.text and f'value="{day}"' in page.text
    assert "Déplacer la livraison" not in text_of(page)
    assert staff.submit(path).status_code == 422
    assert delivery(session).day == TUESDAY


def test_a_past_day_is_refused(staff, session, clock):
    clock.move_to(CUTOFF - timedelta(hours=1))
    staff.sign_in(STAFF)
    page = text_of(staff.get(f"{PAGE}/deplacement?jour=2026-06-13"))
    assert "Ce jour est passé" in page


def test_where_the_usual_cutoff_is_past_one_is_asked_for(staff, session, clock):
    clock.move_to(CUTOFF + timedelta(hours=10))  # Monday morning; Thursday closes tonight
    staff.sign_in(STAFF)
    path = "/ferme/livraisons/2026-06-18/jeudi/deplacement?jour=2026-06-17"
    assert "La date limite habituelle serait le dimanche 14 juin, 23 h 59" in text_of(staff.get(path))
    for typed, words in (
        ("", "fixez-en une"),
        ("2026-06-15T12:00", "laissez au moins 24 heures"),
        ("2026-06-17T12:00", "la veille de la livraison"),
    ):
        answer = staff.submit(path, {"last_minute": typed})
        assert answer.status_code == 422 and words in text_of(answer)
        assert f'value="{typed}"' in answer.text
    answer = staff.submit(path, {"last_minute": "2026-06-16T23:59"})
    assert answer.location == "/ferme/livraisons/2026-06-17/jeudi"
    assert "Modifiable jusqu'au mardi 16 juin, 23 h 59" in text_of(staff.get(answer.location))


def test_the_cutoff_alone_is_changed_where_the_day_stays(staff, session):
    path = f"{PAGE}/deplacement?jour=2026-06-16"
    page = staff.get(path)
    assert 'value="2026-06-14T23:59"' in page.text and "Déplacer la livraison" not in text_of(page)
    answer = staff.submit(path, {"last_minute": "2026-06-11T09:00"})
    assert answer.status_code == 422 and "laissez au moins 24 heures" in text_of(answer)
    assert 'value="2026-06-11T09:00"' in answer.text
    answer = staff.submit(path, {"last_minute": "2026-06-15T11:59"})
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = text_of(staff.get(PAGE))
    assert "La date limite est changée." in page and "Modifiable jusqu'au lundi 15 juin, 11 h 59" in page


def test_a_closed_delivery_has_no_cutoff_to_change(staff, session, clock):
    clock.move_to(CUTOFF)
    staff.sign_in(STAFF)
    path = f"{PAGE}/deplacement?jour=2026-06-16"
    page = staff.get(path)
    assert "C'est déjà sa date." in text_of(page) and 'name="last_minute"' not in page.text
    assert staff.submit(path, {"last_minute": "2026-06-15T23:59"}).status_code == 422
    assert delivery(session).cutoff_at == CUTOFF


def test_a_cutoff_that_cannot_be_read_is_refused(staff, clock):
    clock.move_to(CUTOFF + timedelta(hours=10))
    staff.sign_in(STAFF)
    path = "/ferme/livraisons/2026-06-18/jeudi/deplacement?jour=2026-06-17"
    staff.get(path)
    for typed in ("demain", "0001-01-01T00:00", "9999-12-31T23:59"):
        answer = staff.submit(path, {"last_minute": typed})
        assert answer.status_code == 422 and "Indiquez un jour et une heure" in text_of(answer)


def test_a_closed_delivery_moves_and_stays_closed(staff, clock):
    clock.move_to(CUTOFF)
    staff.sign_in(STAFF)
    path = f"{PAGE}/deplacement?jour=2026-06-18"
    assert "Elle est close et le reste : seule la date change." in text_of(staff.get(path))
    answer = staff.submit(path)
    assert "Close depuis le dimanche 14 juin, 23 h 59" in text_of(staff.get(answer.location))


@pytest.mark.parametrize("act", ["annulation", "deplacement?jour=2026-06-18"])
def test_a_formula_without_a_price_is_named_where_it_keeps_a_closed_delivery_as_it_is(
    staff, session, clock, act
):
    session.execute(delete(FormulaPrice).where(FormulaPrice.formula_id == formula(session, "oeufs")))
    session.commit()
    clock.move_to(CUTOFF)
    staff.sign_in(STAFF)
    staff.get(f"{PAGE}/{act}")
    answer = staff.submit(f"{PAGE}/{act}", {"reason": REASON})
    assert answer.status_code == 422 and "Sans prix le mardi 16 juin : Œufs." in text_of(answer)
    assert (delivery(session).cancelled_at, delivery(session).day) == (None, TUESDAY)


def test_what_is_frozen_needs_no_price_any_more(staff, session, clock):
    clock.move_to(CUTOFF)
    freeze_due()
    session.execute(delete(FormulaPrice))
    session.commit()
    staff.sign_in(STAFF)
    staff.get(f"{PAGE}/annulation")
    assert staff.submit(f"{PAGE}/annulation", {"reason": REASON}).status_code == 303


# Holidays


@pytest.fixture
def year(session: Session) -> None:
    generate(session, TODAY, TODAY + timedelta(days=366))
    session.commit()


def test_deliveries_on_holidays_are_listed_tour_by_tour(client, session, year):
    client.sign_in(STAFF)
    page = client.get("/ferme/livraisons/feries")
    words = text_of(page)
    assert "Tournée du mardi mardi 14 juillet 2026 Fête nationale Ouverte" in words
    assert "vendredi 25 décembre 2026 Noël" in words and "vendredi 1er janvier 2027 Jour de l'an" in words
    assert "/ferme/livraisons/2026-07-14/mardi/deplacement?jour=2026-07-15" in page.text
    assert "/ferme/livraisons/2026-07-14/mardi/annulation" in page.text
    assert "mardi 16 juin" not in words


def test_one_that_was_moved_says_so_and_asks_for_nothing_more(client, session, year):
    client.sign_in(STAFF)
    path = "/ferme/livraisons/2026-07-14/mardi/deplacement?jour=2026-07-15"
    page = client.get(path)
    assert "Le mardi 14 juillet est férié : Fête nationale." in text_of(page)
    client.submit(path)
    words = text_of(client.get("/ferme/livraisons/feries"))
    assert "mercredi 15 juillet 2026 Fête nationale Ouverte Déplacée du mardi 14 juillet." in words


def test_holidays_are_marked_where_deliveries_are_shown(client, session, year):
    client.sign_in(STAFF)
    assert "Férié : Fête nationale" in text_of(client.get("/ferme/livraisons?semaine=2026-07-13"))
    assert "Jour férié : Fête nationale" in text_of(client.get("/ferme/livraisons/2026-07-14/mardi"))


# What it costs


@pytest.mark.parametrize("act", ["annulation", "retablissement", "deplacement?jour=2026-06-17"])
def test_a_preview_takes_the_same_number_of_statements_for_few_and_for_many(
    client, session, count_queries, act
):
    client.sign_in(STAFF)

    def statements() -> int:
        with count_queries() as seen:
            assert client.get(f"{PAGE}/{act}").status_code == 200
        return len(seen)

    few = statements()
    crowd.add(session, 200)
    assert statements() == few <= 17


def test_who_skips_is_not_concerned(client, session):
    skip_camille(session)
    client.sign_in(STAFF)
    assert "il n'y a personne à prévenir" in text_of(client.get(f"{PAGE}/annulation"))


# Orders


@pytest.fixture
def two_orders(session):
    honey = making.article(session)
    making.order(session, {honey: 1})
    making.order(session, {honey: 1}, email=None)
    making.order(session, {honey: 1}, state=OrderState.CANCELLED)
    session.commit()


def test_who_cancels_a_delivery_reads_what_becomes_of_its_orders(staff, two_orders):
    words = text_of(staff.get(f"{PAGE}/annulation"))
    assert "2 commandes passent à la livraison suivante qui peut les apporter" in words
    staff.submit(f"{PAGE}/annulation", {"reason": REASON})
    said = "2 commandes passent à la livraison suivante : chacun·e reçoit un mail."
    assert said in text_of(staff.get(PAGE))


def test_who_moves_a_delivery_reads_what_becomes_of_its_orders(staff, two_orders):
    said = "2 commandes suivent la livraison : chacun·e reçoit un mail."
    assert said in text_of(staff.get(f"{PAGE}/deplacement?jour=2026-06-17"))
    answer = staff.submit(f"{PAGE}/deplacement?jour=2026-06-17", {"reason": ""})
    assert said in text_of(staff.get(answer.location))
