"""Reading subscriptions."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from portal.catalogue.queries import FORMULA, FormulaView
from portal.infra.orm import View
from portal.pickup.models import PickupPoint
from portal.pickup.queries import POINT, ClosingView, PointView
from portal.rules import planning
from portal.subscriptions.models import Subscription, Term, Withheld


@dataclass(frozen=True, slots=True)
class Holding:
    """A person's subscription: its plan for the rules, and what that names."""

    plan: planning.Plan
    formulas: dict[int, FormulaView]
    points: dict[int, PointView]
    closings: tuple[ClosingView, ...] = ()

    @property
    def id(self) -> int:
        return self.plan.subscription_id

    def with_closings(self, closings: Collection[ClosingView]) -> "Holding":
        """The same knowing which points are closed, and where one collects meanwhile."""
        plan = replace(self.plan, closings=tuple(closing.for_rules for closing in closings))
        there = {closing.substitute.id: closing.substitute for closing in closings}
        return replace(self, plan=plan, points=there | self.points, closings=tuple(closings))


_TERM = View(
    planning.Term,
    monday=Term.monday,
    formula_id=Term.formula_id,
    quantity=Term.quantity,
    rhythm=Term.rhythm,
    point_id=Term.pickup_point_id,
    tour_id=PickupPoint.tour_id,
)
_TERMS = (
    select(Subscription.id, Subscription.last_day, _TERM, FORMULA, POINT)
    .select_from(Term)
    .join(Term.subscription)
    .join(Term.formula)
    .join(Term.pickup_point)
    .join(PickupPoint.tour)
    .order_by(Term.subscription_id, Term.monday)
)
_OF_ACCOUNT = _TERMS.where(Subscription.account_id == bindparam("account_id"))
_OF_ACCOUNT_ONE = _OF_ACCOUNT.where(Subscription.id == bindparam("subscription_id"))
_OF_ANYBODY = _TERMS.where(Subscription.id.in_(bindparam("subscription_ids", expanding=True)))


def of_account(session: Session, account_id: int, subscription_id: int | None = None) -> list[Holding]:
    """The subscriptions of an account, one of them if asked: somebody else's are not found.

    Skipped weeks are added by `boxes`, which knows them.
    """
    if subscription_id is None:
        return _holdings(session.execute(_OF_ACCOUNT, {"account_id": account_id}))
    wanted = {"account_id": account_id, "subscription_id": subscription_id}
    return _holdings(session.execute(_OF_ACCOUNT_ONE, wanted))


def of_anybody(session: Session, subscription_ids: Collection[int]) -> list[Holding]:
    """These subscriptions, whosever they are: for staff."""
    return _holdings(session.execute(_OF_ANYBODY, {"subscription_ids": subscription_ids}))


def _holdings(rows: Iterable[Any]) -> list[Holding]:
    return [
        _holding(subscription_id, list(terms))
        for subscription_id, terms in groupby(rows, key=lambda row: row.id)
    ]


def _holding(subscription_id: int, rows: Sequence[Any]) -> Holding:
    _, last_days, terms, formulas, points = zip(*rows, strict=True)
    return Holding(
        plan=planning.Plan(subscription_id, terms, last_day=last_days[0]),
        formulas={formula.id: formula for formula in formulas},
        points={point.id: point for point in points},
    )


_WITHHELD = select(Withheld.pickup_point_id, Withheld.formula_id)


def withheld(session: Session) -> frozenset[tuple[int, int]]:
    """What points do not offer: (point, formula)."""
    return frozenset((point_id, formula_id) for point_id, formula_id in session.execute(_WITHHELD))


def points_of_account(session: Session, account_id: int, today: date) -> set[int]:
    """Where an account's boxes are collected by its terms, now and later."""
    return set(
        session.scalars(
            select(Term.pickup_point_id)
            .join(Term.subscription)
            .where(
                Subscription.account_id == account_id,
                or_(Subscription.last_day.is_(None), Subscription.last_day >= today),
                or_(Term.until.is_(None), Term.until > today),
            )
        )
    )


def usual_boxes(session: Session, week: date) -> dict[int, Counter[int]]:
    """What is collected where by the terms of a week, skipped or not: point → formula → boxes."""
    rows = session.execute(
        select(Term.pickup_point_id, Term.formula_id, func.sum(Term.quantity))
        .join(Term.subscription)
        .where(
            Term.monday <= week,
            or_(Term.until.is_(None), Term.until > week),
            or_(Subscription.last_day.is_(None), Subscription.last_day >= week),
        )
        .group_by(Term.pickup_point_id, Term.formula_id)
    )
    boxes: dict[int, Counter[int]] = {}
    for point_id, formula_id, number in rows:
        boxes.setdefault(point_id, Counter())[formula_id] = int(number)
    return boxes
