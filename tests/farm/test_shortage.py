"""/ferme/paniers/<date>/<tour>/manque/<product>: who goes without, what comes instead, who is told."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role
from portal.compositions.models import Exclusion, ShortageNotice
from portal.infra.outbox import Mail
from portal.planning.announcements import tell_of_shortages
from portal.rules.permissions import RoleName
from tests import crowd
from tests.client import Browser
from tests.composing import contents, delivery_on, product, put, show
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, STAFF, TUESDAY

PAPER = "/ferme/paniers/2026-06-16/mardi"
HALLE, GARE = 1, 2
PETIT, GRAND = 1, 2


@pytest.fixture
def page(session: Session) -> str:
    """Salad is in both boxes; Camille's large one is shown, at the Halle; nobody has the small one."""
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "petit", "salade", 1)
    put(session, tuesday, "grand", "salade", 2)
    put(session, tuesday, "grand", "carottes", 500)
    show(session, tuesday)
    session.commit()
    return f"{PAPER}/manque/{product(session, 'salade')}"


def answer(**changes: object) -> dict[str, object]:
    form = {
        "formule": ["1", "2"],
        "point": ["1", "2"],
        "remplacement": "3",
        "quantite-3-1": "1",
        "quantite-3-2": "2",
        "pourquoi": "La grêle.",
    }
    return form | changes


def test_the_page_says_which_boxes_hold_it_and_how_many_they_are(desk, session, page, count_queries):
    crowd.add(session, 40)
    with count_queries() as statements:
        found = desk.get(page)
    shown = text_of(found)
    assert "Il manque : Salade Tournée du mardi Ouverte" in shown
    assert "Petit panier 10 paniers" in shown and "Grand panier 12 paniers" in shown
    assert "Halle de Serres 7 paniers" in shown and "Gare de Veynes 15 paniers" in shown
    assert len(statements) < 20
    eggs = text_of(desk.get(f"{PAPER}/manque/{product(session, 'oeufs')}"))
    assert "Aucun panier n'en contient" in eggs
    assert desk.get(f"{PAPER}/manque/99").status_code == 404


def test_the_preview_proposes_as_much_as_it_was_worth_and_says_who_will_be_told(desk, session, page):
    shown = text_of(desk.get(f"{page}?formule=1&formule=2&point=1&point=2&remplacement=3"))
    assert "1 panier sans Salade À la place : Radis. 1 personne les reçoit. Un mail part." in shown
    html = desk.get(f"{page}?formule=2&point=1&remplacement=1").get_data(as_text=True)
    assert 'name="quantite-1-2" value="1,05"' in html, "two salads of 1,30 € are 1,05 kg of carrots at 2,50 €"
    nobody = text_of(desk.get(f"{page}?formule=2&remplacement=0"))
    assert "Points de retrait : choisissez dans la liste." in nobody and "Un mail part" not in nobody


def test_one_press_changes_the_boxes_and_the_worker_tells_each_person_once(staff, session, page):
    for _ in range(2):
        assert staff.submit(page, answer()).status_code == 303
    session.expire_all()
    assert contents(session, delivery_on(session, TUESDAY)) == {
        ("petit", "Radis"): 1,
        ("grand", "Carottes"): 500,
        ("grand", "Radis"): 2,
    }
    [notice] = session.scalars(select(ShortageNotice)).all()
    assert (notice.formula_ids, notice.point_ids, notice.made_by) == ([PETIT, GRAND], [], 3)
    session.commit()
    while tell_of_shortages():
        pass
    assert [sent.recipient for sent in session.scalars(select(Mail))] == [CAMILLE]
    assert "C'était déjà fait : aucun panier n'en contient." in text_of(staff.get(PAPER))


def test_it_can_be_one_point_alone_and_after_the_cutoff(desk, session, page, clock):
    clock.move_to(CUTOFF + timedelta(hours=30))
    desk.sign_in(STAFF)
    desk.get(page)
    given = desk.submit(page, answer(formule="2", point="2"))
    assert given.status_code == 303, text_of(given)
    session.expire_all()
    [row] = session.scalars(select(Exclusion)).all()
    assert (row.pickup_point_id, row.instead_amount) == (GARE, 2)
    clock.move_to(CUTOFF + timedelta(days=3))
    desk.sign_in(STAFF)
    desk.get(page)
    assert desk.submit(page, answer(formule="2", point="1")).status_code == 422


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"quantite-3-2": "0"}, "Grand panier : un nombre entier, au moins 1."),
        ({"quantite-3-2": ["2", "2"]}, "Grand panier : un nombre entier, au moins 1."),
        ({"formule": "3"}, "Formules : choisissez dans la liste."),
        ({"remplacement": "2"}, "À la place : choisissez dans la liste."),
        ({"pourquoi": "x" * 301}, "Pourquoi : 300 caractères au plus, il y en a 301."),
    ],
)
def test_what_is_not_right_changes_nothing_and_says_so(desk, session, page, change, says):
    refused = desk.submit(page, answer(**change))
    assert refused.status_code == 422
    assert says in text_of(refused)
    assert session.scalars(select(ShortageNotice)).all() == []


def test_who_packs_may_say_that_something_is_missing(client: Browser, session, page):
    account = session.scalars(select(Account).where(Account.email == STAFF)).one()
    account.roles = list(session.scalars(select(Role).where(Role.name == RoleName.LOGISTICS)))
    session.commit()
    client.sign_in(STAFF)
    assert client.get(page).status_code == 200
    assert client.get(PAPER).status_code == 403
