"""Subscribing by the pages, as a person does."""

import re
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.pickup.models import PickupPoint
from portal.planning.drafts import Choice
from portal.planning.models import JoiningDraft, Waiting
from portal.profile.models import Conditions
from portal.rules.calendar import Rhythm
from tests.client import Browser
from tests.shop.buying import CONTACT
from tests.world import CAMILLE, NOW

JOIN = "/abonnement/nouveau"
POINT, DELIVERIES, ACCOUNT, SUMMARY = (
    f"{JOIN}/{name}" for name in ("point-de-retrait", "livraisons", "compte", "recapitulatif")
)
LARGE = 2
SEEN = re.compile('name="vu" value="(.+?)"')


def publish_conditions(session: Session) -> None:
    """Without them nobody can order."""
    session.add(Conditions(text="# Qui vend\n\nLa ferme.", published_at=NOW - timedelta(days=90)))
    session.commit()


def begin(session: Session) -> None:
    """Camille has chosen another box, and waits for a place."""
    camille = session.scalars(select(Account).where(Account.email == CAMILLE)).one()
    points = dict(session.execute(select(PickupPoint.slug, PickupPoint.id)).all())
    chosen = Choice(LARGE, point_id=points["gare"], rhythm=Rhythm.WEEKLY)
    session.add_all(
        (
            JoiningDraft(account_id=camille.id, chosen=chosen.kept, changed_at=NOW),
            Waiting(
                account_id=camille.id,
                pickup_point_id=points["cafe"],
                formula_id=LARGE,
                quantity=1,
                asked_at=NOW,
            ),
        )
    )


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
