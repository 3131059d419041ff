"""Vouchers: who hands them out sees how often they are used, and can withdraw them."""

import re
from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import DateInput, TextArea

from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.permissions import Permission
from portal.shop import issuing
from portal.shop.vouchers import normalise_code
from portal.web.forms import (
    Chosen,
    Typed,
    choices,
    day,
    decimal,
    euros,
    paragraphs,
    whole,
    write_decimal,
    write_euros,
)
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

MOST_CENTS = 999_999
_CODE = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*", re.ASCII)


def read_code(text: str) -> str:
    code = normalise_code(text)
    if _CODE.fullmatch(code) and 4 <= len(code) <= 40:
        return code
    raise ValueError(_("de 4 à 40 lettres sans accent, chiffres et tirets."))


class VoucherForm(Form):
    code = Typed(_l("Code"), read_code)
    kind = Chosen(_l("Il enlève"))
    amount = Typed(_l("Montant en euros"), euros(1, MOST_CENTS), write=write_euros, needed=False)
    share = Typed(_l("Part en pour cent"), decimal(2, 1, 10_000), write=write_decimal(2), needed=False)
    first_day = Typed(_l("Premier jour"), day, widget=DateInput())
    last_day = Typed(_l("Dernier jour"), day, widget=DateInput())
    minimum = Typed(_l("À partir d'une commande de"), euros(0, MOST_CENTS), write=write_euros, needed=False)
    uses = Typed(_l("Utilisations en tout"), whole(1, 1_000_000), needed=False)
    per_person = Typed(_l("Utilisations par personne"), whole(1, 1000), needed=False)
    note = Typed(_l("Pour mémoire"), paragraphs(500), needed=False, widget=TextArea())

    def process(self, *args: Any, **values: Any) -> None:
        self.kind.choices = choices([("amount", _("un montant")), ("share", _("une part de la commande"))])
        super().process(*args, **values)

    def validate_amount(self, field: Typed) -> None:
        self._need(field, "amount")

    def validate_share(self, field: Typed) -> None:
        self._need(field, "share")

    def validate_last_day(self, field: Typed) -> None:
        if field.data and self.first_day.data and field.data < self.first_day.data:
            raise ValidationError(field.says(_("le premier jour ou plus tard.")))

    def _need(self, field: Typed, kind: str) -> None:
        if self.kind.data == kind and field.data is None and not field.errors:
            raise ValidationError(field.says(_("à remplir.")))

    @property
    def values(self) -> dict[str, Any]:
        typed: dict[str, Any] = self.data
        kind = typed.pop("kind")
        typed["share" if kind == "amount" else "amount"] = None
        return typed | {"minimum": typed["minimum"] or Money.zero()}


@blueprint.get("/bons")
@needs(Permission.VOUCHERS)
def vouchers() -> ResponseReturnValue:
    page = render_template(
        "farm/vouchers/list.html",
        vouchers=issuing.vouchers(db.session()),
        today=local_day(clock.now()),
        nav_current="farm.index",
    )
    return make_response(page)


@blueprint.get("/bons/ajout")
@needs(Permission.VOUCHERS)
def new_voucher() -> ResponseReturnValue:
    today = local_day(clock.now())
    in_a_year = date(today.year + 1, today.month, min(today.day, 28))
    proposed = {"code": issuing.propose_code(), "first_day": today, "last_day": in_a_year, "per_person": 1}
    return _page(VoucherForm(data=proposed))


@blueprint.post("/bons/ajout")
@needs(Permission.VOUCHERS)
def issue_voucher() -> ResponseReturnValue:
    form = VoucherForm(request.form)
    if not form.validate():
        return _page(form, 422)
    issued = issuing.issue(db.session(), form.values, at=clock.now(), by=staff().id)
    if issued is None:
        form.code.errors = [form.code.says(_("un autre bon porte ce code."))]
        return _page(form, 422)
    flash(_("Le bon %(code)s peut être donné.", code=issued.code), "success")
    return _back(issued.id)


@blueprint.post("/bons/<id:voucher_id>/retrait")
@needs(Permission.VOUCHERS)
def withdraw_voucher(voucher_id: int) -> ResponseReturnValue:
    _set_withdrawn(voucher_id, True)
    flash(_("Le bon n'est plus pris. Les commandes déjà passées le gardent."), "success")
    return _back(voucher_id)


@blueprint.post("/bons/<id:voucher_id>/retour")
@needs(Permission.VOUCHERS)
def reinstate_voucher(voucher_id: int) -> ResponseReturnValue:
    _set_withdrawn(voucher_id, False)
    flash(_("Le bon est de nouveau pris."), "success")
    return _back(voucher_id)


def _set_withdrawn(voucher_id: int, withdrawn: bool) -> None:
    session = db.session()
    if issuing.find(session, voucher_id) is None:
        abort(404)
    issuing.set_withdrawn(session, voucher_id, withdrawn, at=clock.now(), by=staff().id)


def _back(voucher_id: int) -> ResponseReturnValue:
    return redirect(url_for("farm.vouchers", _anchor=f"bon-{voucher_id}"), 303)


def _page(form: VoucherForm, status: int = 200) -> ResponseReturnValue:
    return make_response(
        render_template("farm/vouchers/new.html", form=form, nav_current="farm.index"), status
    )
