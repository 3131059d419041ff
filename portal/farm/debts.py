"""Who owes what is due; whom to remind of it, and in which words."""

from itertools import pairwise
from math import ceil

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import TextArea

from portal.billing import reminders
from portal.billing.debts import debts
from portal.billing.reminders import MOST_STEPS, DueReminder, Slot, Step, due_reminders
from portal.billing.settings import billing_settings
from portal.farm import blueprint, staff
from portal.farm.bank import PAIR
from portal.farm.mailbox import PREVIEW_POLICY
from portal.infra import clock
from portal.infra.orm import db
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.dunning import Age, age_of
from portal.rules.letters import unknown_slots
from portal.rules.permissions import Permission
from portal.web.forms import Reader, Typed, paragraphs, prose, whole
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

ADDRESS = "/impayes"
SETTINGS = "/reglages/relances"
A_PAGE = 50
MOST = 200
"""So many are reminded by one press."""
ORDERS = {
    "anciennete": lambda debt: (debt.since, -debt.amount.cents),
    "montant": lambda debt: (-debt.amount.cents, debt.since),
    "nom": lambda debt: debt.name.casefold(),
}
SLOTS = {
    Slot.FIRST_NAME: _l("le prénom"),
    Slot.NUMBER: _l("les factures"),
    Slot.AMOUNT: _l("ce qui reste à payer"),
    Slot.DUE: _l("l'échéance la plus ancienne"),
    Slot.LINK: _l("la page où l'on paie"),
}


def _with_slots(read: Reader) -> Reader:
    def check(text: str) -> str:
        if unknown := unknown_slots(text, tuple(Slot)):
            known = ", ".join(slot.written for slot in Slot)
            words = _(
                "« %(unknown)s » ne se remplace par rien ; il y a %(known)s.", unknown=unknown[0], known=known
            )
            raise ValueError(words)
        return str(read(text))

    return check


class StepForm(Form):
    """A step; none where all is empty."""

    days = Typed(_l("Jours après l'échéance"), whole(1, 365), needed=False)
    subject = Typed(_l("Objet"), _with_slots(prose(120)), needed=False)
    text = Typed(_l("Texte"), _with_slots(paragraphs(4000)), needed=False, widget=TextArea())

    @property
    def is_empty(self) -> bool:
        return not any(field.raw_data and field.raw_data[0].strip() for field in self)

    def validate_days(self, field: Typed) -> None:
        self._need(field)

    def validate_subject(self, field: Typed) -> None:
        self._need(field)

    def validate_text(self, field: Typed) -> None:
        self._need(field)

    def _need(self, field: Typed) -> None:
        if not self.is_empty and field.data is None and not field.errors:
            raise ValidationError(field.says(_("à remplir, ou videz toute l'étape.")))


@blueprint.get(ADDRESS)
@needs(Permission.READ_BILLS)
def debtors() -> ResponseReturnValue:
    session, today = db.session(), local_day(clock.now())
    found = debts(session, today)
    asked, order = request.args.get("age", ""), request.args.get("tri", "anciennete")
    age = Age(asked) if asked in set(Age) else None
    of_age = [debt for debt in found.debts if age is None or age_of(debt.days(today)) is age]
    of_age.sort(key=ORDERS.get(order, ORDERS["anciennete"]))
    pages = max(1, ceil(len(of_age) / A_PAGE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages) - 1
    return render_template(
        "farm/debts/list.html",
        found=found,
        shown=of_age[page * A_PAGE : (page + 1) * A_PAGE],
        page=page,
        pages=pages,
        age=age,
        order=order if order in ORDERS else "anciennete",
        to_remind=len(due_reminders(session, found.debts, today)),
        reminds=billing_settings(session).reminds,
        today=today,
        nav_current="farm.index",
    )


@blueprint.get(f"{ADDRESS}/relances")
@needs(Permission.BILL)
def reminders_to_send() -> ResponseReturnValue:
    """To whom, before anything is sent."""
    return _reminders_page()


def _reminders_page(unchosen: bool = False) -> ResponseReturnValue:
    due = _due()
    page = render_template(
        "farm/debts/reminders.html",
        reminders=due[:MOST],
        more=len(due) > MOST,
        unchosen=unchosen,
        today=local_day(clock.now()),
        nav_current="farm.index",
    )
    return make_response(page, 422 if unchosen else 200)


@blueprint.post(f"{ADDRESS}/relances")
@needs(Permission.BILL)
def send_reminders() -> ResponseReturnValue:
    """Each named with the step that the page showed: who has paid or was reminded since hears nothing."""
    pairs = [PAIR.fullmatch(pair) for pair in request.form.getlist("relance")[:MOST]]
    wanted = {int(pair[1]): int(pair[2]) for pair in pairs if pair and pair[2]}
    if not wanted:
        return _reminders_page(unchosen=True)
    sent = reminders.send(db.session(), wanted, at=clock.now(), by=staff().id)
    said = (
        ngettext("%(num)s relance part.", "%(num)s relances partent.", sent)
        if sent
        else _("Personne n'est à relancer.")
    )
    if 0 < sent < len(wanted):
        said += " " + _("Les autres ont payé ou ont été relancé·es entre-temps.")
    flash(said, "success")
    return redirect(url_for("farm.debtors"), 303)


@blueprint.get(f"{ADDRESS}/relances/apercu")
@needs(Permission.BILL)
def preview_reminder() -> Response:
    """As the first, or whom the address names, will read it: a page of its own, as other previews are."""
    asked = request.args.get("personne", "")
    due = _due()
    chosen = next((reminder for reminder in due if str(reminder.debt.payer_id) == asked), None) or abort(404)
    session = db.session()
    cheques_to = billing_settings(session).cheques_to
    written = reminders.write(chosen, reminders.steps(session), get_farm(session), cheques_to)
    response = make_response(written.html)
    response.headers["Content-Security-Policy"] = PREVIEW_POLICY
    return response


@blueprint.get(SETTINGS)
@needs(Permission.BILL)
def reminder_settings() -> ResponseReturnValue:
    session = db.session()
    kept: list[Step | None] = [*reminders.steps(session)]
    forms = [
        StepForm(obj=step, prefix=f"etape-{n}-")
        for n, step in enumerate([*kept, *[None] * (MOST_STEPS - len(kept))], 1)
    ]
    return _settings_page(forms)


@blueprint.post(SETTINGS)
@needs(Permission.BILL)
def save_reminder_settings() -> ResponseReturnValue:
    forms = [StepForm(request.form, prefix=f"etape-{n}-") for n in range(1, MOST_STEPS + 1)]
    valid = [each.validate() for each in forms]
    used = [each for each in forms if not each.is_empty]
    for before, after in pairwise(used):
        if before.days.data and after.days.data and after.days.data <= before.days.data:
            after.days.errors = [after.days.says(_("plus que l'étape d'avant."))]
            valid.append(False)
    if not all(valid):
        return _settings_page(forms, 422)
    wanted = [Step(each.days.data, each.subject.data, each.text.data) for each in used]
    reminders.save_steps(db.session(), wanted, at=clock.now(), by=staff().id)
    flash(_("Les relances sont enregistrées."), "success")
    return redirect(url_for("farm.reminder_settings"), 303)


def _due() -> list[DueReminder]:
    session, today = db.session(), local_day(clock.now())
    found = sorted(debts(session, today).debts, key=ORDERS["anciennete"])
    return due_reminders(session, found, today)


def _settings_page(forms: list[StepForm], status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "farm/debts/settings.html",
        forms=forms,
        slots=SLOTS,
        reminds=billing_settings(db.session()).reminds,
        nav_current="farm.index",
    )
    return make_response(page, status)
