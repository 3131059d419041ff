"""/abonnements: terms past and coming, changing them, taking that back."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange, Suspension
from portal.deliveries.models import Delivery
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Subscription, Term, Withheld
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, NOW, STAFF

PAGE = "/abonnements/1/modifier"
AS_IS = {"formule": "2", "quantite": "1", "rythme": "weekly", "point": "1"}
MONDAY = "2026-06-15"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def camille(browser: Browser) -> Browser:
    browser.sign_in(CAMILLE)
    browser.get("/mon-compte")
    return browser


@pytest.fixture
def tab(client: Browser) -> Browser:
    """Camille's, without HTMX."""
    client.sign_in(CAMILLE)
    client.get("/mon-compte")
    return client


@pytest.fixture
def terms(session: Session) -> Callable[[], list[tuple[int, date, int, int, int]]]:
    """What is written of all terms: subscription, Monday, formula, quantity, point."""
    columns = (Term.subscription_id, Term.monday, Term.formula_id, Term.quantity, Term.pickup_point_id)
    return lambda: [tuple(row) for row in session.execute(select(*columns).order_by(Term.id))]


def mails(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Mail)) or 0


def confirm(browser: Browser, **fields: Any) -> Any:
    return browser.submit(PAGE, {**AS_IS, "des-1": MONDAY, "des-2": MONDAY, **fields})


# The list


def test_each_subscription_says_what_for_how_much_when_and_where(camille: Browser) -> None:
    page = text_of(camille.get("/abonnements"))
    assert "Grand panier 19,50 € TTC par livraison" in page and "Œufs 2,40 € TTC par livraison" in page
    assert "Chaque semaine, prochains paniers : 16, 23, 30 juin" in page
    assert "Halle de Serres, Serresle mardi de 16 h 30 à 19 h" in page
    assert "Annuler ce changement" not in page and "Terminés" not in page


def test_a_running_suspension_is_said(camille: Browser, session: Session) -> None:
    days = {"first_day": date(2026, 8, 1), "last_day": date(2026, 8, 16)}
    session.add(Suspension(subscription_id=1, made_at=NOW, **days))
    session.commit()
    assert "Suspendu du samedi 1er août au dimanche 16 août." in text_of(camille.get("/abonnements"))


def test_what_has_ended_stands_apart(camille: Browser, session: Session) -> None:
    session.get_one(Subscription, 2).last_day = date(2026, 6, 1)
    session.commit()
    page = text_of(camille.get("/abonnements"))
    assert "Terminés Œufs, Halle de Serres, jusqu'au lundi 1er juin 2026" in page
    assert camille.get("/abonnements/2/modifier").status_code == 404


def test_who_has_none_is_led_to_the_way_in(client: Browser) -> None:
    client.sign_in(STAFF)
    client.get("/mon-compte")
    assert "Vous n'avez pas d'abonnement en cours" in text_of(client.get("/abonnements"))
    assert 'href="/abonnement/nouveau"' in client.get("/abonnements").text


# Changing


def test_the_form_shows_what_one_has_and_changes_nothing_yet(camille: Browser) -> None:
    answer = camille.get(PAGE)
    page = text_of(answer)
    assert "Rien pour l'instant." in page and "Confirmer" not in page
    assert "chaque semaine : 16, 23, 30 juin une semaine sur deux : 16, 30 juin, 14 juillet" in page
    assert "Œufs" not in page, "formulas of the same kind"
    assert answer.text.count(" checked") == 2 and answer.text.count(" selected") == 2


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_the_preview_tells_from_when_and_week_by_week(camille: Browser, headers: dict[str, str]) -> None:
    page = text_of(camille.get(f"{PAGE}?formule=1&point=3", headers=headers))
    assert "À partir du jeudi 18 juin" in page
    assert "avant : 19,50 € après : 11,50 € TTC" in page
    assert "Avant : mar. 16 juin, Grand panier Après : jeu. 18 juin, Petit panier" in page
    assert "Vous pourrez annuler ce changement jusqu'au dimanche 14 juin, 23 h 59." in page
    assert "Aussi pour vos œufs ?" in page and "Confirmer le changement" in page


def test_a_fragment_holds_the_preview_and_what_depends_on_the_point(camille: Browser) -> None:
    fragment = camille.get(f"{PAGE}?point=3", headers=HTMX).text
    assert "<html" not in fragment
    for part in ('id="apercu"', 'id="rythme" data-hx-swap-oob="true"', 'id="aussi" data-hx-swap-oob="true"'):
        assert part in fragment


def test_a_point_chosen_on_the_map_is_preselected(camille: Browser) -> None:
    assert '<option value="3" selected>' in camille.get(f"{PAGE}?point=3").text


def test_eggs_move_along_by_default_and_stay_if_unticked(camille: Browser) -> None:
    ticked = camille.get(f"{PAGE}?point=2").text
    assert 'name="des-2"' in ticked
    unticked = camille.get(f"{PAGE}?point=2&aussi=").text
    assert 'name="des-2"' not in unticked and 'id="aussi-2"' in unticked


def test_eggs_that_the_point_does_not_offer_are_said_to_stay(camille: Browser, session: Session) -> None:
    session.add(Withheld(pickup_point_id=2, formula_id=3))
    session.commit()
    page = text_of(camille.get(f"{PAGE}?point=2"))
    assert "Œufs : ce point n'en propose pas, rien ne change, à retirer à Halle de Serres." in page
    assert "Aussi pour" not in page and "Confirmer" in page


def test_a_confirmed_change_is_told_listed_mailed_and_taken_back(
    camille: Browser, session: Session, terms: Callable[[], Any]
) -> None:
    answer = confirm(camille, formule="1", point="2", aussi="2")
    assert (answer.status_code, answer.location) == (303, "/abonnements")
    page = text_of(camille.get("/abonnements"))
    assert "C'est fait : Petit panier à partir du mardi 16 juin ; Œufs à partir du mardi 16 juin." in page
    assert "À partir du mardi 16 juin : Petit panier, Gare de Veynes" in page
    assert "Annuler ce changement Possible jusqu'au dimanche 14 juin, 23 h 59" in page
    assert terms()[-2:] == [(1, date(2026, 6, 15), 1, 1, 2), (2, date(2026, 6, 15), 3, 1, 2)]
    assert mails(session) == 1
    for _ in range(2):
        assert camille.submit("/abonnements/1/annulation", {"lundi": MONDAY}).status_code == 303
    page = text_of(camille.get("/abonnements"))
    assert "Grand panier" in page and "Petit panier" not in page
    assert "C'était déjà fait : ce changement n'est plus prévu." in page
    assert mails(session) == 2


def test_what_the_page_offers_to_take_back_is_taken_back(
    camille: Browser, session: Session, clock: time_machine.Traveller, terms: Callable[[], Any]
) -> None:
    session.scalars(select(Term).where(Term.subscription_id == 1)).one().pickup_point_id = 4
    session.commit()
    before = terms()
    clock.move_to(CUTOFF + timedelta(hours=10))  # Monday: Tuesday's is closed, Friday's open
    assert confirm(camille, point="1", **{"des-1": "2026-06-22"}).status_code == 303
    assert confirm(camille, point="1", quantite="2").status_code == 303
    page = text_of(camille.get("/abonnements"))
    assert "À partir du vendredi 19 juin : 2 × Grand panier Annuler ce changement" in page
    assert "À partir du mardi 23 juin : Halle de Serres Annuler ce changement" in page
    for monday in (MONDAY, "2026-06-22"):
        assert camille.submit("/abonnements/1/annulation", {"lundi": monday}).status_code == 303
        assert "C'est fait : ce changement est annulé." in text_of(camille.get("/abonnements"))
    assert terms() == before


def test_what_would_come_to_a_point_without_it_is_not_taken_back(
    camille: Browser, session: Session, terms: Callable[[], Any]
) -> None:
    """To come: a small one, and later another point, which has no large ones."""
    first = session.scalars(select(Term).where(Term.subscription_id == 1)).one()
    since, later = date(2026, 6, 15), date(2026, 6, 22)
    first.until = since
    small: dict[str, Any] = {"subscription_id": 1, "formula_id": 1, "quantity": 1, "rhythm": first.rhythm}
    session.add(Term(monday=since, until=later, pickup_point_id=1, **small))
    session.add(Term(monday=later, pickup_point_id=2, **small))
    session.add(Withheld(pickup_point_id=2, formula_id=2))
    session.commit()
    before = terms()
    page = camille.get("/abonnements").text
    assert 'name="lundi" value="2026-06-22"' in page and f'name="lundi" value="{MONDAY}"' not in page
    answer = camille.submit("/abonnements/1/annulation", {"lundi": MONDAY})
    assert answer.status_code == 422
    assert "Un point de retrait ne propose pas ce qui reviendrait" in text_of(answer)
    assert terms() == before


def test_a_point_without_deliveries_is_refused_beside_its_field(camille: Browser, session: Session) -> None:
    session.execute(delete(Delivery).where(Delivery.tour_id == 3))
    session.commit()
    for answer in (camille.get(f"{PAGE}?point=4"), confirm(camille, point="4")):
        assert "Aucune livraison n'y est prévue" in text_of(answer)
        assert "Confirmer" not in text_of(answer)


def test_what_is_dropped_is_said_before_it_is_confirmed(camille: Browser, session: Session) -> None:
    session.add(BoxChange(subscription_id=1, week=date(2026, 6, 22), formula_id=1, changed_at=NOW))
    session.add(Withheld(pickup_point_id=2, formula_id=1))
    session.commit()
    page = text_of(camille.get(f"{PAGE}?point=2"))
    assert "Ce que vous aviez choisi pour une fois est annulé" in page and "semaine du 22 juin" in page
    assert "pour une fois est annulé" not in text_of(camille.get(f"{PAGE}?point=3"))


def test_terms_gone_by_are_told(camille: Browser, clock: time_machine.Traveller) -> None:
    confirm(camille, formule="1")
    clock.move_to(NOW + timedelta(weeks=2))
    page = text_of(camille.get("/abonnements"))
    assert "De la semaine du 5 janvier à celle du 8 juin : Grand panier, chaque semaine" in page
    assert "Annuler ce changement" not in page


def test_a_change_of_this_week_is_to_come_until_its_delivery_closes(
    camille: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    session.scalars(select(Term).where(Term.subscription_id == 1)).one().pickup_point_id = 4
    session.commit()
    clock.move_to(CUTOFF)  # Friday's delivery is open for two days more
    confirm(camille, formule="1", point="4")
    page = text_of(camille.get("/abonnements"))
    assert "Grand panier 19,50 €" in page and "À partir du vendredi 19 juin : Petit panier" in page
    clock.shift(timedelta(days=2))
    page = text_of(camille.get("/abonnements"))
    assert "Petit panier 11,50 €" in page and "Annuler ce changement" not in page


def test_the_same_form_sent_twice_is_one_change(camille: Browser, session: Session) -> None:
    for _ in range(2):
        assert confirm(camille, formule="1", point="2", aussi="2").status_code == 303
    assert mails(session) == 1


def test_a_page_left_open_over_the_cutoff_shows_the_new_date(
    camille: Browser, session: Session, clock: time_machine.Traveller, terms: Callable[[], Any]
) -> None:
    before = terms()
    clock.move_to(CUTOFF)
    answer = confirm(camille, formule="1", quantite="2")
    assert answer.status_code == 422
    page = text_of(answer)
    assert "La date a changé entre-temps" in page and "À partir du mardi 23 juin" in page
    assert "la livraison du mardi 16 juin est déjà close" in page
    assert 'name="des-1" value="2026-06-22"' in answer.text
    assert 'name="quantite" value="2"' in answer.text, "what was chosen is kept"
    assert terms() == before and mails(session) == 0
    assert confirm(camille, formule="1", quantite="2", **{"des-1": "2026-06-22"}).status_code == 303


def test_a_full_point_is_refused_beside_its_field(
    camille: Browser, session: Session, terms: Callable[[], Any]
) -> None:
    session.get_one(PickupPoint, 2).capacity = 0
    session.commit()
    before = terms()
    assert "Confirmer" not in text_of(camille.get(f"{PAGE}?point=2"))
    answer = confirm(camille, point="2")
    assert answer.status_code == 422
    assert "Ce point de retrait est complet : choisissez-en un autre." in text_of(answer)
    assert terms() == before and mails(session) == 0


def test_a_formula_that_the_point_does_not_offer_is_refused(camille: Browser, session: Session) -> None:
    session.add(Withheld(pickup_point_id=2, formula_id=2))
    session.commit()
    for answer in (camille.get(f"{PAGE}?point=2"), confirm(camille, point="2")):
        assert "Ce point de retrait ne propose pas cette formule" in text_of(answer)
        assert "Confirmer" not in text_of(answer)


def test_a_retired_point_is_offered_to_who_has_it(camille: Browser, session: Session) -> None:
    for point in (1, 2):
        session.get_one(PickupPoint, point).retired_at = NOW
    session.commit()
    page = camille.get(PAGE).text
    assert '<option value="1" selected>Halle' in page and "Gare de Veynes" not in page
    assert confirm(camille, quantite="2").status_code == 303
    assert confirm(camille, quantite="2", point="2").status_code == 422


def test_taking_back_too_late_is_refused_with_the_present_state(
    camille: Browser, session: Session, clock: time_machine.Traveller, terms: Callable[[], Any]
) -> None:
    confirm(camille, formule="1")
    before = terms()
    clock.move_to(CUTOFF)
    answer = camille.submit("/abonnements/1/annulation", {"lundi": MONDAY})
    assert answer.status_code == 422
    assert "Trop tard" in text_of(answer) and "Petit panier" in text_of(answer)
    assert terms() == before and mails(session) == 1


# What no page of ours sends

ODD = ("-1", "0", "0.5", "1e3", "1_0", "+1", "\uff11", str(10**9), str(10**20))
ODD += ("", "NaN", "\u202e1", "x" * 20_000)


@pytest.mark.parametrize("field", list(AS_IS))
def test_odd_values_are_refused_with_their_field_named(
    tab: Browser, session: Session, terms: Callable[[], Any], field: str
) -> None:
    before = terms()
    form = {**AS_IS, "des-1": MONDAY}
    for odd in (*ODD, [form[field], form[field]]):
        answer = tab.submit(PAGE, {**form, field: odd})
        assert answer.status_code == 422, odd
        assert f'href="#{field}"' in answer.text, odd
    missing = {name: value for name, value in form.items() if name != field}
    assert tab.submit(PAGE, missing).status_code == 422
    assert terms() == before and mails(session) == 0


def test_odd_values_in_the_address_harm_nobody(tab: Browser) -> None:
    for field in (*AS_IS, "aussi"):
        for odd in ODD[:-1]:
            answer = tab.get(PAGE, query_string={field: odd})
            assert answer.status_code == (200 if (field, odd) in {("aussi", "")} else 422), (field, odd)


@pytest.mark.parametrize("day", ["", "x", "2026-06-22", "20260615", "2026-06-16", MONDAY + "x"])
def test_a_date_that_is_not_the_one_shown_changes_nothing(
    tab: Browser, session: Session, terms: Callable[[], Any], day: str
) -> None:
    before = terms()
    assert confirm(tab, formule="1", **{"des-1": day}).status_code == 422
    assert terms() == before and mails(session) == 0


def test_nul_is_refused_everywhere(tab: Browser) -> None:
    for field in (*AS_IS, "des-1", "aussi"):
        assert confirm(tab, **{field: "\0"}).status_code == 400
        assert tab.get(PAGE, query_string={field: "\0"}).status_code == 400


@pytest.mark.parametrize("day", ["", "x", "20260615", "2026-02-30", "\0"])
def test_taking_back_needs_a_date(tab: Browser, day: str) -> None:
    assert tab.submit("/abonnements/1/annulation", {"lundi": day}).status_code == 400


def test_forged_fields_are_ignored(tab: Browser, session: Session, terms: Callable[[], Any]) -> None:
    forged = {
        "price": "1",
        "prix": "1",
        "account_id": "2",
        "subscription_id": "3",
        "tour": "2",
        "monday": MONDAY,
    }
    assert confirm(tab, formule="1", **forged).status_code == 303
    assert terms()[-1] == (1, date(2026, 6, 15), 1, 1, 1)
    assert len(terms()) == 4


def test_a_formula_of_another_kind_and_anothers_eggs_are_refused(
    tab: Browser, session: Session, terms: Callable[[], Any]
) -> None:
    before = terms()
    assert confirm(tab, formule="3").status_code == 422
    assert confirm(tab, point="2", aussi="3").status_code == 422
    assert terms() == before


@pytest.mark.parametrize("number", [3, 0, 2**63, "x", "%00", "-1"])
def test_what_is_not_ones_own_is_not_found(tab: Browser, session: Session, number: Any) -> None:
    assert tab.get(f"/abonnements/{number}/modifier").status_code == 404
    for act in ("modifier", "annulation"):
        form = {**AS_IS, "des-1": MONDAY, "des-3": MONDAY, "lundi": "2026-01-05"}
        assert tab.submit(f"/abonnements/{number}/{act}", form).status_code == 404
    assert mails(session) == 0


def test_the_servers_clock_decides(
    tab: Browser, clock: time_machine.Traveller, terms: Callable[[], Any]
) -> None:
    before = terms()
    clock.move_to(CUTOFF)
    in_time = {"Date": "Sun, 14 Jun 2026 20:00:00 GMT"}
    assert tab.submit(PAGE, {**AS_IS, "formule": "1", "des-1": MONDAY}, headers=in_time).status_code == 422
    assert terms() == before


@pytest.mark.parametrize("path", [PAGE, "/abonnements/1/annulation"])
def test_what_is_no_form_is_refused(tab: Browser, terms: Callable[[], Any], path: str) -> None:
    before = terms()
    form = {**AS_IS, "lundi": MONDAY, "csrf_token": tab.token}
    assert tab.post(path, json=form).status_code == 403
    cut = b'--x\r\nContent-Disposition: form-data; name="formule"\r\n\r\n1'
    assert 400 <= tab.post(path, data=cut, content_type="multipart/form-data; boundary=x").status_code < 500
    assert 400 <= tab.post(path, data=b"formule=1", content_type="").status_code < 500
    assert terms() == before


# What it costs


@pytest.fixture
def statements(camille: Browser, count_queries: Callable[[], Any]) -> Iterator[Callable[[str], int]]:
    def count(path: str) -> int:
        with count_queries() as sent:
            assert camille.get(path).status_code == 200
        return len(sent)

    yield count


def test_a_page_takes_as_many_queries_for_one_subscription_as_for_many(
    statements: Callable[[str], int], session: Session
) -> None:
    paths = ("/abonnements", f"{PAGE}?formule=1&point=3")
    before = [statements(path) for path in paths]
    assert max(before) <= 15
    account = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    for number in range(5):
        term = Term(
            monday=date(2026, 1, 5), formula_id=3, quantity=1 + number, rhythm="weekly", pickup_point_id=1
        )
        session.add(Subscription(account=account, created_at=NOW, terms=[term]))
    session.commit()
    assert [statements(path) for path in paths] == before
