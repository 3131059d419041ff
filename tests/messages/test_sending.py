"""Campaigns as the worker sends them: to whom, once, with each one's own words and box."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts import consents
from portal.accounts.models import Account
from portal.billing.customers import customer_of
from portal.billing.payments import pay
from portal.boxes.queries import member_boxes, with_changes
from portal.compositions.models import CompositionState
from portal.infra import outbox
from portal.infra.outbox import Mail
from portal.messages import campaigns
from portal.messages.audience import Audience, Balance, readers
from portal.messages.models import CampaignMail, CampaignState
from portal.messages.sending import WAITING_AT_MOST, send_campaigns
from portal.rules.consents import ConsentSource, Topic
from portal.subscriptions.models import Subscription
from portal.subscriptions.queries import of_anybody
from tests import crowd, world
from tests.accounts.people import account_of
from tests.billing.writing import paid, written
from tests.composing import SOMEBODY, delivery_on, formula, put, show
from tests.messages import campaigning
from tests.world import NOW, TODAY, TUESDAY


def ask(session: Session, topic: Topic, *accounts: Account) -> None:
    for account in accounts:
        consents.give(session, account, topic, source=ConsentSource.ACCOUNT, wording="Oui.", at=NOW)


def step(session: Session) -> bool:
    """What the worker does next, beside what is committed."""
    session.commit()
    return send_campaigns()


def posted(session: Session) -> list[Mail]:
    return list(session.scalars(select(Mail).order_by(Mail.recipient)))


def test_an_audience_by_delivery_is_whoever_the_projection_brings_a_box(session: Session) -> None:
    crowd.add(session, 60)
    session.flush()
    delivery, large = delivery_on(session, TUESDAY), formula(session, "grand")
    owner = dict(session.execute(select(Subscription.id, Subscription.account_id)).all())
    holdings = with_changes(session, of_anybody(session, owner), TODAY)
    boxes = [box for box in member_boxes(session, holdings, [delivery]) if not box.skipped]
    assert 0 < len(boxes) < len(holdings)
    for points, formulas in (((), ()), ((1,), ()), ((2,), (large,)), ((), (large,))):
        audience = Audience(points=points, formulas=formulas, delivery=delivery.id)
        assert set(session.scalars(readers(audience, TODAY))) == {
            owner[box.subscription_id]
            for box in boxes
            if (not points or box.point.id in points) and (not formulas or box.formula.id in formulas)
        }


def test_with_a_topic_only_who_has_asked_reads_it_and_without_whoever_has_boxes(session: Session) -> None:
    camille, yacine = account_of(session, world.CAMILLE), account_of(session, world.YACINE)
    staff = account_of(session, world.STAFF)
    ask(session, Topic.LETTER, camille, staff)
    shared = account_of(session, world.ADMIN)
    shared.payer_id = camille.id

    def read(*filters: Any, **more: Any) -> set[int]:
        return set(session.scalars(readers(Audience(*filters, **more), TODAY)))

    assert read(Topic.LETTER) == {camille.id, staff.id}, "also who has no box"
    assert read(Topic.LETTER, points=(1,)) == {camille.id}
    assert read(Topic.SHOP) == set()
    assert read() == {camille.id, yacine.id, shared.id}, "who shares the boxes reads of them"
    assert read(points=(1,)) == {camille.id, shared.id}
    written(session, 3860)
    assert read(Topic.LETTER, balance=Balance.OWING) == {camille.id}
    assert read(Topic.LETTER, balance=Balance.EVEN) == {staff.id}, "also who has no box"
    assert read(balance=Balance.OWING) == {camille.id, shared.id}, "who shares them is no better off"
    assert read(balance=Balance.EVEN) == {yacine.id}
    camille.active = False
    assert read(points=(1,)) == {shared.id}


def test_each_gets_their_own_words_once_and_who_unsubscribed_meanwhile_gets_nothing(
    session: Session,
) -> None:
    camille, yacine = account_of(session, world.CAMILLE), account_of(session, world.YACINE)
    camille.first_name = "{{nom}} {{7*7}}<b>"
    ask(session, Topic.EVENTS, camille, yacine, account_of(session, world.STAFF))
    campaign = campaigning.draft(
        session, Audience(Topic.EVENTS), text="{{ prenom }} : {{formule}}. {{nom}} {% if %}"
    )
    campaigning.send(session, campaign)
    assert step(session), "it begins"
    consents.take_back(session, yacine, Topic.EVENTS, source=ConsentSource.MAIL, wording="Oui.", at=NOW)
    session.commit()
    while step(session):
        pass
    session.expire_all()
    first, second = posted(session)
    assert [first.recipient, second.recipient] == [world.CAMILLE, world.STAFF]
    assert first.subject == "Bonjour {{nom}} {{7*7}}<b>", "a value is not looked at again"
    assert first.text and first.html and second.text
    assert "{{nom}} {{7*7}}<b> : Grand panier et Œufs. Aubert {% if %}" in first.text
    assert "{{nom}} {{7*7}}&lt;b&gt;" in first.html and "<b>" not in first.html
    assert "votre panier" in second.text
    assert first.unsubscribe and first.unsubscribe in first.text and first.unsubscribe in first.html
    assert campaign.state is CampaignState.SENT
    assert campaigns.tally(session, campaign.id) == campaigns.Tally(waiting=2)
    assert campaigns.send(session, campaign.id, send_at=NOW, at=NOW, by=SOMEBODY) is not None
    assert not step(session)


def test_the_weeks_letter_draws_each_ones_next_box_in_as_many_statements_for_fifty_as_for_one(
    session: Session, count_queries: Callable[[], Any]
) -> None:
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "grand", "carottes", 500)
    show(session, tuesday, CompositionState.FORECAST)
    camille = account_of(session, world.CAMILLE)
    ask(session, Topic.LETTER, camille)
    letter = {"text": "Bonjour {{prenom}}, à {{prochaine_livraison}} !"}
    written(session, 3860, due=TUESDAY)
    campaigning.send(session, campaigning.draft(session, Audience(Topic.LETTER), **letter))
    step(session)
    with count_queries() as alone:
        step(session)
    [mail] = posted(session)
    assert mail.text and mail.html
    for said in (
        "Bonjour Camille, à mardi 16 juin !",
        "Carottes, 500 g",
        "Halle de Serres",
        "Les courgettes",
        "Vous devez 38,60 €, à payer d'ici le 16 juin.",
    ):
        assert said in mail.text.replace("\u00a0", " ").replace("\u202f", " ")
    assert "Carottes" in mail.html and "500\u00a0g" in mail.html
    step(session)
    crowd.add(session, 120)
    session.flush()
    everybody = session.scalars(
        select(Account).where(Account.email.like("personne%")).order_by(Account.id)
    ).all()
    ask(session, Topic.LETTER, *everybody)
    for each in everybody[:20]:
        pay(session, paid(500, customer_of(session, each.id)), at=NOW, by=None)
    campaign = campaigning.draft(session, Audience(Topic.LETTER), **letter)
    campaigning.send(session, campaign)
    step(session)
    with count_queries() as many:
        step(session)
    others = [sent for sent in many if not sent.startswith("INSERT INTO mail ")]
    assert len(others) <= len(alone) + 1, "a postponed box is on another delivery"
    assert any("Vous avez 5,00" in (sent.text or "") for sent in posted(session))
    while step(session):
        pass
    waiting = campaigns.tally(session, campaign.id).waiting
    assert WAITING_AT_MOST <= waiting + 1 < WAITING_AT_MOST + 50, "no more than the outbox sends soon"
    campaigns.stop(session, campaign.id, at=NOW, by=SOMEBODY)
    session.commit()
    assert not step(session) and outbox.count_due(session, NOW) == 1, "stopping stops what waits"
    assert session.scalar(select(func.count()).select_from(CampaignMail)) == 122
