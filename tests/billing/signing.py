"""Somebody signs a mandate."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.addresses import AddressView
from portal.accounts.models import Account
from portal.billing.mandates import MandateView, sign
from portal.billing.models import BillingSettings
from portal.rules.sepa import BankAccount, read_account
from tests.world import CAMILLE, NOW

IBAN = "FR7630006000011234567890189"
OTHER_IBAN = "FR1420041010050500013M02606"
ICS = "FR72ZZZ123456"
AT_HOME = AddressView("Camille Aubert", "3 rue des Lilas", "05700", "Serres")

MANDATE = {
    "iban": "FR14 2004 1010 0505 0001 3M02 606",
    "bic": "",
    "titulaire": "Camille Aubert",
    "adresse": "3 rue des Lilas",
    "code-postal": "05700",
    "ville": "Serres",
    "accord": "y",
}
"""The form."""


def collecting(session: Session) -> BillingSettings:
    """The farm has an ICS."""
    settings = session.get(BillingSettings, 1) or BillingSettings(id=1)
    settings.creditor_id = ICS
    session.add(settings)
    session.flush()
    return settings


def signed(
    session: Session,
    email: str = CAMILLE,
    iban: str = IBAN,
    *,
    debtor: AddressView = AT_HOME,
    at: datetime = NOW,
) -> MandateView:
    """Have somebody sign for an account, at a farm that collects."""
    collecting(session)
    account = session.scalars(select(Account).where(Account.email == email)).one()
    bank = read_account(iban)
    assert isinstance(bank, BankAccount)
    mandate = sign(session, account, bank, debtor, at=at, by=account.id)
    assert mandate is not None
    return mandate
