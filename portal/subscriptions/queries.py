"""Reading subscriptions."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from portal.catalogue.queries import FormulaView
from portal.catalogue.queries import view as formula_view
from portal.pickup.queries import PointView
from portal.pickup.queries import view as point_view
from portal.rules import planning
from portal.subscriptions.models import Subscription, Term, Withheld


@dataclass(frozen=True, slots=True)
class Holding:
    """A person's subscription: its plan for the rules, and what its terms name."""

    plan: planning.Plan
    formulas: dict[int, FormulaView]
    points: dict[int, PointView]

    @property
    def id(self) -> int:
        return self.plan.subscription_id


def of_account(session: Session, account_id: int, subscription_id: int | None = None) -> list[Holding]:
    """The subscriptions of an account, one of them if asked: somebody else's are not found.

    Skipped weeks are added by `boxes`, which knows them.
    """
    own = [Subscription.account_id == account_id]
    if subscription_id is not None:
        own.append(Subscription.id == subscription_id)
    return _holdings(session, *own)


def of_anybody(session: Session, subscription_ids: Collection[int]) -> list[Holding]:
    """These subscriptions, whosever they are: for staff."""
    return _holdings(session, Subscription.id.in_(subscription_ids))


def _holdings(session: Session, *which: ColumnElement[bool]) -> list[Holding]:
    statement = (
        select(Term)
        .join(Term.subscription)
        .where(*which)
        .options(contains_eager(Term.subscription), joinedload(Term.formula), joinedload(Term.pickup_point))
        .order_by(Term.subscription_id, Term.monday)
    )
    terms: dict[Subscription, list[Term]] = {}
    for term in session.scalars(statement):
        terms.setdefault(term.subscription, []).append(term)
    return [_holding(subscription, rows) for subscription, rows in terms.items()]


def _holding(subscription: Subscription, terms: list[Term]) -> Holding:
    return Holding(
        plan=planning.Plan(
            subscription_id=subscription.id,
            terms=tuple(
                planning.Term(
                    monday=term.monday,
                    formula_id=term.formula_id,
                    quantity=term.quantity,
                    rhythm=term.rhythm,
                    point_id=term.pickup_point_id,
                    tour_id=term.pickup_point.tour_id,
                )
                for term in terms
            ),
            last_day=subscription.last_day,
        ),
        formulas={term.formula_id: formula_view(term.formula) for term in terms},
        points={term.pickup_point_id: point_view(term.pickup_point) for term in terms},
    )


def withheld(session: Session) -> frozenset[tuple[int, int]]:
    """What points do not offer: (point, formula)."""
    rows = session.execute(select(Withheld.pickup_point_id, Withheld.formula_id))
    return frozenset((point_id, formula_id) for point_id, formula_id in rows)


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
