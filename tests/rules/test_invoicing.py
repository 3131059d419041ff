"""What is billed, to the cent."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from portal.rules.invoicing import (
    Charge,
    DocumentKind,
    Draft,
    LineKind,
    differences,
    drafts,
    kept_until,
    month_of,
    nets_of,
    next_month,
    rates_of,
    taken_back,
)
from portal.rules.money import Money
from portal.rules.vouchers import shared, vat_within

RATES = (0, 210, 550, 1000, 2000)
DAY = date(2026, 6, 2)


def charge(source: str, cents: int = 1950, quantity: int = 1, **changes: Any) -> Charge:
    values: dict[str, Any] = {
        "source": source,
        "kind": LineKind.BOX,
        "day": DAY,
        "label": "Grand panier",
        "quantity": quantity,
        "weighed": False,
        "unit_price": Money(cents),
        "vat_basis_points": 550,
        "total": Money(cents * quantity),
        "delivery_id": 1,
    }
    return Charge(**(values | changes))


def order(draw: st.DrawFn, number: int) -> list[Charge]:
    """By the piece or by weight, with a voucher."""
    lines, totals = [], dict[int, Money]()
    for line in draw(st.lists(st.integers(0, 3), unique=True, max_size=3)):
        rate, cents, quantity = (
            draw(st.sampled_from(RATES)),
            draw(st.integers(1, 9999)),
            draw(st.integers(1, 5000)),
        )
        amount = Money(cents).part(quantity, 1000)
        said = {"kind": LineKind.ARTICLE, "order_id": number, "weighed": True, "vat_basis_points": rate}
        lines.append(charge(f"line/{number}{line}", cents, quantity, total=amount, **said))
        totals[rate] = totals.get(rate, Money.zero()) + amount
    off = draw(st.integers(0, 2000))
    return lines + [
        charge(
            f"off/{number}/{rate}",
            -part.cents,
            order_id=number,
            kind=LineKind.DISCOUNT,
            vat_basis_points=rate,
        )
        for rate, part in shared(Money(off), totals).items()
        if part.cents
    ]


@st.composite
def charges(draw: st.DrawFn) -> list[Charge]:
    """A month's boxes and orders: each source once."""
    found = []
    for number in draw(st.lists(st.integers(0, 6), unique=True, max_size=5)):
        rate, cents, quantity = (
            draw(st.sampled_from(RATES)),
            draw(st.integers(1, 9999)),
            draw(st.integers(1, 4)),
        )
        found.append(charge(f"box/{number}/w", cents, quantity, vat_basis_points=rate))
    for number in draw(st.lists(st.integers(1, 3), unique=True, max_size=2)):
        found += order(draw, number)
    return found


def as_billed(papers: list[Draft], first_id: int) -> list[Charge]:
    """As they are read back: a credit note's lines under the invoice that it corrects."""
    return [
        replace(line, corrects_id=paper.corrects_id or first_id + n)
        for n, paper in enumerate(papers)
        for line in paper.charges
    ]


def total(lines: Iterable[Charge]) -> int:
    return sum(line.total.cents for line in lines)


@given(charges())
def test_lines_rates_and_total_agree_to_the_cent(lines: list[Charge]) -> None:
    nets, rates = nets_of(lines), rates_of(lines)
    assert sum(rate.total.cents for rate in rates) == total(lines)
    for rate in rates:
        own = [n for n, line in enumerate(lines) if line.vat_basis_points == rate.basis_points]
        assert rate.net + rate.vat == rate.total
        assert rate.vat == vat_within(rate.total, rate.basis_points)
        assert sum((nets[n] for n in own), Money.zero()) == rate.net
        for n in own:
            exact = lines[n].total.cents * 10_000 / (10_000 + rate.basis_points)
            assert abs(nets[n].cents - exact) < 1 and type(nets[n].cents) is int


@given(charges(), charges(), charges())
def test_whatever_is_set_right_all_documents_come_to_what_is_due_now(
    first: list[Charge], second: list[Charge], third: list[Charge]
) -> None:
    billed: list[Charge] = []
    for now in (first, second, third):
        papers = drafts(differences(now, billed))
        less = [total(paper.charges) < 0 for paper in papers]
        assert less == [paper.kind is DocumentKind.CREDIT_NOTE for paper in papers]
        billed += as_billed(papers, len(billed) + 1)
        again = differences(now, billed)
        assert not drafts(again), "billing twice bills once"
        by_rate = {rate.basis_points: rate.total for rate in rates_of(billed) if rate.total.cents}
        assert by_rate == {rate.basis_points: rate.total for rate in rates_of(now) if rate.total.cents}


@given(charges())
def test_an_invoice_taken_back_is_worth_nothing_and_can_be_billed_anew_or_never(lines: list[Charge]) -> None:
    billed = as_billed([Draft(tuple(lines))], 1)
    anew = billed + taken_back(billed, rebill=True)
    assert not any(rate.total.cents for rate in rates_of(anew))
    assert total(differences(lines, anew)) == total(lines)
    never = billed + taken_back(billed, rebill=False)
    assert total(never) == 0
    assert not differences(lines, [line for line in never if line.source])
    assert not taken_back(anew, rebill=True)


def test_what_is_less_goes_onto_a_credit_note_and_what_is_more_onto_an_invoice() -> None:
    billed = [replace(charge(f"box/{n}/w", quantity=2), corrects_id=n) for n in (1, 2, 3)]
    now = [charge("box/1/w"), charge("box/2/w", quantity=3), charge("box/3/w", 2100, 2)]
    credit, invoice = drafts(differences(now, billed))
    assert (credit.kind, credit.corrects_id) == (DocumentKind.CREDIT_NOTE, 1)
    assert [(line.quantity, line.total.cents) for line in credit.charges] == [(-1, -1950)]
    assert invoice.kind is DocumentKind.INVOICE
    assert [(line.quantity, line.total.cents) for line in invoice.charges] == [
        (1, 1950),
        (2, 4200),
        (-2, -3900),
    ]


def test_a_voucher_and_what_it_was_given_on_stay_on_one_paper() -> None:
    honey = charge("line/1", 1000, order_id=7, kind=LineKind.ARTICLE)
    off = charge("off/7/550", -200, order_id=7, kind=LineKind.DISCOUNT)
    billed = [replace(line, corrects_id=1) for line in (honey, off)]
    [credit] = drafts(differences([], billed))
    assert [line.total.cents for line in credit.charges] == [-1000, 200]


def test_what_differs_in_its_rate_alone_is_said_for_the_tax_differs() -> None:
    billed = [replace(charge("box/1/w"), corrects_id=1)]
    [paper] = drafts(differences([charge("box/1/w", vat_basis_points=1000)], billed))
    assert [rate.total.cents for rate in rates_of(paper.charges)] == [-1950, 1950]
    assert not drafts(differences([charge("box/1/w", delivery_id=2)], billed)), "nobody owes more or less"


def test_a_name_that_changes_bills_nothing() -> None:
    assert not differences([charge("box/1/w", label="Panier familial")], [charge("box/1/w")])


@example(date(2026, 12, 31))
@example(date(2028, 2, 29))
@given(st.dates(date(2026, 1, 1), date(2030, 12, 31)))
def test_each_day_is_in_one_month(day: date) -> None:
    """Week 53 of 2026 and 29 February 2028 too (BAR T12)."""
    begins, ends = month_of(day), next_month(day)
    assert begins <= day < ends and month_of(ends - timedelta(days=1)) == begins and ends.day == 1
    assert kept_until(day).year - day.year == 10


def test_lines_keep_the_order_of_their_days_and_a_voucher_follows_its_order() -> None:
    lines = [
        charge("off/7/550", -200, order_id=7, kind=LineKind.DISCOUNT),
        charge("line/1", order_id=7, kind=LineKind.ARTICLE),
        charge("box/1/w"),
        charge("box/1/v", day=DAY - timedelta(days=7)),
    ]
    found = [line.source for line in differences(lines, [])]
    assert found == ["box/1/v", "box/1/w", "line/1", "off/7/550"]
