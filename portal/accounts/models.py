"""Accounts, their roles, their signed-in devices, the links mailed to them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.infra.crypto import Sealed
from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.alphabet import search_key
from portal.rules.consents import ConsentSource, Notice, Topic
from portal.rules.paying import PaymentMeans
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
    __table_args__ = (
        CheckConstraint("birthday BETWEEN 101 AND 1231", name="birthday_is_day"),
        CheckConstraint("payer_id <> id", name="payer_is_other"),
    )

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
    email_proven_at: Mapped[datetime | None]
    """Since when we know that the mailbox is theirs: a code or a link that was sent there came back."""
    birthday: Mapped[int | None]
    """Month × 100 + day: the year is nobody's business."""
    language: Mapped[str] = mapped_column(String(5), server_default="fr")
    payment_means: Mapped[PaymentMeans | None] = mapped_column(word(PaymentMeans))
    """How they wish to pay."""
    seen_at: Mapped[datetime | None]
    """Their last sign of life: they were signed in, or ordered. That a mail is opened is none."""
    erased_at: Mapped[datetime | None]
    """Nobody any more; what the law makes the farm keep names the row alone."""
    payer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """Whose subscriptions they share, with a sign-in of their own; they have none themselves."""
    payer: Mapped["Account | None"] = relationship(remote_side="Account.id")
    roles: Mapped[list[Role]] = relationship(secondary=account_role, lazy="selectin")  # type: ignore[assignment]

    @property
    def customer_number(self) -> str:
        return customer_number(self.id)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def holder(self) -> "Account":
        """Whose boxes and orders they see and change."""
        return self.payer if self.payer and self.payer.active else self

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


class MailWish(StrEnum):
    """What somebody who is not signed in asks to be mailed."""

    RESET = "reset"
    """A link to choose a new password with."""
    CODE = "code"
    """A code to sign in with, or to begin an account with where there is none."""
    SIGN_UP = "sign_up"
    """A code to begin an account with, or to sign in with where there is one."""
    IDENTIFIER = "identifier"
    """Which address the account has, to whoever knows its customer number or telephone."""
    WITHDRAWAL = "withdrawal"
    """The way to withdraw from what has a number."""


class MailRequest(Base):
    """Somebody asks for a mail that opens something. The worker finds out whose the address is, if anybody's.

    So the page does the same for every address, and takes as long (BAR S5).
    """

    __tablename__ = "mail_request"

    id: Mapped[PrimaryKey]
    wish: Mapped[MailWish] = mapped_column(word(MailWish))
    typed: Mapped[str] = mapped_column(String(254))
    """The address; to find that, a customer number or a telephone."""
    visit: Mapped[str | None] = mapped_column(String(64))
    """The browser that asks, where the mail is good for that one alone (`MailedCode.visit`)."""
    number: Mapped[str | None] = mapped_column(String(20))
    """Of an order or a contract."""
    due_at: Mapped[datetime]
    """When the worker answers; later after a failure."""


class CodePurpose(StrEnum):
    """What a mailed code proves."""

    ENTER = "enter"
    """That the mailbox is theirs who sign in or begin an account."""
    PROOF = "proof"
    """That who is signed in is still the owner, before something that matters is changed."""
    MERGE = "merge"
    """That a second account is theirs as well."""


class MailedCode(Base):
    """Six digits sent by mail, kept as a keyed hash: good for fifteen minutes, a few tries, the browser that asked.

    The row is the right to use it: it goes when it is used, and when a newer one is sent.
    """

    __tablename__ = "mailed_code"
    __table_args__ = (UniqueConstraint("purpose", "email", "visit"),)

    id: Mapped[PrimaryKey]
    purpose: Mapped[CodePurpose] = mapped_column(word(CodePurpose))
    email: Mapped[str] = mapped_column(String(254), index=True)
    visit: Mapped[str] = mapped_column(String(64))
    """The hash of a random value that the asking browser's session keeps."""
    code_hash: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LinkPurpose(StrEnum):
    """What a mailed link is good for; one link, one act."""

    RESET_PASSWORD = "reset_password"  # noqa: S105
    INVITE = "invite"
    """To choose a first password, for an account that staff have made."""
    NEW_ADDRESS = "new_address"
    """To prove the mailbox that an account is to have."""
    OLD_ADDRESS = "old_address"
    """To take that back, from the mailbox that it had."""
    COME_BACK = "come_back"
    """To open again what its owner has closed."""
    SHARE = "share"
    """To share the subscriptions of the link's account."""


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
    email: Mapped[str | None] = mapped_column(String(254))
    """The address that it is about, where that is not the account's own."""
    name: Mapped[str | None] = mapped_column(String(80))
    """The first name of whom it invites, as its payer gave it."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class SecondFactor(Base):
    """The secret that an account shares with an authenticator; asked for once it is confirmed.

    `last_step` is the last thirty seconds whose code was taken: none is taken twice.
    """

    __tablename__ = "second_factor"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(Sealed("second_factor.secret"))
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None]


class RecoveryCode(Base):
    """Stands in for an authenticator that is lost; each once."""

    __tablename__ = "recovery_code"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64))


class Passkey(Base):
    """A key that a phone or a computer keeps for an account (WebAuthn)."""

    __tablename__ = "passkey"

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    credential: Mapped[str] = mapped_column(String(1400), unique=True)
    """Its id, in base64url."""
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    name: Mapped[str] = mapped_column(String(80))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SocialIdentity(Base):
    """Who an account is at somebody else's: by provider and subject, never by address (BAR S12)."""

    __tablename__ = "social_identity"
    __table_args__ = (UniqueConstraint("provider", "subject"), UniqueConstraint("account_id", "provider"))

    id: Mapped[PrimaryKey]
    provider: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    linked_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class CompanyState(StrEnum):
    """What staff have said to a company's account."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


class VatState(StrEnum):
    """What VIES says of a number."""

    UNASKED = "unasked"
    VALID = "valid"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


class Company(Base):
    """An account that is a company's: papers name it, prices stay the same."""

    __tablename__ = "company"
    __table_args__ = (CheckConstraint("vat_number IS NOT NULL OR siren IS NOT NULL", name="has_number"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(160))
    vat_number: Mapped[str | None] = mapped_column(String(20))
    siren: Mapped[str | None] = mapped_column(String(9))
    state: Mapped[CompanyState] = mapped_column(word(CompanyState))
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    vat_state: Mapped[VatState] = mapped_column(word(VatState))
    vat_checked_at: Mapped[datetime | None]
    vat_due_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the worker asks VIES, again where it was not there."""
    vat_tries: Mapped[int]
    purchase_reference: Mapped[str | None] = mapped_column(String(60))
    """What its invoices are to name: an order's number, a department."""
    due_days: Mapped[int | None]
    """How long it has to pay, where staff have agreed to other terms than all companies'."""


class Consent(Base):
    """Somebody agreed to a topic's mails, or no longer does: the newest line holds, all are the proof (CPCE, L34-5)."""

    __tablename__ = "consent"
    __table_args__ = (Index(None, "account_id", "topic", "id"),)

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    topic: Mapped[Topic] = mapped_column(word(Topic))
    given: Mapped[bool]
    at: Mapped[datetime]
    source: Mapped[ConsentSource] = mapped_column(word(ConsentSource))
    wording: Mapped[str] = mapped_column(String(300))
    """The words that they agreed to."""


class Muted(Base):
    """A reminder that somebody does not want."""

    __tablename__ = "muted"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    notice: Mapped[Notice] = mapped_column(word(Notice), primary_key=True)


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
    delivery: Mapped[bool] = mapped_column(server_default="0")
    """Offered first for what is brought."""
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]
    search_key: Mapped[str] = mapped_column(String(SEARCHED), server_default="")


@event.listens_for(Address, "before_insert")
def _write_address_key(_mapper: object, _connection: object, address: Address) -> None:
    key = search_key(address.name, address.street, address.postcode, address.town)
    address.search_key = key[:SEARCHED]
