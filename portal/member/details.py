"""Who one is: name, telephone, birthday, language; and the mail address, which a link confirms."""

import re
from contextlib import suppress
from datetime import date
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, SelectField, ValidationError
from wtforms.widgets import EmailInput, TelInput

from portal.accounts import mailboxes, people
from portal.accounts.limits import count_try
from portal.accounts.proofs import fresh_proof_needed
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, member
from portal.rules.alphabet import search_key
from portal.web import forms
from portal.web.filters import month_name
from portal.web.forms import Typed
from portal.web.guards import own_hands_only
from portal.web.i18n import gettext as _
from portal.web.i18n import languages
from portal.web.i18n import lazy_gettext as _l
from portal.web.limits import too_many

_BIRTHDAY = re.compile(r"([0-9]{1,2})(?:er)?[ ./-]+([0-9]{1,2}|[^\W\d_]+)")
A_LEAP_YEAR = 2024


def birthday(text: str) -> int:
    """« 14/07 », « 14 juillet » is 714."""
    months = {search_key(month_name(number)): number for number in range(1, 13)}
    if written := _BIRTHDAY.fullmatch(" ".join(text.lower().split())):
        day, month = written.groups()
        with suppress(ValueError):
            found = date(A_LEAP_YEAR, months.get(search_key(month)) or int(month), int(day))
            return found.month * 100 + found.day
    raise ValueError(_("un jour et un mois, comme 14/07 ou 14 juillet."))


def write_birthday(value: int) -> str:
    return f"{value % 100:02}/{value // 100:02}"


class DetailsForm(Form):
    first_name = Typed(_l("Prénom"), forms.line(80))
    last_name = Typed(_l("Nom"), forms.line(80))
    phone = Typed(_l("Téléphone"), forms.phone, needed=False, widget=TelInput())
    birthday = Typed(_l("Anniversaire"), birthday, write=write_birthday, needed=False)
    language = SelectField(_l("Langue"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        known = languages()
        self.language.choices = [(str(known_one), known_one.display_name) for known_one in known]
        if len(known) == 1:
            del self.language


class MailAddressForm(Form):
    email = Typed(_l("Nouvelle adresse e-mail"), lambda text: forms.email(text).lower(), widget=EmailInput())

    def validate_email(self, field: Typed) -> None:
        if not field.errors and len(field.data) > 254:
            raise ValidationError(field.says(_("254 caractères au plus.")))
        if not field.errors and field.data == member().email:
            raise ValidationError(_("C'est déjà votre adresse."))


@blueprint.get("/mon-compte/informations")
def details() -> ResponseReturnValue:
    return _page(DetailsForm(obj=member()))


@blueprint.post("/mon-compte/informations")
def save_details() -> ResponseReturnValue:
    form = DetailsForm(request.form)
    if not form.validate():
        return _page(form, 422)
    changed = people.change(db.session(), member(), form.data, at=clock.now(), by=hands().id)
    flash(_("C'est enregistré.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("member.details"), 303)


@blueprint.get("/mon-compte/adresse-mail")
@fresh_proof_needed
def mail_address() -> ResponseReturnValue:
    return _address_page(MailAddressForm())


@blueprint.post("/mon-compte/adresse-mail")
@fresh_proof_needed
def ask_for_mail_address() -> ResponseReturnValue:
    """The answer is the same whoever has the address."""
    form = MailAddressForm(request.form)
    if not form.validate():
        return _address_page(form, 422)
    email, now = form.email.data, clock.now()
    counts = count_try(
        (mailboxes.ADDRESSES_OF_ACCOUNT, str(member().id)), (mailboxes.MAILS_TO_NEW_ADDRESS, email), now=now
    )
    if refused := [count for count in counts if count.exceeded]:
        return too_many(lambda minutes: _address_page(form, 429, minutes=minutes), refused[0], now=now)
    mailboxes.ask_for_address(db.session(), member(), email, at=now)
    flash(
        _(
            "Un mail part à %(address)s. Ouvrez le lien qu'il contient sous deux jours : jusque-là, rien ne change.",
            address=email,
        ),
        "success",
    )
    return redirect(url_for("member.details"), 303)


@blueprint.post("/mon-compte/adresse-mail/abandon")
@own_hands_only
def keep_mail_address() -> ResponseReturnValue:
    mailboxes.keep_address(db.session(), member(), at=clock.now())
    flash(_("C'est noté : votre adresse reste la même."), "success")
    return redirect(url_for("member.details"), 303)


def _page(form: DetailsForm, status: int = 200) -> Response:
    wished = mailboxes.wished_address(db.session(), member().id, at=clock.now())
    page = render_template("member/details/page.html", form=form, member=member(), wished=wished)
    return make_response(page, status)


def _address_page(form: MailAddressForm, status: int = 200, **context: object) -> Response:
    page = render_template("member/details/mail_address.html", form=form, member=member(), **context)
    return make_response(page, status)
