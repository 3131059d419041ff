"""Choosing a pickup point: for once, or for good."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from portal.boxes.queries import MemberBox
from portal.catalogue.queries import FormulaView, formulas
from portal.deliveries.queries import DeliveryView, upcoming
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, holder
from portal.pickup.queries import PointView, offered_points
from portal.planning.overview import is_live
from portal.planning.queries import Planning, planning
from portal.rules.changes import Facts, refusal_to_move
from portal.rules.cutoffs import local_day
from portal.rules.planning import Place, Season
from portal.subscriptions.queries import withheld

HORIZON = timedelta(weeks=6)


@dataclass(frozen=True, slots=True)
class Once:
    """Boxes that can be collected elsewhere in their week, and the day on which that would be."""

    week: date
    boxes: tuple[MemberBox, ...]
    usual: DeliveryView
    day: date


@dataclass(frozen=True, slots=True)
class Lasting:
    """A subscription by its latest terms."""

    subscription_id: int
    formula: FormulaView
    quantity: int
    point: PointView
    offered: bool


@blueprint.get("/points-de-retrait/<slug>/choisir")
def choose_point(slug: str) -> ResponseReturnValue:
    session, now = db.session(), clock.now()
    point = next((point for point in offered_points(session) if point.slug == slug), None)
    if point is None:
        abort(404)
    today, missing = local_day(now), withheld(session)
    ahead = planning(session, holder().id, since=today, until=today + HORIZON, now=now)
    there = upcoming(session, today, today + HORIZON, [point.tour_id])
    facts = Facts(Season(d.for_rules for d in (*ahead.deliveries, *there)), now, missing)
    return render_template(
        "member/choose_point.html",
        point=point,
        missing=[formula for formula in formulas(session) if (point.id, formula.id) in missing],
        once=list(_once(ahead, point, facts)),
        lasting=list(_lasting(ahead, point, facts, today)),
    )


def _once(ahead: Planning, point: PointView, facts: Facts) -> Iterator[Once]:
    """The weeks in which boxes could be collected at a point: the act asks the same rule."""
    here, plans = Place(point.id, point.tour_id), {holding.id: holding.plan for holding in ahead.holdings}
    for card in ahead.cards:
        week = card.delivery.week
        boxes = tuple(
            box
            for box in card.to_come
            if refusal_to_move(plans[box.subscription_id], week, here, facts) is None
        )
        delivery = facts.season.on(point.tour_id, week)
        if boxes and delivery and card.point.id != point.id:
            yield Once(week, boxes, card.delivery, delivery.day)


def _lasting(ahead: Planning, point: PointView, facts: Facts, today: date) -> Iterator[Lasting]:
    for holding in ahead.holdings:
        term = holding.plan.terms[-1]
        if is_live(holding, today):
            yield Lasting(
                subscription_id=holding.id,
                formula=holding.formulas[term.formula_id],
                quantity=term.quantity,
                point=holding.points[term.point_id],
                offered=(point.id, term.formula_id) not in facts.withheld,
            )
