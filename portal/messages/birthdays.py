"""A voucher on somebody's birthday, once a year, whether they read the letter or not."""

from calendar import isleap
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.deliveries.models import Delivery
from portal.infra import clock, locks, mail, outbox
from portal.infra.orm import own_transaction
from portal.messages.models import BirthdayGift
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.shop import issuing
from portal.shop.models import Order
from portal.subscriptions.models import Subscription
from portal.web.i18n import gettext as _

AT_ONCE = 20
CATCHES_UP = timedelta(days=7)
"""So many days are looked back at, for a worker that was down."""
GOOD_FOR = timedelta(days=92)
SETTLED = timedelta(weeks=4)
"""So long somebody has an account before it is given anything."""


def give_birthday_gifts() -> bool:
    """Give some of those whose birthday it is their voucher; True if more wait."""
    today = local_day(clock.now())
    with own_transaction() as session:
        off = get_farm(session).birthday_gift
        if not off.cents:
            return False
        due = _due(session, today)
    given = 0
    for account_id, day in due:
        with own_transaction() as session:
            given += _give(session, account_id, day, off, clock.now())
    return len(due) == AT_ONCE and given > 0


def keys_of(day: date) -> list[int]:
    """The birthdays that are kept on a day: those of 29 February on the 28th where there is none."""
    keys = [day.month * 100 + day.day]
    return [*keys, 229] if keys == [228] and not isleap(day.year) else keys


def _due(session: Session, today: date) -> list[tuple[int, date]]:
    days = [today - timedelta(days=back) for back in range(CATCHES_UP.days)]
    day_of = {key: day for day in days for key in keys_of(day)}
    given = select(BirthdayGift.account_id).where(BirthdayGift.account_id == Account.id)
    waiting = or_(
        *(
            and_(Account.birthday == key, ~given.where(BirthdayGift.year == day.year).exists())
            for key, day in day_of.items()
        )
    )
    people = select(Account.id, Account.birthday).where(waiting, Account.active, *_known(today))
    rows = session.execute(people.order_by(Account.id).limit(AT_ONCE))
    return [(account_id, day_of[birthday]) for account_id, birthday in rows if birthday]


def _known(today: date) -> tuple[ColumnElement[bool], ...]:
    """Whom the farm has dealings with: else every mailbox that somebody has would be worth a voucher."""
    subscribed = or_(Subscription.last_day.is_(None), Subscription.last_day >= today)
    delivered = (Order.state == OrderState.DELIVERED, Delivery.day >= today - timedelta(days=365))
    dealings = (
        select(Subscription.account_id).where(subscribed),
        select(Order.account_id).join(Order.delivery).where(Order.account_id.is_not(None), *delivered),
    )
    return Account.created_at < clock.now() - SETTLED, or_(*(Account.id.in_(each) for each in dealings))


def _give(session: Session, account_id: int, day: date, off: Money, now: datetime) -> bool:
    """The voucher, the note that it is given and the mail are one transaction."""
    held = select(Account).where(Account.id == account_id)
    account = session.scalars(locks.for_update(held, of=Account)).one()
    given = session.get(BirthdayGift, (account_id, day.year))
    locks.checked()
    if given or not account.active or not outbox.can_send_to(account.email):
        return False
    today = local_day(now)
    voucher = issuing.issue(
        session,
        {
            "code": issuing.propose_code(),
            "account_id": account_id,
            "amount": off,
            "minimum": Money.zero(),
            "first_day": today,
            "last_day": today + GOOD_FOR,
            "uses": 1,
            "note": _("Anniversaire"),
        },
        at=now,
        by=None,
    )
    if voucher is None:  # that code is taken: the next round draws another
        return False
    session.add(BirthdayGift(account_id=account_id, year=day.year, voucher_id=voucher.id, at=now))
    rendered = mail.render("birthday", farm=get_farm(session), first_name=account.first_name, voucher=voucher)
    outbox.post(session, to=account.email, **rendered.parts, at=now)
    return True
