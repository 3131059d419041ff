"""The second factor: six digits that an authenticator shows (TOTP, RFC 6238), recovery codes for when it is lost."""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from textwrap import wrap

import pyotp
from flask import Flask, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from portal.accounts.alerts import Alert, tell
from portal.accounts.models import Account, RecoveryCode, SecondFactor
from portal.infra.orm import db, insert
from portal.infra.throttle import Limit
from portal.rules.permissions import RoleName
from portal.settings import Settings
from portal.web.htmx import is_htmx

WRONG_CODES = Limit("wrong second factors of an account", 5, timedelta(minutes=15))
WRONG_CODES_OF_DAY = Limit("wrong second factors of an account in a day", 20, timedelta(days=1))
"""Three codes in a million are good at a time."""
RECOVERY_CODES = 10
SECRET_BYTES = 20
STEP = 30  # seconds
AROUND = 1
"""Clocks differ: the code before and the one after are good too."""
SETTING_UP = frozenset(
    {
        "member.prove",
        "member.mail_proof_code",
        "member.second_factor",
        "member.confirm_second_factor",
    }
)
PENDING = timedelta(minutes=30)
"""So long a secret waits for its first code: somebody else may have begun it, and know it."""
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that looks like another."""


def begin(session: Session, account: Account, *, at: datetime) -> None:
    """Draw a secret, asked for once its first code is typed; for who has one in use nothing changes."""
    fresh = {"secret": secrets.token_bytes(SECRET_BYTES), "made_at": at}
    statement = insert(session, SecondFactor).values(account_id=account.id, **fresh)
    unused = SecondFactor.confirmed_at.is_(None)
    session.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_=fresh, where=unused))


def find(session: Session, account: Account) -> SecondFactor | None:
    return session.get(SecondFactor, account.id, populate_existing=True)


def pending(session: Session, account: Account, *, at: datetime) -> SecondFactor | None:
    """The secret that waits for its first code."""
    factor = find(session, account)
    waits = factor is not None and factor.confirmed_at is None and at < factor.made_at + PENDING
    return factor if waits else None


def is_on(session: Session, account: Account) -> bool:
    """Whether a code is asked for when they sign in."""
    mine = (SecondFactor.account_id == account.id, SecondFactor.confirmed_at.is_not(None))
    return session.scalar(select(SecondFactor.account_id).where(*mine)) is not None


def confirm(session: Session, account: Account, typed: str, *, at: datetime) -> list[str] | None:
    """Ask for it from now on, if this is a code of the new secret; the recovery codes, which are told this once."""
    factor = pending(session, account, at=at)
    if factor is None or not _take(session, factor, typed, at=at):
        return None
    factor.confirmed_at = at
    tell(session, account, Alert.FACTOR_ON, at=at)
    return _draw_codes(session, factor)


def check(session: Session, account: Account, typed: str, *, at: datetime) -> bool:
    """Whether this is the authenticator's code, or a recovery code; neither is good a second time."""
    factor = find(session, account)
    if factor is None or factor.confirmed_at is None:
        return False
    return _take(session, factor, typed, at=at) or _use_recovery(session, account, factor, typed, at=at)


def renew_codes(session: Session, account: Account, *, at: datetime) -> list[str] | None:
    """New recovery codes, told this once; those before are good for nothing."""
    factor = find(session, account)
    if factor is None or factor.confirmed_at is None:
        return None
    tell(session, account, Alert.CODES_RENEWED, at=at)
    return _draw_codes(session, factor)


def remove(session: Session, account: Account, *, at: datetime, by_owner: bool = True) -> bool:
    """Ask for it no more; False where it was not asked for."""
    was_on = is_on(session, account)
    forget(session, account)
    if was_on:
        tell(session, account, Alert.FACTOR_OFF, at=at, by_owner=by_owner)
    return was_on


def forget(session: Session, account: Account) -> None:
    """The secret and its codes go."""
    for table in (RecoveryCode, SecondFactor):
        session.execute(delete(table).where(table.account_id == account.id))
    session.flush()


def codes_left(session: Session, account: Account) -> int:
    mine = RecoveryCode.account_id == account.id
    return session.scalar(select(func.count()).select_from(RecoveryCode).where(mine)) or 0


def init_app(app: Flask, settings: Settings) -> None:
    if not settings.admin_second_factor:
        return

    @app.before_request
    def lead_admins() -> ResponseReturnValue | None:
        """An admin without one sets it up before anything else."""
        if request.blueprint not in {"member", "farm"} or request.endpoint in SETTING_UP:
            return None
        lacking = (
            current_user.is_authenticated
            and RoleName.ADMIN in current_user.role_names
            and not is_on(db.session(), current_user)
        )
        if not lacking:
            return None
        address = url_for("member.second_factor")
        return make_response("", 401, {"HX-Redirect": address}) if is_htmx() else redirect(address, 303)


def limits(account: Account) -> list[tuple[Limit, str]]:
    """What each try counts against."""
    return [(limit, str(account.id)) for limit in (WRONG_CODES, WRONG_CODES_OF_DAY)]


def uri(account: Account, factor: SecondFactor, farm_name: str) -> str:
    """What an authenticator reads from the picture."""
    return _totp(factor).provisioning_uri(name=account.email, issuer_name=farm_name)


def typed_secret(factor: SecondFactor) -> str:
    """The secret for who types it, in groups of four."""
    return " ".join(wrap(_totp(factor).secret, 4))


def _take(session: Session, factor: SecondFactor, typed: str, *, at: datetime) -> bool:
    """Whether it is a code of about now that nobody has used yet; the step of a code that is taken only rises."""
    digits, now = typed.replace(" ", ""), int(at.timestamp()) // STEP
    totp = _totp(factor)
    good = [step for step in range(now - AROUND, now + AROUND + 1) if _same(totp.generate_otp(step), digits)]
    if not good:
        return False
    fresh = or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < good[0])
    statement = update(SecondFactor).where(SecondFactor.account_id == factor.account_id, fresh)
    return session.scalar(statement.values(last_step=good[0]).returning(SecondFactor.account_id)) is not None


def _use_recovery(
    session: Session, account: Account, factor: SecondFactor, typed: str, *, at: datetime
) -> bool:
    mine = (RecoveryCode.account_id == account.id, RecoveryCode.code_hash == _hash(factor, typed))
    if session.scalar(delete(RecoveryCode).where(*mine).returning(RecoveryCode.id)) is None:
        return False
    tell(session, account, Alert.CODE_USED, at=at, left=codes_left(session, account))
    return True


def _draw_codes(session: Session, factor: SecondFactor) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == factor.account_id))
    letters = ["".join(secrets.choice(LETTERS) for _ in range(12)) for _ in range(RECOVERY_CODES)]
    codes = ["-".join(wrap(code, 4)) for code in letters]
    session.add_all(
        RecoveryCode(account_id=factor.account_id, code_hash=_hash(factor, code)) for code in codes
    )
    return codes


def _hash(factor: SecondFactor, code: str) -> str:
    """Keyed by the secret, which is sealed: a copy of the database is no help in guessing codes."""
    plain = "".join(letter for letter in code.lower() if letter in LETTERS)
    return hmac.digest(factor.secret, b"recovery " + plain.encode(), "sha256").hex()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _totp(factor: SecondFactor) -> pyotp.TOTP:
    return pyotp.TOTP(base64.b32encode(factor.secret).decode())
