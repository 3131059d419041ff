"""An account's postal addresses. None is changed or removed: what may stand on a paper is archived."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address
from portal.infra import audit, locks
from portal.infra.orm import View

NAMED = 160
"""As long as a name may be; a first and a last one together can be a letter more."""
MOST = 20
"""Nobody has more; a form that is sent in a loop does."""


@dataclass(frozen=True, slots=True)
class AddressView:
    name: str
    street: str
    postcode: str
    town: str


@dataclass(frozen=True, slots=True)
class KeptAddress:
    """An address of the book, and what it is offered first for."""

    id: int
    address: AddressView
    billing: bool
    delivery: bool


_VIEW = View(
    AddressView, name=Address.name, street=Address.street, postcode=Address.postcode, town=Address.town
)


def address_book(session: Session, account_id: int) -> list[KeptAddress]:
    """Those that are in use, the one for bills first, then the newest."""
    kept = View(KeptAddress, id=Address.id, address=_VIEW, billing=Address.billing, delivery=Address.delivery)
    mine = select(kept).where(Address.account_id == account_id, Address.archived_at.is_(None))
    return list(session.scalars(mine.order_by(Address.billing.desc(), Address.id.desc())))


def offered(book: list[KeptAddress], wanted: str | None) -> KeptAddress | None:
    """The one of the book that is asked for by its id, else the first."""
    asked = next((kept for kept in book if str(kept.id) == wanted), None)
    return asked or next(iter(book), None)


def find_address(session: Session, account_id: int, address_id: int) -> KeptAddress | None:
    return next((kept for kept in address_book(session, account_id) if kept.id == address_id), None)


def billing_address(session: Session, account_id: int) -> AddressView | None:
    mine = select(_VIEW).where(
        Address.account_id == account_id, Address.billing, Address.archived_at.is_(None)
    )
    return session.scalar(mine.order_by(Address.id.desc()).limit(1))


def add_address(
    session: Session,
    account_id: int,
    wanted: AddressView,
    *,
    billing: bool,
    delivery: bool,
    at: datetime,
    by: int,
) -> bool:
    """One more; the first is offered for everything. False where there are too many."""
    mine = _held(session, account_id)
    if len(mine) >= MOST:
        return False
    _add(session, account_id, wanted, billing or not mine, delivery or not mine, at=at, by=by)
    return True


def change_address(
    session: Session,
    account_id: int,
    address_id: int,
    wanted: AddressView,
    *,
    billing: bool,
    delivery: bool,
    at: datetime,
    by: int,
) -> bool:
    """Another takes its place, or it is offered for something else; whether anything is otherwise."""
    row = next((row for row in _held(session, account_id) if row.id == address_id), None)
    if row is None:
        return False
    billing, delivery = billing or row.billing, delivery or row.delivery  # moves only by choosing another
    if _view(row) == wanted:
        if (row.billing, row.delivery) == (billing, delivery):
            return False
        _offer(session, row, billing, delivery)
        audit.record(
            session, "address.offer", ("account", account_id), at=at, by=by, after={"address": row.id}
        )
    else:
        row.archived_at = at
        _add(session, account_id, wanted, billing, delivery, at=at, by=by)
    return True


def archive_address(session: Session, account_id: int, address_id: int, *, at: datetime, by: int) -> bool:
    """Take it out of the book; the newest of the others is offered in its place. Whether it was there."""
    mine = _held(session, account_id)
    row = next((row for row in mine if row.id == address_id), None)
    if row is None:
        return False
    row.archived_at = at
    others = [other for other in mine if other is not row]
    if others:
        _offer(session, others[0], others[0].billing or row.billing, others[0].delivery or row.delivery)
    audit.record(session, "address.remove", ("account", account_id), at=at, by=by, before={"address": row.id})
    return True


def keep_billing_address(
    session: Session, account_id: int, wanted: AddressView | None, *, at: datetime, by: int
) -> bool:
    """Offer it first for bills from now on, in place of the present one, or none. Whether it is another."""
    if billing_address(session, account_id) == wanted:
        return False
    mine = _held(session, account_id)
    if wanted and (known := _known(mine, wanted)):
        _offer(session, known, True, known.delivery)
        audit.record(
            session, "address.offer", ("account", account_id), at=at, by=by, after={"address": known.id}
        )
        return True
    replaced = [row for row in mine if row.billing]
    for row in replaced:
        row.archived_at = at
    if wanted is None:
        audit.record(session, "address.remove", ("account", account_id), at=at, by=by)
    else:
        delivery = not mine or any(row.delivery for row in replaced)
        _add(session, account_id, wanted, True, delivery, at=at, by=by)
    return True


def remember_address(
    session: Session, account_id: int, wanted: AddressView, *, at: datetime, by: int
) -> None:
    """Have it in the book, since it was given: in place of the one that there is, or beside several."""
    mine = _held(session, account_id)
    if _known(mine, wanted):
        return
    if len(mine) < 2:
        keep_billing_address(session, account_id, wanted, at=at, by=by)
    else:
        add_address(session, account_id, wanted, billing=False, delivery=False, at=at, by=by)


def _held(session: Session, account_id: int) -> list[Address]:
    """The book's rows, the newest first; their account is locked: one of them at most is offered first."""
    account = select(Account.id).where(Account.id == account_id)
    session.scalars(locks.for_update(account, of=Account)).one()
    mine = select(Address).where(Address.account_id == account_id, Address.archived_at.is_(None))
    rows = session.scalars(
        mine.order_by(Address.id.desc()), execution_options={"populate_existing": True}
    ).all()
    locks.checked()
    return list(rows)


def _known(mine: list[Address], wanted: AddressView) -> Address | None:
    return next((row for row in mine if _view(row) == wanted), None)


def _view(row: Address) -> AddressView:
    return AddressView(row.name, row.street, row.postcode, row.town)


def _add(
    session: Session,
    account_id: int,
    wanted: AddressView,
    billing: bool,
    delivery: bool,
    *,
    at: datetime,
    by: int,
) -> None:
    row = Address(account_id=account_id, billing=False, delivery=False, created_at=at, **asdict(wanted))
    session.add(row)
    session.flush()
    _offer(session, row, billing, delivery)
    audit.record(session, "address.create", ("account", account_id), at=at, by=by, after={"address": row.id})


def _offer(session: Session, row: Address, billing: bool, delivery: bool) -> None:
    """Offer it first, in place of whichever was."""
    mine = update(Address).where(Address.account_id == row.account_id, Address.archived_at.is_(None))
    if billing:
        session.execute(mine.values(billing=False))
    if delivery:
        session.execute(mine.values(delivery=False))
    row.billing, row.delivery = billing, delivery
    session.flush()
