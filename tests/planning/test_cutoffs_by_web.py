"""Until when a delivery can be changed, whatever the change, by the site itself (BAR T1 to T8).

« Vous avez jusqu'au dimanche à 23h59 pour effectuer des modifications à votre livraison du mardi, jusqu'au
lundi à 23h59 pour la livraison du jeudi et jusqu'au mardi à 23h59 pour la livraison du vendredi » (the guide).
"""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.boxes.models import BoxChange, Suspension
from portal.deliveries.services import generate
from portal.infra.audit import AuditEvent
from portal.infra.orm import own_transaction
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.rules.calendar import monday_of
from portal.subscriptions.models import Term
from tests.client import Browser
from tests.world import CAMILLE, CUTOFF, TODAY, TUESDAY

BOX, YACINES = 1, 3
MONDAY = monday_of(TUESDAY)
INSTANT = timedelta(milliseconds=1)

# The first refused instant, worked out by hand. In summer Paris is two hours ahead of UTC, in winter one.
TUESDAYS = {
    date(2026, 6, 16): datetime(2026, 6, 14, 22, tzinfo=UTC),
    date(2026, 10, 27): datetime(2026, 10, 25, 23, tzinfo=UTC),  # that Sunday has 25 hours
    date(2027, 3, 30): datetime(2027, 3, 28, 22, tzinfo=UTC),  # and this one 23
}
THURSDAYS = {
    date(2026, 6, 18): datetime(2026, 6, 15, 22, tzinfo=UTC),
    date(2026, 10, 29): datetime(2026, 10, 26, 23, tzinfo=UTC),
}
FRIDAYS = {
    date(2026, 6, 19): datetime(2026, 6, 16, 22, tzinfo=UTC),
    date(2026, 10, 30): datetime(2026, 10, 27, 23, tzinfo=UTC),
}
POINTS = {"halle": TUESDAYS, "mairie": THURSDAYS, "cafe": FRIDAYS}


@pytest.fixture
def year_ahead(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + timedelta(weeks=45))


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Tokyo"])
def server_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the machine, which is none of the farm's business."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def collect_at(app: Flask, point: str) -> None:
    """Camille's large box is at another point from now on."""
    with app.app_context(), own_transaction() as session:
        term = session.scalars(select(Term).where(Term.subscription_id == BOX)).one()
        term.pickup_point_id = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == point)).one()


def changes(app: Flask) -> dict[tuple[int, date], bool | None]:
    with app.app_context(), own_transaction() as session:
        rows = session.execute(select(BoxChange.subscription_id, BoxChange.week, BoxChange.skip))
        return {(subscription, week): skip for subscription, week, skip in rows}


def traces(app: Flask) -> int:
    """How many mails and audit lines there are."""
    with app.app_context(), own_transaction() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Mail, AuditEvent)
        )


def arrive(browser: Browser) -> Browser:
    """Camille signs in and opens a page."""
    browser.sign_in(CAMILLE)
    assert browser.get("/mon-compte").status_code == 200
    return browser


def press(browser: Browser, act: str, week: date, fields: dict[str, str] | None = None) -> bool:
    """Whether an act was taken; else it was refused as the screen expects it."""
    form = {"abonnement": BOX, **(fields or {})}
    status = browser.submit(f"/planning/{week}/{act}", form).status_code
    assert status in {422, 200 if browser.htmx else 303}
    return status != 422


@pytest.mark.usefixtures("year_ahead", "server_zone")
@pytest.mark.parametrize("point", POINTS)
def test_every_change_is_taken_until_the_last_instant_and_not_after(
    app: Flask, client: Browser, clock: time_machine.Traveller, point: str
) -> None:
    collect_at(app, point)
    for day, cutoff in POINTS[point].items():
        week, before = monday_of(day), traces(app)
        clock.move_to(cutoff - INSTANT)
        arrive(client)
        assert press(client, "saut", week)
        clock.move_to(cutoff)
        assert not press(client, "reprise", week)
        assert changes(app)[BOX, week] is True
        clock.move_to(cutoff - INSTANT)
        assert press(client, "reprise", week)
        clock.move_to(cutoff)
        assert not press(client, "saut", week)
        assert changes(app)[BOX, week] is None
        assert traces(app) == before + 4, "a mail and an audit line for each of the two that were taken"


def fields_of(app: Flask, act: str, day: date) -> dict[str, str]:
    """What the form of an act holds beside the subscription."""
    with app.app_context(), own_transaction() as session:
        ids = dict(session.execute(select(PickupPoint.slug, PickupPoint.id)).all())
    to_other = {1: ids["gare"], 3: ids["cafe"]}
    return {
        "report": {"vers": f"{day + timedelta(weeks=1)}"},
        "point": {"point": f"{to_other.get(day.weekday())}"},
        "panier": {"formule": "1", "quantite": "2"},
    }[act]


@pytest.mark.usefixtures("year_ahead")
@pytest.mark.parametrize(
    ("point", "act"),
    [
        (point, act)
        for act in ("report", "point", "panier")
        for point in POINTS
        if (point, act) != ("cafe", "point")
    ],
)
def test_each_kind_of_change_and_its_undo_meet_the_same_instant(
    app: Flask, client: Browser, clock: time_machine.Traveller, point: str, act: str
) -> None:
    collect_at(app, point)
    for day, cutoff in POINTS[point].items():
        week, form, before = monday_of(day), fields_of(app, act, day), traces(app)
        clock.move_to(cutoff - INSTANT)
        arrive(client)
        assert press(client, act, week, form)
        clock.move_to(cutoff)
        assert not press(client, f"{act}/annulation", week)
        clock.move_to(cutoff - INSTANT)
        assert press(client, f"{act}/annulation", week)
        clock.move_to(cutoff)
        assert not press(client, act, week, form)
        assert traces(app) == before + 4, "a mail and an audit line for each of the two that were taken"


@pytest.mark.usefixtures("year_ahead")
@pytest.mark.parametrize("point", POINTS)
def test_a_suspension_reaches_what_is_open_and_leaves_what_is_closed(
    app: Flask, client: Browser, clock: time_machine.Traveller, point: str
) -> None:
    collect_at(app, point)
    for day, cutoff in POINTS[point].items():
        form = {"abonnement": BOX, "du": f"{day}", "au": f"{day}"}
        clock.move_to(cutoff)
        arrive(client)
        refused = client.submit("/planning/suspension", form)
        assert refused.status_code == 422 and "Trop tard" in refused.get_data(as_text=True)
        clock.move_to(cutoff - INSTANT)
        assert client.submit("/planning/suspension", form).status_code == 303
        assert "(suspendu)" in client.get(f"/planning/{monday_of(day)}").get_data(as_text=True)

        clock.move_to(cutoff)
        ended = client.submit("/planning/suspension/fin", {"suspension": suspensions(app)[-1]})
        assert ended.status_code == 303
        still = client.get(f"/planning/{monday_of(day)}").get_data(as_text=True)
        assert "(suspendu)" in still, "ended too late for this delivery"


@pytest.mark.usefixtures("year_ahead", "server_zone")
@pytest.mark.parametrize("point", POINTS)
def test_terms_begin_with_what_is_open(
    app: Flask, client: Browser, clock: time_machine.Traveller, point: str
) -> None:
    collect_at(app, point)
    for day, cutoff in POINTS[point].items():
        week, before = monday_of(day), traces(app)
        terms = {"formule": "1", "quantite": "1", "rythme": "weekly", "point": f"{point_id(app, point)}"}
        acts = (
            (f"/abonnements/{BOX}/modifier", {**terms, f"des-{BOX}": f"{week}"}),
            (f"/abonnements/{BOX}/annulation", {"lundi": f"{week}"}),
        )
        for path, form in acts:
            clock.move_to(cutoff)
            arrive(client)
            refused = client.submit(path, form)
            if path.endswith("annulation"):
                assert refused.status_code == 422 and "Trop tard" in refused.text
            else:
                assert refused.status_code == 422 and "La date a changé entre-temps" in refused.text
            clock.move_to(cutoff - INSTANT)
            arrive(client)
            assert client.submit(path, form).status_code == 303
        assert traces(app) == before + 4, "a mail and an audit line for each of the two that were taken"


def point_id(app: Flask, slug: str) -> int:
    with app.app_context(), own_transaction() as session:
        return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


def suspensions(app: Flask) -> list[int]:
    with app.app_context(), own_transaction() as session:
        return sorted(session.scalars(select(Suspension.id)))


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({"Date": "Sun, 14 Jun 2026 21:58:00 GMT"}, {}),
        ({}, {"now": "2026-06-14T23:58", "cutoff": "2030-01-01", "jour": "2026-06-30", "day": "2026-06-30"}),
        ({}, {"delivery": "8", "livraison": "2026-06-30", "week": "2026-06-29", "frozen": ""}),
    ],
)
def test_the_servers_clock_and_rows_decide(
    app: Flask,
    client: Browser,
    clock: time_machine.Traveller,
    headers: dict[str, str],
    fields: dict[str, str],
) -> None:
    arrive(client)
    clock.move_to(CUTOFF)
    answer = client.submit(f"/planning/{MONDAY}/saut", {"abonnement": BOX, **fields}, headers=headers)
    assert answer.status_code == 422
    assert (changes(app), traces(app)) == ({}, 0)


def test_a_forged_week_is_refused(app: Flask, browser: Browser) -> None:
    arrive(browser)
    for week in ("2026-06-16", "2026-06-08", "2099-12-28", "2000-01-03", "2999-12-30"):
        answer = browser.submit(f"/planning/{week}/saut", {"abonnement": BOX})
        assert answer.status_code == 422, week
    assert (changes(app), traces(app)) == ({}, 0)


def test_a_week_in_no_calendar_of_the_farm_is_not_found(app: Flask, client: Browser) -> None:
    arrive(client)
    for week in ("9999-12-27", "0001-01-01", "1999-12-27", "2026-02-30", "2026-6-15", "demain"):
        answer = client.submit(f"/planning/{week}/saut", {"abonnement": BOX})
        assert answer.status_code == 404, week
    assert (changes(app), traces(app)) == ({}, 0)


def test_a_forged_subscription_is_not_found(app: Flask, client: Browser) -> None:
    arrive(client)
    for asked in (YACINES, [BOX, YACINES], 999, 999_999_999):
        answer = client.submit(f"/planning/{MONDAY}/saut", {"abonnement": asked})
        assert answer.status_code == 404, asked
    assert (changes(app), traces(app)) == ({}, 0)


def test_a_page_opened_before_the_cutoff_and_sent_after_it_shows_how_things_stand(
    app: Flask, browser: Browser, clock: time_machine.Traveller
) -> None:
    arrive(browser)
    clock.move_to(CUTOFF - timedelta(minutes=2))
    action = f'action="/planning/{MONDAY}/saut"'
    assert action in browser.get("/planning").get_data(as_text=True)

    clock.move_to(CUTOFF + timedelta(minutes=1))
    answer = browser.submit(f"/planning/{MONDAY}/saut", {"abonnement": BOX, "vue": "planning"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "mardi 16 juin" in page.replace("\u00a0", " ")
    assert action not in page, "what cannot be done is no longer offered"
    assert (changes(app), traces(app)) == ({}, 0)
