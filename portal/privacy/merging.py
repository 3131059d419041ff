"""Two accounts of one person become one, once both mailboxes are proven: whatever named the one names the other."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, PrimaryKeyConstraint, Table, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Session

from portal.accounts import factors, passkeys, services
from portal.accounts.models import Account, Address
from portal.billing import mandates
from portal.infra import audit, locks, mail, outbox
from portal.privacy.map import TABLES
from portal.privacy.models import AccountMerge, Departure
from portal.profile.queries import get_farm
from portal.shop.carts import joined
from portal.shop.drafts import Draft, OfAccount
from portal.shop.models import Order
from portal.subscriptions.models import Subscription

STAYS = frozenset({
    "account", "account_role", "sign_in_session", "mailed_link", "second_factor", "recovery_code", "passkey",
    "calendar_feed", "muted", "departure", "inactivity_notice", "cart",
})  # fmt: skip
"""The ways into the account that is closed, and its own habits; its cart is joined to the other's."""
STAYS_BESIDE: Mapping[str, Collection[str]] = {"consent": {"topic"}, "company": ()}
"""Goes over where the other has none, by these columns; else what the other has said stands."""
SHOWN = ("subscription", "shop_order", "address", "voucher", "wish", "contact_message")


class Refusal(StrEnum):
    """Why two accounts stay two; its words are in the templates."""

    UNKNOWN = "unknown"
    SAME = "same"
    CLOSED = "closed"
    UNPROVEN = "unproven"
    """Nobody has shown yet that the mailbox of the one that stays is theirs."""
    TEAM = "team"
    PROTECTED = "protected"
    """A mailbox is not all that it asks for."""
    HOUSEHOLD = "household"


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come over."""

    account: Account
    counts: Mapping[str, int]


def preview(session: Session, into: Account, email: str) -> Preview | Refusal:
    other = session.scalar(select(Account).where(Account.email == email))
    if other is None:
        return Refusal.UNKNOWN
    if refusal := _refusal(session, into, other):
        return refusal
    counts = select(*(_count(TABLES[name], other.id) for name in SHOWN))
    return Preview(other, dict(zip(SHOWN, session.execute(counts).one(), strict=True)))


def _count(table: Table, account_id: int) -> Any:
    return select(func.count()).where(table.c.account_id == account_id).scalar_subquery()


def _refusal(session: Session, into: Account, other: Account) -> Refusal | None:
    others = {into.payer_id, other.payer_id} - {None, into.id, other.id}
    reasons = {
        Refusal.SAME: other.id == into.id,
        Refusal.CLOSED: not (into.active and other.active),
        Refusal.UNPROVEN: into.email_proven_at is None,
        Refusal.TEAM: other.is_staff,
        Refusal.PROTECTED: factors.is_on(session, other),
        Refusal.HOUSEHOLD: bool(others),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def present(session: Session, account_id: int) -> int:
    """The account that has become of one."""
    into = select(AccountMerge.into_id).where(AccountMerge.from_id == account_id)
    return session.scalar(into) or account_id


def merge(session: Session, into_id: int, other_id: int, *, at: datetime) -> Account | Refusal:
    """Give one account all that is the other's, close the other, and tell both mailboxes."""
    into, other = _hold(session, into_id, other_id, at)
    if refusal := _refusal(session, into, other):
        return refusal
    locks.checked()
    _join_carts(session, into.id, other.id, at)
    moved = dict(_move(session, into.id, other.id))
    mandates.keep_last(session, into.id, at=at)
    _complete(session, into, other)
    for key in passkeys.list_keys(session, other):
        passkeys.remove(session, other, key.id, at=at)
    session.execute(delete(Departure).where(Departure.account_id == other.id))
    services.deactivate(session, other, at=at, by=into.id)
    session.add(AccountMerge(from_id=other.id, into_id=into.id, at=at, moved=moved))
    after = {"from": other.id, **moved}
    audit.record(session, "account_merged", ("account", into.id), at=at, by=into.id, after=after)
    for account in (into, other):
        written = mail.render(
            "accounts_merged",
            first_name=account.first_name,
            email=into.email,
            left=other.email,
            farm=get_farm(session),
        )
        outbox.post(session, to=account.email, at=at, **written.parts)
    return into


def _hold(session: Session, into_id: int, other_id: int, at: datetime) -> tuple[Account, Account]:
    """Both carts, both accounts, then what goes over, each by id: as whoever orders or changes a box does."""
    for number in sorted((into_id, other_id)):
        OfAccount(session, number).hold(at)
    both = select(Account).where(Account.id.in_((into_id, other_id))).order_by(Account.id)
    accounts = {account.id: account for account in session.scalars(locks.for_update(both, of=Account))}
    for table in (Subscription, Order):
        theirs = select(table).where(table.account_id == other_id).order_by(table.id)
        session.scalars(locks.for_update(theirs, of=table)).all()
    return accounts[into_id], accounts[other_id]


def _join_carts(session: Session, into_id: int, other_id: int, at: datetime) -> None:
    mine, theirs = OfAccount(session, into_id), OfAccount(session, other_id)
    mine.save(joined(session, mine.read(), theirs.read(), at), at)
    theirs.save(Draft(), at)  # whoever orders at that moment waits for its row


def _move(session: Session, into_id: int, other_id: int) -> Iterator[tuple[str, int]]:
    """Rewrite every reference; of what an account has but once the other's row goes."""
    _offer_ours(session, into_id, other_id)
    for table, column in references():
        rows = column == other_id
        for others in _unique_with(column):
            twin = table.alias()
            same = [twin.c[name].is_not_distinct_from(table.c[name]) for name in others]
            has = select(twin).where(twin.c[column.name] == into_id, *same).exists()
            if table.name in STAYS_BESIDE:
                rows = rows & ~has
            else:
                session.execute(delete(table).where(rows, has))
        moved = update(table).where(rows).values({column.name: into_id}).returning(column)
        done = session.execute(moved).all()
        if done and column.name == "account_id":
            yield table.name, len(done)


def references() -> Iterator[tuple[Table, Column[Any]]]:
    """Every column that names an account, but for what stays with the one that is closed."""
    for table in TABLES.values():
        for column in table.columns:
            names = any(key.column is TABLES["account"].c.id for key in column.foreign_keys)
            if (
                names
                and table.name not in STAYS
                and (table.name, column.name) != ("account_merge", "from_id")
            ):
                yield table, column


def _unique_with(column: Column[Any]) -> Iterator[Collection[str]]:
    """The columns with which it is unique."""
    if column.table.name in STAYS_BESIDE:
        yield STAYS_BESIDE[column.table.name]
    for rule in (column.table.primary_key, *column.table.constraints):
        if isinstance(rule, UniqueConstraint | PrimaryKeyConstraint) and column.name in rule.columns:
            yield [other.name for other in rule.columns if other is not column]


def _offer_ours(session: Session, into_id: int, other_id: int) -> None:
    """What is offered first for bills and for what is brought stays so."""
    for offered in (Address.billing, Address.delivery):
        mine = select(Address.id).where(Address.account_id == into_id, offered).exists()
        theirs = update(Address).where(Address.account_id == other_id, mine)
        session.execute(theirs.values({offered: False}))


def _complete(session: Session, into: Account, other: Account) -> None:
    """What is not known of the one and is of the other; who shares with the other shares with the one."""
    for name in ("phone", "birthday", "payment_means"):
        if getattr(into, name) is None:
            setattr(into, name, getattr(other, name))
    into.note = "\n".join(note for note in (into.note, other.note) if note) or None
    into.payer_id = other.payer_id = None
    session.flush()
    shares = update(Account).where(Account.payer_id == other.id)
    session.execute(shares.values(payer_id=into.id))
