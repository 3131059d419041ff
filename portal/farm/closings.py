"""Closing a point for some days: seen with whom it concerns before it is done, and taken back."""

from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form, ValidationError
from wtforms.widgets import DateInput

from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup import queries
from portal.pickup.queries import PointView
from portal.planning import closings
from portal.planning.closings import Outcome, Wish
from portal.rules.closings import refusal_to_reopen
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.web.forms import Chosen, Typed, choices, day, prose
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

ADDRESS = "/points-de-retrait/<id:point_id>/fermetures"


class ClosingForm(Form):
    first_day = Typed(_l("Fermé du"), day, widget=DateInput())
    last_day = Typed(_l("au, ce jour compris"), day, widget=DateInput())
    substitute = Chosen(_l("À retirer à"))
    reason = Typed(_l("Pourquoi ?"), prose(200))

    def __init__(self, formdata: Any, substitutes: list[PointView]) -> None:
        self._substitutes = substitutes
        super().__init__(formdata)

    def process(self, *args: Any, **values: Any) -> None:
        self.substitute.choices = choices((point.id, point.name) for point in self._substitutes)
        super().process(*args, **values)

    def validate_last_day(self, field: Typed) -> None:
        if field.data and self.first_day.data and field.data < self.first_day.data:
            raise ValidationError(field.says(_("pas avant le premier jour.")))

    def wish(self, point: PointView) -> Wish:
        substitute = next(other for other in self._substitutes if other.id == self.substitute.data)
        return Wish(point, substitute, self.first_day.data, self.last_day.data)


@blueprint.get(ADDRESS)
@needs(Permission.ROUNDS)
def point_closings(point_id: int) -> ResponseReturnValue:
    """First the days are asked for; then what closing comes to."""
    point = _point_or_404(point_id)
    form = ClosingForm(request.args or None, _substitutes(point))
    asked = bool(request.args)
    return _page(point, form, status=200, wish=form.wish(point) if asked and form.validate() else None)


@blueprint.post(ADDRESS)
@needs(Permission.ROUNDS)
def close_point(point_id: int) -> ResponseReturnValue:
    point = _point_or_404(point_id)
    form = ClosingForm(request.form, _substitutes(point))
    if not form.validate():
        return _page(point, form, status=422)
    wish = form.wish(point)
    outcome = closings.close(db.session(), wish, form.reason.data, by=staff().id)
    if outcome.refusal:
        return _page(point, form, status=422, wish=wish)
    return _done(point, outcome, _("Le point est fermé pour ces jours."))


@blueprint.post(f"{ADDRESS}/<id:closing_id>/fin")
@needs(Permission.ROUNDS)
def reopen_point(point_id: int, closing_id: int) -> ResponseReturnValue:
    point, closing = _point_or_404(point_id), queries.find_closing(db.session(), closing_id)
    if closing is None or closing.point.id != point_id:
        abort(404)
    outcome = closings.reopen(db.session(), closing, by=staff().id)
    if outcome.refusal:
        return _page(point, ClosingForm(None, _substitutes(point)), status=422, over=True)
    return _done(point, outcome, _("Le point est de nouveau ouvert."))


def _done(point: PointView, outcome: Outcome, said: str) -> ResponseReturnValue:
    if not outcome.changed:
        said = _("C'était déjà fait : rien n'a changé.")
    elif outcome.told:
        told = ngettext(
            "Une personne va recevoir un mail.", "%(n)s personnes vont recevoir un mail.", outcome.told
        )
        said = f"{said} {told}"
    flash(said, "success")
    return redirect(url_for("farm.point_closings", point_id=point.id), 303)


def _point_or_404(point_id: int) -> PointView:
    return queries.find(db.session(), point_id) or abort(404)


def _substitutes(point: PointView) -> list[PointView]:
    offered = queries.offered_points(db.session())
    return [other for other in offered if other.tour_id == point.tour_id and other.id != point.id]


def _page(
    point: PointView, form: ClosingForm, *, status: int, wish: Wish | None = None, over: bool = False
) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    today = local_day(now)
    page = render_template(
        "farm/points/closings.html",
        point=point,
        form=form,
        substitutes=_substitutes(point),
        closings=_standing(point, today),
        preview=wish and closings.preview(session, wish, now),
        wish=wish,
        over=over,
        nav_current="farm.index",
    )
    return make_response(page, status)


def _standing(point: PointView, today: date) -> list[queries.ClosingView]:
    """Those that can still be taken back."""
    found = queries.closings(db.session(), today)
    return [
        closing
        for closing in found
        if closing.point.id == point.id
        and not closing.ended
        and not refusal_to_reopen(closing.for_rules, today)
    ]
