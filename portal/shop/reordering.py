"""Ordering again what was ordered before, as far as it is still to be had."""

from sqlalchemy.orm import Session

from portal.infra import clock
from portal.rules.selling import Missing
from portal.shop import carts
from portal.shop.drafts import Keeper
from portal.shop.views import OrderView
from portal.shop.vouchers import Person


def order_again(session: Session, order: OrderView, keeper: Keeper, person: Person) -> list[str]:
    """Put what an order held into the one that is being filled; answers the names of what is not to be had.

    What is in it already is not put in twice.
    """
    draft = keeper.hold(clock.now())
    now = clock.now()
    left_out = []
    for line in order.lines:
        entry = draft.entries.get(line.article_id)
        wanted = max(line.quantity, entry.quantity if entry else 0)
        put = carts.put(session, draft, person, now, article_id=line.article_id, quantity=wanted)
        if put and put.refusal is Missing.TOO_FEW and put.most:
            put = carts.put(session, draft, person, now, article_id=line.article_id, quantity=put.most)
        if put is None or put.refusal:
            left_out.append(line.name)
        else:
            draft = put.draft
    keeper.save(draft, now)
    return left_out
