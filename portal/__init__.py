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
from portal.accounts.jobs import answer_mail_requests, purge_expired
from portal.accounts.vies import asker, check_next
from portal.billing import customers, forgetting, mandates, runs
from portal.billing.checking import anchor
from portal.billing.closings import close_due
from portal.billing.debits import collect_due, tell_moved
from portal.billing.files import make_files
from portal.billing.jobs import bill_guests
from portal.billing.reminders import remind_debtors
from portal.boxes.jobs import freeze_due
from portal.deliveries.jobs import generate_ahead
from portal.exchange.jobs import forget_old_tables, work_on_archive, work_on_imports
from portal.farm import components
from portal.infra import clock, jobs, logs, orm, outbox
from portal.infra.mail import Sender
from portal.infra.postman import Postman
from portal.messages import contact
from portal.messages.birthdays import give_birthday_gifts
from portal.messages.reminders import remind
from portal.messages.sending import send_campaigns
from portal.planning import contracts, drafts, renouncing
from portal.planning.announcements import tell_of_prices, tell_of_shortages
from portal.planning.jobs import search_owners, tell_of_closings, tell_of_deliveries
from portal.planning.waiting import count_places, end_invitations
from portal.privacy import erasing, leaving
from portal.privacy.jobs import erase_departed, forget_inactive
from portal.profile.queries import Farm, get_farm
from portal.public import sign_in
from portal.settings import ROOT, Mode, Settings
from portal.shop import arrivals, withdrawals
from portal.shop.jobs import (
    accept_unjudged,
    erase_guests,
    follow_closings,
    follow_deliveries,
    mark_delivered,
)
from portal.shop.suppliers import tell_suppliers
from portal.shop.wishes import tell_what_is_back
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

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


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
    doubles.init_app(app)
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

    def purge() -> None:
        with orm.own_transaction() as session:
            purge_expired(session, clock.now())

    jobs.register(app, "mail", 2, Postman(settings, sender))
    jobs.register(app, "mail requests", 2, answer_mail_requests)
    if settings.vies_url:
        jobs.register(app, "VAT numbers", MINUTE, partial(check_next, asker(settings.vies_url)))
    jobs.register(app, "freeze", 5, freeze_due)
    jobs.register(app, "notices", 5, tell_of_deliveries)
    jobs.register(app, "closed points", 5, tell_of_closings)
    jobs.register(app, "terminations", 2, search_owners)
    jobs.register(app, "shortages", 5, tell_of_shortages)
    jobs.register(app, "announced prices", MINUTE, tell_of_prices)
    jobs.register(app, "orders under way", 5, follow_deliveries)
    jobs.register(app, "orders at closed points", 5, follow_closings)
    jobs.register(app, "places", 10 * MINUTE, count_places)
    jobs.register(app, "invitations", MINUTE, end_invitations)
    jobs.register(app, "joining drafts", DAY, drafts.forget_old)
    jobs.register(app, "old contracts", DAY, contracts.forget_old)
    jobs.register(app, "unused mandates", DAY, mandates.end_unused)
    jobs.register(app, "deliveries", DAY, generate_ahead)
    jobs.register(app, "wishes", 10 * MINUTE, tell_what_is_back)
    jobs.register(app, "unjudged orders", MINUTE, accept_unjudged)
    jobs.register(app, "suppliers", 10 * MINUTE, tell_suppliers)
    jobs.register(app, "delivered orders", 10 * MINUTE, mark_delivered)
    jobs.register(app, "monthly invoices", 2, runs.step)
    jobs.register(app, "bills of guests", 10 * MINUTE, bill_guests)
    jobs.register(app, "old guests", DAY, erase_guests)
    jobs.register(app, "old messages", DAY, contact.forget_old)
    jobs.register(app, "departures", 10 * MINUTE, erase_departed)
    jobs.register(app, "inactive accounts", HOUR, forget_inactive)
    jobs.register(app, "erasures", 10 * MINUTE, erasing.settle)
    jobs.register(app, "campaigns", 2, send_campaigns)
    jobs.register(app, "reminders", 10, remind)
    jobs.register(app, "payment reminders", 10 * MINUTE, remind_debtors)
    jobs.register(app, "old books", DAY, forgetting.forget_old)
    jobs.register(app, "closed months", HOUR, close_due)
    jobs.register(app, "anchored ledger", DAY, anchor)
    jobs.register(app, "birthdays", HOUR, give_birthday_gifts)
    jobs.register(app, "invoices' files", 2, make_files)
    jobs.register(app, "imports", 2, work_on_imports)
    jobs.register(app, "archive", 2, work_on_archive)
    jobs.register(app, "old tables", HOUR, forget_old_tables)
    jobs.register(app, "collected debits", MINUTE, collect_due)
    jobs.register(app, "moved debits", MINUTE, tell_moved)
    jobs.register(app, "sessions", HOUR, purge)
    jobs.register(app, "mail bodies", DAY, lambda: outbox.forget_bodies(clock.now()))
