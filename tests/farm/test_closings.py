"""Closing a point for some days at the desk: the preview, the act, the refusals, taking it back."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.pickup.models import PointClosing
from portal.subscriptions.models import Withheld
from tests.client import Browser
from tests.farm.forms import CLOSING
from tests.pages import text_of
from tests.shop import making

PAGE = "/ferme/points-de-retrait/1/fermetures"


@pytest.fixture
def found(session: Session):
    return lambda: list(session.scalars(select(PointClosing).execution_options(populate_existing=True)))


def test_closing_a_point_shows_whom_it_concerns_does_it_and_takes_it_back(staff: Browser, session, found):
    making.order(session, {making.article(session): 1})
    session.commit()
    words = text_of(staff.get(PAGE, query_string=CLOSING))
    assert "Une personne reçoit un mail." in words
    assert "mardi 16 juin 2 1 39 places libres après mardi 23 juin 2 0 39 places libres après" in words
    assert found() == [], "looking writes nothing"
    assert "ne propose pas" not in words
    session.add(Withheld(pickup_point_id=2, formula_id=2))
    session.commit()
    assert "Gare de Veynes ne propose pas : Grand panier." in text_of(staff.get(PAGE, query_string=CLOSING))
    done = staff.submit(PAGE, data=CLOSING)
    assert done.status_code == 303 and [row.reason for row in found()] == ["Travaux"]
    words = text_of(staff.get(PAGE))
    assert (
        "Une personne va recevoir un mail." in words
        and "du mardi 16 juin 2026 au mardi 23 juin 2026" in words
    )
    assert "à retirer : Gare de Veynes" in text_of(staff.get("/ferme/points-de-retrait"))
    staff.submit(PAGE, data=CLOSING)
    assert "C'était déjà fait" in text_of(staff.get(PAGE)) and len(found()) == 1
    staff.submit(f"{PAGE}/1/fin", data={})
    assert found()[0].ended_at and "de nouveau ouvert" in text_of(staff.get(PAGE))
    assert staff.submit("/ferme/points-de-retrait/2/fermetures/1/fin", data={}).status_code == 404


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"last_day": "2026-06-15"}, "pas avant le premier jour"),
        ({"substitute": "3"}, "choisissez dans la liste"),
        ({"reason": ""}, "à remplir"),
        ({"first_day": "2026-06-01", "last_day": "2026-06-02"}, "Ces jours sont passés"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_kept(staff: Browser, found, typed, words):
    answer = staff.submit(PAGE, data=CLOSING | typed)
    assert answer.status_code == 422 and words in text_of(answer) and found() == []
    assert f'value="{(CLOSING | typed)["first_day"]}"' in answer.text


def test_a_point_that_stands_alone_on_its_tour_cannot_be_replaced(staff: Browser):
    assert "Aucun autre point de la tournée" in text_of(staff.get("/ferme/points-de-retrait/3/fermetures"))
