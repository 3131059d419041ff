"""What staff change of how the farm bills; an invoice that is issued keeps what it says."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts.models import Company
from portal.billing.models import BillingSettings, InvoiceLine, TaxStatus
from portal.infra import audit, locks

UNSAID = frozenset({"iban", "bic", "creditor_name", "cheques_to"})
"""A farm may be a person."""


def save_settings(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> bool:
    """Whether they were otherwise until now."""
    if session.get(BillingSettings, 1) is None:
        with suppress(IntegrityError), session.begin_nested():  # somebody else's may come first
            session.add(BillingSettings(id=1))
    row = session.scalars(locks.for_update(select(BillingSettings), of=BillingSettings)).one()
    return bool(audit.change(session, row, values, at=at, by=by, unsaid=UNSAID))


def last_billed(session: Session) -> date | None:
    """The latest day whose deliveries are billed: under which regime is said of days after it alone."""
    return session.scalar(select(func.max(InvoiceLine.day)).where(InvoiceLine.source.is_not(None)))


def set_tax_status(
    session: Session, since: date, values: Mapping[str, Any], *, at: datetime, by: int
) -> bool:
    """From that day on, until the next that is said; whether it was otherwise."""
    locks.named(session, "tax status")
    row = session.get(TaxStatus, since, populate_existing=True)
    before = {name: getattr(row, name) for name in values} if row else None
    if before == values:
        return False
    if row is None:
        row = TaxStatus(since=since)
        session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    said = {"before": before, "after": dict(values)}
    audit.record(session, "tax_status.change", ("tax_status", since), at=at, by=by, **said)
    return True


def set_company_terms(
    session: Session, account_id: int, values: Mapping[str, Any], *, at: datetime, by: int
) -> bool:
    """How long a company has to pay, and what its invoices name; whether it was otherwise."""
    own = select(Company).where(Company.account_id == account_id)
    company = session.scalars(locks.for_update(own, of=Company)).one()
    before = {name: getattr(company, name) for name in values}
    if before == values:
        return False
    for name, value in values.items():
        setattr(company, name, value)
    audit.record(
        session,
        "company.terms",
        ("account", account_id),
        at=at,
        by=by,
        before={"due_days": before["due_days"]},
        after={"due_days": values["due_days"]} | {"fields": ["purchase_reference"]},
    )
    return True
