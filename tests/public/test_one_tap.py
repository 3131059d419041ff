"""The links of mails that skip a box or take it back: opening one changes nothing, one press acts, until the cutoff."""

from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.planning.taps import Tap, tap_token
from tests import world
from tests.accounts.people import account_of
from tests.client import Browser
from tests.shop.making import article, order
from tests.world import CUTOFF, NOW

WEEK = date(2026, 6, 15)


def way(account: Account, *subscription_ids: int, skip: bool = True) -> str:
    return f"/lien/panier/{tap_token(account, Tap(subscription_ids or (1, 2), WEEK, skip))}"


def skips(session: Session) -> dict[int, bool | None]:
    session.rollback()
    return dict(session.execute(select(BoxChange.subscription_id, BoxChange.skip)).all())


def trail(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def test_opening_changes_nothing_one_press_skips_and_the_mail_s_link_takes_back(
    session: Session, client: Browser
) -> None:
    camille = account_of(session, world.CAMILLE)
    link = way(camille)
    for page in (client.get(link), client.get(link), client.head(link)):
        assert page.status_code == 200
        assert (page.headers["Cache-Control"], page.headers["X-Robots-Tag"]) == ("no-store", "noindex")
    assert "Halle de Serres" in client.get(link).text
    assert skips(session) == {}
    assert client.post(link).status_code == 403, "no form of ours"
    assert client.submit(link).status_code == 303
    assert "Un mail vous le confirme." in client.get(link).text
    assert client.submit(link).status_code == 303, "once more is no more"
    assert skips(session) == {1: True, 2: True}
    assert trail(session).count("box.tap") == 2
    assert "sont sautés" in client.get(link).text
    [mail] = session.scalars(select(Mail)).all()
    assert mail.text
    back = urlsplit(next(word for word in mail.text.split() if "/lien/panier/" in word)).path
    assert back in client.get(link).text, "the page's one button undoes it"
    assert client.submit(back).status_code == 303
    assert skips(session) == {1: None, 2: None}
    by = set(session.scalars(select(AuditEvent.account_id).where(AuditEvent.action == "box.tap")))
    assert by == {camille.id}


def test_past_the_cutoff_nothing_is_done_and_what_is_still_possible_is_said(
    session: Session, client: Browser, clock: time_machine.Traveller
) -> None:
    link = way(account_of(session, world.CAMILLE))
    clock.move_to(CUTOFF - timedelta(milliseconds=1))
    client.get(link)
    clock.move_to(CUTOFF)
    answer = client.submit(link)
    assert (answer.status_code, skips(session)) == (422, {})
    for text in (answer.text, client.get(link).text):
        assert "Confier ou donner" in text and "/livraisons/2026-06-16/mardi" in text
        assert "Sauter ces paniers" not in text
    clock.move_to(NOW + timedelta(days=7))
    assert client.get(link).status_code == client.submit(link).status_code == 410


def test_an_order_that_travels_with_it_is_never_left_behind(session: Session, client: Browser) -> None:
    order(session, {article(session): 1})
    session.commit()
    answer = client.submit(way(account_of(session, world.CAMILLE)))
    assert (answer.status_code, skips(session)) == (422, {})
    assert "/planning/2026-06-15" in answer.text


@pytest.mark.parametrize("change", ["cut", "altered", "other's box", "closed", "signed out everywhere"])
def test_no_other_link_opens_anything(session: Session, client: Browser, change: str) -> None:
    camille = account_of(session, world.CAMILLE)
    link = way(camille)
    match change:
        case "cut":
            link = link[:-1]
        case "altered":
            link = link.replace("/panier/W", "/panier/X")
        case "other's box":
            link = way(camille, 3)
        case "closed":
            camille.active = False
        case _:
            camille.fs_uniquifier = "another one"
    session.commit()
    client.get("/connexion")
    assert client.get(link).status_code == client.submit(link).status_code == 410
    assert skips(session) == {}


def test_whoever_shares_the_boxes_skips_them_in_their_own_name(
    app: Flask, session: Session, client: Browser
) -> None:
    camille, yacine = account_of(session, world.CAMILLE), account_of(session, world.YACINE)
    yacine.payer_id = camille.id
    session.commit()
    link = way(yacine, 1)
    client.get(link)
    assert client.submit(link).status_code == 303
    assert skips(session) == {1: True}
    assert set(session.scalars(select(AuditEvent.account_id))) == {yacine.id}
    assert set(session.scalars(select(Mail.recipient))) == {world.CAMILLE, world.YACINE}
