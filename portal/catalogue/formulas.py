"""What staff do to formulas and their prices. A formula's row is locked before anything of it is changed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.catalogue.models import Formula, FormulaPrice
from portal.catalogue.services import free_slug, place_among
from portal.infra import audit, locks
from portal.rules.cutoffs import local_day
from portal.rules.pricing import DatedPrice, PriceRefusal, refusal_of_price

UNSAID = {"description"}


def add_formula(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> Formula:
    """The last one in the list; it is on sale from its first price on."""
    session.scalars(_every()).all()  # one at a time
    last = session.scalar(select(func.max(Formula.position)))
    formula = Formula(
        **values,
        slug=free_slug(session, Formula.slug, values["name"]),
        position=0 if last is None else last + 1,
    )
    session.add(formula)
    session.flush()
    after = {"name": formula.name, "kind": formula.kind, "weight": formula.weight}
    audit.record(session, "formula.create", ("formula", formula.id), at=at, by=by, after=after)
    return formula


def change_formula(
    session: Session, formula_id: int, values: Mapping[str, Any], *, at: datetime, by: int
) -> list[str]:
    """The fields that have changed; its slug and its kind stay, people have chosen it as what it is."""
    return audit.change(session, _held(session, formula_id), values, at=at, by=by, unsaid=UNSAID)


def place_formula(session: Session, formula_id: int, place: int, *, at: datetime, by: int) -> bool:
    """Make it the formula of that number, from 0; whether it was another until now."""
    return place_among(session, Formula, formula_id, place, at=at, by=by)


def set_formula_retired(session: Session, formula_id: int, retired: bool, *, at: datetime, by: int) -> bool:
    """Offer it to nobody any more, or to all again; who receives it keeps it. Whether it was otherwise."""
    formula = _held(session, formula_id)
    if (formula.retired_at is not None) == retired:
        return False
    audit.change(session, formula, {"retired_at": at if retired else None}, at=at, by=by)
    return True


def set_formula_price(
    session: Session,
    formula_id: int,
    price: DatedPrice,
    notice: str | None,
    *,
    received: bool,
    at: datetime,
    by: int,
) -> PriceRefusal | bool:
    """In force from its day on; whether that was otherwise until now.

    Where the formula is received, the worker tells those who receive it, with the notice.
    """
    formula, prices = _held(session, formula_id), _held_prices(session, formula_id)
    known = [DatedPrice(row.since, row.price, row.vat_basis_points) for row in prices]
    today = local_day(at)
    if refusal := refusal_of_price(known, price, today=today, received=received, explained=bool(notice)):
        return refusal
    begun = [row for row in prices if row.since <= price.since]
    before = begun[-1] if begun else None
    if before and (before.price, before.vat_basis_points) == (price.price, price.vat_basis_points):
        return False
    told = {
        "notice": notice if received and before and before.price != price.price else None,
        "told_through": 0,
        "told_at": None,
    }
    values = {"price": price.price, "vat_basis_points": price.vat_basis_points, **told}
    was = _for_trail(before) if before else None
    if before and before.since == price.since:
        for name, value in values.items():
            setattr(before, name, value)
    else:
        formula.prices.append(FormulaPrice(since=price.since, **values))
    audit.record(
        session, "formula.price", ("formula", formula_id), at=at, by=by, before=was, after=_for_trail(price)
    )
    return True


def withdraw_formula_price(
    session: Session, formula_id: int, since: date, *, at: datetime, by: int
) -> PriceRefusal | None:
    """Take back a price that has neither begun nor been told to anybody; gone already, it stays so."""
    _held(session, formula_id)
    price = next((row for row in _held_prices(session, formula_id) if row.since == since), None)
    if since <= local_day(at):
        return PriceRefusal.BEGUN
    if price is None:
        return None
    if price.told_through or price.told_at:
        return PriceRefusal.TOLD
    locks.checked()
    session.delete(price)
    before = _for_trail(price)
    audit.record(session, "formula.price", ("formula", formula_id), at=at, by=by, before=before)
    return None


def _every() -> Any:
    return locks.for_update(select(Formula).order_by(Formula.id), of=Formula)


def _held(session: Session, formula_id: int) -> Formula:
    that = select(Formula).where(Formula.id == formula_id)
    return session.scalars(locks.for_update(that, of=Formula)).one()


def _held_prices(session: Session, formula_id: int) -> list[FormulaPrice]:
    """In their order; the worker, who holds one while it tells people of it, holds no formula."""
    own = select(FormulaPrice).where(FormulaPrice.formula_id == formula_id).order_by(FormulaPrice.since)
    return list(session.scalars(locks.for_update(own, of=FormulaPrice)))


def _for_trail(price: DatedPrice | FormulaPrice) -> dict[str, Any]:
    return {
        "since": price.since.isoformat(),
        "price": price.price.cents,
        "vat_basis_points": price.vat_basis_points,
    }
