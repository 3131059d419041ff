"""What a delivery's box holds."""

from datetime import date
from typing import Any

from flask import abort, make_response, render_template
from flask.typing import ResponseReturnValue

from portal.compositions.queries import shown_contents
from portal.deliveries import queries as deliveries
from portal.infra import clock
from portal.infra.orm import db
from portal.member import blueprint, holder
from portal.planning.handovers import handing
from portal.planning.queries import planning


@blueprint.get("/livraisons/<date:day>/<tour>")
def delivery(day: date, tour: str) -> ResponseReturnValue:
    return delivery_page(day, tour)


def delivery_page(day: date, tour: str, status: int = 200, **context: Any) -> ResponseReturnValue:
    session = db.session()
    found = deliveries.find(session, day, tour)
    if found is None:
        abort(404)
    now = clock.now()
    mine = planning(session, holder().id, since=day, until=day, now=now)
    cards = [card for card in mine.cards if card.delivery.id == found.id]
    boxes = [box for card in cards for box in card.boxes if box.quantity]
    page = render_template(
        "member/delivery.html",
        delivery=found,
        cards=cards,
        boxes=boxes,
        shown=shown_contents(session, found.id, [(box.formula.id, box.point.id) for box in boxes]),
        handings={card.key: handing(session, card, now) for card in cards},
        **context,
    )
    return make_response(page, status)
