"""The planning: the coming deliveries, and the acts on them."""

import calendar
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.member.home import next_context
from portal.planning import services, suspensions
from portal.planning.options import week_options
from portal.planning.queries import Card
from portal.planning.queries import planning as read_planning
from portal.planning.services import Outcome
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal
from portal.rules.cutoffs import local_day
from portal.web.htmx import is_htmx

WEEKS_A_PAGE = 8
LAST_WEEK = 52
"""Deliveries are known a year ahead."""
MONTHS = 2
"""Shown beside the list on wide screens."""

_ID = re.compile(r"[1-9][0-9]{0,8}")


@blueprint.get("/planning")
def planning() -> ResponseReturnValue:
    weeks = _weeks_asked()
    now = clock.now()
    today = local_day(now)
    since = monday_of(today)
    until = since + weeks * WEEK - timedelta(days=1)
    found = read_planning(db.session(), member().id, since=since, until=until, now=now)
    listed = found.weeks(since, weeks)
    return render_template(
        "member/planning.html",
        weeks=listed[:WEEKS_A_PAGE],
        far=[week for week in listed[WEEKS_A_PAGE:] if week.cards or week.cancelled],
        months=_months(today, found.cards),
        today=today,
        suspensions=suspensions.running(found.holdings, today),
        has_subscription=bool(found.holdings),
        more=LAST_WEEK if weeks < LAST_WEEK else None,
    )


def _weeks_asked() -> int:
    asked = request.args.get("semaines", "")
    if not _ID.fullmatch(asked):
        return WEEKS_A_PAGE
    return min(int(asked), LAST_WEEK)


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the calendar: its weeks from Monday on, each day with its cards."""

    first_day: date
    weeks: tuple[tuple[tuple[date, tuple[Card, ...]], ...], ...]


def _months(today: date, cards: Collection[Card]) -> list[Month]:
    of_day: dict[date, tuple[Card, ...]] = {}
    for card in cards:
        of_day[card.delivery.day] = (*of_day.get(card.delivery.day, ()), card)
    months = []
    first = today.replace(day=1)
    for _ in range(MONTHS):
        weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
        months.append(
            Month(first, tuple(tuple((day, of_day.get(day, ())) for day in week) for week in weeks))
        )
        first = (first + timedelta(days=31)).replace(day=1)
    return months


@blueprint.get("/planning/<date:week>")
def week(week: date) -> ResponseReturnValue:
    if week != monday_of(week):
        abort(404)
    return render_template("member/week.html", **_week_page(week))


def _week_page(week: date) -> dict[str, Any]:
    """A week with everything that is still possible in it."""
    session, now = db.session(), clock.now()
    found = read_planning(session, member().id, since=week - WEEK, until=week + 6 * WEEK, now=now)
    this_week = monday_of(local_day(now))
    if not this_week - WEEK <= week <= this_week + (LAST_WEEK + 1) * WEEK:
        abort(404)
    return {
        "week": found.weeks(week, 1)[0],
        "options": week_options(session, found, week, now),
        "earlier": week - WEEK if week > this_week else None,
        "later": week + WEEK,
        "point": request.args.get("point", type=int),
        "farthest": this_week + LAST_WEEK * WEEK,
    }


@blueprint.post("/planning/<date:week>/saut")
def skip(week: date) -> ResponseReturnValue:
    return _answer(services.skip(db.session(), member(), _subscriptions_asked(), week), week)


@blueprint.post("/planning/<date:week>/reprise")
def unskip(week: date) -> ResponseReturnValue:
    return _answer(services.skip(db.session(), member(), _subscriptions_asked(), week, wanted=False), week)


@blueprint.post("/planning/<date:week>/report")
def postpone(week: date) -> ResponseReturnValue:
    to_week = _date_asked("vers")
    if to_week is None:
        return _answer(Outcome(services.Act.POSTPONE, refusal=Refusal.NOTHING_CHOSEN), week)
    return _answer(
        services.postpone(db.session(), member(), _subscriptions_asked(), week, monday_of(to_week)), week
    )


@blueprint.post("/planning/<date:week>/report/annulation")
def bring_forward(week: date) -> ResponseReturnValue:
    return _answer(services.postpone(db.session(), member(), _subscriptions_asked(), week, None), week)


@blueprint.post("/planning/<date:week>/point")
def move(week: date) -> ResponseReturnValue:
    point_id = _id_asked("point")
    if point_id is None:
        return _answer(Outcome(services.Act.MOVE, refusal=Refusal.NOTHING_CHOSEN), week)
    return _answer(services.move(db.session(), member(), _subscriptions_asked(), week, point_id), week)


@blueprint.post("/planning/<date:week>/point/annulation")
def move_back(week: date) -> ResponseReturnValue:
    return _answer(services.move(db.session(), member(), _subscriptions_asked(), week, None), week)


@blueprint.post("/planning/<date:week>/panier")
def vary(week: date) -> ResponseReturnValue:
    formula_id, quantity = _id_asked("formule"), _quantity_asked("quantite")
    if formula_id is None or quantity is None:
        return _answer(Outcome(services.Act.VARY, refusal=Refusal.NOTHING_CHOSEN), week)
    outcome = services.vary(
        db.session(), member(), _subscriptions_asked(), week, formula_id=formula_id, quantity=quantity
    )
    return _answer(outcome, week)


@blueprint.post("/planning/<date:week>/panier/annulation")
def vary_back(week: date) -> ResponseReturnValue:
    outcome = services.vary(
        db.session(), member(), _subscriptions_asked(), week, formula_id=None, quantity=None
    )
    return _answer(outcome, week)


def _subscriptions_asked() -> list[int]:
    """Those that were ticked; a form that no page of ours sends ticks none."""
    asked = request.form.getlist("abonnement")
    return [int(value) for value in asked] if all(_ID.fullmatch(value) for value in asked) else []


def _id_asked(name: str) -> int | None:
    """The one id of a field; nothing for what no page of ours sends."""
    values = request.form.getlist(name)
    return int(values[0]) if len(values) == 1 and _ID.fullmatch(values[0]) else None


def _quantity_asked(name: str) -> int | None:
    values = request.form.getlist(name)
    return int(values[0]) if len(values) == 1 and re.fullmatch("[1-9]", values[0]) else None


def _date_asked(name: str) -> date | None:
    values = request.form.getlist(name)
    if len(values) != 1 or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", values[0]):
        return None
    try:
        return date.fromisoformat(values[0])
    except ValueError:
        return None


def _answer(outcome: Outcome | None, week: date) -> ResponseReturnValue:
    """The fragment of the page that asked, or the way back to it; a refusal shows the present state."""
    if outcome is None:
        abort(404)
    db.session.flush()
    view = request.form.get("vue")
    status = 422 if outcome.refusal else 200
    if view == "semaine":
        return _answer_on_week(outcome, _date_asked("page") or week, status)
    if is_htmx():
        on_home = view == "espace"
        template, context = ("member/_next_answer.html", next_context()) if on_home else _week_context(week)
        return render_template(template, result=outcome, **context), status
    if outcome.refusal:
        return render_template("member/refused.html", result=outcome, **_week_context(week)[1]), 422
    if view == "espace":
        _flash(outcome, "success")
        return redirect(url_for("member.home"), 303)  # an anchor would lead past the answer
    _flash(outcome, f"semaine-{week}")  # shown within the week, where the anchor leads
    return redirect(url_for("member.planning", _anchor=f"semaine-{week}"), 303)


def _answer_on_week(outcome: Outcome, page: date, status: int) -> ResponseReturnValue:
    if is_htmx():
        return render_template("member/_sheet_answer.html", result=outcome, **_week_page(page)), status
    if outcome.refusal:
        return render_template("member/week.html", result=outcome, **_week_page(page)), 422
    _flash(outcome, "success")
    return redirect(url_for("member.week", week=page), 303)


def _flash(outcome: Outcome, category: str) -> None:
    said = render_template("member/_said.txt", result=outcome)
    flash(unescape(said), category)  # the page escapes it, as the macro has done already


def _week_context(week: date) -> tuple[str, dict[str, Any]]:
    """One week of the planning, as the page shows it; a delivery that was moved may lie beside its week."""
    now = clock.now()
    since = max(monday_of(local_day(now)), week - WEEK)
    found = read_planning(db.session(), member().id, since=since, until=week + 2 * WEEK, now=now)
    return "member/_week_answer.html", {"week": found.weeks(week, 1)[0]}
