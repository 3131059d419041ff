"""/questions: ours until the farm writes its own; /ferme/questions: writing them."""

import pytest
from sqlalchemy import select

from portal.messages.models import Question
from portal.messages.questions import OURS
from tests.farm.trail import events
from tests.pages import text_of
from tests.world import STAFF

PAGE, EDIT = "/questions", "/ferme/questions"
ASKED = {"heading": "Le retrait", "asked": "Où ?", "answer": "À la <b>Halle</b>."}


@pytest.fixture
def desk(client):
    client.sign_in(STAFF)
    client.get(EDIT)
    return client


def order(session):
    session.rollback()
    return list(session.scalars(select(Question.asked).order_by(Question.position)))


def test_a_new_farm_answers_what_is_asked_of_every_farm(client, count_queries):
    with count_queries() as statements:
        page = client.get(PAGE)
    assert len(statements) <= 3
    assert page.text.count("<details") == len(OURS) >= 20
    for word in ("indésirables", "lettre de travers", "quinze minutes", "deux jours"):
        assert word in text_of(page)


@pytest.mark.parametrize(
    ("typed", "found"),
    [("indesirable", True), ("OUBLIE passe", True), ("passer prendre quelqu'un", True), ("zeppelin", False)],
)
def test_questions_are_found_without_accents(client, typed, found):
    page = client.get(PAGE, query_string={"q": typed})
    assert ("<details" in page.text) is found
    assert ("Rien de tel" in text_of(page)) is not found


def test_a_farm_starts_with_ours_or_with_its_own(desk, session):
    for _ in range(2):
        assert desk.submit(EDIT).status_code == 303
    assert order(session) == [view.asked for view in OURS]
    assert [event.action for event in events(session)] == ["question.start"]


def test_questions_are_written_ordered_changed_and_removed(desk, session):
    for asked in ("A", "B", "C"):
        desk.submit(f"{EDIT}/ajout", ASKED | {"asked": asked})
    desk.submit(f"{EDIT}/ajout", ASKED | {"asked": "D", "heading": "Payer"})
    page = desk.get(PAGE)
    assert page.text.count("<details") == 4 and "À la <b>" not in page.text
    desk.submit(f"{EDIT}/3/place", {"place": "1"})
    desk.submit(f"{EDIT}/4/place", {"place": "9"})
    assert order(session) == ["C", "A", "B", "D"]
    desk.submit(f"{EDIT}/1", ASKED | {"asked": "Z"})
    for _ in range(2):
        assert desk.submit(f"{EDIT}/2/suppression").status_code == 303
    assert order(session) == ["C", "Z", "D"]
    assert desk.submit(f"{EDIT}/1", ASKED | {"answer": ""}).status_code == 422
    assert desk.submit(f"{EDIT}/2", ASKED).status_code == 404
    assert desk.submit(f"{EDIT}/1/place", {"place": "-1"}).status_code == 422
    assert "Halle" not in str([event.after for event in events(session)])
