"""Ending a contract in two tabs at once, and handing a box over in two."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, func, select, update
from werkzeug.test import TestResponse

from portal.boxes.models import Handover
from portal.infra.orm import Base, own_transaction
from portal.infra.outbox import Attachment, Mail
from portal.infra.throttle import RateCount
from portal.planning.models import Termination
from portal.subscriptions.models import Subscription
from tests.client import Browser
from tests.races.helpers import meetings
from tests.races.test_skip_races import status
from tests.races.test_terms_races import tab
from tests.world import CAMILLE, CUTOFF, TODAY, TUESDAY

NOTICE = {"nom": "Camille Aubert", "adresse": CAMILLE, "jour": "", "abonnement": "1", "fin-1": TODAY}
LOUISE = {"nom": "Louise Roux", "email": "louise@example.org"}


def notify(browser: Browser) -> TestResponse:
    return browser.submit("/resilier/notification", NOTICE)


def hand_over(browser: Browser) -> TestResponse:
    return browser.submit(f"/livraisons/{TUESDAY}/mardi/1/remise", LOUISE)


def once(app: Flask, reader: Flask, act: Any, wanted: dict[type[Base], int]) -> Iterator[bool]:
    """One act in two tabs: whether it is written once, and both tabs are led to the same page."""
    one, other = partial(act, tab(app)), partial(act, tab(app))
    for answers in meetings(app, one, other):
        with reader.app_context(), own_transaction() as session:
            found = {table: session.scalar(select(func.count()).select_from(table)) for table in wanted}
            for table in (Attachment, Mail, Termination, Handover, RateCount):
                session.execute(delete(table))
            session.execute(update(Subscription).values(last_day=None))
        ways = {getattr(answer, "location", answer) for answer in answers}
        yield [status(a) for a in answers] == [303, 303] and len(ways) == 1 and found == wanted


def ends(app: Flask, reader: Flask) -> Iterator[bool]:
    return once(app, reader, notify, {Termination: 1, Mail: 1})


def hands(app: Flask, reader: Flask) -> Iterator[bool]:
    return once(app, reader, hand_over, {Handover: 2, Mail: 2})


def test_a_contract_ends_once_with_one_receipt(app: Flask) -> None:
    assert set(ends(app, app)) == {True}


def test_without_locks_it_ends_twice(app: Flask, unlocked: Flask) -> None:
    assert not all(ends(unlocked, app))


@pytest.fixture
def closed(clock: time_machine.Traveller) -> None:
    clock.move_to(CUTOFF)


@pytest.mark.usefixtures("closed")
def test_a_box_is_handed_over_once(app: Flask) -> None:
    assert set(hands(app, app)) == {True}


@pytest.mark.usefixtures("closed")
def test_without_locks_it_is_handed_over_twice(app: Flask, unlocked: Flask) -> None:
    assert not all(hands(unlocked, app))
