"""What a campaign says to each of its readers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing.balances import owed
from portal.infra import mail
from portal.messages.models import Campaign
from portal.messages.next_boxes import NextBoxes, next_boxes
from portal.messages.unsubscribing import unsubscribe_link
from portal.profile.queries import get_farm, latest_news
from portal.rules.cutoffs import local_day
from portal.rules.letters import Slot, fill
from portal.web.filters import day
from portal.web.i18n import gettext as _
from portal.web.topics import TOPICS

NEWS = 2


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of a campaign; `unsubscribe` takes its topic back, if it has one."""

    reader: Account
    rendered: mail.Rendered
    unsubscribe: str | None


def write(
    session: Session,
    campaign: Campaign,
    readers: Collection[Account],
    now: datetime,
    *,
    instead: Account | None = None,
) -> list[Letter]:
    """For each reader, in as many statements as for one. A trial goes to somebody `instead`: its link is theirs."""
    farm = get_farm(session)
    news = latest_news(session, now, NEWS) if campaign.letter else []
    boxes = next_boxes(session, {_owner(reader) for reader in readers}, now)
    books = owed(session, {reader.id for reader in readers}) if campaign.letter else {}
    topic = campaign.topic
    letters = []
    for reader in readers:
        coming = boxes.get(_owner(reader))
        values = _values(reader, coming)
        unsubscribe = unsubscribe_link((instead or reader).id, topic) if topic else None
        rendered = mail.render(
            "campaign",
            farm=farm,
            subject=fill(campaign.subject, values),
            text=fill(campaign.text, values),
            letter=campaign.letter,
            coming=coming,
            news=news,
            owed=books.get(reader.id),
            topic=TOPICS[topic].name if topic else None,
            unsubscribe=unsubscribe,
            open=coming is not None and coming.delivery.for_rules.is_open(now),
            today=local_day(now),
        )
        letters.append(Letter(reader, rendered, unsubscribe))
    return letters


def _owner(reader: Account) -> int:
    """Whose boxes they collect."""
    return reader.payer_id or reader.id


def _values(reader: Account, coming: NextBoxes | None) -> dict[Slot, str]:
    """Words that fit a sentence, also for whoever has nothing to come."""
    return {
        Slot.FIRST_NAME: reader.first_name,
        Slot.LAST_NAME: reader.last_name,
        Slot.FORMULA: coming.formulas if coming else _("votre panier"),
        Slot.POINT: coming.point.name if coming else _("votre point de retrait"),
        Slot.NEXT_DELIVERY: day(coming.delivery.day) if coming else _("votre prochaine livraison"),
    }
