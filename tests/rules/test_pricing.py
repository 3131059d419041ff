from datetime import date, timedelta

import pytest

from portal.rules.calendar import Rhythm
from portal.rules.money import Money
from portal.rules.pricing import NOTICE, DatedPrice, PriceRefusal, monthly, price_on, refusal_of_price

OLD = DatedPrice(date(2025, 1, 1), Money(1450), 550)
NEW = DatedPrice(date(2026, 9, 1), Money(1500), 550)


def test_a_box_costs_what_is_in_force_on_the_day_of_its_delivery():
    assert price_on([NEW, OLD], date(2026, 8, 31)) == OLD
    assert price_on([NEW, OLD], date(2026, 9, 1)) == NEW
    assert price_on([OLD, NEW], date(2030, 1, 1)) == NEW


def test_there_is_no_price_before_the_first():
    with pytest.raises(LookupError):
        price_on([OLD, NEW], date(2024, 12, 31))
    with pytest.raises(LookupError):
        price_on([], date(2026, 1, 1))


TODAY = date(2026, 6, 10)
DEARER = DatedPrice(TODAY + NOTICE, Money(1600), 550)


def refusal(price: DatedPrice, known=(OLD,), *, received=True, explained=True) -> PriceRefusal | None:
    return refusal_of_price(known, price, today=TODAY, received=received, explained=explained)


def test_a_higher_price_is_explained_a_month_ahead_to_those_who_will_pay_it():
    a_day_early = DatedPrice(DEARER.since - timedelta(days=1), DEARER.price, 550)
    assert refusal(DEARER) is None
    assert refusal(a_day_early) is PriceRefusal.TOO_SOON
    assert refusal(DEARER, explained=False) is PriceRefusal.UNEXPLAINED
    assert refusal(a_day_early, received=False, explained=False) is None
    assert refusal(a_day_early, known=(), explained=False) is None, "a first price"


def test_a_lower_price_needs_a_word_and_no_delay_and_nothing_changes_what_is_over():
    assert refusal(DatedPrice(TODAY, Money(1400), 550)) is None
    assert refusal(DatedPrice(TODAY, Money(1400), 550), explained=False) is PriceRefusal.UNEXPLAINED
    assert refusal(DatedPrice(TODAY, OLD.price, 1000), explained=False) is None, "only the VAT within it"
    assert refusal(DatedPrice(TODAY - timedelta(days=1), Money(1400), 550)) is PriceRefusal.OVER


def test_what_people_expect_is_what_they_were_told_last():
    known = (OLD, DEARER)
    back = DatedPrice(DEARER.since, OLD.price, 550)
    assert refusal(back, known, explained=False) is PriceRefusal.UNEXPLAINED
    assert (
        refusal(DatedPrice(DEARER.since + timedelta(days=1), DEARER.price, 550), known, explained=False)
        is None
    )


@pytest.mark.parametrize(
    ("cents", "rhythm", "euros"),
    [
        (1150, Rhythm.WEEKLY, 50),
        (1150, Rhythm.FORTNIGHT_A, 25),
        (4140, Rhythm.WEEKLY, 179),
        (0, Rhythm.WEEKLY, 0),
    ],
)
def test_a_month_is_about_a_twelfth_of_a_years_deliveries(cents: int, rhythm: Rhythm, euros: int) -> None:
    assert monthly(Money(cents), rhythm) == Money(euros * 100)
