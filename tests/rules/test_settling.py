from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.rules.money import Money
from portal.rules.settling import Document, settle

MAY = date(2026, 5, 15)
NONE = Money.zero()


def invoice(number: int, cents: int, *, due: int = 0, corrects: int | None = None) -> Document:
    return Document(number, MAY + timedelta(days=due), Money(cents), corrects)


def test_money_pays_what_was_due_first_and_what_is_left_is_credit():
    later, sooner = invoice(1, 3000, due=30), invoice(2, 2000)
    assert settle([later, sooner], Money(2500)).open == {2: NONE, 1: Money(2500)}
    over = settle([later, sooner], Money(5100))
    assert (over.open, over.credit, over.beyond) == ({2: NONE, 1: NONE}, Money(100), NONE)


def test_what_is_due_on_one_day_is_paid_in_the_order_in_which_it_was_billed():
    assert settle([invoice(2, 1000), invoice(1, 1000)], Money(1500)).open == {1: NONE, 2: Money(500)}


def test_a_credit_note_takes_off_the_invoice_that_it_corrects_before_money_does():
    older, newer = invoice(1, 2000), invoice(2, 3000, due=30)
    credit = invoice(3, -500, corrects=2)
    found = settle([older, newer, credit], Money(1000))
    assert (found.open, found.credited) == ({1: Money(1000), 2: Money(2500)}, {2: Money(500)})


def test_who_names_an_invoice_pays_it_and_the_oldest_with_what_it_does_not_need():
    older, newer, credit = invoice(1, 2000), invoice(2, 3000, due=30), invoice(3, -500, corrects=2)
    assert settle([older, newer], NONE, {2: Money(3000)}).open == {1: Money(2000), 2: NONE}
    assert settle([older, newer, credit], NONE, {2: Money(3000)}).open == {1: Money(1500), 2: NONE}
    assert settle([older, newer], Money(500), {2: Money(1000), 9: Money(100)}).open == {
        1: Money(1400),
        2: Money(2000),
    }
    back = settle([older, newer], Money(-300), {2: Money(3000)})
    assert (back.open, back.beyond) == ({1: Money(2000), 2: NONE}, Money(300))


def test_what_is_left_of_a_credit_note_pays_like_money():
    whole, other = invoice(1, 2000), invoice(2, 3000, due=30)
    credits = [invoice(3, -2000, corrects=1), invoice(4, -300, corrects=1), invoice(5, -100)]
    assert settle([whole, other, *credits], NONE).open == {1: NONE, 2: Money(2600)}
    assert settle([whole, *credits], NONE).credit == Money(400)


def test_a_payment_that_comes_back_after_its_credit_was_given_back_is_owed_for_no_invoice():
    found = settle([invoice(1, 2000), invoice(2, -500, corrects=1)], Money(-500))
    assert (found.open, found.credit, found.beyond) == ({1: Money(1500)}, NONE, Money(500))


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    found = []
    for number in range(draw(st.integers(0, 8))):
        corrects = draw(st.none() | st.integers(0, 8))
        cents = draw(st.integers(-5000, 5000))
        found.append(invoice(number, cents, due=draw(st.integers(0, 3)), corrects=corrects))
    return found


NAMED = st.dictionaries(st.integers(0, 9), st.integers(0, 5000).map(Money))


@given(documents(), st.integers(-9000, 9000).map(Money), NAMED, st.randoms(use_true_random=False))
def test_what_is_open_less_credit_is_the_balance_whatever_came_first(documents, money, named, random):
    found = settle(documents, money, named)
    total = {each.id: each.total for each in documents}
    open_ = sum(found.open.values(), NONE)
    assert open_ + found.beyond - found.credit == sum(
        total.values(), NONE - money - sum(named.values(), NONE)
    )
    assert all(NONE <= left <= total[number] for number, left in found.open.items())
    assert min(found.credit, found.beyond) >= NONE
    assert NONE in (found.credit, open_ + found.beyond)
    assert settle(random.sample(documents, len(documents)), money, named) == found
