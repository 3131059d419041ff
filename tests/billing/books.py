"""What was delivered and billed on the small farm of `tests.world`.

By its Wednesday 10 June Camille has had a large box (19,50 €) and eggs (2,40 €) on Tuesdays 26 May, 2 and 9 June,
Yacine a small one (11,50 €) every other Thursday.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Address
from portal.billing.issuing import issue
from portal.billing.models import Customer, Invoice
from portal.billing.queries import InvoiceView, these
from portal.boxes import services as boxes
from portal.boxes.models import Basket
from portal.catalogue.models import Formula
from portal.deliveries.models import Delivery
from portal.profile.models import FarmProfile
from portal.rules.invoicing import next_month
from portal.subscriptions.models import Subscription
from tests.world import CAMILLE, NOW, TODAY

MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
SELLER = {
    "legal_name": "EARL Les Jardins du Test",
    "legal_form": "EARL au capital de 7 500 €",
    "siret": "73282932000074",
    "register": "RCS Gap",
    "vat_number": "FR44732829320",
}


def able_to_bill(session: Session, **changes: Any) -> None:
    """The farm's card says what an invoice must, everybody has an address."""
    farm = session.get_one(FarmProfile, 1)
    for name, value in (SELLER | changes).items():
        setattr(farm, name, value)
    without = select(Account).where(~select(Address.id).where(Address.account_id == Account.id).exists())
    for account in session.scalars(without).all():
        live_at(session, account)
    session.flush()


def live_at(session: Session, account: Account, street: str = "3 rue du Four", **changes: Any) -> Address:
    values = {"postcode": "05700", "town": "Serres", "billing": True, "delivery": True, "created_at": NOW}
    made = Address(account_id=account.id, name=account.full_name, street=street, **(values | changes))
    session.add(made)
    session.flush()
    return made


def delivered(session: Session, *, through: date = TODAY) -> None:
    """Freeze what was delivered through that day; the clock stands behind its cutoff."""
    able_to_bill(session)
    closed = select(Delivery.id).where(Delivery.day <= through, Delivery.frozen_at.is_(None))
    for delivery_id in session.scalars(closed.order_by(Delivery.day)).all():
        boxes.freeze(session, delivery_id)
    session.flush()


def invoiced(session: Session, email: str = CAMILLE, *, month: date = MAY, by: int | None = None) -> Invoice:
    """Somebody's invoice of a month; all that is delivered by now is frozen."""
    delivered(session)
    through = next_month(month) - timedelta(days=1)
    made = issue(session, account(session, email).id, through=through, month=month, by=by)
    assert isinstance(made, Invoice), made
    return made


def account(session: Session, email: str = CAMILLE) -> Account:
    return session.scalars(select(Account).where(Account.email == email)).one()


def box(session: Session, day: date, email: str = CAMILLE, formula: str = "grand") -> Basket:
    """A frozen box."""
    mine = (
        select(Basket)
        .join(Subscription, Subscription.id == Basket.subscription_id)
        .join(Subscription.account)
        .join(Delivery, Delivery.id == Basket.delivery_id)
        .join(Formula, Formula.id == Basket.formula_id)
    )
    return session.scalars(
        mine.where(Account.email == email, Delivery.day == day, Formula.slug == formula)
    ).one()


def invoices_of(session: Session, account_id: int) -> list[InvoiceView]:
    """An account's, the last one first."""
    own = select(Invoice.id).join(Invoice.customer).where(Customer.account_id == account_id)
    return list(these(session, session.scalars(own).all()).values())
