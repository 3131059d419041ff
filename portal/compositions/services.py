"""Composing boxes: amounts, what is shown to subscribers, copies.

Every act takes its delivery's lock: whoever composes the same delivery meanwhile waits, and no cell is lost.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from portal.compositions.models import (
    Composition,
    CompositionChange,
    CompositionLine,
    CompositionState,
    Exclusion,
    ShortageNotice,
)
from portal.deliveries.models import Delivery
from portal.infra import audit, locks
from portal.rules.contents import Swap, at_point
from portal.rules.cutoffs import local_day


class Cell(NamedTuple):
    """A place in the grid."""

    formula_id: int
    product_id: int


class Refusal(StrEnum):
    """Why boxes stay as they are; its words are in the templates."""

    DONE = "done"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"
    NOTHING_TO_COPY = "nothing_to_copy"
    NOT_HELD = "not_held"


@dataclass(frozen=True, slots=True)
class Shortage:
    """What runs short, where, and what comes instead: so much in a box of each formula, or nothing.

    `everywhere` says that `point_ids` are all that the delivery serves.
    """

    product_id: int
    formula_ids: Collection[int]
    point_ids: Collection[int]
    everywhere: bool
    instead_id: int | None
    amounts: Mapping[int, int]
    note: str | None


def set_amounts(
    session: Session, delivery_id: int, amounts: Mapping[Cell, int], *, at: datetime
) -> Refusal | None:
    """Put so much of a product into a formula's box; 0 takes it out. The last to write a cell wins."""
    if refusal := _lock(session, delivery_id, at):
        return refusal
    compositions = _compositions(session, delivery_id)
    for cell, amount in amounts.items():
        if cell.formula_id not in compositions and amount:
            compositions[cell.formula_id] = _new(session, delivery_id, cell.formula_id)
        if cell.formula_id in compositions:
            _write(compositions[cell.formula_id], cell.product_id, amount, at)
    return None


def set_state(
    session: Session,
    delivery_id: int,
    state: CompositionState,
    formula_ids: Collection[int] | None = None,
    *,
    at: datetime,
    by: int,
) -> Refusal | None:
    """Show boxes as forecast or confirmed, or take them back to draft: those of these formulas, or all.

    Empty boxes are left alone; where all are, there is nothing to show.
    """
    if refusal := _lock(session, delivery_id, at):
        return refusal
    found = [
        composition
        for composition in _compositions(session, delivery_id).values()
        if composition.lines and (formula_ids is None or composition.formula_id in formula_ids)
    ]
    if not found:
        return Refusal.EMPTY
    for composition in found:
        if composition.state is state:
            continue
        audit.record(
            session,
            "composition.state",
            ("composition", composition.id),
            at=at,
            by=by,
            before={"state": composition.state},
            after={"state": state},
        )
        composition.state = state
        composition.confirmed_at = at if state is CompositionState.CONFIRMED else None
        if state is not CompositionState.DRAFT and composition.shown_at is None:
            composition.shown_at = at
    return None


def copy(
    session: Session, source_id: int, target_id: int, *, replace: bool, at: datetime, by: int
) -> Refusal | None:
    """Fill a delivery's boxes as another's were; what they hold already stays unless `replace` is said.

    Boxes of a formula that the source does not have stay as they are.
    """
    if refusal := _lock(session, target_id, at):
        return refusal
    source = {key: box for key, box in _compositions(session, source_id).items() if box.lines}
    target = _compositions(session, target_id)
    if not source:
        return Refusal.NOTHING_TO_COPY
    if not replace and any(target[formula_id].lines for formula_id in source if formula_id in target):
        return Refusal.NOT_EMPTY
    for formula_id, composition in source.items():
        copied = target.get(formula_id) or _new(session, target_id, formula_id)
        amounts = {line.product_id: line.amount for line in composition.lines}
        for product_id in amounts.keys() | {line.product_id for line in copied.lines}:
            _write(copied, product_id, amounts.get(product_id, 0), at)
    audit.record(
        session, "composition.copy", ("delivery", target_id), at=at, by=by, after={"from_delivery": source_id}
    )
    return None


def exclude(
    session: Session, delivery_id: int, box: tuple[int, int], swap: Swap, *, at: datetime, by: int
) -> Refusal | None:
    """Leave a product out of a formula's boxes at one point, for another one or for nothing."""
    if refusal := _lock(session, delivery_id, at):
        return refusal
    formula_id, point_id = box
    composition = _compositions(session, delivery_id).get(formula_id)
    if composition is None or not _swap(
        session, composition, _exclusions(session, composition.id), point_id, swap, at=at
    ):
        return Refusal.NOT_HELD
    after = {"pickup_point_id": point_id, "product_id": swap.product_id, "instead_id": swap.instead_id}
    audit.record(session, "composition.exclude", ("composition", composition.id), at=at, by=by, after=after)
    return None


def include(
    session: Session, delivery_id: int, exclusion_id: int, *, at: datetime, by: int
) -> Refusal | None:
    """Let a point's boxes hold what the others hold; done already, it stays so."""
    if refusal := _lock(session, delivery_id, at):
        return refusal
    of_delivery = select(Composition.id).where(Composition.delivery_id == delivery_id)
    found = session.scalar(
        select(Exclusion).where(Exclusion.id == exclusion_id, Exclusion.composition_id.in_(of_delivery))
    )
    if found is None:
        return None
    before = {"pickup_point_id": found.pickup_point_id, "product_id": found.product_id}
    subject = ("composition", found.composition_id)
    audit.record(session, "composition.include", subject, at=at, by=by, before=before)
    session.delete(found)
    return None


def go_without(
    session: Session, delivery_id: int, shortage: Shortage, *, at: datetime, by: int
) -> Refusal | None:
    """Take what runs short out of these boxes, and let the worker tell those who knew what they would hold.

    Where it is out of a formula's boxes everywhere, they are composed anew; else some points do without.
    """
    if refusal := _lock(session, delivery_id, at):
        return refusal
    compositions = _compositions(session, delivery_id)
    without = [
        composition
        for formula_id, composition in compositions.items()
        if formula_id in shortage.formula_ids and _take_out(session, composition, shortage, at)
    ]
    if not without:
        return Refusal.NOT_HELD
    where = {
        "formula_ids": [composition.formula_id for composition in without],
        "point_ids": [] if shortage.everywhere else sorted(shortage.point_ids),
        "product_id": shortage.product_id,
        "instead_id": shortage.instead_id,
        "instead_amounts": {
            str(formula_id): amount for formula_id, amount in shortage.amounts.items() if shortage.instead_id
        },
    }
    audit.record(session, "composition.shortage", ("delivery", delivery_id), at=at, by=by, after=where)
    known = [composition.formula_id for composition in without if composition.shown_at]
    if known:
        notice = {**where, "formula_ids": known, "note": shortage.note, "made_at": at, "made_by": by}
        session.add(ShortageNotice(delivery_id=delivery_id, told_through=0, **notice))
    return None


def _take_out(session: Session, composition: Composition, shortage: Shortage, at: datetime) -> bool:
    """Whether any of these boxes held it."""
    amount = shortage.amounts.get(composition.formula_id, 0) if shortage.instead_id else 0
    swap = Swap(shortage.product_id, shortage.instead_id if amount else None, amount)
    excluded = _exclusions(session, composition.id)
    if shortage.everywhere and not any(
        swap.product_id in {exclusion.product_id, exclusion.instead_id} for exclusion in excluded
    ):
        amounts = {line.product_id: line.amount for line in composition.lines}
        for product_id, after in at_point(amounts, [swap]).items():
            _write(composition, product_id, after, at)
        _write(composition, swap.product_id, 0, at)
        return swap.product_id in amounts
    done = [_swap(session, composition, excluded, point_id, swap, at=at) for point_id in shortage.point_ids]
    return any(done)


def _swap(
    session: Session,
    composition: Composition,
    excluded: Collection[Exclusion],
    point_id: int,
    swap: Swap,
    *,
    at: datetime,
) -> bool:
    """Whether the point's boxes held what they now go without."""
    amounts = {line.product_id: line.amount for line in composition.lines}
    swaps = [
        Swap(x.product_id, x.instead_id, x.instead_amount or 0)
        for x in excluded
        if x.pickup_point_id == point_id
    ]
    if swap.product_id not in at_point(amounts, swaps):
        return False
    session.add(
        Exclusion(
            composition_id=composition.id,
            pickup_point_id=point_id,
            product_id=swap.product_id,
            instead_id=swap.instead_id,
            instead_amount=swap.amount if swap.instead_id else None,
            made_at=at,
        )
    )
    return True


def _exclusions(session: Session, composition_id: int) -> list[Exclusion]:
    return list(session.scalars(select(Exclusion).where(Exclusion.composition_id == composition_id)))


def _lock(session: Session, delivery_id: int, at: datetime) -> Refusal | None:
    """Hold the delivery; one that is behind us stays as it was delivered."""
    delivery = session.scalars(
        locks.for_update(select(Delivery).where(Delivery.id == delivery_id), of=Delivery)
    ).one()
    return Refusal.DONE if delivery.day < local_day(at) else None


def _compositions(session: Session, delivery_id: int) -> dict[int, Composition]:
    """By formula, as they stand now: not as this session may have read them before it held the lock."""
    rows = session.scalars(
        select(Composition)
        .where(Composition.delivery_id == delivery_id)
        .options(selectinload(Composition.lines), selectinload(Composition.changes))
        .execution_options(populate_existing=True)
    )
    return {row.formula_id: row for row in rows}


def _new(session: Session, delivery_id: int, formula_id: int) -> Composition:
    composition = Composition(delivery_id=delivery_id, formula_id=formula_id, state=CompositionState.DRAFT)
    session.add(composition)
    return composition


def _write(composition: Composition, product_id: int, amount: int, at: datetime) -> None:
    line = next((line for line in composition.lines if line.product_id == product_id), None)
    before = line.amount if line else 0
    if amount == before:
        return
    if line is None:
        composition.lines.append(CompositionLine(product_id=product_id, amount=amount))
    elif amount:
        line.amount = amount
    else:
        composition.lines.remove(line)
    if composition.shown_at is not None:
        _note(composition, product_id, before, amount, at)


def _note(composition: Composition, product_id: int, before: int, amount: int, at: datetime) -> None:
    """Keep one change a product, counted from what was first shown; back there, it is none."""
    change = next((change for change in composition.changes if change.product_id == product_id), None)
    if change is None:
        composition.changes.append(
            CompositionChange(product_id=product_id, at=at, before=before, after=amount)
        )
    elif change.before == amount:
        composition.changes.remove(change)
    else:
        change.after, change.at = amount, at
