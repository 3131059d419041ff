"""/espace: the next box, the acts on it, and what is said when it is too late."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.jobs import freeze_due
from portal.catalogue.models import Formula, Product
from portal.compositions.models import Composition, CompositionLine, CompositionState
from portal.deliveries.models import Delivery, Tour
from portal.subscriptions.models import Subscription, Term
from tests.client import Browser
from tests.pages import text_of
from tests.shop.making import article
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY, YACINE


@pytest.fixture
def camille(browser: Browser) -> Browser:
    browser.sign_in(CAMILLE)
    return browser


def subscriptions(session: Session, email: str = CAMILLE) -> list[int]:
    return sorted(session.scalars(select(Subscription.id).join(Account).where(Account.email == email)))


def compose(session: Session, state: CompositionState, day: date = TUESDAY) -> None:
    delivery = session.scalars(select(Delivery).join(Tour).where(Delivery.day == day)).one()
    formula = session.scalars(select(Formula).where(Formula.slug == "grand")).one()
    carrots = session.scalars(select(Product).where(Product.slug == "carottes")).one()
    lines = [CompositionLine(product_id=carrots.id, amount=1500)]
    session.add(Composition(delivery_id=delivery.id, formula_id=formula.id, state=state, lines=lines))
    session.commit()


def test_the_home_page_is_the_next_box(camille: Browser) -> None:
    page = text_of(camille.get("/espace"))
    assert "Bonjour Camille" in page
    for said in (
        "mardi 16 juin",
        "Grand panier",
        "Œufs",
        "Halle de Serres",
        "de 16 h 30 à 19 h",
        "Sonnez à la porte verte",
        "Un panier sauté n'est pas facturé : 21,90 € de moins.",
    ):
        assert said in page, said
    assert "Modifiable jusqu'au dimanche 14 juin, 23 h 59" in page
    assert "Les courgettes arrivent" in page


def test_an_end_is_called_an_end_with_the_way_back(session: Session, camille: Browser) -> None:
    for number in subscriptions(session):
        session.get_one(Subscription, number).last_day = NOW.date()
    session.commit()
    assert "Votre abonnement a pris fin" in text_of(camille.get("/espace"))
    page = text_of(camille.get("/abonnements"))
    assert "Modifier" not in page and "Terminés Grand panier" in page and "Reprendre" in page


def test_a_visitor_is_asked_to_sign_in_and_led_back(client: Browser) -> None:
    answer = client.get("/espace")
    assert answer.status_code == 303
    assert answer.location == "/connexion?next=/espace"


def test_a_forecast_is_shown_as_such_and_a_draft_is_not(camille: Browser, session: Session) -> None:
    compose(session, CompositionState.DRAFT)
    assert "Carottes" not in text_of(camille.get("/espace"))
    session.scalars(select(Composition)).one().state = CompositionState.FORECAST
    session.commit()
    page = text_of(camille.get("/espace"))
    assert "Carottes" in page and "1,5 kg" in page and "Prévisionnel" in page


def test_skipping_both_boxes_shows_the_next_delivery_and_keeps_the_way_back(
    camille: Browser, session: Session
) -> None:
    camille.get("/espace")
    answer = camille.submit(
        "/planning/2026-06-15/saut", {"abonnement": subscriptions(session), "vue": "espace"}
    )
    assert answer.status_code == (200 if camille.htmx else 303)
    page = text_of(camille.get("/espace"))
    told = text_of(answer) if camille.htmx else page
    assert "C'est fait : vous sautez la livraison du mardi 16 juin" in told
    assert "Ce que vous sautez n'est pas facturé." in told
    assert "Reprendre ces paniers" in page
    assert page.index("mardi 16 juin") < page.index("Votre prochaine livraison")
    assert page.index("Votre prochaine livraison") > page.index("Reprendre ces paniers")


def test_taking_back_brings_the_box_home(camille: Browser, session: Session) -> None:
    camille.get("/espace")
    ids = subscriptions(session)
    camille.submit("/planning/2026-06-15/saut", {"abonnement": ids, "vue": "espace"})
    answer = camille.submit("/planning/2026-06-15/reprise", {"abonnement": ids, "vue": "espace"})
    assert answer.status_code == (200 if camille.htmx else 303)
    page = text_of(camille.get("/espace"))
    assert "Reprendre" not in page
    assert "Modifiable jusqu'au dimanche 14 juin, 23 h 59" in page


def test_the_fragment_is_what_the_page_shows(client: Browser, session: Session) -> None:
    client.sign_in(CAMILLE)
    client.get("/espace")
    client.htmx = True
    form = {"abonnement": subscriptions(session)[0], "vue": "espace"}
    fragment = client.submit("/planning/2026-06-15/saut", form).get_data(as_text=True)
    assert 'id="prochain"' in fragment
    assert 'id="flash" data-hx-swap-oob="true"' in fragment
    assert 'id="ensuite" data-hx-swap-oob="true"' in fragment
    assert fragment.count("data-focus") == 1, "focus moves to what changed"
    assert "<html" not in fragment


def test_after_the_cutoff_the_page_says_what_is_still_possible(
    camille: Browser, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    page = text_of(camille.get("/espace"))
    assert "Close depuis le dimanche 14 juin, 23 h 59" in page
    assert "En préparation" in page
    assert "Un proche peut la retirer à votre place, de 16 h 30 à 19 h" in page
    assert "04 65 71 00 01" in page
    after = page[page.index("Ce que vous pouvez encore changer") :]
    assert "mardi 23 juin" in after and "Modifiable jusqu'au dimanche 21 juin, 23 h 59" in after


def test_a_page_opened_before_and_sent_after_the_cutoff_is_refused_with_the_present_state(
    camille: Browser, session: Session, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF - timedelta(minutes=2))
    camille.get("/espace")
    clock.move_to(CUTOFF + timedelta(minutes=1))
    form = {"abonnement": subscriptions(session), "vue": "espace"}
    answer = camille.submit("/planning/2026-06-15/saut", form)
    assert answer.status_code == 422
    page = text_of(answer)
    assert "Trop tard : cette livraison est close, rien n'a été changé" in page
    assert "mardi 16 juin" in page


def test_on_the_day_the_card_says_so(camille: Browser, clock: time_machine.Traveller) -> None:
    clock.move_to(datetime.fromisoformat("2026-06-16T10:00:00+02:00"))
    assert "C'est aujourd'hui" in text_of(camille.get("/espace"))


def test_somebody_without_a_subscription_is_shown_the_formulas(client: Browser) -> None:
    client.sign_in(STAFF)
    page = text_of(client.get("/espace"))
    assert "Vous n'avez pas encore d'abonnement" in page


def test_when_everything_ahead_is_skipped_or_closed_the_page_says_so(
    client: Browser, session: Session
) -> None:
    for delivery in session.scalars(select(Delivery).join(Tour).where(Tour.slug == "jeudi")):
        delivery.cancelled_at = delivery.cutoff_at
    session.commit()
    client.sign_in(YACINE)
    assert "Aucun panier dans les prochaines semaines" in text_of(client.get("/espace"))


@pytest.mark.parametrize("subscriptions_held", [1, 12])
def test_the_page_takes_fourteen_queries_whatever_is_shown(
    client: Browser,
    session: Session,
    clock: time_machine.Traveller,
    count_queries: Callable[[], Any],
    subscriptions_held: int,
) -> None:
    compose(session, CompositionState.FORECAST)
    account = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    term = session.scalars(select(Term)).first()
    for _ in range(subscriptions_held - 1):
        session.add(
            Subscription(
                account=account,
                created_at=CUTOFF,
                terms=[
                    Term(
                        monday=date(2026, 1, 5),
                        formula_id=term.formula_id,
                        quantity=1,
                        rhythm=term.rhythm,
                        pickup_point_id=term.pickup_point_id,
                    )
                ],
            )
        )
    session.commit()
    client.sign_in(CAMILLE)
    client.get("/espace")
    for moment in (NOW, CUTOFF):
        clock.move_to(moment)
        freeze_due()
        client.get("/espace")
        with count_queries() as statements:
            assert client.get("/espace").status_code == 200
        assert len(statements) <= 14, "\n".join(statements)


def test_a_suspension_is_told_once_and_the_next_box_is_the_first_one_back(camille: Browser) -> None:
    camille.get("/mon-compte")
    camille.submit("/planning/suspension", {"du": "2026-06-11", "au": "2026-06-30", "abonnement": [1, 2]})
    page = text_of(camille.get("/espace"))
    assert "Livraisons suspendues du jeudi 11 juin au mardi 30 juin (Grand panier, Œufs)" in page
    assert "Modifiable jusqu'au dimanche 5 juillet, 23 h 59" in page and "16 juin" not in page


def test_a_postponed_box_is_told_where_it_left_and_where_it_arrives(camille: Browser) -> None:
    camille.get("/mon-compte")
    camille.submit("/planning/2026-06-15/report", {"abonnement": [1, 2], "vers": "2026-06-22"})
    page = text_of(camille.get("/espace"))
    assert "Grand panier, Œufs reportés au mardi 23 juin" in page
    assert "Grand panier, Œufs reportés de la semaine du 15 juin" in page


def test_what_is_in_the_order_is_said_here_too(client: Browser, session: Session) -> None:
    honey = article(session)
    session.commit()
    client.sign_in(CAMILLE)
    assert 'id="lien-commande" href="/ma-commande" hidden' in client.get("/espace").text
    client.submit("/ma-commande/produits", {"article": honey.id, "quantity": 2})
    assert "Ma commande (1 produit)" in text_of(client.get("/espace"))
