"""What happens to orders by itself: accepted at the cutoff, delivered the day after, guests forgotten in time."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.infra.outbox import Mail
from portal.rules.orders import OrderState
from portal.shop.jobs import accept_unjudged, erase_guests, mark_delivered
from portal.shop.models import Order, Withdrawal
from tests.shop.making import article, delivery, order
from tests.world import CUTOFF, NOW

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
