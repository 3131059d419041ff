"""The season on one page; what is done to several deliveries at once: closing for some days, moving off holidays."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import groupby
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest
from wtforms import Form, ValidationError
from wtforms.widgets import DateInput

from portal.compositions.models import CompositionState
from portal.compositions.queries import progress
from portal.deliveries import queries
from portal.deliveries.queries import DeliveryState, DeliveryView, TourView
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import ClosingView, closings
from portal.planning import deliveries
from portal.planning.deliveries import MovePreview, Outcome, Reach
from portal.profile.queries import season_first
from portal.rules.calendar import season_start
from portal.rules.cutoffs import local_day
from portal.rules.deliveries import Refusal, refusal_to_leave, refusal_to_reinstate
from portal.rules.holidays import holiday_on, working_day_beside
from portal.rules.permissions import Permission
from portal.shop import rerouting
from portal.web.forms import ChosenMany, Typed, choices, day, prose
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

A_YEAR = timedelta(days=366)
A_DAY = timedelta(days=1)
LONGEST = timedelta(weeks=26)
NOBODY = Reach(0, 0, 0)


# A season on one page


class Stage(StrEnum):
    """Where a delivery stands as the season shows it; its word and letter are in the template."""

    PREPARING = "preparing"
    PUBLISHED = "published"
    CLOSED = "closed"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Dated:
    """A delivery of the season: its stage, the holiday that it falls on, the points that are closed then."""

    delivery: DeliveryView
    stage: Stage
    holiday: str | None
    closed: tuple[ClosingView, ...]


@blueprint.get("/livraisons/saison")
@needs(Permission.LOOK)
def season() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    first = season_start(season_first(session), _day_asked(local_day(now)))
    last = first.replace(year=first.year + 1) - A_DAY
    found = queries.upcoming(session, first, last)
    written = progress(session, [delivery.id for delivery in found])
    shut = closings(session, first)
    dated = [
        Dated(d, _stage(d.state(now), written[d.id].values()), holiday_on(d.day), _closed_on(shut, d))
        for d in found
    ]
    return render_template(
        "farm/deliveries/season.html",
        first=first,
        last=last,
        tours=queries.tours(session),
        months=[
            (month, list(days))
            for month, days in groupby(dated, key=lambda one: one.delivery.day.replace(day=1))
        ],
        earlier=first - A_DAY,
        later=last + A_DAY,
        nav_current="farm.deliveries",
    )


def _day_asked(today: date) -> date:
    try:
        asked = day(request.args.get("jour", ""))
    except ValueError:
        return today
    return asked if abs(asked - today) < 5 * A_YEAR else today


def _stage(state: DeliveryState, written: Collection[CompositionState]) -> Stage:
    if state is not DeliveryState.OPEN:
        return Stage(state)
    published = written and CompositionState.DRAFT not in written
    return Stage.PUBLISHED if published else Stage.PREPARING


def _closed_on(shut: Iterable[ClosingView], delivery: DeliveryView) -> tuple[ClosingView, ...]:
    of_tour = (closing for closing in shut if closing.point.tour_id == delivery.tour_id)
    return tuple(closing for closing in of_tour if closing.for_rules.covers(delivery.for_rules))


# Several at once


@dataclass(frozen=True, slots=True)
class Line:
    """A delivery of a wish for several: whom it concerns, and what comes of the wish or why nothing does."""

    delivery: DeliveryView
    state: DeliveryState
    reach: Reach
    orders: int
    refusal: Refusal | None = None
    day: date | None = None
    move: MovePreview | None = None
    chosen: bool = True

    @property
    def counts(self) -> bool:
        return self.chosen and self.refusal is None


def _lines(found: Collection[DeliveryView], now: datetime) -> list[Line]:
    session, ids = db.session(), [delivery.id for delivery in found]
    reach, orders = deliveries.reaches(session, ids), rerouting.all_waiting(session, ids)
    return [Line(d, d.state(now), reach.get(d.id, NOBODY), orders.get(d.id, 0)) for d in found]


def _coming(now: datetime) -> tuple[date, date]:
    return local_day(now), local_day(now) + A_YEAR


def _people(lines: Iterable[Line]) -> int:
    return deliveries.people(db.session(), [line.delivery.id for line in lines if line.counts])


def _ids(name: str = "livraison") -> list[int]:
    try:
        return [int(value) for value in dict.fromkeys(request.values.getlist(name))]
    except ValueError:
        raise BadRequest from None


def _changed(outcomes: Iterable[Outcome]) -> int:
    return sum(outcome.changed for outcome in outcomes)


def _done(changed: int, ids: Collection[int], said: str) -> None:
    if not changed:
        flash(_("C'était déjà fait : rien n'a changé."), "success")
        return
    told = deliveries.waiting(db.session(), ids)
    news = ngettext("Une personne va recevoir un mail.", "%(n)s personnes vont recevoir un mail.", told)
    flash(f"{said} {news}" if told else said, "success")


# Closing for some days


class ClosureForm(Form):
    first_day = Typed(_l("Fermé du"), day, widget=DateInput())
    last_day = Typed(_l("au, ce jour compris"), day, widget=DateInput())
    reason = Typed(_l("Pourquoi ?"), prose(200))
    tours = ChosenMany(_l("Tournées"))

    def __init__(self, formdata: Any, tours: list[TourView]) -> None:
        self._tours = tours
        super().__init__(formdata, data={"tours": [tour.id for tour in tours]})

    def process(self, *args: Any, **values: Any) -> None:
        self.tours.choices = choices((tour.id, tour.name) for tour in self._tours)
        super().process(*args, **values)

    def validate_last_day(self, field: Typed) -> None:
        first, last = self.first_day.data, field.data
        if first and last and not timedelta(0) <= last - first <= LONGEST:
            raise ValidationError(field.says(_("après le premier jour, six mois au plus.")))


@blueprint.get("/livraisons/fermeture")
@needs(Permission.CALENDAR)
def farm_closure() -> ResponseReturnValue:
    """First the days are asked for; then which deliveries fall, and whom that concerns."""
    form = ClosureForm(request.args or None, queries.tours(db.session()))
    return _closure_page(form, asked=bool(request.args) and form.validate(), status=200)


@blueprint.post("/livraisons/fermeture")
@needs(Permission.CALENDAR)
def close_farm() -> ResponseReturnValue:
    session = db.session()
    form = ClosureForm(request.form, queries.tours(session))
    if not form.validate():
        return _closure_page(form, asked=False, status=422)
    ids = [line.delivery.id for line in _falling(form, clock.now()) if line.counts]
    cancel = partial(deliveries.cancel, session, reason=form.reason.data, by=staff().id)
    outcomes = deliveries.together(session, {i: partial(cancel, i) for i in ids})
    if any(outcome.refusal for outcome in outcomes):
        return _closure_page(form, asked=True, status=422)
    n = _changed(outcomes)
    _done(n, ids, ngettext("Une livraison est annulée.", "%(n)s livraisons sont annulées.", n))
    return redirect(url_for("farm.farm_closure"), 303)


@blueprint.post("/livraisons/retablissement")
@needs(Permission.CALENDAR)
def reinstate_deliveries() -> ResponseReturnValue:
    session, asked = db.session(), _ids()
    ids = [d.id for d in queries.upcoming(session, *_coming(clock.now())) if d.id in asked]
    reinstate = partial(deliveries.reinstate, session, by=staff().id)
    outcomes = deliveries.together(session, {i: partial(reinstate, i) for i in ids})
    if any(outcome.refusal for outcome in outcomes):
        return _closure_page(ClosureForm(None, queries.tours(session)), asked=False, status=422)
    n = _changed(outcomes)
    _done(n, ids, ngettext("Une livraison est rétablie.", "%(n)s livraisons sont rétablies.", n))
    return redirect(url_for("farm.farm_closure"), 303)


def _closure_page(form: ClosureForm, *, asked: bool, status: int) -> ResponseReturnValue:
    now = clock.now()
    lines = _falling(form, now) if asked else []
    by_reason: dict[str, list[DeliveryView]] = {}
    for delivery in _cancelled(now):
        by_reason.setdefault(delivery.cancel_reason or "", []).append(delivery)
    page = render_template(
        "farm/deliveries/closure.html",
        form=form,
        tours=queries.tours(db.session()),
        asked=asked,
        lines=lines,
        people=_people(lines),
        cancelled=by_reason,
        nav_current="farm.deliveries",
    )
    return make_response(page, status)


def _falling(form: ClosureForm, now: datetime) -> list[Line]:
    """What the wish means delivery by delivery: what has closed is left to its own page, it cannot be undone."""
    found = queries.upcoming(db.session(), form.first_day.data, form.last_day.data, form.tours.data)
    lines = _lines([d for d in found if d.day >= local_day(now) and not d.cancelled], now)
    return [replace(line, chosen=line.state is DeliveryState.OPEN) for line in lines]


def _cancelled(now: datetime) -> list[DeliveryView]:
    """The coming deliveries that can still take place after all."""
    coming = queries.upcoming(db.session(), *_coming(now))
    return [d for d in coming if d.cancelled and not refusal_to_reinstate(d.for_rules, now)]


# Holidays


@blueprint.get("/livraisons/feries")
@needs(Permission.LOOK)
def holidays() -> ResponseReturnValue:
    """The coming year's deliveries that fall on a holiday, or did before they were moved, each with a day beside."""
    return _holidays_page(status=200)


@blueprint.post("/livraisons/feries")
@needs(Permission.CALENDAR)
def move_off_holidays() -> ResponseReturnValue:
    """All of them or none; each is an act of its own."""
    session, moves = db.session(), {}
    for line in sorted(_on_holidays(clock.now()), key=lambda line: (line.delivery.week, line.delivery.id)):
        if line.chosen and line.day:
            reason = holiday_on(line.delivery.nominal_day)
            move = partial(deliveries.move, session, line.delivery.id, line.day, reason=reason, by=staff().id)
            moves[line.delivery.id] = move
    outcomes = deliveries.together(session, moves)
    if not moves or any(outcome.refusal for outcome in outcomes):
        return _holidays_page(status=422)
    ids = list(moves)
    n = _changed(outcomes)
    _done(n, ids, ngettext("Une livraison est déplacée.", "%(n)s livraisons sont déplacées.", n))
    return redirect(url_for("farm.holidays"), 303)


def _holidays_page(*, status: int) -> ResponseReturnValue:
    now = clock.now()
    lines = _on_holidays(now)
    page = render_template(
        "farm/deliveries/holidays.html",
        tours=[
            (tour, [line for line in lines if line.delivery.tour_id == tour.id])
            for tour in queries.tours(db.session())
        ],
        moving=[line for line in lines if line.counts],
        people=_people(lines),
        tried=status == 422,
        holiday_on=holiday_on,
        nav_current="farm.deliveries",
    )
    return make_response(page, status)


def _on_holidays(now: datetime) -> list[Line]:
    """As it is wished for; without a wish, what falls on a holiday goes to the nearest working day."""
    session = db.session()
    coming = queries.upcoming(session, *_coming(now))
    fallen = [d for d in coming if holiday_on(d.day) or holiday_on(d.nominal_day)]
    wished = set(_ids()) if request.values else None
    lines = []
    for line in _lines(fallen, now):
        refusal = refusal_to_leave(line.delivery.for_rules, now)
        chosen = bool(holiday_on(line.delivery.day)) if wished is None else line.delivery.id in wished
        wish = _wished_day(line.delivery)
        lines.append(replace(line, refusal=refusal, day=wish, chosen=chosen and refusal is None))
    moving = {line.delivery.id: line.day for line in lines if line.chosen and line.day}
    previews = deliveries.preview_moves(session, moving, now)
    return [_with_preview(line, previews.get(line.delivery.id)) for line in lines]


def _with_preview(line: Line, move: MovePreview | None) -> Line:
    if move is None:
        return line
    refusal = move.refusal
    if line.day == line.delivery.day:  # as it is already: nothing to refuse
        refusal = None
    return replace(line, refusal=refusal, move=move)


def _wished_day(delivery: DeliveryView) -> date:
    typed = request.values.get(f"jour-{delivery.id}", "")
    try:
        return day(typed)
    except ValueError:
        return working_day_beside(delivery.day) if holiday_on(delivery.day) else delivery.nominal_day
