"""A subscriber's order amended, ordered again, or renounced."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.infra.audit import AuditEvent
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit, StockKind
from portal.shop.models import CartLine, Order, Withdrawal
from tests.pages import markup_of
from tests.shop.making import article, order
from tests.shop.ordered import LEGAL, mails, quantities
from tests.world import CAMILLE, CUTOFF, NOW, TUESDAY

# Amending


def amendment(placed, *wanted, total):
    return {f"quantite-{line}": str(quantity) for line, quantity in enumerate(wanted, 1)} | {
        "total": str(total)
    }


def test_the_new_sum_stands_above_the_legal_button_before_anything_is_ordered(session, camille, placed):
    page = markup_of(camille.get(f"/commandes/{placed}/modification?quantite-1=4"))
    assert LEGAL in page
    assert "30,00 € au lieu de 17,00 €" in page
    assert page.index("30,00 €") < page.index(LEGAL)
    above = page.partition(LEGAL)[0]
    for said in (
        "conditions générales de vente",
        "pour vous rétracter, sans motif : Miel",
        "rétractation : Pain",
    ):
        assert said in above
    assert quantities(session, placed) == {"Miel": 2, "Pain": 1}


def test_less_needs_no_obligation_to_pay(camille, placed):
    page = markup_of(camille.get(f"/commandes/{placed}/modification?quantite-1=1"))
    assert LEGAL not in page
    assert "Enregistrer la modification" in page


def test_quantities_are_changed_and_told(session, camille, placed):
    camille.get(f"/commandes/{placed}/modification")
    answer = camille.submit(f"/commandes/{placed}/modification", amendment(placed, 4, 0, total=2600))
    assert answer.status_code == 303
    assert "Votre commande est modifiée" in markup_of(camille.get(answer.location))
    assert quantities(session, placed) == {"Miel": 4}
    assert [mail.subject.replace("\u00a0", " ") for mail in mails(session)] == [
        "Votre commande B10001 du mardi 16 juin est modifiée"
    ]


def test_another_sum_than_the_one_shown_is_asked_about_again(session, camille, placed):
    camille.get(f"/commandes/{placed}/modification")
    answer = camille.submit(f"/commandes/{placed}/modification", amendment(placed, 4, 1, total=1))
    assert answer.status_code == 422
    assert "Le total a changé depuis l'affichage" in markup_of(answer)
    assert 'name="total" value="3000"' in markup_of(answer)
    assert quantities(session, placed) == {"Miel": 2, "Pain": 1}


@pytest.mark.parametrize(
    "typed",
    ["", "-1", "0.5", "0,5", "1e3", "1_0", "+1", "\uff11", "10" * 10, "NaN", "x", "1 OR 1=1", "\u202e1"],
)
def test_a_quantity_that_is_none_is_refused_beside_its_product_and_kept(session, camille, placed, typed):
    camille.get(f"/commandes/{placed}/modification")
    answer = camille.submit(f"/commandes/{placed}/modification", amendment(placed, typed, 1, total=1))
    assert answer.status_code == 422
    assert "Miel : choisissez une des quantités proposées" in markup_of(answer)
    assert quantities(session, placed) == {"Miel": 2, "Pain": 1}


@pytest.mark.parametrize("sent", [{"quantite-1": "3"}, {"quantite-1": ["3", "3"], "quantite-2": "1"}, {}])
def test_a_quantity_left_out_or_sent_twice_is_refused(session, camille, placed, sent):
    camille.get(f"/commandes/{placed}/modification")
    answer = camille.submit(f"/commandes/{placed}/modification", {"total": "2350"} | sent)
    assert answer.status_code == 422
    assert quantities(session, placed) == {"Miel": 2, "Pain": 1}


def test_extra_fields_change_neither_price_nor_owner(session, camille, placed):
    camille.get(f"/commandes/{placed}/modification")
    extra = {"unit_price": "1", "price": "1", "discount": "2000", "account_id": "2", "state": "delivered"}
    answer = camille.submit(f"/commandes/{placed}/modification", amendment(placed, 3, 1, total=2350) | extra)
    assert answer.status_code == 303
    made = session.get(Order, placed)
    assert (made.discount, made.state, made.lines[0].unit_price) == (
        Money(0),
        OrderState.ACCEPTED,
        Money(650),
    )


def test_what_is_by_weight_is_chosen_in_steps(session, camille):
    potatoes = article(session, "Pommes de terre", 200, sale_unit=SaleUnit.WEIGHT, step=250)
    made = order(session, {potatoes: 1500}).id
    session.commit()
    page = markup_of(camille.get(f"/commandes/{made}/modification"))
    assert '<option value="1500" selected>1,5 kg</option>' in page
    assert '<option value="1750">1,75 kg</option>' in page
    answer = camille.submit(f"/commandes/{made}/modification", {"quantite-1": "1600", "total": "320"})
    assert answer.status_code == 422


def test_too_much_says_how_much_there_is(session, camille):
    honey = article(session, stock_kind=StockKind.COUNTED, stock=1)
    made = order(session, {honey: 2}).id
    session.commit()
    camille.get(f"/commandes/{made}/modification")
    answer = camille.submit(f"/commandes/{made}/modification", {"quantite-1": "9", "total": "5850"})
    assert answer.status_code == 422
    assert "il n'en reste que 3 pour vous" in markup_of(answer)
    assert '<option value="9" selected>' in markup_of(answer)


def test_quantities_sent_too_late_are_answered_by_the_order_as_it_stands_and_what_is_still_possible(
    session, camille, placed, clock
):
    camille.get(f"/commandes/{placed}/modification")
    clock.move_to(CUTOFF)
    answer = camille.submit(f"/commandes/{placed}/modification", amendment(placed, 4, 1, total=3000))
    page = markup_of(answer)
    assert answer.status_code == 422 and "La commande est close" in page.partition("<h1")[0]
    assert "Appelez-nous au" in page and "aller à la boutique" in page
    assert "modifiable jusqu" not in page and "<select" not in page
    assert quantities(session, placed) == {"Miel": 2, "Pain": 1}
    asked = camille.get(f"/commandes/{placed}/modification?quantite-1=3")
    assert asked.location == f"/commandes/{placed}"
    asked = camille.get(asked.request.full_path, headers={"HX-Request": "true"})
    assert asked.headers["HX-Redirect"] == f"/commandes/{placed}"


def test_htmx_gets_what_follows_the_quantities_and_nothing_else(session, camille, placed):
    answer = camille.get(f"/commandes/{placed}/modification?quantite-1=3", headers={"HX-Request": "true"})
    fragment = markup_of(answer)
    assert fragment.startswith("<section")
    assert "Nouveau total : 23,50 €" in fragment


# Again


def test_an_order_is_ordered_again_as_far_as_it_is_still_sold(session, camille):
    honey, old = article(session), article(session, "Ancien miel")
    made = order(session, {honey: 2, old: 1}, state=OrderState.DELIVERED, day=TUESDAY - timedelta(weeks=2)).id
    old.retired_at = NOW
    session.commit()
    camille.get(f"/commandes/{made}")
    for _ in range(2):
        answer = camille.submit(f"/commandes/{made}/reprise")
        assert (answer.status_code, answer.location) == (303, "/ma-commande")
    assert [(line.article_id, line.quantity) for line in session.scalars(select(CartLine))] == [(1, 2)]
    session.rollback()
    assert "Ne se commande pas pour l'instant : Ancien miel." in markup_of(camille.get("/ma-commande"))


def test_what_is_over_has_no_form_to_amend_it(session, camille):
    made = order(session, {article(session): 2}, state=OrderState.CANCELLED).id
    session.commit()
    answer = camille.get(f"/commandes/{made}/modification")
    assert (answer.status_code, answer.location) == (303, f"/commandes/{made}")
    assert (
        "Cette commande est annulée : elle n'est ni préparée ni facturée."
        in markup_of(camille.get(answer.location)).partition("<h1")[0]
    )


# Withdrawing


def declaration(*lines, **changes):
    return {"ligne": [str(line) for line in lines], "nom": "Camille Aubert", "email": CAMILLE} | changes


def test_what_keeps_can_be_renounced_with_a_receipt(session, camille, placed):
    assert "Renoncer au contrat ici" in markup_of(camille.get(f"/commandes/{placed}")).partition("<footer")[0]
    form = markup_of(camille.get(f"/commandes/{placed}/retractation"))
    assert "Confirmer la rétractation" in form
    assert 'value="Camille Aubert"' in form
    assert "ligne-2" not in form, "bread spoils"
    answer = camille.submit(f"/commandes/{placed}/retractation", declaration(1))
    assert answer.status_code == 303
    page = markup_of(camille.get(answer.location))
    assert "Votre rétractation est reçue" in page
    assert "Rétractation reçue" in page
    assert "vous y avez renoncé" in page
    receipt, _to_farm = mails(session)
    said = receipt.text.replace("\u00a0", " ").replace("\u202f", " ")
    assert receipt.recipient == CAMILLE
    for words in ("mercredi 10 juin 2026 à 10 h", "2 × Miel : 13,00 €", "commande B10001", "Camille Aubert"):
        assert words in said
    [made] = session.scalars(select(Withdrawal))
    assert (made.order_id, made.made_at, made.settled_at) == (placed, NOW, NOW)
    assert session.scalars(select(AuditEvent.action)).all() == ["order.withdraw"]


def test_what_is_declared_already_is_not_declared_twice(session, camille, placed):
    camille.get(f"/commandes/{placed}/retractation")
    for _ in range(2):
        assert camille.submit(f"/commandes/{placed}/retractation", declaration(1)).status_code == 303
    assert [mail.recipient for mail in mails(session)] == [CAMILLE, "ferme@example.org"]


def test_receipts_do_not_go_wherever_one_likes_without_end(session, camille):
    goods = article(session)
    ways = [f"/commandes/{order(session, {goods: 1}).id}/retractation" for _ in range(7)]
    session.commit()
    elsewhere = {"email": "autre@example.org"}
    camille.get(ways[0])
    sent = [camille.submit(way, declaration(n, **elsewhere)) for n, way in enumerate(ways, 1)]
    assert [answer.status_code for answer in sent] == [303] * 6 + [429]
    assert "Trop de rétractations en peu de temps : rien n'a été enregistré" in markup_of(sent[-1])
    recipients = [mail.recipient for mail in mails(session)]
    assert recipients == [CAMILLE, "autre@example.org", "ferme@example.org"] * 6


def test_an_address_that_no_mail_can_go_to_is_refused_beside_its_field(session, camille, placed):
    camille.get(f"/commandes/{placed}/retractation")
    answer = camille.submit(f"/commandes/{placed}/retractation", declaration(1, email="a=?b@example.org"))
    assert answer.status_code == 422
    assert "une adresse entière, comme nom@exemple.fr" in markup_of(answer)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Camille\r\nBcc: x@example.org", "Camille Bcc: x@example.org"),
        ("Ca\u202emille", "Camille"),
        ("<b>Camille</b>", "<b>Camille</b>"),
        ("{{ 7 * 7 }} ' OR 1=1 --", "{{ 7 * 7 }} ' OR 1=1 --"),
    ],
)
def test_a_name_is_text_wherever_it_ends(session, camille, placed, name, kept):
    camille.get(f"/commandes/{placed}/retractation")
    assert camille.submit(f"/commandes/{placed}/retractation", declaration(1, nom=name)).status_code == 303
    assert session.scalars(select(Withdrawal.name)).all() == [kept]
    session.rollback()
    for mail in mails(session):
        assert kept in mail.text
        assert "<b>Camille" not in mail.html


def test_nobody_types_a_nul(session, camille, placed):
    camille.get(f"/commandes/{placed}/retractation")
    answer = camille.submit(f"/commandes/{placed}/retractation", declaration(1, nom="Cam\x00ille"))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "sent",
    [
        declaration(),
        declaration(2),
        declaration(1, 2),
        declaration(99),
        declaration("1_0"),
        declaration(1, nom=""),
        declaration(1, nom="x" * 161),
        declaration(1, email="camille"),
        declaration(1, email="a@example.org, b@example.org"),
        declaration(1, email=["a@example.org", "b@example.org"]),
        {},
    ],
)
def test_what_is_incomplete_or_spoils_is_refused_with_what_was_typed(session, camille, placed, sent):
    camille.get(f"/commandes/{placed}/retractation")
    answer = camille.submit(f"/commandes/{placed}/retractation", sent)
    assert answer.status_code == 422
    assert "Confirmer la rétractation" in markup_of(answer)
    assert mails(session) == []


def test_the_button_is_there_as_long_as_the_period_lasts(session, camille, clock):
    made = order(session, {article(session): 1}, state=OrderState.DELIVERED).id
    session.commit()
    clock.move_to(CUTOFF + timedelta(days=16) - timedelta(seconds=1))
    page = markup_of(camille.get(f"/commandes/{made}")).partition("<footer")[0]
    assert "Jusqu'au mardi 30 juin 2026" in page
    clock.shift(1)
    page = markup_of(camille.get(f"/commandes/{made}")).partition("<footer")[0]
    assert "Renoncer au contrat ici" not in page
    camille.get(f"/commandes/{made}/retractation")
    assert camille.submit(f"/commandes/{made}/retractation", declaration(1)).status_code == 422
