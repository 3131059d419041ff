"""/ferme: the next deliveries, and what is to do for each."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import Role
from portal.billing import returns
from portal.billing.models import FileState, InvoiceFile, InvoiceRun, RunState
from portal.catalogue.models import DeliveryStock, FormulaPrice
from portal.compositions.models import CompositionState
from portal.deliveries.models import Delivery, Step
from portal.deliveries.queries import DeliveryState
from portal.farm.week import Todo, todos
from portal.infra import outbox
from portal.infra.jobs import WorkerHeartbeat
from portal.pickup.models import PickupPoint
from portal.rules.cutoffs import local_day
from portal.rules.orders import OrderState
from portal.rules.sepa import ReturnCode
from portal.shop.models import OrderCorrection
from tests import crowd
from tests.accounts.people import account_of
from tests.billing.banking import received
from tests.billing.books import JUNE
from tests.billing.debiting import IN_TIME, announced, bank, filed, office, presented
from tests.billing.signing import signed
from tests.billing.writing import customer, written
from tests.composing import delivery_on, put, show
from tests.pages import text_of
from tests.shop.making import article, order
from tests.stall import stock_the_shop
from tests.world import NOW, STAFF, TUESDAY, YACINE

LARGE, SMALL = 1, 2
DRAFT, FORECAST, CONFIRMED = CompositionState


SHED = (Todo.PRINT, Todo.HARVEST, Todo.PACK)
HARVESTED, PACKED, DELIVERED = Step


def wanted(state, *, closes_today=False, expected=(LARGE,), done=(), **written):
    by_formula = {{"large": LARGE, "small": SMALL}[name]: state for name, state in written.items()}
    return todos(state, closes_today=closes_today, expected=expected, written=by_formula, done=done)


def test_boxes_that_somebody_expects_are_to_be_composed():
    assert wanted(DeliveryState.OPEN) == (Todo.COMPOSE,)
    assert wanted(DeliveryState.OPEN, expected=(LARGE, SMALL), large=FORECAST) == (Todo.COMPOSE,)
    assert wanted(DeliveryState.OPEN, expected=(LARGE,), large=FORECAST) == ()
    assert wanted(DeliveryState.OPEN, expected=()) == ()


def test_a_draft_is_to_be_shown():
    assert wanted(DeliveryState.OPEN, large=DRAFT) == (Todo.SHOW,)
    assert wanted(DeliveryState.OPEN, large=FORECAST, small=DRAFT) == (Todo.SHOW,)


def test_once_closed_the_forecast_is_to_be_confirmed_and_the_shed_begins():
    assert wanted(DeliveryState.CLOSED, large=FORECAST) == (Todo.CONFIRM, *SHED)
    assert wanted(DeliveryState.CLOSED, large=CONFIRMED) == SHED
    assert wanted(DeliveryState.CLOSED, expected=()) == ()


@pytest.mark.parametrize(
    ("done", "left"),
    [
        ((HARVESTED,), (Todo.PACK,)),
        ((HARVESTED, PACKED), (Todo.DELIVER,)),
        ((PACKED,), (Todo.DELIVER,)),
        ((HARVESTED, PACKED, DELIVERED), ()),
        ((DELIVERED,), ()),
    ],
)
def test_a_step_that_is_done_leads_to_the_next_even_where_one_was_not_ticked(done, left):
    assert wanted(DeliveryState.CLOSED, large=CONFIRMED, done=done) == left


def test_the_last_evening_is_told_while_it_lasts():
    assert wanted(DeliveryState.OPEN, closes_today=True, large=FORECAST) == (Todo.CLOSES_TONIGHT,)
    assert wanted(DeliveryState.CLOSED, closes_today=True, large=CONFIRMED) == SHED


@pytest.mark.parametrize("state", [DeliveryState.DONE, DeliveryState.CANCELLED])
def test_what_is_over_or_called_off_asks_nothing(state):
    assert wanted(state, closes_today=True, large=DRAFT) == ()


def test_the_week_shows_the_next_deliveries_with_their_tasks(client, session):
    crowd.add(session, 1, tour="jeudi")
    put(session, delivery_on(session, TUESDAY), "grand", "carottes", 500)
    session.commit()
    client.sign_in(STAFF)
    page = text_of(client.get("/ferme"))
    assert "Aujourd'hui, mercredi 10 juin" in page
    assert "Tournée du jeudi Close 1 Petit panier 1 Grand panier" in page
    closed, opened = page.split("mardi 16 juin")
    assert "Composer les paniers Imprimer les listes Récolter Mettre en panier" in closed
    assert "Composer les paniers Publier les paniers" in opened, "the eggs are not composed yet"
    assert "mardi 9 juin Tournée" not in page


def test_nothing_is_asked_of_what_is_ready(client, session):
    tuesday = delivery_on(session, TUESDAY)
    put(session, tuesday, "grand", "carottes", 500)
    put(session, tuesday, "oeufs", "oeufs", 6)
    show(session, tuesday)
    session.commit()
    client.sign_in(STAFF)
    assert "Rien à faire pour l'instant" in text_of(client.get("/ferme")).split("mardi 16 juin")[1]


def test_the_evening_of_the_cutoff_is_told(client, clock):
    clock.move_to(NOW + timedelta(days=4))
    client.sign_in(STAFF)
    assert "Ferme ce soir" in text_of(client.get("/ferme"))


def test_without_deliveries_the_page_says_so(client, clock):
    clock.move_to(NOW + timedelta(days=400))
    client.sign_in(STAFF)
    assert "Aucune livraison dans les jours qui viennent" in text_of(client.get("/ferme"))


def all_goes_wrong(session):
    """A freeze that failed, mails that failed and wait, a formula without a price, orders over stock, a full point."""
    honey = stock_the_shop(session)
    thursday = session.scalars(
        select(Delivery).where(Delivery.cutoff_at < NOW).order_by(Delivery.id.desc())
    ).first()
    thursday.frozen_at = None
    session.add(
        DeliveryStock(article_id=honey.id, delivery_id=delivery_on(session, TUESDAY).id, remaining=-2)
    )
    session.delete(session.scalars(select(FormulaPrice)).first())
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one().free_places = 0
    for state, at in ((outbox.MailState.FAILED, NOW), (outbox.MailState.WAITING, NOW - timedelta(hours=2))):
        outbox.post(session, to="a@example.org", subject="s", text="t", html="h", at=at).state = state
    session.add(WorkerHeartbeat(worker="w", at=NOW))
    session.commit()


OWN = {
    "figée": {"desk", "growing", "logistics", "accounts"},
    "n'a pas pu partir": {"desk"},
    "attendent depuis plus d'une heure": {"desk"},
    "Sans prix aujourd'hui : Petit panier": {"desk", "growing", "accounts"},
    "Miel : plus de commandes que de stock": {"desk", "growing"},
    "complet": {"desk", "logistics"},
}


def test_what_goes_wrong_is_told_to_those_who_can_do_something_about_it(client, session):
    all_goes_wrong(session)
    for role in ("desk", "growing", "logistics", "accounts"):
        account_of(session, STAFF).roles = [session.scalars(select(Role).where(Role.name == role)).one()]
        session.commit()
        client.sign_in(STAFF)
        page = text_of(client.get("/ferme"))
        assert {words for words in OWN if words in page} == {words for words in OWN if role in OWN[words]}, (
            role
        )
        assert ("Composer les paniers" in page) == (role == "growing")
        assert "arrêté" not in page


def test_a_worker_asleep_is_told_to_everybody(desk):
    assert "Le travail de fond est arrêté" in text_of(desk.get("/ferme"))


def test_corrections_are_counted_while_they_stand(desk, session):
    honey = article(session, "Miel")
    made = order(session, {honey: 2}, state=OrderState.ACCEPTED)
    said = {"order_id": made.id, "delivery_id": made.delivery_id, "at": NOW, "by_id": 3, "reason": "Cassé."}
    kept, undone = (OrderCorrection(**said, before={}, after={}) for _ in range(2))
    undone.undone_at, undone.undone_by_id = NOW, 3
    session.add_all((kept, undone))
    session.commit()
    assert "Une correction depuis la clôture" in text_of(desk.get("/ferme"))


def test_the_week_takes_as_many_statements_however_much_there_is_to_do(desk, session, count_queries):
    with count_queries() as calm:
        desk.get("/ferme")
    all_goes_wrong(session)
    crowd.add(session, 5, tour="jeudi")
    session.commit()
    with count_queries() as busy:
        desk.get("/ferme")
    assert len(busy) == len(calm) <= 40


def money_waits(session, clock):
    """On 6 July: a debit came back for good, another waits for its file, a bill is late, its PDF failed."""
    signed(session)
    bank(session)
    back = announced(session, 3860)
    clock.move_to(IN_TIME)
    presented(session)
    returns.enter(session, back.id, ReturnCode.MD06, local_day(IN_TIME), by=office(session))
    announced(session, 2000)
    late = written(session, 1140, to=customer(session, YACINE))
    session.add(InvoiceFile(invoice_id=late.id, state=FileState.FAILED, due_at=NOW, tries=9))
    received(session)
    session.commit()


BOOKS = (
    "À facturer : juin 2026.",
    "Le PDF d'une facture n'a pas pu être fait.",
    "Prélèvements du 10 juillet : fichier à faire d'ici le 8 juillet.",
    "Un prélèvement revenu, toujours impayé.",
    "2 factures en retard : 50,00 €.",
)


def test_what_waits_at_the_books_is_told_to_those_who_read_bills(client, session, clock):
    client.sign_in(STAFF)
    client.get("/ferme")
    assert "À facturer" not in text_of(client.get("/ferme")), "the farm bills elsewhere"
    money_waits(session, clock)
    for role, told in (("desk", True), ("growing", False), ("accounts", True)):
        account_of(session, STAFF).roles = [session.scalars(select(Role).where(Role.name == role)).one()]
        session.commit()
        client.sign_in(STAFF)
        page = text_of(client.get("/ferme"))
        assert [words for words in BOOKS if words in page] == list(BOOKS if told else ()), role
        assert (" lignes de la banque à rapprocher." in page) == (role == "accounts")
    filed(session)
    session.add(InvoiceRun(month=JUNE, state=RunState.DONE, asked_at=NOW, asked_by=None, wanted=2))
    session.commit()
    page = text_of(client.get("/ferme"))
    assert (
        "fichier à déposer à la banque" in page and "À facturer" not in page and "fichier à faire" not in page
    )
