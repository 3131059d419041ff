"""A point closed for some days: boxes, orders and guests go to another, hear of it once, and come back."""

from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.carried import counts
from portal.boxes.jobs import freeze_due
from portal.catalogue.queries import formulas
from portal.deliveries.queries import upcoming
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.pickup.queries import closings as all_closings
from portal.pickup.queries import points
from portal.planning import services
from portal.planning.closings import Outcome, Wish, close, preview, reopen
from portal.planning.jobs import tell_of_closings
from portal.planning.queries import Card, planning
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal as ChangeRefusal
from portal.rules.closings import Refusal
from portal.shop.jobs import follow_closings
from portal.shop.models import Order
from portal.shop.travel import point_stops
from portal.subscriptions.models import Subscription, Withheld
from tests import crowd
from tests.planning.test_skip import person
from tests.shop import making
from tests.world import CAMILLE, CUTOFF, NOW, STAFF, TUESDAY

NEXT = TUESDAY + WEEK
AFTER = TUESDAY + 2 * WEEK
Work = Callable[[], list[Mail]]


@pytest.fixture
def staff(session: Session) -> int:
    return session.scalars(select(Account.id).where(Account.email == STAFF)).one()


@pytest.fixture
def work(session: Session) -> Work:
    """Have the worker take all orders along and tell everybody; answers all the mails there are, oldest first."""

    def worked() -> list[Mail]:
        session.commit()
        while follow_closings() or tell_of_closings():
            pass
        session.expire_all()
        return list(session.scalars(select(Mail).order_by(Mail.id)))

    return worked


def wish(
    session: Session, first: date = TUESDAY, last: date = NEXT, point: str = "halle", to: str = "gare"
) -> Wish:
    known = {found.slug: found for found in points(session)}
    return Wish(known[point], known[to], first, last)


def cards(session: Session, email: str = CAMILLE) -> list[Card]:
    account = session.scalars(select(Account.id).where(Account.email == email)).one()
    return list(planning(session, account, since=TUESDAY, until=AFTER, now=NOW).cards)


def there(session: Session) -> list[str]:
    """Where Camille collects, Tuesday by Tuesday."""
    return [card.point.slug for card in cards(session)]


def said(mail: Mail) -> str:
    return " ".join(
        unescape(mail.text).replace("\u202f", " ").replace("\u00a0", " ").replace("’", "'").split()
    )


def test_what_comes_to_a_closed_point_comes_to_its_substitute_and_one_mail_says_so(
    session: Session, staff: int, work: Work
) -> None:
    shown = preview(session, wish(session), NOW)
    assert [(line.delivery.day, line.boxes, line.orders, line.free) for line in shown.diverted] == [
        (TUESDAY, 2, 0, 39),
        (NEXT, 2, 0, 39),
    ]
    assert (shown.people, shown.closed, shown.refusal) == (1, (), None)
    assert close(session, wish(session), "Travaux", by=staff) == Outcome(changed=True, told=1)
    assert close(session, wish(session), "Travaux", by=staff) == Outcome(), "said twice, once is enough"
    assert there(session) == ["gare", "gare", "halle"]
    assert [card.closing and card.closing.reason for card in cards(session)] == ["Travaux", "Travaux", None]
    (mail,) = work()
    assert "Halle de Serres est fermé du mardi 16 juin au mardi 23 juin : Travaux." in said(mail)
    assert "À retirer : Gare de Veynes, 2 place du Village" in said(mail)
    assert work() == [mail], "nobody is told twice"


def test_the_formulas_that_the_substitute_does_not_offer_are_named_before_and_come_all_the_same(
    session: Session, staff: int
) -> None:
    assert preview(session, wish(session), NOW).withheld == ()
    gare = wish(session).substitute.id
    session.add_all(Withheld(pickup_point_id=gare, formula_id=formula.id) for formula in formulas(session))
    session.flush()
    assert preview(session, wish(session), NOW).withheld == ("Grand panier", "Œufs"), (
        "of no other formula comes a box"
    )
    assert close(session, wish(session), "Travaux", by=staff).changed
    assert there(session) == ["gare", "gare", "halle"]


def test_what_has_closed_stays_and_what_is_taken_back_comes_back(
    session: Session, staff: int, work: Work, clock: time_machine.Traveller
) -> None:
    close(session, wish(session, last=AFTER), "Travaux", by=staff)
    work()
    clock.move_to(CUTOFF)
    session.commit()
    freeze_due()
    (closing,) = all_closings(session, TUESDAY)
    assert reopen(session, closing, by=staff) == Outcome(changed=True, told=1)
    assert there(session) == ["gare", "halle", "halle"], "Tuesday has closed meanwhile"
    assert cards(session)[0].closing, "its frozen boxes still say why"
    assert reopen(session, closing, by=staff) == Outcome()
    again = close(session, wish(session), "Panne", by=staff)
    assert again.changed and there(session) == ["gare", "gare", "halle"]
    assert [line.delivery.day for line in preview(session, wish(session), CUTOFF).diverted] == [NEXT]
    news = [said(mail) for mail in work()[1:]]
    assert len(news) == 2 and "de nouveau ouvert" in news[0] and "mardi 23 juin" in news[1]
    assert "mardi 16 juin" not in news[0] and "- mardi 16 juin" not in news[1]


def test_who_was_not_told_of_a_closing_does_not_hear_of_its_end(
    session: Session, staff: int, work: Work
) -> None:
    close(session, wish(session), "Travaux", by=staff)
    (closing,) = all_closings(session, TUESDAY)
    assert reopen(session, closing, by=staff) == Outcome(changed=True, told=0)
    assert work() == [] and there(session) == ["halle", "halle", "halle"]


def test_a_closing_that_is_made_after_the_cutoff_leaves_the_delivery_alone(
    session: Session, staff: int, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)
    close(session, wish(session), "Travaux", by=staff)
    session.commit()
    freeze_due()
    session.expire_all()
    assert there(session) == ["halle", "gare", "halle"]
    tuesday = upcoming(session, TUESDAY, TUESDAY)[0]
    halle = wish(session).point.id
    assert {count.pickup_point_id for count in counts(session, [tuesday.id])[tuesday.id]} == {halle}


def test_orders_follow_and_come_back_and_guests_have_a_mail_of_their_own(
    session: Session, staff: int, work: Work
) -> None:
    honey = making.article(session)
    mine = making.order(session, {honey: 1})
    guest = making.order(session, {honey: 1}, email=None)
    close(session, wish(session), "Travaux", by=staff)
    letters = {mail.recipient: said(mail) for mail in work()}
    assert [order.pickup_point.slug for order in (mine, guest)] == ["gare", "gare"]
    assert mine.number in letters[CAMILLE] and len(letters) == 2, "boxes and orders are one mail"
    assert "Halle de Serres est fermé le mardi 16 juin : Travaux." in letters["emma@example.org"]
    later = making.order(session, {honey: 1}, point="gare")
    later.instead_of_id = wish(session).point.id
    reopen(session, all_closings(session, TUESDAY)[0], by=staff)
    assert services.skip(session, mine.account, [2], monday_of(TUESDAY), wanted=True).changed, (
        "the worker has not been there yet, and yet the order has its box"
    )
    news = work()[2:]
    assert [order.pickup_point.slug for order in (mine, guest, later)] == ["halle"] * 3
    assert {order.instead_of_id for order in session.scalars(select(Order))} == {None}
    assert sorted(mail.recipient for mail in news if "de nouveau ouvert" in said(mail)) == [
        CAMILLE,
        "emma@example.org",
    ]


def test_nobody_newly_goes_to_a_closed_point_on_its_days(session: Session, staff: int) -> None:
    camille, (box, eggs) = person(session, CAMILLE)
    close(session, wish(session, point="gare", to="halle"), "Travaux", by=staff)
    gare = wish(session).substitute
    moved = services.move(session, camille, [box, eggs], monday_of(TUESDAY), gare.id)
    assert moved.refusal is ChangeRefusal.NOT_OFFERED
    assert services.move(session, camille, [box, eggs], monday_of(AFTER), gare.id).changed
    assert next(stop.delivery.day for stop in point_stops(session, gare, NOW)) == AFTER


def test_the_substitute_fills_up_staff_are_warned_and_subscribers_refused(
    session: Session, staff: int
) -> None:
    camille, _ = person(session, CAMILLE)
    row = session.scalars(select(PickupPoint).where(PickupPoint.slug == "gare")).one()
    row.capacity = 1
    crowd.add(session, 30)
    shown = preview(session, wish(session), NOW)
    assert all(line.free < 0 for line in shown.diverted)
    assert close(session, wish(session), "Travaux", by=staff).changed, "staff may exceed the places"
    eggs = session.scalars(select(Subscription.id).where(Subscription.account_id == camille.id)).all()
    week = monday_of(TUESDAY)
    assert services.vary(session, camille, eggs[:1], week, formula_id=None, quantity=2).refusal is (
        ChangeRefusal.FULL
    )


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"point": "halle", "to": "mairie"}, Refusal.OTHER_TOUR),
        ({"point": "halle", "to": "gare", "first": NEXT, "last": TUESDAY}, Refusal.BAD_RANGE),
        ({"point": "halle", "to": "gare", "first": NEXT, "last": AFTER}, Refusal.CLOSED),
        (
            {"point": "gare", "to": "halle", "first": AFTER - timedelta(days=7), "last": AFTER},
            Refusal.STANDS_IN,
        ),
    ],
)
def test_a_point_is_closed_once_at_a_time_and_no_detour_leads_to_another(
    session: Session, staff: int, asked: dict[str, object], refusal: Refusal
) -> None:
    assert close(session, wish(session), "Travaux", by=staff).changed
    assert close(session, wish(session, **asked), "Panne", by=staff) == Outcome(refusal=refusal)
