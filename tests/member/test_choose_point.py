"""/points-de-retrait/<point>/choisir: for once or for good, and what stands against it before one chooses."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from time_machine import Traveller

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.catalogue.models import Formula
from portal.deliveries.models import Delivery
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Subscription, Term, Withheld
from tests.client import Browser
from tests.pages import text_of
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TODAY, TUESDAY, YACINE


def path(slug: str) -> str:
    return f"/points-de-retrait/{slug}/choisir"


def id_of(session: Session, slug: str) -> int:
    return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


def subscriptions(session: Session, email: str) -> list[int]:
    ids = select(Subscription.id).join(Account).where(Account.email == email).order_by(Subscription.id)
    return list(session.scalars(ids))


def withhold(session: Session, slug: str, formula: str) -> None:
    formula_id = session.scalars(select(Formula.id).where(Formula.slug == formula)).one()
    session.add(Withheld(pickup_point_id=id_of(session, slug), formula_id=formula_id))
    session.commit()


def weeks_offered(client: Browser, session: Session, slug: str) -> list[str]:
    """The Mondays of the weeks whose boxes may be collected there for once."""
    links = rf'href="/planning/([0-9-]+)\?point={id_of(session, slug)}"'
    return re.findall(links, client.get(path(slug)).text)


def lasting(client: Browser, session: Session, slug: str) -> list[int]:
    """The subscriptions that may move there."""
    links = rf'href="/abonnements/([0-9]+)/modifier\?point={id_of(session, slug)}"'
    return [int(found) for found in re.findall(links, client.get(path(slug)).text)]


@pytest.fixture
def camille(client: Browser) -> Browser:
    client.sign_in(CAMILLE)
    return client


def test_each_coming_box_may_go_there_once_and_each_subscription_for_good(
    camille: Browser, session: Session
) -> None:
    page = text_of(camille.get(path("gare")))
    assert "Gare de Veynes" in page
    assert "Grand panier, Œufs Halle de Serres Retirer ici le mardi 16 juin" in page
    weeks = weeks_offered(camille, session, "gare")
    assert weeks == [str(TUESDAY - timedelta(days=1) + timedelta(weeks=n)) for n in range(6)]
    assert lasting(camille, session, "gare") == subscriptions(session, CAMILLE)


def test_the_day_is_that_of_the_other_tour(camille: Browser) -> None:
    assert "mardi 16 juin Grand panier, Œufs Halle de Serres Retirer ici le vendredi 19 juin" in text_of(
        camille.get(path("cafe"))
    )


def test_a_box_whose_list_is_closed_stays(camille: Browser, session: Session, clock: Traveller) -> None:
    clock.move_to(CUTOFF)
    assert weeks_offered(camille, session, "cafe")[0] == "2026-06-22"


def test_where_the_list_is_closed_no_box_comes_in(
    client: Browser, session: Session, clock: Traveller
) -> None:
    client.sign_in(YACINE)
    assert weeks_offered(client, session, "gare")[0] == "2026-06-15"
    clock.move_to(CUTOFF)
    assert weeks_offered(client, session, "gare")[0] == "2026-06-29", "every other week"
    assert weeks_offered(client, session, "cafe")[0] == "2026-06-15"


def test_a_week_in_which_the_other_tour_does_not_run_is_not_offered(
    camille: Browser, session: Session
) -> None:
    session.execute(
        update(Delivery).where(Delivery.day == TUESDAY + timedelta(days=3)).values(cancelled_at=NOW)
    )
    session.commit()
    assert weeks_offered(camille, session, "cafe")[0] == "2026-06-22"


def test_skipped_boxes_go_nowhere(camille: Browser, session: Session) -> None:
    for subscription_id in subscriptions(session, CAMILLE):
        session.add(
            BoxChange(
                subscription_id=subscription_id,
                week=TUESDAY - timedelta(days=1),
                skip=True,
                skip_at=NOW,
                changed_at=NOW,
            )
        )
    session.commit()
    assert weeks_offered(camille, session, "gare")[0] == "2026-06-22"


def test_a_formula_that_is_not_offered_there_stays_where_it_is(camille: Browser, session: Session) -> None:
    withhold(session, "gare", "oeufs")
    page = text_of(camille.get(path("gare")))
    assert "Pas proposé ici : Œufs" in page
    assert "Grand panier Halle de Serres Retirer ici le mardi 16 juin" in page
    assert "Œufs Halle de Serres Ce point ne propose pas cette formule." in page
    assert lasting(camille, session, "gare") == subscriptions(session, CAMILLE)[:1]
    withhold(session, "gare", "grand")
    assert weeks_offered(camille, session, "gare") == []
    assert "Aucun de vos prochains paniers ne peut être retiré ici" in text_of(camille.get(path("gare")))


@pytest.mark.parametrize(("free", "said"), [(None, False), (3, False), (0, True), (-1, True)])
def test_a_full_point_says_so_before_anything_is_chosen(
    camille: Browser, session: Session, free: int | None, said: bool
) -> None:
    session.execute(update(PickupPoint).where(PickupPoint.slug == "gare").values(free_places=free))
    session.commit()
    assert ("Ce point est complet" in text_of(camille.get(path("gare")))) == said


def test_ones_own_point_is_no_choice(camille: Browser, session: Session) -> None:
    page = text_of(camille.get(path("halle")))
    assert weeks_offered(camille, session, "halle") == []
    assert lasting(camille, session, "halle") == []
    assert page.count("C'est déjà votre point de retrait.") == 2


def test_a_point_of_once_is_offered_no_more_for_that_week(camille: Browser, session: Session) -> None:
    for subscription_id in subscriptions(session, CAMILLE):
        session.add(
            BoxChange(
                subscription_id=subscription_id,
                week=TUESDAY - timedelta(days=1),
                pickup_point_id=id_of(session, "gare"),
                changed_at=NOW,
            )
        )
    session.commit()
    assert weeks_offered(camille, session, "gare")[0] == "2026-06-22"
    assert weeks_offered(camille, session, "cafe")[0] == "2026-06-15", "but another is"


def test_who_does_not_subscribe_is_led_to_the_formulas(client: Browser) -> None:
    client.sign_in(STAFF)
    assert "Vous n'avez pas encore d'abonnement" in text_of(client.get(path("gare")))


def test_a_subscription_that_has_ended_moves_nowhere(camille: Browser, session: Session) -> None:
    session.execute(update(Subscription).values(last_day=TODAY - timedelta(days=1)))
    session.commit()
    assert "Vous n'avez pas encore d'abonnement" in text_of(camille.get(path("gare")))


def test_a_point_that_is_not_offered_cannot_be_chosen(camille: Browser, session: Session) -> None:
    session.execute(update(PickupPoint).where(PickupPoint.slug == "gare").values(retired_at=NOW))
    session.commit()
    for slug in ("gare", "nulle-part", "1", "<evil>"):
        assert camille.get(path(slug)).status_code == 404


def test_visitors_sign_in_first_and_come_back(client: Browser) -> None:
    answer = client.get(path("gare"))
    assert answer.status_code == 303
    assert answer.location == "/connexion?next=/points-de-retrait/gare/choisir"


def test_what_the_links_lead_to_knows_the_point(camille: Browser, session: Session) -> None:
    page = camille.get(path("gare")).text
    for address in re.findall(r'href="((?:/planning/|/abonnements/)[^"]+\?point=[0-9]+)"', page):
        answer = camille.get(address)
        assert answer.status_code == 200
        assert "Gare de Veynes" in text_of(answer)


def test_it_asks_the_database_as_often_however_many_boxes_and_subscriptions_there_are(
    camille: Browser, session: Session, count_queries: Callable[[], Any]
) -> None:
    def asked() -> list[str]:
        camille.get(path("gare"))
        with count_queries() as statements:
            assert camille.get(path("gare")).status_code == 200
        return statements

    few = len(asked())
    term = session.scalars(select(Term)).first()
    assert term
    for _ in range(10):
        copy = Term(
            monday=term.monday,
            formula_id=term.formula_id,
            quantity=1,
            rhythm=term.rhythm,
            pickup_point_id=term.pickup_point_id,
        )
        session.add(Subscription(account_id=term.subscription.account_id, created_at=NOW, terms=[copy]))
    session.commit()
    many = asked()
    assert len(many) == few
    assert few <= 12, "\n".join(many)
