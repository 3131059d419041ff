"""What protects an account has changed: its owner is mailed and the trail has a line, each time."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra import audit, mail, outbox
from portal.profile.queries import get_farm


class Alert(StrEnum):
    """What has changed, as the trail names it."""

    FACTOR_ON = "second_factor_on"
    FACTOR_OFF = "second_factor_off"
    CODES_RENEWED = "recovery_codes_renewed"
    CODE_USED = "recovery_code_used"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    SOCIAL_LINKED = "social_linked"
    SOCIAL_UNLINKED = "social_unlinked"


def tell(
    session: Session,
    account: Account,
    alert: Alert,
    *,
    at: datetime,
    name: str = "",
    left: int = 0,
    by_owner: bool = True,
) -> None:
    """Note it, and write to its owner: a key's or a provider's `name`, how many recovery codes are `left`."""
    audit.record(session, alert, ("account", account.id), at=at, by=account.id if by_owner else None)
    context = {"first_name": account.first_name, "at": at, "name": name, "left": left}
    written = mail.render("account_protected", alert=alert, farm=get_farm(session), **context)
    outbox.post(session, to=account.email, at=at, **written.parts)
