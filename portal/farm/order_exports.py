"""What is ordered, and what is collected at a delivery, as files."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from flask.typing import ResponseReturnValue

from portal.deliveries.queries import upcoming
from portal.farm import blueprint
from portal.farm.downloads import download
from portal.farm.exports import A_YEAR
from portal.farm.orders import OF_DELIVERY, delivery_or_404, wanted_orders
from portal.infra import clock
from portal.infra.orm import db
from portal.packing.queries import Recipient, packing_list
from portal.pickup.queries import PointView
from portal.rules.cutoffs import local_day
from portal.rules.orders import OrderState
from portal.rules.permissions import Permission
from portal.rules.selling import SaleUnit
from portal.shop.queries import orders_for
from portal.shop.views import OrderLineView, OrderView
from portal.web.guards import needs
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l
from portal.web.transaction import reads_only

ORDER_STATES = {
    OrderState.PLACED: _l("envoyée"),
    OrderState.ACCEPTED: _l("acceptée"),
    OrderState.PREPARED: _l("préparée"),
    OrderState.DELIVERED: _l("livrée"),
    OrderState.REFUSED: _l("refusée"),
    OrderState.CANCELLED: _l("annulée"),
}


class Ordered(NamedTuple):
    order: OrderView
    line: OrderLineView


@blueprint.post("/commandes/export")
@needs(Permission.READ_ORDERS)
@reads_only
def export_orders() -> ResponseReturnValue:
    """A year of them, and those to come, delivery by delivery."""
    session, today = db.session(), local_day(clock.now())
    deliveries = upcoming(session, today - A_YEAR, today + A_YEAR)
    every = (order for delivery in deliveries for order in orders_for(session, delivery.id))
    return _orders(_("commandes"), every)


@blueprint.post(f"{OF_DELIVERY}/export")
@needs(Permission.READ_ORDERS)
@reads_only
def export_delivery_orders(day: date, tour: str) -> ResponseReturnValue:
    delivery = delivery_or_404(day, tour)
    return _orders(_("commandes-%(day)s", day=delivery.day), wanted_orders(delivery))


def _orders(name: str, found: Iterable[OrderView]) -> ResponseReturnValue:
    """Product by product."""
    columns = {
        _("Commande"): lambda o: o.order.number,
        _("Livraison"): lambda o: o.order.delivery.day,
        _("Point de retrait"): lambda o: o.order.point.name,
        _("État"): lambda o: str(ORDER_STATES[o.order.state]),
        _("Nom"): lambda o: o.order.name,
        _("Téléphone"): lambda o: o.order.phone,
        _("Avec un panier"): lambda o: o.order.with_box,
        _("Produit"): lambda o: o.line.name,
        _("Au poids"): lambda o: o.line.sale_unit is SaleUnit.WEIGHT,
        _("Commandé"): lambda o: o.line.quantity,
        _("Donné"): lambda o: o.line.given,
        _("Prix"): lambda o: o.line.unit_price,
        _("Montant"): lambda o: o.line.amount,
        _("Commandé le"): lambda o: o.order.placed_at,
    }
    rows = (Ordered(order, line) for order in found for line in order.lines)
    return download(name, columns, rows)


class Collected(NamedTuple):
    point: PointView
    who: Recipient
    what: str
    quantity: int


@blueprint.post("/livraisons/<date:day>/<tour>/liste/export")
@needs(Permission.LOOK)
@reads_only
def export_packing_list(day: date, tour: str) -> ResponseReturnValue:
    delivery = delivery_or_404(day, tour)
    found = packing_list(db.session(), delivery)

    def rows() -> Iterator[Collected]:
        for stop in found.stops:
            for who in stop.recipients:
                for item in who.items:
                    yield Collected(stop.point, who, item.formula.name, item.quantity)
                for bag in who.orders:
                    yield Collected(stop.point, who, _("Commande %(number)s", number=bag.number), 1)

    columns = {
        _("Point de retrait"): lambda c: c.point.name,
        _("Nom"): lambda c: c.who.last_name,
        _("Prénom"): lambda c: c.who.first_name,
        _("Numéro"): lambda c: c.who.number,
        _("Quoi"): lambda c: c.what,
        _("Nombre"): lambda c: c.quantity,
        _("Remis à"): lambda c: c.who.handed and c.who.handed.name,
    }
    return download(_("retraits-%(day)s", day=delivery.day), columns, rows())
