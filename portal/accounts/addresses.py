"""An account's postal address for bills."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Address
from portal.infra import audit
from portal.infra.orm import View

NAMED = 160
"""As long as a name may be; a first and a last one together can be a letter more."""


@dataclass(frozen=True, slots=True)
class AddressView:
    name: str
    street: str
    postcode: str
    town: str


_BILLING = (
    select(
        View(
            AddressView,
            name=Address.name,
            street=Address.street,
            postcode=Address.postcode,
            town=Address.town,
        )
    )
    .where(Address.billing, Address.archived_at.is_(None))
    .order_by(Address.id.desc())
    .limit(1)
)


def billing_address(session: Session, account_id: int) -> AddressView | None:
    return session.scalar(_BILLING.where(Address.account_id == account_id))


def keep_billing_address(
    session: Session, account_id: int, wanted: AddressView | None, *, at: datetime, by: int
) -> bool:
    """Offer it first from now on, or none; what stood on a paper is archived as it was. Whether it is another."""
    if billing_address(session, account_id) == wanted:
        return False
    mine = select(Address).where(Address.account_id == account_id)
    for row in session.scalars(mine.where(Address.billing, Address.archived_at.is_(None))):
        row.archived_at = at
    if wanted is None:
        audit.record(session, "address.remove", ("account", account_id), at=at, by=by)
        return True
    new = Address(account_id=account_id, billing=True, created_at=at, **asdict(wanted))
    session.add(new)
    session.flush()
    audit.record(session, "address.create", ("account", account_id), at=at, by=by, after={"address": new.id})
    return True
