"""Vouchers as staff issue them, withdraw them and bring them back."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.infra import audit, locks
from portal.infra.orm import View
from portal.rules.money import Money
from portal.shop.models import Voucher, VoucherUse

LETTERS = "ABCDEFGHJKMNPRTUVWXY"
"""Those that nobody mistakes for another letter or a digit."""


@dataclass(frozen=True, slots=True)
class VoucherView:
    """A voucher and how often it has been used."""

    id: int
    code: str
    amount: Money | None
    share: int | None
    first_day: date
    last_day: date
    minimum: Money
    uses: int | None
    per_person: int | None
    note: str | None
    withdrawn: bool
    used: int


_USED = select(func.count()).where(VoucherUse.voucher_id == Voucher.id).correlate(Voucher).scalar_subquery()
_VOUCHERS = select(
    View(
        VoucherView,
        id=Voucher.id,
        code=Voucher.code,
        amount=Voucher.amount,
        share=Voucher.share,
        first_day=Voucher.first_day,
        last_day=Voucher.last_day,
        minimum=Voucher.minimum,
        uses=Voucher.uses,
        per_person=Voucher.per_person,
        note=Voucher.note,
        withdrawn=Voucher.withdrawn_at.is_not(None),
        used=_USED,
    )
)


def vouchers(session: Session) -> list[VoucherView]:
    """Those that anybody may use, those that last longest first."""
    for_all = _VOUCHERS.where(Voucher.account_id.is_(None))
    return list(session.scalars(for_all.order_by(Voucher.last_day.desc(), Voucher.id.desc())))


def find(session: Session, voucher_id: int) -> VoucherView | None:
    return session.scalar(_VOUCHERS.where(Voucher.id == voucher_id))


def propose_code() -> str:
    """Not to be guessed, and easy to read out."""
    letters = [secrets.choice(LETTERS) for _ in range(8)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def issue(session: Session, values: Mapping[str, Any], *, at: datetime, by: int | None) -> Voucher | None:
    """A new voucher; None where there is one of that code."""
    voucher = Voucher(**values)
    try:
        with session.begin_nested():
            session.add(voucher)
    except IntegrityError:
        return None
    after = {
        "code": voucher.code,
        "amount": voucher.amount.cents if voucher.amount else None,
        "share": voucher.share,
        "last_day": voucher.last_day.isoformat(),
    }
    audit.record(session, "voucher.create", ("voucher", voucher.id), at=at, by=by, after=after)
    return voucher


def set_withdrawn(session: Session, voucher_id: int, withdrawn: bool, *, at: datetime, by: int) -> bool:
    """Take it from nobody any more, or from all again; whether it was otherwise until now."""
    that = select(Voucher).where(Voucher.id == voucher_id)
    voucher = session.scalars(locks.for_update(that, of=Voucher)).one()
    if (voucher.withdrawn_at is not None) == withdrawn:
        return False
    audit.change(session, voucher, {"withdrawn_at": at if withdrawn else None}, at=at, by=by)
    return True
