"""A test client that behaves as a browser would: keeps the CSRF token of the page, checks every page it gets."""

import re
from contextvars import Context
from functools import lru_cache
from typing import Any

import html5lib
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.accounts.entering import Way, enter
from portal.accounts.models import Account
from portal.infra.orm import db
from tests.world import PASSPHRASE

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
INLINE = re.compile(r"<[^>]+\s(?:style|on[a-z]+)=", re.IGNORECASE)
PLAIN = r"(?:[^<>&\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]|&(?:amp|lt|gt|#34|#39);)"
WORDS = re.compile(rf">(?!\s*<){PLAIN}+(?=<)")
VALUE = re.compile(rf'="(?:(?!"){PLAIN})+"')


def shape(html: str) -> str:
    """The page without its plain words: whether it is valid does not hang on them."""
    return VALUE.sub('=""', WORDS.sub(">x", html))


@lru_cache(maxsize=4096)  # most pages are fetched again and again
def check(html: str) -> None:
    """Valid, and nothing inline; raises what is wrong."""
    parser = html5lib.HTMLParser(strict=True)
    if html.lstrip().lower().startswith("<!doctype"):
        parser.parse(html)
    else:
        parser.parseFragment(html)
    assert not INLINE.search(html), "inline style or script, which the CSP stops"


class Browser(FlaskClient):
    """`htmx` sends what HTMX sends; `token` is the last CSRF token seen on a page."""

    htmx = False
    token = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if self.htmx and kwargs.get("method", "GET") != "GET":
            kwargs["headers"] = {**kwargs.get("headers", {}), "HX-Request": "true"}
        self._let_go_of_the_database()
        response = Context().run(
            super().open, *args, **kwargs
        )  # the test's own contexts stay out of the request
        if response.mimetype == "text/html" and response.data:
            self._check(response)
        return response

    def _let_go_of_the_database(self) -> None:
        """What a test prepared must be committed; its read transaction would hide what the request writes."""
        session = self.application.extensions.get("test_session")
        if session is not None and session.in_transaction():
            assert not (session.new or session.dirty or session.deleted), "commit before a request"
            session.rollback()

    def _check(self, response: TestResponse) -> None:
        if response.headers["Content-Security-Policy"].startswith("sandbox"):
            return  # a mail as it is laid out, with styles of its own
        html = response.get_data(as_text=True)
        check(shape(html))
        if found := TOKEN.search(html):
            self.token = found[1]

    def submit(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """POST a form with the token of the last page."""
        if not self.token:
            self.get("/connexion")
        return self.post(path, data={"csrf_token": self.token, **(data or {})}, **kwargs)

    def sign_in(self, email: str) -> None:
        """Be who has just signed in, without asking a slow hash again; the form is walked in tests/accounts."""
        self._let_go_of_the_database()
        Context().run(self._enter, email)
        self.token = ""

    def _enter(self, email: str) -> None:
        app = self.application
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in self._cookies.values())
        with app.test_request_context("/connexion", method="POST", headers={"Cookie": cookies}):
            enter(db.session.scalars(select(Account).where(Account.email == email)).one(), Way.PASSWORD)
            answer = app.process_response(app.response_class())
            host = app.config["SETTINGS"].hostname
            self._update_cookies_from_response(host, "/", answer.headers.getlist("Set-Cookie"))

    def sign_in_by_form(self, email: str, password: str = PASSPHRASE) -> TestResponse:
        htmx, self.htmx = self.htmx, False
        self.get("/connexion")
        response = self.submit("/connexion", {"email": email, "password": password})
        self.htmx = htmx
        self.token = ""
        return response
