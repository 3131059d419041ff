"""Short words for tests of campaigns."""

from typing import Any

from sqlalchemy.orm import Session

from portal.messages import campaigns
from portal.messages.audience import Audience
from portal.messages.models import Campaign
from portal.rules.consents import Topic
from tests.composing import SOMEBODY
from tests.world import NOW

EVERYBODY = Audience()


def draft(session: Session, audience: Audience = EVERYBODY, **values: Any) -> Campaign:
    said = {"subject": "Bonjour {{prenom}}", "text": "Au {{point}} : {{formule}}."}
    kept = {"topic": audience.topic, "audience": audience.filter, "letter": audience.topic is Topic.LETTER}
    return campaigns.make(session, {**said, **kept, **values}, at=NOW, by=SOMEBODY)


def send(session: Session, campaign: Campaign) -> None:
    assert campaigns.send(session, campaign.id, send_at=NOW, at=NOW, by=SOMEBODY) is None
