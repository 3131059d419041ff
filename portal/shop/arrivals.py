"""Who signs in brings along what they had chosen as a visitor; who leaves, leaves nothing behind."""

from flask import Flask
from flask_login import user_logged_in, user_logged_out

from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db
from portal.shop.carts import joined
from portal.shop.drafts import OfAccount, OfVisitor


def init_app(app: Flask) -> None:
    user_logged_in.connect(_join, app)
    user_logged_out.connect(_forget, app)


def _join(_app: Flask, user: Account) -> None:
    session = db.session()
    visitor, account = OfVisitor(session), OfAccount(session, user.holder.id)
    chosen = visitor.read()
    if chosen.entries:
        mine = account.hold(clock.now())
        account.save(joined(session, mine, chosen, now := clock.now()), now)
    visitor.forget()


def _forget(_app: Flask, **_: object) -> None:
    OfVisitor(db.session()).forget()
