"""A household: somebody with a sign-in of their own on the subscriptions that another one pays (EXPECTATIONS A12)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra import mail, outbox


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
        rendered = mail.render(template, first_name=person.first_name, **said, **context)
        outbox.post(session, to=person.email, **rendered.parts, at=at)
