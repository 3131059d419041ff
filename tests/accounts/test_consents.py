from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts import consents
from portal.accounts.models import Consent
from portal.rules.consents import ConsentSource, Topic
from tests import world
from tests.accounts.people import account_of


def test_each_change_of_mind_is_a_line_with_its_words_and_the_newest_holds(session: Session) -> None:
    camille, yacine = account_of(session, world.CAMILLE), account_of(session, world.YACINE)
    said = {"source": ConsentSource.ACCOUNT, "wording": "Je veux la lettre.", "at": world.NOW}
    assert consents.agreed(session, camille.id) == frozenset()
    assert not consents.take_back(session, camille, Topic.LETTER, **said), "nothing was agreed"
    assert consents.give(session, camille, Topic.LETTER, **said)
    assert not consents.give(session, camille, Topic.LETTER, **said), "it is agreed already"
    assert consents.give(session, camille, Topic.SHOP, **said)
    assert consents.give(session, yacine, Topic.LETTER, **said)
    assert consents.take_back(session, yacine, Topic.LETTER, **said)
    assert consents.agreed(session, camille.id) == {Topic.LETTER, Topic.SHOP}
    assert consents.agreed(session, yacine.id) == frozenset()
    assert session.scalars(consents.agreeing(Topic.LETTER)).all() == [camille.id]
    lines = session.scalars(select(Consent).where(Consent.account_id == yacine.id).order_by(Consent.id)).all()
    assert [(line.given, line.wording, line.at) for line in lines] == [
        (True, "Je veux la lettre.", world.NOW),
        (False, "Je veux la lettre.", world.NOW),
    ]
