"""Subscribing by the pages, as a person does."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.profile.models import Conditions
from tests.client import Browser
from tests.shop.buying import CONTACT
from tests.world import NOW

JOIN = "/abonnement/nouveau"
POINT, DELIVERIES, ACCOUNT, SUMMARY = (
    f"{JOIN}/{name}" for name in ("point-de-retrait", "livraisons", "compte", "recapitulatif")
)
SEEN = re.compile('name="vu" value="(.+?)"')


def publish_conditions(session: Session) -> None:
    """Without them nobody can order."""
    session.add(Conditions(text="# Qui vend\n\nLa ferme.", published_at=NOW - timedelta(days=90)))
    session.commit()


def choose(
    browser: Browser, formula: int = 1, point: int = 1, rhythm: str = "weekly", **more: Any
) -> TestResponse:
    """Answer the questions one by one; where the last answer leads."""
    browser.get(JOIN)
    panier = {"formule": formula, "quantite": more.get("quantity", 1), "avec": more.get("beside", 0)}
    browser.submit(JOIN, panier)
    browser.submit(POINT, {"point": point})
    return browser.submit(DELIVERIES, {"rythme": rhythm, "debut": more.get("since", 0)})


def order_form(browser: Browser) -> dict[str, Any]:
    """The form of the summary as it now stands, filled in."""
    seen = SEEN.search(browser.get(SUMMARY).text)
    return {**CONTACT, "reglement": "transfer", "vu": seen[1] if seen else ""}


def join(browser: Browser, **chosen: Any) -> TestResponse:
    choose(browser, **chosen)
    return browser.submit(SUMMARY, order_form(browser))
