from datetime import date

import pytest

from portal.rules.money import Money
from portal.rules.pricing import DatedPrice, price_on

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
