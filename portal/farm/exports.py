"""The farm's lists as files, narrowed as their pages are."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from flask import current_app
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from portal.catalogue.models import Product, Unit
from portal.catalogue.queries import FormulaView, formula_prices, formulas
from portal.deliveries.queries import DeliveryState, DeliveryView, prepared_until, upcoming
from portal.exchange import leaving
from portal.exchange.tables import own_head
from portal.farm import blueprint
from portal.farm.downloads import download
from portal.farm.journal import wanted_lines
from portal.farm.orders import delivery_or_404
from portal.farm.people import wanted_people
from portal.farm.products import wanted_offers
from portal.infra import clock, outbox
from portal.infra.orm import db
from portal.infra.outbox import MailState
from portal.packing.harvest import harvest_list
from portal.packing.queries import tallies
from portal.pickup.queries import points
from portal.planning.journal import Line, Wanted, journal
from portal.planning.people import Standing
from portal.planning.subjects import Names, names
from portal.rules.calendar import Rhythm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.permissions import Permission
from portal.rules.pricing import price_on
from portal.rules.selling import SaleUnit
from portal.shop import issuing
from portal.web.filters import percent, weekday_name
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.transaction import reads_only

DELIVERY_STATES = {
    DeliveryState.OPEN: _l("ouverte"),
    DeliveryState.CLOSED: _l("close"),
    DeliveryState.DONE: _l("terminée"),
    DeliveryState.CANCELLED: _l("annulée"),
}
MAIL_STATES = {
    MailState.WAITING: _l("en attente"),
    MailState.SENT: _l("parti"),
    MailState.FAILED: _l("en échec"),
    MailState.KEPT: _l("gardé ici"),
}
STANDINGS = {
    Standing.ACTIVE: _l("abonné·e"),
    Standing.SUSPENDED: _l("suspendu"),
    Standing.ENDED: _l("terminé"),
    Standing.NEVER: _l("jamais abonné"),
    Standing.CLOSED: _l("compte fermé"),
}
RHYTHMS = {
    Rhythm.WEEKLY: _l("chaque semaine"),
    Rhythm.FORTNIGHT_A: _l("semaines A"),
    Rhythm.FORTNIGHT_B: _l("semaines B"),
}
UNITS = {Unit.KILO: _l("kg"), Unit.GRAM: _l("g"), Unit.PIECE: _l("pièce"), Unit.BUNCH: _l("botte")}
LINES_AT_ONCE = 500
A_YEAR = timedelta(days=366)


@blueprint.post("/bons/export")
@needs(Permission.VOUCHERS)
@reads_only
def export_vouchers() -> ResponseReturnValue:
    columns = {
        _("Code"): lambda v: v.code,
        _("Montant"): lambda v: v.amount,
        _("Part"): lambda v: percent(v.share) if v.share else None,
        _("Premier jour"): lambda v: v.first_day,
        _("Dernier jour"): lambda v: v.last_day,
        _("À partir de"): lambda v: v.minimum,
        _("Utilisations en tout"): lambda v: v.uses,
        _("Par personne"): lambda v: v.per_person,
        _("Utilisé"): lambda v: v.used,
        _("Retiré"): lambda v: v.withdrawn,
        _("Pour mémoire"): lambda v: v.note,
    }
    return download(_("bons"), columns, issuing.vouchers(db.session()))


@blueprint.post("/points-de-retrait/export")
@needs(Permission.ROUNDS)
@reads_only
def export_points() -> ResponseReturnValue:
    columns = {
        _("Nom"): lambda p: p.name,
        _("Tournée"): lambda p: p.tour_slug,
        _("Jour"): lambda p: weekday_name(p.weekday),
        _("Rang"): lambda p: p.position + 1,
        _("Adresse"): lambda p: p.address,
        _("Code postal"): lambda p: p.postcode,
        _("Commune"): lambda p: p.town,
        _("Latitude"): lambda p: p.latitude,
        _("Longitude"): lambda p: p.longitude,
        _("Ouvre à"): lambda p: p.opens,
        _("Ferme à"): lambda p: p.closes,
        _("Accès"): lambda p: p.access,
        _("Places"): lambda p: p.capacity,
        _("Places libres"): lambda p: p.free_places,
        _("Retiré"): lambda p: p.retired,
    }
    return download(_("points-de-retrait"), columns, points(db.session()))


@blueprint.post("/produits/export")
@needs(Permission.SELL)
@reads_only
def export_products() -> ResponseReturnValue:
    columns = {
        _("Nom"): lambda o: o.article.name,
        _("Variété"): lambda o: o.article.variety,
        _("Rayon"): lambda o: o.article.category,
        _("Fournisseur"): lambda o: o.article.supplier,
        _("Origine"): lambda o: o.article.origin,
        _("Prix"): lambda o: o.article.price,
        _("TVA"): lambda o: (
            None if o.article.vat_basis_points is None else percent(o.article.vat_basis_points)
        ),
        _("Au poids"): lambda o: o.article.sale_unit is SaleUnit.WEIGHT,
        _("Reste"): lambda o: o.left,
        _("Retiré"): lambda o: o.article.retired,
    }
    return download(_("produits"), columns, wanted_offers(clock.now()))


@blueprint.post("/formules/export")
@needs(Permission.LOOK)
@reads_only
def export_formulas() -> ResponseReturnValue:
    today, prices = local_day(clock.now()), formula_prices(db.session())

    def price(formula_id: int) -> Money | None:
        known = [dated for dated in prices.get(formula_id, ()) if dated.since <= today]
        return price_on(known, today).price if known else None

    columns = {
        _("Nom"): lambda f: f.name,
        _("Nom court"): lambda f: f.short_name,
        _("Pour"): lambda f: f.serves,
        _("Description"): lambda f: f.description,
        _("Prix"): lambda f: price(f.id),
        _("Places"): lambda f: f.weight,
    }
    return download(_("formules"), columns, formulas(db.session()))


@blueprint.post("/livraisons/export")
@needs(Permission.LOOK)
@reads_only
def export_deliveries() -> ResponseReturnValue:
    """A year back, and as far ahead as they are laid down."""
    session, now = db.session(), clock.now()
    today = local_day(now)
    until = max(prepared_until(session).values(), default=today)
    shown = upcoming(session, today - A_YEAR, until)
    boxes = tallies(session, [delivery.id for delivery in shown])

    def count(formula: FormulaView, delivery: DeliveryView) -> int:
        return boxes[delivery.id].count(formula=formula)

    columns: dict[str, Callable[[DeliveryView], Any]] = {
        _("Date"): lambda d: d.day,
        _("Tournée"): lambda d: d.tour_name,
        _("Date d'origine"): lambda d: d.nominal_day,
        _("Clôture"): lambda d: d.cutoff_at,
        _("État"): lambda d: str(DELIVERY_STATES[d.state(now)]),
        _("Motif"): lambda d: d.cancel_reason or d.move_reason,
    }
    for formula in formulas(session):
        columns[own_head(formula.name, columns)] = partial(count, formula)
    return download(_("livraisons"), columns, shown)


@blueprint.post("/courrier/export")
@needs(Permission.MAIL)
@reads_only
def export_mailbox() -> ResponseReturnValue:
    columns = {
        _("Date"): lambda m: m.created_at,
        _("Destinataire"): lambda m: m.recipient,
        _("Objet"): lambda m: m.subject,
        _("État"): lambda m: str(MAIL_STATES[m.state]),
    }
    return download(_("courrier"), columns, outbox.every_line(db.session()))


@blueprint.post("/abonnes/export")
@needs(Permission.EXCHANGE)
@reads_only
def export_people() -> ResponseReturnValue:
    columns = {
        _("Numéro"): lambda p: p[0].number,
        _("Adresse mail"): lambda p: p[0].email,
        _("Prénom"): lambda p: p[0].first_name,
        _("Nom"): lambda p: p[0].last_name,
        _("Téléphone"): lambda p: p[0].phone,
        _("Rue"): lambda p: p[1] and p[1].street,
        _("Code postal"): lambda p: p[1] and p[1].postcode,
        _("Commune"): lambda p: p[1] and p[1].town,
        _("Entreprise"): lambda p: p[0].on_papers and p[0].on_papers.name,
        _("Numéro de TVA"): lambda p: p[0].on_papers and p[0].on_papers.vat_number,
        _("SIREN"): lambda p: p[0].on_papers and p[0].on_papers.siren,
        _("Situation"): lambda p: str(STANDINGS[p[0].standing]),
    }
    found = leaving.people(db.session(), wanted_people(), local_day(clock.now()))
    return download(_("abonnes"), columns, found)


@blueprint.post("/abonnes/abonnements/export")
@needs(Permission.EXCHANGE)
@reads_only
def export_subscriptions() -> ResponseReturnValue:
    columns = {
        _("Numéro"): lambda s: s.number,
        _("Adresse mail"): lambda s: s.email,
        _("Prénom"): lambda s: s.first_name,
        _("Nom"): lambda s: s.last_name,
        _("Formule"): lambda s: s.formula,
        _("Quantité"): lambda s: s.quantity,
        _("Rythme"): lambda s: str(RHYTHMS[s.rhythm]),
        _("Point de retrait"): lambda s: s.point,
        _("Début"): lambda s: s.start,
        _("Dernier jour"): lambda s: s.last_day,
    }
    return download(_("abonnements"), columns, leaving.subscriptions(db.session(), local_day(clock.now())))


@blueprint.post("/legumes/export")
@needs(Permission.COMPOSE)
@reads_only
def export_vegetables() -> ResponseReturnValue:
    columns = {
        _("Nom"): lambda p: p.name,
        _("Unité"): lambda p: str(UNITS[p.unit]),
        _("Valeur"): lambda p: p.value,
        _("Conservation"): lambda p: p.storage,
        _("Parcelle"): lambda p: p.parcel,
        _("Outil"): lambda p: p.tool,
        _("Caisse"): lambda p: p.crate,
        _("Gardé"): lambda p: p.kept_in,
        _("Marge"): lambda p: p.margin,
        _("Plus cultivé"): lambda p: p.retired_at is not None,
    }
    every = db.session().scalars(select(Product).order_by(Product.slug))
    return download(_("legumes"), columns, every)


@blueprint.post("/livraisons/<date:day>/<tour>/recolte/export")
@needs(Permission.LOOK)
@reads_only
def export_harvest(day: date, tour: str) -> ResponseReturnValue:
    delivery = delivery_or_404(day, tour)
    columns = {
        _("Parcelle"): lambda p: p.crop.parcel,
        _("Produit"): lambda p: p.crop.name,
        _("Kilos"): lambda p: Decimal(p.total.grams).scaleb(-3) if p.total.grams else None,
        _("Pièces"): lambda p: p.total.pieces or None,
        _("Marge"): lambda p: percent(p.crop.margin * 100),
        _("Outil"): lambda p: p.crop.tool,
        _("Caisse"): lambda p: p.crop.crate,
        _("Gardé"): lambda p: p.crop.kept_in,
    }
    found = harvest_list(db.session(), delivery)
    return download(_("recolte-%(day)s", day=delivery.day), columns, found.pickings)


@blueprint.post("/journal/export")
@needs(Permission.JOURNAL)
@reads_only
def export_journal() -> ResponseReturnValue:
    words: Any = current_app.jinja_env.get_template("farm/journal/_words.html").module
    columns = {
        _("Quand"): lambda told: told.line.at,
        _("Qui"): lambda told: told.line.by or _("Le site"),
        _("À la place de"): lambda told: told.line.place,
        _("Acte"): lambda told: str(words.done.get(told.line.action, told.line.action)),
        _("Objet"): lambda told: words.subject(told.line, told.names).unescape(),
        _("Numéro"): lambda told: told.line.key,
        _("Avant"): lambda told: words.value("", told.names.said(told.line.before)).unescape(),
        _("Après"): lambda told: words.value("", told.names.said(told.line.after)).unescape(),
    }
    return download(_("journal"), columns, _trail(wanted_lines()))


class _Told(NamedTuple):
    line: Line
    names: Names


def _trail(wanted: Wanted) -> Iterator[_Told]:
    """Some lines at a time, the newest first."""
    before: int | None = None
    while lines := journal(db.session(), wanted, before=before, limit=LINES_AT_ONCE):
        named = names(db.session(), lines)
        yield from (_Told(line, named) for line in lines)
        before = lines[-1].id
