"""The order that is being filled, as an account's rows or a visitor's signed cookie keep it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Protocol

from flask import Response, after_this_request, current_app, request
from flask import session as visit
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from portal.infra import locks
from portal.infra.orm import insert
from portal.rules.money import Money
from portal.settings import Settings
from portal.shop.models import Cart, CartLine

MOST_LINES = 40
"""A visitor's cookie holds no more, and nobody orders more."""
COOKIE_LIVES = timedelta(days=30)
TYPED = "buyer"
"""Where a visitor's session, a row that is gone after a day, keeps what was typed at the checkout."""


def new_key() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Entry:
    """So much of an article, and what a unit of it cost when its buyer was last told."""

    quantity: int
    seen_price: Money


@dataclass(frozen=True, slots=True)
class Draft:
    """`key` names it until it is ordered, so that it makes one order.

    With a delivery and no point it goes with the box of that delivery, with neither with the next box.
    """

    key: str = field(default_factory=new_key)
    entries: Mapping[int, Entry] = field(default_factory=lambda: MappingProxyType({}))
    delivery_id: int | None = None
    point_id: int | None = None
    voucher: str | None = None

    def having(self, article_id: int, entry: Entry) -> "Draft":
        """The same with so much of an article; with nothing of it where the quantity is none."""
        entries = {**self.entries, article_id: entry}
        if not entry.quantity:
            del entries[article_id]
        return replace(self, entries=entries)


class Keeper(Protocol):
    """Where a draft is kept. `hold` reads it for a change that `save` writes down."""

    def read(self) -> Draft: ...
    def hold(self, at: datetime) -> Draft: ...
    def save(self, draft: Draft, at: datetime) -> None: ...


def keeper(session: Session, account_id: int | None) -> Keeper:
    return OfVisitor(session) if account_id is None else OfAccount(session, account_id)


# An account's


_LINES = (
    select(
        Cart.key,
        Cart.delivery_id,
        Cart.pickup_point_id,
        Cart.voucher_code,
        CartLine.article_id,
        CartLine.quantity,
        CartLine.seen_price,
    )
    .outerjoin(Cart.lines)
    .where(Cart.account_id == bindparam("account_id"))
    .order_by(CartLine.id)
)


@dataclass(frozen=True, slots=True)
class OfAccount:
    """In rows; `hold` locks them until our commit."""

    session: Session
    account_id: int

    def read(self) -> Draft:
        rows = self.session.execute(_LINES, {"account_id": self.account_id}).all()
        if not rows:
            return Draft()
        entries = {row.article_id: Entry(row.quantity, row.seen_price) for row in rows if row.article_id}
        cart = rows[0]
        return Draft(cart.key, entries, cart.delivery_id, cart.pickup_point_id, cart.voucher_code)

    def hold(self, at: datetime) -> Draft:
        new = {"account_id": self.account_id, "key": new_key(), "changed_at": at}
        self.session.execute(insert(self.session, Cart).values(new).on_conflict_do_nothing())
        own = select(Cart.account_id).where(Cart.account_id == self.account_id)
        self.session.scalars(locks.for_update(own, of=Cart)).one()
        return self.read()

    def save(self, draft: Draft, at: datetime) -> None:
        self.session.execute(
            update(Cart)
            .where(Cart.account_id == self.account_id)
            .values(
                key=draft.key,
                delivery_id=draft.delivery_id,
                pickup_point_id=draft.point_id,
                voucher_code=draft.voucher,
                changed_at=at,
            )
        )
        mine = CartLine.account_id == self.account_id
        self.session.execute(delete(CartLine).where(mine, CartLine.article_id.not_in(draft.entries)))
        for article_id, entry in draft.entries.items():
            said = {"quantity": entry.quantity, "seen_price": entry.seen_price}
            line = insert(self.session, CartLine).values(
                account_id=self.account_id, article_id=article_id, **said
            )
            self.session.execute(
                line.on_conflict_do_update(index_elements=["account_id", "article_id"], set_=said)
            )


# A visitor's


@dataclass(frozen=True, slots=True)
class OfVisitor:
    """In a cookie that holds nothing personal; what is saved is sent with this request's answer."""

    session: Session

    def read(self) -> Draft:
        sent = request.cookies.get(_cookie_name(), "")
        try:
            kept = _signer().loads(sent, max_age=int(COOKIE_LIVES.total_seconds()))
            key, delivery_id, point_id, voucher, lines = kept
            entries = {number: Entry(quantity, Money(cents)) for number, quantity, cents in lines}
        except (BadData, TypeError, ValueError):  # not ours, too old, or another release's
            return Draft()
        return Draft(key, entries, delivery_id, point_id, voucher)

    def hold(self, at: datetime) -> Draft:
        draft = self.read()
        locks.named(self.session, draft.key)
        return draft

    def save(self, draft: Draft, at: datetime) -> None:
        lines = [(number, entry.quantity, entry.seen_price.cents) for number, entry in draft.entries.items()]
        kept = (draft.key, draft.delivery_id, draft.point_id, draft.voucher, lines)
        _answer_with(_signer().dumps(kept), COOKIE_LIVES)

    def forget(self) -> None:
        visit.pop(TYPED, None)
        if _cookie_name() in request.cookies:
            _answer_with("", timedelta(0))


def _answer_with(value: str, lives: timedelta) -> None:
    @after_this_request
    def send(response: Response) -> Response:
        response.set_cookie(
            _cookie_name(),
            value,
            max_age=lives,
            path="/",
            secure=_settings().https,
            httponly=True,
            samesite="Lax",
        )
        return response


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_settings().secret_key, salt="cart")


def _cookie_name() -> str:
    return "__Host-cart" if _settings().https else "cart"


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
