"""The mail server is away while people order: they are done, their mail follows, staff see it wait (BAR R3)."""

from datetime import timedelta

from flask import Flask
from time_machine import Traveller

from portal.infra.mail import Sender
from portal.infra.orm import own_transaction
from portal.infra.postman import Postman
from tests.client import Browser
from tests.conftest import settings_for
from tests.infra import smtp
from tests.pages import text_of
from tests.shop.buying import subscriber
from tests.shop.counting import counted, open_to_all
from tests.world import ADMIN, CAMILLE


def test_who_orders_while_the_mail_server_is_away_is_done_and_hears_of_it_once_it_is_back(
    app: Flask, clock: Traveller
) -> None:
    [honey] = counted(app, 10, "Miel")
    with app.app_context(), own_transaction() as session:
        open_to_all(session)
    port = smtp.free_port()
    settings = settings_for("sqlite://", smtp_url=f"smtp://127.0.0.1:{port}")
    carry = Postman(settings, lambda: Sender("La ferme", "ferme@example.org"))
    admin: Browser = app.test_client()  # type: ignore[assignment]
    admin.sign_in(ADMIN)
    answer = subscriber(app, CAMILLE, {honey: 1}).press()
    assert answer.status_code == 303 and "/commandes/" in answer.location
    with app.app_context():
        for _ in range(30):
            assert carry() is False
            clock.shift(timedelta(minutes=1))
        assert "Un mail attend son départ." in text_of(admin.get("/ferme/courrier"))
        with smtp.letterbox(port) as box:
            clock.shift(timedelta(minutes=5))
            while carry():
                pass
            assert [message["To"] for message in box.taken] == [CAMILLE]
        assert "attend son départ" not in text_of(admin.get("/ferme/courrier"))
