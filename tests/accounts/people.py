"""What the tests of accounts do again and again."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra.orm import db
from tests.client import Browser


@contextmanager
def database(app: Flask) -> Iterator[Session]:
    """A session beside the clients' requests, committed at the end."""
    with app.app_context():
        yield db.session()
        db.session.commit()


def account_of(session: Session, email: str) -> Account:
    return session.scalars(select(Account).where(Account.email == email)).one()


def browser_of(app: Flask) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    return browser


def signed_in(app: Flask, email: str) -> Browser:
    browser = browser_of(app)
    assert browser.sign_in_by_form(email).status_code == 303
    return browser


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("session")
    return found.value if found else ""


def with_cookie(app: Flask, value: str) -> Browser:
    thief = browser_of(app)
    thief.set_cookie("session", value)
    return thief


def opens(client: FlaskClient) -> bool:
    return client.get("/mon-compte").status_code == 200
