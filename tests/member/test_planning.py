"""/planning: every coming delivery of every subscription, skip and undo on each."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.deliveries.models import Delivery
from portal.deliveries.services import generate
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Subscription, Term
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, TUESDAY, YACINE


@pytest.fixture
def camille(browser: Browser) -> Browser:
    browser.sign_in(CAMILLE)
    browser.get("/planning")
    return browser


def subscriptions(session: Session, email: str = CAMILLE) -> list[int]:
    return sorted(session.scalars(select(Subscription.id).join(Account).where(Account.email == email)))


def test_each_coming_delivery_has_its_card_with_its_deadline(camille: Browser) -> None:
    page = text_of(camille.get("/planning"))
    assert "Semaine du 15 juin" in page and "Semaine du 27 juillet" in page
    for day, deadline in (("23", "21 juin"), ("30", "28 juin")):
        assert f"Modifiable jusqu'au dimanche {deadline}, 23 h 59" in page, day
    assert page.count("Grand panier") >= 7


def test_weeks_without_a_box_are_said(client: Browser) -> None:
    client.sign_in(YACINE)
    page = text_of(client.get("/planning"))
    assert page.count("Pas de panier cette semaine") == 4, "every other week"


def test_a_week_that_the_farm_closes_gives_its_reason(client: Browser, session: Session) -> None:
    delivery = session.scalars(select(Delivery).where(Delivery.day == TUESDAY)).one()
    delivery.cancelled_at, delivery.cancel_reason = CUTOFF, "Fermeture annuelle"
    session.commit()
    client.sign_in(CAMILLE)
    page = text_of(client.get("/planning"))
    assert "Pas de livraison cette semaine" in page and "Fermeture annuelle" in page


def test_more_weeks_can_be_asked_for_up_to_a_year(client: Browser) -> None:
    client.sign_in(CAMILLE)
    assert "semaines=52" in client.get("/planning").get_data(as_text=True)
    assert client.get("/planning?semaines=52").status_code == 200
    for odd in ("0", "-1", "x", "99999999999999999999", "१६"):
        assert client.get("/planning", query_string={"semaines": odd}).status_code == 200


def test_a_box_is_skipped_and_taken_back_from_its_card(camille: Browser, session: Session) -> None:
    box = subscriptions(session)[0]
    answer = camille.submit("/planning/2026-06-15/saut", {"abonnement": box, "vue": "planning"})
    if camille.htmx:
        assert answer.status_code == 200
        assert 'id="semaine-2026-06-15"' in answer.get_data(as_text=True)
    else:
        assert answer.status_code == 303
        assert answer.location == "/planning#semaine-2026-06-15"
    page = text_of(camille.get("/planning"))
    assert "Reprendre : Grand panier" in page and "Sauter : Œufs" in page
    camille.submit("/planning/2026-06-15/reprise", {"abonnement": box, "vue": "planning"})
    assert "Reprendre" not in text_of(camille.get("/planning"))


def test_an_act_from_a_page_that_is_out_of_date_shows_how_things_stand(
    camille: Browser, session: Session
) -> None:
    """BAR K2: skipped and taken back elsewhere meanwhile; what is skipped is not sent on its way."""
    box, week = subscriptions(session)[0], "/planning/2026-06-15"

    def written() -> int:
        return sum(len(session.scalars(select(table.id)).all()) for table in (Mail, AuditEvent))

    def press(act: str, **fields: object) -> tuple[int, str]:
        answer = camille.submit(f"{week}/{act}", {"abonnement": box, "vue": "planning", **fields})
        shown = answer if answer.status_code != 303 else camille.get("/planning")
        return answer.status_code, text_of(shown)

    for act, stands in (("saut", "Reprendre : Grand panier"), ("reprise", "Sauter cette livraison")):
        press(act)
        before = written()
        status, page = press(act)
        assert status == (200 if camille.htmx else 303) and stands in page
        assert written() == before
    press("saut")
    before = written()
    status, page = press("report", vers="2026-06-23")
    assert status == 422 and "Reprendre : Grand panier" in page
    assert written() == before


def test_a_closed_delivery_offers_no_act(camille: Browser, clock: time_machine.Traveller) -> None:
    clock.move_to(CUTOFF)
    page = camille.get("/planning").get_data(as_text=True)
    assert 'action="/planning/2026-06-15/saut"' not in page
    assert 'action="/planning/2026-06-22/saut"' in page


def test_too_late_is_said_and_shows_the_week_as_it_stands(
    camille: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    form = {"abonnement": subscriptions(session), "vue": "planning"}
    answer = camille.submit("/planning/2026-06-15/saut", form)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Trop tard" in page and "Semaine du 15 juin" in page
    still = answer.text.partition("Semaine du")[2].partition("<footer")[0]
    assert "Confier ou donner ce panier" in still and 'href="tel:' in still, "with and without JavaScript"
    assert session.scalar(select(BoxChange)) is None


def test_a_week_without_a_box_is_refused_clearly(browser: Browser, session: Session) -> None:
    browser.sign_in(YACINE)
    browser.get("/planning")
    weeks = ["2026-06-15", "2026-06-22"]
    answers = [
        browser.submit(f"/planning/{week}/saut", {"abonnement": subscriptions(session, YACINE)})
        for week in weeks
    ]
    refused = [answer for answer in answers if answer.status_code == 422]
    assert len(refused) == 1, "every other week"
    assert "Aucun panier n'est prévu cette semaine-là" in text_of(refused[0])


@pytest.mark.parametrize(
    "form", [{}, {"abonnement": ""}, {"abonnement": "1_0"}, {"abonnement": "+1"}, {"abonnement": "१"}]
)
def test_a_form_that_names_no_subscription_is_refused(camille: Browser, form: dict[str, str]) -> None:
    assert camille.submit("/planning/2026-06-15/saut", form).status_code == 422


def test_somebody_elses_subscription_is_not_found(camille: Browser, session: Session) -> None:
    (other,) = subscriptions(session, YACINE)
    assert camille.submit("/planning/2026-06-15/saut", {"abonnement": other}).status_code == 404
    assert session.scalar(select(BoxChange)) is None


def test_a_day_that_is_no_monday_has_no_box(camille: Browser, session: Session) -> None:
    answer = camille.submit("/planning/2026-06-16/saut", {"abonnement": subscriptions(session)})
    assert answer.status_code == 422


@pytest.mark.parametrize("weeks", [8, 52])
def test_a_year_takes_as_many_queries_as_a_page(
    client: Browser, count_queries: Callable[[], Any], weeks: int
) -> None:
    client.sign_in(CAMILLE)
    client.get("/planning")
    with count_queries() as statements:
        client.get(f"/planning?semaines={weeks}")
    assert len(statements) <= 9, "\n".join(statements)


def test_a_year_weighs_less_than_thirty_kilobytes(client: Browser, session: Session) -> None:
    generate(session, TUESDAY, TUESDAY + timedelta(weeks=60))
    session.commit()
    client.sign_in(CAMILLE)
    page = client.get("/planning?semaines=52")
    assert text_of(page).count("Grand panier") >= 52
    assert len(page.data) < 30 * 1024


def test_a_postponed_box_is_skipped_where_it_is_seen(camille: Browser) -> None:
    camille.submit("/planning/2026-06-15/report", {"abonnement": 1, "vers": "2026-06-29", "vue": "semaine"})
    answer = camille.submit(
        "/planning/2026-06-15/saut", {"abonnement": 1, "vue": "planning", "page": "2026-06-29"}
    )
    if camille.htmx:
        assert 'id="semaine-2026-06-29"' in answer.get_data(as_text=True)
    else:
        assert answer.location == "/planning#semaine-2026-06-29"
        assert "C'est fait : vous sautez la livraison du mardi 30 juin" in text_of(camille.get("/planning"))


def test_a_fragment_says_where_a_box_of_the_week_went(client: Browser) -> None:
    client.sign_in(CAMILLE)
    client.get("/planning")
    client.submit("/planning/2026-06-15/report", {"abonnement": 1, "vers": "2026-07-13", "vue": "semaine"})
    client.htmx = True
    answer = client.submit("/planning/2026-06-15/saut", {"abonnement": 2, "vue": "planning"})
    assert "Grand panier reporté au mardi 14 juillet" in text_of(answer)


def test_a_delivery_that_was_moved_into_another_week_is_there_on_its_day(
    client: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    delivery = session.scalars(select(Delivery).where(Delivery.day == TUESDAY)).one()
    delivery.day = TUESDAY + timedelta(days=6)
    session.commit()
    clock.shift(timedelta(days=12))  # Monday 22
    client.sign_in(CAMILLE)
    page = text_of(client.get("/planning"))
    assert "Livraison déplacée du mardi 16 juin" in page and "lundi 22 juin" in page


def test_what_the_farm_cancels_is_said_beside_what_still_comes(client: Browser, session: Session) -> None:
    cafe = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "cafe")).one()
    session.execute(update(Term).where(Term.subscription_id == 2).values(pickup_point_id=cafe))
    delivery = session.scalars(select(Delivery).where(Delivery.day == TUESDAY)).one()
    delivery.cancelled_at, delivery.cancel_reason = CUTOFF, "Panne de camion"
    session.commit()
    client.sign_in(CAMILLE)
    page = text_of(client.get("/planning"))
    assert "Pas de livraison le mardi 16 juin" in page and "Panne de camion" in page


@pytest.mark.parametrize(
    "page", ["0001-01-01", "9999-12-31", "2999-12-31", "2026-01-05", "2026-06-16", "x", ""]
)
def test_a_page_that_is_none_is_the_boxs_own_week(camille: Browser, page: str) -> None:
    form = {"abonnement": 1, "vue": "semaine", "page": page}
    answer = camille.submit("/planning/2026-06-15/saut", form)
    assert camille.htmx or answer.location == "/planning/2026-06-15"
    assert answer.status_code == (200 if camille.htmx else 303)


def test_where_the_boxs_own_week_has_no_page_either_nothing_is_done(
    camille: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    camille.submit("/planning/2026-06-15/report", {"abonnement": 1, "vers": "2026-07-06", "vue": "semaine"})
    clock.shift(timedelta(weeks=3))
    form = {"abonnement": 1, "vue": "semaine", "page": "2999-12-31"}
    assert camille.submit("/planning/2026-06-15/saut", form).status_code == 404
    assert not session.scalars(select(BoxChange.skip)).one()
