"""« Compte pro »: a company asks that papers name it."""

from dataclasses import asdict
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from portal.accounts import companies
from portal.accounts.companies import Identity
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, member
from portal.web.forms import Typed, line, siren, vat_number
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/mon-compte/entreprise"
OF_FRANCE = "FR"


class CompanyForm(Form):
    """A VAT number, or the SIREN where there is none; a French VAT number ends with it."""

    name = Typed(_l("Nom de l'entreprise"), line(160))
    vat_number = Typed(_l("Numéro de TVA"), vat_number, needed=False)
    siren = Typed(_l("SIREN"), siren, needed=False)

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        sound = bool(super().validate(*args, **kwargs))
        number, own = self.vat_number, self.siren
        if number.errors or own.errors:
            return False
        if not number.data and not own.data:
            number.errors = [_("Numéro de TVA : à remplir ; sans numéro de TVA, indiquez le SIREN.")]
            return False
        if number.data and own.data and number.data.startswith(OF_FRANCE) and number.data[4:] != own.data:
            own.errors = [_("SIREN : ce n'est pas celui de ce numéro de TVA, qui finit par lui.")]
            return False
        return sound

    @property
    def identity(self) -> Identity:
        return Identity(self.name.data, self.vat_number.data, self.siren.data)


class ReferenceForm(Form):
    reference = Typed(_l("Votre référence d'achat"), line(60), needed=False)


@blueprint.get(ADDRESS)
def company() -> ResponseReturnValue:
    known = companies.company_of(db.session(), member().id)
    return _page(CompanyForm(data=asdict(known.identity) if known else {}))


@blueprint.post(ADDRESS)
def ask_for_company() -> ResponseReturnValue:
    form = CompanyForm(request.form)
    if not form.validate():
        return _page(form, 422)
    at, by = clock.now(), hands().id
    if companies.ask(db.session(), member().id, form.identity, at=at, by=by):
        flash(_("C'est demandé. La ferme vous répond par mail ; d'ici là, rien ne change."), "success")
    else:
        flash(_("Rien n'a changé."), "success")
    return redirect(url_for("member.company"), 303)


@blueprint.post(f"{ADDRESS}/reference")
def name_purchases() -> ResponseReturnValue:
    form = ReferenceForm(request.form)
    if not form.validate():
        known = companies.company_of(db.session(), member().id)
        return _page(CompanyForm(data=asdict(known.identity) if known else {}), 422, form)
    reference = form.reference.data or None
    if companies.refer(db.session(), member().id, reference, at=clock.now(), by=hands().id):
        flash(_("C'est enregistré pour vos prochaines factures."), "success")
    else:
        flash(_("Rien n'a changé."), "success")
    return redirect(url_for("member.company"), 303)


@blueprint.post(f"{ADDRESS}/fin")
def leave_company() -> ResponseReturnValue:
    if companies.leave(db.session(), member().id, at=clock.now(), by=hands().id):
        flash(_("Votre compte est de nouveau celui d'un particulier."), "success")
    else:
        flash(_("C'était déjà fait : rien n'a changé."), "success")
    return redirect(url_for("member.company"), 303)


def _page(form: CompanyForm, status: int = 200, purchases: ReferenceForm | None = None) -> Response:
    known = companies.company_of(db.session(), member().id)
    purchases = purchases or ReferenceForm(data={"reference": known.purchase_reference if known else None})
    page = render_template("member/company.html", form=form, company=known, purchases=purchases)
    return make_response(page, status)
