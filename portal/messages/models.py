"""What people write to the farm, questions and answers, campaigns, and who was reminded of what."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.accounts.models import Account
from portal.infra.orm import Base, PrimaryKey, word
from portal.rules.consents import Notice, Topic

FIRST_REFERENCE = 10_000


class Subject(StrEnum):
    """What a message is about; its words are in the templates."""

    BOX = "box"
    ORDER = "order"
    INVOICE = "invoice"
    JOINING = "joining"
    SIGN_IN = "sign_in"
    DELETION = "deletion"
    TERMINATION = "termination"
    TWO_ACCOUNTS = "two_accounts"
    PERSONAL_DATA = "personal_data"
    OTHER = "other"


class ContactState(StrEnum):
    NEW = "new"
    TAKEN = "taken"
    DONE = "done"


class ContactMessage(Base):
    """What somebody has written to the farm, signed in or not."""

    __tablename__ = "contact_message"
    __table_args__ = (Index(None, "state", "id"),)

    id: Mapped[PrimaryKey]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    """Known where they were signed in."""
    subject: Mapped[Subject] = mapped_column(word(Subject))
    name: Mapped[str] = mapped_column(String(160))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str | None] = mapped_column(String(30))
    text: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime]
    state: Mapped[ContactState] = mapped_column(word(ContactState))
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    taker: Mapped[Account | None] = relationship(foreign_keys=taken_by)
    files: Mapped[list["ContactFile"]] = relationship(order_by="ContactFile.id", passive_deletes=True)
    answers: Mapped[list["ContactAnswer"]] = relationship(order_by="ContactAnswer.id", passive_deletes=True)

    @property
    def reference(self) -> str:
        return f"M{FIRST_REFERENCE + self.id}"


class ContactFile(Base):
    """What came with a message, under a name of ours."""

    __tablename__ = "contact_file"

    id: Mapped[PrimaryKey]
    message_id: Mapped[int] = mapped_column(ForeignKey("contact_message.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    content_type: Mapped[str] = mapped_column(String(80))
    data: Mapped[bytes] = mapped_column(deferred=True)


class ContactAnswer(Base):
    __tablename__ = "contact_answer"

    id: Mapped[PrimaryKey]
    message_id: Mapped[int] = mapped_column(ForeignKey("contact_message.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    by_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    by: Mapped[Account] = relationship()


class Question(Base):
    """What is asked often, with its answer; shown below a heading, in an order that staff choose."""

    __tablename__ = "question"

    id: Mapped[PrimaryKey]
    heading: Mapped[str] = mapped_column(String(80))
    asked: Mapped[str] = mapped_column(String(200))
    answer: Mapped[str] = mapped_column(Text)
    position: Mapped[int]


class CampaignState(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    STOPPED = "stopped"


class Campaign(Base):
    """A mail to many. With a `topic` it goes to who has asked for that; without one it tells a group of what concerns
    their boxes. `audience` says to whom: points, formulas, deliveries, by their ids.
    """

    __tablename__ = "campaign"

    id: Mapped[PrimaryKey]
    topic: Mapped[Topic | None] = mapped_column(word(Topic))
    audience: Mapped[dict[str, Any]]
    subject: Mapped[str] = mapped_column(String(150))
    text: Mapped[str] = mapped_column(Text)
    letter: Mapped[bool]
    """The week's letter: the composition of each one's next box and the news are drawn below the text."""
    state: Mapped[CampaignState] = mapped_column(word(CampaignState))
    made_at: Mapped[datetime]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    send_at: Mapped[datetime | None] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class CampaignMail(Base):
    """A campaign's mail to somebody: without `mail_id` it is still to be written."""

    __tablename__ = "campaign_mail"
    __table_args__ = (Index(None, "campaign_id", "mail_id"),)

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id", ondelete="SET NULL"), index=True)


class Reminder(Base):
    """Somebody was reminded of a delivery: once."""

    __tablename__ = "reminder"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), primary_key=True, index=True)
    notice: Mapped[Notice] = mapped_column(word(Notice), primary_key=True)
    at: Mapped[datetime]


class BirthdayGift(Base):
    """The voucher of a person's birthday: one a year."""

    __tablename__ = "birthday_gift"

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    voucher_id: Mapped[int] = mapped_column(ForeignKey("voucher.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
