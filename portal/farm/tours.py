"""The tours: on which day they deliver, and until when each delivery can be changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import exists, or_, select
from wtforms import Form
from wtforms.widgets import TimeInput

from portal.boxes.models import BoxChange
from portal.deliveries import queries, services
from portal.deliveries.jobs import AHEAD
from portal.deliveries.queries import TourView
from portal.deliveries.services import RuleChange
from portal.farm import blueprint, staff
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.models import PickupPoint
from portal.planning import rounds
from portal.rules.calendar import delivery_days, monday_of
from portal.rules.cutoffs import Lead, cutoff_instant, is_past, local_day
from portal.rules.permissions import Permission
from portal.subscriptions.models import Term
from portal.web import filters
from portal.web.forms import Chosen, Typed, choices, line, slug, write_clock
from portal.web.forms import clock as clock_time
from portal.web.guards import needs
from portal.web.htmx import is_htmx
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.i18n import ngettext

MONDAY = date(2024, 1, 1)
USUAL_LEAD = Lead(2, time(23, 59))
LONGEST_LEAD = 6
"""Less than a week, so that « jusqu'au dimanche » leaves no doubt which Sunday."""


class TourForm(Form):
    name = Typed(_l("Nom"), line(80))
    weekday = Chosen(_l("Jour de livraison"), default=0)
    lead_days = Chosen(_l("Jour de clôture"))
    lead_time = Typed(_l("Dernière minute"), clock_time, write=write_clock, widget=TimeInput())

    def __init__(self, formdata: Any = None, tour: TourView | None = None) -> None:
        self.tour = tour
        lead = tour.lead if tour else USUAL_LEAD
        name = tour.name if tour else None
        weekday = {"weekday": tour.weekday} if tour else {}
        data = {"name": name, "lead_days": lead.days, "lead_time": lead.time} | weekday
        super().__init__(formdata, data=data)

    def process(self, *args: Any, **values: Any) -> None:
        self.weekday.choices = choices((number, _weekday(number)) for number in range(7))
        self.lead_days.choices = choices((days, self._days_before(days)) for days in range(LONGEST_LEAD + 1))
        super().process(*args, **values)

    @property
    def delivered_on(self) -> int | None:
        number: int | None = self.weekday.data
        return number

    @property
    def moves(self) -> bool:
        """Whether people's day changes."""
        return self.tour is not None and self.delivered_on not in {None, self.tour.weekday}

    @property
    def lead(self) -> Lead | None:
        days, minute = self.lead_days.data, self.lead_time.data
        return None if days is None or minute is None else Lead(days, minute)

    def _days_before(self, days: int) -> str:
        return ngettext("%(n)s jour avant", "%(n)s jours avant", days) if days else _("le jour même")


class NewTourForm(TourForm):
    slug = Typed(_l("Mot pour les adresses"), slug(40))


@dataclass(frozen=True, slots=True)
class Closing:
    """What a rule means: its last minute in the week, and the first delivery that is still open by it."""

    delivered_on: int
    lead: Lead
    day: date
    cutoff_at: datetime

    @property
    def weekday(self) -> int:
        return (self.delivered_on - self.lead.days) % 7


def closing(form: TourForm, now: datetime) -> Closing | None:
    """None as long as the form does not say a whole rule."""
    weekday, lead, today = form.delivered_on, form.lead, local_day(now)
    if weekday is None or lead is None:
        return None
    days = delivery_days(weekday, today, today + timedelta(weeks=2))
    day = next(day for day in days if not is_past(cutoff_instant(day, lead), now))
    return Closing(weekday, lead, day, cutoff_instant(day, lead))


@blueprint.get("/tournees")
@needs(Permission.ROUNDS)
def tours() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "farm/tours/list.html",
        tours=queries.tours(session),
        prepared_until=queries.prepared_until(session),
        nav_current="farm.index",
    )


@blueprint.get("/tournees/ajout")
@needs(Permission.ROUNDS)
def new_tour() -> ResponseReturnValue:
    return _page(NewTourForm(request.args if is_htmx() else None))


@blueprint.post("/tournees/ajout")
@needs(Permission.ROUNDS)
def add_tour() -> ResponseReturnValue:
    form = NewTourForm(request.form)
    if not form.validate() or form.lead is None:
        return _page(form, 422)
    added = services.add_tour(
        db.session(),
        slug=form.slug.data,
        name=form.name.data,
        weekday=form.weekday.data,
        lead=form.lead,
        at=clock.now(),
        by=staff().id,
    )
    if added is None:
        form.slug.errors = [form.slug.says(_("une autre tournée porte ce mot."))]
        return _page(form, 422)
    flash(
        _("La tournée est ajoutée. Préparez ses livraisons, puis ajoutez ses points de retrait."), "success"
    )
    return redirect(url_for("farm.tours"), 303)


@blueprint.get("/tournees/<id:tour_id>")
@needs(Permission.ROUNDS)
def tour(tour_id: int) -> ResponseReturnValue:
    return _page(TourForm(request.args if is_htmx() else None, _tour_or_404(tour_id)))


@blueprint.post("/tournees/<id:tour_id>")
@needs(Permission.ROUNDS)
def save_tour(tour_id: int) -> ResponseReturnValue:
    found = _tour_or_404(tour_id)
    form = TourForm(request.form, found)
    if not form.validate() or form.lead is None or form.delivered_on is None:
        return _page(form, 422)
    if form.moves and request.form.get("agreed") != str(form.delivered_on):
        return _page(form, 422, asked=True)
    session, by = db.session(), staff().id
    renamed = services.rename_tour(session, tour_id, form.name.data, at=clock.now(), by=by)
    change = services.change_rule(session, tour_id, weekday=found.weekday, lead=form.lead, by=by)
    _tell(change, renamed=renamed, moved=form.lead != found.lead, shift=form.moves)
    if shift := rounds.change_weekday(session, tour_id, form.delivered_on, by=by):
        _tell_of_day(shift)
    return redirect(url_for("farm.tours"), 303)


@blueprint.post("/tournees/<id:tour_id>/arret")
@needs(Permission.ROUNDS)
def retire_tour(tour_id: int) -> ResponseReturnValue:
    found, session = _tour_or_404(tour_id), db.session()
    refusal = services.set_retired(
        session, tour_id, True, in_use=lambda: _is_used(tour_id), at=clock.now(), by=staff().id
    )
    if refusal:
        return _page(TourForm(None, found), 422, in_use=True)
    flash(_("Cette tournée est arrêtée : aucune livraison n'est plus préparée."), "success")
    return redirect(url_for("farm.tour", tour_id=tour_id), 303)


@blueprint.post("/tournees/<id:tour_id>/reprise")
@needs(Permission.ROUNDS)
def resume_tour(tour_id: int) -> ResponseReturnValue:
    _tour_or_404(tour_id)
    services.set_retired(db.session(), tour_id, False, in_use=lambda: False, at=clock.now(), by=staff().id)
    flash(_("Cette tournée reprend : préparez ses livraisons."), "success")
    return redirect(url_for("farm.tour", tour_id=tour_id), 303)


@blueprint.post("/tournees/livraisons")
@needs(Permission.ROUNDS)
def generate_deliveries() -> ResponseReturnValue:
    """A year of deliveries for every tour, as the worker makes them day by day."""
    now = clock.now()
    until = local_day(now) + AHEAD
    made = services.prepare(db.session(), local_day(now), until, at=now, by=staff().id)
    words = {"n": made, "until": filters.day_year(until)}
    if made:
        flash(
            ngettext(
                "%(n)s livraison est ajoutée, jusqu'au %(until)s.",
                "%(n)s livraisons sont ajoutées, jusqu'au %(until)s.",
                made,
                **words,
            ),
            "success",
        )
    else:
        flash(_("Toutes les livraisons sont déjà prêtes jusqu'au %(until)s.", **words), "success")
    return redirect(url_for("farm.tours"), 303)


def _tour_or_404(tour_id: int) -> TourView:
    return next((t for t in queries.tours(db.session()) if t.id == tour_id), None) or abort(404)


def _is_used(tour_id: int) -> bool:
    """Whether a point of it is offered, or somebody collects there, now or later."""
    today = local_day(clock.now())
    of_tour = select(PickupPoint.id).where(PickupPoint.tour_id == tour_id)
    offered = exists().where(PickupPoint.tour_id == tour_id, PickupPoint.retired_at.is_(None))
    lasting = or_(Term.until.is_(None), Term.until > today)
    usual = exists().where(Term.pickup_point_id.in_(of_tour), lasting)
    once = exists().where(BoxChange.pickup_point_id.in_(of_tour), BoxChange.week >= monday_of(today))
    return bool(db.session().scalar(select(or_(offered, usual, once))))


def _page(form: TourForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    """The page; as an answer to HTMX, what the rule means that is being chosen."""
    chosen = is_htmx() and request.method == "GET"
    now, session, tour, lead = clock.now(), db.session(), form.tour, form.lead
    change = shift = None
    if tour and lead and lead != tour.lead:
        change = services.preview_rule(session, tour.id, lead, now)
    if tour and lead and form.moves and form.delivered_on is not None:
        shift = rounds.preview(session, tour.id, form.delivered_on, lead, now)
    page = render_template(
        "farm/tours/_closing.html" if chosen else "farm/tours/page.html",
        form=form,
        tour=tour,
        closing=closing(form, now),
        change=change,
        shift=shift,
        answered=chosen,
        nav_current="farm.index",
        **context,
    )
    return make_response(page, status)


def _tell_of_day(shift: rounds.Shift) -> None:
    n = len(shift.followed)
    said = ngettext(
        "Le jour est enregistré : %(n)s livraison ouverte le suit.",
        "Le jour est enregistré : %(n)s livraisons ouvertes le suivent.",
        n,
    )
    told = ngettext(
        "Une personne va recevoir un mail.", "%(n)s personnes vont recevoir un mail.", shift.people
    )
    flash(f"{said} {told}" if shift.people else said, "success")
    if shift.kept:
        flash(_("Gardent leur jour : %(days)s.", days=_listed(shift.kept)), "warning")


def _tell(change: RuleChange, *, renamed: bool, moved: bool, shift: bool) -> None:
    if not (renamed or moved or shift):
        flash(_("Rien n'a changé : la tournée est comme avant."), "success")
    if renamed:
        flash(_("Le nom de la tournée est enregistré."), "success")
    if moved:
        flash(
            ngettext(
                "La clôture est enregistrée : %(n)s livraison ouverte la suit.",
                "La clôture est enregistrée : %(n)s livraisons ouvertes la suivent.",
                change.followed,
            ),
            "success",
        )
    if change.by_hand:
        flash(_("Gardent la leur, réglée à la main : %(days)s.", days=_listed(change.by_hand)), "warning")
    if change.too_late:
        days = _listed(change.too_late)
        flash(_("Gardent la leur, la nouvelle serait déjà passée : %(days)s.", days=days), "warning")
    if change.out_of_order:
        days = _listed(change.out_of_order)
        flash(
            _("Gardent la leur, la nouvelle croiserait celle d'une livraison voisine : %(days)s.", days=days),
            "warning",
        )


def _listed(days: Iterable[date]) -> str:
    return ", ".join(map(filters.day, days))


def _weekday(number: int) -> str:
    return filters.weekday(MONDAY + timedelta(days=number % 7))
