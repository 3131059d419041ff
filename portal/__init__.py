"""The subscriber portal of a farm that delivers weekly vegetable boxes."""

from functools import partial
from typing import Any, cast

from flask import Flask, g
from flask_compress import Compress
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.local import LocalProxy
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import cli, farm, member, public
from portal.accounts import security
from portal.accounts.jobs import TASKS as ACCOUNTS
from portal.accounts.vies import asker, check_next
from portal.billing import customers
from portal.billing.jobs import TASKS as BILLING
from portal.boxes.jobs import TASKS as BOXES
from portal.deliveries.jobs import TASKS as DELIVERIES
from portal.exchange.jobs import TASKS as EXCHANGE
from portal.farm import components
from portal.infra import clock, jobs, logs, orm, outbox
from portal.infra.jobs import DAY, MINUTE, Task
from portal.infra.mail import Sender
from portal.infra.postman import Postman
from portal.messages.jobs import TASKS as MESSAGES
from portal.planning import drafts, renouncing
from portal.planning.jobs import TASKS as PLANNING
from portal.privacy import leaving
from portal.privacy.jobs import TASKS as PRIVACY
from portal.profile.queries import Farm, get_farm
from portal.public import sign_in
from portal.settings import ROOT, Mode, Settings
from portal.shop import arrivals, withdrawals
from portal.shop.jobs import TASKS as SHOP
from portal.web import (
    assets,
    converters,
    doors,
    doubles,
    errors,
    filters,
    headers,
    i18n,
    limits,
    templates,
    transaction,
)


def create_app(settings: Settings) -> Flask:
    """The one place where everything meets."""
    app = Flask(__name__, static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.secret_key,
        DEBUG=settings.debug,
        TESTING=settings.mode is Mode.TEST,
        SERVER_NAME=settings.host,
        TRUSTED_HOSTS=[settings.hostname],
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session
        COMPRESS_MIMETYPES=["text/html", "application/json"],
        COMPRESS_ALGORITHM=["br", "gzip"],
    )
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )
    app.jinja_environment = templates.Environment
    app.jinja_options = {"cache_size": -1}  # all of them: there are more than the 400 that Jinja keeps
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    logs.init_app(app)
    orm.init_app(app, settings)
    Migrate(app, orm.db, directory=str(ROOT / "migrations"), render_as_batch=True, compare_type=True)
    Compress(app)
    headers.init_app(app, https=settings.https)
    errors.init_app(app)
    limits.init_app(app)
    transaction.init_app(app)
    CSRFProtect(app).exempt("portal.public.letters.set_letters")  # its signed address is what opens it
    converters.init_app(app)
    i18n.init_app(app)
    filters.init_app(app)
    assets.init_app(app)
    security.init_app(app, settings)
    doors.init_app(app)
    arrivals.init_app(app)
    leaving.init_app(app)
    renouncing.init_app(app)
    withdrawals.init_app(app)
    customers.init_app(app)
    drafts.init_app(app)
    _register_faces(app, settings)
    doubles.init_app(app)
    _share_with_templates(app, settings)
    _register_jobs(app, settings)
    cli.register(app)
    return app


def _register_faces(app: Flask, settings: Settings) -> None:
    app.register_blueprint(public.blueprint)
    app.register_blueprint(sign_in.security)
    app.register_blueprint(member.blueprint)
    app.register_blueprint(farm.blueprint)
    if settings.mode is Mode.DEVELOPMENT:
        app.add_url_rule("/ferme/composants", "farm.components", components.show_components)


def _share_with_templates(app: Flask, settings: Settings) -> None:
    def card() -> Farm:
        """The farm's card, read at most once a request."""
        if "farm" not in g:
            g.farm = get_farm(orm.db.session())
        return cast(Farm, g.farm)

    @app.context_processor
    def values() -> dict[str, Any]:
        return {"farm": LocalProxy(card), "demo": settings.mode is Mode.DEMO}


def _register_jobs(app: Flask, settings: Settings) -> None:
    def sender() -> Sender:
        with orm.own_transaction() as session:
            card = get_farm(session)
        return Sender(card.name, card.email)

    jobs.register(
        app,
        Task("mail", 2, Postman(settings, sender)),
        Task("mail bodies", DAY, lambda: outbox.forget_bodies(clock.now())),
    )
    if settings.vies_url:
        jobs.register(app, Task("VAT numbers", MINUTE, partial(check_next, asker(settings.vies_url))))
    for tasks in (ACCOUNTS, DELIVERIES, BOXES, SHOP, PLANNING, EXCHANGE, BILLING, MESSAGES, PRIVACY):
        jobs.register(app, *tasks)
