"""Coming to share what another one receives and pays: invited, with no boxes of one's own."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import household, services
from portal.accounts.models import Account, LinkPurpose, MailedLink
from portal.accounts.queries import find_link
from portal.infra import audit, locks, mail, outbox
from portal.privacy.leaving import Hindrance, hindrances
from portal.profile.queries import get_farm


class Refusal(StrEnum):
    """Why somebody cannot share; its words, and the way out, are in the templates."""

    EXPIRED = "expired"
    OTHER_ADDRESS = "other_address"
    """It was mailed to another address than the account's."""
    SHARES = "shares"
    """With somebody else already."""
    PAYS = "pays"
    """Others share with them."""
    OWN_BOXES = "own_boxes"
    FULL = "full"


def refusal_to_share(
    session: Session, account: Account, invitation: MailedLink, at: datetime
) -> Refusal | None:
    payer_id = invitation.account_id
    others = household.sharers(session, [account.id, payer_id])
    if account.email != invitation.email or account.id == payer_id:
        return Refusal.OTHER_ADDRESS
    if account.payer_id not in {None, payer_id}:
        return Refusal.SHARES
    if others[account.id]:
        return Refusal.PAYS
    if {Hindrance.SUBSCRIPTION, Hindrance.ORDER} & set(hindrances(session, account, at)):
        return Refusal.OWN_BOXES
    if len(others[payer_id]) >= household.AT_MOST and account not in others[payer_id]:
        return Refusal.FULL
    return None


def share(session: Session, account: Account, token: str, *, at: datetime) -> Refusal | None:
    """Accept an invitation, which is used up; both accounts are locked, as by whoever orders or subscribes."""
    found = find_link(session, token, at)
    if found is None or found.purpose is not LinkPurpose.SHARE:
        return Refusal.EXPIRED
    both = select(Account).where(Account.id.in_([account.id, found.account_id])).order_by(Account.id)
    session.scalars(locks.for_update(both, of=Account)).all()
    if not account.active:
        raise services.Closed
    if refusal := refusal_to_share(session, account, found, at):
        return refusal
    payer = services.use_link(session, token, at=at)
    if payer is None or payer.payer_id:
        return Refusal.EXPIRED
    services.void_links(session, account, {LinkPurpose.SHARE})
    if account.payer_id is None:
        account.payer_id = payer.id
        audit.record(session, "household.join", ("account", payer.id), at=at, by=account.id)
        said = {"first_name": payer.first_name, "other": account}
        rendered = mail.render("household_joined", farm=get_farm(session), **said)
        outbox.post(session, to=payer.email, at=at, **rendered.parts)
    return None
