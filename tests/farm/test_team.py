"""/ferme/equipe: who works here, with which roles; and what each role sees of the ways on."""

import re

import pytest
from sqlalchemy import select

from portal.accounts.models import Account, Role
from portal.infra.outbox import Mail
from tests.accounts.people import account_of
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import ADMIN, CAMILLE, STAFF

PAGE = "/ferme/equipe"
SOPHIE, GERARD = f"{PAGE}/3", f"{PAGE}/4"
ADA = {"email": "Ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}


def roles(session, email):
    session.expire_all()
    return sorted(account_of(session, email).role_names)


def only(session, email, *names):
    """Somebody with these roles and no other."""
    account_of(session, email).roles = list(session.scalars(select(Role).where(Role.name.in_(names))))
    session.commit()


def test_the_team_and_what_each_role_may_are_said_in_words(office):
    page = text_of(office.get(PAGE))
    assert "Sophie Durand Accueil, Cultures, Logistique, Compta ferme@example.org" in page
    assert "Gérard Martin Accueil, Cultures, Logistique, Compta, Administration" in page
    assert "Camille" not in page
    assert "Décider qui travaille ici, avec quels rôles" in page


def test_whoever_is_invited_chooses_a_password_and_has_these_roles_alone(admin, session):
    assert admin.submit(f"{PAGE}/ajout", ADA | {"roles": ["growing", "logistics"]}).status_code == 303
    assert "Invitation envoyée" in text_of(admin.get(PAGE))
    assert roles(session, "ada@example.org") == ["growing", "logistics"]
    [mail] = session.scalars(select(Mail))
    assert mail.secret and "les pages de l'équipe" in mail.text
    assert [(event.action, event.account_id) for event in events(session)] == [
        ("account_created", 4),
        ("roles_changed", 4),
        ("account_invited", 4),
    ]


def test_a_subscriber_who_comes_to_work_here_keeps_name_and_password(office, session):
    office.submit(f"{PAGE}/ajout", ADA | {"email": CAMILLE, "roles": "logistics"})
    assert "entre avec son mot de passe habituel" in text_of(office.get(PAGE))
    assert (account_of(session, CAMILLE).full_name, roles(session, CAMILLE)) == (
        "Camille Aubert",
        ["logistics"],
    )
    account_of(session, CAMILLE).active = False
    session.commit()
    again = office.submit(f"{PAGE}/ajout", ADA | {"email": CAMILLE, "roles": "desk"})
    assert again.status_code == 422 and "ce compte est fermé" in text_of(again)


@pytest.mark.parametrize(
    "change",
    [{"roles": []}, {"roles": "king"}, {"roles": "desk", "email": "ada"}, {"roles": "desk", "last_name": ""}],
)
def test_an_invitation_that_says_too_little_is_refused_and_kept(office, session, change):
    answer = office.submit(f"{PAGE}/ajout", ADA | change)
    assert answer.status_code == 422 and 'value="Ada"' in answer.text
    assert events(session) == []


def test_roles_are_given_and_taken_with_what_they_were(admin, session):
    for _ in range(2):
        assert admin.submit(SOPHIE, {"roles": ["growing", "desk"]}).status_code == 303
    assert roles(session, STAFF) == ["desk", "growing"]
    [event] = events(session)
    assert (event.action, event.account_id, event.subject_id) == ("roles_changed", 4, "3")
    assert event.before == {"roles": ["accounts", "desk", "growing", "logistics"]}
    assert event.after == {"roles": ["desk", "growing"]}


def test_whoever_leaves_the_team_finds_its_pages_closed_at_the_next_request(app, office, session):
    sophie = app.test_client()
    sophie.sign_in(STAFF)
    assert sophie.get("/ferme").status_code == 200
    assert office.submit(f"{SOPHIE}/depart").status_code == 303
    assert office.submit(f"{SOPHIE}/depart").status_code == 303, "said again, it is so already"
    assert sophie.get("/ferme").status_code == 403
    assert sophie.get("/espace").status_code == 200, "the account stays"
    assert office.get(SOPHIE).status_code == 404
    assert len(events(session)) == 1


def test_the_last_admin_stays(admin, session):
    session.add(
        Account(
            email="ada@example.org",
            fs_uniquifier="a",
            first_name="A",
            last_name="B",
            active=True,
            created_at=account_of(session, ADMIN).created_at,
        )
    )
    only(session, "ada@example.org", "admin")  # invited, but without a password nobody enters
    for path, form in ((GERARD, {"roles": "desk"}), (f"{GERARD}/depart", {})):
        answer = admin.submit(path, form)
        assert answer.status_code == 422 and "Personne d'autre n'est dans l'administration" in text_of(answer)
    assert "admin" in roles(session, ADMIN)
    assert events(session) == []
    only(session, STAFF, "admin")
    assert admin.submit(f"{GERARD}/depart").location == "/", "to where they may go"
    assert roles(session, ADMIN) == []


def test_a_closed_page_says_to_whom_it_is_open_and_who_can_help(desk, session):
    only(session, STAFF, "growing")
    answer = desk.get("/ferme/commandes")
    assert answer.status_code == 403
    assert "Elle s'ouvre à : Accueil, Logistique, Compta, Administration." in text_of(answer)
    assert 'href="mailto:gestion@example.org"' in answer.text
    desk.sign_in(CAMILLE)
    assert "gestion@" not in desk.get("/ferme/commandes").text


BAR = re.compile(r'<nav class="nav-farm".*?</nav>', re.DOTALL)
HREF = re.compile(r'href="(/ferme[^"?#]*)')


@pytest.mark.parametrize(
    ("role", "ways"),
    [
        ("desk", ["", "/livraisons", "/commandes", "/abonnes", "/factures", "/produits", "/sommaire"]),
        ("growing", ["", "/livraisons", "/produits", "/sommaire"]),
        ("logistics", ["", "/livraisons", "/commandes", "/sommaire"]),
        ("accounts", ["", "/livraisons", "/commandes", "/abonnes", "/factures", "/sommaire"]),
    ],
)
def test_the_bar_and_the_list_of_all_show_each_role_its_own_ways_and_all_are_open(desk, session, role, ways):
    only(session, STAFF, role)
    page = desk.get("/ferme/sommaire")
    assert HREF.findall(BAR.findall(page.text)[0]) == [f"/ferme{way}" for way in ways]
    assert ("Trouver quelqu'un" in page.text) == (role in {"desk", "accounts"})
    assert {desk.get(way).status_code for way in set(HREF.findall(page.text))} == {200}


def test_the_pages_take_few_statements(office, count_queries):
    for path in (PAGE, f"{PAGE}/ajout", SOPHIE, "/ferme/sommaire"):
        with count_queries() as statements:
            office.get(path)
        assert len(statements) <= 6, path
