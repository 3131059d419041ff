"""What a copy of the database must not tell is sealed: AES-256-GCM, under the keys of PORTAL_DATA_KEYS.

The first key seals, all open. What is sealed names its key, and is bound to its purpose: what was sealed for one
column opens in no other.
"""

import hmac
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import current_app
from sqlalchemy import Column, Dialect, LargeBinary, func, select, type_coerce, update
from sqlalchemy.types import TypeDecorator

from portal.infra.orm import Base, own_transaction
from portal.settings import Settings

FORMAT = b"\x01"
NONCE_BYTES = 12
AT_ONCE = 100
"""How many are resealed before others may write again."""


class Unsealable(Exception):
    """It was sealed for something else, under a key that is not here, or has been changed since."""


def seal(data: bytes, purpose: str) -> bytes:
    """Close it so that only `unseal` for the same purpose reads it."""
    key_id, key = next(iter(_keys().items()))
    head, nonce = _head(key_id), secrets.token_bytes(NONCE_BYTES)
    return head + nonce + AESGCM(key).encrypt(nonce, data, head + purpose.encode())


def unseal(sealed: bytes, purpose: str) -> bytes:
    """What was sealed for this purpose; raises Unsealable."""
    end = 2 + sealed[1] if sealed.startswith(FORMAT) and len(sealed) > 1 else 0
    head, nonce, closed = sealed[:end], sealed[end : end + NONCE_BYTES], sealed[end + NONCE_BYTES :]
    key = _keys().get(head[2:].decode(errors="replace"))
    if key is None:
        raise Unsealable("no key of PORTAL_DATA_KEYS opens this")
    try:
        return AESGCM(key).decrypt(nonce, closed, head + purpose.encode())
    except (InvalidTag, ValueError):
        raise Unsealable(f"this is no {purpose} as it was sealed") from None


class Sealed(TypeDecorator[bytes]):
    """A column that is sealed at rest: the program writes and reads what it means."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else seal(value, self.purpose)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else unseal(bytes(value), self.purpose)


def rotate() -> int:
    """Seal under the first key what is under another; how many values that were. Once done, the others may go."""
    return sum(_reseal(column) for column in _sealed_columns())


def _sealed_columns() -> Iterator[Column[Any]]:
    for table in Base.metadata.sorted_tables:
        yield from (column for column in table.columns if isinstance(column.type, Sealed))


def _reseal(column: Column[Any]) -> int:
    assert isinstance(column.type, Sealed)
    purpose = column.type.purpose
    head = _head(next(iter(_keys())))
    kept, [key] = type_coerce(column, LargeBinary), column.table.primary_key
    others = select(key, kept).where(func.substr(kept, 1, len(head)) != head).limit(AT_ONCE)
    done = 0
    while True:
        with own_transaction() as session:
            rows = session.execute(others.with_for_update()).all()
            for number, sealed in rows:
                value = unseal(bytes(sealed), purpose)
                session.execute(update(column.table).where(key == number).values({column.name: value}))
        if not rows:
            return done
        done += len(rows)


def _head(key_id: str) -> bytes:
    return FORMAT + bytes([len(key_id)]) + key_id.encode()


def _keys() -> Mapping[str, bytes]:
    settings: Settings = current_app.config["SETTINGS"]
    if settings.data_keys:
        return settings.data_keys
    return {"derived": hmac.digest(settings.secret_key.encode(), b"data key", "sha256")}
