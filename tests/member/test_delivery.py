"""/livraisons/<date>/<tour>: what the box holds, what changed, how to keep it."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, Product
from portal.compositions.models import Composition, CompositionChange, CompositionLine, CompositionState
from portal.deliveries.models import Delivery
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, NOW, TUESDAY, YACINE

PAGE = "/livraisons/2026-06-16/mardi"


def compose(session: Session, state: CompositionState) -> Composition:
    delivery = session.scalars(select(Delivery).where(Delivery.day == TUESDAY)).one()
    formula = session.scalars(select(Formula).where(Formula.slug == "grand")).one()
    products = {p.slug: p for p in session.scalars(select(Product))}
    composition = Composition(
        delivery_id=delivery.id,
        formula_id=formula.id,
        state=state,
        lines=[
            CompositionLine(product_id=products["carottes"].id, amount=800),
            CompositionLine(product_id=products["salade"].id, amount=2),
        ],
    )
    session.add(composition)
    session.flush()
    session.add(
        CompositionChange(
            composition_id=composition.id, product_id=products["radis"].id, at=NOW, before=1, after=0
        )
    )
    session.commit()
    return composition


def test_contents_come_with_their_state_their_changes_and_storage_advice(
    client: Browser, session: Session
) -> None:
    compose(session, CompositionState.FORECAST)
    client.sign_in(CAMILLE)
    page = text_of(client.get(PAGE))
    assert "Livraison du mardi 16 juin 2026" in page
    assert "Prévisionnel" in page
    assert "800 g" in page and "2 pièces" in page
    assert "Au frais, sans fanes." in page
    assert "Radis : absent cette fois (annoncé : 1 botte)" in page
    assert "selon l'état des récoltes" in page


def test_a_moved_delivery_says_from_where_and_why(client: Browser, session: Session) -> None:
    delivery = session.scalars(select(Delivery).where(Delivery.day == TUESDAY)).one()
    delivery.day, delivery.move_reason = TUESDAY + timedelta(days=1), "Le <16> est férié ici."
    session.commit()
    client.sign_in(CAMILLE)
    said = "Livraison déplacée du mardi 16 juin. Le <16> est férié ici."
    assert said in text_of(client.get("/livraisons/2026-06-17/mardi"))
    assert said in text_of(client.get("/planning"))


def test_a_confirmed_box_says_so(client: Browser, session: Session) -> None:
    compose(session, CompositionState.CONFIRMED)
    client.sign_in(CAMILLE)
    assert "Confirmé" in text_of(client.get(PAGE))


def test_a_draft_is_not_shown(client: Browser, session: Session) -> None:
    compose(session, CompositionState.DRAFT)
    client.sign_in(CAMILLE)
    page = text_of(client.get(PAGE))
    assert "800 g" not in page
    assert "La composition n'est pas encore connue" in page


def test_a_delivery_on_which_one_has_no_box_leads_to_the_planning(client: Browser, session: Session) -> None:
    compose(session, CompositionState.CONFIRMED)
    client.sign_in(YACINE)
    page = text_of(client.get(PAGE))
    assert "Vous n'avez pas de panier sur cette livraison" in page
    assert "800 g" not in page


def test_what_does_not_exist_is_not_found(client: Browser) -> None:
    client.sign_in(CAMILLE)
    for path in (
        "/livraisons/2026-06-17/mardi",
        "/livraisons/2026-06-16/lundi",
        "/livraisons/2026-13-01/mardi",
    ):
        assert client.get(path).status_code == 404, path
