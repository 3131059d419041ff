"""Two admins who take each other's role at the same moment: one of them stays (BAR Z5)."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import Account, Role
from portal.infra.orm import own_transaction
from portal.rules.permissions import RoleName
from tests.client import Browser
from tests.races.helpers import meetings
from tests.world import ADMIN, STAFF

SOPHIE, GERARD = 3, 4
Act = Callable[[Browser, int], TestResponse]


def admins(app: Flask) -> list[int]:
    with app.app_context(), own_transaction() as session:
        found = select(Account.id).where(Account.active, Account.roles.any(name=RoleName.ADMIN))
        return list(session.scalars(found))


def both_admins(app: Flask) -> None:
    with app.app_context(), own_transaction() as session:
        role = session.scalars(select(Role).where(Role.name == RoleName.ADMIN)).one()
        for account in session.scalars(select(Account).where(Account.id.in_((SOPHIE, GERARD)))):
            account.roles, account.active = [role], True


def at_work(app: Flask, email: str) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/mon-compte")
    return browser


def remove(browser: Browser, other: int) -> TestResponse:
    return browser.submit(f"/ferme/equipe/{other}/depart")


def shut_out(browser: Browser, other: int) -> TestResponse:
    return browser.submit(f"/ferme/abonnes/{other}/fermeture")


def left_over(app: Flask, act: Act) -> Iterator[int]:
    """How many admins there are after each meeting."""
    both_admins(app)
    one, other = at_work(app, STAFF), at_work(app, ADMIN)
    for answers in meetings(app, partial(remove, one, GERARD), partial(act, other, SOPHIE)):
        assert all(answer.status_code in {303, 403, 422} for answer in answers)
        yield len(admins(app))
        both_admins(app)
        one, other = at_work(app, STAFF), at_work(app, ADMIN)


@pytest.mark.parametrize("act", [remove, shut_out])
def test_one_admin_stays(app: Flask, act: Act) -> None:
    assert set(left_over(app, act)) == {1}


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_without_the_lock_none_would(app: Flask, unlocked: Flask) -> None:
    assert 0 in set(left_over(unlocked, remove))
