"""The staff's first page: the next deliveries, and what is to do for each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.catalogue.queries import FormulaView, formulas
from portal.compositions.models import CompositionState
from portal.compositions.queries import progress
from portal.deliveries.queries import DeliveryState, DeliveryView, upcoming
from portal.farm import blueprint
from portal.infra import clock
from portal.infra.orm import db
from portal.packing.queries import Tally, tallies
from portal.profile.queries import has_conditions
from portal.rules.cutoffs import last_minute, local_day
from portal.rules.permissions import Permission
from portal.shop import sheets
from portal.shop.sheets import Work
from portal.web.guards import needs

AHEAD = timedelta(days=8)
"""Each tour's next delivery, and the one after where the next is today."""
NOTHING_ORDERED = Work()


class Todo(StrEnum):
    """What a delivery asks of the staff; its words are in the templates."""

    COMPOSE = "compose"
    SHOW = "show"
    CONFIRM = "confirm"
    ACCEPT = "accept"
    CLOSES_TONIGHT = "closes_tonight"
    WEIGH = "weigh"
    PREPARE = "prepare"
    PRINT = "print"


@dataclass(frozen=True, slots=True)
class Day:
    """A delivery as the week shows it."""

    delivery: DeliveryView
    state: DeliveryState
    tally: Tally
    work: Work
    todos: tuple[Todo, ...]


def todos(
    state: DeliveryState,
    *,
    closes_today: bool,
    expected: Collection[int],
    written: Mapping[int, CompositionState],
    work: Work = NOTHING_ORDERED,
) -> tuple[Todo, ...]:
    """What is to do, in the order in which it is done; `expected` are the formulas that somebody receives."""
    if state not in {DeliveryState.OPEN, DeliveryState.CLOSED}:
        return ()
    closed = state is DeliveryState.CLOSED
    asked = {
        Todo.COMPOSE: any(formula_id not in written for formula_id in expected),
        Todo.SHOW: CompositionState.DRAFT in written.values(),
        Todo.CONFIRM: closed and CompositionState.FORECAST in written.values(),
        Todo.ACCEPT: work.to_accept > 0,
        Todo.CLOSES_TONIGHT: not closed and closes_today,
        Todo.WEIGH: closed and work.to_weigh > 0,
        Todo.PREPARE: closed and work.to_prepare > 0,
        Todo.PRINT: closed and (bool(expected) or work.live > 0),
    }
    return tuple(todo for todo, wanted in asked.items() if wanted)


@blueprint.get("")
@needs(Permission.LOOK)
def week() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    today = local_day(now)
    coming = upcoming(session, today, today + AHEAD)
    ids = [delivery.id for delivery in coming]
    counted, written, on_sale = tallies(session, ids), progress(session, ids), formulas(session)
    work = sheets.work(session, ids)
    days = []
    for delivery in coming:
        state, tally = delivery.state(now), counted[delivery.id]
        wanted = todos(
            state,
            closes_today=local_day(last_minute(delivery.cutoff_at)) == today,
            expected=_expected(tally, on_sale),
            written=written[delivery.id],
            work=work[delivery.id],
        )
        days.append(Day(delivery, state, tally, work[delivery.id], wanted))
    return render_template(
        "farm/week.html",
        days=days,
        formulas=on_sale,
        today=today,
        withdrawals=sheets.open_withdrawals(session),
        open_to_orders=has_conditions(session),
    )


def _expected(tally: Tally, on_sale: Collection[FormulaView]) -> list[int]:
    return [formula.id for formula in on_sale if tally.count(formula=formula)]
