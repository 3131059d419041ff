"""/planning/suspension: a range, seen before it is confirmed, and ended early."""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.boxes.models import Suspension
from portal.infra.outbox import Mail
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, STAFF, YACINE

PAGE = "/planning/suspension"
BOX, EGGS, YACINES = 1, 2, 3
RANGE = {"du": "2026-06-11", "au": "2026-06-30"}


@pytest.fixture
def camille(browser: Browser) -> Browser:
    browser.sign_in(CAMILLE)
    browser.get("/mon-compte")
    return browser


def test_a_range_is_previewed_box_by_box_with_what_the_month_costs(client: Browser, session: Session) -> None:
    client.sign_in(CAMILLE)
    page = text_of(client.get(PAGE, query_string={**RANGE, "abonnement": BOX}))
    days = page.partition("Ce que cela change")[2].partition("Reprise automatique")[0]
    assert [f"mardi {day} juin" in days for day in (9, 16, 23, 30)] == [False, True, True, True]
    assert "Reprise automatique le mardi 7 juillet" in page
    assert "51,00 € au lieu de 109,50 €" in page, "juin"
    assert "Confirmer la suspension" in page
    assert session.scalar(select(func.count()).select_from(Suspension)) == 0


def test_the_preview_follows_the_form_as_a_fragment(client: Browser) -> None:
    client.sign_in(CAMILLE)
    answer = client.get(PAGE, query_string={**RANGE, "abonnement": BOX}, headers={"HX-Request": "true"})
    html = answer.get_data(as_text=True)
    assert html.lstrip().startswith("<section") and 'id="apercu"' in html
    assert "HX-Request" in answer.headers["Vary"]


def test_a_suspension_is_confirmed_shown_and_ended(camille: Browser, session: Session) -> None:
    answer = camille.submit(PAGE, {**RANGE, "abonnement": [BOX, EGGS]})
    assert (answer.status_code, answer.location) == (303, "/planning")
    page = text_of(camille.get("/planning"))
    assert "suspendu du jeudi 11 juin au mardi 30 juin (Grand panier, Œufs)" in page
    assert "Suspendu du jeudi 11 juin au mardi 30 juin : Grand panier, Œufs" in page
    assert page.count("Suspendu Grand panier") >= 2, "each card says it"

    ids = list(session.scalars(select(Suspension.id)))
    assert camille.submit(f"{PAGE}/fin", {"suspension": ids}).status_code == 303
    page = text_of(camille.get("/planning"))
    assert "la suspension est terminée, vos livraisons reprennent" in page
    assert "Reprendre dès maintenant" not in page


def test_sending_it_twice_says_that_it_is_done(camille: Browser) -> None:
    for words in ("C'est fait", "C'était déjà fait"):
        camille.submit(PAGE, {**RANGE, "abonnement": BOX})
        assert words in text_of(camille.get("/planning"))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"du": "", "au": "2026-06-30"}, "Indiquez le premier jour sans panier."),
        ({"du": "2026-06-11", "au": ""}, "Indiquez le dernier jour sans panier."),
        ({"du": "11/06/2026", "au": "2026-06-30"}, "Indiquez le premier jour sans panier."),
        ({"du": "2026-06-11", "au": "2026-02-30"}, "Indiquez le dernier jour sans panier."),
        ({"du": "２０２６-06-11", "au": "2026-06-30"}, "Indiquez le premier jour sans panier."),
        ({"du": ["2026-06-11", "2026-06-12"], "au": "2026-06-30"}, "Indiquez le premier jour sans panier."),
        ({"du": "2026-06-20", "au": "2026-06-19"}, "Le dernier jour doit suivre le premier"),
        ({"du": "2026-06-01", "au": "2026-06-02"}, "Le dernier jour doit suivre le premier"),
        ({"du": "2026-06-11", "au": "2028-06-11"}, "Une suspension peut aller jusqu'à un an"),
        ({"du": "2026-06-11", "au": "2999-12-31"}, "Une suspension peut aller jusqu'à un an"),
        ({"du": "2026-06-11", "au": "9999-12-31"}, "Indiquez le dernier jour sans panier."),
        ({"du": "0001-01-01", "au": ""}, "Indiquez le premier jour sans panier."),
        ({**RANGE, "abonnement": []}, "Cochez au moins un abonnement."),
        ({**RANGE, "abonnement": "x"}, "Cochez au moins un abonnement."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_keeps_what_was_typed(
    camille: Browser, session: Session, fields: dict[str, Any], words: str
) -> None:
    answer = camille.submit(PAGE, {"abonnement": BOX, **fields})
    assert answer.status_code == 422
    assert words in text_of(answer)
    html = answer.get_data(as_text=True)
    for name in ("du", "au"):
        typed = fields.get(name)
        assert not isinstance(typed, str) or f'name="{name}" value="{typed}"' in html
    assert session.scalar(select(func.count()).select_from(Suspension)) == 0


def test_a_range_without_a_box_is_refused_with_a_reason(camille: Browser) -> None:
    answer = camille.submit(PAGE, {"du": "2026-06-17", "au": "2026-06-20", "abonnement": BOX})
    assert answer.status_code == 422
    assert "Aucun panier n'est prévu entre ces dates" in text_of(answer)


def test_somebody_elses_subscription_or_suspension_is_not_found(camille: Browser, session: Session) -> None:
    assert camille.submit(PAGE, {**RANGE, "abonnement": [BOX, YACINES]}).status_code == 404
    assert camille.get(PAGE, query_string={**RANGE, "abonnement": YACINES}).status_code == 404
    camille.submit(PAGE, {**RANGE, "abonnement": BOX})
    (hers,) = session.scalars(select(Suspension.id))
    camille.sign_in(YACINE)
    camille.get("/mon-compte")
    for asked in (hers, 999, "", "x", "0"):
        assert camille.submit(f"{PAGE}/fin", {"suspension": asked}).status_code == 404
    session.expire_all()
    assert session.scalars(select(Suspension.ended_at)).one() is None


def test_who_has_no_subscription_has_nothing_to_suspend(client: Browser) -> None:
    client.sign_in(STAFF)
    assert "Vous n'avez pas d'abonnement en cours" in text_of(client.get(PAGE))


def test_the_preview_takes_as_many_queries_for_a_week_as_for_a_year(
    client: Browser, count_queries: Callable[[], Any]
) -> None:
    client.sign_in(CAMILLE)
    client.get(PAGE)
    taken = []
    for last in ("2026-06-17", "2027-05-31"):
        with count_queries() as statements:
            client.get(PAGE, query_string={"du": "2026-06-11", "au": last, "abonnement": [BOX, EGGS]})
        taken.append(len(statements))
    assert taken[0] == taken[1] <= 12


def test_ending_it_when_all_is_closed_says_that_nothing_comes_back(
    camille: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    camille.submit(PAGE, {"du": "2026-06-16", "au": "2026-06-16", "abonnement": BOX})
    clock.move_to(CUTOFF)
    camille.submit(f"{PAGE}/fin", {"suspension": list(session.scalars(select(Suspension.id)))})
    assert "Ce qui était déjà clos reste suspendu" in text_of(camille.get("/planning"))
    session.expire_all()
    last = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first()
    assert "elles restent suspendues" in last and "Vous recevrez de nouveau" not in last
