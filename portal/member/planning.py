"""The planning: the coming deliveries, and the acts on them."""

import calendar
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from html import unescape
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, hands, holder
from portal.member.forms import MOST, read_aboard, read_day, read_id, read_ids
from portal.member.home import next_context
from portal.planning import services, suspensions
from portal.planning.case import Orders, Question
from portal.planning.options import week_options
from portal.planning.queries import Card, Planning, Week
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


@blueprint.get("/planning")
def planning() -> ResponseReturnValue:
    weeks = _weeks_asked()
    now = clock.now()
    today = local_day(now)
    since = monday_of(today)
    until = since + weeks * WEEK - timedelta(days=1)
    found = read_planning(db.session(), holder().id, since=since, until=until, now=now)
    first = min([since, *(card.delivery.week for card in found.cards)])  # a moved delivery keeps its week
    near = (since - first) // WEEK + WEEKS_A_PAGE
    listed = found.weeks(first, (since - first) // WEEK + weeks)
    return render_template(
        "member/planning.html",
        weeks=listed[:near],
        far=[week for week in listed[near:] if week.cards or week.cancelled],
        months=_months(today, found.cards),
        today=today,
        suspensions=suspensions.running(found.holdings, today),
        has_subscription=bool(found.holdings),
        more=LAST_WEEK if weeks < LAST_WEEK else None,
    )


def _weeks_asked() -> int:
    return min(read_id(request.args, "semaines") or WEEKS_A_PAGE, LAST_WEEK)


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
    return render_template("member/week.html", **_week_page(week))


def _week_page(week: date) -> dict[str, Any]:
    """A week with everything that is still possible in it."""
    session, now = db.session(), clock.now()
    this_week = monday_of(local_day(now))
    if not _has_page(week):
        abort(404)
    found = _around(week)
    return {
        "week": found.weeks(week, 1)[0],
        "options": week_options(session, found, week, now),
        "earlier": week - WEEK if week > this_week else None,
        "later": week + WEEK,
        "point": request.args.get("point", type=int),
        "farthest": this_week + LAST_WEEK * WEEK,
    }


def _has_page(week: date) -> bool:
    """Weeks have one from the last on, as far as deliveries are known."""
    this_week = monday_of(local_day(clock.now()))
    return week == monday_of(week) and this_week - WEEK <= week <= this_week + (LAST_WEEK + 1) * WEEK


@blueprint.post("/planning/<date:week>/saut")
def skip(week: date) -> ResponseReturnValue:
    return _act(services.skip, week)


@blueprint.post("/planning/<date:week>/reprise")
def unskip(week: date) -> ResponseReturnValue:
    return _act(services.skip, week, wanted=False)


@blueprint.post("/planning/<date:week>/report")
def postpone(week: date) -> ResponseReturnValue:
    to_week = read_day(request.form, "vers")
    if to_week is None:
        return _answer(Outcome(services.Act.POSTPONE, refusal=Refusal.NOTHING_CHOSEN), week)
    return _act(services.postpone, week, to_week=monday_of(to_week))


@blueprint.post("/planning/<date:week>/report/annulation")
def bring_forward(week: date) -> ResponseReturnValue:
    return _act(services.postpone, week, to_week=None)


@blueprint.post("/planning/<date:week>/point")
def move(week: date) -> ResponseReturnValue:
    point_id = read_id(request.form, "point")
    if point_id is None:
        return _answer(Outcome(services.Act.MOVE, refusal=Refusal.NOTHING_CHOSEN), week)
    return _act(services.move, week, point_id=point_id)


@blueprint.post("/planning/<date:week>/point/annulation")
def move_back(week: date) -> ResponseReturnValue:
    return _act(services.move, week, point_id=None)


@blueprint.post("/planning/<date:week>/panier")
def vary(week: date) -> ResponseReturnValue:
    formula_id, quantity = read_id(request.form, "formule"), read_id(request.form, "quantite")
    if formula_id is None or quantity is None or quantity > MOST:
        missing = Refusal.NOTHING_CHOSEN if formula_id is None else Refusal.BAD_QUANTITY
        return _answer(Outcome(services.Act.VARY, refusal=missing), week)
    return _act(services.vary, week, formula_id=formula_id, quantity=quantity)


@blueprint.post("/planning/<date:week>/panier/annulation")
def vary_back(week: date) -> ResponseReturnValue:
    return _act(services.vary, week, formula_id=None, quantity=None)


def _act(act: Callable[..., Outcome | None], week: date, **wanted: object) -> ResponseReturnValue:
    """Do it to the subscriptions that the form names, with the orders that travel with them as it says."""
    named, orders = read_ids(request.form, "abonnement"), read_aboard(request.form)
    return _answer(act(db.session(), holder(), named, week, by=hands(), orders=orders, **wanted), week)


def _page_asked(week: date) -> date:
    """The week that the page shows: another than the box's own where it was postponed."""
    page = read_day(request.form, "page")
    return monday_of(page) if page else week


def _answer(outcome: Outcome | None, week: date) -> ResponseReturnValue:
    """The fragment of the page that asked, or the way back to it; a refusal shows the present state."""
    if outcome is None:
        abort(404)
    db.session.flush()
    view, page = request.form.get("vue"), _page_asked(week)
    status = 422 if outcome.refusal else 200
    if view == "semaine":
        return _answer_on_week(outcome, page if _has_page(page) else week, status)
    if is_htmx():
        on_home = view == "espace"
        template, context = ("member/_next_answer.html", next_context()) if on_home else _week_context(page)
        also = [] if on_home else _weeks_of_orders(outcome, page)
        return render_template(template, result=outcome, also=also, **context), status
    if outcome.orders.question:
        return ask_about_orders(
            outcome.orders.question, url_for("member.planning", _anchor=f"semaine-{page}")
        )
    if outcome.refusal:
        return render_template("member/refused.html", result=outcome, **_week_context(page)[1]), 422
    if view == "espace":
        _flash(outcome, "success")
        return redirect(url_for("member.home"), 303)  # an anchor would lead past the answer
    _flash(outcome, f"semaine-{page}")  # shown within the week, where the anchor leads
    return redirect(url_for("member.planning", _anchor=f"semaine-{page}"), 303)


def _answer_on_week(outcome: Outcome, page: date, status: int) -> ResponseReturnValue:
    if not _has_page(page):
        abort(404)  # and nothing is done
    if not (is_htmx() or outcome.refusal):
        _flash(outcome, "success")
        return redirect(url_for("member.week", week=page), 303)
    template = "member/_sheet_answer.html" if is_htmx() else "member/week.html"
    typed = request.form.get("quantite")
    return render_template(template, result=outcome, typed_quantity=typed, **_week_page(page)), status


def ask_about_orders(question: Question, back: str, what: str = "") -> ResponseReturnValue:
    """The same request once more, with an answer for the orders; `back` leaves everything as it is."""
    return render_template("member/aboard.html", question=question, back=back, what=what), 422


def fates_said(orders: Orders) -> str:
    """What became of the orders that travel with a box, for the end of a flash."""
    return unescape(render_template("member/_fates.txt", settled=orders.settled)).strip()


def _flash(outcome: Outcome, category: str) -> None:
    said = render_template("member/_said.txt", result=outcome)
    flash(unescape(said), category)  # the page escapes it, as the macro has done already


def _week_context(week: date) -> tuple[str, dict[str, Any]]:
    """One week of the planning, as the page shows it."""
    return "member/_week_answer.html", {"week": _around(week).weeks(week, 1)[0]}


def _weeks_of_orders(outcome: Outcome, page: date) -> list[Week]:
    """The other weeks that have changed: those that orders have gone to."""
    others = {one.delivery.week for one in outcome.orders.settled} - {page}
    return [_around(week).weeks(week, 1)[0] for week in sorted(others)]


def _around(week: date) -> Planning:
    """The planning as far as it shows in one week: a moved delivery, a box that goes to a later one."""
    since, until = week - WEEK, week + 6 * WEEK
    return read_planning(db.session(), holder().id, since=since, until=until, now=clock.now())
