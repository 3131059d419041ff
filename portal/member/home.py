"""The subscriber's home: the next box, and what comes with it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.billing.mandates import awaits_signature
from portal.compositions.queries import shown_contents
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, holder, member
from portal.member.payments import standing
from portal.planning.handovers import handing
from portal.planning.queries import Card, cost
from portal.planning.queries import planning as read_planning
from portal.planning.suspensions import running
from portal.profile.queries import latest_news
from portal.rules.calendar import monday_of
from portal.rules.cutoffs import local_day
from portal.rules.planning import Absence

HORIZON = timedelta(weeks=6)
CANCELLED_WEEKS = 4
"""For how many weeks it is said that the farm does not deliver."""

AFTER = 3
"""How many cards are announced after the next one."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the coming weeks hold, as the home page tells it."""

    next: Card | None
    skipped_before: tuple[Card, ...]
    """Whole cards skipped or postponed before the next box, which can still be taken back; taken off by the farm."""
    next_open: Card | None
    """When the next box is closed: the first one that can still be changed."""
    after: tuple[Card, ...]


def outlook(cards: tuple[Card, ...]) -> Outlook:
    """Sort a person's cards, in date order, into what the home page says."""
    next_card = next((card for card in cards if card.brings), None)
    earlier = cards[: cards.index(next_card)] if next_card else cards
    later = cards[cards.index(next_card) + 1 :] if next_card else ()
    next_open = None
    if next_card and not next_card.can_change:
        next_open = next((card for card in later if card.can_change and card.to_come), None)
    return Outlook(
        next=next_card,
        skipped_before=tuple(
            card for card in earlier if _by_farm(card) or (card.can_change and _by_choice(card))
        ),
        next_open=next_open,
        after=tuple(card for card in later if card is not next_open)[:AFTER],
    )


def _by_choice(card: Card) -> bool:
    """Whether it is that card which was given up; a suspension is told once for all."""
    return bool(card.left) or any(box.absence is Absence.SKIPPED for box in card.boxes)


def _by_farm(card: Card) -> bool:
    return any(box.corrected for box in card.boxes)


def next_context() -> dict[str, Any]:
    """What the fragment « prochain » shows."""
    session, now = db.session(), clock.now()
    today = local_day(now)
    ahead = read_planning(session, holder().id, since=today, until=today + HORIZON, now=now)
    found = outlook(ahead.cards)
    shown = {}
    if found.next:
        shown = shown_contents(
            session, found.next.delivery.id, [(box.formula.id, box.point.id) for box in found.next.to_come]
        )
    this_week = monday_of(today)
    return {
        "outlook": found,
        "cancelled": [d for week in ahead.weeks(this_week, CANCELLED_WEEKS) for d in week.cancelled],
        "shown": shown,
        "spared": cost(session, found.next.to_come) if found.next and found.next.can_change else None,
        "handing": found.next and handing(session, found.next, now),
        "suspensions": running(ahead.holdings, today),
        "has_subscription": bool(ahead.holdings),
        "over": all(
            holding.plan.last_day and holding.plan.last_day < today + HORIZON for holding in ahead.holdings
        ),
        "today": today,
    }


@blueprint.get("/espace")
def home() -> ResponseReturnValue:
    session = db.session()
    return render_template(
        "member/home.html",
        member=member(),
        news=latest_news(session, clock.now()),
        awaits_mandate=awaits_signature(session, member()),
        standing=standing(session, member().id),
        **next_context(),
    )
