"""/calendrier/<token>.ics: read as a calendar program does, and its secret address."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from icalendar import Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.deliveries.models import Delivery
from portal.infra.audit import AuditEvent
from portal.pickup.models import PickupPoint, PointClosing
from portal.planning.models import CalendarFeed
from portal.rules.cutoffs import PARIS
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, NOW, TUESDAY, YACINE

BOX, EGGS = 1, 2
WEEK = "/planning/2026-06-15"


def address_of(client: Browser, email: str = CAMILLE) -> str:
    """Sign in, make an address, and read it off the page."""
    client.sign_in(email)
    client.get("/planning/calendrier")
    client.submit("/planning/calendrier")
    html = client.get("/planning/calendrier").get_data(as_text=True)
    return html.partition('id="adresse" value="')[2].partition('"')[0].removeprefix("http://localhost")


def events(client: Browser, address: str) -> dict[str, Event]:
    """By their names, as a program that knows nothing but the address sees them."""
    answer = client.application.test_client().get(address)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    calendar = Calendar.from_ical(answer.data)
    assert calendar["VERSION"] == "2.0" and calendar["PRODID"]
    assert calendar["REFRESH-INTERVAL"].params["VALUE"] == "DURATION"
    found = {str(event["UID"]): event for event in calendar.walk("VEVENT")}
    assert len(found) == len(calendar.walk("VEVENT"))
    return found


def on_tuesday(found: dict[str, Event]) -> Event:
    (event,) = (e for e in found.values() if e.decoded("DTSTART").date() == TUESDAY)
    return event


def test_each_coming_box_is_an_event_at_its_point_in_its_hours(client: Browser) -> None:
    event = on_tuesday(events(client, address_of(client)))
    assert event["SUMMARY"] == "Grand panier, Œufs"
    assert "place du Village" in event["LOCATION"]
    assert event.decoded("DTSTART") == datetime(2026, 6, 16, 16, 30, tzinfo=PARIS)
    assert event.decoded("DTEND") == datetime(2026, 6, 16, 19, 0, tzinfo=PARIS)
    assert event["DTSTART"].params["TZID"] == "Europe/Paris"
    assert event["URL"] == "http://localhost/planning"


def test_a_skipped_box_disappears_and_comes_back_under_its_name(client: Browser) -> None:
    address = address_of(client)
    before = events(client, address)
    client.submit(f"{WEEK}/saut", {"abonnement": [BOX, EGGS]})
    assert set(before) - set(events(client, address)) == {on_tuesday(before)["UID"]}
    client.submit(f"{WEEK}/reprise", {"abonnement": [BOX, EGGS]})
    assert set(events(client, address)) == set(before)


def test_a_box_that_goes_elsewhere_moves_with_a_higher_sequence(
    client: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    address = address_of(client)
    before = on_tuesday(events(client, address))
    clock.shift(timedelta(minutes=5))
    cafe = session.scalars(select(PickupPoint.id).where(PickupPoint.slug == "cafe")).one()
    client.submit(f"{WEEK}/point", {"abonnement": [BOX, EGGS], "point": cafe})
    moved = events(client, address)[before["UID"]]
    assert moved.decoded("DTSTART").date().isoformat() == "2026-06-19"
    assert moved["SEQUENCE"] > before["SEQUENCE"]
    assert moved["LOCATION"] != before["LOCATION"]


def test_a_delivery_that_the_farm_moves_moves_and_one_it_cancels_disappears(
    client: Browser, session: Session
) -> None:
    address = address_of(client)
    before = on_tuesday(events(client, address))
    delivery = session.scalars(select(Delivery).where(Delivery.day == TUESDAY)).one()
    delivery.day, delivery.changed_at = TUESDAY + timedelta(days=1), CUTOFF
    session.commit()
    moved = events(client, address)[before["UID"]]
    assert moved.decoded("DTSTART").date() == TUESDAY + timedelta(days=1)
    assert moved["SEQUENCE"] > before["SEQUENCE"]
    delivery.cancelled_at = CUTOFF
    session.commit()
    assert before["UID"] not in events(client, address)


def test_a_box_that_its_point_is_closed_for_says_so_in_typeset_words(
    client: Browser, session: Session
) -> None:
    points = {point.slug: point for point in session.scalars(select(PickupPoint))}
    session.add(
        PointClosing(pickup_point_id=points["halle"].id, substitute_id=points["gare"].id, first_day=TUESDAY,
                     last_day=TUESDAY, reason="Travaux", made_at=NOW)
    )  # fmt: skip
    session.commit()
    event = on_tuesday(events(client, address_of(client)))
    assert "Halle de Serres est fermé\u00a0: Travaux." in event["DESCRIPTION"]
    assert event["LOCATION"].startswith("Gare de Veynes")


def test_while_nothing_changes_it_is_the_same_to_the_last_byte(
    client: Browser, clock: time_machine.Traveller
) -> None:
    address = address_of(client)
    reader = client.application.test_client()
    first = reader.get(address)
    clock.shift(timedelta(hours=6))
    assert reader.get(address).data == first.data
    assert first.headers["Cache-Control"] == "no-store"


def test_a_new_address_replaces_the_old_one_and_none_opens_nothing(client: Browser, session: Session) -> None:
    old = address_of(client)
    new = address_of(client)
    reader = client.application.test_client()
    assert old != new
    assert [reader.get(a).status_code for a in (old, new)] == [404, 200]
    client.submit("/planning/calendrier/suppression")
    assert reader.get(new).status_code == 404
    assert "Créer mon adresse" in text_of(client.get("/planning/calendrier"))
    assert address_of(client) not in {old, new}, "no token ever comes back"
    assert "token" not in str([event.after for event in session.scalars(select(AuditEvent))])


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "a", lambda t: t.upper(), lambda t: "0" * len(t)]
)
def test_another_address_is_not_found(client: Browser, change: Callable[[str], str]) -> None:
    address = address_of(client)
    token = address.removeprefix("/calendrier/").removesuffix(".ics")
    assert len(token) == 32, "160 bits in base 32"
    assert client.application.test_client().get(f"/calendrier/{change(token)}.ics").status_code == 404


def test_an_account_that_may_not_sign_in_has_no_calendar(client: Browser, session: Session) -> None:
    address = address_of(client)
    session.scalars(select(Account).where(Account.email == CAMILLE)).one().active = False
    session.commit()
    assert client.application.test_client().get(address).status_code == 404


def test_only_a_hash_is_kept_and_a_new_key_asks_for_a_new_address(client: Browser, session: Session) -> None:
    address = address_of(client)
    token = address.removeprefix("/calendrier/").removesuffix(".ics")
    feed = session.scalars(select(CalendarFeed)).one()
    assert token not in str(vars(feed))
    feed.token_hash = "0" * 64  # as another key would have it
    session.commit()
    assert "Créer mon adresse" in text_of(client.get("/planning/calendrier"))


def test_everybody_has_their_own(client: Browser) -> None:
    hers, his = address_of(client), address_of(client, YACINE)
    assert {str(e["SUMMARY"]) for e in events(client, hers).values()} == {"Grand panier, Œufs"}
    assert {str(e["SUMMARY"]) for e in events(client, his).values()} == {"Petit panier"}


def test_the_feed_takes_a_handful_of_queries(client: Browser, count_queries: Callable[[], Any]) -> None:
    address = address_of(client)
    reader = client.application.test_client()
    with count_queries() as statements:
        reader.get(address)
    assert len(statements) <= 11, "\n".join(statements)
