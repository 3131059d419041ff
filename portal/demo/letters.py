"""Who of the demo farm's people reads its letters, two that they have read and one that is to leave."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from random import Random

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Consent
from portal.demo import people
from portal.infra import outbox
from portal.infra.outbox import MailState
from portal.messages.audience import Audience, willing
from portal.messages.models import Campaign, CampaignMail, CampaignState
from portal.messages.next_boxes import next_week
from portal.messages.writing import write
from portal.profile.models import FarmProfile
from portal.rules.calendar import WEEK, monday_of
from portal.rules.consents import ConsentSource, Topic
from portal.rules.cutoffs import PARIS, local_day
from portal.rules.money import Money
from portal.web.filters import day_month
from portal.web.i18n import french
from portal.web.topics import TOPICS

READERS = 200
"""Of a larger demo farm so many get what is sent."""
LAST_WEEK = """Bonjour {{prenom}},

La semaine a été belle au jardin. On a semé sous les tunnels, désherbé entre les rangs et réparé le grand \
semoir ; merci aux voisins, venus prêter la main.

La recette de Nadia : coupez les légumes de votre panier en gros dés, une cuillère d'huile d'olive, du thym, \
quarante minutes au four bien chaud. Un œuf au plat par-dessus, et c'est un repas.

À bientôt,
Toute l'équipe"""
NEXT_WEEK = """Bonjour {{prenom}},

Le marché de la Blaisance revient dimanche : on y sera avec le miel et le pain, et le four sera allumé. Venez avec \
les enfants, ils pourront pétrir.

Pour ne rien jeter : les fanes et les feuilles vertes, revenues à l'ail avec une poignée de noix, valent un pesto.

À bientôt,
Toute l'équipe"""
OPEN_DAY = """Bonjour {{prenom}},

Le deuxième samedi du mois, la ferme ouvre ses portes : visite des tunnels à dix heures, repas partagé à midi. \
Apportez un plat, on s'occupe des légumes et du pain.

Toute l'équipe"""


def add_letters(session: Session, seed: int, now: datetime) -> None:
    session.get_one(FarmProfile, 1).birthday_gift = Money(500)
    everybody = session.scalars(select(Account).order_by(Account.id)).all()
    _agree(session, everybody, Random(f"letters/{seed}"), now)
    by = next(account.id for account in everybody if account.email == people.STAFF.email)
    leaves = datetime.combine(monday_of(local_day(now)) + WEEK, time(7, 30), PARIS)
    for topic, subject, text, at in (
        (Topic.EVENTS, "Une journée à la ferme", OPEN_DAY, now - 3 * WEEK),
        (Topic.LETTER, _title(session, now - WEEK), LAST_WEEK, now - WEEK),
        (Topic.LETTER, _title(session, leaves), NEXT_WEEK, leaves),
    ):
        campaign = Campaign(
            topic=topic,
            audience=Audience(topic).filter,
            subject=french(subject),
            text=french(text),
            letter=topic is Topic.LETTER,
            state=CampaignState.SCHEDULED,
            made_at=min(at, now) - timedelta(hours=3),
            made_by=by,
            send_at=at,
        )
        session.add(campaign)
        session.flush()
        if at <= now:
            _send(session, campaign, at)


def _title(session: Session, at: datetime) -> str:
    return f"La feuille de chou, semaine du {day_month(next_week(session, local_day(at)))}"


def _agree(session: Session, everybody: Iterable[Account], draw: Random, now: datetime) -> None:
    """About half of them, some since they have joined; a few have changed their minds."""
    lines = []
    for account in everybody:
        account.birthday = account.birthday or (draw.randint(1, 12) * 100 + draw.randint(1, 28))
        for topic, share in ((Topic.LETTER, 0.5), (Topic.EVENTS, 0.3), (Topic.SHOP, 0.2)):
            if draw.random() > (topic is Topic.LETTER if account.email == people.SUBSCRIBER.email else share):
                continue
            line = {
                "account_id": account.id,
                "topic": topic,
                "given": True,
                "at": min(account.created_at + timedelta(days=draw.randint(0, 30)), now - 4 * WEEK),
                "source": draw.choice((ConsentSource.SIGN_UP, ConsentSource.ACCOUNT)),
                "wording": str(TOPICS[topic].asks),
            }
            lines.append(line)
            if draw.random() < 0.05 and account.email != people.SUBSCRIBER.email:
                no = {"given": False, "at": now - 2 * WEEK, "source": ConsentSource.MAIL}
                lines.append(line | no)
    session.execute(insert(Consent), lines)


def _send(session: Session, campaign: Campaign, at: datetime) -> None:
    """As it was then; the last one's mailbox is no more."""
    assert campaign.topic
    whom = session.scalars(
        select(Account).where(Account.id.in_(willing(campaign.topic))).order_by(Account.id).limit(READERS)
    ).all()
    for letter in write(session, campaign, whom, at):
        reader, parts = letter.reader, letter.rendered.parts
        mail = outbox.post(session, to=reader.email, at=at, unsubscribe=letter.unsubscribe, **parts)
        mail.state, mail.closed_at, mail.attempts = MailState.KEPT, at, 1
        session.flush()
        session.add(CampaignMail(campaign_id=campaign.id, account_id=reader.id, mail_id=mail.id))
    if len(whom) > 1:
        mail.state, mail.last_error = MailState.FAILED, "SMTPRecipientsRefused 550"
    campaign.state, campaign.ended_at = CampaignState.SENT, at + timedelta(minutes=4)
