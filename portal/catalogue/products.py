"""What staff do to the vegetables that boxes hold."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalogue.models import Product, Unit
from portal.catalogue.services import free_slug
from portal.infra import audit, locks

WEIGHED = {Unit.KILO, Unit.GRAM}
"""Amounts of both are kept in grams."""


def add_product(session: Session, values: Mapping[str, Any], *, at: datetime, by: int) -> Product:
    """One more; its slug is made from its name."""
    locks.named(session, "product slugs")
    product = Product(**values, slug=free_slug(session, Product.slug, values["name"]))
    session.add(product)
    session.flush()
    after = {"name": product.name, "unit": product.unit}
    audit.record(session, "product.create", ("product", product.id), at=at, by=by, after=after)
    return product


def change_product(
    session: Session,
    product_id: int,
    values: Mapping[str, Any],
    *,
    in_use: Callable[[], bool],
    at: datetime,
    by: int,
) -> list[str] | None:
    """The fields that have changed; None where something in use was to be counted otherwise.

    Boxes and orders keep amounts, in grams or in pieces: they would come to mean something else.
    """
    product = _held(session, product_id)
    recounted = values["unit"] is not product.unit and not {values["unit"], product.unit} <= WEIGHED
    if recounted and in_use():
        return None
    return audit.change(session, product, values, at=at, by=by, unsaid={"storage"})


def set_product_retired(session: Session, product_id: int, retired: bool, *, at: datetime, by: int) -> bool:
    """Offer it to no box any more, or to all again; whether it was otherwise until now."""
    product = _held(session, product_id)
    if (product.retired_at is not None) == retired:
        return False
    audit.change(session, product, {"retired_at": at if retired else None}, at=at, by=by)
    return True


def _held(session: Session, product_id: int) -> Product:
    that = select(Product).where(Product.id == product_id)
    return session.scalars(locks.for_update(that, of=Product)).one()
