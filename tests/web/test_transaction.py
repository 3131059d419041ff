"""One commit a request, at its end, or none at all."""

import pytest
from flask import Flask
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError

from portal.infra.orm import db
from portal.profile.models import News


def news(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(News)) or 0


@pytest.mark.parametrize(
    ("status", "written"), [(200, 1), (204, 1), (303, 1), (399, 1), (400, 0), (422, 0), (503, 0)]
)
def test_an_answer_below_400_commits_and_no_other(probe: Flask, status: int, written: int) -> None:
    before = news(probe)
    assert probe.test_client().post(f"/essai/ecrit/{status}").status_code == status
    assert news(probe) == before + written


@pytest.mark.parametrize(
    ("path", "status"), [("/essai/abandonne/404", 404), ("/essai/casse", 500), ("/essai/occupe", 503)]
)
def test_what_is_given_up_or_breaks_is_rolled_back(probe: Flask, path: str, status: int) -> None:
    before = news(probe)
    assert probe.test_client().post(path).status_code == status
    assert news(probe) == before


def test_a_get_that_writes_fails_and_writes_nothing(probe: Flask) -> None:
    before = news(probe)
    assert probe.test_client().get("/essai/ecrit/200").status_code >= 500
    assert news(probe) == before
    assert probe.test_client().post("/essai/ecrit/200").status_code == 200, "the next one may write again"


def test_a_commit_that_fails_answers_503_and_writes_nothing(probe: Flask) -> None:
    before = news(probe)

    def lock(_session: object) -> None:
        raise OperationalError("COMMIT", {}, Exception("database is locked"))

    with probe.app_context():
        event.listen(db.session, "before_commit", lock)
    try:
        answered = probe.test_client().post("/essai/ecrit/200")
    finally:
        event.remove(db.session, "before_commit", lock)
    assert answered.status_code == 503
    assert answered.headers["Retry-After"]
    assert news(probe) == before
