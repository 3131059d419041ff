"""Somebody signs a mandate."""

import re
import subprocess
import zipfile
from datetime import datetime
from io import BytesIO

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
GAPS = re.compile(r"[\s.\u00a0\u202f-]+")


def is_whole(data: bytes) -> bool:
    """Whether one of the numbers can be read in it, however it is spaced; in a PDF, in each file of an archive."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(BytesIO(data)) as archive:
            return any(is_whole(archive.read(name)) for name in archive.namelist())
    if data.startswith(b"%PDF-"):
        data = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=False).stdout
    text = GAPS.sub("", data.decode(errors="ignore")).upper()
    return any(iban[4:] in text for iban in (IBAN, OTHER_IBAN))


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
