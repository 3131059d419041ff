"""Changing terms and taking that back, within a transaction."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.boxes.jobs import freeze_due
from portal.boxes.queries import with_changes
from portal.catalogue.queries import formulas
from portal.deliveries.models import Delivery, Tour
from portal.infra import clock as now_of
from portal.infra.audit import AuditEvent
from portal.infra.outbox import Mail
from portal.pickup.models import PickupPoint
from portal.pickup.queries import points
from portal.planning.overview import overview
from portal.planning.previews import Preview, TermView, preview, term_view
from portal.planning.services import move, postpone, skip, vary
from portal.planning.terms import Answer, Outcome, change, withdraw
from portal.rules.calendar import WEEK, Rhythm
from portal.rules.changes import Refusal
from portal.rules.money import Money
from portal.subscriptions.models import Subscription, Term, Withheld
from portal.subscriptions.queries import Holding, of_account
from tests.world import CAMILLE, CUTOFF, STAFF, TODAY, TUESDAY, YACINE

MONDAY = date(2026, 6, 15)
MILLISECOND = timedelta(milliseconds=1)


def person(session: Session, email: str = CAMILLE) -> Account:
    return session.scalars(select(Account).where(Account.email == email)).one()


def mine(session: Session, email: str = CAMILLE) -> list[Holding]:
    return with_changes(session, of_account(session, person(session, email).id), TODAY)


def wish(session: Session, holding: Holding, **fields: Any) -> TermView:
    """A subscription's latest terms, some of them otherwise; formulas and points by their slugs."""
    kinds = {"formula": formulas(session), "point": points(session)}
    named = {
        name: next(one for one in kinds[name] if one.slug == value) if name in kinds else value
        for name, value in fields.items()
    }
    return replace(term_view(holding, holding.plan.terms[-1]), **named)


def look(session: Session, also: Collection[int] = (), email: str = CAMILLE, **fields: Any) -> Preview:
    holdings = mine(session, email)
    wanted = wish(session, holdings[0], **fields)
    return preview(session, holdings, holdings[0].id, wanted, also=also, now=now_of.now())


def act(
    session: Session,
    also: Collection[int] = (),
    email: str = CAMILLE,
    monday: date = MONDAY,
    by: Account | None = None,
    **fields: Any,
) -> Outcome | None:
    """Change the first subscription, from a Monday that was seen."""
    first = mine(session, email)[0]
    expected = dict.fromkeys([first.id, *also], monday)
    wanted = wish(session, first, **fields)
    return change(session, person(session, email), first.id, wanted, also=also, expected=expected, by=by)


def terms(session: Session, subscription_id: int) -> list[tuple[date, date | None, str, int, str]]:
    rows = session.scalars(select(Term).where(Term.subscription_id == subscription_id).order_by(Term.monday))
    return [(t.monday, t.until, t.formula.slug, t.quantity, t.pickup_point.slug) for t in rows]


def subjects(session: Session) -> list[str]:
    return [
        subject.replace("\u00a0", " ") for subject in session.scalars(select(Mail.subject).order_by(Mail.id))
    ]


BEGUN = date(2026, 1, 5)


def test_terms_change_from_the_first_monday_on_which_nothing_is_closed(session: Session) -> None:
    outcome = act(session, formula="petit", quantity=2)
    assert outcome and outcome.answer is Answer.DONE
    assert terms(session, 1) == [
        (BEGUN, MONDAY, "grand", 1, "halle"),
        (MONDAY, None, "petit", 2, "halle"),
    ]
    assert subjects(session) == ["Abonnement modifié à partir du mardi 16 juin"]


def test_the_preview_says_what_the_act_does_and_writes_nothing(session: Session) -> None:
    seen = look(session, formula="petit", rhythm=Rhythm.FORTNIGHT_A)
    assert not (session.new or session.dirty)
    assert len(terms(session, 1)) == 1
    done = act(session, formula="petit", rhythm=Rhythm.FORTNIGHT_A)
    assert done and done.changes == seen.changes
    (found,) = seen.changes
    assert (found.monday, found.days[0], found.until) == (MONDAY, TUESDAY, CUTOFF)
    assert (found.price_before, found.price_after) == (Money(1950), Money(1150))
    assert [[box.formula.slug for box in row.before] for row in found.rows] == [["grand"]] * 6
    assert [[box.formula.slug for box in row.after] for row in found.rows] == [
        ["grand"], ["petit"], [], ["petit"], [], ["petit"],
    ]  # fmt: skip


def test_a_rhythm_is_said_by_its_first_three_dates_at_the_wanted_point(session: Session) -> None:
    seen = look(session, point="mairie")
    assert seen.rhythms == {
        Rhythm.WEEKLY: (date(2026, 6, 18), date(2026, 6, 25), date(2026, 7, 2)),
        Rhythm.FORTNIGHT_A: (date(2026, 6, 18), date(2026, 7, 2), date(2026, 7, 16)),
        Rhythm.FORTNIGHT_B: (date(2026, 6, 25), date(2026, 7, 9), date(2026, 7, 23)),
    }


def test_a_cancelled_delivery_is_none_of_its_dates(session: Session) -> None:
    second = session.scalars(select(Delivery).where(Delivery.day == TUESDAY + WEEK)).one()
    second.cancelled_at = datetime(2026, 6, 1, tzinfo=UTC)
    session.flush()
    assert look(session).rhythms[Rhythm.WEEKLY] == (TUESDAY, TUESDAY + 2 * WEEK, TUESDAY + 3 * WEEK)


@pytest.mark.parametrize(
    ("point", "cutoff"),
    [("halle", CUTOFF), ("mairie", CUTOFF + timedelta(days=1)), ("cafe", CUTOFF + timedelta(days=2))],
)
def test_the_last_instant_is_that_of_every_change(
    session: Session, clock: time_machine.Traveller, point: str, cutoff: datetime
) -> None:
    place = session.scalars(select(PickupPoint).where(PickupPoint.slug == point)).one()
    term = session.scalars(select(Term).where(Term.subscription_id == 1)).one()
    term.pickup_point = place
    session.flush()
    clock.move_to(cutoff)
    late = act(session, quantity=2)
    assert late and late.answer is Answer.OTHER_DATE
    assert [found.monday for found in late.changes] == [MONDAY + WEEK]
    assert len(terms(session, 1)) == 1 and subjects(session) == []
    clock.move_to(cutoff - MILLISECOND)
    outcome = act(session, quantity=2)
    assert outcome and outcome.answer is Answer.DONE
    clock.move_to(cutoff)
    too_late = withdraw(session, person(session), 1, MONDAY)
    assert too_late and too_late.answer is Refusal.PAST_CUTOFF
    clock.move_to(cutoff - MILLISECOND)
    back = withdraw(session, person(session), 1, MONDAY)
    assert back and back.answer is Answer.DONE


def test_a_closed_delivery_stays_and_is_said_to_be_why(
    session: Session, clock: time_machine.Traveller
) -> None:
    clock.move_to(CUTOFF)  # Tuesday 16 is closed, Thursday 18 is not
    (found,) = look(session, point="mairie").changes
    assert found.monday == MONDAY + WEEK
    assert [box.delivery.day for box in found.kept] == [TUESDAY]
    assert found.days[0] == date(2026, 6, 25)


def test_a_frozen_box_is_shown_as_it_was_written(session: Session, clock: time_machine.Traveller) -> None:
    session.commit()
    clock.move_to(CUTOFF)
    freeze_due()
    (found,) = look(session, formula="petit").changes
    this_week = found.rows[0]
    assert this_week.week == MONDAY
    assert this_week.before == this_week.after and this_week.before[0].formula.slug == "grand"


def test_what_is_so_already_changes_nothing_and_mails_nobody(session: Session) -> None:
    act(session, formula="petit")
    again = act(session, formula="petit")
    assert again and again.answer is Answer.ALREADY
    assert look(session).changes == ()
    assert len(subjects(session)) == 1


def test_the_eggs_move_along_if_asked_and_only_as_to_where(session: Session) -> None:
    outcome = act(session, also=[2], point="gare", formula="petit")
    assert outcome and [found.id for found in outcome.changes] == [1, 2]
    assert terms(session, 1)[-1][2:] == ("petit", 1, "gare")
    assert terms(session, 2)[-1][2:] == ("oeufs", 1, "gare")
    assert len(subjects(session)) == 1


def test_without_being_asked_they_stay(session: Session) -> None:
    act(session, point="gare")
    assert len(terms(session, 2)) == 1


def withhold(session: Session, point: str, formula: str) -> None:
    here = next(one for one in points(session) if one.slug == point)
    this = next(one for one in formulas(session) if one.slug == formula)
    session.add(Withheld(pickup_point_id=here.id, formula_id=this.id))
    session.flush()


def test_what_a_point_does_not_offer_is_refused_for_all(session: Session) -> None:
    withhold(session, "gare", "oeufs")
    assert look(session, also=[2], point="gare").refusal is Refusal.NOT_OFFERED
    outcome = act(session, also=[2], point="gare")
    assert outcome and outcome.answer is Refusal.NOT_OFFERED
    assert len(terms(session, 1)) == 1
    assert look(session, point="gare").refusal is None


def test_what_one_has_stays_where_it_is_offered_no_more(
    session: Session, clock: time_machine.Traveller
) -> None:
    withhold(session, "halle", "grand")
    assert look(session, quantity=2).refusal is None
    act(session, formula="petit")
    assert look(session, formula="grand").refusal is None, "it is so until Monday"
    clock.shift(WEEK)
    assert look(session, formula="grand").refusal is Refusal.NOT_OFFERED


def limit(session: Session, point: str, places: int) -> None:
    session.scalars(select(PickupPoint).where(PickupPoint.slug == point)).one().capacity = places
    session.flush()


def test_a_full_point_is_refused_before_and_after_the_press(session: Session) -> None:
    limit(session, "gare", 0)
    assert look(session, point="gare").refusal is Refusal.FULL
    outcome = act(session, point="gare")
    assert outcome and outcome.answer is Refusal.FULL
    assert len(terms(session, 1)) == 1 and subjects(session) == []


def test_eggs_take_no_place_and_staff_may_exceed_the_places(session: Session) -> None:
    limit(session, "gare", 0)
    staff = person(session, STAFF)
    outcome = act(session, point="gare", by=staff)
    assert outcome and outcome.answer is Answer.DONE
    eggs = mine(session)[1]
    assert preview(
        session, mine(session), eggs.id, wish(session, eggs, point="gare"), now=now_of.now()
    ).changes


def test_a_place_that_one_has_is_kept_in_a_full_point(session: Session) -> None:
    limit(session, "halle", 1)
    assert look(session, formula="petit").refusal is None
    assert look(session, quantity=2).refusal is Refusal.FULL


def test_a_change_is_taken_back_as_if_it_had_never_been(session: Session) -> None:
    act(session, formula="petit", point="gare")
    outcome = withdraw(session, person(session), 1, MONDAY)
    assert outcome and outcome.answer is Answer.DONE
    assert terms(session, 1) == [(BEGUN, None, "grand", 1, "halle")]
    assert subjects(session)[-1] == "Changement du mardi 16 juin annulé"
    again = withdraw(session, person(session), 1, MONDAY)
    assert again and again.answer is Answer.ALREADY
    assert len(subjects(session)) == 2


def test_the_mail_names_the_day_that_the_change_would_have_begun_on(session: Session) -> None:
    session.scalars(select(Term).where(Term.subscription_id == 1)).one().rhythm = Rhythm.FORTNIGHT_B
    session.flush()
    act(session, rhythm=Rhythm.WEEKLY)
    withdraw(session, person(session), 1, MONDAY)
    assert subjects(session)[-1] == "Changement du mardi 16 juin annulé"
    text = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first() or ""
    assert "une semaine sur deux : 23 juin, 7, 21 juillet" in text.replace("\u00a0", " ")


def test_each_change_ahead_is_taken_back_alone_until_the_moment_that_was_promised(
    session: Session, clock: time_machine.Traveller
) -> None:
    """Monday: this week's Tuesday is closed, its Friday is open."""
    cafe = session.scalars(select(PickupPoint).where(PickupPoint.slug == "cafe")).one()
    session.scalars(select(Term).where(Term.subscription_id == 1)).one().pickup_point = cafe
    session.flush()
    clock.move_to(datetime(2026, 6, 15, 8, tzinfo=UTC))
    assert act(session, point="gare", monday=MONDAY + WEEK)
    done = act(session, quantity=2)
    assert done and done.answer is Answer.DONE
    (found,) = done.changes
    assert (found.new.point.slug, found.days[0]) == ("cafe", date(2026, 6, 19))
    coming = overview(session, person(session).id, now_of.now())[0].coming
    assert [(term.monday, term.term.quantity, term.term.point.slug, term.until) for term in coming] == [
        (MONDAY, 2, "cafe", found.until),
        (MONDAY + WEEK, 2, "gare", CUTOFF + WEEK),
    ]
    back = withdraw(session, person(session), 1, MONDAY)
    assert back and back.answer is Answer.DONE
    assert terms(session, 1) == [
        (BEGUN, MONDAY + WEEK, "grand", 1, "cafe"),
        (MONDAY + WEEK, None, "grand", 1, "gare"),
    ]
    again = withdraw(session, person(session), 1, MONDAY)
    assert again and again.answer is Answer.ALREADY
    last = withdraw(session, person(session), 1, MONDAY + WEEK)
    assert last and last.answer is Answer.DONE
    assert terms(session, 1) == [(BEGUN, None, "grand", 1, "cafe")]


def test_going_back_to_a_point_that_has_filled_up_is_refused(session: Session) -> None:
    act(session, point="gare")
    limit(session, "halle", 0)
    outcome = withdraw(session, person(session), 1, MONDAY)
    assert outcome and outcome.answer is Refusal.FULL
    assert len(terms(session, 1)) == 2


def test_terms_that_hold_cannot_be_taken_back(session: Session) -> None:
    outcome = withdraw(session, person(session), 1, BEGUN)
    assert outcome and outcome.answer is Refusal.PAST_CUTOFF


def test_what_has_not_begun_is_changed_for_good(session: Session) -> None:
    session.scalars(select(Term).where(Term.subscription_id == 1)).one().monday = MONDAY + WEEK
    session.flush()
    (found,) = look(session, formula="petit").changes
    assert (found.monday, found.until) == (MONDAY + WEEK, None)
    act(session, formula="petit", monday=found.monday)
    assert terms(session, 1) == [(MONDAY + WEEK, None, "petit", 1, "halle")]


def test_a_second_change_holds_over_the_first(session: Session) -> None:
    act(session, formula="petit")
    act(session, quantity=3)
    assert terms(session, 1)[-1] == (MONDAY, None, "petit", 3, "halle")
    assert len(terms(session, 1)) == 2


def test_it_says_which_one_off_changes_say_nothing_any_more(session: Session) -> None:
    camille = person(session)
    skip(session, camille, [1], MONDAY + WEEK)
    postpone(session, camille, [1], MONDAY, MONDAY + 2 * WEEK)
    (found,) = look(session, rhythm=Rhythm.FORTNIGHT_A).changes
    assert found.aside == (MONDAY + WEEK,)
    assert found.rehomed == ()


def test_a_formula_for_once_is_dropped_where_the_new_point_does_not_offer_it_and_that_is_said(
    session: Session,
) -> None:
    petit = next(one.id for one in formulas(session) if one.slug == "petit")
    vary(session, person(session), [1], MONDAY, formula_id=petit, quantity=None)
    withhold(session, "gare", "petit")
    (found,) = look(session, point="gare").changes
    assert found.dropped == (MONDAY,)
    assert [box.formula.slug for row in found.rows for box in row.after] == ["grand"] * 6
    done = act(session, point="gare")
    assert done and done.answer is Answer.DONE
    assert mine(session)[0].plan.changes == {}
    text = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first() or ""
    assert "Ce que vous aviez choisi pour une fois est annulé" in text.replace("\u00a0", " ")


def test_taking_back_drops_a_formula_for_once_that_the_former_point_does_not_offer(session: Session) -> None:
    act(session, point="gare")
    petit = next(one.id for one in formulas(session) if one.slug == "petit")
    vary(session, person(session), [1], MONDAY, formula_id=petit, quantity=None)
    withhold(session, "halle", "petit")
    back = withdraw(session, person(session), 1, MONDAY)
    assert back and [found.dropped for found in back.changes] == [(MONDAY,)]
    assert mine(session)[0].plan.changes == {}
    text = session.scalars(select(Mail.text).order_by(Mail.id.desc())).first() or ""
    assert "Ce que vous aviez choisi pour une fois est annulé" in text.replace("\u00a0", " ")


def test_a_point_for_once_that_becomes_usual_is_no_change_any_more(session: Session) -> None:
    cafe = next(one.id for one in points(session) if one.slug == "cafe")
    move(session, person(session), [1], MONDAY + WEEK, cafe)
    act(session, point="cafe")
    assert mine(session)[0].plan.changes == {}
    act(session, point="gare")
    assert {term.point_id for term in mine(session)[0].plan.terms} == {1, 2}


def test_a_tour_without_deliveries_is_not_moved_to(session: Session) -> None:
    tour = Tour(slug="samedi", name="Tournée du samedi", weekday=5, lead_days=3, lead_time=time(23, 59))
    session.scalars(select(PickupPoint).where(PickupPoint.slug == "cafe")).one().tour = tour
    session.flush()
    assert look(session, point="cafe").refusal is Refusal.NOT_EXPECTED
    outcome = act(session, point="cafe", monday=MONDAY)
    assert outcome and outcome.answer is Refusal.NOT_EXPECTED
    assert len(terms(session, 1)) == 1


def test_a_postponed_box_whose_delivery_is_taken_away_finds_another(session: Session) -> None:
    camille = person(session)
    postpone(session, camille, [1], MONDAY, MONDAY + 2 * WEEK)
    thursday = session.scalars(select(Delivery).where(Delivery.day == date(2026, 7, 2))).one()
    thursday.cancelled_at = datetime(2026, 6, 1, tzinfo=UTC)
    session.flush()
    (found,) = look(session, point="mairie").changes
    (box,) = found.rehomed
    assert (box.week, box.delivery.day) == (MONDAY, date(2026, 6, 18))
    act(session, point="mairie")
    plan = mine(session)[0].plan
    assert plan.change_of(MONDAY).to_week is None


def test_somebody_elses_is_not_found(session: Session) -> None:
    other = mine(session, YACINE)[0]
    wanted = wish(session, other, quantity=2)
    camille = person(session)
    assert change(session, camille, other.id, wanted, expected={other.id: MONDAY}) is None
    own = wish(session, mine(session)[0], point="gare")
    assert change(session, camille, 1, own, also=[other.id], expected={1: MONDAY}) is None
    assert withdraw(session, camille, other.id, BEGUN) is None


def test_the_trail_says_who_changed_what_to_what(session: Session) -> None:
    act(session, formula="petit")
    session.flush()
    event = session.scalars(select(AuditEvent)).one()
    assert (event.account_id, event.action, event.subject_id) == (
        person(session).id, "subscription.terms", "1",
    )  # fmt: skip
    assert event.after and event.after["terms"][0]["since"] == MONDAY.isoformat()
    assert session.get_one(Subscription, 1).changed_at == now_of.now()
