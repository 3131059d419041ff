"""Passkeys (WebAuthn): the phone or the computer proves by a key of its own who sits before it."""

from datetime import datetime, timedelta

import webauthn
from flask import current_app
from flask import session as current
from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.accounts.alerts import Alert, tell
from portal.accounts.entering import Way
from portal.accounts.models import Account, Passkey
from portal.infra import clock
from portal.settings import Settings

LIVES = timedelta(minutes=5)
MOST = 20
"""Keys of one account."""
_KEY = "challenge"
_WISHES = AuthenticatorSelectionCriteria(
    resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.PREFERRED
)
_BROKEN = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError)
"""What the library says to what no browser sends."""


def list_keys(session: Session, account: Account) -> list[Passkey]:
    mine = Passkey.account_id == account.id
    return list(session.scalars(select(Passkey).where(mine).order_by(Passkey.id)))


def ask_to_make(session: Session, account: Account, farm_name: str) -> str:
    """What the browser makes a key by, as JSON."""
    known = [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(key.credential))
        for key in list_keys(session, account)
    ]
    options = webauthn.generate_registration_options(
        rp_id=_settings().hostname,
        rp_name=farm_name,
        user_id=str(account.id).encode(),
        user_name=account.email,
        user_display_name=account.full_name,
        authenticator_selection=_WISHES,
        exclude_credentials=known,
    )
    _keep(options.challenge)
    return webauthn.options_to_json(options)


def ask_to_show() -> str:
    """What the browser shows a key by, as JSON; it asks its owner which."""
    options = webauthn.generate_authentication_options(rp_id=_settings().hostname)
    _keep(options.challenge)
    return webauthn.options_to_json(options)


def add(session: Session, account: Account, answer: str, name: str, *, at: datetime) -> bool:
    """Keep the key that the browser made; False if this is none, or it is known already."""
    challenge = _take(at)
    if challenge is None or len(list_keys(session, account)) >= MOST:
        return False
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=_settings().hostname,
            expected_origin=_settings().base_url,
        )
    except _BROKEN:
        return False
    credential = bytes_to_base64url(made.credential_id)
    if session.scalar(select(Passkey.id).where(Passkey.credential == credential)) is not None:
        return False
    session.add(
        Passkey(
            account_id=account.id,
            credential=credential,
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            name=name,
            made_at=at,
        )
    )
    tell(session, account, Alert.PASSKEY_ADDED, at=at, name=name)
    return True


def show(session: Session, answer: str, *, at: datetime) -> tuple[Account, Way] | None:
    """Whose key it is, and whether it has asked its owner for a finger, a face or a code."""
    challenge = _take(at)
    if challenge is None:
        return None
    try:
        credential = parse_authentication_credential_json(answer)
        key = session.scalar(select(Passkey).where(Passkey.credential == credential.id).with_for_update())
        if key is None:
            return None
        shown = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_settings().hostname,
            expected_origin=_settings().base_url,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
        )
    except _BROKEN:
        return None
    account = session.get(Account, key.account_id)
    if account is None or not account.active:
        return None
    key.sign_count, key.used_at = shown.new_sign_count, at
    return account, Way.PASSKEY if shown.user_verified else Way.BARE_KEY


def remove(session: Session, account: Account, passkey_id: int, *, at: datetime) -> bool:
    """It opens nothing any more; False if it is not the account's."""
    mine = (Passkey.id == passkey_id, Passkey.account_id == account.id)
    name = session.scalar(delete(Passkey).where(*mine).returning(Passkey.name))
    if name is None:
        return False
    tell(session, account, Alert.PASSKEY_REMOVED, at=at, name=name)
    return True


def _keep(challenge: bytes) -> None:
    until = clock.now() + LIVES
    current[_KEY] = {"challenge": bytes_to_base64url(challenge), "until": until.isoformat()}


def _take(at: datetime) -> bytes | None:
    """What this browser was asked, once."""
    kept = current.pop(_KEY, None)
    if kept is None or at >= datetime.fromisoformat(kept["until"]):
        return None
    return base64url_to_bytes(kept["challenge"])


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
