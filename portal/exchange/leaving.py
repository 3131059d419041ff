"""People and what they receive, as they leave in a table: headed so that the same table can come in again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address, customer_number
from portal.catalogue.models import Formula
from portal.infra.orm import View
from portal.pickup.models import PickupPoint
from portal.planning.people import PersonLine, Wanted, find_people
from portal.rules.calendar import Rhythm
from portal.subscriptions.models import Subscription, Term

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody's bills go."""

    account_id: int
    street: str
    postcode: str
    town: str


_PLACES = select(
    View(
        Place,
        account_id=Address.account_id,
        street=Address.street,
        postcode=Address.postcode,
        town=Address.town,
    )
).where(Address.billing, Address.archived_at.is_(None))


def people(session: Session, wanted: Wanted, today: date) -> Iterator[tuple[PersonLine, Place | None]]:
    """Those who are looked for, some at a time."""
    for page in count():
        lines = find_people(session, wanted, today, page=page, size=AT_ONCE).lines
        places = {
            place.account_id: place
            for place in session.scalars(_PLACES.where(Address.account_id.in_([line.id for line in lines])))
        }
        yield from ((line, places.get(line.id)) for line in lines)
        if len(lines) < AT_ONCE:
            return


@dataclass(frozen=True, slots=True)
class Held:
    """A subscription by its latest terms."""

    account_id: int
    email: str
    first_name: str
    last_name: str
    formula: str
    quantity: int
    rhythm: Rhythm
    point: str
    start: date
    last_day: date | None

    @property
    def number(self) -> str:
        return customer_number(self.account_id)


def subscriptions(session: Session, today: date) -> Iterator[Held]:
    """Those that have not ended, person by person: what has ended is in the archive."""
    first = (
        select(Term.subscription_id, func.min(Term.monday).label("monday"))
        .group_by(Term.subscription_id)
        .subquery()
    )
    held = View(
        Held,
        account_id=Account.id,
        email=Account.email,
        first_name=Account.first_name,
        last_name=Account.last_name,
        formula=Formula.name,
        quantity=Term.quantity,
        rhythm=Term.rhythm,
        point=PickupPoint.name,
        start=first.c.monday,
        last_day=Subscription.last_day,
    )
    yield from session.scalars(
        select(held)
        .select_from(Subscription)
        .join(Subscription.account)
        .join(Term, Term.subscription_id == Subscription.id)
        .join(Term.formula)
        .join(Term.pickup_point)
        .join(first, first.c.subscription_id == Subscription.id)
        .where(Term.until.is_(None), or_(Subscription.last_day.is_(None), Subscription.last_day >= today))
        .order_by(Account.search_key, Account.id, Subscription.id)
        .execution_options(yield_per=AT_ONCE)
    )
