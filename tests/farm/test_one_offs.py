"""A delivery's one-off changes, as staff see and undo them: who, what, when, by whom."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning.one_offs import Kind, of_delivery
from portal.planning.services import move, postpone, skip, vary
from portal.planning.suspensions import suspend
from portal.rules.calendar import WEEK
from tests import crowd
from tests.client import Browser
from tests.composing import delivery_on
from tests.pages import text_of
from tests.planning.test_skip import person
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY

MONDAY = date(2026, 6, 15)
PAGE = "/ferme/livraisons/2026-06-16/mardi/changements"
NEXT = "/ferme/livraisons/2026-06-23/mardi/changements"
THURSDAY = "/ferme/livraisons/2026-06-18/jeudi/changements"


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in(STAFF)
    return browser


def id_of(session: Session, table: type[Formula | PickupPoint], slug: str) -> int:
    return session.scalars(select(table.id).where(table.slug == slug)).one()


def sophie(session: Session) -> Account:
    return session.scalars(select(Account).where(Account.email == STAFF)).one()


def change(session: Session, kind: Kind) -> tuple[int, date]:
    """Have Camille change her box so; answers whose and which week it is."""
    camille, (box, _) = person(session, CAMILLE)
    match kind:
        case Kind.SKIPPED:
            skip(session, camille, [box], MONDAY)
        case Kind.SUSPENDED:
            suspend(session, camille, [box], TUESDAY, TUESDAY)
        case Kind.POSTPONED:
            postpone(session, camille, [box], MONDAY, MONDAY + WEEK)
        case Kind.ELSEWHERE:
            move(session, camille, [box], MONDAY, id_of(session, PickupPoint, "mairie"))
        case Kind.VARIED:
            small = id_of(session, Formula, "petit")
            vary(session, camille, [box], MONDAY, formula_id=small, quantity=2)
    session.commit()
    return box, MONDAY


WORDS = {
    Kind.SKIPPED: "Sauté : Grand panier",
    Kind.SUSPENDED: "Suspendu : Grand panier",
    Kind.POSTPONED: "Reporté au mardi 23 juin : Grand panier",
    Kind.ELSEWHERE: "À retirer : Mairie de Laragne, au lieu de Halle de Serres",
    Kind.VARIED: "2 × Petit panier au lieu de Grand panier",
}


def test_who_receives_as_usual_is_not_listed(staff):
    assert "Aucun changement" in text_of(staff.get(PAGE))


@pytest.mark.parametrize("kind", Kind)
def test_each_change_says_whose_it_is_what_and_when(staff, session, kind):
    change(session, kind)
    expected = f"Aubert Camille C10001 {WORDS[kind]} par l'abonné·e, le mercredi 10 juin, 10 h"
    assert expected in text_of(staff.get(PAGE))


@pytest.mark.parametrize("kind", Kind)
def test_staff_take_it_back_and_the_person_is_told(staff, session, kind):
    box, week = change(session, kind)
    staff.get(PAGE)
    answer = staff.submit(f"{PAGE}/{kind}/{box}/{week}")
    assert (answer.status_code, answer.location) == (303, PAGE)
    page = text_of(staff.get(PAGE))
    assert "C'est annulé" in page and "Aubert" not in page
    assert len(session.scalars(select(Mail)).all()) == 2
    assert sophie(session).id in set(session.scalars(select(BoxChange.changed_by)))


@pytest.mark.parametrize("kind", Kind)
def test_past_the_cutoff_it_stays_and_says_why(staff, session, clock, kind):
    box, week = change(session, kind)
    clock.move_to(CUTOFF + timedelta(days=1))
    staff.sign_in(STAFF)
    page = staff.get(PAGE)
    assert "Trop tard : la livraison est close." in text_of(page)
    assert f"/changements/{kind}/" not in page.text
    answer = staff.submit(f"{PAGE}/{kind}/{box}/{week}")
    assert answer.status_code == 422 and "Trop tard : la livraison est close." in text_of(answer)


def test_taking_back_what_is_as_usual_says_so(staff, session):
    staff.get(PAGE)
    assert staff.submit(f"{PAGE}/skipped/1/{MONDAY}").status_code == 303
    assert "C'était déjà fait" in text_of(staff.get(PAGE))


@pytest.mark.parametrize("path", ["sulked/1", "skipped/999"])
def test_what_is_no_change_or_nobodys_is_not_found(staff, path):
    staff.get(PAGE)
    assert staff.submit(f"{PAGE}/{path}/{MONDAY}").status_code == 404


def test_a_postponed_box_stands_with_both_deliveries(staff, session):
    change(session, Kind.POSTPONED)
    assert "Reporté du mardi 16 juin : Grand panier" in text_of(staff.get(NEXT))


def test_a_box_for_once_at_another_tours_point_stands_with_both_deliveries(staff, session):
    change(session, Kind.ELSEWHERE)
    assert WORDS[Kind.ELSEWHERE] in text_of(staff.get(THURSDAY))
    assert "Aucun changement" in text_of(staff.get("/ferme/livraisons/2026-06-19/vendredi/changements"))


def test_a_postponed_box_may_be_skipped_where_it_arrives(session):
    box, week = change(session, Kind.POSTPONED)
    camille, _ = person(session, CAMILLE)
    skip(session, camille, [box], week)
    session.commit()
    found = of_delivery(session, delivery_on(session, TUESDAY + WEEK), NOW)
    assert [(one.kind, one.week) for one in found] == [(Kind.POSTPONED, week), (Kind.SKIPPED, week)]


def test_a_box_that_the_farm_took_along_farther_than_one_may_postpone_is_shown(staff, session):
    camille, (box, _) = person(session, CAMILLE)
    postpone(session, camille, [box], MONDAY, MONDAY + 4 * WEEK)
    # its destination cancelled past its home's cutoff, it goes on
    session.execute(update(BoxChange).values(to_week=MONDAY + 5 * WEEK))
    session.commit()
    path = "/ferme/livraisons/2026-07-21/mardi/changements"
    page = text_of(staff.get(path))
    assert "Reporté du mardi 16 juin : Grand panier par l'abonné·e, le mercredi 10 juin, 10 h" in page
    assert "Reporté au mardi 21 juillet : Grand panier" in text_of(staff.get(PAGE))
    assert staff.submit(f"{path}/postponed/{box}/{MONDAY}").status_code == 303


def test_what_staff_did_bears_their_name(staff, session):
    camille, (box, _) = person(session, CAMILLE)
    skip(session, camille, [box], MONDAY, by=sophie(session))
    session.commit()
    assert "Sauté : Grand panier Sophie Durand, le mercredi 10 juin, 10 h" in text_of(staff.get(PAGE))


def test_the_page_takes_the_same_number_of_statements_for_one_and_for_many(client, session, count_queries):
    client.sign_in(STAFF)

    def statements() -> int:
        with count_queries() as seen:
            assert client.get(PAGE).status_code == 200
        return len(seen)

    change(session, Kind.SKIPPED)
    few = statements()
    crowd.add(session, 200)
    assert statements() == few <= 14
