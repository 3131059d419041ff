"""Who has not been seen for years is forgotten, once warned twice.

Being signed in is a sign of life, and so is whatever goes on between them and the farm: boxes, an order, a letter.
That a mail is opened is none.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, SignInSession, account_role
from portal.billing.ledger import balance
from portal.infra import audit, locks, mail, outbox
from portal.messages.models import ContactMessage
from portal.privacy import erasing
from portal.privacy.leaving import HOLDS, one_of
from portal.privacy.models import AccountMerge, Departure, InactivityNotice
from portal.profile.models import FarmProfile
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.shop.drafts import OfAccount
from portal.shop.models import Order
from portal.subscriptions.models import Subscription

FIRST, SECOND = timedelta(days=60), timedelta(days=15)
"""How long before it one is written to."""
YEAR = timedelta(days=366)
"""Rather a day too late."""

Which = ColumnElement[bool]


def due(now: datetime, years: int) -> tuple[Which, Which, Which]:
    """Who is to be warned, who once more, who is forgotten."""
    first, second = _warned(FIRST), _warned(SECOND)
    quiet = _quiet(now, now - years * YEAR + FIRST)
    return (
        quiet & ~first,
        quiet & _warned(FIRST, before=now - (FIRST - SECOND)) & ~second,
        quiet & _warned(SECOND, before=now - SECOND),
    )


def _quiet(now: datetime, since: datetime) -> Which:
    """Not seen since, held by nothing, of the household of nobody; never of the farm's team.

    Asked of each account in turn: whoever was seen lately costs a look at their row.
    """
    today = local_day(now)
    return and_(
        Account.erased_at.is_(None),
        func.coalesce(Account.seen_at, Account.created_at) < since,
        ~_signed_in_after(since),
        *(~one_of(dealings, Account.id) for dealings in _dealings(since)),
        Account.payer_id.is_(None),
        ~exists().where(account_role.c.account_id == Account.id),
        ~exists().where(AccountMerge.from_id == Account.id),
        ~exists().where(Departure.account_id == Account.id, Departure.erase_at.is_not(None)),
        *(~one_of(holds(today), Account.id) for holds in HOLDS.values()),
    )


def _dealings(since: datetime) -> tuple[Select[Any], ...]:
    """Whose box, order or letter there was since, by whatever way they asked for it."""
    ended = select(Subscription.account_id).where(Subscription.last_day >= local_day(since))
    ordered = select(Order.account_id).where(Order.account_id.is_not(None), Order.placed_at >= since)
    written = select(ContactMessage.account_id).where(ContactMessage.account_id.is_not(None))
    return ended, ordered, written.where(ContactMessage.sent_at >= since)


def _signed_in_after(instant: datetime) -> Which:
    return exists().where(SignInSession.account_id == Account.id, SignInSession.seen_at >= instant)


def _warned(ahead: timedelta, *, before: datetime | None = None) -> Which:
    told = exists().where(InactivityNotice.account_id == Account.id, InactivityNotice.days == ahead.days)
    return told if before is None else told.where(InactivityNotice.at <= before)


def forget_warnings(session: Session, now: datetime, years: int) -> None:
    """Whoever has given a sign of life since is not inactive."""
    asleep = exists().where(
        Account.id == InactivityNotice.account_id, _quiet(now, now - years * YEAR + FIRST)
    )
    session.execute(delete(InactivityNotice).where(~asleep))


def warn(session: Session, account: Account, ahead: timedelta, *, at: datetime) -> None:
    session.add(InactivityNotice(account_id=account.id, days=ahead.days, at=at))
    credit = Money.zero() - balance(session, account.id)  # whoever owes something is held
    written = mail.render(
        "inactive",
        first_name=account.first_name,
        last_day=local_day(at + ahead),
        credit=credit if credit.cents else None,
        farm=get_farm(session),
    )
    outbox.post(session, to=account.email, at=at, **written.parts)
    after = {"days": ahead.days}
    audit.record(session, "account_warned", ("account", account.id), at=at, by=None, after=after)


def step(session: Session, account_id: int, stage: int, *, at: datetime) -> None:
    """Warn or forget somebody, if that is still what is due once nobody else can change it."""
    years = session.scalars(select(FarmProfile.inactive_years)).one()
    if stage == 2:
        OfAccount(session, account_id).hold(at)  # a cart before its account, as whoever orders
    held = select(Account).where(Account.id == account_id, due(at, years)[stage])
    account = session.scalar(locks.for_update(held, of=Account))
    if account is None:
        return
    if stage == 2:
        erasing.erase(session, account.id, at=at)
    else:
        warn(session, account, (FIRST, SECOND)[stage], at=at)
