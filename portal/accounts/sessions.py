"""Sessions as rows: the cookie holds a random id and nothing else, the database holds only its hash.

A visitor who leaves nothing to keep has no row, and the CSRF secret is derived from the id: a GET writes
nothing, and checking a form needs no query. The row is read when somebody asks who is signed in, not before.
"""

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, g, request
from flask import session as current
from flask.sessions import SessionInterface, SessionMixin
from flask_login import user_logged_in, user_logged_out
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import joinedload

from portal.accounts.models import Account, SignInSession
from portal.infra import clock
from portal.infra.orm import db, own_transaction
from portal.settings import Settings
from portal.web.transaction import SAFE_METHODS

logger = logging.getLogger(__name__)

SUBSCRIBER_IDLE = timedelta(days=30)
STAFF_IDLE = timedelta(hours=12)
"""Staff see everybody's data, on machines that others use: a working day."""
VISITOR_IDLE = timedelta(days=1)
SEEN_EVERY = timedelta(hours=1)
"""How old `seen_at` may get: a page view need not be a write."""

CSRF = "csrf_token"
_ID = re.compile(r"[A-Za-z0-9_-]{43}")


def hash_token(token: str) -> str:
    """What is kept of a random token; 256 random bits need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()


_WITH_ACCOUNT = (
    select(SignInSession, Account)
    .outerjoin(Account, Account.id == SignInSession.account_id)
    .options(joinedload(Account.roles))
    .where(SignInSession.token_hash == bindparam("token_hash"))
)


class RowSession(SessionMixin):
    """One browser's session; reads its row at the first question that the cookie cannot answer."""

    modified = False

    def __init__(self, token: str | None, secret_key: str) -> None:
        self.token = token or secrets.token_urlsafe(32)
        self.must_send = False
        """The browser does not know the id yet, or not how long to keep it."""
        self._known = token is not None
        self._secret_key = secret_key
        self._values: dict[str, Any] | None = None
        self._row: SignInSession | None = None
        self._left: list[int] = []
        self._account_id: int | None = None
        self._account: Account | None = None
        self._idle = VISITOR_IDLE

    @property
    def max_age(self) -> timedelta | None:
        """How long the browser keeps the cookie; a visitor's goes when it is closed."""
        return self._idle if self._account_id else None

    @property
    def row_id(self) -> int | None:
        self._load()
        return self._row.id if self._row else None

    @property
    def account(self) -> Account | None:
        """Whose row it is; read with it, so that a page asks once who is there."""
        self._load()
        return self._account

    def _load(self) -> dict[str, Any]:
        if self._values is None:
            self._values = {}
            if self._known:
                self._read(clock.now())
        return self._values

    def _read(self, now: datetime) -> None:
        found = db.session.execute(_WITH_ACCOUNT, {"token_hash": hash_token(self.token)})
        row, account = found.unique().one_or_none() or (None, None)
        if row is None:
            return
        if row.revoked_at is not None or row.expires_at <= now:
            self._change_id()
            return
        db.session.expunge(row)
        self._row, self._values = row, dict(row.data)
        self._account_id, self._idle = row.account_id, row.expires_at - row.seen_at
        self._account = account

    def __getitem__(self, key: str) -> Any:
        if key == CSRF:
            self.must_send |= not self._known
            return hmac.digest(self._secret_key.encode(), f"csrf {self.token}".encode(), "sha256").hex()
        return self._load()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._load()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._load()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._load())

    def __len__(self) -> int:
        return len(self._load())

    def renew(self) -> None:
        """Go on under a new id; the old one is revoked and opens nothing any more (BAR S1)."""
        self._load()
        if self._row is not None:
            self._left.append(self._row.id)
        self._row = None
        self._change_id()

    def _change_id(self) -> None:
        self.token = secrets.token_urlsafe(32)
        self._known, self.must_send = False, True
        g.pop(CSRF, None)  # where Flask-WTF keeps the token of the old id

    def sign_in(self, account: Account) -> None:
        self.renew()
        self._account_id = account.id
        self._idle = STAFF_IDLE if account.is_staff else SUBSCRIBER_IDLE

    def leave_other(self, account: Account) -> None:
        """Who comes in has nothing to do with what somebody else, who did not sign out, had begun here."""
        self._load()
        if self._account_id not in {None, account.id}:
            self.sign_out()

    def sign_out(self) -> None:
        self.renew()
        self.clear()
        self._account_id, self._idle = None, VISITOR_IDLE

    def store(self, now: datetime) -> None:
        """Write what changed, beside the request's own transaction, which has ended."""
        begins = self._row is None and bool(self._values)
        ages = self._row is not None and now - self._row.seen_at >= SEEN_EVERY
        if not (begins or ages or self._left or (self._row and self.modified)):
            return
        self.must_send |= begins or ages
        with own_transaction() as session:
            if self._account_id and (begins or ages):
                session.execute(update(Account).where(Account.id == self._account_id).values(seen_at=now))
            if self._left:
                session.execute(
                    update(SignInSession)
                    .where(SignInSession.id.in_(self._left), SignInSession.revoked_at.is_(None))
                    .values(revoked_at=now)
                )
            if self._row is not None:
                # never `merge`: a row revoked while this request ran stays revoked (BAR K14)
                session.execute(
                    update(SignInSession)
                    .where(SignInSession.id == self._row.id, SignInSession.revoked_at.is_(None))
                    .values(data=self._values, seen_at=now, expires_at=now + self._idle)
                )
            elif begins:
                session.add(
                    SignInSession(
                        token_hash=hash_token(self.token),
                        account_id=self._account_id,
                        data=self._values,
                        created_at=now,
                        seen_at=now,
                        expires_at=now + self._idle,
                    )
                )


class RowSessions(SessionInterface):
    """Hands Flask its sessions."""

    def open_session(self, app: Flask, request: Request) -> RowSession:
        token = request.cookies.get(self.get_cookie_name(app), "")
        return RowSession(token if _ID.fullmatch(token) else None, app.config["SECRET_KEY"])

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, RowSession)
        if response.status_code >= 500:
            return  # what the request did has been rolled back
        try:
            session.store(clock.now())
        except (OperationalError, PoolTimeout) as error:
            if request.method not in SAFE_METHODS:
                raise
            logger.warning("session not saved: %s", type(error).__name__)
            return
        except IntegrityError:
            return  # two requests of one visitor began it at once: the other's row stands
        if session.must_send:
            response.set_cookie(
                self.get_cookie_name(app),
                session.token,
                max_age=session.max_age,
                path="/",
                secure=self.get_cookie_secure(app),
                httponly=True,
                samesite="Lax",
            )


def current_row_id() -> int | None:
    """The row of the request's own session, to mark it in a list."""
    return _session().row_id


def renew() -> None:
    """Go on under another id: what this browser has just shown is no other's that knew the old one."""
    _session().renew()


def leave_other(account: Account) -> None:
    _session().leave_other(account)


def current_account(uniquifier: str) -> Account | None:
    """Whose session this is, for Flask-Login; nobody once the account is closed or its sessions were ended."""
    account = _session().account
    known = account is not None and account.active and account.fs_uniquifier == uniquifier
    return account if known else None


def init_app(app: Flask, settings: Settings) -> None:
    # a browser takes a __Host- cookie over https only, from this host alone, for the whole site
    app.config["SESSION_COOKIE_NAME"] = "__Host-session" if settings.https else "session"
    app.config["SESSION_COOKIE_SECURE"] = settings.https
    app.session_interface = RowSessions()
    user_logged_in.connect(_begin, app)
    user_logged_out.connect(_end, app)


def _begin(_app: Flask, user: Account) -> None:
    current.pop("_id", None)  # Flask-Login's fingerprint of the browser: not asked for, so not kept
    _session().sign_in(user)


def _end(_app: Flask, **_: object) -> None:
    _session().sign_out()


def _session() -> RowSession:
    session = current._get_current_object()  # type: ignore[attr-defined]
    assert isinstance(session, RowSession)
    return session
