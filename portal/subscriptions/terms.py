"""Writing down a subscription's terms."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.infra import audit
from portal.rules import planning
from portal.rules.planning import Plan
from portal.subscriptions.models import Subscription, Term


def begin(session: Session, account_id: int, plan: Plan, *, at: datetime, by: int) -> int:
    """A new subscription with a plan's terms; answers its id."""
    row = Subscription(account_id=account_id, created_at=at)
    session.add(row)
    session.flush()
    write(session, row.id, plan)
    audit.record(
        session,
        "subscription.new",
        ("subscription", row.id),
        at=at,
        by=by,
        after={"terms": [_for_trail(term) for term in plan.terms]},
    )
    return row.id


def save(session: Session, before: Plan, after: Plan, *, at: datetime, by: int) -> None:
    """Replace the terms that a new plan has otherwise; each one's `until` repeats the next one's Monday."""
    if before.terms == after.terms:
        return
    kept = [term for term in before.terms if term in after.terms]
    session.execute(
        delete(Term).where(
            Term.subscription_id == before.subscription_id, Term.monday.not_in([term.monday for term in kept])
        )
    )
    write(session, before.subscription_id, after)
    session.get_one(Subscription, before.subscription_id).changed_at = at
    audit.record(
        session,
        "subscription.terms",
        ("subscription", before.subscription_id),
        at=at,
        by=by,
        before={"terms": [_for_trail(term) for term in before.terms if term not in kept]},
        after={"terms": [_for_trail(term) for term in after.terms if term not in kept]},
    )


def set_end(session: Session, before: Plan, after: Plan, *, at: datetime, by: int) -> None:
    """Let a subscription end with a day, or go on."""
    if before.last_day == after.last_day:
        return
    row = session.get_one(Subscription, before.subscription_id)
    row.last_day, row.changed_at = after.last_day, at
    days = [plan.last_day.isoformat() if plan.last_day else None for plan in (before, after)]
    audit.record(
        session,
        "subscription.end" if after.last_day else "subscription.go_on",
        ("subscription", before.subscription_id),
        at=at,
        by=by,
        before={"last_day": days[0]},
        after={"last_day": days[1]},
    )


def write(session: Session, subscription_id: int, plan: Plan) -> None:
    """The rows of a plan's terms; those that stand already learn until when they hold."""
    rows = session.scalars(select(Term).where(Term.subscription_id == subscription_id))
    standing = {row.monday: row for row in rows}
    ends = [*(term.monday for term in plan.terms[1:]), None]
    for term, until in zip(plan.terms, ends, strict=True):
        row = standing.get(term.monday)
        if row is None:
            row = Term(
                subscription_id=subscription_id,
                monday=term.monday,
                formula_id=term.formula_id,
                quantity=term.quantity,
                rhythm=term.rhythm,
                pickup_point_id=term.point_id,
            )
            session.add(row)
        row.until = until
    session.flush()


def _for_trail(term: planning.Term) -> dict[str, Any]:
    return {
        "since": term.monday.isoformat(),
        "formula": term.formula_id,
        "quantity": term.quantity,
        "rhythm": term.rhythm.value,
        "pickup_point": term.point_id,
    }
