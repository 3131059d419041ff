"""Orders and the boxes that they travel with: who skips, suspends, postpones or moves says what they become."""

from dataclasses import replace
from datetime import date, time, timedelta
from html import unescape

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.queries import with_changes
from portal.catalogue.models import DeliveryStock, NotOnTour
from portal.deliveries.models import Delivery
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.pickup.queries import points
from portal.planning import deliveries, previews, suspensions, terms
from portal.planning.case import Fate
from portal.planning.previews import term_view
from portal.planning.services import move, postpone, skip, vary
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal
from portal.rules.orders import Aboard, OrderState
from portal.rules.selling import StockKind
from portal.shop import rerouting
from portal.shop.jobs import follow_deliveries
from portal.shop.models import Order
from portal.shop.orders import bring
from portal.subscriptions.queries import of_account
from tests.client import Browser
from tests.pages import text_of
from tests.shop import making
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TODAY, TUESDAY

MONDAY = monday_of(TUESDAY)
BOX, EGGS = 1, 2
BOTH = [BOX, EGGS]


@pytest.fixture
def camille(session: Session) -> Account:
    return session.scalars(select(Account).where(Account.email == CAMILLE)).one()


@pytest.fixture
def order(session: Session) -> Order:
    return making.order(session, {making.article(session): 2})


def where(order: Order) -> tuple[date, str, bool]:
    return order.delivery.day, order.pickup_point.slug, order.with_box


def point(session: Session, slug: str) -> int:
    return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


def mails(session: Session) -> list[Mail]:
    return list(session.scalars(select(Mail).order_by(Mail.id)))


def said(part: str) -> str:
    """A part of a mail as it is read."""
    return " ".join(unescape(part).replace("\u202f", " ").replace("\u00a0", " ").replace("’", "'").split())


def told(session: Session, order: Order) -> str:
    """What the last step of the timeline tells."""
    session.refresh(order)
    return said(order.events[-1].reason or "")


def test_who_skips_the_last_box_is_asked_what_the_order_becomes(
    session: Session, camille: Account, order: Order
) -> None:
    assert skip(session, camille, [EGGS], MONDAY).changed, "the large box still comes"
    outcome = skip(session, camille, [BOX], MONDAY)
    assert outcome.refusal is Refusal.ORDER_ABOARD
    asked = outcome.orders.question
    assert (asked.numbers, [d.day for d in asked.deliveries], asked.next.day) == (
        (order.number,),
        [TUESDAY],
        TUESDAY + timedelta(weeks=1),
    )
    assert asked.can_cancel
    assert where(order) == (TUESDAY, "halle", True), "nothing is written where one is asked"


@pytest.mark.parametrize(
    ("wish", "fate", "state", "then"),
    [
        (Aboard.CANCEL, Fate.CANCELLED, OrderState.CANCELLED, (TUESDAY, "halle", True)),
        (Aboard.MOVE, Fate.MOVED, OrderState.ACCEPTED, (TUESDAY + WEEK, "halle", True)),
        (Aboard.ALONE, Fate.ALONE, OrderState.ACCEPTED, (TUESDAY, "halle", False)),
    ],
)
def test_both_are_done_in_the_same_act(
    session: Session,
    camille: Account,
    order: Order,
    wish: Aboard,
    fate: Fate,
    state: OrderState,
    then: tuple[date, str, bool],
) -> None:
    outcome = skip(session, camille, BOTH, MONDAY, orders=wish)
    assert len(outcome.changed) == 2
    assert [(one.numbers, one.fate) for one in outcome.orders.settled] == [((order.number,), fate)]
    session.flush()
    session.expire(order)
    assert order.state is state
    assert where(order) == then
    skipped = next(mail for mail in mails(session) if "sautés" in mail.subject)
    assert order.number in skipped.text and order.number in skipped.html


def test_an_order_left_alone_travels_with_the_box_again_when_that_comes_back(
    session: Session, camille: Account, order: Order
) -> None:
    skip(session, camille, BOTH, MONDAY, orders=Aboard.ALONE)
    assert skip(session, camille, [EGGS], MONDAY, wanted=False).changed
    assert where(order) == (TUESDAY, "halle", True)
    assert skip(session, camille, [EGGS], MONDAY).refusal is Refusal.ORDER_ABOARD


def test_an_order_follows_its_box_to_another_point_and_back(
    session: Session, camille: Account, order: Order
) -> None:
    outcome = move(session, camille, BOTH, MONDAY, point(session, "mairie"))
    assert [one.fate for one in outcome.orders.settled] == [Fate.FOLLOWED]
    assert where(order) == (date(2026, 6, 18), "mairie", True)
    assert move(session, camille, BOTH, MONDAY, None).changed
    assert where(order) == (TUESDAY, "halle", True)


def test_an_order_stays_where_another_box_still_comes(
    session: Session, camille: Account, order: Order
) -> None:
    assert move(session, camille, [BOX], MONDAY, point(session, "gare")).changed
    assert where(order) == (TUESDAY, "halle", True)


def test_what_the_other_tour_does_not_carry_is_asked_about(
    session: Session, camille: Account, order: Order
) -> None:
    mairie = session.scalars(select(PickupPoint).where(PickupPoint.slug == "mairie")).one()
    session.add(NotOnTour(article_id=order.lines[0].article_id, tour_id=mairie.tour_id))
    session.flush()
    outcome = move(session, camille, BOTH, MONDAY, mairie.id)
    assert outcome.refusal is Refusal.ORDER_ABOARD
    assert outcome.orders.question.missing == ("Miel",)
    assert move(session, camille, BOTH, MONDAY, mairie.id, orders=Aboard.ALONE).changed
    assert where(order) == (TUESDAY, "halle", False)


def test_what_is_being_made_is_neither_moved_nor_cancelled(
    session: Session, camille: Account, clock: time_machine.Traveller
) -> None:
    bread = making.article(session, "Pain", lead_days=4, lead_time=time(23, 59))
    order = making.order(session, {bread: 1})
    clock.move_to(CUTOFF - timedelta(hours=1))
    outcome = skip(session, camille, BOTH, MONDAY)
    asked = outcome.orders.question
    assert (asked.next, asked.can_cancel) == (None, False)
    for wish in (Aboard.MOVE, Aboard.CANCEL):
        assert skip(session, camille, BOTH, MONDAY, orders=wish).refusal is Refusal.ORDER_ABOARD
    assert skip(session, camille, BOTH, MONDAY, orders=Aboard.ALONE).changed
    assert where(order) == (TUESDAY, "halle", False)


def test_what_is_counted_by_delivery_is_taken_there_and_given_back_here(
    session: Session, camille: Account
) -> None:
    article = making.article(session, "Fraises", stock_kind=StockKind.BY_DELIVERY, per_delivery=3)
    order = making.order(session, {article: 2})
    here = order.delivery_id
    session.add(DeliveryStock(article_id=article.id, delivery_id=here, remaining=1))
    session.flush()
    skip(session, camille, BOTH, MONDAY, orders=Aboard.MOVE)
    left = {row.delivery_id: row.remaining for row in session.scalars(select(DeliveryStock))}
    assert left == {here: 3, order.delivery_id: 1}


def test_where_too_few_are_left_the_next_delivery_but_one_is_offered(
    session: Session, camille: Account
) -> None:
    article = making.article(session, "Fraises", stock_kind=StockKind.BY_DELIVERY, per_delivery=2)
    making.order(session, {article: 2})
    following = making.delivery(session, TUESDAY + WEEK)
    session.add(DeliveryStock(article_id=article.id, delivery_id=following.id, remaining=1))
    session.flush()
    asked = skip(session, camille, BOTH, MONDAY).orders.question
    assert asked.next.day == TUESDAY + 2 * WEEK


def test_a_suspension_takes_care_of_every_order_beneath_it(session: Session, camille: Account) -> None:
    honey = making.article(session)
    orders = [making.order(session, {honey: 1}, day=TUESDAY + n * WEEK) for n in range(2)]
    days = (TUESDAY, TUESDAY + 8 * timedelta(days=1))
    refused = suspensions.suspend(session, camille, BOTH, *days)
    assert refused.refusal is Refusal.ORDER_ABOARD and len(refused.orders.question.numbers) == 2
    assert suspensions.suspend(session, camille, BOTH, *days, orders=Aboard.MOVE).lines
    assert {order.delivery.day for order in orders} == {TUESDAY + 2 * WEEK}


def test_a_postponed_box_leaves_its_order_to_be_asked_about(
    session: Session, camille: Account, order: Order
) -> None:
    assert postpone(session, camille, BOTH, MONDAY, MONDAY + WEEK).refusal is Refusal.ORDER_ABOARD
    postpone(session, camille, BOTH, MONDAY, MONDAY + WEEK, orders=Aboard.MOVE)
    assert where(order) == (TUESDAY + WEEK, "halle", True)


def test_another_box_for_once_concerns_no_order(session: Session, camille: Account, order: Order) -> None:
    assert vary(session, camille, [BOX], MONDAY, formula_id=None, quantity=2).changed
    assert where(order) == (TUESDAY, "halle", True)


def test_a_change_of_terms_takes_its_orders_along(session: Session, camille: Account, order: Order) -> None:

    holdings = with_changes(session, of_account(session, camille.id), TODAY)
    main = next(holding for holding in holdings if holding.id == BOX)
    gare = next(p for p in points(session) if p.slug == "gare")
    wanted = replace(term_view(main, main.plan.terms[-1]), point=gare)
    shown = previews.preview(session, holdings, BOX, wanted, also=[EGGS], now=NOW)
    expected = {change.id: change.monday for change in shown.changes}
    done = terms.change(session, camille, BOX, wanted, also=[EGGS], expected=expected)
    assert done.answer is terms.Answer.DONE
    assert where(order) == (TUESDAY, "gare", True)


def test_staff_who_skip_for_somebody_leave_the_order_where_it_is(
    session: Session, camille: Account, order: Order
) -> None:
    staff = session.scalars(select(Account).where(Account.email == STAFF)).one()
    assert skip(session, camille, BOTH, MONDAY, by=staff).changed
    assert where(order) == (TUESDAY, "halle", False)


def test_past_the_cutoff_no_order_moves(
    session: Session, camille: Account, order: Order, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    assert skip(session, camille, BOTH, MONDAY, orders=Aboard.CANCEL).refusal is Refusal.PAST_CUTOFF
    assert order.state is OrderState.ACCEPTED


# The farm cancels or moves a delivery


def cancel(session: Session, day: date = TUESDAY, why: str = "Neige.") -> None:
    staff = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
    assert deliveries.cancel(session, making.delivery(session, day).id, why, by=staff).changed
    session.commit()


def test_when_the_farm_does_not_deliver_an_order_goes_to_the_next_box_and_a_mail_says_so(
    session: Session, order: Order
) -> None:
    cancel(session)
    for _ in range(2):
        assert not follow_deliveries()
    session.refresh(order)
    assert where(order) == (TUESDAY + WEEK, "halle", True)
    (mail,) = [mail for mail in mails(session) if order.number in mail.subject]
    assert "Neige." in mail.text and "mardi 23 juin" in mail.text.replace("\u00a0", " ")


def test_a_guests_order_goes_to_the_next_delivery_of_its_point(session: Session) -> None:
    order = making.order(session, {making.article(session): 1}, email=None)
    cancel(session)
    follow_deliveries()
    session.refresh(order)
    assert where(order) == (TUESDAY + WEEK, "halle", False)
    assert mails(session)[-1].recipient == "emma@example.org"


def test_an_order_never_goes_to_an_earlier_delivery(session: Session) -> None:
    order = making.order(session, {making.article(session): 1}, day=TUESDAY + 2 * WEEK)
    cancel(session, TUESDAY + 2 * WEEK)
    follow_deliveries()
    session.refresh(order)
    assert order.delivery.day == TUESDAY + 3 * WEEK


def test_bread_goes_to_a_delivery_for_which_it_can_still_be_baked(
    session: Session, clock: time_machine.Traveller
) -> None:
    bread = making.article(session, "Pain", lead_days=4, lead_time=time(23, 59))
    order = making.order(session, {bread: 1})
    cancel(session)
    clock.move_to(CUTOFF + timedelta(days=5))  # Saturday: bread for the next Tuesday is being made
    follow_deliveries()
    session.refresh(order)
    assert order.delivery.day == TUESDAY + 2 * WEEK


def test_what_the_tour_does_not_carry_any_more_falls(session: Session) -> None:
    article = making.article(session)
    order = making.order(session, {article: 1})
    session.add(NotOnTour(article_id=article.id, tour_id=order.pickup_point.tour_id))
    cancel(session)
    follow_deliveries()
    session.refresh(order)
    assert order.state is OrderState.CANCELLED


def test_no_order_is_taken_to_a_point_that_is_given_up(
    session: Session, clock: time_machine.Traveller
) -> None:
    order = making.order(session, {making.article(session): 1}, email=None)
    order.pickup_point.retired_at = CUTOFF
    cancel(session)
    follow_deliveries()
    session.refresh(order)
    assert order.state is OrderState.CANCELLED


def test_what_is_prepared_already_is_prepared_anew(session: Session) -> None:
    order = making.order(session, {making.article(session): 1}, state=OrderState.PREPARED)
    cancel(session)
    follow_deliveries()
    session.refresh(order)
    assert (order.state, order.delivery.day) == (OrderState.ACCEPTED, TUESDAY + WEEK)


def test_prepared_orders_without_a_delivery_fall_and_the_worker_rests(session: Session) -> None:
    honey = making.article(session)
    for _ in range(21):
        making.order(session, {honey: 1}, state=OrderState.PREPARED)
    for row in session.scalars(select(Delivery).where(Delivery.day > TUESDAY)):
        row.cancelled_at = CUTOFF
    cancel(session)
    assert [follow_deliveries() for _ in range(3)] == [True, False, False]
    assert set(session.scalars(select(Order.state))) == {OrderState.CANCELLED}


def test_one_order_that_cannot_be_told_holds_up_no_other(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    honey = making.article(session)
    orders = [making.order(session, {honey: 1}) for _ in range(2)]
    first = orders[0].id
    cancel(session)
    post = rerouting.post

    def tell(session: Session, order: Order, *args: object, **kwargs: object) -> None:
        if order.id == first:
            raise RuntimeError
        post(session, order, *args, **kwargs)

    monkeypatch.setattr(rerouting, "post", tell)
    follow_deliveries()
    for order in orders:
        session.refresh(order)
    assert [order.delivery.day for order in orders] == [TUESDAY, TUESDAY + WEEK]


def test_what_is_counted_by_delivery_is_found_again_when_the_delivery_is_reinstated(session: Session) -> None:
    loaf = making.article(session, "Pain", stock_kind=StockKind.BY_DELIVERY, per_delivery=3)
    order = making.order(session, {loaf: 2})
    here, there = order.delivery_id, making.delivery(session, TUESDAY + WEEK).id
    session.add(DeliveryStock(article_id=loaf.id, delivery_id=here, remaining=1))
    session.add(DeliveryStock(article_id=loaf.id, delivery_id=there, remaining=1))
    cancel(session)
    follow_deliveries()
    left = select(DeliveryStock.delivery_id, DeliveryStock.remaining)
    assert dict(session.execute(left).all()) == {here: 3, there: -1}, "one is missing there"
    session.refresh(order)
    bring(session, order, OrderState.CANCELLED, at=NOW, by=None)
    assert dict(session.execute(left).all()) == {here: 3, there: 1}


def test_when_the_farm_delivers_on_another_day_a_mail_says_so_once(session: Session, order: Order) -> None:
    staff = session.scalars(select(Account.id).where(Account.email == STAFF)).one()
    deliveries.move(session, order.delivery_id, TUESDAY + timedelta(days=1), reason="Férié.", by=staff)
    session.commit()
    for _ in range(2):
        follow_deliveries()
    (mail,) = [mail for mail in mails(session) if order.number in mail.subject]
    assert said(mail.subject) == "Votre commande B10001 arrivera le mercredi 17 juin au lieu du mardi 16 juin"
    assert "La livraison du mardi 16 juin est déplacée au mercredi 17 juin : Férié." in said(mail.text)
    assert told(session, order) == "Du mardi 16 juin au mercredi 17 juin"


def test_who_is_taken_along_hears_why_where_to_and_until_when_it_can_be_cancelled(
    session: Session, order: Order
) -> None:
    cancel(session, why="Route coupée par la neige.")
    follow_deliveries()
    (mail,) = mails(session)
    assert said(mail.subject) == "Votre commande B10001 arrivera le mardi 23 juin au lieu du mardi 16 juin"
    assert all(
        sentence in said(part)
        for part in (mail.text, mail.html)
        for sentence in (
            "La livraison du mardi 16 juin n'a pas lieu : Route coupée par la neige.",
            "Votre commande B10001 passe au mardi 23 juin.",
            "Halle de Serres, mardi 23 juin de 16 h 30 à 19 h",
            "Vous pouvez l'annuler jusqu'au dimanche 21 juin",
        )
    )
    assert told(session, order) == "Du mardi 16 juin au mardi 23 juin"


def test_who_cannot_be_taken_along_hears_of_what_the_reason_is_one(session: Session, order: Order) -> None:
    for row in session.scalars(select(Delivery).where(Delivery.day > TUESDAY)):
        row.cancelled_at = CUTOFF
    cancel(session, why="Route coupée par la neige.")
    follow_deliveries()
    (mail,) = mails(session)
    for part in (mail.text, mail.html):
        assert "La livraison du mardi 16 juin n'a pas lieu : Route coupée par la neige." in said(part)
        assert "Aucune des suivantes ne peut apporter votre commande B10001" in said(part)


def test_the_timeline_tells_the_point_that_an_order_goes_to(
    session: Session, camille: Account, order: Order
) -> None:
    assert move(session, camille, BOTH, MONDAY, point(session, "gare")).changed
    assert told(session, order) == "Gare de Veynes au lieu de Halle de Serres"


def test_where_no_delivery_is_known_any_more_an_order_falls(session: Session, order: Order) -> None:
    for row in session.scalars(select(Delivery).where(Delivery.day > TUESDAY)):
        row.cancelled_at = CUTOFF
    cancel(session)
    follow_deliveries()
    session.refresh(order)
    assert order.state is OrderState.CANCELLED


# By the web


def test_the_page_asks_and_one_press_does_both(client: Browser, session: Session, order: Order) -> None:
    session.commit()
    client.sign_in(CAMILLE)
    client.get("/planning")
    asked = {"abonnement": ["1", "2"], "vue": "planning"}
    answer = client.submit(f"/planning/{MONDAY}/saut", asked)
    assert answer.status_code == 422
    said = text_of(answer)
    assert "Et votre commande ?" in said and "La recevoir le mardi 23 juin" in said
    assert client.submit(f"/planning/{MONDAY}/saut", asked | {"commande": "move"}).status_code < 400
    session.expire_all()
    assert where(session.scalars(select(Order)).one()) == (TUESDAY + WEEK, "halle", True)


def test_the_weeks_that_orders_go_to_are_shown_anew(client: Browser, session: Session, order: Order) -> None:
    session.commit()
    client.sign_in(CAMILLE)
    client.get("/planning")
    client.htmx = True
    asked = {"abonnement": ["1", "2"], "vue": "planning", "commande": "move"}
    answer = client.submit(f"/planning/{MONDAY}/saut", asked).text
    _, _, later = answer.partition(f'id="semaine-{MONDAY + WEEK}" data-hx-swap-oob="true"')
    assert order.number in later


def test_the_question_on_a_page_of_its_own_answers_with_a_page(
    client: Browser, session: Session, order: Order
) -> None:
    session.commit()
    client.sign_in(CAMILLE)
    client.get("/planning")
    form = {"abonnement": ["1", "2"], "du": f"{TUESDAY}", "au": f"{TUESDAY}"}
    page = client.submit("/planning/suspension", form)
    assert page.status_code == 422 and "data-hx-post" not in page.text
    assert "Suspension du mardi 16 juin au mardi 16 juin" in text_of(page)
    done = client.submit("/planning/suspension", form | {"commande": "alone"}, follow_redirects=True)
    assert f"Votre commande {order.number} vous attend quand même le mardi 16 juin" in text_of(done)
    assert f"{order.number} (1 produit) à retirer quand même" in text_of(done)


def test_the_preview_of_a_suspension_names_the_orders(
    client: Browser, session: Session, order: Order
) -> None:
    session.commit()
    client.sign_in(CAMILLE)
    days = {"du": f"{TUESDAY}", "au": f"{TUESDAY}", "abonnement": ["1", "2"]}
    page = client.get("/planning/suspension", query_string=days)
    assert f"Votre commande {order.number} voyage avec ces paniers" in text_of(page)


def test_several_orders_that_fare_alike_are_told_of_together(session: Session, camille: Account) -> None:
    honey = making.article(session)
    numbers = tuple(making.order(session, {honey: 1}).number for _ in range(3))
    outcome = skip(session, camille, BOTH, MONDAY, orders=Aboard.MOVE)
    assert [one.numbers for one in outcome.orders.settled] == [numbers]


def test_an_answer_that_we_never_offered_asks_again(client: Browser, session: Session, order: Order) -> None:
    session.commit()
    client.sign_in(CAMILLE)
    client.get("/planning")
    asked = {"abonnement": ["1", "2"], "vue": "planning", "commande": "vanish"}
    assert client.submit(f"/planning/{MONDAY}/saut", asked).status_code == 422


def test_somebody_elses_order_is_left_alone(session: Session, camille: Account) -> None:
    other = making.order(session, {making.article(session): 1}, email="yacine@example.org")
    assert skip(session, camille, BOTH, MONDAY, orders=Aboard.CANCEL).changed
    assert other.state is OrderState.ACCEPTED
