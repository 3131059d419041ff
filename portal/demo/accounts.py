"""What the demo farm's people have told of themselves: a birthday, a second address, a company."""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts import companies
from portal.accounts.addresses import AddressView, add_address
from portal.accounts.companies import Identity
from portal.accounts.models import Account, CompanyState, VatState
from portal.accounts.models import Company as CompanyRow
from portal.demo import people
from portal.shop.models import Order

CAMILLE_AT_WORK = AddressView(
    "Camille Reynaud, École de Sigottier", "2 place de l'École", "05700", "Sigottier"
)
CAMILLE_BIRTHDAY = 917
COMPANIES = (
    (Identity("Crèche Les Petits Lutins", "FR87399980010", None), CompanyState.APPROVED, VatState.VALID),
    (Identity("Auberge de la Blaisance", "FR44399980028", None), CompanyState.ASKED, VatState.UNAVAILABLE),
    (Identity("Atelier du Pré-Long", None, "399980010"), CompanyState.ASKED, VatState.UNASKED),
)


def add_details(session: Session, now: datetime) -> None:
    session.execute(update(Account).values(email_proven_at=Account.created_at))
    subscribers = select(Account).where(~Account.roles.any()).order_by(Account.id)
    camille, *others = session.scalars(subscribers.limit(1 + len(COMPANIES)))
    camille.birthday = CAMILLE_BIRTHDAY
    add_address(
        session,
        camille.id,
        CAMILLE_AT_WORK,
        billing=False,
        delivery=True,
        at=now - timedelta(days=40),
        by=camille.id,
    )
    for account, (identity, state, vat_state) in zip(others, COMPANIES, strict=False):
        at = now - timedelta(days=2)
        companies.ask(session, account.id, identity, at=at, by=account.id)
        session.flush()
        company = session.get_one(CompanyRow, account.id)
        company.state, company.vat_state = state, vat_state
        company.decided_at = now - timedelta(days=1) if state is CompanyState.APPROVED else None
        if vat_state is not VatState.UNASKED:
            company.vat_checked_at, company.vat_tries = at + timedelta(minutes=1), 1
        if vat_state is VatState.VALID:
            company.vat_due_at = None
    _order_without_account(session, camille)


def _order_without_account(session: Session, camille: Account) -> None:
    """She did not sign in that time."""
    guests = select(Order).where(Order.account_id.is_(None)).order_by(Order.id).limit(1)
    for order in session.scalars(guests):
        order.name, order.email = camille.full_name, people.SUBSCRIBER.email
