"""The address book: where bills go and where things may be brought."""

from dataclasses import asdict
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import BooleanField, Form

from portal.accounts import addresses as book
from portal.accounts.addresses import NAMED, AddressView, KeptAddress
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, member
from portal.web.forms import Typed, line, postcode
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/mon-compte/adresses"


class AddressForm(Form):
    name = Typed(_l("Prénom et nom, ou entreprise"), line(NAMED))
    street = Typed(_l("Rue et numéro"), line(200))
    postcode = Typed(_l("Code postal"), postcode)
    town = Typed(_l("Commune"), line(80))
    billing = BooleanField(_l("La proposer d'abord pour les factures"))
    delivery = BooleanField(_l("La proposer d'abord pour les livraisons"))

    @property
    def address(self) -> AddressView:
        return AddressView(self.name.data, self.street.data, self.postcode.data, self.town.data)

    @property
    def offered(self) -> dict[str, Any]:
        return {"billing": self.billing.data, "delivery": self.delivery.data}


@blueprint.get(ADDRESS)
def addresses() -> ResponseReturnValue:
    kept = book.address_book(db.session(), member().id)
    return render_template("member/addresses/list.html", addresses=kept, most=book.MOST)


@blueprint.get(f"{ADDRESS}/ajout")
def new_address() -> ResponseReturnValue:
    return _page(AddressForm(name=member().full_name[:NAMED]))


@blueprint.post(f"{ADDRESS}/ajout")
def add_address() -> ResponseReturnValue:
    form = AddressForm(request.form)
    if not form.validate():
        return _page(form, 422)
    if not book.add_address(db.session(), member().id, form.address, **form.offered, **_act()):
        flash(_("Vous en avez déjà %(n)s : retirez-en une d'abord.", n=book.MOST), "warning")
    else:
        flash(_("L'adresse est dans votre carnet."), "success")
    return _back()


@blueprint.get(f"{ADDRESS}/<id:address_id>")
def edit_address(address_id: int) -> ResponseReturnValue:
    kept = _kept_or_404(address_id)
    return _page(
        AddressForm(data=asdict(kept.address) | {"billing": kept.billing, "delivery": kept.delivery}),
        kept=kept,
    )


@blueprint.post(f"{ADDRESS}/<id:address_id>")
def save_address(address_id: int) -> ResponseReturnValue:
    kept, form = _kept_or_404(address_id), AddressForm(request.form)
    if not form.validate():
        return _page(form, 422, kept=kept)
    changed = book.change_address(
        db.session(), member().id, address_id, form.address, **form.offered, **_act()
    )
    flash(_("C'est enregistré.") if changed else _("Rien n'a changé."), "success")
    return _back()


@blueprint.post(f"{ADDRESS}/<id:address_id>/archivage")
def archive_address(address_id: int) -> ResponseReturnValue:
    _kept_or_404(address_id)
    book.archive_address(db.session(), member().id, address_id, **_act())
    flash(_("L'adresse n'est plus proposée. Les papiers où elle figure ne changent pas."), "success")
    return _back()


def _act() -> dict[str, Any]:
    return {"at": clock.now(), "by": hands().id}


def _kept_or_404(address_id: int) -> KeptAddress:
    return book.find_address(db.session(), member().id, address_id) or abort(404)


def _back() -> ResponseReturnValue:
    return redirect(url_for("member.addresses"), 303)


def _page(form: AddressForm, status: int = 200, kept: KeptAddress | None = None) -> ResponseReturnValue:
    page = render_template("member/addresses/form.html", form=form, kept=kept)
    return make_response(page, status)
