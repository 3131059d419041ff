"""A household: somebody with a sign-in of their own on the subscriptions that another one pays."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts import services
from portal.accounts.models import Account, LinkPurpose, MailedLink
from portal.infra import audit, locks, mail, outbox
from portal.infra.throttle import Limit
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day

AT_MOST = 3
"""So many share with the payer, those counted who are invited."""
INVITED_FOR = timedelta(days=14)

INVITATIONS = Limit("household invitations of an account", 10, timedelta(days=1))
INVITATIONS_TO_ADDRESS = Limit("household invitations to an address", 3, timedelta(days=1))


def acts_for_farm(by: Account, account: Account) -> bool:
    """Whether that is neither whose account it is nor somebody who shares it."""
    return not _is_of(by, account.id)


def _is_of(by: Account, account_id: int | None) -> bool:
    return account_id in {by.id, by.payer_id}


def sharers(session: Session, account_ids: Collection[int]) -> Mapping[int, list[Account]]:
    """Who shares the subscriptions of accounts, beside themselves."""
    found = defaultdict(list)
    if account_ids:
        share = select(Account).where(Account.payer_id.in_(account_ids), Account.active).order_by(Account.id)
        for account in session.scalars(share):
            found[account.payer_id or 0].append(account)
    return found


def said_of(by: Account | None, account_id: int | None, reader_id: int | None) -> dict[str, Any]:
    """What a mail about boxes or orders says of who did it: the farm, or another one of the household."""
    if by is None:
        return {"by_farm": False, "by_other": None}
    own = _is_of(by, account_id)
    return {"by_farm": not own, "by_other": by.first_name if own and by.id != reader_id else None}


def tell(
    session: Session,
    account: Account,
    template: str,
    *,
    at: datetime,
    by: Account | None = None,
    **context: object,
) -> None:
    """Mail what has become of boxes to everybody who shares them, each by their name."""
    for person in (account, *sharers(session, [account.id])[account.id]):
        said = said_of(by, account.id, person.id)
        rendered = mail.render(template, first_name=person.first_name, reader=person, **said, **context)
        outbox.post(session, to=person.email, **rendered.parts, at=at)


def invitations(session: Session, payer: Account, at: datetime) -> Sequence[MailedLink]:
    """Those that nobody has accepted yet."""
    open_ = select(MailedLink).where(*_invitations(payer), MailedLink.expires_at > at)
    return session.scalars(open_.order_by(MailedLink.id)).all()


def invite(session: Session, payer: Account, email: str, name: str, *, at: datetime) -> bool:
    """Mail somebody the way to share what an account receives, whoever they are; False where it has no room."""
    held = select(Account).where(Account.id == payer.id)
    session.scalars(locks.for_update(held, of=Account)).one()
    others = [link for link in invitations(session, payer, at) if link.email != email]
    if len(others) + len(sharers(session, [payer.id])[payer.id]) >= AT_MOST:
        return False
    session.execute(delete(MailedLink).where(*_invitations(payer), MailedLink.email == email))
    token = services.new_link(
        session, payer, LinkPurpose.SHARE, at=at, lives=INVITED_FOR, email=email, name=name or None
    )
    audit.record(session, "household.invite", ("account", payer.id), at=at, by=payer.id)
    rendered = mail.render(
        "household_invitation",
        farm=get_farm(session),
        payer=payer,
        name=name,
        token=token,
        last_day=local_day(at + INVITED_FOR),
    )
    outbox.post(session, to=email, at=at, secret=True, **rendered.parts)
    told = mail.render("household_invited", farm=get_farm(session), first_name=payer.first_name, email=email)
    outbox.post(session, to=payer.email, at=at, **told.parts)
    return True


def take_invitation_back(session: Session, payer: Account, link_id: int, *, at: datetime) -> None:
    gone = delete(MailedLink).where(*_invitations(payer), MailedLink.id == link_id).returning(MailedLink.id)
    if session.scalar(gone) is not None:
        audit.record(session, "household.take_back", ("account", payer.id), at=at, by=payer.id)


def _invitations(payer: Account) -> tuple[Any, ...]:
    return MailedLink.account_id == payer.id, MailedLink.purpose == LinkPurpose.SHARE


def part(session: Session, account: Account, *, at: datetime, by: Account) -> None:
    """Let somebody share no more, from now on; both are told."""
    payer = account.payer
    if payer is None:
        return
    account.payer_id = None
    other = account if by is payer else payer
    audit.record(session, "household.part", ("account", other.id), at=at, by=by.id)
    farm = get_farm(session)
    for person, left in ((payer, account), (account, payer)):
        rendered = mail.render(
            "household_parted", farm=farm, first_name=person.first_name, other=left, paid=person is payer
        )
        outbox.post(session, to=person.email, at=at, **rendered.parts)


def dissolve(session: Session, account: Account, *, at: datetime) -> None:
    """Let nobody share with an account any more, nor the account with anybody."""
    for person in (account, *sharers(session, [account.id])[account.id]):
        part(session, person, at=at, by=account)
