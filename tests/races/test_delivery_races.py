"""Staff change a delivery while subscribers change their boxes, the freeze runs and workers tell of it."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.jobs import freeze_due
from portal.boxes.models import Basket, BoxChange
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.services import generate
from portal.infra.audit import AuditEvent
from portal.infra.orm import db, own_transaction
from portal.infra.outbox import Mail
from portal.planning import notices, services
from portal.planning.deliveries import Outcome, cancel, move
from portal.planning.jobs import tell_of_deliveries
from portal.planning.models import DeliveryNotice
from portal.rules.calendar import WEEK
from tests import crowd
from tests.infra.workers import wait_until, worker
from tests.races.helpers import AHEAD, meetings
from tests.world import STAFF, TODAY, YACINE

BOX = 3
"""Yacine's, every other Thursday from MONDAY's week on: in the weeks between he has none of his own."""
MONDAY = date(2026, 6, 15)
REASON = "Le camion est en panne."


@pytest.fixture(autouse=True)
def years_ahead(app: Flask) -> None:
    """Each meeting has two weeks of its own."""
    with app.app_context(), own_transaction() as session:
        generate(session, TODAY, TODAY + 2 * AHEAD)


def thursday(session: Session, week: date) -> Delivery:
    found = select(Delivery).join(Tour).where(Tour.slug == "jeudi", Delivery.week == week)
    return session.scalars(found).one()


def cancelled(app: Flask, week: date) -> Outcome:
    with app.app_context(), own_transaction() as session:
        staff = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
        return cancel(session, thursday(session, week).id, REASON, by=staff)


def moved_by_a_day(app: Flask, week: date) -> Outcome:
    with app.app_context(), own_transaction() as session:
        staff = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
        delivery = thursday(session, week)
        return move(session, delivery.id, delivery.day + timedelta(days=1), by=staff)


def by_yacine(app: Flask, act: Callable[..., services.Outcome], *weeks: date) -> services.Outcome:
    """As a request of his: within the transaction that the mail's layout reads the farm's card in."""
    with app.app_context():
        session = db.session()
        yacine = session.scalars(select(Account).where(Account.email == YACINE)).one()
        outcome = act(session, yacine, [BOX], *weeks)
        session.commit()
        return outcome


def tell(app: Flask) -> None:
    with app.app_context():
        while tell_of_deliveries():
            pass


def failed(*results: Any) -> bool:
    return any(isinstance(result, Exception) for result in results)


def mails(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Mail)) or 0


def lines(session: Session, action: str, subject: int) -> list[int]:
    """The trail's lines, by their place in it."""
    said = (AuditEvent.action == action, AuditEvent.subject_id == str(subject))
    return list(session.scalars(select(AuditEvent.id).where(*said).order_by(AuditEvent.id)))


# A postponement


def postponed_onto_what_is_cancelled(app: Flask, worker_app: Flask, *, staff_begin: bool) -> Iterator[bool]:
    """Postpone a box while its destination is cancelled: whether it is at home in the end, and all is told."""
    week = MONDAY

    def postpone() -> services.Outcome:
        return by_yacine(app, services.postpone, week, week + WEEK)

    def cancel_it() -> Outcome:
        return cancelled(app, week + WEEK)

    acts = (postpone, cancel_it)
    for results in meetings(app, *(acts[::-1] if staff_begin else acts)):
        postponement, cancellation = reversed(results) if staff_begin else results
        tell(worker_app)
        with worker_app.app_context(), own_transaction() as session:
            change = select(BoxChange.to_week).where(BoxChange.subscription_id == BOX, BoxChange.week == week)
            yield (
                not failed(*results)
                and cancellation == Outcome(changed=True, told=len(postponement.changed))
                and session.scalar(change) is None
            )
        week += 2 * WEEK


@pytest.mark.rounds(2)
@pytest.mark.parametrize("staff_begin", [False, True])
def test_a_box_postponed_onto_what_is_cancelled_is_refused_or_comes_home(
    app: Flask, staff_begin: bool
) -> None:
    assert set(postponed_onto_what_is_cancelled(app, app, staff_begin=staff_begin)) == {True}


def test_without_locks_a_postponed_box_is_lost(app: Flask, unlocked: Flask) -> None:
    assert not all(postponed_onto_what_is_cancelled(unlocked, app, staff_begin=False))


# A skip


def skips_of_what_moves(app: Flask) -> Iterator[bool]:
    """Skip a box while its delivery moves: whether both are done, and who was told had a box then."""
    week = MONDAY

    def skip() -> services.Outcome:
        return by_yacine(app, services.skip, week)

    def move_it() -> Outcome:
        return moved_by_a_day(app, week)

    for skipped, moved in meetings(app, skip, move_it):
        with app.app_context(), own_transaction() as session:
            (move_line,) = lines(session, "delivery.move", thursday(session, week).id)
            *_, skip_line = lines(session, "box.change", BOX)
            yield (
                not failed(skipped, moved)
                and len(skipped.changed) == 1
                and moved == Outcome(changed=True, told=int(move_line < skip_line))
            )
        week += 2 * WEEK


@pytest.mark.rounds(2)
def test_a_skip_and_a_move_are_one_after_the_other(app: Flask) -> None:
    assert set(skips_of_what_moves(app)) == {True}


# The freeze


def cancelled_at_the_cutoff(app: Flask, worker_app: Flask, clock: time_machine.Traveller) -> Iterator[bool]:
    """Cancel a delivery while it closes: whether its boxes are frozen or not, and the trail says so once."""
    week = MONDAY

    def prepare() -> datetime:
        with worker_app.app_context(), own_transaction() as session:
            cutoff = thursday(session, week).cutoff_at
        clock.move_to(cutoff - timedelta(seconds=1))
        return cutoff

    def close() -> None:
        clock.move_to(cutoff)
        with worker_app.app_context():
            freeze_due()

    def begin() -> Outcome:
        return cancelled(app, week)

    cutoff = prepare()
    for outcome, failure in meetings(app, begin, close):
        with worker_app.app_context(), own_transaction() as session:
            delivery = thursday(session, week)
            baskets = session.scalars(select(Basket.id).where(Basket.delivery_id == delivery.id)).all()
            yield (
                not failed(outcome, failure)
                and outcome == Outcome(changed=True, told=1)
                and len(baskets)
                == len(lines(session, "delivery.freeze", delivery.id))
                == bool(delivery.frozen_at)
                and len(lines(session, "delivery.cancel", delivery.id)) == 1
            )
        week += 2 * WEEK
        cutoff = prepare()


@pytest.mark.rounds(2)
def test_what_is_cancelled_at_the_cutoff_is_frozen_or_is_not(
    app: Flask, clock: time_machine.Traveller
) -> None:
    assert set(cancelled_at_the_cutoff(app, app, clock)) == {True}


# Two of the staff


def cancelled_by_two(app: Flask, worker_app: Flask) -> Iterator[bool]:
    """Cancel a delivery twice at once: whether it was done by one of them, in one line, with one mail."""
    week = MONDAY

    def cancel_it() -> Outcome:
        return cancelled(app, week)

    for results in meetings(app, cancel_it, cancel_it):
        with worker_app.app_context(), own_transaction() as session:
            before = mails(session)
        tell(worker_app)
        with worker_app.app_context(), own_transaction() as session:
            yield (
                not failed(*results)
                and {outcome.told for outcome in results if outcome.changed} == {1}
                and sorted(outcome.changed for outcome in results) == [False, True]
                and len(lines(session, "delivery.cancel", thursday(session, week).id)) == 1
                and mails(session) == before + 1
            )
        week += 2 * WEEK


@pytest.mark.rounds(2)
def test_two_who_cancel_at_once_are_one_cancellation_one_line_one_mail_each(app: Flask) -> None:
    assert set(cancelled_by_two(app, app)) == {True}


def test_without_locks_two_who_cancel_get_in_each_others_way(app: Flask, unlocked: Flask) -> None:
    assert not all(cancelled_by_two(unlocked, app))


# Two workers


def told_by_two_workers(app: Flask) -> Iterator[bool]:
    """Have two workers tell of a cancelled delivery at once: whether each person gets one mail."""
    week = MONDAY

    def work() -> None:
        with app.app_context(), own_transaction() as session:
            notices.tell(session, account)

    def prepare() -> int:
        assert cancelled(app, week).told == 1
        with app.app_context(), own_transaction() as session:
            return session.scalars(select(DeliveryNotice.account_id)).one()

    account, before = prepare(), 0
    for results in meetings(app, work, work):
        with app.app_context(), own_transaction() as session:
            waiting, told = session.scalars(select(DeliveryNotice)).all(), mails(session)
        yield not failed(*results) and not waiting and told == before + 1
        week += 2 * WEEK
        account, before = prepare(), told


@pytest.mark.rounds(2)
def test_two_workers_tell_everybody_once(app: Flask) -> None:
    assert set(told_by_two_workers(app)) == {True}


def test_without_locks_two_workers_tell_twice_or_fail(unlocked: Flask) -> None:
    assert not all(told_by_two_workers(unlocked))


def test_a_worker_that_is_killed_leaves_nobody_out_and_tells_nobody_twice(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        crowd.add(session, 80, tour="jeudi")
    told = cancelled(app, MONDAY).told

    def recipients() -> list[str]:
        with app.app_context(), own_transaction() as session:
            return list(session.scalars(select(Mail.recipient)))

    with worker(app, "smtp://127.0.0.1:9") as process:
        wait_until(lambda: len(recipients()) > 5, process)
    tell(app)
    assert len(recipients()) == len(set(recipients())) == told > 40
