"""Cancelling, reinstating and moving a delivery: each is shown with whom it concerns before it is done."""

from datetime import date, datetime, time
from typing import Any

from flask import (
    abort,
    flash,
    get_template_attribute,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms import DateTimeLocalField, Form, StringField, ValidationError
from wtforms.validators import Optional

from portal.deliveries.queries import DeliveryView, find
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.packing.queries import packing_list
from portal.planning import deliveries
from portal.planning.deliveries import Outcome
from portal.rules.cutoffs import Lead, cutoff_instant, last_minute
from portal.rules.deliveries import Refusal, refusal_to_cancel, refusal_to_leave, refusal_to_reinstate
from portal.rules.holidays import holiday_on, working_day_beside
from portal.rules.permissions import Permission
from portal.shop import rerouting
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

ADDRESS = "/livraisons/<date:day>/<tour>"
LONGEST_REASON = 200
OF_DAY = {Refusal.DAY_PAST, Refusal.DAY_OUT_OF_ORDER}
OF_CUTOFF = {
    Refusal.CUTOFF_MISSING,
    Refusal.CUTOFF_OUT_OF_ORDER,
    Refusal.CUTOFF_TOO_LATE,
    Refusal.CUTOFF_TOO_SOON,
}


def _readable(text: str | None) -> str:
    return "".join(filter(str.isprintable, text or "")).strip()


class ReasonForm(Form):
    reason = StringField(_l("Pourquoi ?"), filters=[_readable])

    def validate_reason(self, field: StringField) -> None:
        if len(field.data) > LONGEST_REASON:
            raise ValidationError(_("C'est trop long : 200 signes au plus."))


class CancelForm(ReasonForm):
    def validate_reason(self, field: StringField) -> None:
        if not field.data:
            raise ValidationError(_("Dites en quelques mots pourquoi."))
        super().validate_reason(field)


class MinuteField(DateTimeLocalField):
    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(_("Indiquez un jour et une heure.")) from None
        if self.data and not _of_our_time(self.data):
            raise ValueError(_("Indiquez un jour et une heure de notre temps."))


class MoveForm(ReasonForm):
    last_minute = MinuteField(_l("Modifiable jusqu'au"), format="%Y-%m-%dT%H:%M", validators=[Optional()])

    @property
    def cutoff(self) -> datetime | None:
        """The first refused instant, where staff set it: the last minute is on the wall clock, and included."""
        typed: datetime | None = self.last_minute.data
        return cutoff_instant(typed.date(), Lead(0, time(typed.hour, typed.minute))) if typed else None


@blueprint.route(f"{ADDRESS}/annulation", methods=["GET", "POST"])
@needs(Permission.CALENDAR)
def cancel_delivery(day: date, tour: str) -> ResponseReturnValue:
    found, form = _delivery_or_404(day, tour), CancelForm(request.form)
    if request.method != "POST":
        return _page(
            "farm/deliveries/cancel.html",
            found,
            form=form,
            refusal=refusal_to_cancel(found.for_rules, clock.now()),
        )
    if not form.validate():
        return _page("farm/deliveries/cancel.html", found, form=form, status=422)
    outcome = deliveries.cancel(db.session(), found.id, form.reason.data, by=staff().id)
    if outcome.refusal:
        return _refused("farm/deliveries/cancel.html", found, outcome, form=form)
    return _done(found, outcome, _("La livraison est annulée."), orders=_taken_along(found))


@blueprint.route(f"{ADDRESS}/retablissement", methods=["GET", "POST"])
@needs(Permission.CALENDAR)
def reinstate_delivery(day: date, tour: str) -> ResponseReturnValue:
    found = _delivery_or_404(day, tour)
    if request.method != "POST":
        return _page(
            "farm/deliveries/reinstate.html",
            found,
            refusal=refusal_to_reinstate(found.for_rules, clock.now()),
        )
    outcome = deliveries.reinstate(db.session(), found.id, by=staff().id)
    if outcome.refusal:
        return _refused("farm/deliveries/reinstate.html", found, outcome)
    return _done(found, outcome, _("La livraison est rétablie."))


@blueprint.route(f"{ADDRESS}/deplacement", methods=["GET", "POST"])
@needs(Permission.CALENDAR)
def move_delivery(day: date, tour: str) -> ResponseReturnValue:
    """First the day is asked for; then, where the delivery can move there, what it comes to."""
    found, form, asked = _delivery_or_404(day, tour), MoveForm(request.form), _day_asked()
    if request.method != "POST" or asked is None:
        return _move_page(found, form, asked, status=422 if request.method == "POST" else 200)
    if not form.validate():
        return _move_page(found, form, asked, status=422)
    reason, cutoff = form.reason.data or None, form.cutoff
    outcome = deliveries.move(db.session(), found.id, asked, reason=reason, cutoff=cutoff, by=staff().id)
    if outcome.refusal is Refusal.PRICE_MISSING:
        return _refused("farm/deliveries/move.html", found, outcome, form=form)
    if outcome.refusal:
        if outcome.refusal in OF_CUTOFF:
            form.last_minute.errors = [_words(outcome.refusal)]
        return _move_page(found, form, asked, status=422)
    if asked == found.day:
        return _done(found, outcome, _("La date limite est changée."))
    return _done(found, outcome, _("La livraison est déplacée."), day=asked, orders=_following(found))


def _day_asked() -> date | None:
    try:
        asked = date.fromisoformat(request.values.get("jour", ""))
    except ValueError:
        return None
    return asked if _of_our_time(asked) else None


def _of_our_time(day: date) -> bool:
    """Near the ends of the calendar there is no day before."""
    return 2000 <= day.year < 3000


def _move_page(
    found: DeliveryView, form: MoveForm, asked: date | None, *, status: int
) -> ResponseReturnValue:
    """A day asks for what moving there comes to; the delivery's own, for another cutoff while it is open."""
    now, error = clock.now(), None
    refusal, preview = refusal_to_leave(found.for_rules, now), None
    if asked and asked != found.day and not refusal:
        looked = deliveries.preview_move(db.session(), found, asked, now=now)
        if looked.refusal in OF_DAY:
            error = _words(looked.refusal)
        else:
            preview = looked
    elif asked and not refusal and found.for_rules.is_open(now):
        if request.method != "POST":
            form.last_minute.data = last_minute(found.cutoff_at)
    elif "jour" in request.values and not refusal:
        error = _("C'est déjà sa date.") if asked else _("Indiquez une date : jour, mois, année.")
    return _page(
        "farm/deliveries/move.html",
        found,
        form=form,
        refusal=refusal,
        status=status,
        asked=asked,
        typed=request.values.get("jour", working_day_beside(found.day).isoformat()),
        day_error=error,
        preview=preview,
    )


def _refused(template: str, found: DeliveryView, outcome: Outcome, **context: Any) -> ResponseReturnValue:
    return _page(template, found, refusal=outcome.refusal, unpriced=outcome.unpriced, status=422, **context)


def _page(
    template: str, found: DeliveryView, *, refusal: Refusal | None = None, status: int = 200, **context: Any
) -> ResponseReturnValue:
    session = db.session()
    page = render_template(
        template,
        delivery=found,
        state=found.state(clock.now()),
        refusal=refusal,
        tried=status == 422,
        reach=deliveries.reach(session, found),
        orders=rerouting.waiting(session, found.id),
        list=packing_list(session, found, although_cancelled=True),
        holiday_on=holiday_on,
        nav_current="farm.deliveries",
        **context,
    )
    return make_response(page, status)


def _taken_along(found: DeliveryView) -> str:
    n = rerouting.waiting(db.session(), found.id)
    said = ngettext(
        "Une commande passe à la livraison suivante : la personne reçoit un mail.",
        "%(n)s commandes passent à la livraison suivante : chacun·e reçoit un mail.",
        n,
    )
    return said if n else ""


def _following(found: DeliveryView) -> str:
    n = rerouting.waiting(db.session(), found.id)
    said = ngettext(
        "Une commande suit la livraison : la personne reçoit un mail.",
        "%(n)s commandes suivent la livraison : chacun·e reçoit un mail.",
        n,
    )
    return said if n else ""


def _done(
    found: DeliveryView, outcome: Outcome, said: str, *, day: date | None = None, orders: str = ""
) -> ResponseReturnValue:
    if not outcome.changed:
        said = _("C'était déjà fait : rien n'a changé.")
    else:
        told = ngettext(
            "Une personne va recevoir un mail.", "%(n)s personnes vont recevoir un mail.", outcome.told
        )
        said = " ".join(filter(None, (said, told if outcome.told else "", orders)))
    flash(said, "success")
    return redirect(url_for("farm.delivery", day=day or found.day, tour=found.tour_slug), 303)


def _words(refusal: Refusal | None) -> str:
    return str(get_template_attribute("farm/deliveries/_refusals.html", "refused")(refusal))


def _delivery_or_404(day: date, tour: str) -> DeliveryView:
    return find(db.session(), day, tour) or abort(404)
