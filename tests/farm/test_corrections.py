"""Setting right what a closed delivery brings, on the staff's pages; and what its owner sees then."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.boxes.models import BasketCorrection
from portal.catalogue.models import Formula
from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.shop.models import Order, OrderCorrection, VoucherUse
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article, order
from tests.shop.vouching import voucher
from tests.world import CAMILLE, CUTOFF, STAFF

LIST = "/ferme/livraisons/2026-06-16/mardi/corrections"
FORM = f"{LIST}/1"
SEEN = re.compile(r'name="vu" value="([^"]+)"')


@pytest.fixture
def shed(session: Session, client: Browser, clock: time_machine.Traveller) -> Browser:
    """Somebody of the farm, an hour after Tuesday has closed; Camille has ordered honey and jam."""
    honey, jam = article(session, "Miel"), article(session, "Confiture", 400)
    order(session, {honey: 2, jam: 3}, state=OrderState.ACCEPTED)
    session.commit()
    clock.move_to(CUTOFF + timedelta(hours=1))
    client.sign_in(STAFF)
    return client


def send(client: Browser, path: str, **data: Any) -> tuple[int, str]:
    seen = SEEN.search(client.get(path).text)
    answer = client.submit(path, {"vu": seen[1] if seen else ""} | data)
    return answer.status_code, text_of(answer)


BOX = {
    "semaine": "2026-06-15",
    "quantity": "0",
    "formula_id": "2",
    "point_id": "1",
    "farm_fault": "0",
    "reason": "Absente.",
}


def test_a_box_is_found_taken_off_and_brought_back(shed: Browser, session: Session) -> None:
    found = text_of(shed.get(f"{LIST}?q=aubert"))
    assert "Aubert Camille Grand panier 1 panier ce jour" in found and "Benali" not in found
    for reached in ("063998", "camille@example.org", "example"):
        assert "panier ce jour" not in text_of(shed.get(f"{LIST}?q={reached}")), "by names alone"
    form = text_of(shed.get(FORM))
    assert "Facturé jusqu'ici : 1 × 19,50 €" in form and "sa commande B10001" in form
    assert send(shed, FORM, **BOX, tell="y")[0] == 303
    said = text_of(shed.get(LIST))
    assert "1 × Grand panier, Halle de Serres → pas de panier" in said
    assert "« Absente. » La facture ne change pas." in said and "Sophie" in said
    assert "Absente." in (session.scalars(select(Mail.text)).one() or "")
    shed.sign_in(CAMILLE)
    for page in ("/espace", "/planning", "/livraisons/2026-06-16/mardi"):
        assert "par la ferme" in text_of(shed.get(page)), page
    assert text_of(shed.get("/livraisons/2026-06-16/mardi")).count("Grand panier") == 1, "not what it held"
    shed.sign_in(STAFF)
    shed.get(LIST)
    correction = session.scalars(select(BasketCorrection.id)).one()
    for changed in ("de nouveau comme avant", "déjà fait"):
        assert shed.submit(f"{LIST}/paniers/{correction}/annulation").status_code == 303
        assert changed in text_of(shed.get(LIST))
    assert shed.submit(f"{LIST}/paniers/{correction + 1}/annulation").status_code == 404
    shed.sign_in(CAMILLE)
    assert "par la ferme" not in text_of(shed.get("/planning"))


def test_what_is_wrong_is_said_beside_it_and_nothing_changes(shed: Browser, session: Session) -> None:
    status, page = send(shed, FORM, **BOX | {"quantity": "12", "reason": ""})
    assert status == 422
    assert "Combien : un nombre entier, de 0 à 9." in page and "Pourquoi : à remplir." in page
    assert send(shed, FORM, **BOX | {"point_id": "3"})[0] == 422, "of another round"
    status, page = send(shed, FORM, **BOX | {"vu": "none"})
    assert status == 422 and "entre-temps" in page
    assert send(shed, FORM, **BOX | {"semaine": "2026-06-08"})[0] == 422
    assert not session.scalars(select(BasketCorrection)).all()


def test_a_box_of_a_retired_formula_is_taken_off_and_nobody_else_is_given_one(
    shed: Browser, session: Session
) -> None:
    for formula in session.scalars(select(Formula)):
        formula.retired_at = CUTOFF
    session.commit()
    page = shed.get(FORM).text
    assert 'value="2"' in page and "Petit panier" not in page
    assert send(shed, FORM, **BOX | {"formula_id": "1", "quantity": "1"})[0] == 422
    assert send(shed, FORM, **BOX)[0] == 303


def test_somebody_without_a_box_is_given_one_that_is_billed(shed: Browser, session: Session) -> None:
    send(shed, FORM, **BOX | {"farm_fault": "1"})
    assert "Un panier ajouté est facturé" in text_of(shed.get(FORM))
    assert send(shed, FORM, **BOX | {"quantity": "2", "formula_id": "1"})[0] == 303
    assert "Facturé : rien → 2 × 11,50 €" in text_of(shed.get(LIST))


def test_an_order_is_set_right_from_its_page(shed: Browser, session: Session) -> None:
    assert "/ferme/commandes/1/correction" in shed.get("/ferme/commandes/1").text
    path = "/ferme/commandes/1/correction"
    lines = {"ligne-1": "1", "ligne-2": "3"}
    assert send(shed, path, **lines, act="change", reason="")[0] == 422
    status, page = send(shed, path, **lines | {"ligne-2": "4"}, act="change", reason="Cassé.")
    assert status == 422 and "Confiture : un nombre entier, de 0 à 3." in page
    assert send(shed, path, **lines, act="change", reason="Cassé.", tell="y")[0] == 303
    assert "Miel 2 → 1" in text_of(shed.get(LIST)), text_of(shed.get(LIST))
    assert "Cassé." in (session.scalars(select(Mail.text)).one() or "")
    correction = session.scalars(select(OrderCorrection.id)).one()
    assert shed.submit(f"{LIST}/commandes/{correction}/annulation").status_code == 303
    assert send(shed, path, act="cancel", reason="Partie en vacances.")[0] == 303
    assert session.scalars(select(Order.state)).one() is OrderState.CANCELLED
    session.rollback()
    assert send(shed, path, act="restore", reason="Revenue.")[0] == 303
    assert text_of(shed.get(LIST)).count("Commande B10001") == 3
    assert send(shed, path, act="sing", reason="Revenue.")[0] == 422


def test_staff_read_that_an_order_comes_back_without_its_voucher(shed: Browser, session: Session) -> None:
    once, path = voucher(session, amount=Money(100), uses=1), "/ferme/commandes/1/correction"
    session.add(VoucherUse(order_id=1, voucher_id=once.id))
    session.get_one(Order, 1).discount = Money(100)
    session.commit()
    assert send(shed, path, act="cancel", reason="Partie.")[0] == 303
    assert "elle revient sans remise" in text_of(shed.get(path))
    other = order(session, {article(session, "Ail"): 1})
    session.add(VoucherUse(order_id=other.id, voucher_id=once.id))
    correction = session.scalars(select(OrderCorrection.id)).one()
    session.commit()
    shed.submit(f"{LIST}/commandes/{correction}/annulation")
    assert "Son bon de réduction a servi entre-temps" in text_of(shed.get(LIST))


def test_before_the_cutoff_there_is_nothing_to_correct(client: Browser) -> None:
    client.sign_in(STAFF)
    for page in (LIST, FORM):
        assert "encore ouverte" in text_of(client.get(page))
    assert "Corrections" not in text_of(client.get("/ferme/livraisons/2026-06-16/mardi"))
