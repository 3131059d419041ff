"""« Coordonnées bancaires »: how one pays, the mandate in force, another one, none any more."""

from io import BytesIO
from typing import Any

from flask import (
    Response,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Form
from wtforms.validators import InputRequired

from portal.accounts.addresses import AddressView, billing_address
from portal.accounts.limits import count_try
from portal.accounts.proofs import fresh_proof_needed
from portal.billing import debits, mandates
from portal.billing.announced import DebitView, debits_of
from portal.billing.mandate_paper import words
from portal.billing.models import DebitState
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.member.payments import standing
from portal.planning.contracts import MEANS
from portal.rules.cutoffs import local_day
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import AccountFault, BankAccount, MandateEnd, Unread, read_account
from portal.web import forms
from portal.web.filters import day_month, money
from portal.web.forms import Chosen, Typed, choices
from portal.web.guards import own_hands_only, payer_only
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import too_many

ADDRESS = "/mon-compte/coordonnees-bancaires"
FAULTS = {
    AccountFault.FORM: _l(
        "un IBAN commence par deux lettres et deux chiffres, comme FR76 : copiez celui de votre RIB."
    ),
    AccountFault.KEY: _l("la clé ne correspond pas. Une faute de frappe ? Comparez-le à votre RIB."),
    AccountFault.NOT_SEPA: _l("les banques de ce pays ne connaissent pas le prélèvement SEPA."),
    AccountFault.BIC_NEEDED: _l("à remplir : hors de l'Union européenne, les banques le demandent."),
    AccountFault.BIC_WRONG: _l("huit ou onze caractères, comme BNPAFRPP : vérifiez chacun."),
}


class MandateForm(Form):
    iban = Typed(_l("IBAN de votre compte"), str, name="iban")
    bic = Typed(_l("BIC de votre banque"), str, name="bic", needed=False)
    name = Typed(_l("Titulaire du compte"), forms.line(70), name="titulaire")
    street = Typed(_l("Adresse"), forms.line(200), name="adresse")
    postcode = Typed(_l("Code postal"), forms.line(10), name="code-postal")
    town = Typed(_l("Ville"), forms.line(80), name="ville")
    agreed = BooleanField(
        _l("J'ai lu ce mandat et je l'accepte"),
        [InputRequired(_l("Cochez la case pour donner votre accord."))],
        name="accord",
    )
    account: BankAccount

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        sound = bool(super().validate(*args, **kwargs))
        if self.iban.errors:
            return False
        found = read_account(self.iban.data, self.bic.data or "")
        if isinstance(found, BankAccount):
            self.account = found
            return sound
        field = self.bic if found.fault in {AccountFault.BIC_NEEDED, AccountFault.BIC_WRONG} else self.iban
        field.errors = [field.says(_fault(found))]
        return False

    @property
    def debtor(self) -> AddressView:
        return AddressView(self.name.data, self.street.data, self.postcode.data, self.town.data)


def _fault(found: Unread) -> str:
    if found.fault is AccountFault.LENGTH:
        return _(
            "%(expected)s caractères dans ce pays, il y en a %(length)s. Une faute de frappe ?",
            expected=found.expected,
            length=found.length,
        )
    return str(FAULTS[found.fault])


class MeansForm(Form):
    means = Chosen(_l("Régler mes factures par"), name="reglement")

    def process(self, *args: Any, **values: Any) -> None:
        others = (means for means in PaymentMeans if means is not PaymentMeans.DIRECT_DEBIT)
        self.means.choices = choices((means.value, str(MEANS[means])) for means in others)
        super().process(*args, **values)


@blueprint.get(ADDRESS)
@payer_only
@own_hands_only
def bank() -> ResponseReturnValue:
    return _page(MeansForm(None, means=member().payment_means))


@blueprint.get(f"{ADDRESS}/mandat")
@payer_only
@fresh_proof_needed
def mandate() -> ResponseReturnValue:
    known = billing_address(db.session(), member().id) or AddressView(member().full_name, "", "", "")
    values = {"name": known.name[:70], "street": known.street, "postcode": known.postcode, "town": known.town}
    return _mandate_page(MandateForm(None, data=values))


@blueprint.post(f"{ADDRESS}/mandat")
@payer_only
@fresh_proof_needed
def sign_mandate() -> ResponseReturnValue:
    form, now = MandateForm(request.form), clock.now()
    [count] = count_try((mandates.TRIES, str(member().id)), now=now)
    if count.exceeded:
        return too_many(lambda minutes: _mandate_page(form, 429, minutes=minutes), count, now=now)
    if not form.validate():
        return _mandate_page(form, 422)
    waited = mandates.awaits_signature(db.session(), member())
    signed = mandates.sign(db.session(), member(), form.account, form.debtor, at=now, by=member().id)
    if signed is None:
        return _mandate_page(form, 422)
    flash(_("C'est signé : le mandat %(number)s part par mail.", number=signed.reference), "success")
    for debit in debits_of(db.session(), member().id):
        if debit.at_bank and debit.last_four != signed.last_four:
            words = _(
                "La banque a déjà le prélèvement du %(day)s : %(amount)s seront encore pris sur le compte "
                "•••• %(end)s, les suivants sur le nouveau.",
                day=day_month(debit.collected_on),
                amount=money(debit.amount),
                end=debit.last_four,
            )
            flash(words, "info")
    if debits.collectable(db.session(), member()):
        return redirect(url_for("member.payments"), 303)
    return redirect(url_for("member.subscriptions" if waited else "member.bank"), 303)


@blueprint.post(f"{ADDRESS}/reglement")
@payer_only
@fresh_proof_needed
def pay_otherwise() -> ResponseReturnValue:
    """Another means than direct debit: the mandate, if there is one, is over."""
    form = MeansForm(request.form)
    if not form.validate():
        return _page(form, 422)
    means, stopped = PaymentMeans(form.means.data), _announced()
    ended = mandates.end(
        db.session(), member(), MandateEnd.REVOKED, at=clock.now(), by=member().id, means=means
    )
    said = _("Votre mandat a pris fin.") if ended else _("C'est enregistré.")
    flash(f"{said} {_('Vous réglez vos factures par %(means)s.', means=MEANS[means])}", "success")
    if not (ended and stopped):
        return redirect(url_for("member.bank"), 303)
    flash(_("Ce qui devait être prélevé est maintenant à payer : voici comment."), "info")
    return redirect(url_for("member.payments"), 303)


def _announced() -> list[DebitView]:
    """What no bank has yet, and is still open."""
    now = standing(db.session(), member().id)
    return [debit for debit in now.announced if debit.state is DebitState.ANNOUNCED] if now else []


@blueprint.get(f"{ADDRESS}/mandats/<id:mandate_id>")
@payer_only
@own_hands_only
def mandate_paper(mandate_id: int) -> ResponseReturnValue:
    paper = mandates.paper(db.session(), member().id, mandate_id) or abort(404)
    return send_file(
        BytesIO(paper.data), mimetype=paper.content_type, as_attachment=True, download_name=paper.name
    )


def _page(form: MeansForm, status: int = 200) -> Response:
    session, account = db.session(), member()
    signed = mandates.mandates_of(session, account.id)
    page = render_template(
        "member/bank/page.html",
        form=form,
        account=account,
        creditor=mandates.creditor(session),
        live=next((mandate for mandate in signed if mandate.ended_at is None), None),
        announced=_announced(),
        ended=[mandate for mandate in signed if mandate.ended_at],
    )
    return make_response(page, status)


def _mandate_page(form: MandateForm, status: int = 200, **context: object) -> Response:
    session = db.session()
    creditor = mandates.creditor(session)
    page = render_template(
        "member/bank/mandate.html",
        form=form,
        creditor=creditor,
        words=words(creditor.name) if creditor else [],
        live=mandates.live_mandate(session, member().id),
        awaited=mandates.awaits_signature(session, member()),
        today=local_day(clock.now()),
        **context,
    )
    return make_response(page, status)
