"""How the farm sells."""

from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.infra import audit, locks
from portal.infra.orm import View
from portal.rules.money import Money
from portal.shop.models import ShopSettings


@dataclass(frozen=True, slots=True)
class ShopRules:
    """`accepts_at_once`: nobody has to accept an order; `guest_minimum` is what a visitor's must come to."""

    accepts_at_once: bool
    guests_welcome: bool
    guest_minimum: Money
    payment_means: str | None = None

    def lacking(self, subtotal: Money) -> Money:
        """What a visitor's order is still short of."""
        return max(self.guest_minimum - subtotal, Money.zero())


UNSAID = ShopRules(accepts_at_once=True, guests_welcome=True, guest_minimum=Money(15_00))
"""As long as the farm says nothing else."""


_RULES = select(
    View(
        ShopRules,
        accepts_at_once=ShopSettings.accepts_at_once,
        guests_welcome=ShopSettings.guests_welcome,
        guest_minimum=ShopSettings.guest_minimum,
        payment_means=ShopSettings.payment_means,
    )
)


def get_rules(session: Session) -> ShopRules:
    return session.scalar(_RULES) or UNSAID


def save(session: Session, rules: ShopRules, *, at: datetime, by: int) -> bool:
    """Whether they were otherwise until now."""
    if session.get(ShopSettings, 1) is None:
        with suppress(IntegrityError), session.begin_nested():  # somebody else's may come first
            session.add(ShopSettings(id=1, **_values(UNSAID)))
    row = session.scalars(locks.for_update(select(ShopSettings), of=ShopSettings)).one()
    return bool(audit.change(session, row, _values(rules), at=at, by=by))


def _values(rules: ShopRules) -> dict[str, object]:
    return {field.name: getattr(rules, field.name) for field in fields(rules)}
