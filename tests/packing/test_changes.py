"""What changed since each person's box before: what everybody at a point should know before the doors open."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.deliveries.models import Delivery
from portal.packing.changes import What, news
from portal.packing.queries import packing_list
from portal.pickup.models import PickupPoint
from portal.rules.calendar import Rhythm, fortnight_of, monday_of
from portal.rules.money import Money
from portal.subscriptions.models import Subscription, Term
from tests import crowd
from tests.composing import delivery_on, formula
from tests.world import NOW, TUESDAY

LAST_WEEK, BEFORE_LAST = TUESDAY - timedelta(weeks=1), TUESDAY - timedelta(weeks=2)
WEEK = monday_of(TUESDAY)
THESE_WEEKS = Rhythm.FORTNIGHT_A if fortnight_of(WEEK) == "A" else Rhythm.FORTNIGHT_B


def subscribe(
    session: Session, name: str, box: str = "petit", point: str = "gare", rhythm: Rhythm = Rhythm.WEEKLY
) -> Subscription:
    """One of somebody's boxes; a second one of the same name is the same person's."""
    account = session.scalar(select(Account).where(Account.last_name == name)) or Account(
        email=f"{name}@example.org", fs_uniquifier=name, first_name="", last_name=name, created_at=NOW
    )
    place = session.scalars(select(PickupPoint).where(PickupPoint.slug == point)).one()
    term = Term(
        monday=date(2026, 1, 5),
        formula_id=formula(session, box),
        quantity=1,
        rhythm=rhythm,
        pickup_point=place,
    )
    made = Subscription(account=account, created_at=NOW, terms=[term])
    session.add(made)
    session.flush()
    return made


def received(
    session: Session, whose: Subscription, *days: date, box: str = "petit", point: str = "gare"
) -> None:
    for day in days:
        session.add(
            Basket(
                subscription_id=whose.id,
                week=monday_of(day),
                delivery_id=delivery_on(session, day).id,
                formula_id=formula(session, box),
                quantity=1,
                billed_quantity=1,
                pickup_point_id=session.scalars(
                    select(PickupPoint.id).where(PickupPoint.slug == point)
                ).one(),
                unit_price=Money(1150),
                vat_basis_points=550,
            )
        )
    session.flush()


def said(session: Session) -> dict[str, dict[str, list[str]]]:
    """Point → name → what has changed, and for boxes from what to what."""
    found = news(session, delivery_on(session, TUESDAY))
    return {
        point.slug: {person.last_name: [words(change) for change in person.changes] for person in concerned}
        for point, concerned in found.stops
    }


def words(change) -> str:
    boxes = [
        " ".join(f"{item.quantity} {item.formula.slug}" for item in items)
        for items in (change.before, change.now)
    ]
    return " ".join(filter(None, (change.what, *boxes, change.place, str(change.day or ""))))


@pytest.fixture(autouse=True)
def camille_as_ever(session: Session) -> None:
    """She had her boxes the last times, at the Halle: nothing to say of her."""
    grand, eggs = session.scalars(
        select(Subscription)
        .join(Subscription.account)
        .where(Account.last_name == "Aubert")
        .order_by(Subscription.id)
    )
    received(session, grand, BEFORE_LAST, LAST_WEEK, box="grand", point="halle")
    received(session, eggs, BEFORE_LAST, LAST_WEEK, box="oeufs", point="halle")


def test_who_receives_the_same_at_the_same_point_is_not_named(session):
    received(session, subscribe(session, "Pareil"), BEFORE_LAST, LAST_WEEK)
    fortnightly = subscribe(session, "Quinzaine", rhythm=THESE_WEEKS)
    received(session, fortnightly, BEFORE_LAST - timedelta(weeks=1), BEFORE_LAST)
    assert said(session) == {}


def test_each_change_is_said_at_the_point_where_the_box_is_looked_for(session):
    subscribe(session, "Nouveau")
    received(session, subscribe(session, "Seconde"), LAST_WEEK)
    received(session, subscribe(session, "Retour"), BEFORE_LAST - timedelta(weeks=1), BEFORE_LAST)
    received(session, subscribe(session, "Agrandi", "grand"), BEFORE_LAST, LAST_WEEK)
    received(session, subscribe(session, "Ailleurs"), BEFORE_LAST, LAST_WEEK, point="halle")
    absent, suspended, ended, gone = (subscribe(session, name) for name in ("Saute", "Pause", "Fini", "Loin"))
    received(session, absent, BEFORE_LAST, LAST_WEEK)
    session.add(BoxChange(subscription_id=absent.id, week=WEEK, skip=True, skip_at=NOW, changed_at=NOW))
    session.add(Suspension(subscription_id=suspended.id, first_day=TUESDAY, last_day=TUESDAY, made_at=NOW))
    ended.last_day, gone.last_day = LAST_WEEK, BEFORE_LAST
    with_more = subscribe(session, "Poulette")
    received(session, with_more, BEFORE_LAST, LAST_WEEK)
    subscribe(session, "Poulette", "oeufs")
    session.flush()
    assert said(session) == {
        "gare": {
            "Agrandi": ["box 1 petit 1 grand"],
            "Ailleurs": ["point 1 petit Halle de Serres"],
            "Fini": ["ended 1 petit"],
            "Nouveau": ["first 1 petit"],
            "Pause": ["absent 1 petit"],
            "Poulette": ["added 1 oeufs"],
            "Retour": [f"back 1 petit {BEFORE_LAST}"],
            "Saute": ["absent 1 petit"],
            "Seconde": ["second 1 petit"],
        }
    }


def test_a_cancelled_delivery_and_a_box_taken_off_are_no_box_before(session):
    whose = subscribe(session, "Deux")
    received(session, whose, BEFORE_LAST, LAST_WEEK)
    session.execute(update(Delivery).where(Delivery.day == BEFORE_LAST).values(cancelled_at=NOW))
    assert said(session)["gare"] == {"Deux": ["second 1 petit"]}
    session.execute(update(Basket).where(Basket.subscription_id == whose.id).values(quantity=0))
    assert said(session)["gare"] == {"Deux": ["first 1 petit"]}


def test_the_first_two_deliveries_of_somebody_are_packed_with_more_care(session):
    for name, days in (("Une", ()), ("Deux", (LAST_WEEK,)), ("Trois", (BEFORE_LAST, LAST_WEEK))):
        received(session, subscribe(session, name), *days)
    found = packing_list(session, delivery_on(session, TUESDAY))
    [_, station] = found.stops
    assert {r.last_name: r.beginner for r in station.recipients} == {
        "Deux": True,
        "Trois": False,
        "Une": True,
    }


def test_it_takes_the_same_number_of_statements_for_few_and_for_many(session, count_queries):
    def statements() -> int:
        session.expire_all()
        with count_queries() as seen:
            assert news(session, delivery_on(session, TUESDAY)).people
        return len(seen)

    crowd.add(session, 3)
    few = statements()
    crowd.add(session, 60, start=3)
    assert statements() == few <= 9
    assert {What.FIRST, What.ABSENT} <= {
        change.what
        for _, concerned in news(session, delivery_on(session, TUESDAY)).stops
        for person in concerned
        for change in person.changes
    }
