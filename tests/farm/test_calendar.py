"""The season on one page; closing for some days and moving off holidays: several deliveries in one act."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.compositions.models import CompositionState
from portal.deliveries.models import Delivery
from portal.deliveries.services import generate
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint, PointClosing
from portal.planning.jobs import tell_of_deliveries
from tests import crowd
from tests.client import Browser
from tests.composing import delivery_on, put, show
from tests.farm.forms import CLOSURE as TWO_WEEKS
from tests.farm.test_deliveries import cancel
from tests.pages import text_of
from tests.shop import making
from tests.world import CAMILLE, NOW, TODAY, TUESDAY, YACINE

SEASON, CLOSURE, HOLIDAYS = (f"/ferme/livraisons/{page}" for page in ("saison", "fermeture", "feries"))


@pytest.fixture
def year(session: Session) -> None:
    generate(session, TODAY, TODAY + timedelta(days=366))
    session.commit()


def told(session: Session) -> list[tuple[str, str]]:
    """What the worker mails: to whom, and the subject."""
    session.commit()
    while tell_of_deliveries():
        pass
    found = session.execute(select(Mail.recipient, Mail.subject).order_by(Mail.id))
    return [(recipient, subject.replace("\u00a0", " ")) for recipient, subject in found]


def states(session: Session) -> set[tuple[date, str]]:
    gone = (
        select(Delivery).where(Delivery.cancelled_at.is_not(None)).execution_options(populate_existing=True)
    )
    return {(row.day, row.tour.slug) for row in session.scalars(gone)}


# The season


def test_the_season_shows_every_delivery_with_where_it_stands(desk: Browser, session, count_queries):
    delivery = delivery_on(session, TUESDAY)
    assert put(session, delivery, "grand", "carottes", 500, at=NOW) is None
    assert show(session, delivery, CompositionState.FORECAST, at=NOW) is None
    halle, gare = session.scalars(select(PickupPoint.id).order_by(PickupPoint.id)).all()[:2]
    days = {"first_day": date(2026, 6, 23), "last_day": date(2026, 6, 23)}
    session.add(PointClosing(pickup_point_id=halle, substitute_id=gare, **days, reason="Foire", made_at=NOW))
    session.commit()
    with count_queries() as seen:
        page = desk.get(SEASON)
    words = text_of(page)
    assert "Saison, avril 2026 à mars 2027" in words
    assert "9 juin 2026, Terminée" in words and "11 juin 2026, Close" in words
    assert "16 juin 2026, Publiée" in words and "18 juin 2026, En préparation" in words
    assert 'aria-label="Halle de Serres fermé"' in page.text
    assert len(seen) <= 9
    crowd.add(session, 30)
    with count_queries() as again:
        desk.get(SEASON)
    assert len(again) == len(seen)
    assert "Aucune livraison n'est préparée" in text_of(desk.get(f"{SEASON}?jour=2024-06-01"))
    assert desk.get(f"{SEASON}?jour=gestern").status_code == 200


# Closing for some days


def test_closing_for_two_weeks_is_one_act_and_one_mail_a_person_and_can_be_taken_back(
    staff: Browser, session
):
    making.order(session, {making.article(session): 1})
    session.commit()
    preview = text_of(staff.get(CLOSURE, query_string=TWO_WEEKS))
    assert "2 personnes reçoivent chacune un seul mail." in preview and "Annuler les 6 livraisons" in preview
    assert "mardi 16 juin Tournée du mardi 2 1 1" in preview
    assert staff.submit(CLOSURE, TWO_WEEKS).status_code == 303
    assert len(states(session)) == 6
    words = text_of(staff.get(CLOSURE))
    assert "6 livraisons sont annulées." in words and "personnes vont recevoir un mail" in words
    news = told(session)
    assert (CAMILLE, "2 de vos livraisons changent") in news and len(news) == 2
    staff.submit(CLOSURE, TWO_WEEKS)
    assert "C'était déjà fait" in text_of(staff.get(CLOSURE)) and told(session) == news
    ids = session.scalars(select(Delivery.id).where(Delivery.cancelled_at.is_not(None))).all()
    session.rollback()
    assert staff.submit("/ferme/livraisons/retablissement", {"livraison": ids}).status_code == 303
    assert states(session) == set()
    assert told(session)[2:] == [(email, subject) for email, subject in told(session)[2:]]
    assert {email for email, _ in told(session)[2:]} == {CAMILLE, YACINE}


def test_what_has_closed_is_left_to_its_own_page(staff: Browser, session):
    asked = TWO_WEEKS | {"first_day": "2026-06-10", "last_day": "2026-06-16"}
    words = text_of(staff.get(CLOSURE, query_string=asked))
    assert "Tournée du jeudiClose reste : annulez-la sur sa page" in words
    staff.submit(CLOSURE, asked)
    assert states(session) == {(TUESDAY, "mardi")}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"last_day": "2026-06-01"}, "après le premier jour"),
        ({"last_day": "2027-06-01"}, "six mois au plus"),
        ({"reason": ""}, "à remplir"),
        ({"tours": []}, "choisissez dans la liste"),
    ],
)
def test_a_closure_that_cannot_be_is_refused_beside_the_field(desk: Browser, session, typed, words):
    answer = desk.submit(CLOSURE, TWO_WEEKS | typed)
    assert answer.status_code == 422 and words in text_of(answer) and states(session) == set()


# Holidays


def test_deliveries_on_holidays_are_moved_all_at_once_and_put_back(staff: Browser, session, year):
    page = staff.get(HOLIDAYS)
    words = text_of(page)
    assert "Tournée du mardi mardi 14 juillet 2026 Fête nationale Ouverte" in words
    assert "mercredi 15 juillet : modifiable jusqu'au lundi 13 juillet, 23 h 59" in words
    assert "vendredi 25 décembre 2026 Noël" in words and "mardi 16 juin" not in words
    july = delivery_on(session, date(2026, 7, 14)).id
    christmas = delivery_on(session, date(2026, 12, 25), "vendredi").id
    session.rollback()
    wish = {"livraison": [july, christmas], f"jour-{july}": "2026-07-15", f"jour-{christmas}": "2026-12-24"}
    assert "Déplacer les 2 livraisons" in text_of(staff.get(HOLIDAYS, query_string=wish))
    assert staff.submit(HOLIDAYS, wish).status_code == 303
    moved = session.get_one(Delivery, july, populate_existing=True)
    assert (moved.day, moved.move_reason) == (date(2026, 7, 15), "Fête nationale")
    words = text_of(staff.get(HOLIDAYS))
    assert "2 livraisons sont déplacées. Une personne va recevoir un mail." in words
    assert "Déplacée du mardi 14 juillet." in words
    session.rollback()
    assert [recipient for recipient, _ in told(session)] == [CAMILLE]
    staff.submit(HOLIDAYS, wish)
    assert "C'était déjà fait" in text_of(staff.get(HOLIDAYS))
    back = {"livraison": [july], f"jour-{july}": "2026-07-14"}
    staff.submit(HOLIDAYS, back)
    assert session.get_one(Delivery, july, populate_existing=True).day == date(2026, 7, 14)


def test_where_one_line_is_refused_nothing_moves_and_the_line_says_why(staff: Browser, session, year):
    july = delivery_on(session, date(2026, 7, 14)).id
    christmas = delivery_on(session, date(2026, 12, 25), "vendredi").id
    session.rollback()
    wish = {"livraison": [july, christmas], f"jour-{july}": "2026-07-21", f"jour-{christmas}": "2026-12-24"}
    answer = staff.submit(HOLIDAYS, wish)
    assert answer.status_code == 422
    assert "Ce jour atteint ou dépasse une autre livraison" in text_of(answer)
    assert "Déplacer la livraison" in text_of(answer), "the other one may go alone"
    assert session.get_one(Delivery, christmas, populate_existing=True).day == date(2026, 12, 25)
    assert staff.submit(HOLIDAYS, {}).status_code == 422


def test_the_holidays_take_the_same_number_of_statements_for_few_and_for_many(
    desk: Browser, session, year, count_queries
):
    def statements() -> int:
        session.rollback()
        with count_queries() as seen:
            assert desk.get(HOLIDAYS).status_code == 200
        return len(seen)

    few = statements()
    crowd.add(session, 60)
    assert statements() == few <= 12
    cancel(session)
    assert statements() == few
