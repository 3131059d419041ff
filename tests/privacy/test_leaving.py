"""Leaving as easily as one came: what holds an account open is said, it closes at once, thirty days to come back."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from portal.accounts import people, services
from portal.accounts.models import Account, MailedLink
from portal.billing.payments import pay
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.planning import waiting
from portal.planning.models import Waiting
from portal.privacy import jobs, leaving
from portal.privacy.jobs import erase_departed
from portal.privacy.models import Departure
from portal.rules.orders import OrderState
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from tests.accounts.people import account_of, browser_of, database, opens, signed_in
from tests.billing.writing import customer, paid
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import ADMIN, CAMILLE, NOW, STAFF, YACINE

LINK = re.compile(r"http://localhost(/lien/[A-Za-z0-9_-]{43})\b")
PAGE = "/mon-compte/fermeture"
DAY = timedelta(days=1)


def end_subscriptions(app: Flask, day: date = date(2026, 6, 9)) -> None:
    with database(app) as session:
        session.execute(update(Subscription).values(last_day=day))


def leave(app: Flask, how: str, reason: str = "") -> str:
    """Camille closes the account; the link of the mail."""
    client, other = signed_in(app, CAMILLE), signed_in(app, CAMILLE)
    assert client.get(PAGE).status_code == 200
    answer = client.submit(PAGE, {"comment": how, "raison": reason})
    assert (answer.status_code, answer.location) == (303, "/")
    assert not opens(client) and not opens(other)
    assert browser_of(app).sign_in_by_form(CAMILLE).status_code == 422
    with database(app) as session:
        mail = session.scalars(select(Mail).where(Mail.recipient == CAMILLE).order_by(Mail.id.desc())).first()
        assert mail and mail.secret
        [path] = set(LINK.findall(mail.text or ""))
        return str(path)


def come_back(app: Flask, path: str) -> int:
    client = browser_of(app)
    client.get(path)
    return client.submit(path).status_code


def test_what_holds_the_account_open_is_said_with_the_way_out(app: Flask) -> None:
    with database(app) as session:
        order(session, {article(session): 1}, account_id=account_of(session, CAMILLE).id)
    client = signed_in(app, CAMILLE)
    page = unescape(client.get(PAGE).text)
    assert "Un abonnement court encore" in page and 'href="/resilier' in page
    assert "Une commande est en route" in page and 'href="/commandes"' in page
    client.get("/mon-compte")
    assert client.submit(PAGE, {"comment": "effacer", "raison": ""}).status_code == 422
    end_subscriptions(app)
    with database(app) as session:
        session.execute(update(Order).values(state=OrderState.DELIVERED))
    page = unescape(client.get(PAGE).text).replace("\xa0", " ")
    assert "Supprimer mon compte" in page and "10 juillet 2026" in page
    assert client.submit(PAGE, {"comment": "voler", "raison": ""}).status_code == 422
    with database(app) as session:
        assert account_of(session, CAMILLE).active


def test_a_contract_that_has_brought_its_last_box_holds_nothing(app: Flask) -> None:
    client = signed_in(app, CAMILLE)
    for last_day, holds in ((date(2026, 6, 16), True), (date(2026, 6, 12), False)):  # NOW is a Wednesday
        end_subscriptions(app, last_day)
        assert ("son dernier panier" in unescape(client.get(PAGE).text)) is holds


def test_who_has_left_gets_no_subscription_back(app: Flask) -> None:
    end_subscriptions(app, date(2026, 6, 10))
    with database(app) as session:
        camille = account_of(session, CAMILLE)
        held = session.scalars(select(Subscription.id).where(Subscription.account_id == camille.id)).first()
        page = f"/ferme/abonnes/{camille.id}"
    leave(app, "effacer")
    staff = signed_in(app, STAFF)
    staff.get(page)
    assert staff.submit(f"{page}/abonnements/{held}/suite").location == page
    assert "Ce compte est fermé" in unescape(staff.get(page).text)
    with database(app) as session, pytest.raises(services.Closed):
        waiting.ask(session, account_of(session, CAMILLE), 2, 1, 1, at=NOW, by=1)


def test_who_cannot_be_forgotten_yet_does_not_hold_up_the_others(
    app: Flask, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AT_ONCE", 1)
    end_subscriptions(app)
    for email in (CAMILLE, YACINE):
        with database(app) as session:
            assert isinstance(
                leaving.close(session, account_of(session, email), for_good=True, at=NOW), leaving.Closed
            )
    with database(app) as session:
        order(session, {article(session): 1}, account_id=account_of(session, CAMILLE).id)
    clock.move_to(NOW + 31 * DAY)
    with app.app_context():
        while erase_departed():
            pass
    with database(app) as session:
        [left] = session.scalars(select(Departure))
        assert left.account_id == account_of(session, CAMILLE).id and left.erase_at == NOW + 32 * DAY


def test_nobody_is_left_to_run_the_site_so_the_last_admin_stays(app: Flask) -> None:
    client = signed_in(app, ADMIN)
    assert "nommez d'abord quelqu'un d'autre" in unescape(client.get(PAGE).text)
    client.get("/mon-compte")
    assert client.submit(PAGE, {"comment": "effacer", "raison": ""}).status_code == 422


def test_who_deletes_the_account_may_come_back_for_thirty_days(
    app: Flask, clock: time_machine.Traveller
) -> None:
    end_subscriptions(app)
    with database(app) as session:
        waits = {"pickup_point_id": 2, "formula_id": 1, "quantity": 1, "asked_at": NOW}
        session.add(Waiting(account_id=account_of(session, CAMILLE).id, **waits))
    path = leave(app, "effacer", "Je déménage.")
    with database(app) as session:
        assert session.scalars(select(Waiting)).all() == [], "others come next"
        [left] = session.scalars(select(Departure))
        assert (left.erase_at, left.reason) == (NOW + 30 * DAY, "Je déménage.")
        [said] = session.scalars(select(AuditEvent).where(AuditEvent.action == "account_closed"))
        assert said.after == {"erase_at": "2026-07-10T08:00:00+00:00"}
    with database(app) as session:
        assert leaving.way_back(session, account_of(session, CAMILLE), at=NOW + 30 * DAY) is None
    clock.move_to(NOW + 30 * DAY - timedelta(seconds=1))
    client = browser_of(app)
    assert "rien n'est effacé" in unescape(client.get(path).text)
    assert client.submit(path).status_code == 303
    assert come_back(app, path) == 410
    assert opens(signed_in(app, CAMILLE))
    clock.move_to(NOW + 31 * DAY)
    with app.app_context():
        erase_departed()
    with database(app) as session:
        assert account_of(session, CAMILLE).active and not session.scalars(select(Departure)).all()


def test_an_account_that_sleeps_is_woken_by_a_link_asked_for_at_the_door(
    app: Flask, clock: time_machine.Traveller
) -> None:
    end_subscriptions(app)
    late = leave(app, "dormir")
    clock.move_to(NOW + 400 * DAY)
    with app.app_context():
        erase_departed()
    assert come_back(app, late) == 410
    with database(app) as session:
        token = leaving.way_back(session, account_of(session, CAMILLE), at=NOW + 400 * DAY)
        leaving.way_back(session, account_of(session, CAMILLE), at=NOW + 400 * DAY)
        assert leaving.way_back(session, account_of(session, YACINE), at=NOW) is None
    assert come_back(app, f"/lien/{token}") == 303, "another mail since does not void it"
    with database(app) as session:
        assert account_of(session, CAMILLE).active


def test_who_is_let_in_again_by_the_farm_is_not_erased_later(
    app: Flask, clock: time_machine.Traveller
) -> None:
    end_subscriptions(app)
    leave(app, "effacer")
    with database(app) as session:
        account_of(session, CAMILLE).active = True
    clock.move_to(NOW + 60 * DAY)
    with app.app_context():
        erase_departed()
    with database(app) as session:
        assert session.scalars(select(Account.erased_at).where(Account.email == CAMILLE)).one() is None


def test_what_staff_decide_ends_what_its_owner_had_begun(app: Flask) -> None:
    with database(app) as session:
        camille, by = account_of(session, CAMILLE), account_of(session, STAFF).id
        session.execute(update(Subscription).values(last_day=NOW.date() - timedelta(days=60)))
        leaving.close(session, camille, for_good=False, at=NOW)
        assert people.set_active(session, camille, False, at=NOW, by=by) is True
        assert leaving.way_back(session, camille, at=NOW) is None, "its owner does not come back at will"
        assert not session.scalars(select(MailedLink)).all()
        assert people.set_active(session, camille, False, at=NOW, by=by) is False
        session.add(Departure(account_id=camille.id, asked_at=NOW, erase_at=NOW))
        assert people.set_active(session, camille, True, at=NOW, by=by) is True
        assert session.get(Departure, camille.id) is None, "nor is one that was let in erased on that day"


@pytest.mark.parametrize("path", [PAGE, "/mon-compte/donnees/mes-donnees.zip", "/mon-compte/fusion"])
def test_a_fresh_proof_is_asked_for(app: Flask, clock: time_machine.Traveller, path: str) -> None:
    client = signed_in(app, YACINE)
    assert client.get(path).status_code == 200
    clock.move_to(NOW + timedelta(minutes=11))
    assert client.get(path).location.startswith("/mon-compte/preuve")
    client.get("/mon-compte")
    clock.move_to(NOW + timedelta(minutes=21))
    end_subscriptions(app)
    assert client.submit(PAGE, {"comment": "effacer", "raison": ""}).location.startswith("/mon-compte/preuve")
    with database(app) as session:
        assert account_of(session, YACINE).active


def test_the_file_to_take_away_is_nobody_elses(app: Flask) -> None:
    client = signed_in(app, YACINE)
    answer = client.get("/mon-compte/donnees/mes-donnees.zip")
    assert answer.mimetype == "application/zip" and answer.data.startswith(b"PK")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mes-donnees.zip"'
    assert answer.headers["Cache-Control"] == "no-store"


def test_staff_see_who_leaves_and_cannot_bring_back_who_is_forgotten(
    app: Flask, clock: time_machine.Traveller
) -> None:
    end_subscriptions(app)
    with database(app) as session:
        order(session, {article(session): 1}, state=OrderState.DELIVERED)
        camille = account_of(session, CAMILLE)
        page, number = f"/ferme/abonnes/{camille.id}", camille.customer_number
        pay(session, paid(1200, customer(session)), at=NOW, by=None)
    assert "12,00 € d'avance : la ferme vous les rend" in text_of(signed_in(app, CAMILLE).get(PAGE))
    leave(app, "effacer", "Je déménage.")
    staff = signed_in(app, STAFF)
    seen = unescape(staff.get(page).text).replace("\xa0", " ")
    assert "A supprimé son compte le mercredi 10 juin" in seen and "« Je déménage. »" in seen
    clock.move_to(NOW + 30 * DAY)
    with app.app_context():
        erase_departed()
    staff = signed_in(app, STAFF)
    forgotten = unescape(staff.get(page).text)
    assert f"Compte effacé {number}" in forgotten and "efface.invalid" not in forgotten
    assert f"{number} : 12,00 €" in text_of(signed_in(app, ADMIN).get("/ferme/reglements"))
    assert "Camille" not in forgotten and "Rouvrir son accès" not in forgotten
    assert staff.submit(f"{page}/reouverture").status_code == 403
    assert f"{number} Compte effacé" in unescape(staff.get(f"/ferme/abonnes?q={number}").text)
    assert staff.get("/ferme/commandes/1").status_code == 200
