"""Finding people: by who they are and by what they receive."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.companies import COMPANY, CompanyView, Identity
from portal.accounts.models import (
    FIRST_CUSTOMER_NUMBER,
    Account,
    Address,
    Company,
    CompanyState,
    account_role,
    customer_number,
)
from portal.boxes.models import Basket, Suspension
from portal.catalogue.models import Formula
from portal.deliveries.models import Delivery
from portal.infra.orm import View
from portal.pickup.models import PickupPoint
from portal.rules.alphabet import search_words
from portal.rules.calendar import monday_of
from portal.subscriptions.models import Subscription, Term

LONGEST = 100
"""Letters of a search; nobody is called more."""


class Standing(StrEnum):
    """Where somebody stands with the farm; its word is in the templates."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """One subscription at least, today."""
    ENDED = "ended"
    NEVER = "never"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom one looks for; nothing narrows by itself."""

    text: str = ""
    point_id: int | None = None
    formula_id: int | None = None
    standing: Standing | None = None
    company: CompanyState | None = None
    weeks_without: int | None = None
    """No box of theirs was or is on its way for so long."""
    among: Select[Any] | None = None
    """The accounts that somebody above the plannings knows: who owes something."""

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) not in (None, "") for field in fields(self))


@dataclass(frozen=True, slots=True)
class PersonLine:
    """Somebody in a list."""

    id: int
    first_name: str
    last_name: str
    email: str
    phone: str | None
    standing: Standing
    staff: bool
    company: CompanyView | None

    @property
    def number(self) -> str:
        return customer_number(self.id)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"

    @property
    def on_papers(self) -> Identity | None:
        """The company that papers name."""
        approved = self.company is not None and self.company.state is CompanyState.APPROVED
        return self.company.identity if self.company and approved else None


@dataclass(frozen=True, slots=True)
class HeldLine:
    """What somebody receives, in a list."""

    account_id: int
    subscription_id: int
    formula: str
    quantity: int
    point: str


@dataclass(frozen=True, slots=True)
class People:
    """A page of those who were found, and how many there are."""

    lines: list[PersonLine]
    held: dict[int, list[HeldLine]]
    total: int


def find_people(session: Session, wanted: Wanted, today: date, *, page: int, size: int) -> People:
    """One page, from 0, in alphabetical order."""
    which = list(_conditions(wanted, today))
    total = session.scalar(select(func.count(Account.id)).where(*which)) or 0
    in_order = (Account.search_key, Account.id)
    # apart: how each of these stands is looked up for a page, not reckoned for all
    shown = select(Account.id).where(*which).order_by(*in_order).offset(page * size).limit(size).subquery()
    lines = session.scalars(
        select(_line(today))
        .select_from(Account)
        .join(shown, shown.c.id == Account.id)
        .outerjoin(Company, Company.account_id == Account.id)
        .order_by(*in_order)
    ).all()
    return People(list(lines), _held(session, [line.id for line in lines], today), total)


def _conditions(wanted: Wanted, today: date) -> Iterable[ColumnElement[bool]]:
    for word in search_words(wanted.text[:LONGEST]):
        yield is_found_by(word)
    if wanted.standing is not None:
        yield _standing(today) == wanted.standing.value
    if wanted.company is not None:
        yield Account.id.in_(select(Company.account_id).where(Company.state == wanted.company))
    if wanted.among is not None:
        yield Account.id.in_(wanted.among)
    receives = [_live(today), Term.until.is_(None) | (Term.until > today)]
    if wanted.point_id is not None:
        yield _with_term(*receives, Term.pickup_point_id == wanted.point_id)
    if wanted.formula_id is not None:
        yield _with_term(*receives, Term.formula_id == wanted.formula_id)
    if wanted.weeks_without is not None:
        since = today - timedelta(weeks=wanted.weeks_without)
        lately = select(Subscription.account_id).join(Basket, Basket.subscription_id == Subscription.id)
        lately = lately.join(Delivery, Delivery.id == Basket.delivery_id)
        lately = lately.where(Delivery.day >= since, Delivery.cancelled_at.is_(None), Basket.quantity > 0)
        yield Account.id.in_(select(Subscription.account_id))
        yield Account.id.not_in(lately)


def is_found_by(word: str) -> ColumnElement[bool]:
    """In their name, mail address, telephone or postal address, or as their number."""
    lives = select(Address.account_id).where(
        Address.archived_at.is_(None), Address.search_key.contains(word, autoescape=True)
    )
    found = or_(Account.search_key.contains(word, autoescape=True), Account.id.in_(lives))
    number = word.removeprefix("c")
    if number.isascii() and number.isdecimal() and len(number) in range(5, 10):
        return or_(found, Account.id == int(number) - FIRST_CUSTOMER_NUMBER)
    return found


def _live(today: date) -> ColumnElement[bool]:
    return or_(Subscription.last_day.is_(None), Subscription.last_day >= today)


def _with_term(*which: ColumnElement[bool]) -> ColumnElement[bool]:
    held = select(Subscription.account_id).join(Term, Term.subscription_id == Subscription.id)
    return Account.id.in_(held.where(*which))


def _standing(today: date) -> ColumnElement[str]:
    mine = Subscription.account_id == Account.id
    pausing = and_(
        Suspension.subscription_id == Subscription.id,
        Suspension.ended_at.is_(None),
        Suspension.first_day <= today,
        Suspension.last_day >= today,
    )
    return case(
        (~Account.active, Standing.CLOSED.value),
        (exists().where(mine, _live(today), pausing), Standing.SUSPENDED.value),
        (exists().where(mine, _live(today)), Standing.ACTIVE.value),
        (exists().where(mine), Standing.ENDED.value),
        else_=Standing.NEVER.value,
    )


def _line(today: date) -> View[PersonLine]:
    return View(
        PersonLine,
        id=Account.id,
        first_name=Account.first_name,
        last_name=Account.last_name,
        email=Account.email,
        phone=Account.phone,
        standing=_standing(today),
        staff=exists().where(account_role.c.account_id == Account.id),
        company=COMPANY,
    )


def _held(session: Session, account_ids: Collection[int], today: date) -> dict[int, list[HeldLine]]:
    """What they receive this week, or first; what has ended is left out."""
    ahead: Select[Any] = (
        select(
            View(
                HeldLine,
                account_id=Subscription.account_id,
                subscription_id=Subscription.id,
                formula=Formula.name,
                quantity=Term.quantity,
                point=PickupPoint.name,
            )
        )
        .join(Term, Term.subscription_id == Subscription.id)
        .join(Term.formula)
        .join(Term.pickup_point)
        .where(
            Subscription.account_id.in_(account_ids),
            _live(today),
            or_(Term.until.is_(None), Term.until > monday_of(today)),
        )
        .order_by(Subscription.id, Term.monday)
    )
    held: dict[int, list[HeldLine]] = {}
    known: set[int] = set()
    for line in session.scalars(ahead):
        if line.subscription_id not in known:
            known.add(line.subscription_id)
            held.setdefault(line.account_id, []).append(line)
    return held
