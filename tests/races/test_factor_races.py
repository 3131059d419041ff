"""A second factor shown twice at the same moment, in two browsers that are half-way: it opens one (BAR S1, S4)."""

import base64
from collections.abc import Callable, Iterator

import pyotp
import pytest
from flask import Flask
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from portal.accounts import factors
from portal.accounts.models import Account, RecoveryCode, SecondFactor
from portal.infra.orm import own_transaction
from portal.infra.throttle import RateCount
from tests.accounts.people import account_of, browser_of, opens
from tests.client import Browser
from tests.races.helpers import meetings
from tests.races.test_skip_races import status
from tests.world import CAMILLE, NOW

STEP = "/connexion/deux-etapes"


def set_up(app: Flask) -> dict[str, str]:
    """A code of Camille's authenticator and a recovery code, neither used, and as many tries as at first."""
    with app.app_context(), own_transaction() as session:
        for table in (RateCount, RecoveryCode, SecondFactor):
            session.execute(delete(table))
        camille: Account = account_of(session, CAMILLE)
        factors.begin(session, camille, at=NOW)
        factor = factors.find(session, camille)
        assert factor is not None
        code = pyotp.TOTP(base64.b32encode(factor.secret).decode()).at(NOW)
        [recovery, *_] = factors.confirm(session, camille, code, at=NOW) or []
        session.execute(update(SecondFactor).values(last_step=None))
    return {"code": code, "recovery": recovery}


def half_way(app: Flask) -> Browser:
    browser = browser_of(app)
    browser.sign_in(CAMILLE)
    browser.get(STEP)
    return browser


def give(browser: Browser, field: str, code: str) -> TestResponse:
    return browser.submit(STEP, {field: code})


def rounds(app: Flask, field: str) -> Iterator[tuple[list[int], int]]:
    """Both answers, and in how many of the two browsers the account is open."""
    pair: list[Browser] = []

    def show(number: int) -> Callable[[], TestResponse]:
        return lambda: give(pair[number], field, codes[field])

    def begin() -> dict[str, str]:
        fresh = set_up(app)
        pair[:] = half_way(app), half_way(app)
        return fresh

    codes = begin()
    for answers in meetings(app, show(0), show(1)):
        yield sorted(map(status, answers)), sum(map(opens, pair))
        codes = begin()


@pytest.mark.parametrize("field", ["code", "recovery"])
def test_a_second_factor_shown_twice_at_once_opens_one_browser(app: Flask, field: str) -> None:
    assert set(map(repr, rounds(app, field))) == {repr(([303, 422], 1))}
