"""Withdrawn before the delivery, goods stay at the farm; later staff are told that something is to be settled."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.infra.outbox import Mail
from portal.rules.money import Money
from portal.rules.orders import OrderState, Refusal
from portal.rules.selling import SaleUnit, StockKind
from portal.shop import amending, preparing, queries, sheets
from portal.shop.models import Withdrawal
from portal.shop.withdrawals import declare
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY

FARM = "ferme@example.org"


def counted(session, left, name="Miel", **changes):
    return article(session, name, stock_kind=StockKind.COUNTED, stock=left, **changes)


def withdraw(session, placed, *lines, email=CAMILLE):
    ids = [placed.lines[place].id for place in lines]
    done = declare(session, placed.id, placed.account_id, ids, name="Camille Aubert", email=email)
    session.flush()
    assert done.refusal is None
    return done.order


def mails(session):
    found = session.execute(select(Mail.recipient, Mail.text).order_by(Mail.id))
    return [(to, " ".join(text.replace("\u202f", " ").replace("\u00a0", " ").split())) for to, text in found]


def packed(session, placed):
    return {p.name for bag in sheets.bags(session, placed.delivery_id) for p in bag.portions}


def test_what_is_withdrawn_before_the_cutoff_is_not_packed_nor_paid_and_can_be_had_again(session):
    honey, juice = counted(session, 0), counted(session, 0, "Jus", cents=400)
    placed = order(session, {honey: 2, juice: 1})
    after = withdraw(session, placed, 0)
    session.refresh(honey), session.refresh(juice)
    assert (honey.stock, juice.stock) == (2, 0)
    assert packed(session, placed) == {"Jus"}
    assert (after.state, after.total) == (OrderState.ACCEPTED, Money(400))
    assert sheets.open_withdrawals(session) == []
    (to, receipt), (farm, word) = mails(session)
    assert (to, farm) == (CAMILLE, FARM)
    assert "2 × Miel : 13,00 €" in receipt
    assert "ne seront pas livrés et vous ne les paierez pas" in receipt
    assert "Rendez" not in receipt
    assert "ne sont plus à préparer" in word
    assert f"http://localhost/ferme/commandes/{placed.id}" in word


def test_stock_comes_back_once_however_the_order_ends(session):
    honey = counted(session, 0)
    placed = order(session, {honey: 2, article(session, "Jus"): 1})
    withdraw(session, placed, 0)
    assert amending.cancel(session, placed.id, placed.account_id).done
    session.refresh(honey)
    assert honey.stock == 2


def test_past_the_cutoff_it_stays_at_the_farm_and_is_for_staff_to_count(session, clock):
    honey = counted(session, 0)
    placed = order(session, {honey: 2, article(session, "Jus"): 1}, state=OrderState.PREPARED)
    clock.move_to(CUTOFF)
    after = withdraw(session, placed, 0)
    session.refresh(honey)
    assert (honey.stock, packed(session, placed)) == (0, {"Jus"})
    assert after.state is OrderState.ACCEPTED, "the bag is packed again"


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.ACCEPTED, OrderState.PREPARED])
def test_an_order_of_nothing_is_cancelled_and_its_receipt_says_so(session, state):
    honey = counted(session, 0)
    placed = order(session, {honey: 2}, state=state)
    assert withdraw(session, placed, 0).state is OrderState.CANCELLED
    session.refresh(honey)
    assert honey.stock == 2
    (_, receipt), (_, word) = mails(session)
    assert "elle est annulée, vous n'avez rien à payer" in receipt
    assert "la commande est annulée" in word


@pytest.mark.parametrize("state", [OrderState.PREPARED, OrderState.DELIVERED])
def test_from_its_day_on_staff_settle_it_and_the_order_stays_as_it_was(session, clock, state):
    placed = order(session, {article(session): 2}, state=state)
    clock.move_to(CUTOFF + timedelta(days=1))
    after = withdraw(session, placed, 0)
    assert (after.state, after.total) == (state, Money(1300))
    [waiting] = sheets.open_withdrawals(session)
    assert (waiting.order_id, waiting.name) == (placed.id, "Camille Aubert")
    (_, receipt), (_, word) = mails(session)
    assert "Rapportez les produits dans les quatorze jours" in receipt
    assert "marquez la rétractation comme réglée" in word


def test_the_receipt_goes_to_the_address_of_the_order_too(session):
    placed = order(session, {article(session): 2})
    withdraw(session, placed, 0, email="autre@example.org")
    assert [to for to, _ in mails(session)] == [CAMILLE, "autre@example.org", FARM]


def test_what_is_withdrawn_from_is_not_weighed_nor_short_any_more(session, clock):
    nuts = article(session, "Noix", 900, sale_unit=SaleUnit.WEIGHT, step=250)
    placed = order(session, {nuts: 500, article(session): 1})
    withdraw(session, placed, 0)
    line = placed.lines[0].id
    clock.move_to(CUTOFF)
    assert preparing.weigh(session, placed.delivery_id, {line: 480}, by=3) is Refusal.NOT_IN_THIS_STATE
    short = preparing.Shortage(nuts.id, {line: 250}, None, "Il en manque.")
    refused = preparing.settle_shortage(session, placed.delivery_id, short, by=3)
    assert refused.refusal is Refusal.NOT_IN_THIS_STATE
    assert not queries.find(session, placed.id).estimated


def test_what_is_left_beside_a_withdrawal_can_go_only_by_cancelling(session):
    placed = order(session, {article(session): 1, article(session, "Jus"): 1})
    withdraw(session, placed, 0)
    [_, juice] = placed.lines
    view = queries.find(session, placed.id)
    assert amending.preview(session, view, {juice.id: 0}, NOW).refusal is Refusal.NOTHING_LEFT


def test_staff_read_what_is_to_be_settled_on_their_first_page_and_among_the_orders(
    app, client, session, clock
):
    placed = order(session, {article(session): 2}, state=OrderState.DELIVERED)
    session.commit()
    client.sign_in(STAFF)
    assert "rétractation à régler" not in client.get("/ferme").text
    withdraw(session, placed, 0)
    session.commit()
    assert 'href="/ferme/commandes#retractations"' in client.get("/ferme").text
    listed = client.get("/ferme/commandes").text
    assert "Une rétractation à régler" in listed
    assert f'href="/ferme/commandes/{placed.id}">Camille Aubert</a>' in listed
    session.scalars(select(Withdrawal)).one().settled_at = NOW
    session.commit()
    assert "rétractation à régler" not in client.get("/ferme").text + client.get("/ferme/commandes").text


def test_who_gives_something_back_is_owed_what_was_really_paid(session, client):
    honey, juice = article(session), article(session, "Jus", cents=350)
    placed = order(
        session,
        {honey: 1, juice: 1},
        state=OrderState.DELIVERED,
        day=TUESDAY - timedelta(weeks=1),
        discount=Money(100),
    )
    after = withdraw(session, placed, 0)
    owed = "À rembourser ou à ne pas facturer : 5,85 €"
    assert after.paid_for(after.lines) == Money(900), "all shares are the whole voucher"
    assert [owed in text for _to, text in mails(session)] == [True, True]
    session.commit()
    for email, page in ((CAMILLE, "/commandes/1"), (STAFF, "/ferme/commandes/1")):
        client.sign_in(email)
        assert owed in text_of(client.get(page))
    client.sign_in(CAMILLE)
    page = text_of(client.get("/commandes/1"))
    assert "Rapportez jusqu'au mercredi 24 juin 2026 : Miel." in page
    assert "Au point de retrait (Halle de Serres)" in page and "12 chemin des Canaux" in page
    session.get_one(Withdrawal, 1).settled_at = NOW
    session.commit()
    assert "Rapportez" not in text_of(client.get("/commandes/1"))
