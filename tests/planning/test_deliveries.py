"""Cancelling, reinstating and moving a delivery: what is written, who is told what, where boxes go."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import packing
from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.deliveries.models import Delivery
from portal.infra import outbox
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning import services
from portal.planning.deliveries import Outcome, cancel, move, reinstate
from portal.planning.jobs import AT_ONCE, PAUSE, tell_of_deliveries
from portal.planning.models import DeliveryNotice
from portal.planning.suspensions import suspend
from portal.rules.calendar import WEEK, monday_of
from portal.rules.deliveries import Refusal
from tests import crowd
from tests.composing import delivery_on
from tests.planning.test_skip import person
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY, YACINE

MONDAY = monday_of(TUESDAY)
WEDNESDAY = TUESDAY + timedelta(days=1)
THURSDAY = date(2026, 6, 18)
REASON = "Le camion est en panne."
Tell = Callable[[], list[Mail]]


@pytest.fixture
def staff(session: Session) -> int:
    return session.scalars(select(Account.id).where(Account.email == STAFF)).one()


@pytest.fixture
def tell(session: Session) -> Tell:
    """Have the worker tell everybody; answers all the mails there are, oldest first."""

    def told() -> list[Mail]:
        session.commit()
        while tell_of_deliveries():
            pass
        return list(session.scalars(select(Mail).order_by(Mail.id)))

    return told


def on(session: Session, day: date, tour: str = "mardi") -> int:
    return delivery_on(session, day, tour).id


def row(session: Session, day: date = TUESDAY, tour: str = "mardi") -> Delivery:
    return session.get_one(Delivery, on(session, day, tour))


def notices_of(session: Session) -> list[str]:
    session.flush()
    statement = select(Account.email).join(DeliveryNotice, DeliveryNotice.account_id == Account.id)
    return sorted(session.scalars(statement))


def trail(session: Session) -> list[AuditEvent]:
    statement = select(AuditEvent).where(AuditEvent.subject_type == "delivery").order_by(AuditEvent.id)
    return list(session.scalars(statement))


def words(mail: Mail) -> str:
    return " ".join((mail.text or "").replace("\u00a0", " ").replace("\u202f", " ").split())


def point(session: Session, slug: str) -> int:
    return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


# Cancelling


def test_a_cancelled_delivery_tells_each_person_once_and_keeps_what_they_chose(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.skip(session, camille, [box], MONDAY)
    outcome = cancel(session, on(session, TUESDAY), REASON, by=staff)
    assert outcome == Outcome(changed=True, told=1)
    _, mail = tell()
    assert (mail.recipient, mail.subject.replace("\u00a0", " ")) == (
        CAMILLE,
        "Pas de livraison le mardi 16 juin",
    )
    assert "La ferme ne livre pas le mardi 16 juin. Le camion est en panne." in words(mail)
    assert "- Œufs (Halle de Serres) : ni livré ni facturé ; le prochain arrive le mardi 23 juin" in words(
        mail
    )
    assert "Grand panier" not in words(mail), "it was skipped"
    assert tell()[2:] == [] and notices_of(session) == []
    assert session.scalars(select(BoxChange.skip)).all() == [True]


def test_who_has_no_box_before_nor_after_hears_nothing(session: Session, staff: int) -> None:
    camille, boxes = person(session, CAMILLE)
    services.skip(session, camille, boxes, MONDAY)
    session.flush()
    assert cancel(session, on(session, TUESDAY), REASON, by=staff) == Outcome(changed=True, told=0)
    assert notices_of(session) == []


def test_cancelling_again_changes_nothing(session: Session, staff: int, tell: Tell) -> None:
    delivery_id = on(session, TUESDAY)
    cancel(session, delivery_id, REASON, by=staff)
    tell()
    assert cancel(session, delivery_id, "Autre chose.", by=staff) == Outcome()
    assert row(session).cancel_reason == REASON
    assert notices_of(session) == [] and len(trail(session)) == 1


def test_the_trail_says_who_did_what_to_a_delivery(session: Session, staff: int) -> None:
    cancel(session, on(session, TUESDAY), REASON, by=staff)
    move(session, on(session, THURSDAY, "jeudi"), date(2026, 6, 19), by=staff)
    session.flush()
    first, second = trail(session)
    assert (first.action, first.account_id) == ("delivery.cancel", staff)
    assert first.before == {"day": "2026-06-16", "cutoff": "2026-06-14T22:00:00+00:00", "cancelled": False}
    assert first.after == {**first.before, "cancelled": True, "told": 1}
    assert (second.action, second.after["day"], second.after["told"]) == ("delivery.move", "2026-06-19", 1)


def test_cancelled_after_the_freeze_its_baskets_are_void(
    session: Session, staff: int, tell: Tell, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    session.commit()
    freeze_due()
    delivery_id = on(session, TUESDAY)
    assert cancel(session, delivery_id, REASON, by=staff).told == 1
    (mail,) = tell()
    assert "- Grand panier (Halle de Serres) : ni livré ni facturé" in words(mail)
    assert packing(session, delivery_id) == []
    assert reinstate(session, delivery_id, by=staff).refusal is Refusal.PAST_CUTOFF


def test_a_closed_delivery_is_frozen_before_it_is_cancelled_or_moved(
    session: Session, staff: int, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    assert cancel(session, on(session, TUESDAY), REASON, by=staff).told == 1
    thursday = on(session, THURSDAY, "jeudi")
    clock.move_to(row(session, THURSDAY, "jeudi").cutoff_at)
    assert move(session, thursday, date(2026, 6, 19), by=staff).told == 1
    frozen = session.execute(select(Basket.delivery_id, Basket.subscription_id))
    assert sorted(tuple(basket) for basket in frozen) == [
        (on(session, TUESDAY), 1),
        (on(session, TUESDAY), 2),
        (thursday, 3),
    ]


def test_what_is_done_does_not_change(session: Session, staff: int, clock: time_machine.Traveller) -> None:
    delivery_id = on(session, TUESDAY)
    clock.move_to(datetime(2026, 6, 16, 22, 0, tzinfo=UTC))
    for outcome in (
        cancel(session, delivery_id, REASON, by=staff),
        move(session, delivery_id, date(2026, 6, 18), by=staff),
    ):
        assert outcome == Outcome(refusal=Refusal.DONE)


# Where boxes go


def test_a_box_postponed_to_a_cancelled_delivery_goes_home_with_a_mail(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.postpone(session, camille, [box], MONDAY, MONDAY + WEEK)
    cancel(session, on(session, TUESDAY + WEEK), REASON, by=staff)
    _, mail = tell()
    assert (
        "- Grand panier (Halle de Serres) : arrivera le mardi 16 juin, modifiable jusqu'au dimanche 14 juin, 23 h 59"
        in words(mail)
    )
    assert "ni livré ni facturé ; le prochain arrive le mardi 30 juin" in words(mail), "its own box"
    change = session.scalars(select(BoxChange)).one()
    assert (change.to_week, change.changed_by) == (None, staff)


def test_a_box_postponed_off_a_cancelled_delivery_is_untouched(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, boxes = person(session, CAMILLE)
    services.postpone(session, camille, boxes, MONDAY, MONDAY + WEEK)
    cancel(session, on(session, TUESDAY), REASON, by=staff)
    assert len(tell()) == 1, "of the postponement"
    assert set(session.scalars(select(BoxChange.to_week))) == {MONDAY + WEEK}


def test_a_box_there_for_once_goes_back_to_its_usual_point(session: Session, staff: int, tell: Tell) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.move(session, camille, [box], MONDAY, point(session, "mairie"))
    assert cancel(session, on(session, THURSDAY, "jeudi"), REASON, by=staff).told == 2
    mails = {mail.recipient: words(mail) for mail in tell()[1:]}
    assert "- Grand panier (Halle de Serres) : arrivera le mardi 16 juin" in mails[CAMILLE]
    assert "- Petit panier (Mairie de Laragne) : ni livré ni facturé" in mails[YACINE]
    assert session.scalars(select(BoxChange.pickup_point_id)).all() == [None]


@pytest.mark.parametrize("away", ["skipped", "suspended"])
def test_a_box_that_stays_away_does_not_vanish_with_the_delivery_that_it_was_postponed_to(
    session: Session, staff: int, tell: Tell, away: str
) -> None:
    camille, boxes = person(session, CAMILLE)
    services.postpone(session, camille, boxes[:1], MONDAY, MONDAY + WEEK)
    if away == "skipped":
        services.skip(session, camille, boxes[:1], MONDAY)
        services.skip(session, camille, boxes, MONDAY + WEEK)
    else:
        suspend(session, camille, boxes, TUESDAY, TUESDAY + WEEK)
    before = len(tell())
    assert cancel(session, on(session, TUESDAY + WEEK), REASON, by=staff).told == 0
    assert len(tell()) == before, "nothing came, nothing comes"
    assert session.scalars(select(BoxChange.to_week).where(BoxChange.week == MONDAY)).all() == [None]
    assert services.skip(session, camille, boxes[:1], MONDAY, wanted=False).changed
    assert notices_of(session) == []


def test_a_box_that_leaves_a_suspension_with_its_cancelled_delivery_is_told(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, boxes = person(session, CAMILLE)
    services.postpone(session, camille, boxes[:1], MONDAY, MONDAY + WEEK)
    suspend(session, camille, boxes, TUESDAY + WEEK, TUESDAY + WEEK)
    before = len(tell())
    cancel(session, on(session, TUESDAY + WEEK), REASON, by=staff)
    (mail,) = tell()[before:]
    assert "- Grand panier (Halle de Serres) : arrivera le mardi 16 juin" in words(mail)
    assert "Œufs" not in words(mail)


def test_a_skipped_box_is_no_longer_bound_for_a_point_whose_delivery_is_cancelled(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.move(session, camille, [box], MONDAY, point(session, "cafe"))
    services.skip(session, camille, [box], MONDAY)
    before = len(tell())
    assert cancel(session, on(session, date(2026, 6, 19), "vendredi"), REASON, by=staff).told == 0
    assert len(tell()) == before
    assert session.scalars(select(BoxChange.pickup_point_id)).all() == [None]
    outcome = services.skip(session, camille, [box], MONDAY, wanted=False)
    assert [change.after.delivery.day for change in outcome.changed] == [TUESDAY]


def test_what_was_given_up_by_the_cutoff_does_not_come_back_with_a_cancellation(
    session: Session, staff: int, tell: Tell, clock: time_machine.Traveller
) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.postpone(session, camille, [box], MONDAY, MONDAY + WEEK)
    services.skip(session, camille, [box], MONDAY)
    services.skip(session, camille, [1, 2], MONDAY + WEEK)
    tell()
    clock.move_to(CUTOFF + WEEK)
    cancel(session, on(session, TUESDAY + WEEK), REASON, by=staff)
    assert notices_of(session) == []


def test_what_staff_type_is_text_in_the_mail(session: Session, staff: int, tell: Tell) -> None:
    cancel(session, on(session, TUESDAY), "L'eau <monte> & reste.", by=staff)
    (mail,) = tell()
    assert "L'eau <monte> & reste." in words(mail)
    assert "<monte>" not in (mail.html or "") and "&lt;monte&gt; &amp; reste." in (mail.html or "")


# Reinstating


def test_a_reinstated_delivery_brings_what_it_would_have_brought(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.skip(session, camille, [box], MONDAY)
    delivery_id = on(session, TUESDAY)
    cancel(session, delivery_id, REASON, by=staff)
    tell()
    assert reinstate(session, delivery_id, by=staff) == Outcome(changed=True, told=1)
    mail = tell()[-1]
    assert mail.subject.replace("\u00a0", " ") == "La livraison du mardi 16 juin a bien lieu"
    assert "- Œufs : Halle de Serres, de 16 h 30 à 19 h" in words(mail) and "Grand panier" not in words(mail)
    assert "jusqu'au dimanche 14 juin, 23 h 59" in words(mail)
    assert row(session).cancel_reason is None
    assert reinstate(session, delivery_id, by=staff) == Outcome()


def test_at_its_cutoff_a_cancelled_delivery_stays_so(
    session: Session, staff: int, clock: time_machine.Traveller
) -> None:
    delivery_id = on(session, TUESDAY)
    cancel(session, delivery_id, REASON, by=staff)
    clock.move_to(CUTOFF)
    assert reinstate(session, delivery_id, by=staff) == Outcome(refusal=Refusal.PAST_CUTOFF)


# Moving


def test_a_moved_delivery_takes_its_boxes_its_skips_and_its_cutoff_along(
    session: Session, staff: int, tell: Tell
) -> None:
    camille, (box, _) = person(session, CAMILLE)
    services.skip(session, camille, [box], MONDAY)
    delivery_id = on(session, TUESDAY)
    outcome = move(session, delivery_id, WEDNESDAY, reason="Le 16 est férié ici.", by=staff)
    assert outcome == Outcome(changed=True, told=1)
    moved = row(session, WEDNESDAY)
    assert (moved.id, moved.week, moved.nominal_day) == (delivery_id, MONDAY, TUESDAY)
    assert moved.cutoff_at == CUTOFF + timedelta(days=1)
    mail = tell()[-1]
    assert mail.subject.replace("\u00a0", " ") == "Votre livraison du mardi 16 juin passe au mercredi 17 juin"
    assert "La livraison du mardi 16 juin aura lieu le mercredi 17 juin. Le 16 est férié ici." in words(mail)
    assert "- Œufs : Halle de Serres" in words(mail) and "Grand panier" not in words(mail)
    assert "jusqu'au lundi 15 juin, 23 h 59" in words(mail)
    assert [box.formula_id for box in packing(session, delivery_id)] == [3]


def test_moving_to_where_it_is_changes_nothing(session: Session, staff: int) -> None:
    assert move(session, on(session, TUESDAY), TUESDAY, by=staff) == Outcome()
    assert trail(session) == []


def test_a_move_past_a_neighbour_is_refused(session: Session, staff: int) -> None:
    outcome = move(session, on(session, TUESDAY), TUESDAY + WEEK, by=staff)
    assert outcome == Outcome(refusal=Refusal.DAY_OUT_OF_ORDER)


def test_staff_set_a_cutoff_where_the_usual_one_is_past(
    session: Session, staff: int, clock: time_machine.Traveller
) -> None:
    clock.move_to(datetime(2026, 6, 15, 8, 0, tzinfo=UTC))  # Thursday closes tonight
    delivery_id, wednesday = on(session, THURSDAY, "jeudi"), date(2026, 6, 17)
    assert move(session, delivery_id, wednesday, by=staff).refusal is Refusal.CUTOFF_MISSING
    cutoff = datetime(2026, 6, 16, 10, 0, tzinfo=UTC)
    assert move(session, delivery_id, wednesday, cutoff=cutoff, by=staff).changed
    assert row(session, wednesday, "jeudi").cutoff_at == cutoff


def test_another_cutoff_is_kept_though_the_day_stays(session: Session, staff: int, tell: Tell) -> None:
    delivery_id, cutoff = on(session, TUESDAY), CUTOFF + timedelta(hours=12)
    move(session, delivery_id, WEDNESDAY, reason="Neige.", by=staff)
    told = len(tell())
    assert move(session, delivery_id, WEDNESDAY, cutoff=cutoff, by=staff) == Outcome(changed=True)
    assert (row(session, WEDNESDAY).cutoff_at, row(session, WEDNESDAY).move_reason) == (cutoff, "Neige.")
    assert move(session, delivery_id, WEDNESDAY, cutoff=cutoff, by=staff) == Outcome()
    assert move(session, delivery_id, WEDNESDAY, by=staff) == Outcome()
    assert len(tell()) == told
    beyond = cutoff + WEEK
    assert move(session, delivery_id, WEDNESDAY, cutoff=beyond, by=staff).refusal is Refusal.CUTOFF_TOO_LATE
    assert trail(session)[-1].after["cutoff"] == cutoff.isoformat()


def test_another_cutoff_reopens_nothing(session: Session, staff: int, clock: time_machine.Traveller) -> None:
    clock.move_to(CUTOFF)
    later = CUTOFF + timedelta(hours=24)
    outcome = move(session, on(session, TUESDAY), TUESDAY, cutoff=later, by=staff)
    assert outcome == Outcome(refusal=Refusal.PAST_CUTOFF)
    assert row(session).cutoff_at == CUTOFF


def test_a_closed_delivery_moves_with_its_baskets_and_stays_closed(
    session: Session, staff: int, tell: Tell, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    delivery_id = on(session, TUESDAY)
    assert move(session, delivery_id, date(2026, 6, 20), reason="Neige.", by=staff).told == 1
    assert row(session, date(2026, 6, 20)).cutoff_at == CUTOFF
    (mail,) = tell()
    assert "Cette livraison est close : son contenu ne change plus." in words(mail)
    assert len(packing(session, delivery_id)) == 2


@pytest.mark.parametrize(("first", "said"), [(TUESDAY, "- Grand panier"), (WEDNESDAY, "Aucun panier")])
def test_a_move_out_of_a_suspension_or_into_it_is_told(
    session: Session, staff: int, tell: Tell, first: date, said: str
) -> None:
    for number in (1, 2):
        session.add(Suspension(subscription_id=number, first_day=first, last_day=first, made_at=NOW))
    session.flush()
    assert move(session, on(session, TUESDAY), WEDNESDAY, by=staff).told == 1
    (mail,) = tell()
    assert said in words(mail)


# Several changes in a row


def test_two_moves_before_the_worker_came_are_one_mail(session: Session, staff: int, tell: Tell) -> None:
    delivery_id = on(session, TUESDAY)
    move(session, delivery_id, WEDNESDAY, by=staff)
    move(session, delivery_id, THURSDAY, by=staff)
    (mail,) = tell()
    assert mail.subject.replace("\u00a0", " ") == "Votre livraison du mardi 16 juin passe au jeudi 18 juin"


def test_moved_then_cancelled_is_one_mail_with_the_day_that_was_known(
    session: Session, staff: int, tell: Tell
) -> None:
    delivery_id = on(session, TUESDAY)
    move(session, delivery_id, WEDNESDAY, by=staff)
    cancel(session, delivery_id, REASON, by=staff)
    (mail,) = tell()
    assert mail.subject.replace("\u00a0", " ") == "Pas de livraison le mardi 16 juin"


@pytest.mark.parametrize("there_and_back", ["cancelled", "moved"])
def test_what_is_as_it_was_when_the_worker_comes_is_no_mail(
    session: Session, staff: int, tell: Tell, there_and_back: str
) -> None:
    delivery_id = on(session, TUESDAY)
    if there_and_back == "cancelled":
        cancel(session, delivery_id, REASON, by=staff)
        outcome = reinstate(session, delivery_id, by=staff)
    else:
        move(session, delivery_id, WEDNESDAY, reason="Essai.", by=staff)
        outcome = move(session, delivery_id, TUESDAY, reason="Finalement si.", by=staff)
        assert row(session).move_reason is None
    assert outcome == Outcome(changed=True, told=0)
    assert tell() == []


# The worker


def test_everybody_is_told_in_small_steps(session: Session, staff: int) -> None:
    crowd.add(session, 60)
    told = cancel(session, on(session, TUESDAY), REASON, by=staff).told
    session.commit()
    steps = 1
    while tell_of_deliveries():
        steps += 1
    assert steps == 1 + told // AT_ONCE > 1
    recipients = session.scalars(select(Mail.recipient)).all()
    assert len(recipients) == len(set(recipients)) == told


def test_one_that_cannot_be_told_holds_up_nobody(
    session: Session, staff: int, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd.add(session, 3)
    told = cancel(session, on(session, TUESDAY), REASON, by=staff).told
    session.commit()
    post = outbox.post

    def fail_for_camille(session: Session, *, to: str, **rest: Any) -> Mail:
        if to == CAMILLE:
            raise OSError
        return post(session, to=to, **rest)

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "post", fail_for_camille)
        tell_of_deliveries()
    session.rollback()
    assert notices_of(session) == [CAMILLE]
    assert len(session.scalars(select(Mail)).all()) == told - 1
    session.commit()
    clock.shift(PAUSE)
    tell_of_deliveries()
    session.rollback()
    assert notices_of(session) == [] and len(session.scalars(select(Mail)).all()) == told
