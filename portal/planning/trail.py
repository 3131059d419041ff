"""What befell a person, out of the audit trail."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra.audit import AuditEvent
from portal.infra.orm import View

LINES = 40


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of somebody's history; `by` is nobody for the clockwork."""

    id: int
    at: datetime
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    by_id: int | None
    first_name: str | None
    last_name: str | None
    in_place: int | None
    """In whose place staff did it."""

    @property
    def by(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def day(self, name: str) -> date | None:
        """A day that the line names."""
        said = (self.after or {}).get(name) or (self.before or {}).get(name)
        return date.fromisoformat(said[:10]) if said else None


def history(
    session: Session, account: Account, subscription_ids: Collection[int], order_ids: Collection[int]
) -> list[Happened]:
    """The last lines about an account, these subscriptions and orders of it, and by whoever it is, newest first."""
    subjects = {"account": [account.id], "subscription": subscription_ids, "shop_order": order_ids}
    about = [
        and_(AuditEvent.subject_type == table, AuditEvent.subject_id.in_([str(key) for key in keys]))
        for table, keys in subjects.items()
    ]
    if not account.is_staff:  # who works here does much that concerns others
        about.append(AuditEvent.account_id == account.id)
    line = View(
        Happened,
        id=AuditEvent.id,
        at=AuditEvent.at,
        action=AuditEvent.action,
        before=AuditEvent.before,
        after=AuditEvent.after,
        by_id=AuditEvent.account_id,
        first_name=Account.first_name,
        last_name=Account.last_name,
        in_place=AuditEvent.for_account_id,
    )
    found = select(line).outerjoin_from(AuditEvent, Account, Account.id == AuditEvent.account_id)
    return list(session.scalars(found.where(or_(*about)).order_by(AuditEvent.id.desc()).limit(LINES)))
