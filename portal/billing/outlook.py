"""What the current month comes to so far, and will come to if nothing changes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from portal.billing.charges import unbilled
from portal.billing.drafting import drafts_of
from portal.planning.queries import cost, planning
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import Charge, in_order, month_of, next_month
from portal.rules.money import Money


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is on no invoice yet. `earlier` is older than the month: the last invoice is still to be made, or was
    less than what is owed now."""

    month: date
    earlier: tuple[Charge, ...]
    charges: tuple[Charge, ...]
    to_come: Money
    """The boxes and orders of the rest of the month, at the prices of their days."""

    @property
    def left_over(self) -> Money:
        return _sum(self.earlier)

    @property
    def so_far(self) -> Money:
        return _sum(self.charges)

    @property
    def expected(self) -> Money:
        return self.so_far + self.to_come

    @property
    def empty(self) -> bool:
        return not (self.earlier or self.charges or self.to_come.cents)


def outlook(session: Session, account_id: int, now: datetime) -> Outlook:
    """Of an account, as of now; a constant number of queries."""
    today = local_day(now)
    month = month_of(today)
    papers = drafts_of(session, unbilled(session, [account_id], through=today)).get(account_id, [])
    charges = in_order(charge for paper in papers for charge in paper.charges)
    return Outlook(
        month=month,
        earlier=tuple(charge for charge in charges if charge.day < month),
        charges=tuple(charge for charge in charges if charge.day >= month),
        to_come=_to_come(session, account_id, now, today + timedelta(days=1), next_month(month)),
    )


def _to_come(session: Session, account_id: int, now: datetime, since: date, before: date) -> Money:
    ahead = planning(session, account_id, since=since, until=before - timedelta(days=1), now=now)
    orders = (order.total for card in ahead.cards for order in card.orders)
    return cost(session, (box for card in ahead.cards for box in card.to_come)) + sum(orders, Money.zero())


def _sum(charges: tuple[Charge, ...]) -> Money:
    return sum((charge.total for charge in charges), Money.zero())
