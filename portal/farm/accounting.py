"""What the accountant takes away: invoices, totals by day and VAT rate, the file of entries; and its accounts."""

import re
from datetime import date, timedelta

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form

from portal.accounts.models import customer_number
from portal.billing import fec, ledger, turnover
from portal.billing.adjusting import save_settings
from portal.billing.archive import KINDS
from portal.billing.models import EntryKind
from portal.billing.settings import billing_settings
from portal.exchange.tables import Columns
from portal.farm import blueprint, staff
from portal.farm.downloads import attachment, download
from portal.infra import audit, clock
from portal.infra.orm import db, own_transaction
from portal.planning.contracts import MEANS
from portal.profile.queries import get_farm
from portal.rules.accounts import USUAL, Role
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import month_of
from portal.rules.permissions import Permission
from portal.shop.models import order_number
from portal.web.filters import percent
from portal.web.forms import Typed
from portal.web.forms import day as read_day
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.transaction import reads_only

ADDRESS = "/factures/comptabilite"
LONGEST = timedelta(days=366)
_NUMBER = re.compile(r"[0-9]{3}[0-9A-Z]{0,9}", re.ASCII)


def _account(text: str) -> str:
    number = "".join(text.split()).upper()
    if _NUMBER.fullmatch(number):
        return number
    raise ValueError(_("un compte comme 411000."))


class AccountsForm(Form):
    """The accountant's own numbers; the usual ones are proposed."""


for _role in Role:
    setattr(AccountsForm, _role, Typed(fec.ACCOUNTS[_role], _account))


@blueprint.get(ADDRESS)
@needs(Permission.BILL)
def accounting() -> ResponseReturnValue:
    first, last = _period()
    return render_template(
        "farm/accounting/page.html",
        first=first,
        last=last,
        totals=list(turnover.day_totals(db.session(), first, last)) if last - first <= LONGEST else [],
        years=ledger.years(db.session()),
        siren=_siren(),
        nav_current="farm.invoices",
    )


def _period() -> tuple[date, date]:
    """The days that are asked for; the last month where none can be meant."""
    yesterday = month_of(local_day(clock.now())) - timedelta(days=1)
    try:
        first, last = read_day(request.args.get("du", "")), read_day(request.args.get("au", ""))
    except ValueError:
        return month_of(yesterday), yesterday
    return (first, last) if first <= last else (last, first)


def _siren() -> str:
    return (get_farm(db.session()).siret or "")[:9]


@blueprint.post(f"{ADDRESS}/factures/export")
@needs(Permission.BILL)
@reads_only
def export_invoices() -> ResponseReturnValue:
    columns: Columns[turnover.Issued] = {
        _("Numéro"): lambda i: i.number,
        _("Nature"): lambda i: str(KINDS[EntryKind(i.kind)]),
        _("Date"): lambda i: i.issued_on,
        _("Mois facturé"): lambda i: i.month and i.month.strftime("%m/%Y"),
        _("Client"): lambda i: (
            customer_number(i.account_id) if i.account_id else order_number(i.order_id or 0)
        ),
        _("Nom"): lambda i: i.name,
        _("Entreprise"): lambda i: i.company,
        _("SIREN"): lambda i: i.siren,
        _("N° de TVA"): lambda i: i.vat_number,
        _("Échéance"): lambda i: i.due_on,
        _("Moyen"): lambda i: i.means and str(MEANS[i.means]),
        _("HT"): lambda i: i.net,
        _("TVA"): lambda i: i.vat,
        _("TTC"): lambda i: i.total,
    }
    return download(_named(_("factures")), columns, turnover.issued(db.session(), *_period()))


@blueprint.post(f"{ADDRESS}/jours/export")
@needs(Permission.BILL)
@reads_only
def export_days() -> ResponseReturnValue:
    columns: Columns[turnover.DayTotal] = {
        _("Jour"): lambda d: d.day,
        _("Clients"): lambda d: _("entreprises") if d.companies else _("particuliers"),
        _("Taux de TVA"): lambda d: percent(d.vat_basis_points),
        _("Documents"): lambda d: d.documents,
        _("HT"): lambda d: d.net,
        _("TVA"): lambda d: d.vat,
        _("TTC"): lambda d: d.total,
    }
    return download(_named(_("ventes-par-jour")), columns, turnover.day_totals(db.session(), *_period()))


def _named(what: str) -> str:
    first, last = _period()
    return f"{what}-{first}-{last}"


@blueprint.post(f"{ADDRESS}/fec")
@needs(Permission.BILL)
@reads_only
def export_fec() -> ResponseReturnValue:
    year, siren, session = request.form.get("annee", ""), _siren(), db.session()
    if not siren or year not in map(str, ledger.years(session)):
        raise UnprocessableEntity
    file, lines = fec.make(session, int(year), billing_settings(session).ledger_accounts)
    name, now, by = fec.file_name(siren, int(year)), clock.now(), staff().id
    with own_transaction() as own:
        audit.record(
            own, "list.export", ("list", name), at=now, by=by, after={"rows": lines, "format": "fec"}
        )
    return attachment(file, name, "text/plain; charset=utf-8")


@blueprint.get(f"{ADDRESS}/comptes")
@needs(Permission.BILL)
def ledger_accounts() -> ResponseReturnValue:
    known = billing_settings(db.session()).ledger_accounts or {}
    return _accounts_page(AccountsForm(data={role: known.get(role) or USUAL[role] for role in Role}))


@blueprint.post(f"{ADDRESS}/comptes")
@needs(Permission.BILL)
def set_ledger_accounts() -> ResponseReturnValue:
    form = AccountsForm(request.form)
    if not form.validate():
        return _accounts_page(form)
    own = {role.value: number for role in Role if (number := form.data[role]) != USUAL[role]}
    save_settings(db.session(), {"ledger_accounts": own or None}, at=clock.now(), by=staff().id)
    flash(_("C'est noté : le prochain fichier des écritures les emploie."), "success")
    return redirect(url_for("farm.accounting"), 303)


def _accounts_page(form: AccountsForm) -> ResponseReturnValue:
    page = render_template(
        "farm/accounting/accounts.html", form=form, usual=USUAL, nav_current="farm.invoices"
    )
    return make_response(page, 422 if form.errors else 200)
