"""Whatever is entered, debits and credits are equal, and the customer's account moves by what they owe."""

from hypothesis import given
from hypothesis import strategies as st

from portal.rules.accounts import USUAL, Journal, Role, of_invoice, of_money
from portal.rules.invoicing import Rate
from portal.rules.money import Money
from portal.rules.paying import PaymentMeans
from portal.rules.vouchers import vat_within

RATES = st.dictionaries(st.sampled_from([0, 550, 1000, 2000]), st.integers(-90_000, 90_000), min_size=1)


def moved(postings, role: Role) -> int:
    return sum(posting.debit.cents - posting.credit.cents for posting in postings if posting.role is role)


def balanced(postings) -> bool:
    sides = [(posting.debit.cents, posting.credit.cents) for posting in postings]
    assert all(min(side) == 0 < max(side) for side in sides), "one side, and never below nothing"
    return sum(debit for debit, _ in sides) == sum(credit for _, credit in sides)


@given(RATES)
def test_an_invoice_moves_sales_and_vat_by_rate(totals: dict[int, int]) -> None:
    rates = [
        Rate(
            rate, Money(total) - vat_within(Money(total), rate), vat_within(Money(total), rate), Money(total)
        )
        for rate, total in totals.items()
    ]
    whole = Money(sum(totals.values()))
    postings = of_invoice(whole, rates)
    assert balanced(postings) and moved(postings, Role.CUSTOMERS) == whole.cents
    for rate in rates:
        assert moved(postings, Role(f"sales_{rate.basis_points}")) == -rate.net.cents
        assert not rate.basis_points or moved(postings, Role(f"vat_{rate.basis_points}")) == -rate.vat.cents


@given(st.integers(-90_000, 90_000).filter(bool), st.sampled_from([None, *PaymentMeans]))
def test_money_moves_the_customer_and_where_it_is(cents: int, means: PaymentMeans | None) -> None:
    journal, postings = of_money(Money(cents), means)
    assert balanced(postings) and moved(postings, Role.CUSTOMERS) == cents
    assert (journal is Journal.CASH) == (means is PaymentMeans.CASH)
    assert (moved(postings, Role.LOSSES) != 0) == (means is None)


def test_every_account_has_a_number_of_its_own() -> None:
    assert set(USUAL) == set(Role) and len(set(USUAL.values())) == len(USUAL)
