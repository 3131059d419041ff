"""The worker's part of campaigns: some mails at a time, each lot in one transaction with the note that it is written.

Whoever stops on the way goes on from there, and nobody is written to twice. No more is written than the outbox
sends soon: a mail that somebody waits for never stands behind ten thousand others, and stopping stops.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, delete, insert, literal, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra import clock, locks, outbox
from portal.infra.orm import own_transaction
from portal.messages.audience import of_campaign, readers, willing
from portal.messages.models import Campaign, CampaignMail, CampaignState
from portal.messages.writing import write
from portal.rules.cutoffs import local_day

AT_ONCE = 50
WAITING_AT_MOST = 100


def send_campaigns() -> bool:
    """Begin the campaign that is due, or write its next mails; True if more are to be written now."""
    now = clock.now()
    with own_transaction() as session:
        if outbox.count_due(session, now) >= WAITING_AT_MOST:
            return False
        campaign = session.scalar(locks.for_update(_due(now), of=Campaign))
        if campaign is None:
            return False
        locks.checked()
        if campaign.state is CampaignState.SCHEDULED:
            _begin(session, campaign, now)
        else:
            _go_on(session, campaign, now)
        return True


def _due(now: datetime) -> Select[Campaign]:
    begins: ColumnElement[bool] = (Campaign.state == CampaignState.SCHEDULED) & (Campaign.send_at <= now)
    due = select(Campaign).where(or_(Campaign.state == CampaignState.SENDING, begins))
    return due.order_by(Campaign.send_at, Campaign.id).limit(1)


def _begin(session: Session, campaign: Campaign, now: datetime) -> None:
    """Note who reads it, all at once."""
    whom = readers(of_campaign(campaign), local_day(now)).add_columns(literal(campaign.id))
    session.execute(insert(CampaignMail).from_select(["account_id", "campaign_id"], whom))
    campaign.state = CampaignState.SENDING


def _go_on(session: Session, campaign: Campaign, now: datetime) -> None:
    """Write to the next ones; who has had enough of it meanwhile is left out."""
    unwritten = select(CampaignMail).where(
        CampaignMail.campaign_id == campaign.id, CampaignMail.mail_id.is_(None)
    )
    some = session.scalars(unwritten.order_by(CampaignMail.account_id).limit(AT_ONCE)).all()
    if not some:
        campaign.state, campaign.ended_at = CampaignState.SENT, now
        return
    rows = {row.account_id: row for row in some}
    still = willing(campaign.topic).where(Account.id.in_(rows))
    accounts = session.scalars(select(Account).where(Account.id.in_(still)).order_by(Account.id)).all()
    whom = [account for account in accounts if outbox.can_send_to(account.email)]
    posted = {
        letter.reader.id: outbox.post(
            session,
            to=letter.reader.email,
            at=now,
            unsubscribe=letter.unsubscribe,
            **letter.rendered.parts,
        )
        for letter in write(session, campaign, whom, now)
    }
    session.flush()
    for account_id, mail in posted.items():
        rows[account_id].mail_id = mail.id
    left_out = rows.keys() - posted.keys()
    own = (CampaignMail.campaign_id == campaign.id, CampaignMail.account_id.in_(left_out))
    session.execute(delete(CampaignMail).where(*own))
