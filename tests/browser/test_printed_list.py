"""The list that is frozen at the cutoff, on the paper that the farm packs by; and the papers of orders."""

import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select
from time_machine import Traveller

from portal.accounts.models import Account
from portal.boxes.models import Basket
from portal.deliveries.models import Delivery
from portal.infra.orm import own_transaction
from portal.pickup.models import PickupPoint
from portal.subscriptions.models import Subscription
from tests import crowd
from tests.browser.helpers import work
from tests.shop.making import article, order
from tests.world import CUTOFF, STAFF, TUESDAY

PEOPLE = 120
GUESTS = 60


def test_everybody_is_once_under_their_point_and_every_page_says_which(
    app: Flask, browse: Callable[..., Page], clock: Traveller, tmp_path: Path
) -> None:
    with own_transaction() as session:
        crowd.add(session, PEOPLE)
    clock.move_to(CUTOFF + timedelta(minutes=1))
    work(app)
    page = browse(STAFF)
    page.goto("/ferme/livraisons/2026-06-16/mardi/liste")
    summary, *pages = printed(page, tmp_path)

    expected = frozen_names()
    assert len(pages) > len(expected) > 1, "at least one point fills more than one page"
    assert "Récapitulatif" in summary
    heads = [one_head(sheet, list(expected)) for sheet in pages]
    assert heads == sorted(heads, key=list(expected).index), "point after point"
    for point, names in expected.items():
        sheets = " ".join(sheet for sheet, head in zip(pages, heads, strict=True) if head == point)
        assert {name: sheets.count(name) for name in names} == dict.fromkeys(names, 1)
        others = [name for others in expected.values() for name in others if name not in names]
        assert not [name for name in others if name in sheets]
    for number, sheet in enumerate([summary, *pages], 1):
        assert "mardi 16 juin 2026" in sheet
        assert "Liste arrêtée le dimanche 14 juin, 23 h 59" in sheet
        assert f"{number}/{len(pages) + 1}" in sheet
        assert "€" not in sheet


@pytest.mark.parametrize(
    ("sheet", "on_each"), [("bordereaux", "16 juin"), ("points", "Imprimée le mercredi 10 juin")]
)
def test_each_order_is_once_on_paper_and_each_page_says_what_it_is(
    app: Flask, browse: Callable[..., Page], tmp_path: Path, sheet: str, on_each: str
) -> None:
    with own_transaction() as session:
        honey, juice = article(session), article(session, "Jus")
        numbers = [
            order(session, {honey: 2, juice: 1}, email=None, point=("halle", "gare")[n % 2]).number
            for n in range(GUESTS)
        ]
    page = browse(STAFF)
    page.goto(f"/ferme/commandes/2026-06-16/mardi/{sheet}")
    pages = printed(page, tmp_path)
    assert len(pages) > 2
    words = " ".join(pages)
    assert {number: words.count(number) for number in numbers} == dict.fromkeys(numbers, 1)
    assert all(on_each in paper.replace("\u00a0", " ") for paper in pages)


def printed(page: Page, folder: Path) -> list[str]:
    """What stands on each sheet of paper."""
    paper = folder / "list.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    text = subprocess.run(
        ["pdftotext", "-layout", paper, "-"], check=True, capture_output=True, text=True
    ).stdout
    return [re.sub(r"\s+", " ", sheet) for sheet in text.split("\f") if sheet.strip()]


def one_head(sheet: str, points: list[str]) -> str:
    [point] = [point for point in points if point in sheet]
    return point


def frozen_names() -> dict[str, list[str]]:
    """Who receives a box at each point, in the order of the round."""
    names: dict[str, list[str]] = {}
    with own_transaction() as session:
        rows = session.execute(
            select(PickupPoint.name, Account.last_name, Account.first_name)
            .select_from(Basket)
            .join(PickupPoint, PickupPoint.id == Basket.pickup_point_id)
            .join(Subscription, Subscription.id == Basket.subscription_id)
            .join(Account, Account.id == Subscription.account_id)
            .join(Delivery, Delivery.id == Basket.delivery_id)
            .where(Delivery.day == TUESDAY)
            .order_by(PickupPoint.position)
            .distinct()
        )
        for point, last, first in rows:
            names.setdefault(point, []).append(f"{last} {first}")
    return names
