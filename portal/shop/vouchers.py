"""What a voucher takes off an order, and that it does so no more often than it says."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.infra import locks
from portal.rules import vouchers
from portal.rules.money import Money
from portal.rules.vouchers import Terms, VoucherRefusal
from portal.shop.models import Order, Voucher, VoucherUse


@dataclass(frozen=True, slots=True)
class Person:
    """Who uses a voucher: an account, or a guest by the address given, not known before that."""

    account_id: int | None
    email: str | None
    sharer_id: int | None = None
    """Who acts, where they share the account."""

    @property
    def by(self) -> int | None:
        return self.sharer_id or self.account_id


@dataclass(frozen=True, slots=True)
class Reduction:
    """What a voucher does for an order: `off`, or why nothing."""

    code: str
    voucher_id: int | None
    off: Money
    refusal: VoucherRefusal | None
    minimum: Money


def normalise_code(typed: str) -> str:
    return typed.replace(" ", "").upper()


def reduction(session: Session, code: str, *, total: Money, day: date, person: Person) -> Reduction:
    """Whether a code counts for an order of that total, and for how much."""
    voucher = session.scalar(select(Voucher).where(Voucher.code == code))
    if voucher is None or voucher.account_id not in {None, person.account_id}:
        return Reduction(code, None, Money.zero(), VoucherRefusal.UNKNOWN, Money.zero())
    terms = terms_of(voucher)
    used, by_person = _used(session, voucher.id, person)
    refusal = vouchers.refusal(terms, day, total, used, by_person)
    off = Money.zero() if refusal else vouchers.discount(terms, total)
    return Reduction(code, voucher.id, off, refusal, voucher.minimum)


def hold(session: Session, code: str) -> None:
    """Lock a voucher until our commit: who uses it meanwhile waits, and then counts our use."""
    session.scalar(locks.for_update(select(Voucher).where(Voucher.code == code), of=Voucher))


def take_again(session: Session, order: Order, voucher_id: int) -> bool:
    """Give a held order back the voucher that it was placed with, unless others have used it up meanwhile."""
    own = select(Voucher).where(Voucher.id == voucher_id)
    terms = terms_of(session.scalars(locks.for_update(own, of=Voucher)).one())
    used, by_person = _used(session, voucher_id, Person(order.account_id, order.email))
    counted = replace(terms, withdrawn=False)  # as on the day of the order
    if vouchers.refusal(counted, terms.first_day, terms.minimum, used, by_person):
        return False
    locks.checked()
    session.add(VoucherUse(order_id=order.id, voucher_id=voucher_id))
    return True


def off_order(session: Session, order_id: int, total: Money) -> Money:
    """What the voucher that an order was placed with takes off another total: nothing below its minimum."""
    terms = used_for(session, [order_id]).get(order_id)
    return vouchers.discount_on(terms, total, total) if terms else Money.zero()


def used_for(session: Session, order_ids: Collection[int]) -> dict[int, Terms]:
    """The vouchers that orders were placed with: order → terms."""
    used = select(VoucherUse.order_id, Voucher).join(Voucher, Voucher.id == VoucherUse.voucher_id)
    rows = session.execute(used.where(VoucherUse.order_id.in_(order_ids)))
    return {order_id: terms_of(voucher) for order_id, voucher in rows}


def terms_of(voucher: Voucher) -> Terms:
    return Terms(
        amount=voucher.amount,
        share=voucher.share,
        first_day=voucher.first_day,
        last_day=voucher.last_day,
        minimum=voucher.minimum,
        uses=voucher.uses,
        per_person=voucher.per_person,
        withdrawn=voucher.withdrawn_at is not None,
    )


def _used(session: Session, voucher_id: int, person: Person) -> tuple[int, int]:
    """How often in all, and by a person: signed in or not, an address counts alike, and nobody learns which."""
    theirs = Order.email == person.email
    if person.account_id:
        theirs = or_(theirs, Order.account_id == person.account_id)
    counts = (
        select(func.count(), func.count().filter(theirs))
        .select_from(VoucherUse)
        .join(Order, Order.id == VoucherUse.order_id)
        .where(VoucherUse.voucher_id == voucher_id)
    )
    used, by_person = session.execute(counts).one()
    return used, by_person
