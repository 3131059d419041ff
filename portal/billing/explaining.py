"""« Pourquoi ce prix »: where the amounts of an invoice come from."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.billing.models import Invoice, InvoiceLine
from portal.billing.queries import InvoiceView, LineView
from portal.boxes.models import Basket, BasketCorrection
from portal.catalogue.models import FormulaPrice
from portal.infra.orm import View, narrowing
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import LineKind
from portal.rules.money import Money
from portal.shop.models import OrderCorrection, OrderLine


@dataclass(frozen=True, slots=True)
class Correction:
    """What staff have set right of a box or an order, and why."""

    at: datetime
    reason: str

    @property
    def day(self) -> date:
        return local_day(self.at)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another invoice or credit note says of the same."""

    number: str
    issued_on: date
    total: Money


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where a line's amount comes from.

    `since` is when a box's price came into force; what was ordered keeps the price that it was ordered at. `ordered`
    and `given` are pieces, or grams.
    """

    since: date | None = None
    ordered: int | None = None
    given: int | None = None
    corrections: tuple[Correction, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()


def explain(session: Session, invoice: InvoiceView) -> dict[int, Explanation]:
    """By line, in a number of queries that does not grow with them."""
    found = _boxes(session, [line for line in invoice.lines if line.kind is LineKind.BOX])
    found |= _orders(session, [line for line in invoice.lines if line.kind is LineKind.ARTICLE])
    others = _elsewhere(session, invoice)
    return {
        line.id: replace(found.get(line.id, Explanation()), elsewhere=tuple(others[line.id]))
        for line in invoice.lines
    }


def _boxes(session: Session, lines: list[LineView]) -> dict[int, Explanation]:
    if not lines:
        return {}
    own = and_(
        Basket.subscription_id.in_({line.subscription_id for line in lines}),
        narrowing(Basket.delivery_id).in_({line.delivery_id for line in lines}),
    )
    boxes = {
        f"box/{box.subscription_id}/{box.week}": box for box in session.scalars(select(Basket).where(own))
    }
    formulas = {box.formula_id for box in boxes.values()}
    prices = session.scalars(
        select(FormulaPrice).where(FormulaPrice.formula_id.in_(formulas)).order_by(FormulaPrice.since.desc())
    ).all()
    made = _corrections(
        session, BasketCorrection, BasketCorrection.basket_id, {box.id for box in boxes.values()}
    )
    found = {}
    for line in lines:
        if box := boxes.get(line.source or ""):
            price = next(
                (each for each in prices if each.formula_id == box.formula_id and each.since <= line.day),
                None,
            )
            since = price.since if price and price.price == line.unit_price else None
            found[line.id] = Explanation(since, corrections=tuple(made[box.id]))
    return found


def _orders(session: Session, lines: list[LineView]) -> dict[int, Explanation]:
    if not lines:
        return {}
    order_ids = {line.order_id for line in lines if line.order_id}
    ordered = select(OrderLine).where(OrderLine.order_id.in_(order_ids))
    known = {f"line/{each.id}": each for each in session.scalars(ordered)}
    made = _corrections(session, OrderCorrection, OrderCorrection.order_id, order_ids)
    found = {}
    for line in lines:
        if line.source in known:
            each = known[line.source]
            found[line.id] = Explanation(
                ordered=each.quantity,
                given=each.paid,
                corrections=tuple(made[each.order_id]),
            )
    return found


def _corrections(
    session: Session,
    table: type[BasketCorrection | OrderCorrection],
    what: InstrumentedAttribute[int],
    ids: Iterable[int],
) -> defaultdict[int, list[Correction]]:
    """Those that stand."""
    found = defaultdict[int, list[Correction]](list)
    made = select(what, View(Correction, at=table.at, reason=table.reason)).where(what.in_(ids))
    for whose, correction in session.execute(made.where(table.undone_at.is_(None)).order_by(table.id)):
        found[whose].append(correction)
    return found


_ELSEWHERE = View(Elsewhere, number=Invoice.number, issued_on=Invoice.issued_on, total=InvoiceLine.total)


def _elsewhere(session: Session, invoice: InvoiceView) -> defaultdict[int, list[Elsewhere]]:
    """What bills the same, is taken off a line, or is what a gesture takes something off."""
    lines = invoice.lines
    related = or_(
        InvoiceLine.source.in_([line.source for line in lines if line.source]),
        InvoiceLine.corrects_id.in_([line.id for line in lines]),
        InvoiceLine.id.in_([line.corrects_id for line in lines if line.corrects_id]),
    )
    others: Any = select(InvoiceLine.id, InvoiceLine.source, InvoiceLine.corrects_id, _ELSEWHERE)
    others = others.join(Invoice, Invoice.id == InvoiceLine.invoice_id)
    others = others.where(related, InvoiceLine.invoice_id != invoice.id)
    found = defaultdict[int, list[Elsewhere]](list)
    for line_id, source, corrects_id, other in session.execute(others.order_by(InvoiceLine.id)):
        for line in lines:
            if (source and source == line.source) or corrects_id == line.id or line.corrects_id == line_id:
                found[line.id].append(other)
    return found
