"""How the farm bills and is paid, and under which VAT regime from when."""

import re
from contextlib import suppress
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from stdnum.eu import at_02
from stdnum.exceptions import ValidationError as StdnumError
from wtforms import Form, ValidationError
from wtforms.widgets import DateInput

from portal.billing import adjusting, settings
from portal.billing.models import ACCOUNT_NUMBER
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.rules.cutoffs import local_day
from portal.rules.mentions import VatRegime
from portal.rules.permissions import Permission
from portal.rules.sepa import BankAccount, read_account
from portal.web.filters import day_year
from portal.web.forms import Chosen, Typed, choices, day, decimal, line, prose, whole, write_decimal
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/reglages/facturation"
LONGEST_TERM = 60
"""Days that a company may be given to pay (Code de commerce, L441-10)."""
SHORTEST_NOTICE = 14
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", re.ASCII)
REGIMES = {
    VatRegime.LIABLE: _l("soumise à la TVA"),
    VatRegime.FRANCHISE: _l("franchise en base de TVA"),
    VatRegime.EXEMPT: _l("association exonérée de TVA"),
}


def account_number(text: str) -> str:
    account = read_account(text)
    if isinstance(account, BankAccount):
        return account.iban
    raise ValueError(_("un IBAN comme FR14 2004 1010 0505 0001 3M02 606 : vérifiez chaque caractère."))


def bank_code(text: str) -> str:
    code = "".join(text.split()).upper()
    if _BIC.fullmatch(code):
        return code
    raise ValueError(_("huit ou onze caractères, comme PSSTFRPPMAR."))


def creditor_number(text: str) -> str:
    """An ICS; its key is checked."""
    with suppress(StdnumError):
        return str(at_02.validate(text))
    raise ValueError(_("un ICS comme FR72ZZZ123456 : vérifiez chaque caractère."))


def write_account_number(value: str) -> str:
    return " ".join(value[place : place + 4] for place in range(0, len(value), 4))


class BillingForm(Form):
    bills_from = Typed(_l("Facturer ce qui est livré depuis le"), day, needed=False, widget=DateInput())
    due_days = Typed(_l("Une personne paie sous"), whole(0, LONGEST_TERM))
    company_due_days = Typed(_l("Une entreprise paie sous"), whole(0, LONGEST_TERM))
    late_rate_basis_points = Typed(
        _l("Pénalités de retard d'une entreprise"), decimal(2, 0, 30_00), write=write_decimal(2)
    )
    iban = Typed(_l("IBAN de la ferme"), account_number, write=write_account_number, needed=False)
    bic = Typed(_l("BIC de la ferme"), bank_code, needed=False)
    cheques_to = Typed(_l("Ordre et adresse des chèques"), line(120), needed=False)
    creditor_name = Typed(_l("Nom du créancier"), line(70), needed=False)
    creditor_id = Typed(_l("Identifiant créancier SEPA (ICS)"), creditor_number, needed=False)
    collection_day = Typed(_l("Jour du prélèvement"), whole(1, 28))
    notice_days = Typed(_l("Prévenir avant de prélever"), whole(SHORTEST_NOTICE, 60))
    reminds = Chosen(_l("Relances"))

    def process(self, *args: Any, **values: Any) -> None:
        self.reminds.choices = choices(
            [(False, _("envoyées par l'équipe, une à une")), (True, _("envoyées d'elles-mêmes"))]
        )
        super().process(*args, **values)

    def validate_creditor_id(self, field: Typed) -> None:
        if field.data and not self.creditor_name.data and not self.creditor_name.errors:
            raise ValidationError(field.says(_("dites aussi le nom du créancier.")))

    @property
    def values(self) -> dict[str, Any]:
        """The row's own columns; the BIC of an account that names its bank needs no typing."""
        account = read_account(self.iban.data) if self.iban.data else None
        known = account.bic if isinstance(account, BankAccount) else None
        return {**self.data, "bic": self.bic.data or known}


class TaxForm(Form):
    since = Typed(_l("Depuis le"), day, widget=DateInput())
    regime = Chosen(_l("La ferme est"))
    mention = Typed(_l("Mention sur les factures"), prose(300), needed=False)
    on_debits = Chosen(_l("La TVA est due"))

    def validate_since(self, field: Typed) -> None:
        session = db.session()
        last = adjusting.last_billed(session)
        if not field.data or not last or field.data > last:
            return
        if settings.tax_status_on(session, field.data).regime != self.regime.data:
            raise ValidationError(
                field.says(
                    _("des livraisons sont facturées jusqu'au %(day)s : un jour après.", day=day_year(last))
                )
            )

    def process(self, *args: Any, **values: Any) -> None:
        self.regime.choices = choices((regime, str(words)) for regime, words in REGIMES.items())
        self.on_debits.choices = choices(
            [
                (False, _("à la livraison, la règle pour ce qui est livré")),
                (True, _("d'après les débits, si la ferme l'a choisi")),
            ]
        )
        super().process(*args, **values)


@blueprint.get(ADDRESS)
@needs(Permission.SETTINGS)
def billing_settings() -> ResponseReturnValue:
    return _page(BillingForm(obj=settings.billing_settings(db.session())), _tax_form())


@blueprint.post(ADDRESS)
@needs(Permission.SETTINGS)
def save_billing_settings() -> ResponseReturnValue:
    form = BillingForm(request.form)
    if not form.validate():
        return _page(form, _tax_form(), 422)
    changed = adjusting.save_settings(db.session(), form.values, at=clock.now(), by=staff().id)
    flash(
        _("Les réglages de la facturation sont enregistrés.") if changed else _("Rien n'a changé."), "success"
    )
    return redirect(url_for("farm.billing_settings"), 303)


@blueprint.post(f"{ADDRESS}/tva")
@needs(Permission.SETTINGS)
def save_tax_status() -> ResponseReturnValue:
    form = TaxForm(request.form)
    session = db.session()
    if not form.validate():
        return _page(BillingForm(obj=settings.billing_settings(session)), form, 422)
    values = {name: value for name, value in form.data.items() if name != "since"}
    changed = adjusting.set_tax_status(session, form.since.data, values, at=clock.now(), by=staff().id)
    flash(_("Le régime de TVA est enregistré.") if changed else _("Rien n'a changé."), "success")
    return redirect(url_for("farm.billing_settings", _anchor="tva"), 303)


def _tax_form() -> TaxForm:
    """As it stands, to be said otherwise from today on."""
    today = local_day(clock.now())
    now = settings.tax_status_on(db.session(), today)
    return TaxForm(regime=now.regime, mention=now.mention, on_debits=now.on_debits, since=today)


def _page(form: BillingForm, tax: TaxForm, status: int = 200) -> ResponseReturnValue:
    session = db.session()
    page = render_template(
        "farm/settings/billing.html",
        form=form,
        tax=tax,
        statuses=settings.taxes(session),
        regimes=REGIMES,
        lacks=settings.seller_lacks(session, local_day(clock.now())),
        longest=ACCOUNT_NUMBER + 8,
        nav_current="farm.index",
    )
    return make_response(page, status)
