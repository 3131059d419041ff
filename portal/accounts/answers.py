"""Mails that open something. The page notes that one is wanted; whose the address is, the worker finds out.

So every address gets the same page, as fast (BAR S5).
"""

from datetime import datetime
from typing import Any

from blinker import Signal
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.accounts import codes, services
from portal.accounts.limits import HINTS, RESET_MAILS
from portal.accounts.models import (
    FIRST_CUSTOMER_NUMBER,
    Account,
    CodePurpose,
    MailRequest,
    MailWish,
)
from portal.accounts.queries import find_account
from portal.infra import mail, outbox, throttle
from portal.profile.queries import get_farm

closed_door = Signal()
"""Sent for a closed account that is asked for, with `session` and `at`: who can open it again answers with the
token of a link that does."""


withdrawal = Signal()
"""Sent with the number of what somebody wants to withdraw from, their address as `email`, and `session`: whoever
knows both mails the way."""


def ask(
    session: Session,
    wish: MailWish,
    typed: str,
    browser: str | None = None,
    *,
    number: str | None = None,
    at: datetime,
) -> None:
    """Note that a mail is wanted; `answer` follows in the worker."""
    session.add(MailRequest(wish=wish, typed=typed, visit=browser, number=number, due_at=at))


def answer(session: Session, request: MailRequest, *, at: datetime) -> None:
    if request.wish is MailWish.RESET:
        _send_reset_link(session, request.typed, at)
    elif request.wish is MailWish.IDENTIFIER:
        _send_hints(session, request.typed, at)
    elif request.wish is MailWish.WITHDRAWAL:
        withdrawal.send(request.number, email=request.typed, session=session)
    elif request.visit:
        _send_code(session, request.typed, request.visit, at, signing_up=request.wish is MailWish.SIGN_UP)


def _send_reset_link(session: Session, email: str, at: datetime) -> None:
    """Those sent before are void; nothing goes where there is no account."""
    account = find_account(session, email)
    if account is None or not account.active or throttle.hit(session, RESET_MAILS, email, at).exceeded:
        return
    token = services.new_reset_link(session, account, at=at)
    _post(session, email, "reset_password", at=at, token=token)


def _send_code(session: Session, email: str, browser: str, at: datetime, *, signing_up: bool) -> None:
    """A code signs in whoever has an account and begins one for others; a closed account says how it opens again.

    Strangers can use up an address' codes, which are good in their own browsers alone: its owner gets a link then.
    """
    account = find_account(session, email)
    if account is not None and not account.active:
        if codes.may_mail(session, CodePurpose.ENTER, email, at=at):
            _say_closed(session, account, at)
        return
    code = codes.issue(session, CodePurpose.ENTER, email, browser, at=at)
    if code is None:
        if account and not services.has_reset_link(session, account, at=at):
            _send_reset_link(session, email, at)
        return
    known = account if signing_up else None
    token = services.new_reset_link(session, known, at=at, beside=True) if known else None
    _post(session, email, "code", at=at, code=code, account=account, signing_up=signing_up, token=token)


def _say_closed(session: Session, account: Account, at: datetime) -> None:
    tokens = [token for _who, token in closed_door.send(account, session=session, at=at) if token]
    token = tokens[0] if tokens else None
    _post(session, account.email, "account_closed", at=at, account=account, token=token)


def _send_hints(session: Session, typed: str, at: datetime) -> None:
    """To each mailbox whose account it may be: a household shares a telephone."""
    for account in session.scalars(_known_by(typed)):
        if not throttle.hit(session, HINTS, account.email, at).exceeded:
            _post(session, account.email, "address_hint", at=at, account=account)


def _known_by(typed: str) -> Select[Account]:
    """The open accounts with a customer number or a telephone, as `customer_number` and forms write them."""
    numbered = typed.startswith("C")
    known = Account.id == int(typed[1:]) - FIRST_CUSTOMER_NUMBER if numbered else Account.phone == typed
    return select(Account).where(Account.active, known)


def _post(session: Session, to: str, name: str, *, at: datetime, **said: Any) -> None:
    written = mail.render(name, farm=get_farm(session), **said)
    outbox.post(session, to=to, at=at, secret=True, **written.parts)
