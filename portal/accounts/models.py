"""Accounts, their roles, their signed-in devices, the links mailed to them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.alphabet import search_key
from portal.rules.permissions import Permission, RoleName, allows

FIRST_CUSTOMER_NUMBER = 10_000
SEARCHED = 500
"""So much of what somebody is found by is kept: bare letters can be many more than those that were typed."""


def customer_number(account_id: int) -> str:
    """As papers name an account."""
    return f"C{FIRST_CUSTOMER_NUMBER + account_id}"


account_role = Table(
    "account_role",
    Base.metadata,
    Column("account_id", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id"), primary_key=True),
)


class Role(Base, RoleMixin):
    __tablename__ = "role"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(String(40), unique=True)


class Account(Base, UserMixin):
    """Somebody who may sign in. The address is kept in lower case and is unique.

    `fs_uniquifier` is what a session names: changing it ends every session of the account.
    """

    __tablename__ = "account"

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password: Mapped[str | None]
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    first_name: Mapped[str] = mapped_column(String(80))
    last_name: Mapped[str] = mapped_column(String(80))
    phone: Mapped[str | None] = mapped_column(String(30))
    note: Mapped[str | None] = mapped_column(Text)
    """What staff should know; the person may ask to read it."""
    search_key: Mapped[str] = mapped_column(String(SEARCHED), server_default="", index=True)
    """Name, mail address and telephone as staff type them: without accents, case and gaps."""
    created_at: Mapped[datetime]
    roles: Mapped[list[Role]] = relationship(secondary=account_role, lazy="selectin")  # type: ignore[assignment]

    @property
    def customer_number(self) -> str:
        return customer_number(self.id)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def is_staff(self) -> bool:
        return bool(self.roles)

    @property
    def role_names(self) -> set[RoleName]:
        return {RoleName(role.name) for role in self.roles}

    def may(self, permission: Permission) -> bool:
        return allows(self.role_names, permission)


@event.listens_for(Account, "before_insert")
@event.listens_for(Account, "before_update")
def _write_search_key(_mapper: object, _connection: object, account: Account) -> None:
    key = search_key(account.last_name, account.first_name, account.email, account.phone)
    account.search_key = key[:SEARCHED]


class SignInSession(Base):
    """A browser that keeps a session; the cookie holds the id, this row only its hash.

    Revoking is for ever: a request that was under way cannot bring the row back.
    """

    __tablename__ = "sign_in_session"
    __table_args__ = (Index(None, "account_id"),)

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ResetRequest(Base):
    """Somebody has forgotten a password, or says so. The worker finds out whose the address is.

    So the page does the same for every address, and takes as long (BAR S5).
    """

    __tablename__ = "reset_request"

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime]


class LinkPurpose(StrEnum):
    """What a mailed link is good for; one link, one act."""

    RESET_PASSWORD = "reset_password"  # noqa: S105
    INVITE = "invite"
    """To choose a first password, for an account that staff have made."""


class MailedLink(Base):
    """A link sent by mail, kept as a hash. The row is the right to use it: it goes when the link is used,
    when a newer one is sent, when the password changes.
    """

    __tablename__ = "mailed_link"
    __table_args__ = (Index(None, "account_id", "purpose"),)

    id: Mapped[PrimaryKey]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[LinkPurpose] = mapped_column(word(LinkPurpose))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    account: Mapped[Account] = relationship()
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Address(Base):
    """A postal address of an account. What was used on a paper is archived, never changed."""

    __tablename__ = "address"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(160))
    street: Mapped[str] = mapped_column(String(200))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80))
    billing: Mapped[bool]
    """Offered first for bills."""
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    search_key: Mapped[str] = mapped_column(String(SEARCHED), server_default="")


@event.listens_for(Address, "before_insert")
def _write_address_key(_mapper: object, _connection: object, address: Address) -> None:
    key = search_key(address.name, address.street, address.postcode, address.town)
    address.search_key = key[:SEARCHED]
