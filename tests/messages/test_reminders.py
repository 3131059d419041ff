"""Reminders: each at its moment, once, to who receives something and has not switched it off."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts import consents
from portal.boxes.models import BoxChange, Handover, HandoverKind
from portal.compositions.models import CompositionState
from portal.deliveries.models import Delivery
from portal.infra.outbox import Mail, MailState
from portal.messages import reminders
from portal.messages.models import Reminder
from portal.messages.reminders import remind
from portal.pickup.models import PickupPoint, PointClosing
from portal.rules.consents import Notice
from portal.rules.cutoffs import PARIS, Lead, cutoff_instant
from portal.rules.reminders import cutoff_reminder
from portal.subscriptions.models import Subscription
from tests import crowd, world
from tests.accounts.people import account_of
from tests.client import Browser
from tests.composing import delivery_on, put, show
from tests.shop.making import article, order
from tests.world import NOW, TUESDAY

SATURDAY = datetime(2026, 6, 13, 7, tzinfo=UTC)
"""9 h in Paris, the day before Tuesday's last minute."""
MORNING = datetime(2026, 6, 16, 5, tzinfo=UTC)
"""7 h in Paris, on the day itself."""


def reminded(session: Session, clock: time_machine.Traveller, at: datetime, to: str = "%") -> list[Mail]:
    """What the worker writes at a moment."""
    session.commit()
    last = session.scalar(select(func.max(Mail.id))) or 0
    session.commit()
    clock.move_to(at)
    while remind():
        pass
    session.expire_all()
    written = select(Mail).where(Mail.id > last, Mail.recipient.like(to))
    return list(session.scalars(written.order_by(Mail.recipient)))


def text_of(mails: list[Mail]) -> str:
    [mail] = mails
    assert mail.text and mail.html
    return f"{mail.subject}\n{mail.text}".replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("day", "lead", "said"),
    [
        (date(2026, 6, 16), Lead(2, time(23, 59)), date(2026, 6, 13)),
        (date(2026, 6, 16), Lead(1, time(8, 0)), date(2026, 6, 13)),
        (date(2026, 10, 27), Lead(2, time(23, 59)), date(2026, 10, 24)),  # the clock is put back
        (date(2027, 3, 30), Lead(2, time(9, 0)), date(2027, 3, 27)),  # and forward
    ],
)
def test_a_cutoff_is_said_at_nine_on_the_day_before(day: date, lead: Lead, said: date) -> None:
    found = cutoff_reminder(cutoff_instant(day, lead))
    assert found == datetime.combine(said, time(9), PARIS)
    assert timedelta(hours=23) < cutoff_instant(day, lead) - found < timedelta(hours=49)


def test_what_the_box_holds_is_said_once_when_it_is_published(
    session: Session, clock: time_machine.Traveller
) -> None:
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "grand", "carottes", 1500)
    put(session, tuesday, "oeufs", "oeufs", 6)
    assert reminded(session, clock, NOW) == [], "a draft is nobody's"
    show(session, tuesday)
    assert reminded(session, clock, NOW + timedelta(minutes=9)) == [], "staff may see their slip"
    mails = reminded(session, clock, NOW + timedelta(minutes=10))
    text = text_of(mails)
    assert [mail.recipient for mail in mails] == [world.CAMILLE]
    assert "Grand panier (prévision)" in text and "- Carottes, 1,5 kg" in text and "- Œufs, 6 pièces" in text
    assert "Jusqu'au dimanche 14 juin, 23 h 59" in text and text.count("/lien/panier/") == 1
    put(session, tuesday, "grand", "carottes", 800)
    show(session, tuesday, CompositionState.CONFIRMED)
    assert reminded(session, clock, NOW + timedelta(hours=1)) == []
    camille = account_of(session, world.CAMILLE)
    session.delete(session.get_one(Reminder, (camille.id, tuesday.id, Notice.COMPOSITION)))
    assert reminded(session, clock, NOW + timedelta(days=1, minutes=1)) == [], "the worker has slept: no news"
    assert len(reminded(session, clock, NOW + timedelta(hours=2))) == 1


def test_the_cutoff_is_said_the_day_before_to_who_can_still_change_something(
    session: Session, clock: time_machine.Traveller
) -> None:
    crowd.add(session, 40)
    camille = account_of(session, world.CAMILLE)
    assert reminded(session, clock, SATURDAY - timedelta(seconds=1)) == []
    skip = select(Subscription.account_id).where(
        Subscription.id.in_(select(BoxChange.subscription_id).where(BoxChange.skip.is_(True)))
    )
    skips = set(session.scalars(skip))
    mails = reminded(session, clock, SATURDAY)
    tuesday = delivery_on(session, TUESDAY)
    told = set(session.scalars(select(Reminder.account_id).where(Reminder.delivery_id == tuesday.id)))
    assert camille.id in told and len(mails) == len({mail.recipient for mail in mails}) == len(told) > 10
    assert skips and not skips & told
    [own] = [mail for mail in mails if mail.recipient == world.CAMILLE]
    text = text_of([own])
    assert text.startswith("Paniers du mardi 16 juin : à changer ou à sauter avant dimanche 14 juin, 23 h 59")
    assert "Grand panier (Halle de Serres)" in text and "Œufs (Halle de Serres)" in text
    assert reminded(session, clock, SATURDAY + timedelta(hours=1)) == [], "once"


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 6, 13, 22, 0, tzinfo=UTC),  # Sunday, midnight: the worker has slept
        datetime(2026, 6, 16, 17, 0, tzinfo=UTC),  # the point has closed
        datetime(2026, 6, 16, 4, 59, tzinfo=UTC),  # nobody is woken
    ],
)
def test_nothing_is_said_too_soon_or_when_it_is_no_use_any_more(
    session: Session, clock: time_machine.Traveller, at: datetime
) -> None:
    assert reminded(session, clock, at) == []


def test_on_the_day_one_reads_where_and_when_and_all_that_waits(
    session: Session, clock: time_machine.Traveller
) -> None:
    camille, share = account_of(session, world.CAMILLE), account_of(session, world.YACINE)
    share.payer_id = camille.id
    session.add(
        BoxChange(
            subscription_id=1, week=date(2026, 6, 8), to_week=date(2026, 6, 15), changed_at=NOW, skip=None
        )
    )
    placed = order(session, {article(session): 2})
    halle, gare = session.get_one(PickupPoint, 1), session.get_one(PickupPoint, 2)
    shut: dict[str, Any] = {"first_day": TUESDAY, "last_day": TUESDAY, "made_at": NOW}
    session.add(
        PointClosing(pickup_point_id=halle.id, substitute_id=gare.id, reason="Marché de Noël", **shut)
    )
    mails = reminded(session, clock, MORNING)
    assert [mail.recipient for mail in mails] == [world.CAMILLE, world.YACINE], "whoever shares it too"
    text = text_of(mails[:1])
    assert "celui de la semaine du 8 juin et celui de la semaine du 15 juin" in text
    assert "Gare de Veynes, de 16 h 30 à 19 h" in text and "Sonnez à la porte verte." in text
    assert "Halle de Serres est fermé (Marché de Noël)" in text
    assert text.startswith("Aujourd'hui, mardi 16 juin, de 16 h 30 à 19 h : Gare de Veynes")
    assert placed.id  # collected at the Halle: its own mail says where


def test_a_box_that_is_given_away_and_what_was_ordered_are_said(
    session: Session, clock: time_machine.Traveller
) -> None:
    placed = order(session, {article(session): 2})
    for subscription_id in (1, 2):
        session.add(
            Handover(
                subscription_id=subscription_id,
                week=date(2026, 6, 15),
                kind=HandoverKind.PERSON,
                name="Louise",
                code="0042",
                made_at=NOW,
                made_by=1,
            )
        )
    text = text_of(reminded(session, clock, MORNING))
    assert "Louise retire ce panier à votre place, avec le code 0042" in text
    assert f"Votre commande {placed.number}" in text


def test_a_moved_delivery_is_said_on_its_own_day_and_a_cancelled_one_never(
    session: Session, clock: time_machine.Traveller
) -> None:
    row = session.get_one(Delivery, delivery_on(session, TUESDAY).id)
    row.day = TUESDAY + timedelta(days=1)
    row.cutoff_at += timedelta(days=1)
    assert reminded(session, clock, SATURDAY) == []
    assert len(reminded(session, clock, SATURDAY + timedelta(days=1), world.CAMILLE)) == 1
    assert reminded(session, clock, MORNING) == []
    row.cancelled_at = NOW
    assert reminded(session, clock, MORNING + timedelta(days=1)) == []
    row.cancelled_at = None
    assert "mercredi 17 juin" in text_of(reminded(session, clock, MORNING + timedelta(days=1)))


def test_each_can_be_switched_off_by_the_mail_itself(
    session: Session, client: Browser, clock: time_machine.Traveller
) -> None:
    [mail] = reminded(session, clock, SATURDAY)
    assert mail.unsubscribe and mail.unsubscribe in (mail.text or "")
    way = mail.unsubscribe.removeprefix("http://localhost")
    camille = account_of(session, world.CAMILLE)
    assert "Ne plus recevoir" in client.get(way).text
    session.commit()
    assert consents.muted(session, camille.id) == set()
    session.commit()
    assert client.post(way, data={"List-Unsubscribe": "One-Click"}).status_code == 204
    assert consents.muted(session, camille.id) == {Notice.CUTOFF}
    assert reminded(session, clock, SATURDAY + timedelta(weeks=1)) == []
    assert len(reminded(session, clock, MORNING + timedelta(weeks=1))) == 1, "the others still come"


def test_who_has_gone_is_not_written_to_and_many_take_no_more_statements_than_few(
    session: Session,
    clock: time_machine.Traveller,
    count_queries: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reminders, "AT_ONCE", 20)
    account_of(session, world.CAMILLE).active = False
    crowd.add(session, 40)
    clock.move_to(SATURDAY)
    counted = []
    for _ in range(2):
        session.commit()
        with count_queries() as statements:
            assert remind()
        asked = sum(statement.startswith("SELECT") for statement in statements)
        counted.append((asked, session.scalar(select(func.count()).select_from(Mail)) or 0))
    session.commit()
    (many, first), (few, both) = counted
    assert first == reminders.AT_ONCE and 0 < both - first < 20
    assert many == few < 20
    assert not remind()
    assert world.CAMILLE not in set(session.scalars(select(Mail.recipient)))
    assert session.scalar(select(func.count()).where(Mail.state == MailState.WAITING)) == both
