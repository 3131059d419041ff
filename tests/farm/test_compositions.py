"""/ferme/paniers/<date>/<tour>: the grid, cell by cell and as one form; what is shown; copies."""

from datetime import timedelta

import pytest
from markupsafe import escape
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.catalogue.models import Product
from portal.compositions.models import Composition, CompositionLine, CompositionState
from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from tests import crowd
from tests.client import Browser
from tests.composing import contents, delivery_on, formula, product, put, show
from tests.pages import text_of
from tests.world import CAMILLE, NOW, STAFF, TUESDAY

PAGE = "/ferme/paniers/2026-06-16/mardi"
NEXT = TUESDAY + timedelta(weeks=1)


@pytest.fixture
def staff(browser: Browser) -> Browser:
    browser.sign_in(STAFF)
    browser.get(PAGE)
    return browser


@pytest.fixture
def desk(client: Browser) -> Browser:
    """A member of staff without JavaScript."""
    client.sign_in(STAFF)
    client.get(PAGE)
    return client


def key(session: Session, box: str, content: str) -> str:
    return f"{formula(session, box)}-{product(session, content)}"


def save(browser: Browser, session: Session, box: str, content: str, text: str):
    """Leave one cell."""
    path = f"{PAGE}/{formula(session, box)}/{product(session, content)}"
    return browser.submit(path, {f"cell-{key(session, box, content)}": text})


def saved(session: Session, day=TUESDAY) -> dict[tuple[str, str], int]:
    session.expire_all()
    return contents(session, delivery_on(session, day))


def prepare(session: Session, day=TUESDAY, state: CompositionState | None = None) -> None:
    delivery = delivery_on(session, day)
    put(session, delivery, "grand", "carottes", 500)
    put(session, delivery, "grand", "salade", 1)
    if state:
        show(session, delivery, state)
    session.commit()


# One cell


def test_a_cell_is_saved_as_it_is_left(staff, session):
    answer = save(staff, session, "grand", "carottes", "0,5")
    assert answer.status_code == (200 if staff.htmx else 303)
    assert saved(session) == {("grand", "Carottes"): 500}
    if staff.htmx:
        page = answer.get_data(as_text=True)
        assert 'value="0,5"' in page and "cell-saved" in page and 'data-announce="Enregistré"' in page
        assert f'id="sum-{formula(session, "grand")}" data-hx-swap-oob="true"' in page
        assert "1,25 €" in text_of(answer), "the box's worth comes with it"


def test_an_emptied_cell_takes_the_product_out(staff, session):
    prepare(session)
    save(staff, session, "grand", "carottes", "")
    save(staff, session, "grand", "salade", "0")
    assert saved(session) == {}


@pytest.mark.parametrize("text", ["-1", "1e3", "１", "1" + "0" * 20, '<b>"1"</b>'])
def test_what_is_no_amount_is_refused_beside_its_cell_and_kept_as_typed(staff, session, text):
    prepare(session)
    answer = save(staff, session, "grand", "carottes", text)
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    problem = f"problem-{key(session, 'grand', 'carottes')}"
    assert f'aria-invalid="true" aria-describedby="{problem}"' in html and f'id="{problem}"' in html
    assert f'value="{escape(text)}"' in html
    assert saved(session)["grand", "Carottes"] == 500


def test_what_nobody_sees_in_an_amount_is_left_out(desk, session):
    save(desk, session, "grand", "carottes", "\u202e0,5\u202c")
    assert saved(session) == {("grand", "Carottes"): 500}


@pytest.mark.parametrize(
    ("content", "text", "sentence"),
    [
        ("carottes", "beaucoup", "Écrivez un nombre, comme 0,5."),
        ("carottes", "0,0005", "Au plus trois chiffres après la virgule."),
        ("carottes", "51", "Au plus 50 kg par panier."),
        ("salade", "0,5", "Écrivez un nombre entier, comme 2."),
        ("radis", "501", "Au plus 500 bottes par panier."),
    ],
)
def test_a_refusal_says_what_to_write(desk, session, content, text, sentence):
    assert sentence in text_of(save(desk, session, "grand", content, text))


def test_a_cell_that_is_missing_or_sent_twice_is_not_guessed(desk, session):
    path = f"{PAGE}/{formula(session, 'grand')}/{product(session, 'carottes')}"
    name = f"cell-{key(session, 'grand', 'carottes')}"
    assert desk.submit(path).status_code == 400
    assert desk.submit(path, {name: ["1", "2"]}).status_code == 400
    assert saved(session) == {}


@pytest.mark.parametrize("path", ["99/1", "1/99", "0/1", f"{2**63}/1", "a/1"])
def test_a_formula_or_product_that_is_not_there_is_not_found(desk, path):
    assert desk.submit(f"{PAGE}/{path}", {"cell-1-1": "1"}).status_code == 404


def test_what_was_delivered_is_read_and_not_changed(staff, session, clock):
    prepare(session)
    clock.move_to(NOW + timedelta(days=7))
    staff.sign_in(STAFF)
    page = staff.get(PAGE)
    assert "500 g" in text_of(page) and 'inputmode="decimal"' not in page.get_data(as_text=True)
    answer = save(staff, session, "grand", "carottes", "1")
    assert answer.status_code == 422
    assert "Cette livraison est passée" in text_of(answer)
    assert saved(session)["grand", "Carottes"] == 500


# The whole form


def test_the_whole_grid_is_saved_at_once(desk, session):
    prepare(session)
    answer = desk.submit(
        PAGE,
        {
            f"cell-{key(session, 'grand', 'carottes')}": "0,75",
            f"was-{key(session, 'grand', 'carottes')}": "0,5",
            f"cell-{key(session, 'petit', 'radis')}": "1",
            f"was-{key(session, 'petit', 'radis')}": "",
        },
    )
    assert answer.status_code == 303 and answer.location.endswith(PAGE)
    assert saved(session) == {("grand", "Carottes"): 750, ("grand", "Salade"): 1, ("petit", "Radis"): 1}
    assert "Les paniers sont enregistrés." in text_of(desk.get(PAGE))


def test_one_bad_cell_keeps_the_good_ones_on_the_page(desk, session):
    prepare(session)
    bad, good = key(session, "grand", "carottes"), key(session, "petit", "radis")
    answer = desk.submit(
        PAGE, {f"cell-{bad}": "-3", f"was-{bad}": "0,5", f"cell-{good}": "2", f"was-{good}": ""}
    )
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert f'<a href="#amount-{bad}">' in html and 'value="-3"' in html
    assert f'name="cell-{good}" value="2"' in html and f'name="was-{good}" value=""' in html
    assert "Une quantité est à revoir, rien n'est encore enregistré" in text_of(answer)
    assert ("petit", "Radis") not in saved(session)


def test_a_page_left_open_undoes_nothing_that_others_saved(desk, session):
    prepare(session)
    stale, mine = key(session, "grand", "carottes"), key(session, "grand", "radis")
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 900)
    session.commit()
    desk.submit(PAGE, {f"cell-{stale}": "0,5", f"was-{stale}": "0,5", f"cell-{mine}": "1", f"was-{mine}": ""})
    assert saved(session) == {("grand", "Carottes"): 900, ("grand", "Salade"): 1, ("grand", "Radis"): 1}


def test_a_row_is_added_for_one_product_more_and_what_was_typed_is_saved(desk, session):
    prepare(session)
    cell = key(session, "grand", "carottes")
    radishes = product(session, "radis")
    assert f'name="cell-{key(session, "grand", "radis")}"' not in desk.get(PAGE).get_data(as_text=True)
    answer = desk.submit(PAGE, {f"cell-{cell}": "1", f"was-{cell}": "0,5", "avec": ["", str(radishes)]})
    assert answer.status_code == 303
    html = desk.get(answer.location).get_data(as_text=True)
    assert f'name="cell-{key(session, "grand", "radis")}"' in html
    assert f'<input type="hidden" name="avec" value="{radishes}">' in html, "the next row keeps this one"
    assert saved(session)["grand", "Carottes"] == 1000


@pytest.mark.parametrize("named", ["", "999", "-1", "abc", "1' OR '1'='1", "１"])
def test_a_product_that_names_none_adds_no_row(desk, named):
    page = desk.get(PAGE, query_string={"avec": named})
    assert page.status_code == 200 and "Rien encore dans les paniers" in text_of(page)


def test_an_unknown_field_is_left_alone(desk, session):
    answer = desk.submit(PAGE, {"cell-1-999": "5", "price": "0", "state": "confirmed"})
    assert answer.status_code == 303
    assert saved(session) == {} and session.scalars(select(Composition)).all() == []


# What subscribers see


@pytest.mark.parametrize(
    ("state", "word"), [("forecast", "Prévisionnel"), ("confirmed", "Confirmé"), ("draft", "Brouillon")]
)
def test_boxes_are_shown_confirmed_and_taken_back(staff, session, state, word):
    prepare(session, state=CompositionState.FORECAST if state == "draft" else None)
    answer = staff.submit(f"{PAGE}/etat", {"state": state})
    assert answer.status_code == 303
    assert session.scalars(select(Composition.state)).one() == state
    assert f"Grand panier 1 panier {word}" in text_of(staff.get(PAGE))
    event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert (event.action, event.after) == ("composition.state", {"state": state})


def test_only_what_is_composed_is_offered_to_be_shown(desk, session):
    assert "Montrer comme prévisionnel" not in desk.get(PAGE).text
    prepare(session)
    assert "Montrer comme prévisionnel" in desk.get(PAGE).text


def test_an_empty_box_is_not_shown_and_the_page_says_why(staff, session):
    answer = staff.submit(f"{PAGE}/etat", {"state": "forecast"})
    assert answer.status_code == 422
    assert "Ces paniers sont vides" in text_of(answer)


@pytest.mark.parametrize("form", [{}, {"state": "published"}, {"state": "forecast", "formula": "99"}])
def test_a_state_or_formula_that_does_not_exist_is_refused(desk, session, form):
    prepare(session)
    assert desk.submit(f"{PAGE}/etat", form).status_code == 400
    assert session.scalars(select(Composition.state)).one() is CompositionState.DRAFT


def test_a_change_after_showing_is_listed_for_staff(staff, session):
    prepare(session, state=CompositionState.FORECAST)
    answer = save(staff, session, "grand", "carottes", "0,4")
    sentence = "Carottes (Grand panier) 500 g au départ, maintenant 400 g"
    assert sentence in text_of(staff.get(PAGE))
    if staff.htmx:
        assert sentence in text_of(answer) and 'id="changes" data-hx-swap-oob="true"' in answer.text


def test_a_box_far_from_its_price_says_so(desk, session):
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 10_000)
    session.commit()
    page = text_of(desk.get(PAGE))
    assert "25,00 € +28,2 % trop" in page


# Copies


def test_an_earlier_delivery_is_copied(staff, session):
    prepare(session)
    source = delivery_on(session, TUESDAY)
    page = PAGE.replace("16", "23")
    assert "mardi 16 juin, Tournée du mardi" in text_of(staff.get(page))
    assert staff.submit(f"{page}/copie", {"source": source.id}).status_code == 303
    assert saved(session, NEXT) == saved(session)


def test_a_copy_over_other_boxes_is_asked_about_first(staff, session):
    prepare(session)
    put(session, delivery_on(session, NEXT), "grand", "radis", 2)
    session.commit()
    source, page = delivery_on(session, TUESDAY), PAGE.replace("16", "23")
    answer = staff.submit(f"{page}/copie", {"source": source.id})
    assert answer.status_code == 422
    assert "Les remplacer par ceux du mardi 16 juin ?" in text_of(answer)
    assert saved(session, NEXT) == {("grand", "Radis"): 2}
    assert staff.submit(f"{page}/copie", {"source": source.id, "replace": "yes"}).status_code == 303
    assert saved(session, NEXT) == saved(session)


@pytest.mark.parametrize("source", ["", "999", "-1", "x"])
def test_only_a_delivery_that_is_offered_is_copied(desk, session, source):
    prepare(session)
    assert desk.submit(f"{PAGE}/copie", {"source": source}).status_code == 400
    assert saved(session)["grand", "Carottes"] == 500


# Who may, and what it costs


def test_markup_in_a_products_name_is_text(desk, session):
    session.execute(update(Product).where(Product.slug == "radis").values(name='<b>"Radis"</b>'))
    put(session, delivery_on(session, TUESDAY), "grand", "radis", 1)
    session.commit()
    html = desk.get(PAGE).get_data(as_text=True)
    assert "<b>" not in html.split("<table")[1] and "&lt;b&gt;&#34;Radis" in html


@pytest.mark.parametrize(
    "path", ["2026-06-16/jeudi", "2026-06-17/mardi", "2026-06-16/lundi", "0001-01-01/mardi"]
)
def test_a_delivery_that_does_not_exist_is_not_found(desk, path):
    assert desk.get(f"/ferme/paniers/{path}").status_code == 404
    assert desk.submit(f"/ferme/paniers/{path}").status_code == 404


def test_a_subscriber_cannot_compose(browser, session):
    browser.sign_in(CAMILLE)
    browser.get("/espace")
    assert browser.get(PAGE).status_code == 403
    assert save(browser, session, "grand", "carottes", "1").status_code == 403
    assert browser.submit(f"{PAGE}/etat", {"state": "confirmed"}).status_code == 403
    assert saved(session) == {}


def test_without_the_token_nothing_is_saved(staff, session):
    path = f"{PAGE}/{formula(session, 'grand')}/{product(session, 'carottes')}"
    answer = staff.post(path, data={f"cell-{key(session, 'grand', 'carottes')}": "1"})
    assert answer.status_code == 403
    assert saved(session) == {}


def test_the_page_takes_the_same_number_of_statements_for_three_and_for_three_hundred(
    desk, session, count_queries
):
    def statements() -> int:
        session.rollback()
        with count_queries() as seen:
            assert desk.get(PAGE).status_code == 200
        return len(seen)

    prepare(session)
    crowd.add(session, 3)
    few = statements()
    crowd.add(session, 300, start=3)
    large = session.scalars(select(Composition)).one()
    for number in range(30):
        more = Product(
            slug=f"p{number}", name=f"Produit {number}", unit="kg", value=Money(1), drawing="", storage=""
        )
        session.add(more)
        session.flush()
        session.add(CompositionLine(composition_id=large.id, product_id=more.id, amount=1))
    session.commit()
    assert statements() == few
