"""/ferme/formules: the kinds of boxes, in their order, and prices that are announced."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role
from portal.catalogue.models import Formula, FormulaPrice
from portal.infra.outbox import Mail
from portal.planning.announcements import tell_of_prices
from portal.rules.money import Money
from portal.rules.permissions import RoleName
from tests.farm.forms import FORMULA_FORM, FORMULA_PRICE, NEW_FORMULA
from tests.farm.trail import events
from tests.joining import publish_conditions
from tests.pages import text_of
from tests.world import CAMILLE, STAFF, TODAY

LIST = "/ferme/formules"
PETIT, GRAND, EGGS = 1, 2, 3
LARGE = f"{LIST}/{GRAND}"


def prices(session: Session, formula: int = GRAND) -> list[tuple[date, int]]:
    session.expire_all()
    rows = session.scalars(
        select(FormulaPrice).where(FormulaPrice.formula_id == formula).order_by(FormulaPrice.since)
    )
    return [(row.since, row.price.cents) for row in rows]


def mails(session: Session) -> list[Mail]:
    session.commit()
    while tell_of_prices():
        pass
    session.expire_all()
    return list(session.scalars(select(Mail).order_by(Mail.id)))


def price(**changes: str) -> dict[str, str]:
    return FORMULA_PRICE | changes


def test_the_list_says_price_order_and_receivers_in_few_queries(desk, session, count_queries):
    with count_queries() as statements:
        shown = text_of(desk.get(LIST))
    assert "Petit panier 11,50 € par livraison 1 personne la reçoit" in shown
    assert "Œufs 2,40 € par livraison 1 personne la reçoit" in shown
    assert len(statements) < 10
    desk.submit(f"{LIST}/{EGGS}/place", {"place": "1"})
    session.expire_all()
    in_order = session.scalars(select(Formula.id).order_by(Formula.position)).all()
    assert in_order == [EGGS, PETIT, GRAND]


def test_a_formula_is_changed_but_not_its_kind_nor_its_address(staff, session):
    assert staff.submit(LARGE, FORMULA_FORM | {"kind": "eggs"}).status_code == 303
    row = session.get_one(Formula, GRAND)
    session.refresh(row)
    assert (row.name, row.weight, row.per_crate, row.kind, row.slug) == (
        "Très grand panier", 2, 4, "vegetables", "grand",
    )  # fmt: skip
    assert events(session)[-1].action == "formula.change"
    refused = staff.submit(LARGE, FORMULA_FORM | {"weight": "beaucoup"})
    assert refused.status_code == 422
    assert "Places prises à un point de retrait : un nombre entier, de 0 à 20." in text_of(refused)


def test_a_new_formula_is_offered_from_its_first_price_on_and_nobody_is_told(desk, session):
    desk.submit(f"{LIST}/ajout", NEW_FORMULA)
    added = session.scalars(select(Formula).where(Formula.name == NEW_FORMULA["name"])).one()
    assert added.name not in text_of(desk.get("/formules"))
    page = f"{LIST}/{added.id}"
    assert desk.submit(f"{page}/prix", price(since=TODAY.isoformat(), notice="")).status_code == 303
    assert added.name in text_of(desk.get("/formules"))
    assert mails(session) == []


def test_a_retired_formula_is_offered_to_nobody_and_kept_by_who_has_it(client, session):
    client.sign_in(STAFF)
    client.get("/ferme")
    for formula in (GRAND, PETIT):
        client.submit(f"{LIST}/{formula}/retrait", {})
    assert "panier" not in text_of(client.get("/formules")).split("Nos formules")[-1].split("Jours")[0]
    client.sign_in(CAMILLE)
    own = client.get("/abonnements/1/modifier").text
    assert "Grand panier" in own and "Petit panier" not in own
    publish_conditions(session)
    added = client.get("/abonnement/nouveau").text
    assert "Grand panier" not in added and "Œufs" in added
    week = client.get("/planning/2026-06-15").text
    assert "Grand panier" in week and "Petit panier" not in week
    client.sign_in(STAFF)
    client.get("/ferme")
    client.submit(f"{LIST}/{PETIT}/retour", {})
    assert "Petit panier" in text_of(client.get("/formules"))


def test_a_rise_is_announced_a_month_ahead_once_to_each_who_receives_it(staff, session):
    assert staff.submit(f"{LARGE}/prix", price()).status_code == 303
    assert prices(session) == [(date(2025, 1, 1), 1950), (date(2026, 9, 1), 2050)]
    [sent] = mails(session)
    assert sent.recipient == CAMILLE
    text = sent.text.replace("\xa0", " ").replace("\u202f", " ")
    assert "Grand panier : 20,50 € par livraison à partir du mardi 1er septembre 2026" in text
    assert "au lieu de 19,50 €" in text and "Les semences ont augmenté." in text
    assert len(mails(session)) == 1
    told = staff.submit(f"{LARGE}/prix/2026-09-01/suppression", {})
    assert told.status_code == 422 and "Ce prix a déjà été annoncé" in text_of(told)
    assert staff.submit(f"{LARGE}/prix", price(price="19,50", notice="Finalement, non.")).status_code == 303
    assert "comme aujourd'hui" in mails(session)[-1].text and len(mails(session)) == 2


def test_what_nobody_was_told_yet_is_taken_back(desk, session):
    desk.submit(f"{LARGE}/prix", price())
    assert desk.submit(f"{LARGE}/prix/2026-09-01/suppression", {}).status_code == 303
    assert prices(session) == [(date(2025, 1, 1), 1950)]
    assert mails(session) == []
    begun = desk.submit(f"{LARGE}/prix/2025-01-01/suppression", {})
    assert begun.status_code == 422 and "Ce prix a déjà commencé" in text_of(begun)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"since": (TODAY + timedelta(days=29)).isoformat()},
            "une hausse s'annonce au moins 30 jours avant.",
        ),
        ({"since": (TODAY - timedelta(days=1)).isoformat()}, "À partir du : aujourd'hui ou plus tard."),
        ({"notice": ""}, "Pourquoi : à remplir : les abonné·es concerné·es le liront."),
        ({"price": "-1"}, "Prix TTC par livraison : un nombre comme 2,5"),
    ],
)
def test_a_price_that_cannot_be_is_refused_and_kept_as_typed(desk, session, change, says):
    refused = desk.submit(f"{LARGE}/prix", price(**change))
    assert refused.status_code == 422 and says in text_of(refused)
    assert prices(session) == [(date(2025, 1, 1), 1950)]


def test_a_lower_price_may_begin_at_once(desk, session):
    assert desk.submit(f"{LARGE}/prix", price(price="18", since=TODAY.isoformat())).status_code == 303
    assert prices(session)[-1] == (TODAY, Money(1800).cents)


def test_prices_are_set_by_who_may_and_the_rest_by_who_sells(client, session):
    account = session.scalars(select(Account).where(Account.email == STAFF)).one()
    for role, seen, unseen, act in (
        (RoleName.GROWING, "Enregistrer", "Un autre prix", f"{LARGE}/prix"),
        (RoleName.ACCOUNTS, "Un autre prix", "Ne plus proposer", f"{LARGE}/retrait"),
    ):
        account.roles = list(session.scalars(select(Role).where(Role.name == role)))
        session.commit()
        client.sign_in(STAFF)
        page = text_of(client.get(LARGE))
        assert seen in page and unseen not in page
        assert client.submit(act, price()).status_code == 403
