"""To whom a campaign goes: who has asked for its topic, among those whose boxes it names."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts import consents
from portal.accounts.models import Account
from portal.billing.holding import owing
from portal.boxes.carried import carried
from portal.messages.models import Campaign
from portal.rules.calendar import monday_of
from portal.rules.consents import Topic
from portal.subscriptions.models import Subscription, Term


class Balance(StrEnum):
    """Where somebody's books stand."""

    OWING = "owing"
    EVEN = "even"


@dataclass(frozen=True, slots=True)
class Audience:
    """Without a topic: all who receive boxes. Points, formulas and a delivery leave those whose boxes are such,
    a balance those who owe something, or nothing."""

    topic: Topic | None = None
    points: tuple[int, ...] = ()
    formulas: tuple[int, ...] = ()
    delivery: int | None = None
    balance: Balance | None = None

    @property
    def filter(self) -> dict[str, Any]:
        """As the campaign keeps it."""
        return {
            "points": list(self.points),
            "formulas": list(self.formulas),
            "delivery": self.delivery,
            "balance": self.balance,
        }

    @property
    def names_boxes(self) -> bool:
        return bool(self.points or self.formulas or self.delivery)


def of_campaign(campaign: Campaign) -> Audience:
    kept = campaign.audience
    balance = kept.get("balance")  # not in those of before there were books
    return Audience(
        campaign.topic,
        tuple(kept["points"]),
        tuple(kept["formulas"]),
        kept["delivery"],
        Balance(balance) if balance else None,
    )


def readers(audience: Audience, today: date) -> Select[int]:
    """Their accounts; whoever shares somebody's subscriptions reads what is written about them, too."""
    found = willing(audience.topic)
    payer = func.coalesce(Account.payer_id, Account.id)
    if audience.topic is None or audience.names_boxes:
        found = found.where(payer.in_(_receivers(audience, today)))
    match audience.balance:
        case Balance.OWING:
            found = found.where(payer.in_(owing(today)))
        case Balance.EVEN:
            found = found.where(payer.not_in(owing(today)))
    return found


def willing(topic: Topic | None) -> Select[int]:
    """Who may be written to: who has asked for it, of what concerns their boxes everybody."""
    found = select(Account.id).where(Account.active, Account.erased_at.is_(None))
    return found if topic is None else found.where(Account.id.in_(consents.agreeing(topic)))


@dataclass(frozen=True, slots=True)
class Reader:
    id: int
    name: str
    email: str


def list_readers(session: Session, audience: Audience, today: date, limit: int) -> list[Reader]:
    """Some of them, by name."""
    who = select(Account.id, Account.first_name, Account.last_name, Account.email)
    named = who.where(Account.id.in_(readers(audience, today))).order_by(
        Account.last_name, Account.first_name, Account.id
    )
    return [
        Reader(id, f"{first} {last}", email) for id, first, last, email in session.execute(named.limit(limit))
    ]


def count_readers(session: Session, audience: Audience, today: date) -> int:
    return session.scalar(select(func.count()).select_from(readers(audience, today).subquery())) or 0


def _receivers(audience: Audience, today: date) -> Select[int]:
    """Who receives such boxes: with the delivery as things stand, else by the terms that hold or will."""
    if audience.delivery is not None:
        boxes = carried([audience.delivery])
        found = select(Subscription.account_id).join(boxes, boxes.c.subscription_id == Subscription.id)
        return _such(found.where(boxes.c.quantity > 0), audience, boxes.c.pickup_point_id, boxes.c.formula_id)
    live = (
        or_(Subscription.last_day.is_(None), Subscription.last_day >= today),
        or_(Term.until.is_(None), Term.until > monday_of(today)),
    )
    found = select(Subscription.account_id).join(Term, Term.subscription_id == Subscription.id).where(*live)
    return _such(found, audience, Term.pickup_point_id, Term.formula_id)


def _such(found: Select[int], audience: Audience, point: Any, formula: Any) -> Select[int]:
    if audience.points:
        found = found.where(point.in_(audience.points))
    return found.where(formula.in_(audience.formulas)) if audience.formulas else found
