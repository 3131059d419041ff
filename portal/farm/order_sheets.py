"""What orders are prepared and handed out by, on paper."""

from datetime import date
from typing import Any

from flask import Response, render_template
from flask.typing import ResponseReturnValue

from portal.farm import blueprint
from portal.farm.orders import OF_DELIVERY, delivery_or_404
from portal.infra import clock
from portal.infra.orm import db
from portal.pickup.queries import points
from portal.rules.permissions import Permission
from portal.shop import queries
from portal.shop.sheets import Bag, Pile, bags, piles
from portal.web.guards import needs


@blueprint.get(f"{OF_DELIVERY}/produits")
@needs(Permission.LOOK)
def preparation_sheet(day: date, tour: str) -> ResponseReturnValue:
    """Product by product, and what of it goes where."""
    return _sheet("print/orders_by_article.html", day, tour)


@blueprint.get(f"{OF_DELIVERY}/bordereaux")
@needs(Permission.LOOK)
def slips(day: date, tour: str) -> ResponseReturnValue:
    """One for each bag, without prices."""
    return _sheet("print/order_slips.html", day, tour)


@blueprint.get(f"{OF_DELIVERY}/points")
@needs(Permission.LOOK)
def point_sheets(day: date, tour: str) -> ResponseReturnValue:
    """Point by point, who collects what, and what guests pay there."""
    delivery = delivery_or_404(day, tour)
    ordered = queries.orders_for(db.session(), delivery.id)
    due = {order.id: order for order in ordered if order.account_id is None}
    return _sheet("print/orders_by_point.html", day, tour, due=due)


@blueprint.get(f"{OF_DELIVERY}/fournisseurs")
@needs(Permission.LOOK)
def supplier_sheets(day: date, tour: str) -> ResponseReturnValue:
    return _sheet("print/orders_by_supplier.html", day, tour)


@blueprint.get(f"{OF_DELIVERY}/fournisseurs.txt")
@needs(Permission.LOOK)
def supplier_text(day: date, tour: str) -> ResponseReturnValue:
    """The same as plain text, to be copied into a message."""
    text = _sheet("print/orders_by_supplier.txt", day, tour)
    return Response(text.strip() + "\n", mimetype="text/plain")


def _sheet(template: str, day: date, tour: str, **context: Any) -> str:
    session, now = db.session(), clock.now()
    delivery = delivery_or_404(day, tour)
    found = bags(session, delivery.id)
    stops = [(point, [bag for bag in found if bag.pickup_point_id == point.id]) for point in points(session)]
    return render_template(
        template,
        delivery=delivery,
        state=delivery.state(now),
        now=now,
        bags=found,
        piles=piles(found),
        stops=[(point, there) for point, there in stops if there],
        suppliers=_by_supplier(found),
        **context,
    )


def _by_supplier(found: list[Bag]) -> dict[str, list[Pile]]:
    """What others bring; what the farm grows itself is not ordered."""
    suppliers: dict[str, list[Pile]] = {}
    for pile in piles(found):
        if pile.portion.supplier:
            suppliers.setdefault(pile.portion.supplier, []).append(pile)
    return dict(sorted(suppliers.items()))
