"""« Résilier votre contrat » (Code de la consommation, L215-1-1 and D215-1 to D215-3).

Signed in, notifying ends the subscriptions at once. Without it the worker finds whose they are and mails that
account's own address; the contract ends once they confirm. So the page is the same for everybody (BAR S5).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import FIRST_CUSTOMER_NUMBER, Account
from portal.accounts.queries import find_account, normalise_email
from portal.infra import audit, clock, locks, mail, outbox
from portal.planning import ending
from portal.planning.ending import Leave
from portal.planning.models import Termination
from portal.planning.papers import Notice, Receipt, receipt_file, words
from portal.planning.terms import Answer
from portal.profile.queries import get_farm
from portal.rules.cutoffs import local_day
from portal.rules.leaving import customer_number_in, may_confirm
from portal.subscriptions.models import Subscription


def receipt(row: Termination) -> Receipt:
    said = row.ended
    return Receipt(
        row.id,
        Notice(row.name, row.contact, row.reference, row.wished_day),
        row.notified_at,
        row.confirmed_at,
        tuple(_read(one) for one in said.get("subscriptions", {}).values()),
        tuple(said.get("orders", ())),
        row.reason,
    )


def _written(leave: Leave) -> dict[str, Any]:
    return {
        "what": leave.what,
        "point": leave.point,
        "last_day": leave.last_day.isoformat(),
        "last": leave.last and leave.last.isoformat(),
        "closed": [day.isoformat() for day in leave.closed],
        "fallen": [day.isoformat() for day in leave.fallen],
    }


def _read(said: Mapping[str, Any]) -> Leave:
    return Leave(
        said["what"],
        said["point"],
        date.fromisoformat(said["last_day"]),
        date.fromisoformat(said["last"]) if said["last"] else None,
        tuple(map(date.fromisoformat, said["closed"])),
        tuple(map(date.fromisoformat, said["fallen"])),
    )


def wished(day: date | None, now: datetime) -> date:
    """As soon as possible is today; so is a day that has gone by when it is confirmed."""
    return max(day or date.min, local_day(now))


def notify(session: Session, notice: Notice, *, at: datetime) -> Termination:
    """Take a notification by whoever it is; the worker finds out whose contract they mean."""
    row = _row(notice, at)
    session.add(row)
    session.flush()
    audit.record(session, "termination.notify", ("termination", row.id), at=at, by=None)
    _mail_receipt(session, row, to=[notice.contact], owner=False)
    return row


def _row(notice: Notice, at: datetime) -> Termination:
    return Termination(
        name=notice.name,
        contact=notice.contact,
        reference=notice.reference,
        wished_day=notice.wished_day,
        notified_at=at,
        ended={},
    )


def notify_and_end(
    session: Session, account: Account, notice: Notice, expected: Mapping[int, date], *, by: Account
) -> Termination | Answer | None:
    """End one's own subscriptions on the last days that were seen; None where one is not the account's.

    What has just been notified is not notified twice: its receipt is shown again.
    """
    done = _end(session, account, expected, notice.wished_day, by=by)
    if done is None:
        return None
    if done.answer is Answer.OTHER_DATE:
        return done.answer
    if done.answer is Answer.ALREADY and (known := notified(session, account.id, expected)):
        return known
    row = _row(notice, clock.now())
    row.account_id, row.searched_at = account.id, row.notified_at
    session.add(row)
    session.flush()
    return _conclude(session, row, done, to=[account.email, notice.contact], by=by)


def confirm(
    session: Session, termination_id: int, expected: Mapping[int, date]
) -> Termination | Answer | None:
    """What the owner confirms by the mailed link; None once that is too late, or if nothing was chosen."""
    row = session.get_one(Termination, termination_id)
    account = session.get_one(Account, row.account_id)
    done = _end(session, account, expected, row.wished_day, by=account)
    session.refresh(row)  # the subscriptions are held: whoever came first has written it
    if row.confirmed_at:
        return row
    if done is None or not may_confirm(row.notified_at, clock.now()):
        return None
    if done.answer is Answer.OTHER_DATE:
        return done.answer
    return _conclude(session, row, done, to=[account.email], by=account)


def _end(
    session: Session, account: Account, expected: Mapping[int, date], day: date | None, *, by: Account
) -> ending.Together | None:
    return ending.end_together(session, account, expected, wished(day, clock.now()), by=by)


def notified(session: Session, account_id: int, subscription_ids: Collection[int]) -> Termination | None:
    """The notification by which these have ended, and still are as it says."""
    ended = select(Subscription.id, Subscription.last_day).where(
        Subscription.id.in_(subscription_ids), Subscription.account_id == account_id
    )
    stands = {str(number): day and day.isoformat() for number, day in session.execute(ended)}
    own = (Termination.account_id == account_id, Termination.confirmed_at.is_not(None))
    for row in session.scalars(select(Termination).where(*own).order_by(Termination.id.desc())):
        said = {number: leave["last_day"] for number, leave in row.ended["subscriptions"].items()}
        if stands and stands.items() <= said.items():
            return row
    return None


def _conclude(
    session: Session,
    row: Termination,
    done: ending.Together,
    *,
    to: Iterable[str],
    by: Account,
) -> Termination:
    at = clock.now()
    row.confirmed_at = at
    row.ended = {
        "subscriptions": {str(number): _written(leave) for number, leave in done.leaves.items()},
        "orders": [number for one in done.orders.settled for number in one.numbers],
    }
    audit.record(
        session,
        "termination.confirm",
        ("termination", row.id),
        at=at,
        by=by.id,
        after={"subscriptions": list(done.leaves)},
    )
    _mail_receipt(session, row, to=to, owner=True)
    return row


def _mail_receipt(session: Session, row: Termination, *, to: Iterable[str], owner: bool) -> None:
    """To each address once; who has given a postal one is written to by staff."""
    farm, found = get_farm(session), receipt(row)
    rendered = mail.render(
        "termination_received",
        farm=farm,
        receipt=found,
        day=local_day(found.notified_at),
        words=words,
        way=receipt_link(row.id, owner=owner),
    )
    file = receipt_file(found, farm)
    for address in {one.casefold(): one for one in to if outbox.can_send_to(one)}.values():
        outbox.post(session, to=address, **rendered.parts, at=clock.now(), attachments=[file])


def give_reason(session: Session, termination_id: int, reason: str | None) -> None:
    row = session.scalars(
        locks.for_update(select(Termination).where(Termination.id == termination_id), of=Termination)
    ).one()
    row.reason = reason


def search_owner(session: Session, row: Termination, at: datetime) -> None:
    """Mail whose contract is meant the way to confirm; else it waits for staff."""
    row.searched_at = at
    account = find_account(session, normalise_email(row.contact)) or _numbered(session, row.reference)
    if account is None or not ending.foresee(session, account.id, wished(row.wished_day, at), at):
        return
    row.account_id = account.id
    rendered = mail.render(
        "termination_confirm",
        farm=get_farm(session),
        first_name=account.first_name,
        receipt=receipt(row),
        way=mail.link("public.confirm_termination", termination_token=token(row.id, owner=True)),
    )
    outbox.post(session, to=account.email, **rendered.parts, at=at, secret=True)


def _numbered(session: Session, reference: str) -> Account | None:
    number = customer_number_in(reference)
    return session.get(Account, number - FIRST_CUSTOMER_NUMBER) if number else None


def settle(session: Session, termination_id: int, made_of_it: str, *, at: datetime, by: Account) -> bool:
    """Note what staff have done with one that nobody confirmed; False where there is none."""
    row = session.scalar(
        locks.for_update(select(Termination).where(Termination.id == termination_id), of=Termination)
    )
    if row is None:
        return False
    if row.settlement != made_of_it:
        row.settled_at, row.settlement = at, made_of_it
        audit.record(session, "termination.settle", ("termination", row.id), at=at, by=by.id)
    return True


# The signed addresses: what was notified, for whoever did; for the contract's owner also what has come of it.


def token(termination_id: int, *, owner: bool) -> str:
    return _signer().dumps([termination_id, owner])


def read_token(text: str) -> tuple[int, bool] | None:
    """The notification that it is for, and whether it is its owner's; None for what we never wrote."""
    try:
        termination_id, owner = _signer().loads(text)
    except (BadSignature, TypeError, ValueError):
        return None
    return termination_id, owner


def receipt_link(termination_id: int, *, owner: bool) -> str:
    return mail.link("public.termination_receipt", termination_token=token(termination_id, owner=owner))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="termination")
