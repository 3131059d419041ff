import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.rules.amounts import (
    GRAMS,
    KILOS,
    PIECES,
    AmountRefusal,
    equal_worth,
    gap,
    read_amount,
    worth,
    write_amount,
)
from portal.rules.money import Money


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0,5", 500),
        ("0.5", 500),
        (" 1,250 ", 1250),
        ("0,29", 290),
        ("2", 2000),
        ("007", 7000),
        ("", 0),
        ("  ", 0),
    ],
)
def test_kilos_are_written_with_a_comma_and_kept_in_grams(text, amount):
    assert read_amount(text, KILOS) == amount


@pytest.mark.parametrize(("text", "amount"), [("3", 3), ("3,0", 3), ("0", 0), ("0,000", 0), ("500", 500)])
def test_pieces_are_whole(text, amount):
    assert read_amount(text, PIECES) == amount


@pytest.mark.parametrize(
    "text",
    [
        "-1", "+1", "1e3", "1_0", "１", "٣", "²", "NaN", "inf", "1,5,0", ",5", "5,", "1 000", "0x10", "deux",
        "1\x00", "\u202e1", "1\n2", "<b>1</b>", "1' OR '1'='1", "\ud800",
    ],
)  # fmt: skip
@pytest.mark.parametrize("measure", [KILOS, GRAMS, PIECES])
def test_what_is_no_plain_number_is_refused(text, measure):
    assert read_amount(text, measure) is AmountRefusal.NOT_A_NUMBER


def test_half_a_salad_and_a_tenth_of_a_gram_are_refused():
    assert read_amount("0,5", PIECES) is AmountRefusal.NOT_WHOLE
    assert read_amount("10,5", GRAMS) is AmountRefusal.NOT_WHOLE
    assert read_amount("0,0005", KILOS) is AmountRefusal.TOO_FINE


@pytest.mark.parametrize("text", ["51", "1000000000", "1" + "0" * 20, "9" * 20_000])
def test_a_box_holds_no_more_than_a_person_can_carry(text):
    assert read_amount(text, KILOS) is AmountRefusal.TOO_MUCH
    assert read_amount("50", KILOS) == 50_000
    assert read_amount("501", PIECES) is AmountRefusal.TOO_MUCH


@given(
    st.sampled_from([KILOS, GRAMS, PIECES]).flatmap(lambda m: st.tuples(st.just(m), st.integers(0, m.most)))
)
def test_an_amount_reads_back_as_it_is_written(case):
    measure, amount = case
    assert read_amount(write_amount(amount, measure), measure) == amount


@given(st.text(), st.sampled_from([KILOS, GRAMS, PIECES]))
def test_whatever_is_typed_is_an_amount_within_bounds_or_refused(text, measure):
    amount = read_amount(text, measure)
    assert isinstance(amount, AmountRefusal) or 0 <= amount <= measure.most


def test_amounts_are_written_the_french_way_and_none_is_left_blank():
    assert [write_amount(n, KILOS) for n in (500, 1250, 2000, 7, 0)] == ["0,5", "1,25", "2", "0,007", ""]
    assert write_amount(2, PIECES) == "2"


def test_a_box_is_worth_the_sum_of_its_products_rounded_once():
    half_cents = [(1, Money(500), KILOS)] * 3
    assert worth(half_cents) == Money(2)
    assert worth([(500, Money(250), KILOS), (250, Money(1200), GRAMS), (2, Money(130), PIECES)]) == Money(685)
    assert worth([]) == Money(0)


def test_the_gap_is_told_to_a_tenth_of_a_percent_of_the_price():
    assert gap(Money(2000), Money(2000)) == 0
    assert gap(Money(1050), Money(1000)) == 500
    assert gap(Money(900), Money(1000)) == -1000
    assert gap(Money(1951), Money(1950)) == 10
    assert gap(Money(0), Money(1950)) == -10_000
    assert gap(Money(100), Money(0)) is None


def test_what_comes_instead_is_worth_about_as_much_in_amounts_that_can_be_packed():
    salad, carrots, radishes = (Money(130), PIECES), (Money(250), KILOS), (Money(180), PIECES)
    assert equal_worth(2, salad, carrots) == 1050, "2,60 € are 1,04 kg"
    assert equal_worth(500, carrots, radishes) == 1, "1,25 € are less than a bunch"
    assert equal_worth(1, radishes, salad) == 1
    assert equal_worth(1, (Money(1), PIECES), carrots) == 50, "never nothing"
    assert equal_worth(1, salad, (Money(0), PIECES)) == 0, "what has no value is not measured by it"
