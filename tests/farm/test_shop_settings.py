"""/ferme/reglages/boutique and /conditions: how the shop sells, and on which conditions."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.profile.models import Conditions
from portal.profile.queries import conditions_in_force
from portal.rules.money import Money
from portal.shop.models import ShopSettings
from portal.shop.settings import UNSAID, ShopRules, get_rules
from tests.farm.forms import CONDITIONS, SHOP
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import NOW

SHOP_PAGE, PAGE = "/ferme/reglages/boutique", "/ferme/reglages/conditions"
ADD = f"{PAGE}/ajout"


def texts(session: Session) -> list[str]:
    return list(session.scalars(select(Conditions.text).order_by(Conditions.id)))


# How the shop sells


def test_a_farm_that_says_nothing_accepts_at_once_and_welcomes_guests(session, office):
    assert get_rules(session) == UNSAID == ShopRules(True, True, Money(1500))
    page = office.get(SHOP_PAGE)
    assert 'value="15,00"' in page.text and session.scalar(select(ShopSettings)) is None


def test_how_the_shop_sells_is_settled(admin, session):
    for _ in range(2):
        assert admin.submit(SHOP_PAGE, SHOP).status_code == 303
    assert get_rules(session) == ShopRules(False, True, Money(2000), "espèces ou chèque")
    assert "Rien n'a changé." in text_of(admin.get(SHOP_PAGE))
    [event] = events(session)
    assert event.action == "shop_settings.change"
    assert event.before == {"accepts_at_once": True, "guest_minimum": 1500, "payment_means": None}
    assert event.after == {
        "accepts_at_once": False,
        "guest_minimum": 2000,
        "payment_means": "espèces ou chèque",
    }


def test_staff_read_that_nobody_can_order_before_conditions_are_published(office, session):
    said = "Personne ne peut encore commander à la boutique"
    pages = ("/ferme", SHOP_PAGE)
    for page in pages:
        html = office.get(page).text
        assert said in html
        assert f'href="{ADD}"' in html
    session.add(Conditions(text="Tout est TTC.", published_at=NOW))
    session.commit()
    for page in pages:
        assert said not in office.get(page).text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"accepts_at_once": "1"}, "Une commande est acceptée : choisissez dans la liste."),
        ({"guests_welcome": ["True", "False"]}, "Commander sans compte : choisissez dans la liste."),
        ({"guest_minimum": "-1"}, "Sans compte, à partir de : un nombre comme 2,5, de 0 à 999,99."),
        ({"guest_minimum": ""}, "Sans compte, à partir de : à remplir."),
    ],
)
def test_what_cannot_be_settled_is_refused_by_name(office, session, change, says):
    answer = office.submit(SHOP_PAGE, SHOP | change)
    assert answer.status_code == 422 and text_of(answer).count(says) == 2
    for field in SHOP:
        assert office.submit(SHOP_PAGE, {k: v for k, v in SHOP.items() if k != field}).status_code == 422
    assert get_rules(session) == UNSAID and events(session) == []


# Conditions of sale


def test_conditions_are_shown_before_they_are_published(admin, session):
    assert "Pas encore de conditions de vente" in text_of(admin.get(PAGE))
    answer = admin.submit(ADD, CONDITIONS | {"act": "preview"})
    assert answer.status_code == 200 and texts(session) == []
    assert "<h3>Qui vend</h3>" in answer.text and "<p>La ferme.</p>" in answer.text
    assert 'value="publish"' in answer.text and "# Le prix" in answer.text
    assert 'value="publish"' not in admin.get(ADD).text
    assert admin.submit(ADD, CONDITIONS).status_code == 303
    assert texts(session) == [CONDITIONS["text"]]
    in_force = conditions_in_force(session)
    assert in_force.published_at == NOW
    assert in_force.sections == [("Qui vend", "La ferme."), ("Le prix", "Toutes taxes comprises.")]
    assert [event.action for event in events(session)] == ["conditions.publish"]


def test_a_heading_may_be_marked_more_than_once(session):
    text = "# Le prix\n\n## Le paiement \nEn ligne.\n#1 des ventes"
    session.add(Conditions(published_at=NOW, text=text))
    session.flush()
    headings = [heading for heading, _ in conditions_in_force(session).sections]
    assert headings == ["Le prix", "Le paiement"]


def test_a_version_stays_as_it_was_agreed_to(office, session, clock):
    office.submit(ADD, CONDITIONS)
    clock.move_to(NOW + timedelta(minutes=5))
    office.submit(ADD, CONDITIONS | {"text": "Une phrase sans titre.\n\n# Puis un titre"})
    assert len(texts(session)) == 2
    assert conditions_in_force(session).sections == [("", "Une phrase sans titre."), ("Puis un titre", "")]
    shown = office.get(PAGE)
    assert "Une phrase sans titre." in shown.text and "En vigueur" in text_of(shown)
    first = office.get(f"{PAGE}/1")
    assert "Toutes taxes comprises." in first.text and "Remplacées" in text_of(first)


def test_the_same_text_is_no_new_version(office, session):
    for page in ("one", "another"):
        office.submit(ADD, CONDITIONS | {"page": page})
    assert len(texts(session)) == len(events(session)) == 1
    assert "Rien n'a changé" in text_of(office.get(PAGE))


@pytest.mark.parametrize("change", [{"text": ""}, {"text": "x" * 30_001}, {"text": ["a", "b"]}])
@pytest.mark.parametrize("act", ["preview", "publish"])
def test_what_cannot_be_published_is_refused(office, session, change, act):
    answer = office.submit(ADD, CONDITIONS | change | {"act": act})
    assert answer.status_code == 422 and "Conditions de vente : " in text_of(answer)
    assert texts(session) == []


def test_markup_in_conditions_is_text(office):
    evil = {"text": "# <b>x\n\n<script>1</script> {{7*7}}"}
    for act in ("preview", "publish"):
        assert "<script>1" not in office.submit(ADD, evil | {"act": act}).text
    page = office.get(PAGE).text
    assert "<b>x" not in page and "<script>1" not in page and "{{7*7}}" in page


@pytest.mark.parametrize("key", ["0", "-1", "99", f"{2**63}", "%00", "x"])
def test_conditions_that_do_not_exist_are_not_found(office, key):
    assert office.get(f"{PAGE}/{key}").status_code == 404


@pytest.mark.parametrize("path", [PAGE, ADD, SHOP_PAGE])
def test_a_page_takes_few_statements(office, session, count_queries, path):
    session.add_all(Conditions(text=f"N° {n}", published_at=NOW) for n in range(20))
    session.commit()
    with count_queries() as statements:
        assert office.get(path).status_code == 200
    assert len(statements) <= 5
