"""/ferme/chiffres: each figure is what went out, and can be taken away."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from sqlalchemy import select

from portal.accounts.models import Account, Role
from portal.billing.payments import pay
from portal.boxes import services
from portal.boxes.models import Basket, BoxChange, Suspension
from portal.catalogue.models import Formula
from portal.compositions.models import Composition, CompositionLine, CompositionState
from portal.deliveries.models import Delivery
from portal.figures import queries
from portal.figures.queries import Period
from portal.rules.calendar import WEEK
from portal.rules.money import Money
from portal.rules.orders import OrderState
from portal.rules.selling import SaleUnit
from portal.subscriptions.models import Subscription
from tests.accounts.people import account_of
from tests.billing.writing import paid, written
from tests.composing import delivery_on, formula, product
from tests.pages import text_of
from tests.shop.making import article, order
from tests.world import CAMILLE, NOW, STAFF, TUESDAY

PAGE = "/ferme/chiffres"
FIGURES = ("paniers", "absences", "abonnements", "valeur", "ventes")
PAST = TUESDAY - WEEK
MONDAY = PAST - timedelta(days=1)
PERIOD = Period(MONDAY - 3 * WEEK, MONDAY + WEEK)


@pytest.fixture
def frozen(session):
    """Freeze what has closed."""

    def freeze():
        session.commit()
        closed = select(Delivery.id).where(Delivery.cutoff_at <= NOW).order_by(Delivery.cutoff_at)
        for delivery_id in session.scalars(closed).all():
            services.freeze(session, delivery_id)
        session.commit()

    return freeze


def compose(session, **amounts):
    """What the large box of last Tuesday held."""
    lines = [CompositionLine(product_id=product(session, slug), amount=n) for slug, n in amounts.items()]
    held = {"delivery_id": delivery_on(session, PAST).id, "formula_id": formula(session, "grand")}
    session.add(Composition(**held, state=CompositionState.CONFIRMED, lines=lines))


def camilles(session):
    mine = select(Subscription.id).join(Account).where(Account.email == CAMILLE).order_by(Subscription.id)
    return session.scalars(mine).all()


def of_week(figure, week):
    place = figure.weeks.index(week)
    return {name: numbers[place] for name, numbers in figure.series}


def test_boxes_are_those_that_went_out(session, frozen):
    frozen()
    before = of_week(queries.boxes(session, PERIOD), MONDAY)
    every = select(Basket).join(Delivery, Delivery.id == Basket.delivery_id).where(Delivery.week == MONDAY)
    counted = sum(basket.quantity for basket in session.scalars(every))
    assert sum(before.values()) == counted > 0
    for row in session.scalars(select(Formula)):
        row.name = "Panier"
    assert queries.boxes(session, Period(MONDAY, MONDAY)).total == counted
    session.rollback()
    eggs = session.scalars(every.where(Basket.subscription_id.in_(camilles(session)))).all()[1]
    eggs.quantity = 0
    session.flush()
    assert sum(of_week(queries.boxes(session, PERIOD), MONDAY).values()) == counted - 1
    session.get_one(Delivery, eggs.delivery_id).cancelled_at = NOW
    session.flush()
    assert sum(of_week(queries.boxes(session, PERIOD), MONDAY).values()) < counted - 1


def test_absences_are_skips_and_suspensions_and_with_the_boxes_all_that_was_owed(session, frozen):
    large, eggs = camilles(session)
    earlier = NOW - 3 * WEEK
    session.add(BoxChange(subscription_id=large, week=MONDAY, skip=True, skip_at=earlier, changed_at=earlier))
    suspension = {"first_day": PAST, "last_day": PAST, "made_at": earlier}
    session.add_all(Suspension(subscription_id=one, **suspension) for one in (large, eggs))
    frozen()
    found = queries.absences(session, PERIOD, skipped="sautés", suspended="suspendus")
    assert of_week(found, MONDAY) == {"sautés": 1, "suspendus": 1}
    assert found.total == 2
    gone = of_week(queries.boxes(session, PERIOD), MONDAY)
    full = of_week(queries.boxes(session, PERIOD), MONDAY - 2 * WEEK)
    assert sum(gone.values()) + 2 == sum(full.values())


def test_a_suspension_that_came_too_late_or_was_taken_back_is_no_absence(session, frozen):
    large, eggs = camilles(session)
    closed = session.scalars(select(Delivery.cutoff_at).where(Delivery.day == PAST)).one()
    days = {"first_day": PAST, "last_day": PAST}
    session.add(Suspension(subscription_id=large, made_at=closed, **days))
    session.add(Suspension(subscription_id=eggs, made_at=closed - WEEK, **days))
    session.add(
        BoxChange(
            subscription_id=eggs, week=MONDAY, skip=False, skip_at=closed - timedelta(days=1), changed_at=NOW
        )
    )
    frozen()
    assert queries.absences(session, PERIOD, skipped="a", suspended="b").total == 0


def test_subscriptions_come_and_go(session):
    large, _eggs = camilles(session)
    session.get_one(Subscription, large).last_day = PAST
    session.flush()
    found = queries.comings_and_goings(session, PERIOD, new="nouveaux", ended="terminés")
    assert of_week(found, MONDAY)["terminés"] == 1
    years = queries.comings_and_goings(
        session, Period(MONDAY - 300 * WEEK, MONDAY + WEEK), new="nouveaux", ended="terminés"
    )
    assert sum(dict(years.series)["nouveaux"]) == len(session.scalars(select(Subscription.id)).all())


def test_what_was_given_is_weighed_against_what_was_paid(session, frozen):
    compose(session, carottes=2000, salade=3)
    frozen()
    [given] = queries.given(session, PERIOD)
    assert (given.formula, given.boxes) == ("Grand panier", 1)
    assert (given.worth, given.price) == (Money(890), Money(1950))


def test_sales_are_what_was_handed_out(session, frozen):
    honey, cheese = article(session), article(session, "Tomme", 2190, sale_unit=SaleUnit.WEIGHT, step=50)
    order(session, {honey: 3}, day=PAST, state=OrderState.DELIVERED)
    order(session, {cheese: 300}, day=PAST, state=OrderState.DELIVERED).lines[0].given = 333
    order(session, {honey: 5}, day=PAST, state=OrderState.CANCELLED)
    frozen()
    found = queries.sales(session, PERIOD)
    assert [(s.article, s.orders, s.quantity, s.amount) for s in found] == [
        ("Miel", 1, 3, Money(1950)),
        ("Tomme", 1, 333, Money(729)),
    ]


def test_the_page_draws_and_counts_and_gives_each_figure_away(desk, session, frozen, count_queries):
    assert text_of(desk.get(PAGE)).count("pendant cette période") >= 3
    compose(session, carottes=2000)
    order(session, {article(session): 3}, day=PAST, state=OrderState.DELIVERED)
    frozen()
    with count_queries() as few:
        page = desk.get(f"{PAGE}?periode=12-semaines")
    text = text_of(page)
    assert "Du lundi 23 mars 2026" in text or "23 mars 2026 à cette semaine" in text
    assert "Grand panier" in text and "Miel" in text and "19,50 €" in text
    assert page.text.count('<svg class="chart" role="img"') >= 1
    for length in ("saison", "12-mois", "' OR 1=1"):
        assert desk.get(PAGE, query_string={"periode": length}).status_code == 200
    for figure in FIGURES:
        taken = desk.submit(f"{PAGE}/{figure}/export?periode=12-semaines", {"format": "csv"})
        assert len(list(csv.reader(StringIO(taken.data.decode("utf-8-sig")), delimiter=";"))) >= 2, figure
    assert desk.submit(f"{PAGE}/salaires/export", {"format": "csv"}).status_code == 404
    session.add_all([
        Basket(
            subscription_id=camilles(session)[0], week=MONDAY - n * WEEK, delivery_id=1, formula_id=1, quantity=1,
            pickup_point_id=1, unit_price=Money(1), vat_basis_points=550, billed_quantity=1,
        )
        for n in range(5, 9)
    ])  # fmt: skip
    session.commit()
    with count_queries() as many:
        desk.get(f"{PAGE}?periode=12-semaines")
    assert len(many) == len(few)


def test_what_is_billed_paid_and_owed_is_counted_by_month_for_those_who_read_bills(desk, session):
    before = written(session, 1000, day=NOW.date() - timedelta(days=365))
    written(session, 3860)
    written(session, -860, corrects=before)
    pay(session, paid(2500, before.customer), at=NOW, by=None)
    session.commit()
    page = text_of(desk.get(f"{PAGE}?periode=12-semaines"))
    assert "mai 20260,00 €0,00 €0,00 €0,00 €10,00 €juin 202630,00 €30,00 €25,00 €0,00 €15,00 €" in page
    taken = desk.submit(f"{PAGE}/argent/export?periode=12-semaines", {"format": "csv"})
    assert taken.data.decode("utf-8-sig").split()[-1].endswith("30,00;30,00;25,00;0,00;15,00")
    account_of(session, STAFF).roles = [session.scalars(select(Role).where(Role.name == "growing")).one()]
    session.commit()
    assert "Facturé" not in text_of(desk.get(PAGE))
    assert desk.submit(f"{PAGE}/argent/export", {"format": "csv"}).status_code == 403
