"""The waiting list of a point: asking, inviting with a place that is kept, the end of that (BAR K3, K10)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning import waiting
from portal.planning.joining import Joining
from portal.planning.models import Waiting
from portal.planning.subscribing import subscribe
from portal.planning.terms import Answer
from portal.rules.changes import Refusal
from portal.rules.waiting import KEPT
from tests.client import Browser
from tests.joining import POINT, choose, join, publish_conditions
from tests.pages import text_of
from tests.planning.test_joining import seen, wish
from tests.world import CAMILLE, NOW, STAFF, YACINE

GARE = 2
LIST = f"/ferme/points-de-retrait/{GARE}/attente"


@pytest.fixture(autouse=True)
def one_place_left(session: Session) -> PickupPoint:
    """The Gare has one place, and nobody has it."""
    publish_conditions(session)
    gare = session.get_one(PickupPoint, GARE)
    gare.capacity = gare.free_places = 1
    session.commit()
    return gare


@pytest.fixture
def people(session: Session) -> Callable[[str], Account]:
    return lambda email: session.scalars(select(Account).where(Account.email == email)).one()


def wait(session: Session, account: Account, at: datetime = NOW, **wanted: Any) -> None:
    waiting.ask(session, account, GARE, **{"formula_id": 1, "quantity": 1, **wanted}, at=at, by=account.id)


def arrive(session: Session, account: Account) -> Any:
    wanted = wish(session, point="gare")
    return subscribe(session, account, wanted, seen(session, wanted))


def mails(session: Session) -> list[str]:
    return [
        subject.replace("\u00a0", " ") for subject in session.scalars(select(Mail.subject).order_by(Mail.id))
    ]


def test_first_come_first_and_asking_again_keeps_the_place(
    session: Session, people: Callable[[str], Account]
) -> None:
    camille, yacine = people(CAMILLE), people(YACINE)
    wait(session, yacine)
    wait(session, camille, at=NOW + timedelta(minutes=1))
    wait(session, yacine, at=NOW + timedelta(minutes=2), quantity=2)
    assert [(w.name, w.place, w.quantity) for w in waiting.of_point(session, GARE)] == [
        ("Yacine Benali", 1, 2),
        ("Camille Aubert", 2, 1),
    ]
    assert waiting.invite(session, yacine.id, GARE, by=camille.id)
    [mine] = waiting.of_account(session, camille.id)
    assert mine.place == 1, "who is invited waits no longer"
    wait(session, yacine, quantity=9)
    assert session.get_one(Waiting, (yacine.id, GARE)).quantity == 2, "the place that is kept stays as it is"


def test_a_kept_place_is_theirs_and_nobody_elses(session: Session, people: Callable[[str], Account]) -> None:
    camille, yacine, sophie = people(CAMILLE), people(YACINE), people(STAFF)
    wait(session, yacine)
    outcome = waiting.invite(session, yacine.id, GARE, by=sophie.id)
    assert outcome == waiting.Invited(Answer.DONE)
    assert waiting.invite(session, yacine.id, GARE, by=sophie.id) == waiting.Invited(Answer.ALREADY)
    assert mails(session) == ["Une place pour vous, Gare de Veynes, gardée jusqu'au lundi 15 juin, 23 h 59"]
    assert arrive(session, camille) is Refusal.FULL
    assert isinstance(arrive(session, yacine), Joining)
    assert session.scalar(select(func.count()).select_from(Waiting)) == 0, "who has come waits no longer"
    lines = session.execute(select(AuditEvent.action, AuditEvent.account_id).order_by(AuditEvent.id)).all()
    assert [tuple(line) for line in lines] == [
        ("waiting.ask", yacine.id),
        ("waiting.invite", sophie.id),
        ("subscription.new", yacine.id),
    ]


def test_staff_may_invite_beyond_the_places_and_the_place_is_kept_all_the_same(
    session: Session, people: Callable[[str], Account], one_place_left: PickupPoint
) -> None:
    camille, yacine = people(CAMILLE), people(YACINE)
    assert isinstance(arrive(session, camille), Joining)
    wait(session, yacine)
    invited = waiting.invite(session, yacine.id, GARE, by=camille.id)
    assert invited and invited.full
    assert isinstance(arrive(session, yacine), Joining)
    assert arrive(session, people(STAFF)) is Refusal.FULL


def test_an_invitation_ends_by_itself(
    session: Session,
    people: Callable[[str], Account],
    clock: time_machine.Traveller,
    one_place_left: PickupPoint,
) -> None:
    yacine = people(YACINE)
    wait(session, yacine)
    waiting.invite(session, yacine.id, GARE, by=yacine.id)
    session.commit()
    until = session.get_one(Waiting, (yacine.id, GARE)).kept_until
    assert until and until > NOW + KEPT
    for moment, left, free in ((until - timedelta(milliseconds=1), 1, 0), (until, 0, 1)):
        clock.move_to(moment)
        session.commit()
        waiting.end_invitations()
        assert session.scalar(select(func.count()).select_from(Waiting)) == left
        session.refresh(one_place_left)
        assert one_place_left.free_places == free
        session.commit()
        waiting.count_places()
        session.refresh(one_place_left)
        assert one_place_left.free_places == free, "counted as the act has noted"
    assert mails(session)[1:] == ["Votre place n'est plus gardée : Gare de Veynes"]


def test_from_the_full_point_to_the_place(
    client: Browser, session: Session, one_place_left: PickupPoint
) -> None:
    """What the person and the staff see of it."""
    one_place_left.capacity = one_place_left.free_places = 0
    session.commit()
    client.sign_in(YACINE)
    choose(client, point=GARE)
    assert "/liste-d-attente/gare" in client.get(POINT).text
    assert client.submit("/liste-d-attente/gare", {"formule": 3, "quantite": 1}).status_code == 422, (
        "no place for eggs"
    )
    assert client.submit("/liste-d-attente/gare", {"formule": 1, "quantite": 1}).location == "/abonnements"
    assert "Vous êtes en tête de la liste." in text_of(client.get("/abonnements"))
    client.sign_in(STAFF)
    page = text_of(client.get(LIST))
    assert "Yacine Benali" in page and "Dépasserait les places de 1" in page, "said before"
    yacine = session.scalars(select(Account.id).where(Account.email == YACINE)).one()
    session.rollback()
    assert client.submit(f"{LIST}/{yacine}").location == LIST
    page = text_of(client.get(LIST))
    assert "Gardée jusqu'au lundi 15 juin, 23 h 59" in page and "dépasse maintenant ses places" in page
    assert client.submit(f"{LIST}/99").location == LIST
    assert "Cette personne n'attend plus." in text_of(client.get(LIST))
    client.sign_in(YACINE)
    assert "Une place vous est gardée jusqu'au lundi 15 juin, 23 h 59" in text_of(client.get("/abonnements"))
    assert join(client, point=GARE).location == "/abonnements"
    assert "En attente d'une place" not in text_of(client.get("/abonnements"))
    client.submit("/liste-d-attente/cafe", {"formule": 1, "quantite": 1})
    for said in ("vous n'êtes plus sur la liste", "vous n'êtes pas sur la liste"):
        client.submit("/liste-d-attente/cafe/depart")
        assert said in text_of(client.get("/abonnements"))
