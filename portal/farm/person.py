"""One person in one look, and what staff do for them."""

from datetime import timedelta

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.widgets import TextArea

from portal.accounts import household
from portal.accounts import people as services
from portal.accounts.addresses import address_book
from portal.accounts.companies import company_of
from portal.accounts.models import Account, Company
from portal.accounts.people import Refusal
from portal.accounts.queries import entrance
from portal.billing.adjusting import set_company_terms
from portal.billing.balances import books_of
from portal.billing.ledger import balance
from portal.farm import blueprint, staff
from portal.farm.billing_settings import LONGEST_TERM
from portal.farm.people import ADDRESS, account_or_404, editable_or_403, is_editable
from portal.infra import clock, outbox
from portal.infra.orm import db
from portal.planning.overview import overview
from portal.planning.queries import planning
from portal.planning.trail import history
from portal.privacy.leaving import departure
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.shop import queries as orders
from portal.web.doors import is_open
from portal.web.forms import Typed, line, paragraphs, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

AHEAD = timedelta(weeks=6)
ORDERS, BILLS, MAILS = 6, 6, 8


class NoteForm(Form):
    note = Typed(_l("Ce que l'équipe doit savoir"), paragraphs(2000), needed=False, widget=TextArea())


class TermsForm(Form):
    """A company's own, where it has been agreed."""

    due_days = Typed(_l("Délai de paiement, en jours"), whole(0, LONGEST_TERM), needed=False)
    purchase_reference = Typed(_l("Référence d'achat"), line(60), needed=False)


@blueprint.get(ADDRESS)
@needs(Permission.PEOPLE)
def person(account_id: int) -> ResponseReturnValue:
    account = account_or_404(account_id)
    return _page(account, NoteForm(obj=account))


def _page(
    account: Account, form: NoteForm, status: int = 200, *, terms: TermsForm | None = None
) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    today = local_day(now)
    ahead = planning(session, account.id, since=today, until=today + AHEAD, now=now)
    held = overview(session, account.id, now)
    lately = orders.latest_of(session, account.id, limit=ORDERS)
    page = render_template(
        "farm/people/page.html",
        person=account,
        form=form,
        addresses=address_book(session, account.id),
        company=company_of(session, account.id),
        terms=terms or TermsForm(obj=session.get(Company, account.id)),
        books=books_of(session, account.id),
        entrance=entrance(session, account.id, now),
        cards=ahead.cards,
        live=[item for item in held if item.live],
        ended=[item for item in held if not item.live],
        sharers=household.sharers(session, [account.id])[account.id],
        orders=lately,
        bills_shown=BILLS,
        mails=outbox.list_lines(session, limit=MAILS, to=account.email),
        history=history(session, account, [item.id for item in held], [order.id for order in lately]),
        balance=balance(session, account.holder.id) if is_open("farm.payer_account") else None,
        may=staff().may,
        departure=departure(session, account.id),
        editable=is_editable(account),
        today=today,
        nav_current="farm.people",
    )
    return make_response(page, status)


@blueprint.post(f"{ADDRESS}/note")
@needs(Permission.PEOPLE)
def save_note(account_id: int) -> ResponseReturnValue:
    account, form = account_or_404(account_id), NoteForm(request.form)
    if not form.validate():
        return _page(account, form, 422)
    services.change(db.session(), account, {"note": form.note.data or None}, at=clock.now(), by=staff().id)
    flash(_("La note est enregistrée."), "success")
    return _back(account_id)


@blueprint.post(f"{ADDRESS}/entreprise/reglement")
@needs(Permission.BILL)
def save_company_terms(account_id: int) -> ResponseReturnValue:
    account, form = account_or_404(account_id), TermsForm(request.form)
    if company_of(db.session(), account_id) is None:
        abort(404)
    if not form.validate():
        return _page(account, NoteForm(obj=account), 422, terms=form)
    changed = set_company_terms(db.session(), account_id, form.data, at=clock.now(), by=staff().id)
    flash(
        _("C'est enregistré, pour ses prochaines factures.") if changed else _("Rien n'a changé."), "success"
    )
    return redirect(url_for("farm.person", account_id=account_id, _anchor="entreprise"), 303)


@blueprint.post(f"{ADDRESS}/invitation")
@needs(Permission.PEOPLE)
def invite_person(account_id: int) -> ResponseReturnValue:
    account = editable_or_403(account_id)
    refusal = services.invite(db.session(), account, at=clock.now(), by=staff().id)
    if refusal is Refusal.CLOSED:
        flash(_("Son accès est fermé : ouvrez-le d'abord."), "warning")
    elif refusal:
        flash(
            _("Un mot de passe est déjà choisi. S'il est oublié, « Mot de passe oublié » en donne un autre."),
            "warning",
        )
    else:
        flash(_("Un mail part à %(address)s.", address=account.email), "success")
    return _back(account_id)


@blueprint.post(f"{ADDRESS}/fermeture")
@needs(Permission.PEOPLE)
def close_person(account_id: int) -> ResponseReturnValue:
    return _let_in(account_id, False, _("Son accès est fermé. Ses abonnements continuent."))


@blueprint.post(f"{ADDRESS}/reouverture")
@needs(Permission.PEOPLE)
def reopen_person(account_id: int) -> ResponseReturnValue:
    return _let_in(account_id, True, _("Son accès est rouvert."))


def _let_in(account_id: int, wanted: bool, done: str) -> ResponseReturnValue:
    account = editable_or_403(account_id)
    if account.id == staff().id:
        abort(403)
    if (
        services.set_active(db.session(), account, wanted, at=clock.now(), by=staff().id)
        is Refusal.LAST_ADMIN
    ):
        flash(_("Personne d'autre n'est dans l'administration : son accès reste ouvert."), "warning")
    else:
        flash(done, "success")
    return _back(account_id)


def _back(account_id: int) -> ResponseReturnValue:
    return redirect(url_for("farm.person", account_id=account_id), 303)
