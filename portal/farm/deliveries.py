"""The coming deliveries: their states and their counts."""

from datetime import date, timedelta

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from portal.catalogue.queries import formulas
from portal.compositions.queries import progress
from portal.deliveries import queries
from portal.deliveries.queries import DeliveryView
from portal.deliveries.steps import done
from portal.farm import blueprint
from portal.infra import clock
from portal.infra.orm import db
from portal.packing.queries import counts, tallies
from portal.rules.calendar import WEEK, monday_of
from portal.rules.cutoffs import local_day
from portal.rules.deliveries import refusal_to_leave, refusal_to_reinstate
from portal.rules.holidays import holiday_on
from portal.rules.permissions import Permission
from portal.shop.sheets import work
from portal.web.guards import needs

WEEKS_A_PAGE = 2
FARTHEST = timedelta(days=5 * 366)


@blueprint.get("/livraisons")
@needs(Permission.LOOK)
def deliveries() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    today = local_day(now)
    first = _first_week(request.args.get("semaine"), today)
    weeks = [first + n * WEEK for n in range(WEEKS_A_PAGE)]
    shown = queries.upcoming(session, first, weeks[-1] + WEEK - timedelta(days=1))
    ids = [delivery.id for delivery in shown]
    return render_template(
        "farm/deliveries/list.html",
        weeks=[(week, [d for d in shown if monday_of(d.day) == week]) for week in weeks],
        states={delivery.id: delivery.state(now) for delivery in shown},
        holiday_on=holiday_on,
        tallies=tallies(session, ids),
        written=progress(session, ids),
        formulas=formulas(session),
        this_week=monday_of(today),
        earlier=first - WEEKS_A_PAGE * WEEK,
        later=first + WEEKS_A_PAGE * WEEK,
    )


@blueprint.get("/livraisons/<date:day>/<tour>")
@needs(Permission.LOOK)
def delivery(day: date, tour: str) -> ResponseReturnValue:
    found, now = _delivery_or_404(day, tour), clock.now()
    return render_template(
        "farm/deliveries/page.html",
        delivery=found,
        state=found.state(now),
        holiday=holiday_on(found.day),
        can_move=not refusal_to_leave(found.for_rules, now),
        can_reinstate=found.cancelled and not refusal_to_reinstate(found.for_rules, now),
        counts=counts(db.session(), found),
        work=work(db.session(), [found.id])[found.id],
        written=progress(db.session(), [found.id])[found.id],
        steps=done(db.session(), [found.id])[found.id],
        nav_current="farm.deliveries",
    )


def _delivery_or_404(day: date, tour: str) -> DeliveryView:
    return queries.find(db.session(), day, tour) or abort(404)


def _first_week(asked: str | None, today: date) -> date:
    """The Monday to begin with: this week's, for whatever names no day of our time."""
    try:
        wanted = date.fromisoformat(asked or "")
    except ValueError:
        wanted = today
    return monday_of(wanted if abs(wanted - today) < FARTHEST else today)
