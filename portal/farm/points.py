"""The pickup points: where, when, for how many boxes, in which order of the round."""

from dataclasses import asdict
from datetime import date
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, or_, select
from werkzeug.exceptions import UnprocessableEntity
from wtforms import Form, ValidationError
from wtforms.widgets import TextArea, TimeInput

from portal.boxes.carried import loads
from portal.boxes.models import BoxChange
from portal.catalogue.queries import FormulaView, formulas
from portal.deliveries.queries import TourView, tours
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup import queries, services
from portal.pickup.models import PointClosing
from portal.pickup.queries import PointView
from portal.rules.calendar import WEEK, monday_of
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.shop.models import Order
from portal.subscriptions import queries as subscriptions
from portal.subscriptions.models import Term
from portal.subscriptions.services import set_withheld
from portal.web.forms import (
    Chosen,
    ChosenMany,
    Typed,
    choices,
    degrees,
    line,
    phone,
    postcode,
    prose,
    whole,
    write_clock,
    write_degrees,
)
from portal.web.forms import clock as clock_time
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

ADDRESS = "/points-de-retrait/<id:point_id>"
MOST_BOXES = 10_000
read_place = whole(1, 1000)


class PointForm(Form):
    name = Typed(_l("Nom"), line(120))
    tour_id = Chosen(_l("Tournée"))
    address = Typed(_l("Adresse"), line(200))
    postcode = Typed(_l("Code postal"), postcode)
    town = Typed(_l("Commune"), line(80))
    latitude = Typed(_l("Latitude"), degrees(90), write=write_degrees)
    longitude = Typed(_l("Longitude"), degrees(180), write=write_degrees)
    opens = Typed(_l("Ouvre à"), clock_time, write=write_clock, widget=TimeInput())
    closes = Typed(_l("Ferme à"), clock_time, write=write_clock, widget=TimeInput())
    access = Typed(_l("Accès"), prose(1000), widget=TextArea())
    capacity = Typed(_l("Places"), whole(0, MOST_BOXES))
    contact = Typed(_l("Qui reçoit"), line(120), needed=False)
    phone = Typed(_l("Téléphone"), phone, needed=False)
    driver_note = Typed(_l("Note pour la tournée"), prose(500), needed=False, widget=TextArea())
    offered = ChosenMany(_l("Formules proposées"))

    def __init__(
        self,
        formdata: Any,
        tours: list[TourView],
        formulas: list[FormulaView],
        *,
        point: PointView | None = None,
        data: dict[str, Any] | None = None,
        offered: list[int] | None = None,
        tour_stays: bool = False,
    ) -> None:
        self._tours, self._formulas = tours, formulas
        super().__init__(formdata, obj=point, offered=offered, data=data)
        if tour_stays:
            del self.tour_id

    def process(self, *args: Any, **values: Any) -> None:
        self.tour_id.choices = choices((tour.id, tour.name) for tour in self._tours)
        self.offered.choices = choices((formula.id, formula.name) for formula in self._formulas)
        super().process(*args, **values)

    def validate_closes(self, field: Typed) -> None:
        if not field.errors and self.opens.data and self.opens.data >= field.data:
            raise ValidationError(field.says(_("après l'heure d'ouverture.")))

    @property
    def values(self) -> dict[str, Any]:
        """The point's own columns."""
        return {name: value for name, value in self.data.items() if name != "offered"}

    @property
    def withheld(self) -> list[int]:
        return [formula.id for formula in self._formulas if formula.id not in self.offered.data]


@blueprint.get("/points-de-retrait")
@needs(Permission.ROUNDS)
def points() -> ResponseReturnValue:
    return render_template("farm/points/list.html", **_rounds(), nav_current="farm.index")


@blueprint.get("/points-de-retrait/ajout")
@needs(Permission.ROUNDS)
def new_point() -> ResponseReturnValue:
    return _page(_form())


@blueprint.post("/points-de-retrait/ajout")
@needs(Permission.ROUNDS)
def add_point() -> ResponseReturnValue:
    form = _form(posted=True)
    if not form.validate():
        return _page(form, status=422)
    session, at, by = db.session(), clock.now(), staff().id
    point = services.add_point(session, form.values, at=at, by=by)
    set_withheld(session, point.id, form.withheld, at=at, by=by)
    flash(_("Le point de retrait est ajouté, à la fin de sa tournée."), "success")
    return redirect(url_for("farm.points", _anchor=f"point-{point.id}"), 303)


@blueprint.get(ADDRESS)
@needs(Permission.ROUNDS)
def point(point_id: int) -> ResponseReturnValue:
    found = _point_or_404(point_id)
    return _page(_form(found), found)


@blueprint.post(ADDRESS)
@needs(Permission.ROUNDS)
def save_point(point_id: int) -> ResponseReturnValue:
    found = _point_or_404(point_id)
    form = _form(found, posted=True)
    if not form.validate():
        return _page(form, found, 422)
    session, at, by = db.session(), clock.now(), staff().id
    values = {"tour_id": found.tour_id} | form.values
    changed = services.change_point(
        session, point_id, values, in_use=lambda: _is_used(point_id), at=at, by=by
    )
    if changed is None:
        return _page(_form(found, posted=True), found, 422, tour_refused=True)
    reoffered = set_withheld(session, point_id, form.withheld, at=at, by=by)
    done = _("Le point de retrait est enregistré.") if changed or reoffered else _("Rien n'a changé.")
    flash(done, "success")
    return redirect(url_for("farm.point", point_id=point_id), 303)


@blueprint.post(f"{ADDRESS}/place")
@needs(Permission.ROUNDS)
def place_point(point_id: int) -> ResponseReturnValue:
    """Make it the stop of that number in its round, from 1."""
    found = _point_or_404(point_id)
    try:
        [typed] = request.form.getlist("place")
        place = read_place(typed)
    except ValueError:
        raise UnprocessableEntity from None
    services.place_point(db.session(), point_id, place - 1, at=clock.now(), by=staff().id)
    if is_htmx():
        rounds = _rounds()
        tour = next(tour for tour in rounds["tours"] if tour.id == found.tour_id)
        return render_template("farm/points/_round.html", **rounds, tour=tour, moved=found)
    return redirect(url_for("farm.points", _anchor=f"point-{point_id}"), 303)


@blueprint.post(f"{ADDRESS}/fermeture")
@needs(Permission.ROUNDS)
def retire_point(point_id: int) -> ResponseReturnValue:
    _point_or_404(point_id)
    services.set_retired(db.session(), point_id, True, at=clock.now(), by=staff().id)
    flash(_("Ce point n'est plus proposé à personne. Qui y retire son panier le garde."), "success")
    return redirect(url_for("farm.point", point_id=point_id), 303)


@blueprint.post(f"{ADDRESS}/reouverture")
@needs(Permission.ROUNDS)
def reinstate_point(point_id: int) -> ResponseReturnValue:
    _point_or_404(point_id)
    services.set_retired(db.session(), point_id, False, at=clock.now(), by=staff().id)
    flash(_("Ce point est de nouveau proposé."), "success")
    return redirect(url_for("farm.point", point_id=point_id), 303)


def _point_or_404(point_id: int) -> PointView:
    return queries.find(db.session(), point_id) or abort(404)


def _rounds() -> dict[str, Any]:
    """The points tour by tour, with what is usually collected there."""
    session = db.session()
    every = queries.points(session)
    shown = tours(session)
    return {
        "tours": shown,
        "rounds": {tour.id: [point for point in every if point.tour_id == tour.id] for tour in shown},
        "usual": subscriptions.usual_boxes(session, _this_week()),
        "closings": [c for c in queries.closings(session, local_day(clock.now())) if not c.ended],
    }


def _form(point: PointView | None = None, *, posted: bool = False) -> PointForm:
    session = db.session()
    every, withheld = formulas(session), subscriptions.withheld(session)
    return PointForm(
        request.form if posted else None,
        [tour for tour in tours(session) if not tour.retired or (point and point.tour_id == tour.id)],
        every,
        point=point,
        data=asdict(queries.receptions(session, [point.id])[point.id]) if point else None,
        offered=[f.id for f in every if point is None or (point.id, f.id) not in withheld],
        tour_stays=point is not None and _is_used(point.id),
    )


def _page(
    form: PointForm, point: PointView | None = None, status: int = 200, **context: Any
) -> ResponseReturnValue:
    session = db.session()
    page = render_template(
        "farm/points/page.html",
        form=form,
        point=point,
        tours=tours(session),
        formulas=formulas(session),
        withheld=subscriptions.withheld(session),
        boxes=subscriptions.usual_boxes(session, _this_week()).get(point.id) if point else None,
        taken=_places_taken(point.id) if point else 0,
        nav_current="farm.index",
        **context,
    )
    return make_response(page, status)


def _is_used(point_id: int) -> bool:
    """Whether a subscription, a change to one week, an order or a closing names it."""
    named = [
        exists().where(table.pickup_point_id == point_id) for table in (Term, BoxChange, Order, PointClosing)
    ]
    stands_in = exists().where(PointClosing.substitute_id == point_id)
    return bool(db.session().scalar(select(or_(*named, stands_in))))


def _places_taken(point_id: int) -> int:
    """In the fullest of the coming weeks."""
    weeks = [_this_week() + n * WEEK for n in range(4)]
    return max(loads(db.session(), [point_id], weeks).values(), default=0)


def _this_week() -> date:
    return monday_of(local_day(clock.now()))
