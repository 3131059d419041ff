"""Buyers with a filled order and its form on the screen, made without a page."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import own_transaction
from portal.rules.money import Money
from portal.shop import drafts
from portal.shop.checkout import summary
from portal.shop.drafts import Draft, Entry, OfAccount
from portal.shop.vouchers import Person
from tests.client import Browser
from tests.shop.making import delivery
from tests.world import TUESDAY

PAGE = "/ma-commande/validation"
HALLE = 1
CONTACT = {
    "nom": "Emma Roux",
    "telephone": "06 39 98 00 02",
    "adresse": "3 rue du Four",
    "code-postal": "05700",
    "ville": "Serres",
}


@dataclass(frozen=True)
class Buyer:
    """`press` sends the form; each has an address of their own."""

    app: Flask
    cookies: dict[str, str]
    form: dict[str, str]
    number: int = 1

    def press(self, **changes: str) -> TestResponse:
        browser: Browser = self.app.test_client()  # type: ignore[assignment]
        for name, value in self.cookies.items():
            browser.set_cookie(name, value)
        client = {"REMOTE_ADDR": f"10.0.{self.number // 250}.{self.number % 250 + 1}"}
        return browser.post(PAGE, data={**self.form, **changes}, environ_base=client)


def guests(
    app: Flask, *wanted: dict[int, int], voucher: str | None = None, day: date = TUESDAY
) -> list[Buyer]:
    """Visitors, each with these quantities of articles."""
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.get("/connexion")
    made = []
    for number, quantities in enumerate(wanted, 1):
        draft = _draft(app, quantities, voucher=voucher, day=day)
        cookies = {"session": _cookie(browser, "session"), "cart": kept(app, draft)}
        form = _form(app, draft, Person(None, None), browser.token) | {"email": f"guest{number}@example.org"}
        made.append(Buyer(app, cookies, form, number))
    return made


def subscriber(app: Flask, email: str, quantities: dict[int, int], *, voucher: str | None = None) -> Buyer:
    """Somebody who is signed in, with these quantities of articles."""
    browser: Browser = app.test_client()  # type: ignore[assignment]
    browser.sign_in(email)
    browser.get("/mon-compte")
    draft = _draft(app, quantities, voucher=voucher)
    with app.app_context(), own_transaction() as session:
        account_id = session.scalars(select(Account.id).where(Account.email == email)).one()
        keeper = OfAccount(session, account_id)
        keeper.hold(clock.now())
        keeper.save(draft, clock.now())
    form = _form(app, draft, Person(account_id, email), browser.token)
    return Buyer(app, {"session": _cookie(browser, "session")}, form)


def _draft(app: Flask, quantities: dict[int, int], *, voucher: str | None, day: date = TUESDAY) -> Draft:
    with app.app_context(), own_transaction() as session:
        entries = {number: Entry(quantity, Money(1)) for number, quantity in quantities.items()}
        return Draft(entries=entries, delivery_id=delivery(session, day).id, point_id=HALLE, voucher=voucher)


def _form(app: Flask, draft: Draft, person: Person, token: str) -> dict[str, str]:
    with app.app_context(), own_transaction() as session:
        seen = summary(session, draft, person, clock.now())
    return {**CONTACT, "csrf_token": token, "commande": draft.key, "vu": seen.digest}


def kept(app: Flask, draft: Draft) -> str:
    """A draft as a visitor's browser keeps it."""
    with app.test_request_context():
        drafts.OfVisitor(None).save(draft, clock.now())  # type: ignore[arg-type]
        sent = app.process_response(app.response_class()).headers.getlist("Set-Cookie")
    return next(found[1] for header in sent if (found := re.match(r"cart=([^;]+)", header)))


def _cookie(browser: Browser, name: str) -> str:
    cookie: Any = browser.get_cookie(name)
    assert cookie
    return str(cookie.value)
