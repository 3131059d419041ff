"""The demo farm's letters: read by those who have asked for them."""

from sqlalchemy import func, select

from portal.accounts import consents
from portal.accounts.models import Account
from portal.messages import campaigns
from portal.messages.models import CampaignState
from portal.rules.consents import Topic
from portal.rules.letters import unknown_slots
from tests.demo.conftest import Demo


def test_half_of_the_people_have_asked_for_the_letter_two_were_sent_and_one_will_be(demo: Demo) -> None:
    people = demo.session.scalar(select(func.count()).select_from(Account)) or 0
    asked = len(demo.all(consents.agreeing(Topic.LETTER)))
    assert 0.4 < asked / people < 0.6
    planned, letter, visit = campaigns.all_campaigns(demo.session)
    assert [row.state for row, _ in (planned, letter, visit)] == [
        CampaignState.SCHEDULED,
        CampaignState.SENT,
        CampaignState.SENT,
    ]
    assert planned[0].send_at and planned[0].send_at > demo.now
    assert letter[1].total == asked and letter[1].failed == visit[1].failed == 1
    assert not any(unknown_slots(row.text) for row, _ in (planned, letter, visit))
    [refused] = campaigns.refused(demo.session, letter[0].id, 10)
    assert refused.error
