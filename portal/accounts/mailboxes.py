"""Another mail address for an account: proven by a link that is mailed there, taken back by one mailed to the old.

A page says the same whoever has the address already; the one who has it learns of it by mail (BAR S5, S10).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.accounts import household, services
from portal.accounts.models import (
    Account,
    LinkPurpose,
    MailedLink,
    Passkey,
    RecoveryCode,
    SecondFactor,
    SocialIdentity,
)
from portal.accounts.queries import find_account, find_link
from portal.infra import audit, locks, mail, outbox
from portal.infra.throttle import Limit
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day

CONFIRMED_WITHIN = timedelta(hours=48)
TAKEN_BACK_WITHIN = timedelta(days=14)
JUST_BEFORE = timedelta(days=1)
"""Whoever takes an account over first adds a way in of their own, then moves its address."""

ADDRESSES_OF_ACCOUNT = Limit("new addresses of an account", 5, timedelta(hours=1))
MAILS_TO_NEW_ADDRESS = Limit("mails to a new address", 3, timedelta(hours=1))


class Refusal(StrEnum):
    """Why the account keeps the address that it has; the words are in the templates."""

    EXPIRED = "expired"
    ADDRESS_TAKEN = "address_taken"


def ask_for_address(session: Session, account: Account, email: str, *, at: datetime) -> None:
    """Mail a link to the wished address; or, where it is another account's, tell its owner instead."""
    token = services.new_link(
        session, account, LinkPurpose.NEW_ADDRESS, at=at, lives=CONFIRMED_WITHIN, email=email
    )
    audit.record(session, "address_asked", ("account", account.id), at=at, by=account.id)
    if find_account(session, email):
        _tell_of_taken(session, email, at)
        return
    written = mail.render("new_address", token=token, farm=get_farm(session))
    outbox.post(session, to=email, at=at, secret=True, **written.parts)


def wished_address(session: Session, account_id: int, *, at: datetime) -> MailedLink | None:
    """The link to the address that is still to be confirmed, whoever else may have that address."""
    sent = MailedLink.account_id == account_id, MailedLink.purpose == LinkPurpose.NEW_ADDRESS
    return session.scalar(select(MailedLink).where(*sent, MailedLink.expires_at > at))


def keep_address(session: Session, account: Account, *, at: datetime) -> None:
    """Wish no other address any more."""
    if wished_address(session, account.id, at=at):
        services.void_links(session, account, {LinkPurpose.NEW_ADDRESS})
        audit.record(session, "address_kept", ("account", account.id), at=at, by=account.id)


def confirm_address(session: Session, token: str, *, at: datetime) -> Refusal | None:
    """Give the account the address whose link this is, and tell the old one."""
    account, link = _take(session, token, at)
    if account is None or link.email is None:
        return Refusal.EXPIRED
    left = account.email
    if link.email == left:
        return None
    if not _move(session, account, link.email, at):
        _tell_of_taken(session, link.email, at)
        return Refusal.ADDRESS_TAKEN
    services.void_links(session, account, set(LinkPurpose) - services.LASTING_LINKS)
    back = services.new_link(
        session, account, LinkPurpose.OLD_ADDRESS, at=at, lives=TAKEN_BACK_WITHIN, email=left
    )
    last_day = local_day(at + TAKEN_BACK_WITHIN)
    written = mail.render(
        "address_left",
        first_name=account.first_name,
        at=at,
        token=back,
        last_day=last_day,
        farm=get_farm(session),
    )
    outbox.post(session, to=left, at=at, secret=True, **written.parts)
    return None


def take_address_back(session: Session, token: str, *, at: datetime) -> str | Refusal:
    """Give the account its old address back and shut everybody out; the token of a link to choose a password with."""
    account, link = _take(session, token, at)
    if account is None or link.email is None:
        return Refusal.EXPIRED
    left = account.email
    if not _move(session, account, link.email, at):
        return Refusal.ADDRESS_TAKEN
    account.password = None
    services.revoke_all(session, account, at=at, by=account.id)
    services.void_links(session, account, set(LinkPurpose) - services.LASTING_LINKS)
    later = (MailedLink.account_id == account.id, MailedLink.created_at >= link.since)
    session.execute(delete(MailedLink).where(*later))
    _forget_ways_in(session, account, link.since - JUST_BEFORE)
    household.dissolve(session, account, at=at)
    if left != account.email:
        written = mail.render("address_taken_back", at=at, farm=get_farm(session))
        outbox.post(session, to=left, at=at, **written.parts)
    return services.new_link(session, account, LinkPurpose.RESET_PASSWORD, at=at, lives=services.LINK_LIVES)


@dataclass(frozen=True, slots=True)
class _Link:
    email: str | None
    since: datetime


def _take(session: Session, token: str, at: datetime) -> tuple[Account | None, _Link]:
    """The link's account, locked, and what the link said; it is used up."""
    found = find_link(session, token, at)
    link = _Link(found.email, found.created_at) if found else _Link(None, at)
    account = services.use_link(session, token, at=at)
    if account is not None:
        held = select(Account).where(Account.id == account.id)
        account = session.scalars(locks.for_update(held, of=Account)).one()
    return account, link


def _move(session: Session, account: Account, email: str, at: datetime) -> bool:
    """Whether nobody else has the address; whoever asks at the same moment comes second."""
    try:
        with session.begin_nested():
            values = {"email": email, "email_proven_at": at}
            audit.change(session, account, values, at=at, by=account.id, unsaid=values)
            session.flush()
    except IntegrityError:
        return False
    return True


def _forget_ways_in(session: Session, account: Account, since: datetime) -> None:
    """What signs in without the password, where it was added lately: nobody knows by whom."""
    late = or_(SecondFactor.confirmed_at.is_(None), SecondFactor.confirmed_at >= since)
    mine = SecondFactor.account_id == account.id, late
    factor = session.scalar(delete(SecondFactor).where(*mine).returning(SecondFactor.account_id))
    if factor is not None:
        session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account.id))
    session.execute(delete(Passkey).where(Passkey.account_id == account.id, Passkey.made_at >= since))
    linked = SocialIdentity.account_id == account.id, SocialIdentity.linked_at >= since
    session.execute(delete(SocialIdentity).where(*linked))


def _tell_of_taken(session: Session, email: str, at: datetime) -> None:
    written = mail.render("address_taken", email=email, farm=get_farm(session))
    outbox.post(session, to=email, at=at, **written.parts)
