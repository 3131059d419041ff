"""/ferme/abonnes: whoever calls is found, seen in one look, and helped."""

import re
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address
from portal.billing.customers import customer_of
from portal.billing.ledger import Entry, append
from portal.billing.models import EntryKind
from portal.boxes.models import Suspension
from portal.boxes.services import freeze
from portal.deliveries.models import Delivery
from portal.farm.people import A_PAGE
from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.subscriptions.models import Subscription
from tests import crowd
from tests.accounts.people import account_of
from tests.billing.books import invoiced
from tests.client import Browser
from tests.farm.forms import PERSON
from tests.pages import text_of
from tests.world import ADMIN, CAMILLE, NOW, STAFF, YACINE

LIST = "/ferme/abonnes"


def names(client: Browser, **asked: Any) -> set[str]:
    """The last names of those who are found."""
    page = client.get(LIST, query_string=asked)
    assert page.status_code == 200
    return {name for name in ("Aubert", "Benali", "Durand", "Martin") if f">{name} " in page.text}


def test_whoever_calls_is_found_by_what_they_say(desk: Browser, session: Session) -> None:
    camille = account_of(session, CAMILLE)
    camille.first_name, camille.phone = "Émilie Œ.", "06 12 34 56 78"
    session.add(
        Address(account_id=camille.id, name="Aubert", street="4, allée de l'Étang", postcode="05300",
                town="Rosans", billing=True, created_at=NOW)
    )  # fmt: skip
    yacine = account_of(session, YACINE)
    session.commit()
    for text in ("aubert", "ÉMILIE", "emilie oe", "Aubert émi", "06 12 34", "0612345", "+33 6 12 34 56 78",
                 "camille@EXAMPLE", "etang rosans", "05300", camille.customer_number, "10001"):  # fmt: skip
        assert names(desk, q=text) == {"Aubert"}, text
    assert names(desk, q=f"C{10_000 + yacine.id}") == {"Benali"}
    for text in ("aubert benali", "zzz", "' OR 1=1 --", "06 12 35", "a%t", "a_b"):
        assert names(desk, q=text) <= {"Aubert"} and names(desk, q=text) in (set(), {"Aubert"}), text
    assert (
        not names(desk, q="a%t")
        and "Personne ne correspond" in desk.get(LIST, query_string={"q": "zzz"}).text
    )
    for text in ("%", "\u202e", "--", "é" * 2_000):
        assert names(desk, q=text) in (names(desk), set())
    for text in ("\x00", "\ud800".encode("utf-8", "surrogatepass")):
        assert desk.get(LIST, query_string={"q": text}).status_code in (200, 400)


def test_letters_that_are_many_when_bare_are_found_by_as_many_as_are_kept(
    desk: Browser, session: Session
) -> None:
    long = "\ufdfa" * 80
    answer = desk.submit(f"{LIST}/ajout", PERSON | {"last_name": long, "first_name": long})
    assert answer.status_code == 303, "fifteen letters each"
    assert text_of(desk.get(LIST, query_string={"q": "\ufdfa"})).count("1 personne") == 1
    assert {len(account_of(session, PERSON["email"]).search_key)} == {500}


def test_filters_narrow_and_say_how_many(desk: Browser, session: Session) -> None:
    camille, yacine = account_of(session, CAMILLE), account_of(session, YACINE)
    held = session.scalars(select(Subscription).where(Subscription.account_id == camille.id)).all()
    assert names(desk, etat="active") == {"Aubert", "Benali"} and names(desk, etat="never") == {
        "Durand",
        "Martin",
    }
    assert names(desk, point=3) == {"Benali"} and names(desk, formule=2) == {"Aubert"}
    assert names(desk, sans=4) == {"Aubert", "Benali"}, "nothing was frozen yet"
    session.add(
        Suspension(
            subscription_id=held[0].id, first_day=date(2026, 6, 10), last_day=date(2026, 6, 20), made_at=NOW
        )
    )
    for one in session.scalars(select(Subscription).where(Subscription.account_id == yacine.id)):
        one.last_day = date(2026, 6, 9)
    account_of(session, ADMIN).active = False
    session.commit()
    assert names(desk, etat="suspended") == {"Aubert"} and names(desk, etat="ended") == {"Benali"}
    assert names(desk, etat="closed") == {"Martin"} and names(desk, point=3) == set()
    assert "1 personne" in text_of(desk.get(LIST, query_string={"etat": "closed"}))
    assert names(desk, etat="nowhere", point="1_0", formule="x", sans="3", page="-1") == names(desk)


def test_who_owes_something_or_is_ahead_is_found_and_the_list_says_how_much(
    desk: Browser, session: Session
) -> None:
    owed = invoiced(session, CAMILLE).total
    yacine = customer_of(session, account_of(session, YACINE).id)
    ahead = Entry(EntryKind.PAYMENT, yacine.id, NOW.date(), Money(-1200), means=PaymentMeans.CASH)
    append(session, [ahead], at=NOW, by=None)
    session.commit()
    assert names(desk, solde="doit") == {"Aubert"} and names(desk, solde="avance") == {"Benali"}
    said = text_of(desk.get(LIST))
    assert f"doit {owed.cents // 100},{owed.cents % 100:02} €" in said and "12,00 € d'avance" in said


def test_what_is_typed_narrows_the_list_alone(desk: Browser) -> None:
    whole, part = desk.get(LIST + "?q=aub"), desk.get(LIST + "?q=aub", headers={"HX-Request": "true"})
    assert part.text.strip().startswith("<section") and 'data-announce="1 personne"' in part.text
    assert part.text.replace(' data-announce="1 personne"', "").strip() in whole.text
    assert 'id="q" name="q" value="aub"' in whole.text and "autofocus" in whole.text


def test_a_list_of_many_is_paged_in_as_many_queries(
    desk: Browser, session: Session, count_queries: Any
) -> None:
    desk.get(LIST)
    with count_queries() as few:
        desk.get(LIST)
    crowd.add(session, 120)
    with count_queries() as many:
        page = desk.get(LIST + "?q=prenom")
    assert len(many) == len(few) <= 10, many
    assert page.text.count('role="rowheader"') == A_PAGE and "Page 1 sur 3" in page.text
    third = desk.get(LIST + "?q=prenom&page=3")
    assert third.text.count('role="rowheader"') == 20 and "q=prenom" in third.text
    assert desk.get(LIST + "?page=99").status_code == 200


def test_a_person_is_seen_in_one_look_in_as_many_queries(
    desk: Browser, session: Session, count_queries: Any
) -> None:
    page = f"{LIST}/{account_of(session, CAMILLE).id}"
    seen = text_of(desk.get(page))
    for word in (
        "Camille Aubert",
        "C10001",
        "Grand panier",
        "Halle de Serres",
        "mardi 16 juin",
        "06 39 98 00 01",
    ):
        assert word in seen, word
    with count_queries() as before:
        desk.get(page)
    for number in range(3):
        desk.submit(f"{page}/note", {"note": f"Note {number}"})
    desk.submit(f"{page}/invitation")
    assert "Un mot de passe est déjà choisi." in text_of(desk.get(page))
    with count_queries() as after:
        text = text_of(desk.get(page))
    assert len(after) <= len(before) + 1 and len(after) <= 40, len(after)
    assert "Sophie Durand a changé les coordonnées ou la note" in text


def test_somebody_is_added_invited_changed_and_noted_as_text(staff: Browser, session: Session) -> None:
    assert (
        staff.submit(
            f"{LIST}/ajout",
            {**PERSON, "email": "NOE@example.org ", "last_name": "<b>Lœwe</b>", "invited": "y"},
        ).status_code
        == 303
    )
    noe = account_of(session, "noe@example.org")
    [mail] = session.scalars(select(Mail))
    assert mail.recipient == "noe@example.org" and mail.secret
    path = f"{LIST}/{noe.id}"
    assert staff.submit(f"{path}/coordonnees", PERSON | {"email": "noe@example.net"}).status_code == 303
    told = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert told and told.recipient == "noe@example.org" and "La ferme a changé l'adresse" in told.text
    assert staff.submit(f"{path}/coordonnees", PERSON | {"last_name": "<b>Lœwe</b>"}).status_code == 303
    assert "&lt;b&gt;Lœwe&lt;/b&gt;" in staff.get(path).text and "3 rue du Four" in staff.get(path).text
    assert (
        staff.submit(f"{path}/coordonnees", {**PERSON, "street": "", "postcode": "", "town": ""}).status_code
        == 303
    )
    assert staff.submit(f"{path}/note", {"note": "Sonne deux fois.\r\n<script>"}).status_code == 303
    session.expire_all()
    assert (noe.last_name, noe.note) == ("Lœwe", "Sonne deux fois.\n<script>")
    assert session.scalars(select(Address.id).where(Address.archived_at.is_(None))).all() == []
    assert staff.submit(f"{path}/fermeture").status_code == 303
    session.expire_all()
    assert not account_of(session, "noe@example.org").active
    assert "Accès fermé" in staff.get(path).text
    assert staff.submit(f"{path}/reouverture").status_code == 303


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": CAMILLE.upper()}, "déjà cette adresse"),
        ({"email": "a@b\nc@example.org"}, "une adresse entière"),
        ({"first_name": ""}, "à remplir"),
        ({"phone": "12"}, "dix chiffres"),
        ({"town": ""}, "ou laissez toute l'adresse vide"),
        ({"last_name": "x" * 20_000}, "80 caractères au plus"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_kept(
    staff: Browser, session: Session, form: dict[str, str], said: str
) -> None:
    answer = staff.submit(f"{LIST}/ajout", PERSON | form)
    assert answer.status_code == 422 and said in text_of(answer)
    assert 'value="Lœwe"' in answer.text or "last_name" in form
    assert session.scalars(select(Account).where(Account.email == PERSON["email"])).all() == []


def test_a_colleagues_mail_address_takes_the_right_to_give_roles(
    app: Flask, desk: Browser, session: Session
) -> None:
    boss = account_of(session, ADMIN).id
    assert desk.get(f"{LIST}/{boss}").status_code == 200
    assert desk.get(f"{LIST}/{boss}/coordonnees").status_code == 403
    for act in ("coordonnees", "invitation", "fermeture", "reouverture"):
        assert desk.submit(f"{LIST}/{boss}/{act}", PERSON).status_code == 403, act
    admin: Browser = app.test_client()  # type: ignore[assignment]
    admin.sign_in(ADMIN)
    admin.get(LIST)
    sophie = account_of(session, STAFF).id
    assert admin.get(f"{LIST}/{sophie}/coordonnees").status_code == 200
    assert admin.submit(f"{LIST}/{boss}/fermeture").status_code == 403, "nobody shuts themselves out"
    admin.submit(f"{LIST}/{boss}/coordonnees", PERSON)
    assert admin.get(f"{LIST}/{boss}").status_code == 200, "nor with a new address of their own"


def test_a_subscription_is_started_and_ended_for_somebody(staff: Browser, session: Session) -> None:
    yacine = account_of(session, YACINE).id
    path = f"{LIST}/{yacine}/abonnements/ajout"
    terms = {"formule": "1", "quantite": "2", "rythme": "weekly", "point": "1"}
    assert staff.get(path).status_code == 200
    seen = staff.get(path, query_string=terms)
    assert "Premier panier le mardi 16 juin" in text_of(seen)
    later = staff.get(path, query_string=terms | {"premier": "2026-06-22"})
    assert "Premier panier le mardi 23 juin" in text_of(later)
    shown = {
        name: re.findall('name="vu" value="(.+?)"', page.text)[0]
        for name, page in (("at", seen), ("later", later))
    }
    form = terms | {"vu": shown["later"], "premier": "2026-06-22"}
    assert staff.submit(path, form | {"vu": shown["at"]}).status_code == 422
    for bad in ({"quantite": "0"}, {"quantite": "1_0"}, {"point": "99"}, {"formule": ""}):
        assert staff.submit(path, form | bad).status_code == 422, bad
    assert staff.submit(path, form).location == f"{LIST}/{yacine}"
    mine = select(Subscription).where(Subscription.account_id == yacine).order_by(Subscription.id.desc())
    made = session.scalars(mine).first()
    assert made and "2 × Petit panier" in text_of(staff.get(f"{LIST}/{yacine}"))
    end = f"{LIST}/{yacine}/abonnements/{made.id}/fin"
    assert "Dernier panier : le mardi 30 juin 2026" in text_of(
        staff.get(end, query_string={"jour": "2026-07-01"})
    )
    assert staff.submit(end, {"jour": "2026-06-09", "dernier": "2026-06-09"}).status_code == 422, (
        "it has gone by"
    )
    assert staff.submit(end, {"jour": "2026-07-01", "dernier": "2026-07-01"}).status_code == 303
    assert "Prend fin le mercredi 1er juillet 2026" in text_of(staff.get(f"{LIST}/{yacine}"))
    assert staff.submit(end.replace("fin", "suite")).status_code == 303
    session.expire_all()
    assert made.last_day is None
    other = f"{LIST}/{account_of(session, CAMILLE).id}/abonnements/{made.id}/fin"
    assert (
        staff.get(other).status_code == 404
        and staff.submit(other, {"jour": "2026-07-01", "dernier": "2026-07-01"}).status_code == 404
    )


def test_who_has_had_no_box_lately_is_told_by_frozen_ones(desk: Browser, session: Session) -> None:
    last = session.scalars(select(Delivery).where(Delivery.day == date(2026, 6, 9))).one()
    freeze(session, last.id)
    session.commit()
    assert names(desk, sans=4) == {"Benali"}
