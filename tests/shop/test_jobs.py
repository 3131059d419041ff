"""What happens to orders by itself: accepted at the cutoff, delivered the day after, guests forgotten in time."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from portal.infra import outbox
from portal.infra.outbox import Mail, MailState
from portal.rules.orders import OrderState
from portal.shop.jobs import accept_unjudged, erase_guests, mark_delivered
from portal.shop.models import Order, Withdrawal
from tests.shop.making import article, delivery, order
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, YACINE

SECOND = timedelta(seconds=1)
MIDNIGHT = CUTOFF + timedelta(days=2)
"""Between the delivery's day and the next one, in Paris."""
PERSONAL = ("name", "email", "phone", "street", "postcode", "town")


def states(session):
    session.expire_all()
    return [found.state for found in session.scalars(select(Order).order_by(Order.id))]


def subjects(session):
    return [mail.subject.replace("\u00a0", " ") for mail in session.scalars(select(Mail).order_by(Mail.id))]


def test_what_nobody_has_judged_is_accepted_at_the_cutoff_and_mailed_once(session, clock):
    order(session, {article(session): 1}, state=OrderState.PLACED)
    session.commit()
    clock.move_to(CUTOFF - SECOND)
    accept_unjudged()
    assert states(session) == [OrderState.PLACED]
    session.rollback()
    clock.move_to(CUTOFF)
    accept_unjudged()
    accept_unjudged()
    assert states(session) == [OrderState.ACCEPTED]
    assert subjects(session) == ["Votre commande B10001 du mardi 16 juin est acceptée"]


def test_an_order_of_a_cancelled_delivery_waits_for_where_it_goes(session, clock):
    honey = article(session)
    order(session, {honey: 1}, state=OrderState.PLACED)
    order(session, {honey: 1})
    delivery(session).cancelled_at = NOW
    session.commit()
    clock.move_to(MIDNIGHT)
    accept_unjudged()
    mark_delivered()
    assert states(session) == [OrderState.PLACED, OrderState.ACCEPTED]


@pytest.mark.parametrize("state", [OrderState.ACCEPTED, OrderState.PREPARED])
def test_an_order_is_delivered_from_the_day_after_on_and_says_what_can_be_returned(session, clock, state):
    order(session, {article(session): 1, article(session, "Pain", perishable=True): 1}, state=state)
    session.commit()
    clock.move_to(MIDNIGHT - SECOND)
    mark_delivered()
    assert states(session) == [state]
    session.rollback()
    clock.move_to(MIDNIGHT)
    mark_delivered()
    mark_delivered()
    assert states(session) == [OrderState.DELIVERED]
    [mail] = session.scalars(select(Mail))
    said = mail.text.replace("\u00a0", " ").partition("renoncer, jusqu'au ")[2]
    assert said.startswith("mardi 30 juin")
    assert "- Miel" in said
    assert "Pain" not in said
    assert "facture du mois" in mail.text


def test_more_than_one_round_is_asked_for_at_once(session, clock):
    honey = article(session)
    for _ in range(21):
        order(session, {honey: 1}, state=OrderState.PLACED)
    session.commit()
    clock.move_to(CUTOFF)
    assert accept_unjudged() is True
    assert accept_unjudged() is False
    assert states(session) == [OrderState.ACCEPTED] * 21


@pytest.mark.parametrize(
    ("quantity", "last_day"), [(18, date(2029, 6, 16)), (19, date(2036, 6, 16))], ids=["117 €", "123.50 €"]
)
def test_a_guest_is_forgotten_when_the_laws_time_is_over(session, clock, quantity, last_day):
    placed = order(session, {article(session): quantity}, email=None, state=OrderState.DELIVERED)
    session.add(Withdrawal(order_id=placed.id, made_at=NOW, name="Emma Roux", email="emma@example.org"))
    of_account = order(session, {article(session, "Jus"): 1}, state=OrderState.DELIVERED)
    ids = placed.id, of_account.id
    session.commit()
    clock.move_to(NOW + (last_day - NOW.date()))
    erase_guests()
    assert session.get(Order, ids[0]).name == "Emma Roux"
    session.rollback()
    clock.shift(timedelta(days=1))
    erase_guests()
    session.expire_all()
    guest, other = (session.get(Order, number) for number in ids)
    assert {getattr(guest, field) for field in PERSONAL} == {""}
    assert guest.erased_at is not None
    assert guest.lines[0].quantity == quantity
    assert (other.name, other.erased_at) == ("Camille Aubert", None)
    [declared] = session.scalars(select(Withdrawal))
    assert (declared.name, declared.email) == ("", "")


def test_nobody_reads_any_more_whom_a_forgotten_guest_was_written_to(session, client, clock):
    placed = order(session, {article(session): 1}, email=None, state=OrderState.DELIVERED)
    order(session, {article(session, "Jus"): 1}, email=None, state=OrderState.DELIVERED).email = YACINE
    session.add(Withdrawal(order_id=placed.id, made_at=NOW, name="Emma Roux", email="autre@example.org"))
    for to in ("emma@example.org", "autre@example.org", CAMILLE, YACINE):
        outbox.post(
            session, to=to, subject="Bonjour", text="Bonjour Emma", html="<p>Bonjour Emma</p>", at=NOW
        )
    session.execute(update(Mail).values(state=MailState.FAILED))
    session.commit()
    clock.move_to(NOW + timedelta(days=366 * 3 + 30))
    erase_guests()
    session.expire_all()
    found = session.execute(select(Mail.recipient, Mail.text, Mail.state).order_by(Mail.id)).all()
    session.rollback()
    assert found[:2] == [("", None, MailState.FAILED)] * 2
    assert [recipient for recipient, *_ in found[2:]] == [CAMILLE, YACINE]
    client.sign_in(STAFF)
    for page in ("/ferme/courrier", "/ferme/courrier/1"):
        assert "une adresse effacée" in client.get(page).text
    client.submit("/ferme/courrier/envoi")
    assert session.scalars(select(Mail.state).order_by(Mail.id)).first() is MailState.FAILED


def test_whom_a_guest_was_written_to_is_known_as_long_as_a_later_order(session, clock):
    order(session, {article(session): 1}, email=None, state=OrderState.DELIVERED)
    later = order(session, {article(session, "Jus"): 20}, email=None, state=OrderState.DELIVERED)
    outbox.post(session, to=later.email, subject="Bonjour", text="Bonjour", html="<p>Bonjour</p>", at=NOW)
    session.execute(update(Mail).values(state=MailState.SENT))
    session.commit()
    clock.move_to(NOW + timedelta(days=366 * 3 + 30))
    erase_guests()
    session.expire_all()
    assert [found.email for found in session.scalars(select(Order).order_by(Order.id))] == ["", later.email]
    assert session.scalars(select(Mail.recipient)).all() == [later.email]
