"""/ferme: the next deliveries, and what is to do for each."""

from datetime import timedelta

import pytest

from portal.compositions.models import CompositionState
from portal.deliveries.queries import DeliveryState
from portal.farm.week import Todo, todos
from tests import crowd
from tests.composing import delivery_on, put, show
from tests.pages import text_of
from tests.world import NOW, STAFF, TUESDAY

LARGE, SMALL = 1, 2
DRAFT, FORECAST, CONFIRMED = CompositionState


def wanted(state, *, closes_today=False, expected=(LARGE,), **written):
    by_formula = {{"large": LARGE, "small": SMALL}[name]: state for name, state in written.items()}
    return todos(state, closes_today=closes_today, expected=expected, written=by_formula)


def test_boxes_that_somebody_expects_are_to_be_composed():
    assert wanted(DeliveryState.OPEN) == (Todo.COMPOSE,)
    assert wanted(DeliveryState.OPEN, expected=(LARGE, SMALL), large=FORECAST) == (Todo.COMPOSE,)
    assert wanted(DeliveryState.OPEN, expected=(LARGE,), large=FORECAST) == ()
    assert wanted(DeliveryState.OPEN, expected=()) == ()


def test_a_draft_is_to_be_shown():
    assert wanted(DeliveryState.OPEN, large=DRAFT) == (Todo.SHOW,)
    assert wanted(DeliveryState.OPEN, large=FORECAST, small=DRAFT) == (Todo.SHOW,)


def test_once_closed_the_forecast_is_to_be_confirmed_and_the_list_printed():
    assert wanted(DeliveryState.CLOSED, large=FORECAST) == (Todo.CONFIRM, Todo.PRINT)
    assert wanted(DeliveryState.CLOSED, large=CONFIRMED) == (Todo.PRINT,)
    assert wanted(DeliveryState.CLOSED, expected=()) == ()


def test_the_last_evening_is_told_while_it_lasts():
    assert wanted(DeliveryState.OPEN, closes_today=True, large=FORECAST) == (Todo.CLOSES_TONIGHT,)
    assert wanted(DeliveryState.CLOSED, closes_today=True, large=CONFIRMED) == (Todo.PRINT,)


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
    assert "Composer les paniers Imprimer la liste" in closed
    assert "Composer les paniers Montrer les paniers" in opened, "the eggs are not composed yet"
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
