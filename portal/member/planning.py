"""The planning: the coming deliveries, and the acts on them."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, member
from portal.member.home import next_context
from portal.planning import services
from portal.planning.queries import planning as read_planning
from portal.planning.services import Outcome
from portal.rules.calendar import WEEK, monday_of
from portal.rules.cutoffs import local_day
from portal.web.htmx import is_htmx

WEEKS_A_PAGE = 8
LAST_WEEK = 52
"""Deliveries are known a year ahead."""

_ID = re.compile(r"[1-9][0-9]{0,8}")


@blueprint.get("/planning")
def planning() -> ResponseReturnValue:
    weeks = _weeks_asked()
    now = clock.now()
    since = monday_of(local_day(now))
    until = since + weeks * WEEK - timedelta(days=1)
    found = read_planning(db.session(), member().id, since=since, until=until, now=now)
    return render_template(
        "member/planning.html",
        weeks=found.weeks(since, weeks),
        has_subscription=bool(found.holdings),
        more=min(weeks + WEEKS_A_PAGE, LAST_WEEK) if weeks < LAST_WEEK else None,
        next_week=since + weeks * WEEK,
    )


def _weeks_asked() -> int:
    asked = request.args.get("semaines", "")
    if not _ID.fullmatch(asked):
        return WEEKS_A_PAGE
    return min(int(asked), LAST_WEEK)


@blueprint.post("/planning/<date:week>/saut")
def skip(week: date) -> ResponseReturnValue:
    return _answer(services.skip(db.session(), member(), _subscriptions_asked(), week), week, skipped=True)


@blueprint.post("/planning/<date:week>/reprise")
def unskip(week: date) -> ResponseReturnValue:
    return _answer(
        services.skip(db.session(), member(), _subscriptions_asked(), week, wanted=False), week, skipped=False
    )


def _subscriptions_asked() -> list[int]:
    """Those that were ticked; a form that no page of ours sends ticks none."""
    asked = request.form.getlist("abonnement")
    return [int(value) for value in asked] if all(_ID.fullmatch(value) for value in asked) else []


def _answer(result: Outcome | None, week: date, *, skipped: bool) -> ResponseReturnValue:
    """The fragment of the page that asked, or the way back to it; a refusal shows the present state."""
    if result is None:
        abort(404)
    db.session.flush()
    on_home = request.form.get("vue") == "espace"
    status = 422 if result.refusal else 200
    if is_htmx():
        template, context = ("member/_next_answer.html", next_context()) if on_home else _week_context(week)
        return render_template(template, result=result, skipped=skipped, **context), status
    if result.refusal:
        return render_template(
            "member/refused.html", result=result, skipped=skipped, **_week_context(week)[1]
        ), 422
    said = render_template("member/_said.txt", result=result, skipped=skipped)
    flash(unescape(said), "success")  # the page escapes it, as the macro has done already
    if on_home:
        return redirect(url_for("member.home"), 303)  # an anchor would lead past the answer
    return redirect(url_for("member.planning", _anchor=f"semaine-{week}"), 303)


def _week_context(week: date) -> tuple[str, dict[str, Any]]:
    """One week of the planning, as the page shows it; a delivery that was moved may lie beside its week."""
    now = clock.now()
    since = max(monday_of(local_day(now)), week - WEEK)
    found = read_planning(db.session(), member().id, since=since, until=week + 2 * WEEK, now=now)
    return "member/_week_answer.html", {"week": found.weeks(week, 1)[0]}
