"""Postponing a box, collecting it elsewhere, another one for once: within a transaction."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.models import BoxChange, Suspension
from portal.boxes.queries import MemberBox, member_boxes, with_changes
from portal.catalogue.models import Formula, FormulaPrice, Kind
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import upcoming
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.planning import desk
from portal.planning.services import move, postpone, skip, vary
from portal.rules.calendar import WEEK, monday_of
from portal.rules.changes import Refusal
from portal.rules.money import Money
from portal.subscriptions.models import Term, Withheld
from portal.subscriptions.queries import of_account
from tests.world import CAMILLE, CUTOFF, NOW, TODAY, TUESDAY, YACINE

MONDAY = monday_of(TUESDAY)
LATER = MONDAY + WEEK
BOX, EGGS, YACINES = 1, 2, 3

forward = partial(postpone, to_week=None)


@pytest.fixture
def camille(session: Session) -> Account:
    return session.scalars(select(Account).where(Account.email == CAMILLE)).one()


def boxes(session: Session, account: Account, subscription: int = BOX) -> list[MemberBox]:
    session.flush()
    holdings = with_changes(session, of_account(session, account.id, subscription), TODAY)
    ahead = upcoming(session, TODAY, TODAY + timedelta(weeks=5), holdings[0].plan.tour_ids)
    return member_boxes(session, holdings, ahead)


def days(session: Session, account: Account) -> list[tuple[str, str]]:
    """Origin week and day of each coming box."""
    coming = (box for box in boxes(session, account) if not box.skipped)
    return sorted((box.week.isoformat(), box.delivery.day.isoformat()) for box in coming)


def point(session: Session, slug: str) -> int:
    return session.scalars(select(PickupPoint.id).where(PickupPoint.slug == slug)).one()


def formula(session: Session, slug: str) -> int:
    return session.scalars(select(Formula.id).where(Formula.slug == slug)).one()


def mails(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Mail)) or 0


def test_a_postponed_box_travels_with_the_later_one_and_comes_home_again(
    session: Session, camille: Account
) -> None:
    before = days(session, camille)
    outcome = postpone(session, camille, [BOX], MONDAY, LATER)
    assert [change.after.delivery.day for change in outcome.changed] == [TUESDAY + WEEK]
    assert days(session, camille)[:2] == [("2026-06-15", "2026-06-23"), ("2026-06-22", "2026-06-23")]
    assert forward(session, camille, [BOX], MONDAY).changed
    assert days(session, camille) == before
    mail = session.scalars(select(Mail).order_by(Mail.id)).first()
    assert mail.subject.replace("\u00a0", " ") == "Panier reporté : livraison du mardi 23 juin"


def test_the_same_wish_again_writes_nothing_and_mails_nobody(session: Session, camille: Account) -> None:
    for _ in range(2):
        postpone(session, camille, [BOX], MONDAY, LATER)
        move(session, camille, [EGGS], MONDAY, point(session, "gare"))
        vary(session, camille, [EGGS], MONDAY, formula_id=formula(session, "oeufs"), quantity=2)
        session.flush()
        assert mails(session) == 3
        assert session.scalar(select(func.count()).select_from(AuditEvent)) == 3


@pytest.mark.parametrize(
    ("weeks", "refusal"),
    [(0, Refusal.NO_SUCH_WEEK), (-1, Refusal.NO_SUCH_WEEK), (4, None), (5, Refusal.NO_SUCH_WEEK)],
)
def test_a_box_is_postponed_by_four_weeks_at_most(
    session: Session, camille: Account, weeks: int, refusal: Refusal | None
) -> None:
    outcome = postpone(session, camille, [BOX], MONDAY, MONDAY + weeks * WEEK)
    assert outcome.refusal is refusal


def test_a_delivery_brings_two_boxes_at_most(session: Session, camille: Account) -> None:
    assert postpone(session, camille, [BOX], MONDAY, MONDAY + 2 * WEEK).changed
    assert postpone(session, camille, [BOX], LATER, MONDAY + 2 * WEEK).refusal is Refusal.TAKEN


def test_a_skipped_box_is_not_postponed_but_a_postponed_one_is_skipped(
    session: Session, camille: Account
) -> None:
    skip(session, camille, [BOX], MONDAY)
    assert postpone(session, camille, [BOX], MONDAY, LATER).refusal is Refusal.SKIPPED
    skip(session, camille, [BOX], MONDAY, wanted=False)
    postpone(session, camille, [BOX], MONDAY, LATER)
    assert skip(session, camille, [BOX], MONDAY).changed
    assert ("2026-06-15", "2026-06-23") not in days(session, camille)


def test_a_postponed_box_obeys_its_new_delivery_and_goes_home_until_the_earlier_cutoff(
    session: Session, camille: Account, clock: time_machine.Traveller
) -> None:
    postpone(session, camille, [BOX], MONDAY, LATER)
    clock.move_to(CUTOFF)
    assert forward(session, camille, [BOX], MONDAY).refusal is Refusal.PAST_CUTOFF
    assert postpone(session, camille, [BOX], MONDAY, LATER + WEEK).changed, "again, until the later one"
    assert skip(session, camille, [BOX], MONDAY).changed
    clock.move_to(CUTOFF + 2 * WEEK)
    assert skip(session, camille, [BOX], MONDAY, wanted=False).refusal is Refusal.PAST_CUTOFF


def test_another_point_for_once_brings_all_that_travels_in_the_week(
    session: Session, camille: Account
) -> None:
    cafe = point(session, "cafe")
    postpone(session, camille, [BOX], MONDAY, LATER)
    assert len(move(session, camille, [BOX], LATER, cafe).changed) == 2
    coming = [b for b in boxes(session, camille) if b.delivery.week == LATER]
    assert {(b.point.slug, b.delivery.day.isoformat(), b.elsewhere) for b in coming} == {
        ("cafe", "2026-06-26", True)
    }
    assert len(move(session, camille, [BOX], LATER, None).changed) == 2
    assert {b.point.slug for b in boxes(session, camille)} == {"halle"}


def test_both_deliveries_must_be_open_to_go_elsewhere_and_back(
    session: Session, clock: time_machine.Traveller
) -> None:
    yacine = session.scalars(select(Account).where(Account.email == YACINE)).one()
    week = next(b.week for b in boxes(session, yacine, YACINES) if b.week >= MONDAY)
    tuesday, friday = point(session, "halle"), point(session, "cafe")
    moment = session.scalars(
        select(Delivery.cutoff_at).join(Tour).where(Tour.slug == "mardi", Delivery.week == week)
    ).one()
    clock.move_to(moment)
    assert move(session, yacine, [YACINES], week, tuesday).refusal is Refusal.PAST_CUTOFF
    assert move(session, yacine, [YACINES], week, friday).changed
    clock.move_to(moment + timedelta(days=1))  # Thursday's own cutoff; Friday's is a day later
    assert move(session, yacine, [YACINES], week, None).refusal is Refusal.PAST_CUTOFF
    assert skip(session, yacine, [YACINES], week).changed, "it obeys its new delivery's cutoff"


def test_another_formula_for_once_is_of_the_week_only_and_undone_alone(
    session: Session, camille: Account
) -> None:
    small = formula(session, "petit")
    assert vary(session, camille, [BOX], MONDAY, formula_id=small, quantity=2).changed
    first, second = boxes(session, camille)[:2]
    assert (first.formula.slug, first.quantity, first.varied) == ("petit", 2, True)
    assert (second.formula.slug, second.quantity, second.varied) == ("grand", 1, False)
    skip(session, camille, [BOX], MONDAY)
    vary(session, camille, [BOX], MONDAY, formula_id=None, quantity=None)
    row = session.scalars(select(BoxChange).where(BoxChange.week == MONDAY)).one()
    assert (row.skip, row.formula_id, row.quantity, row.changed_by) == (True, None, None, camille.id)


def test_what_a_point_does_not_offer_is_refused_but_going_back_never_is(
    session: Session, camille: Account
) -> None:
    session.add(Withheld(pickup_point_id=point(session, "gare"), formula_id=formula(session, "oeufs")))
    session.add(Withheld(pickup_point_id=point(session, "halle"), formula_id=formula(session, "grand")))
    session.flush()
    assert move(session, camille, [BOX, EGGS], MONDAY, point(session, "gare")).refusal is Refusal.NOT_OFFERED
    assert move(session, camille, [BOX], MONDAY, point(session, "gare")).changed
    assert move(session, camille, [BOX], MONDAY, None).changed
    vary(session, camille, [BOX], MONDAY, formula_id=formula(session, "petit"), quantity=1)
    assert vary(session, camille, [BOX], MONDAY, formula_id=None, quantity=None).changed


def test_a_full_point_refuses_who_comes_and_never_who_comes_back(session: Session, camille: Account) -> None:
    gare, halle = (session.get_one(PickupPoint, point(session, slug)) for slug in ("gare", "halle"))
    gare.capacity, halle.capacity = 0, 0
    session.flush()
    assert move(session, camille, [BOX], MONDAY, gare.id).refusal is Refusal.FULL
    assert postpone(session, camille, [BOX], MONDAY, LATER).refusal is Refusal.FULL
    assert move(session, camille, [EGGS], MONDAY, gare.id).changed, "eggs take no place"
    skip(session, camille, [BOX], MONDAY)
    assert skip(session, camille, [BOX], MONDAY, wanted=False).changed, "a usual place is kept"
    gare.capacity = 1
    session.flush()
    assert move(session, camille, [BOX], MONDAY, gare.id).changed
    assert move(session, camille, [BOX], MONDAY, None).changed


def test_staff_may_fill_a_point_beyond_its_places_and_the_trail_names_them(
    session: Session, camille: Account
) -> None:
    staff = session.scalars(select(Account).where(Account.email == "ferme@example.org")).one()
    gare = session.get_one(PickupPoint, point(session, "gare"))
    gare.capacity = 0
    session.flush()
    assert move(session, camille, [BOX], MONDAY, gare.id, by=staff).changed
    session.flush()
    assert session.scalars(select(AuditEvent.account_id)).all() == [staff.id]
    assert session.scalars(select(Mail.recipient)).all() == [CAMILLE]


def test_a_point_or_formula_that_is_not_there_is_not_found(session: Session, camille: Account) -> None:
    assert move(session, camille, [BOX], MONDAY, 999) is None
    assert vary(session, camille, [BOX], MONDAY, formula_id=999, quantity=1) is None
    assert move(session, camille, [YACINES], MONDAY, point(session, "gare")) is None


def test_eggs_do_not_become_vegetables(session: Session, camille: Account) -> None:
    grand = formula(session, "grand")
    refused = vary(session, camille, [EGGS], MONDAY, formula_id=grand, quantity=1)
    assert refused.refusal is Refusal.NOT_OFFERED


def test_a_formula_that_has_no_price_on_the_day_is_no_choice(session: Session, camille: Account) -> None:
    dear = Formula(
        slug="luxe",
        name="Panier de fête",
        short_name="Fête",
        kind=Kind.VEGETABLES,
        description="",
        serves="",
        drawing="box-large",
        position=9,
        weight=1,
        prices=[FormulaPrice(since=TUESDAY + WEEK, price=Money(5000), vat_basis_points=550)],
    )
    session.add(dear)
    session.flush()
    refused = vary(session, camille, [BOX], MONDAY, formula_id=dear.id, quantity=1)
    assert refused.refusal is Refusal.NOT_OFFERED
    assert vary(session, camille, [BOX], LATER, formula_id=dear.id, quantity=1).changed


def test_a_box_that_the_farm_took_along_far_is_still_skipped(session: Session, camille: Account) -> None:
    session.add(BoxChange(subscription_id=BOX, week=MONDAY, to_week=MONDAY + 6 * WEEK, changed_at=NOW))
    session.flush()
    assert skip(session, camille, [BOX], MONDAY).changed
    assert skip(session, camille, [BOX], MONDAY, wanted=False).changed


def test_a_box_is_not_postponed_into_a_suspension(session: Session, camille: Account) -> None:
    days = TUESDAY + WEEK, TUESDAY + WEEK
    session.add(
        Suspension(subscription_id=BOX, first_day=days[0], last_day=days[1], made_at=NOW - timedelta(days=1))
    )
    session.flush()
    assert postpone(session, camille, [BOX], MONDAY, LATER).refusal is Refusal.SUSPENDED
    assert postpone(session, camille, [BOX], MONDAY, LATER + WEEK).changed


def test_a_mail_says_where_each_box_goes_and_which_stays_away(session: Session, camille: Account) -> None:
    session.execute(
        update(Term).where(Term.subscription_id == EGGS).values(pickup_point_id=point(session, "cafe"))
    )
    session.flush()
    mairie = point(session, "mairie")
    move(session, camille, [BOX, EGGS], LATER, mairie)
    skip(session, camille, [EGGS], LATER)
    session.flush()
    outcome = move(session, camille, [BOX, EGGS], LATER, None)
    assert [[c.after.point.slug for c in group] for group in outcome.together] == [["halle"], ["cafe"]]
    session.flush()
    text = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first().replace("\u00a0", " ")
    vegetables, _, eggs = text.partition("Café de Sisteron")[0].partition("vendredi 26 juin")
    assert "mardi 23 juin" in vegetables and "Grand panier" in vegetables and "Œufs" not in vegetables
    assert "Œufs sauté" in eggs


def test_a_point_that_is_offered_to_nobody_any_more_is_not_found(session: Session, camille: Account) -> None:
    session.get_one(PickupPoint, point(session, "gare")).retired_at = NOW
    session.flush()
    assert move(session, camille, [BOX], MONDAY, point(session, "gare")) is None


def test_a_point_that_staff_change_meanwhile_is_asked_again_under_its_lock(
    session: Session, camille: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    gare = session.get_one(PickupPoint, point(session, "gare"))

    def sold_from(session: Session) -> None:
        """Read between the locks of subscriptions and points, when staff are done."""
        gare.tour_id = session.scalars(select(Tour.id).where(Tour.slug == "vendredi")).one()
        session.flush()

    monkeypatch.setattr(desk, "sold_from", sold_from)
    assert move(session, camille, [EGGS], MONDAY, gare.id).refusal is Refusal.NOT_OFFERED
