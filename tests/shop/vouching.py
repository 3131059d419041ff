"""Vouchers for tests."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.rules.money import Money
from portal.shop.models import Voucher


def voucher(session: Session, code: str = "ETE10", **terms: Any) -> Voucher:
    """Good all year, without limits."""
    values = {
        "code": code,
        "first_day": date(2026, 1, 1),
        "last_day": date(2026, 12, 31),
        "minimum": Money(0),
        **terms,
    }
    made = Voucher(**values)
    session.add(made)
    session.commit()
    return made
