"""A forgotten box: somebody else collects it or the partner has it, from the cutoff until the point closes."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from portal.boxes.models import Handover
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.profile.models import FarmProfile
from portal.rules.handovers import HandoverRefusal, refusal_to_hand_over, refusal_to_take_back
from tests.world import CAMILLE, CUTOFF, STAFF, TUESDAY

HERE = f"/livraisons/{TUESDAY}/mardi/1/remise"
PAGE = f"/livraisons/{TUESDAY}/mardi"
MOMENT = timedelta(milliseconds=1)
OPENS = datetime(2026, 6, 16, 14, 30, tzinfo=UTC)
CLOSES = datetime(2026, 6, 16, 17, 0, tzinfo=UTC)
LOUISE = {"nom": "Louise Roux", "email": "louise@example.org"}


def text_of(answer):
    page = re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))
    return " ".join(page.replace("\u202f", " ").replace("\u00a0", " ").replace("&#39;", "'").split())


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2027, 3, 28), TUESDAY])
def test_hours_are_those_of_the_wall_whatever_the_clock_is_set_to(day):
    opens, closes = time(16, 30), time(19)
    summer = day == TUESDAY or day.month == 3
    shut = datetime.combine(day, time(17 if summer else 18), UTC)
    cutoff = shut - timedelta(days=2)
    assert refusal_to_hand_over(cutoff, day, closes, cutoff - MOMENT) is HandoverRefusal.STILL_OPEN
    assert refusal_to_hand_over(cutoff, day, closes, cutoff) is None
    assert refusal_to_hand_over(cutoff, day, closes, shut - MOMENT) is None
    assert refusal_to_hand_over(cutoff, day, closes, shut) is HandoverRefusal.OVER
    opening = shut - timedelta(hours=2.5)
    assert refusal_to_take_back(day, opens, opening - MOMENT) is None
    assert refusal_to_take_back(day, opens, opening) is HandoverRefusal.OVER


def mails(session):
    found = [
        (row.recipient, row.subject.replace("\u00a0", " "), row.text.replace("\u00a0", " "))
        for row in session.scalars(select(Mail).order_by(Mail.id))
    ]
    session.rollback()
    return found


def rows(session):
    found = [
        (row.kind, row.name, row.code) for row in session.scalars(select(Handover).order_by(Handover.id))
    ]
    session.rollback()
    return found


def test_somebody_else_collects_it_until_one_takes_it_back(session, client, clock):
    clock.move_to(CUTOFF - MOMENT)
    client.sign_in(CAMILLE)
    assert HERE not in client.get("/espace").get_data(as_text=True)
    assert client.submit(HERE, LOUISE).status_code == 422 and rows(session) == []
    clock.move_to(CUTOFF)
    for page in ("/espace", PAGE):
        shown = client.get(page)
        assert "Quelqu'un d'autre passe" in text_of(shown) and "Le donner" not in text_of(shown)
    assert client.submit(HERE, {"partenaire": "oui"}).status_code == 404, "the farm has no partner"
    assert client.submit(HERE.replace("/1/", "/2/"), LOUISE).status_code == 404
    wrong = client.submit(HERE, {"nom": "", "email": "louise@"})
    assert wrong.status_code == 422 and 'value="louise@"' in wrong.get_data(as_text=True)
    for _tab in range(2):
        assert client.submit(HERE, LOUISE).location == PAGE
    [(_, name, code), (_, _, same)] = rows(session)
    assert (name, code) == ("Louise Roux", same)
    [to_louise, to_camille] = mails(session)
    assert to_louise[0] == LOUISE["email"] and to_camille[0] == CAMILLE
    for said in (
        "Camille Aubert",
        "Halle de Serres",
        "16 h 30",
        "Sonnez à la porte verte.",
        code,
        "openstreetmap",
    ):
        assert said in to_louise[2]
    assert f"Code à dire sur place : {code}" in text_of(client.get(PAGE))
    clock.move_to(OPENS - MOMENT)
    client.sign_in(CAMILLE)
    client.get(PAGE)
    for _tab in range(2):
        assert client.submit(f"{HERE}/annulation", {}).location == PAGE
    assert rows(session) == [] and len(mails(session)) == 4
    assert "plus besoin de passer" in mails(session)[2][1]
    assert client.submit(HERE, LOUISE).status_code == 303
    clock.move_to(OPENS)
    assert "Finalement" not in text_of(client.get(PAGE))
    assert client.submit(f"{HERE}/annulation", {}).status_code == 422
    assert client.submit(HERE, {"nom": "Un autre", "email": ""}).status_code == 422
    assert rows(session)[0][1] == "Louise Roux"
    trail = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert trail == ["box.hand_over"] * 2 + ["box.take_back_handed"] * 2 + ["box.hand_over"] * 2


def test_it_can_be_handed_over_until_the_point_closes(session, client, clock):
    clock.move_to(CLOSES - MOMENT)
    client.sign_in(CAMILLE)
    client.get(PAGE)
    assert client.submit(HERE, {"nom": "Louise Roux", "email": ""}).status_code == 303
    assert [to for to, *_ in mails(session)] == [CAMILLE]
    clock.move_to(CLOSES)
    assert client.submit(f"{HERE}/annulation", {}).status_code == 422


def test_lists_say_who_comes_and_count_what_is_given_apart(app, session, client, clock):
    session.get(FarmProfile, 1).partner = "Épicerie solidaire"
    session.commit()
    clock.move_to(CUTOFF)
    client.sign_in(CAMILLE)
    client.get(PAGE)
    assert client.submit(HERE, LOUISE).status_code == 303
    code = rows(session)[0][2]
    papers = [f"/ferme/livraisons/{TUESDAY}/mardi/{name}" for name in ("liste", "emargement")]
    staff = app.test_client()
    staff.sign_in(STAFF)
    for paper in papers:
        assert f"Aubert Camille retiré par Louise Roux, code {code}" in text_of(staff.get(paper))
    assert f"Louise Roux vient pour quelqu'un, code {code}" in text_of(
        staff.get(f"{PAGE_OF_STAFF}/preparation")
    )
    assert client.submit(HERE, {"partenaire": "oui"}).status_code == 303
    for paper in papers:
        said = text_of(staff.get(paper))
        assert "Épicerie solidaire" in said and "Aubert" not in said, "given without one's name"
    assert "Dont 2 paniers donnés à Épicerie solidaire" in text_of(staff.get(papers[0]))
    assert "Dont 2 paniers donnés à Épicerie solidaire" in text_of(staff.get(f"{PAGE_OF_STAFF}/preparation"))
    table = staff.submit(f"{PAGE_OF_STAFF}/liste/export", {"format": "csv"}).get_data(as_text=True)
    assert "Épicerie solidaire" in table and "Aubert" not in table


PAGE_OF_STAFF = f"/ferme/livraisons/{TUESDAY}/mardi"
