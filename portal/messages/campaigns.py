"""Campaigns as staff make them: a draft, sent now or later, stopped; and how far each is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra import audit, locks, outbox
from portal.infra.outbox import Mail, MailState
from portal.messages.audience import count_readers, of_campaign
from portal.messages.models import Campaign, CampaignMail, CampaignState
from portal.rules.cutoffs import local_day

UNSAID = {"subject", "text", "audience"}


class Refusal(StrEnum):
    """Why nothing is done; its words are in the templates."""

    NOT_A_DRAFT = "not_a_draft"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many mails of a campaign are where; `unwritten` were not written yet, or will not be."""

    unwritten: int = 0
    waiting: int = 0
    sent: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        return self.unwritten + self.waiting + self.sent + self.failed


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody whom a campaign's mail has not reached."""

    mail_id: int
    account_id: int
    name: str
    email: str
    error: str | None


def find(session: Session, campaign_id: int) -> Campaign | None:
    return session.get(Campaign, campaign_id)


def all_campaigns(session: Session) -> list[tuple[Campaign, Tally]]:
    """The newest first, and how far each is, in two statements."""
    found = session.scalars(select(Campaign).order_by(Campaign.id.desc())).all()
    tallies = _tallies(session)
    return [(campaign, tallies.get(campaign.id, Tally())) for campaign in found]


def scheduled_letters(session: Session) -> Sequence[Campaign]:
    """What would be written twice."""
    to_come = select(Campaign).where(Campaign.letter, Campaign.state == CampaignState.SCHEDULED)
    return session.scalars(to_come.order_by(Campaign.send_at, Campaign.id)).all()


def tally(session: Session, campaign_id: int) -> Tally:
    return _tallies(session, campaign_id).get(campaign_id, Tally())


def _tallies(session: Session, only: int | None = None) -> dict[int, Tally]:
    counted = (
        select(CampaignMail.campaign_id, Mail.state, func.count())
        .outerjoin(Mail, Mail.id == CampaignMail.mail_id)
        .group_by(CampaignMail.campaign_id, Mail.state)
    )
    if only is not None:
        counted = counted.where(CampaignMail.campaign_id == only)
    found: dict[int, dict[MailState | None, int]] = {}
    for campaign_id, state, number in session.execute(counted):
        found.setdefault(campaign_id, {})[state] = number
    return {
        campaign_id: Tally(
            unwritten=states.get(None, 0),
            waiting=states.get(MailState.WAITING, 0),
            sent=states.get(MailState.SENT, 0) + states.get(MailState.KEPT, 0),
            failed=states.get(MailState.FAILED, 0),
        )
        for campaign_id, states in found.items()
    }


def refused(session: Session, campaign_id: int, limit: int) -> list[Refused]:
    """Whom its mails have not reached, by name."""
    failed = (CampaignMail.campaign_id == campaign_id, Mail.state == MailState.FAILED)
    rows = session.execute(
        select(Mail.id, Account.id, Account.first_name, Account.last_name, Mail.recipient, Mail.last_error)
        .join(CampaignMail, CampaignMail.mail_id == Mail.id)
        .join(Account, Account.id == CampaignMail.account_id)
        .where(*failed)
        .order_by(Account.last_name, Account.first_name, Account.id)
        .limit(limit)
    )
    return [
        Refused(mail_id, account_id, f"{first} {last}", email, error)
        for mail_id, account_id, first, last, email, error in rows
    ]


def make(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> Campaign:
    campaign = Campaign(state=CampaignState.DRAFT, made_at=at, made_by=by, **values)
    session.add(campaign)
    session.flush()
    audit.record(session, "campaign.create", ("campaign", campaign.id), at=at, by=by)
    return campaign


def change(
    session: Session, campaign_id: int, values: Mapping[str, Any], *, at: datetime, by: int
) -> Refusal | None:
    campaign = _held(session, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return Refusal.NOT_A_DRAFT
    audit.change(session, campaign, values, at=at, by=by, unsaid=UNSAID)
    return None


def remove(session: Session, campaign_id: int, *, at: datetime, by: int) -> Refusal | None:
    """Forget a draft."""
    campaign = _held(session, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return Refusal.NOT_A_DRAFT
    session.delete(campaign)
    audit.record(session, "campaign.remove", ("campaign", campaign_id), at=at, by=by)
    return None


def send(session: Session, campaign_id: int, *, send_at: datetime, at: datetime, by: int) -> Refusal | None:
    """Let the worker send it, from a moment on: who reads it is looked up then."""
    campaign = _held(session, campaign_id)
    if campaign.state is not CampaignState.DRAFT:
        return Refusal.NOT_A_DRAFT
    if not count_readers(session, of_campaign(campaign), local_day(at)):
        return Refusal.NOBODY
    _turn(session, campaign, CampaignState.SCHEDULED, at=at, by=by, send_at=send_at)
    return None


def stop(session: Session, campaign_id: int, *, at: datetime, by: int) -> None:
    """What has not begun is a draft again; of what is under way no more mails leave."""
    campaign = _held(session, campaign_id)
    if campaign.state is CampaignState.SCHEDULED:
        _turn(session, campaign, CampaignState.DRAFT, at=at, by=by, send_at=None)
    elif campaign.state is CampaignState.SENDING:
        own = select(CampaignMail.mail_id).where(CampaignMail.campaign_id == campaign_id)
        outbox.take_back(session, own)
        _turn(session, campaign, CampaignState.STOPPED, at=at, by=by, ended_at=at)


def _turn(
    session: Session,
    campaign: Campaign,
    state: CampaignState,
    *,
    at: datetime,
    by: int,
    **values: datetime | None,
) -> None:
    audit.change(session, campaign, {"state": state, **values}, at=at, by=by)


def _held(session: Session, campaign_id: int) -> Campaign:
    held = locks.for_update(select(Campaign).where(Campaign.id == campaign_id), of=Campaign)
    campaign = session.scalars(held).one()
    locks.checked()
    return campaign
