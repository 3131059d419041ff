"""The staff's first page: what goes wrong, then the next deliveries, and what is to do for each.

To each the tasks and the warnings that are their own: those that lead to a page that opens to them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.billing.attention import attention
from portal.catalogue.queries import FormulaView, formulas
from portal.compositions.models import CompositionState
from portal.compositions.queries import progress
from portal.deliveries import steps
from portal.deliveries.models import Step
from portal.deliveries.queries import DeliveryState, DeliveryView, upcoming
from portal.farm import blueprint
from portal.infra import clock, outbox
from portal.infra.health import health
from portal.infra.orm import db
from portal.messages.inbox import count_new
from portal.packing.queries import Tally, tallies
from portal.planning import departures, watch
from portal.planning.waiting import PLACES_AHEAD
from portal.profile.queries import has_conditions
from portal.rules.cutoffs import last_minute, local_day
from portal.rules.permissions import Permission
from portal.shop import sheets
from portal.shop.sheets import Work
from portal.web.doors import is_open
from portal.web.guards import needs

AHEAD = timedelta(days=8)
"""Each tour's next delivery, and the one after where the next is today."""
NOTHING_ORDERED = Work()


class Todo(StrEnum):
    """What a delivery asks of the staff; its words are in the templates."""

    CLOSES_TONIGHT = "closes_tonight"
    COMPOSE = "compose"
    SHOW = "show"
    CONFIRM = "confirm"
    ACCEPT = "accept"
    PRINT = "print"
    HARVEST = "harvest"
    WEIGH = "weigh"
    PREPARE = "prepare"
    PACK = "pack"
    DELIVER = "deliver"


LEADS_TO = {
    Todo.CLOSES_TONIGHT: "farm.delivery",
    Todo.COMPOSE: "farm.compositions",
    Todo.SHOW: "farm.compositions",
    Todo.CONFIRM: "farm.compositions",
    Todo.ACCEPT: "farm.accept_orders",
    Todo.PRINT: "farm.delivery",
    Todo.HARVEST: "farm.packing",
    Todo.WEIGH: "farm.weighing",
    Todo.PREPARE: "farm.prepare_orders",
    Todo.PACK: "farm.packing",
    Todo.DELIVER: "farm.packing",
}
"""Where it is done."""


@dataclass(frozen=True, slots=True)
class Day:
    """A delivery as the week shows it; `soon` where its boxes should be composed by now."""

    delivery: DeliveryView
    state: DeliveryState
    tally: Tally
    work: Work
    todos: tuple[Todo, ...]
    corrections: int
    soon: bool


def todos(
    state: DeliveryState,
    *,
    closes_today: bool,
    expected: Collection[int],
    written: Mapping[int, CompositionState],
    work: Work = NOTHING_ORDERED,
    done: Collection[Step] = (),
) -> tuple[Todo, ...]:
    """What is to do, in the order in which it is done; `expected` are the formulas that somebody receives."""
    if state not in {DeliveryState.OPEN, DeliveryState.CLOSED}:
        return ()
    closed = state is DeliveryState.CLOSED
    carries = closed and (bool(expected) or work.live > 0)
    asked = {
        Todo.CLOSES_TONIGHT: not closed and closes_today,
        Todo.COMPOSE: any(formula_id not in written for formula_id in expected),
        Todo.SHOW: CompositionState.DRAFT in written.values(),
        Todo.CONFIRM: closed and CompositionState.FORECAST in written.values(),
        Todo.ACCEPT: work.to_accept > 0,
        Todo.PRINT: carries and not done,
        Todo.HARVEST: carries and not done,
        Todo.WEIGH: closed and work.to_weigh > 0,
        Todo.PREPARE: closed and work.to_prepare > 0,
        Todo.PACK: carries and not {Step.PACKED, Step.DELIVERED} & set(done),
        Todo.DELIVER: carries and Step.PACKED in done and Step.DELIVERED not in done,
    }
    return tuple(todo for todo, wanted in asked.items() if wanted)


@blueprint.get("")
@needs(Permission.LOOK)
def week() -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    today = local_day(now)
    on_sale = formulas(session)
    return render_template(
        "farm/week.html",
        days=_days(session, on_sale, now),
        formulas=on_sale,
        today=today,
        books=attention(session, today) if is_open("farm.invoices") else None,
        **_warnings(session, on_sale, today, now),
    )


def _days(session: Session, on_sale: Collection[FormulaView], now: datetime) -> list[Day]:
    today = local_day(now)
    coming = upcoming(session, today, today + AHEAD)
    ids = [delivery.id for delivery in coming]
    counted, written, work = tallies(session, ids), progress(session, ids), sheets.work(session, ids)
    done, corrected = steps.done(session, ids), watch.corrections(session, ids)
    days = []
    for delivery in coming:
        state, tally = delivery.state(now), counted[delivery.id]
        wanted = todos(
            state,
            closes_today=local_day(last_minute(delivery.cutoff_at)) == today,
            expected=_expected(tally, on_sale),
            written=written[delivery.id],
            work=work[delivery.id],
            done=done[delivery.id],
        )
        own = tuple(todo for todo in wanted if is_open(LEADS_TO[todo]))
        soon = delivery.day <= today + timedelta(days=1)
        days.append(Day(delivery, state, tally, work[delivery.id], own, corrected[delivery.id], soon))
    return days


def _warnings(
    session: Session, on_sale: Collection[FormulaView], today: date, now: datetime
) -> dict[str, Any]:
    """What goes wrong, each only for those who can do something about it."""
    well = health(session, now)
    return {
        "asleep": not well.worker,
        "mails_failed": well.mails_failed if is_open("farm.mailbox") else 0,
        "mails_late": is_open("farm.mailbox") and outbox.is_late(session, now),
        "unfrozen": watch.unfrozen(session, now),
        "weeks_counted": PLACES_AHEAD,
        "crowded": watch.crowded_points(session) if is_open("farm.points") else (),
        "unpriced": watch.unpriced_formulas(session, on_sale, today) if is_open("farm.formulas") else (),
        "short": watch.short_articles(session, today) if is_open("farm.products") else (),
        "withdrawals": sheets.open_withdrawals(session) if is_open("farm.settle_withdrawal") else (),
        "leaving": departures.waiting(session) if is_open("farm.departures_list") else 0,
        "new_messages": count_new(session) if is_open("farm.messages") else 0,
        "not_open": is_open("farm.new_conditions") and not has_conditions(session),
    }


def _expected(tally: Tally, on_sale: Collection[FormulaView]) -> list[int]:
    return [formula.id for formula in on_sale if tally.count(formula=formula)]
