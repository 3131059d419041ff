"""Flask-Security as this site uses it: passwords, who is signed in, roles. Pages and sessions are our own."""

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_login.utils import _user_context_processor
from flask_security import Security, SQLAlchemyUserDatastore

from portal.accounts import acting, factors, services, sessions
from portal.accounts.models import Account, Role
from portal.infra.orm import db
from portal.settings import Settings
from portal.web.guards import ask_to_sign_in

CONFIG = {
    "SECURITY_PASSWORD_HASH": "argon2",
    "SECURITY_PASSWORD_SCHEMES": ["argon2"],
    # argon2 salts by itself: with a second key, losing that would lose every password
    "SECURITY_PASSWORD_SINGLE_HASH": ["argon2"],
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {
        "argon2__memory_cost": 19_456,
        "argon2__time_cost": 2,
        "argon2__parallelism": 1,
    },
    "SECURITY_CLI_USERS_NAME": False,
    "SECURITY_CLI_ROLES_NAME": False,
    # phones change their address and browsers their name: neither ends a session
    "SESSION_PROTECTION": None,
}


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(CONFIG)
    sessions.init_app(app, settings)
    # Its views stay out: ours answer 303 and 422, know the limits and follow no `next` off the site.
    security = Security(app, SQLAlchemyUserDatastore(db, Account, Role), register_blueprint=False)
    security.login_manager.user_loader(acting.present_account)
    acting.init_app(app)
    factors.init_app(app, settings)
    security.login_manager.unauthorized_handler(ask_to_sign_in)
    app.register_error_handler(services.Closed, _ask_the_closed)
    _ask_late(app, security)


def _ask_the_closed(_closed: services.Closed) -> ResponseReturnValue:
    db.session.rollback()
    return ask_to_sign_in()


def _ask_late(app: Flask, security: Security) -> None:
    """Nobody asks who is signed in before a page does: static files, /sante and error pages do not care."""
    app.before_request_funcs[None].remove(security.principal._on_before_request)
    app.after_request_funcs[None].remove(security.login_manager._update_remember_cookie)
    app.template_context_processors[None].remove(_user_context_processor)
    app.jinja_env.globals["current_user"] = current_user
    security.login_manager.request_loader(None)  # no tokens in headers or addresses
