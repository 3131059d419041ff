"""The demo farm's people, deliveries and boxes in the database."""

import itertools
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask_security.utils import verify_password
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import Account
from portal.billing.models import Invoice
from portal.boxes.models import Basket, BoxChange
from portal.boxes.queries import member_boxes, with_changes
from portal.catalogue.models import Formula, Kind, Product
from portal.compositions.models import Composition, CompositionChange, CompositionLine, CompositionState
from portal.deliveries.models import Delivery, Tour
from portal.deliveries.queries import upcoming
from portal.demo.departures import GONE
from portal.demo.generate import NotEmptyError, generate
from portal.demo.people import PASSPHRASE, SHARER, SIGN_INS, TEAM
from portal.demo.season import in_season
from portal.infra.orm import Base
from portal.pickup.models import PickupPoint
from portal.profile.models import FarmProfile, News
from portal.rules.calendar import Rhythm, monday_of
from portal.rules.cutoffs import last_minute
from portal.rules.permissions import EVERYDAY
from portal.rules.planning import boxes_on
from portal.settings import Mode
from portal.shop.models import Order, OrderLine
from portal.subscriptions.models import Subscription, Term
from portal.subscriptions.queries import of_account
from tests import world
from tests.databases import BACKENDS
from tests.demo.conftest import Demo
from tests.infra.workers import ROUNDS


@pytest.fixture
def empty(session: Session) -> Session:
    """A database without a row, on each backend."""
    for table in reversed(Base.metadata.sorted_tables):
        session.execute(delete(table))
    session.commit()
    return session


def test_two_hundred_subscribers_and_those_of_the_farm(demo: Demo) -> None:
    assert demo.summary.accounts == 200 + len((SHARER, *TEAM, *GONE))
    assert len({account.email for account in demo.all(select(Account))}) == 200 + len((SHARER, *TEAM, *GONE))
    having = demo.all(select(Subscription.account_id).distinct())
    assert len(having) == 200


def test_three_tours_fourteen_points_four_formulas_and_what_boxes_and_shop_hold(demo: Demo) -> None:
    tables = (FarmProfile, Tour, PickupPoint, Formula, Product, News)
    assert [len(demo.all(select(table))) for table in tables] == [1, 3, 14, 4, 88, 4]


def test_deliveries_reach_from_three_months_back_to_a_year_ahead(demo: Demo) -> None:
    for tour in demo.all(select(Tour)):
        days = demo.all(select(Delivery.day).where(Delivery.tour_id == tour.id).order_by(Delivery.day))
        assert days[0] <= demo.today - timedelta(weeks=12)
        assert days[-1] >= demo.today + timedelta(days=365)
        assert {day.weekday() for day in days} == {tour.weekday}


def test_deliveries_close_when_the_guide_says(demo: Demo) -> None:
    closing = {"mardi": 6, "jeudi": 0, "vendredi": 1}  # Sunday, Monday, Tuesday
    for delivery in demo.all(select(Delivery)):
        closes = last_minute(delivery.cutoff_at)
        assert (closes.weekday(), closes.hour, closes.minute) == (closing[delivery.tour.slug], 23, 59)
        assert timedelta(0) < delivery.day - closes.date() <= timedelta(days=3)


def test_what_has_closed_is_frozen_with_its_boxes_and_what_is_open_is_not(demo: Demo) -> None:
    boxes = Counter(demo.session.scalars(select(Basket.delivery_id)).all())
    for delivery in demo.all(select(Delivery).where(Delivery.cancelled_at.is_(None))):
        closed = delivery.cutoff_at <= demo.now
        assert (delivery.frozen_at is not None) is closed
        assert (boxes[delivery.id] > 20) is closed


def test_the_farm_is_closed_in_the_week_of_christmas_and_says_why(demo: Demo) -> None:
    cancelled = demo.all(select(Delivery).where(Delivery.cancelled_at.is_not(None)))
    assert {delivery.week for delivery in cancelled} == {
        monday_of(date(year, 12, 25))
        for year in (2025, 2026, 2027)
        if demo.today - timedelta(weeks=13) <= date(year, 12, 25) <= demo.today + timedelta(weeks=60)
    }
    assert all("Noël" in (delivery.cancel_reason or "") for delivery in cancelled)
    assert all(delivery.cancelled_at <= demo.now for delivery in cancelled)
    ids = [delivery.id for delivery in cancelled]
    assert not demo.all(select(Basket).where(Basket.delivery_id.in_(ids)))
    assert not demo.all(select(Composition).where(Composition.delivery_id.in_(ids)))


def test_each_role_may_sign_in_with_the_passphrase_and_nobody_else_has_a_password(demo: Demo) -> None:
    able = {
        account.email: account for account in demo.all(select(Account).where(Account.password.is_not(None)))
    }
    assert {email: sorted(role.name for role in account.roles) for email, account in able.items()} == {
        "abonnee@example.org": [],
        "foyer@example.org": [],
        "ferme@example.org": sorted(EVERYDAY),
        "gestion@example.org": sorted((*EVERYDAY, "admin")),
        "accueil@example.org": ["desk"],
        "cultures@example.org": ["growing"],
        "logistique@example.org": ["logistics"],
        "compta@example.org": ["accounts"],
    }
    assert {email for email, _who in SIGN_INS} == able.keys(), "those that are printed"
    assert all(verify_password(PASSPHRASE, account.password) for account in able.values())


def test_camille_has_vegetables_and_eggs_at_one_point_and_one_box_skipped_ahead(demo: Demo) -> None:
    camille = demo.session.scalars(select(Account).where(Account.email == "abonnee@example.org")).one()
    holdings = with_changes(demo.session, of_account(demo.session, camille.id), demo.today)
    coming = upcoming(demo.session, demo.today, demo.today + timedelta(weeks=10))
    boxes = member_boxes(demo.session, holdings, coming)
    assert camille.first_name == "Camille"
    assert {box.formula.kind for box in boxes} == {Kind.VEGETABLES, Kind.EGGS}
    assert len({box.point.id for box in boxes}) == 1
    assert not any(box.skipped for box in boxes[:2])
    (skipped,) = (box for box in boxes if box.skipped)
    assert skipped.delivery.cutoff_at > demo.now


def test_nobody_gets_two_boxes_of_vegetables_in_a_week(demo: Demo) -> None:
    rows = demo.session.execute(
        select(Subscription.account_id, Basket.week, Formula.kind)
        .join(Basket, Basket.subscription_id == Subscription.id)
        .join(Formula, Formula.id == Basket.formula_id)
    ).all()
    assert max(Counter(map(tuple, rows)).values()) == 1


def test_skipped_boxes_were_expected_chosen_in_time_and_never_delivered(demo: Demo) -> None:
    delivered = set(map(tuple, demo.session.execute(select(Basket.subscription_id, Basket.week))))
    ahead = 0
    for change in demo.all(select(BoxChange).where(BoxChange.skip)):
        subscription = demo.session.get_one(Subscription, change.subscription_id)
        (holding,) = of_account(demo.session, subscription.account_id, subscription.id)
        (delivery,) = (
            view
            for view in upcoming(demo.session, change.week, change.week + timedelta(days=6))
            if boxes_on(holding.plan, view.for_rules)
        )
        assert subscription.created_at <= change.changed_at < min(delivery.cutoff_at, demo.now)
        assert (change.subscription_id, change.week) not in delivered
        ahead += delivery.cutoff_at > demo.now
    assert ahead > 10


def test_terms_follow_each_other_from_mondays_and_at_most_one_lies_ahead(demo: Demo) -> None:
    pending = 0
    for subscription in demo.all(select(Subscription).options(joinedload(Subscription.terms))):
        terms = subscription.terms
        assert all(term.monday.weekday() == 0 for term in terms)
        assert [term.until for term in terms] == [*(term.monday for term in terms[1:]), None]
        lying_ahead = sum(term.monday > demo.this_week for term in terms)
        assert lying_ahead <= 1
        pending += lying_ahead and len(terms) > 1
    assert pending > 3


def test_subscribers_differ_as_people_do(demo: Demo) -> None:
    terms = demo.all(select(Term).options(joinedload(Term.formula)))
    assert {term.rhythm for term in terms} == set(Rhythm)
    assert Counter(term.formula.slug for term in terms).keys() >= {
        "petit-panier", "panier-moyen", "grand-panier", "oeufs-par-6",
    }  # fmt: skip
    assert {term.quantity for term in terms} == {1, 2}
    ends = demo.all(select(Subscription.last_day).where(Subscription.last_day.is_not(None)))
    assert min(ends) < demo.today < max(ends)
    both = Counter(demo.session.scalars(select(Subscription.account_id)).all())
    assert 30 < sum(count == 2 for count in both.values()) < 100


def test_no_pickup_point_holds_more_than_it_has_room_for(demo: Demo) -> None:
    terms = demo.all(select(Term).options(joinedload(Term.formula), joinedload(Term.subscription)))
    room = {point.id: point.capacity for point in demo.all(select(PickupPoint))}
    for week in (demo.this_week + timedelta(weeks=weeks) for weeks in range(-13, 20)):
        load: dict[int, int] = defaultdict(int)
        for term in terms:
            running = term.monday <= week and (term.until is None or week < term.until)
            if running and (term.subscription.last_day or week) >= week:
                load[term.pickup_point_id] += term.formula.weight * term.quantity
        assert all(places <= room[point_id] for point_id, places in load.items())


def test_compositions_are_confirmed_when_closed_then_one_forecast_then_one_draft(demo: Demo) -> None:
    states: dict[int, set[CompositionState]] = defaultdict(set)
    counts: Counter[int] = Counter()
    for composition in demo.all(select(Composition)):
        states[composition.delivery_id].add(composition.state)
        counts[composition.delivery_id] += 1
    assert set(counts.values()) == {4}
    for tour in demo.all(select(Tour)):
        held = demo.all(
            select(Delivery)
            .where(Delivery.tour_id == tour.id, Delivery.cancelled_at.is_(None))
            .order_by(Delivery.day)
        )
        closed = [states[delivery.id] for delivery in held if delivery.cutoff_at <= demo.now]
        ahead = [states[delivery.id] for delivery in held if delivery.cutoff_at > demo.now]
        assert closed == [{CompositionState.CONFIRMED}] * len(closed)
        assert ahead[:3] == [{CompositionState.FORECAST}, {CompositionState.DRAFT}, set()]
        assert not any(ahead[3:])


def test_boxes_hold_what_is_in_season_for_about_their_price(demo: Demo) -> None:
    rows = demo.session.execute(
        select(Delivery, Formula, Product, CompositionLine.amount)
        .select_from(CompositionLine)
        .join(Composition, Composition.id == CompositionLine.composition_id)
        .join(Delivery, Delivery.id == Composition.delivery_id)
        .join(Formula, Formula.id == Composition.formula_id)
        .join(Product, Product.id == CompositionLine.product_id)
    ).all()
    worth: dict[tuple[Delivery, Formula], float] = defaultdict(float)
    for delivery, formula, product, amount in rows:
        assert product.slug == "oeufs" or product.slug in {v.slug for v in in_season(delivery.week)}
        units = amount / 1000 if product.unit in ("kg", "g") else amount
        worth[delivery, formula] += product.value.cents * units
    for (_, formula), value in worth.items():
        assert value == pytest.approx(formula.prices[0].price.cents, rel=0.08)


def test_a_forecast_tells_what_changed_since_it_was_shown(demo: Demo) -> None:
    changes = demo.all(select(CompositionChange))
    assert changes
    for change in changes:
        composition = demo.session.get_one(Composition, change.composition_id)
        held = {line.product_id: line.amount for line in composition.lines}
        assert composition.shown_at < change.at < demo.now
        assert held.get(change.product_id, 0) == change.after != change.before


def test_what_is_read_has_the_spaces_of_french_typography(demo: Demo) -> None:
    texts = (
        demo.all(select(Product.storage)) + demo.all(select(News.text)) + demo.all(select(PickupPoint.access))
    )
    assert not [text for text in texts if any(plain in text for plain in (" ;", " :", " !", " ?", " »"))]
    assert any("\u202f;" in text for text in texts)


def _facts(session: Session) -> list[list[Any]]:
    """All that a reader could see, told without ids."""
    own = (Account.email, Formula.slug, PickupPoint.slug)
    return [
        [tuple(row) for row in session.execute(statement)]
        for statement in (
            select(Account.email, Account.first_name, Account.last_name, Account.phone, Account.created_at)
            .order_by(Account.id),
            select(*own, Term.monday, Term.until, Term.quantity, Term.rhythm, Subscription.last_day)
            .select_from(Term).join(Subscription).join(Account).join(Formula).join(PickupPoint)
            .order_by(Term.id),
            select(Account.email, BoxChange.week, BoxChange.changed_at)
            .select_from(BoxChange).join(Subscription).join(Account).order_by(BoxChange.id),
            select(*own, Basket.week, Basket.quantity, Basket.unit_price)
            .select_from(Basket).join(Subscription).join(Account)
            .join(Formula, Formula.id == Basket.formula_id)
            .join(PickupPoint, PickupPoint.id == Basket.pickup_point_id)
            .order_by(Basket.week, Account.email, Formula.slug),
            select(Delivery.day, Delivery.cutoff_at, Delivery.cancelled_at, Delivery.frozen_at)
            .order_by(Delivery.id),
            select(Delivery.day, Formula.slug, Composition.state, Product.slug, CompositionLine.amount)
            .select_from(CompositionLine).join(Composition).join(Delivery).join(Formula).join(Product)
            .order_by(CompositionLine.id),
            select(Invoice.number, Invoice.due_on, Invoice.total).order_by(Invoice.id),
            select(Order.name, Order.told_day, Order.state, Order.discount, OrderLine.name, OrderLine.given)
            .select_from(OrderLine).join(Order).order_by(OrderLine.id),
        )
    ]  # fmt: skip


def _planted(session: Session, seed: int) -> list[list[Any]]:
    generate(session, subscribers=20, seed=seed, months=1, today=world.TODAY, now=world.NOW)
    facts = _facts(session)
    session.rollback()
    return facts


def test_the_same_seed_plants_the_same_farm_and_another_seed_another(empty: Session) -> None:
    first, again, other = (_planted(empty, seed) for seed in (7, 7, 8))
    assert first == again
    assert all(facts for facts in first)
    assert first[0] != other[0]
    assert first[-1] != other[-1]


@pytest.mark.parametrize(
    ("backend", "subscribers"),
    list(itertools.product(BACKENDS, (1, 201)) if ROUNDS > 1 else zip(BACKENDS, (201, 1), strict=False)),
    indirect=["backend"],
)
def test_as_many_subscribers_as_are_asked_for(empty: Session, subscribers: int) -> None:
    summary = generate(empty, subscribers=subscribers, seed=3, months=1, today=world.TODAY, now=world.NOW)
    assert summary.accounts == subscribers + len((SHARER, *TEAM, *GONE))


def test_a_database_with_accounts_is_left_as_it_is(session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(Delivery))
    with pytest.raises(NotEmptyError):
        generate(session, seed=1, today=world.TODAY, now=world.NOW)
    assert session.scalar(select(func.count()).select_from(Delivery)) == before


def test_the_command_plants_once_and_then_refuses_in_one_sentence(app: Flask, empty: Session) -> None:
    command = ["demo", "--subscribers", "12", "--seed", "5", "--months", "1"]
    planted = app.test_cli_runner().invoke(args=command)
    assert planted.exit_code == 0, planted.output
    assert planted.output.startswith("22 comptes, ")
    again = app.test_cli_runner().invoke(args=command)
    assert again.exit_code == 1
    assert (
        again.output
        == "La base contient déjà des comptes : la ferme de démonstration demande une base vide.\n"
    )


def test_a_production_site_never_gets_the_public_passphrase(
    app: Flask, empty: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    production = replace(
        app.config["SETTINGS"],
        mode=Mode.PRODUCTION,
        base_url="https://portail.example.org",
        smtp_url="smtp://localhost",
    )
    monkeypatch.setitem(app.config, "SETTINGS", production)
    refused = app.test_cli_runner().invoke(args=["demo"])
    assert refused.exit_code == 1
    assert "mots de passe publics" in refused.output
    assert empty.scalar(select(func.count()).select_from(Account)) == 0
