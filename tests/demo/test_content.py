"""What the demo farm tells: complete, unique, invented, and right."""

import re
from collections import Counter
from datetime import date, time, timedelta
from itertools import islice, pairwise
from random import Random

import pytest

from portal.demo.farm import FARM, FORMULAS, TOURS, Formula
from portal.demo.people import ADMIN, STAFF, SUBSCRIBER, subscribers
from portal.demo.points import POINTS
from portal.demo.season import compose, in_season, worth
from portal.demo.vegetables import EGGS, VEGETABLES, Vegetable
from portal.settings import ROOT

BOXES = [formula for formula in FORMULAS if formula.kind == "vegetables"]
WEEKS = [date(2026, 1, 5) + timedelta(weeks=week) for week in range(106)]
SEEDS = range(4)

DRAWINGS = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static" / "drawings.svg").read_text()))


def test_the_farm_has_three_tours_fourteen_points_four_formulas_and_forty_vegetables() -> None:
    assert (len(TOURS), len(POINTS), len(FORMULAS), len(VEGETABLES)) == (3, 14, 4, 40)


def test_no_slug_is_used_twice() -> None:
    for things in (TOURS, POINTS, FORMULAS, (*VEGETABLES, EGGS)):
        slugs = [thing.slug for thing in things]
        assert len(slugs) == len(set(slugs))
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


def test_every_drawing_is_in_the_sprite() -> None:
    assert {thing.drawing for thing in (*VEGETABLES, EGGS, *FORMULAS)} <= DRAWINGS


def test_the_tours_close_when_the_guide_says() -> None:
    assert [(tour.slug, tour.weekday, (tour.weekday - tour.lead_days) % 7) for tour in TOURS] == [
        ("mardi", 1, 6),  # Sunday
        ("jeudi", 3, 0),  # Monday
        ("vendredi", 4, 1),  # Tuesday
    ]
    assert {tour.closes_at for tour in TOURS} == {time(23, 59)}


def test_every_tour_has_points_that_lie_in_the_two_valleys() -> None:
    assert Counter(point.tour for point in POINTS).keys() == {tour.slug for tour in TOURS}
    for point in POINTS:
        assert 44.0 < point.latitude < 44.7 and 5.4 < point.longitude < 6.2
        assert point.opens < point.closes
        assert point.postcode[:2] in ("04", "05")


def test_a_pickup_point_may_have_a_very_long_name() -> None:
    assert 80 < max(len(point.name) for point in POINTS) <= 120


@pytest.mark.parametrize("product", [*VEGETABLES, EGGS], ids=lambda product: product.slug)
def test_every_product_says_how_to_keep_it_in_two_sentences(product: Vegetable) -> None:
    assert product.unit in ("kg", "g", "piece", "bunch")
    assert list(product.amounts) == sorted(product.amounts)
    assert len(re.findall(r"\.(?= |$)", product.storage)) == 2
    assert 100 < len(product.storage) < 260


def test_nobody_of_the_demo_can_be_reached_for_real() -> None:
    people = [SUBSCRIBER, STAFF, ADMIN, *islice(subscribers(Random(1)), 3000)]
    phones = [FARM.phone, *(person.phone for person in people if person.phone)]
    assert all(re.fullmatch(r"06 39 98 \d\d \d\d|04 65 71 \d\d \d\d", phone) for phone in phones)
    emails = [FARM.email, *(person.email for person in people)]
    assert all(re.fullmatch(r"[a-z0-9.-]{1,64}@example\.(org|net)", email) for email in emails)
    assert len(emails) == len(set(emails))


def test_the_names_try_what_names_can_be() -> None:
    names = [f"{person.first_name} {person.last_name}" for person in islice(subscribers(Random(1)), 200)]
    assert all(any(sign in name for name in names) for sign in ("é", "ï", "-", "'"))
    assert max(map(len, names)) > 55


@pytest.mark.parametrize("formula", BOXES, ids=lambda formula: formula.slug)
def test_a_box_is_worth_about_its_price(formula: Formula) -> None:
    values = [worth(compose(formula, week, seed)) / formula.price for seed in SEEDS for week in WEEKS]
    assert min(values) >= 0.92
    assert max(values) <= 1


@pytest.mark.parametrize(("formula", "few", "many"), list(zip(BOXES, (5, 6, 7), (7, 9, 10), strict=True)))
def test_a_box_holds_as_many_vegetables_as_its_description_says(
    formula: Formula, few: int, many: int
) -> None:
    counts = {len(compose(formula, week, seed)) for seed in SEEDS for week in WEEKS}
    assert few <= min(counts) and max(counts) <= many


@pytest.mark.parametrize("formula", BOXES, ids=lambda formula: formula.slug)
def test_a_box_holds_what_is_in_season_and_nothing_twice(formula: Formula) -> None:
    for week in WEEKS:
        products = [line.product for line in compose(formula, week, 1)]
        assert set(products) <= set(in_season(week))
        assert len({product.drawing for product in products}) == len(products)


@pytest.mark.parametrize("formula", BOXES, ids=lambda formula: formula.slug)
def test_two_weeks_in_a_row_never_hold_the_same(formula: Formula) -> None:
    for seed in SEEDS:
        boxes = [{line.product.slug for line in compose(formula, week, seed)} for week in WEEKS]
        assert all(this != following for this, following in pairwise(boxes))


def test_the_same_seed_makes_the_same_boxes_and_another_seed_others() -> None:
    boxes = [[compose(formula, week, seed) for formula in FORMULAS for week in WEEKS] for seed in (1, 1, 2)]
    assert boxes[0] == boxes[1] != boxes[2]


def test_the_sizes_of_a_week_share_a_harvest() -> None:
    for week in WEEKS:
        small, medium, large = ({line.product for line in compose(box, week, 1)} for box in BOXES)
        assert len(small & medium) >= len(small) - 2 and len(medium & large) >= len(medium) - 2


def test_six_eggs_are_six_eggs() -> None:
    eggs = next(formula for formula in FORMULAS if formula.kind == "eggs")
    (line,) = compose(eggs, WEEKS[0], 1)
    assert (line.product, line.amount) == (EGGS, 6)
    assert line.value == eggs.price
