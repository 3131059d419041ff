"""The signed links of mails that skip a week's boxes or take them back, without signing in.

Each is good for one account and one act on one week of some subscriptions, for as long as the farm's rules allow that
act; whatever ends all sessions of the account voids it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import MemberBox
from portal.infra.mail import link
from portal.planning.queries import planning
from portal.rules.calendar import WEEK
from portal.rules.changes import POSTPONED_AT_MOST


@dataclass(frozen=True, slots=True)
class Tap:
    """To skip a week's own boxes of some subscriptions, or to take them back."""

    subscription_ids: tuple[int, ...]
    week: date
    skip: bool

    @classmethod
    def of(cls, boxes: Iterable[MemberBox], week: date, *, skip: bool) -> "Tap":
        return cls(tuple(sorted({box.subscription_id for box in boxes if box.week == week})), week, skip)

    @property
    def undone(self) -> "Tap":
        return replace(self, skip=not self.skip)


def tap_link(account: Account, tap: Tap) -> str:
    """A full address, for mails."""
    return link("public.tap", tap_token=tap_token(account, tap))


def tap_token(account: Account, tap: Tap) -> str:
    said = [account.id, tap.subscription_ids, tap.week.isoformat(), tap.skip, digest(account.fs_uniquifier)]
    return _signer().dumps(said)


def find_tap(session: Session, token: str) -> tuple[Account, Tap] | None:
    """Whose link it is, and what for; None for what we never wrote, or opens nothing any more."""
    try:
        account_id, subscription_ids, week, skip, known = _signer().loads(token)
        tap = Tap(tuple(subscription_ids), date.fromisoformat(week), skip)
    except (BadSignature, ValueError):
        return None
    account = session.get(Account, account_id)
    if account is None or not account.active or account.erased_at or digest(account.fs_uniquifier) != known:
        return None
    return account, tap


def tapped_boxes(session: Session, account: Account, tap: Tap, now: datetime) -> list[MemberBox]:
    """The boxes that a link is about, on the deliveries that they travel with by now."""
    since, until = tap.week - WEEK, tap.week + POSTPONED_AT_MOST + 2 * WEEK
    found = planning(session, account.holder.id, since=since, until=until, now=now)
    boxes = [box for card in found.cards for box in card.boxes]
    return [box for box in boxes if box.week == tap.week and box.subscription_id in tap.subscription_ids]


def digest(uniquifier: str) -> str:
    return sha256(uniquifier.encode()).hexdigest()[:16]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="tap")
