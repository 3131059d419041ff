"""The application with a few routes more, which do what ours must never do."""

from collections.abc import Iterator

import pytest
from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError

from portal import create_app
from portal.infra import clock
from portal.infra.orm import db
from portal.profile.models import News

SECRET_WORDS = "iban FR7630006000011234567890189"


def write() -> None:
    db.session.add(News(title="Essai", text="Écrit pendant la requête.", published_at=clock.now()))
    db.session.flush()


@pytest.fixture
def probe(app: Flask) -> Iterator[Flask]:
    made = create_app(app.config["SETTINGS"])
    made.config["WTF_CSRF_ENABLED"] = False
    made.testing = False  # an error becomes an answer, as in production

    @made.route("/essai/ecrit/<int:status>", methods=["GET", "POST"])
    def write_and_answer(status: int) -> ResponseReturnValue:
        write()
        return "", status

    @made.route("/essai/abandonne/<int:status>", methods=["GET", "POST"])
    def write_and_abort(status: int) -> ResponseReturnValue:
        if request.method == "POST":
            write()
        abort(status)

    @made.route("/essai/casse", methods=["GET", "POST"])
    def break_down() -> ResponseReturnValue:
        if request.method == "POST":
            write()
        raise LookupError(SECRET_WORDS)

    @made.route("/essai/occupe", methods=["GET", "POST"])
    def busy() -> ResponseReturnValue:
        if request.method == "POST":
            write()
        raise OperationalError(f"SELECT '{SECRET_WORDS}'", {}, Exception("database is locked"))

    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
