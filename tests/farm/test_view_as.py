"""« Voir comme l'abonné·e »: shown on every page, in the trail under both names, over after half an hour
(BAR Z7, P7).
"""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role, SignInSession
from portal.boxes.models import BoxChange
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning.models import CalendarFeed
from portal.rules.calendar import monday_of
from portal.subscriptions.models import Subscription
from tests.accounts.people import account_of
from tests.client import Browser
from tests.pages import text_of
from tests.stall import stock_the_shop
from tests.world import ADMIN, CAMILLE, NOW, PASSPHRASE, STAFF, TUESDAY, YACINE

WEEK = monday_of(TUESDAY)
BANNER = "Vous voyez le site comme"


def see_as(client: Browser, account_id: int, **form: object) -> str | None:
    answer = client.submit(f"/ferme/abonnes/{account_id}/voir-comme", form)
    assert answer.status_code == 303
    return answer.location


@pytest.fixture
def camille(session: Session) -> int:
    return account_of(session, CAMILLE).id


def trail(session: Session) -> list[tuple[str, int | None, int | None]]:
    session.rollback()
    lines = select(AuditEvent.action, AuditEvent.account_id, AuditEvent.for_account_id)
    return [(action, by, whom) for action, by, whom in session.execute(lines.order_by(AuditEvent.id))]


def test_staff_see_and_do_on_a_persons_own_pages_and_are_themselves_on_the_farms(
    desk: Browser, session: Session, camille: int
) -> None:
    by = account_of(session, STAFF).id
    stock_the_shop(session)
    session.commit()
    assert 'value="semaine"' in desk.get(f"/ferme/abonnes/{camille}").text
    assert see_as(desk, camille, vers="semaine", lundi=WEEK) == f"/planning/{WEEK}"
    assert desk.submit(f"/ferme/abonnes/{camille}/voir-comme", {"vers": "semaine"}).status_code == 422
    assert desk.submit("/ferme/voir-comme/fin").status_code == 303
    assert see_as(desk, camille, vers="planning") == "/planning"
    for path in (
        "/espace",
        "/planning",
        "/abonnements",
        "/boutique",
        "/points-de-retrait",
        "/formules",
        "/mon-compte",
    ):
        page = desk.get(path).text
        assert BANNER in page and "Camille Aubert" in page and "encore 30 min" in page, path
        assert "Ce que vous faites, vous le faites à sa place." in page
    assert CAMILLE in page, "it is her account that is shown"
    lost = desk.get(f"/planning/{WEEK.replace(year=2020)}")
    assert lost.status_code == 404 and BANNER in lost.text
    farm = desk.get("/ferme/abonnes").text
    assert "Sur cette page, vous êtes vous-même." in farm and ">Sophie<" in farm
    box = session.scalars(select(BoxChange)).all()
    assert not box
    held = desk.get(f"/planning/{WEEK}").text
    subscription = held.split('name="abonnement" value="')[1].split('"')[0]
    answer = desk.submit(f"/planning/{WEEK}/saut", {"abonnement": subscription, "vue": "planning"})
    assert answer.status_code == 303
    session.rollback()
    change = session.scalars(select(BoxChange)).one()
    assert change.skip and change.changed_by == by
    assert "Un mail le lui confirme." in text_of(desk.get("/planning"))
    mail = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert mail and mail.recipient == CAMILLE and "la ferme" in (mail.text or "").lower()
    article = desk.get("/boutique").text.split('name="article" value="')[1].split('"')[0]
    assert desk.submit("/ma-commande/produits", {"article": article, "quantity": "1"}).status_code == 303
    assert desk.submit("/ferme/voir-comme/fin").location == f"/ferme/abonnes/{camille}"
    assert BANNER not in desk.get("/espace").text and BANNER not in desk.get("/ferme").text
    assert desk.submit("/ferme/voir-comme/fin").location == "/ferme/abonnes", "over already"
    assert trail(session) == [
        ("acting.begin", by, None),
        ("acting.end", by, None),
        ("acting.begin", by, None),
        ("box.change", by, camille),
        ("acting.end", by, None),
    ]


def test_whoever_signs_in_after_them_in_the_same_browser_is_nobody_else(
    desk: Browser, session: Session, camille: int
) -> None:
    see_as(desk, camille)
    for email, way in ((ADMIN, "/ferme"), (STAFF, "/ferme"), (YACINE, "/espace")):
        assert desk.sign_in_by_form(email).location == way
        for path in ("/espace", way):
            page = desk.get(path).text
            assert BANNER not in page and "Aubert" not in page, email
    assert trail(session) == [("acting.begin", account_of(session, STAFF).id, None)]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/mon-compte/mot-de-passe"),
        ("POST", "/mon-compte/appareils/deconnexion"),
        ("POST", "/mon-compte/appareils/1/deconnexion"),
        ("GET", "/planning/calendrier"),
        ("POST", "/planning/calendrier"),
        ("POST", "/planning/calendrier/suppression"),
        ("GET", "/lien/a-link-as-long-as-those-that-are-mailed-out"),
        ("POST", "/lien/a-link-as-long-as-those-that-are-mailed-out"),
    ],
)
def test_passwords_and_secret_links_are_nobody_elses(
    desk: Browser, session: Session, camille: int, method: str, path: str
) -> None:
    hashed = account_of(session, CAMILLE).password
    see_as(desk, camille)
    form = {"password": PASSPHRASE, "new_password": "le blaireau range sa cagette de navets"}
    desk.get("/espace")
    answer = desk.get(path) if method == "GET" else desk.submit(path, form)
    assert answer.status_code == 403 and BANNER in answer.text and "pas à sa place" in answer.text
    session.rollback()
    assert account_of(session, CAMILLE).password == hashed
    assert not session.scalars(select(CalendarFeed)).all()


def test_after_half_an_hour_nothing_is_done_in_anybodys_name(
    staff: Browser, session: Session, camille: int, clock: time_machine.Traveller
) -> None:
    see_as(staff, camille)
    clock.move_to(NOW + timedelta(minutes=29, seconds=59))
    assert "encore 1 min" in staff.get("/espace").text
    subscription = staff.get(f"/planning/{WEEK}").text.split('name="abonnement" value="')[1].split('"')[0]
    clock.move_to(NOW + timedelta(minutes=30))
    answer = staff.submit(f"/planning/{WEEK}/saut", {"abonnement": subscription, "vue": "planning"})
    page = f"/ferme/abonnes/{camille}"
    assert answer.headers["HX-Redirect"] == page if staff.htmx else answer.location == page
    told = staff.get(page).text
    assert "Le temps de voir le site à sa place est passé" in told and BANNER not in told
    assert staff.get("/espace").status_code == 200 and BANNER not in staff.get("/espace").text
    session.rollback()
    assert not session.scalars(select(BoxChange)).all()


def test_who_may_be_seen_as_and_by_whom(app: Flask, desk: Browser, session: Session, camille: int) -> None:
    colleague, yacine = account_of(session, STAFF), account_of(session, YACINE)
    yacine.active = False
    session.commit()
    for refused in (colleague.id, yacine.id):
        assert see_as(desk, refused) == f"/ferme/abonnes/{refused}"
        assert BANNER not in desk.get("/espace").text
    assert desk.submit(f"/ferme/abonnes/{camille}/voir-comme", {"vers": "//evil"}).status_code == 422
    assert desk.submit("/ferme/abonnes/99999/voir-comme").status_code == 404
    client: Browser = app.test_client()  # type: ignore[assignment]
    client.sign_in(CAMILLE)
    client.get("/espace")
    assert client.submit(f"/ferme/abonnes/{yacine.id}/voir-comme").status_code == 403
    assert trail(session) == []


@pytest.mark.parametrize("what", ["closed", "joins the farm", "no longer at the desk"])
def test_it_is_over_as_soon_as_one_may_not(desk: Browser, session: Session, camille: int, what: str) -> None:
    see_as(desk, camille)
    if what == "closed":
        account_of(session, CAMILLE).active = False
    elif what == "joins the farm":
        account_of(session, CAMILLE).roles = [session.scalars(select(Role)).first() or Role(name="desk")]
    else:
        account_of(session, STAFF).roles = []
    session.commit()
    assert desk.get("/planning").location == f"/ferme/abonnes/{camille}"
    assert BANNER not in desk.get("/espace").text


def test_signing_out_and_a_revoked_session_end_it(
    app: Flask, desk: Browser, session: Session, camille: int
) -> None:
    see_as(desk, camille)
    desk.get("/mon-compte")
    assert desk.submit("/deconnexion").status_code == 303
    desk.sign_in(STAFF)
    assert BANNER not in desk.get("/espace").text
    desk.get("/ferme")
    see_as(desk, camille)
    for row in session.scalars(select(SignInSession).where(SignInSession.revoked_at.is_(None))):
        row.revoked_at = NOW
    session.commit()
    assert desk.get("/espace").status_code == 303, "to the sign-in page"


def test_another_person_is_another_begin_and_the_cookie_says_nothing(
    desk: Browser, session: Session, camille: int
) -> None:
    before = desk.get_cookie("session")
    yacine = account_of(session, YACINE).id
    see_as(desk, camille)
    see_as(desk, yacine)
    assert "Yacine Benali" in desk.get("/espace").text
    assert [action for action, *_ in trail(session)] == ["acting.begin", "acting.end", "acting.begin"]
    assert desk.get_cookie("session") == before


def test_forms_need_their_token_and_the_session_that_showed_them(
    desk: Browser, session: Session, camille: int
) -> None:
    for path in (f"/ferme/abonnes/{camille}/voir-comme", "/ferme/voir-comme/fin"):
        assert desk.post(path).status_code == 403
    see_as(desk, camille)
    assert desk.post("/mon-compte/appareils/deconnexion").status_code == 403
    assert session.scalars(select(Account.id).where(Account.email == CAMILLE)).one() == camille


def test_staff_may_exceed_a_points_places_in_somebodys_place_and_the_mail_says_who_did_it(
    app: Flask, desk: Browser, session: Session, camille: int
) -> None:
    full = session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one()
    full.capacity = 0
    held = session.scalars(select(Subscription.id).where(Subscription.account_id == camille)).first()
    session.commit()
    own: Browser = app.test_client()  # type: ignore[assignment]
    own.sign_in(CAMILLE)
    page = f"/abonnements/{held}/modifier?point={full.id}"
    assert "est complet : choisissez" in text_of(own.get(page))
    assert see_as(desk, camille, vers="modifier", abonnement=str(held)) == page.partition("?")[0]
    seen = desk.get(page)
    assert "complet : la ferme peut dépasser ses places" in text_of(seen)
    full.free_places = 0
    session.commit()
    once = [f"/planning/{WEEK}", f"/points-de-retrait/{full.slug}/choisir"]
    for asked in once:
        assert "complet : la ferme peut dépasser ses places" in text_of(desk.get(asked)), asked
        assert "complet au dernier décompte" in text_of(own.get(asked)), asked
    form = {"formule": "2", "quantite": "1", "rythme": "weekly", "point": str(full.id)}
    assert desk.submit(page, form | {f"des-{held}": WEEK.isoformat()}).status_code == 303
    mail = session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert mail and "La ferme l'a fait pour vous." in (mail.text or "")
    assert "Changer de mot de passe" not in desk.get("/mon-compte").text
