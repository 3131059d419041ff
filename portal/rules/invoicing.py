"""What is billed, to the cent.

Prices are all taxes included, so VAT is what a rate's total holds, once an invoice (CGI 242 nonies A, annexe II;
recodified in the CIBS): the lines' net amounts are shared out of it and add up to it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from portal.rules.money import Money
from portal.rules.vouchers import WHOLE, vat_within


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class LineKind(StrEnum):
    BOX = "box"
    ARTICLE = "article"
    DISCOUNT = "discount"
    """A voucher's, or part of one, at one VAT rate."""
    GESTURE = "gesture"
    """Taken off by staff, with a reason."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be billed of one source, as it stands: a box of a week, a line of an order, a voucher's share.

    `source` names it for ever (« box/12/2026-06-01 », « line/345 », « off/77/550 »). A weight is in grams and its
    unit price a kilo's. `total` is all taxes included, negative for what is taken off. A gesture bills no source:
    what was billed stays billed. `corrects_id` is the last invoice that billed it, where it is a difference, and
    `line_id` the line that a gesture takes something off.
    """

    source: str | None
    kind: LineKind
    day: date
    label: str
    quantity: int
    weighed: bool
    unit_price: Money
    vat_basis_points: int
    total: Money
    delivery_id: int | None = None
    subscription_id: int | None = None
    order_id: int | None = None
    place: str | None = None
    """Where it is collected."""
    corrects_id: int | None = None
    line_id: int | None = None

    @property
    def terms(self) -> tuple[object, ...]:
        """What is added up as one: at another price, rate or delivery it is credited whole and billed anew."""
        price = None if self.kind is LineKind.DISCOUNT else self.unit_price
        taken_off = self.line_id, self.kind is LineKind.GESTURE
        return (self.source, *taken_off, self.delivery_id, self.weighed, price, self.vat_basis_points)

    @property
    def nothing(self) -> bool:
        """Whether it need not be said: what is taken off has no quantity."""
        counted = self.kind in (LineKind.BOX, LineKind.ARTICLE)
        return not self.total.cents and not (counted and self.quantity)

    @property
    def thing(self) -> str:
        """A box, or an order with its voucher: what of it is more or less is said on one paper."""
        return f"order/{self.order_id}" if self.order_id else self.source or ""


class Refusal(StrEnum):
    """Why nothing is issued; its words are in the templates."""

    SELLER_INCOMPLETE = "seller_incomplete"
    """The farm's card lacks what an invoice must say (`lacks`)."""
    NO_ADDRESS = "no_address"
    """The buyer's is not known (CGI 242 nonies A, annexe II, 1°)."""
    ERASED = "erased"
    """The buyer is nobody any more."""
    NOT_YET_DELIVERED = "not_yet_delivered"
    TO_WEIGH = "to_weigh"
    NOTHING_LEFT = "nothing_left"
    """More than what is left of what is to be credited."""


# What is billed


def differences(standing: Iterable[Charge], billed: Iterable[Charge]) -> list[Charge]:
    """What is still to be billed: what stands now, less what was billed of it, the newest invoice first.

    Of what was billed, `corrects_id` is the invoice, and there may be several of one source.
    """
    billed, last = list(billed), dict[str, int | None]()
    invoices: defaultdict[tuple[object, ...], dict[int | None, Charge]] = defaultdict(dict)
    for charge in sorted(billed, key=lambda charge: -(charge.corrects_id or 0)):
        last.setdefault(charge.thing, charge.corrects_id)
        parts = invoices[charge.terms]
        known = parts.get(charge.corrects_id)
        parts[charge.corrects_id] = _plus(known, charge) if known else charge
    stands = {charge.terms: charge for charge in standing}
    before = {charge.terms: charge for charge in added_up(billed)}
    found: list[Charge] = []
    for terms in stands | before:
        now, was = stands.get(terms), before.get(terms)
        if now and was and (now.quantity, now.total) == (was.quantity, was.total):
            continue
        charge = _less(now, was)
        if not charge.nothing:
            found += _parted(replace(charge, corrects_id=last.get(charge.thing)), invoices[terms].values())
    return in_order(found)


def _parted(charge: Charge, billed: Iterable[Charge]) -> Iterator[Charge]:
    """What is less, off the invoices that billed it, the newest first: of none more than it did."""
    if charge.total >= Money.zero():
        yield charge
        return
    for part in billed:
        if part.total <= Money.zero():
            continue
        if charge.total + part.total >= Money.zero():
            charge = replace(charge, corrects_id=part.corrects_id)
            break
        yield replace(charge, quantity=-part.quantity, total=part.total * -1, corrects_id=part.corrects_id)
        charge = replace(charge, quantity=charge.quantity + part.quantity, total=charge.total + part.total)
    yield charge


def in_order(charges: Iterable[Charge]) -> list[Charge]:
    """By day, a day's boxes first, an order's voucher last."""

    def place(charge: Charge) -> tuple[object, ...]:
        off = charge.kind is LineKind.DISCOUNT
        return (charge.day, charge.order_id or 0, off, charge.subscription_id or 0)

    return sorted(charges, key=place)


def added_up(billed: Iterable[Charge]) -> list[Charge]:
    """What is left of what was billed, once what was taken back of it is taken off."""
    left: dict[tuple[object, ...], Charge] = {}
    for charge in billed:
        known = left.get(charge.terms)
        left[charge.terms] = _plus(known, charge) if known else charge
    return [charge for charge in left.values() if not charge.nothing]


def taken_back(billed: Iterable[Charge], *, rebill: bool) -> list[Charge]:
    """All that is left of an invoice the other way round; it is to be billed again, or for good a gesture.

    Where it is billed again the gestures stay.
    """
    found: list[Charge] = []
    for charge in added_up(billed):
        if rebill and charge.kind is LineKind.GESTURE:
            continue
        back = replace(charge, quantity=-charge.quantity, total=charge.total * -1)
        if back.kind is LineKind.DISCOUNT:
            back = replace(back, quantity=1, unit_price=back.total)
        found.append(back if rebill else replace(back, kind=LineKind.GESTURE, source=None))
    return found


def _plus(one: Charge, other: Charge) -> Charge:
    return replace(one, quantity=one.quantity + other.quantity, total=one.total + other.total)


def _less(now: Charge | None, before: Charge | None) -> Charge:
    if before is None:
        assert now
        return now
    nothing = replace(before, quantity=0, total=Money.zero())
    now = now or nothing
    left = replace(now, quantity=now.quantity - before.quantity, total=now.total - before.total)
    if left.kind is LineKind.DISCOUNT:
        return replace(left, quantity=1, unit_price=left.total)
    return left


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document is to say; a credit note corrects an invoice."""

    charges: tuple[Charge, ...]
    corrects_id: int | None = None

    @property
    def kind(self) -> DocumentKind:
        return DocumentKind.INVOICE if self.corrects_id is None else DocumentKind.CREDIT_NOTE


def drafts(charges: Iterable[Charge]) -> list[Draft]:
    """What is less than was billed goes onto a credit note for the invoice that billed it last, the rest onto one
    invoice, which comes last. Where nothing changes at any rate, nothing is issued.
    """
    things: defaultdict[str, list[Charge]] = defaultdict(list)
    for charge in charges:
        things[charge.thing].append(charge)
    papers: defaultdict[int | None, list[Charge]] = defaultdict(list)
    for parts in things.values():
        for invoice_id, some in _by_paper(parts).items():
            papers[invoice_id] += some
    ordered = sorted(papers, key=lambda invoice_id: (invoice_id is None, invoice_id or 0))
    return [
        Draft(tuple(papers[invoice_id]), invoice_id)
        for invoice_id in ordered
        if any(rate.total.cents for rate in rates_of(papers[invoice_id]))
    ]


def _by_paper(parts: Sequence[Charge]) -> dict[int | None, list[Charge]]:
    """Of one thing: all on one invoice, or what each invoice is to be corrected by."""
    if _sum(parts) >= Money.zero():
        return {None: list(parts)}
    papers: defaultdict[int | None, list[Charge]] = defaultdict(list)
    for part in parts:
        papers[part.corrects_id].append(part)
    if all(_sum(some) < Money.zero() for some in papers.values()):
        return papers
    return {max((part.corrects_id for part in parts), key=lambda invoice_id: invoice_id or 0): list(parts)}


def _sum(charges: Iterable[Charge]) -> Money:
    return sum((charge.total for charge in charges), Money.zero())


@dataclass(frozen=True, slots=True)
class Left:
    """What credit notes have left of an invoice: of each thing that it bills, and at each VAT rate."""

    by_source: Mapping[str, Money]
    by_rate: Mapping[int, Money]


def bounded(draft: Draft, left: Left, label: str) -> Draft | None:
    """A credit note that takes back no more than is left, or none: what a gesture has given is not given again."""
    given = []
    for charge in draft.charges:
        rest = left.by_source.get(charge.source or "", charge.total * -1)
        given += _given(charge.total, rest, charge.vat_basis_points, charge.day, label)
    for rate in rates_of((*draft.charges, *given)):
        rest = left.by_rate.get(rate.basis_points, Money.zero())
        given += _given(rate.total, rest, rate.basis_points, draft.charges[-1].day, label)
    whole = replace(draft, charges=(*draft.charges, *given))
    return whole if any(rate.total.cents for rate in rates_of(whole.charges)) else None


def _given(less: Money, rest: Money, rate: int, day: date, label: str) -> list[Charge]:
    """What of an amount below nothing is more than the rest, the other way round."""
    excess = Money.zero() - less - max(rest, Money.zero())
    if excess <= Money.zero():
        return []
    return [
        Charge(
            source=None,
            kind=LineKind.GESTURE,
            day=day,
            label=label,
            quantity=1,
            weighed=False,
            unit_price=excess,
            vat_basis_points=rate,
            total=excess,
        )
    ]


@dataclass(frozen=True, slots=True)
class Rate:
    """What of a document bears a VAT rate."""

    basis_points: int
    net: Money
    vat: Money
    total: Money


def rates_of(charges: Iterable[Charge]) -> list[Rate]:
    """VAT is what each rate's sum holds."""
    totals: defaultdict[int, Money] = defaultdict(Money.zero)
    for charge in charges:
        totals[charge.vat_basis_points] += charge.total
    rates = []
    for basis_points, total in sorted(totals.items()):
        vat = vat_within(total, basis_points)
        rates.append(Rate(basis_points, total - vat, vat, total))
    return rates


def nets_of(charges: Collection[Charge]) -> list[Money]:
    """Each line's net amount, in their order: whole cents that add up to their rate's, the last ones to the
    largest remainders.
    """
    nets = [Money.zero()] * len(charges)
    for rate in rates_of(charges):
        own = [place for place, charge in enumerate(charges) if charge.vat_basis_points == rate.basis_points]
        totals = [charge.total.cents for charge in charges if charge.vat_basis_points == rate.basis_points]
        parts = [divmod(total * WHOLE, WHOLE + rate.basis_points) for total in totals]
        missing = rate.net.cents - sum(cents for cents, _ in parts)
        rounded_up = sorted(range(len(own)), key=lambda n: (-parts[n][1], n))[:missing]
        for n, place in enumerate(own):
            nets[place] = Money(parts[n][0] + (n in rounded_up))
    return nets


# When


def kept_until(issued: date) -> date:
    """The last day on which the buyer is kept with it: ten years from the year's end (Code de commerce, L123-22)."""
    return date(issued.year + 10, 12, 31)


def month_of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    return month_of(month.replace(day=28) + timedelta(days=4))


def previous_month(day: date) -> date:
    return month_of(month_of(day) - timedelta(days=1))
