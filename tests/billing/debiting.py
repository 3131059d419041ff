"""Invoices that are collected, from their announcement to the bank and back."""

from datetime import UTC, date, datetime

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing import batches, debits
from portal.billing.batches import Made
from portal.billing.models import DebitBatch, DirectDebit, Invoice
from portal.rules.paying import PaymentMeans
from tests.billing.signing import OTHER_IBAN, collecting
from tests.billing.writing import customer, written
from tests.world import ADMIN, CAMILLE, NOW

DAY = date(2026, 7, 10)
"""On which what is announced at the tests' now is collected: a Friday."""
IN_TIME = datetime(2026, 7, 6, 8, 0, tzinfo=UTC)
TOO_LATE = datetime(2026, 7, 9, 8, 0, tzinfo=UTC)
ON_THE_DAY = datetime(2026, 7, 10, 6, 0, tzinfo=UTC)
LATER = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)


def bank(session: Session) -> None:
    """The farm has an ICS and an account."""
    collecting(session).iban = OTHER_IBAN
    session.flush()


def announced(
    session: Session, cents: int = 3860, email: str = CAMILLE, *, at: datetime = NOW
) -> DirectDebit:
    """Of an invoice of that amount; whoever it is has signed."""
    debit = debits.announce(session, billed(session, cents, email), at=at)
    assert debit is not None
    return debit


def billed(session: Session, cents: int, email: str = CAMILLE) -> Invoice:
    return written(session, cents, to=customer(session, email), means=PaymentMeans.DIRECT_DEBIT)


def office(session: Session) -> int:
    return session.scalars(select(Account.id).where(Account.email == ADMIN)).one()


def filed(session: Session, day: date = DAY) -> DebitBatch:
    """The one file of a day."""
    made = batches.make(session, day, by=office(session))
    assert isinstance(made, Made) and made.files == 1, made
    return session.scalars(select(DebitBatch).order_by(DebitBatch.id.desc()).limit(1)).one()


def presented(session: Session, day: date = DAY) -> DebitBatch:
    batch = filed(session, day)
    assert batches.present(session, batch.id, by=office(session)) is None
    session.flush()
    return batch


def inside(batch: DebitBatch) -> dict[str, tuple[str, str]]:
    """What a file collects: its amount and sequence by end-to-end reference."""
    document = etree.fromstring(batch.data)
    return {
        row.findtext(".//{*}EndToEndId"): (row.findtext("{*}InstdAmt"), block.findtext(".//{*}SeqTp"))
        for block in document.iter("{*}PmtInf")
        for row in block.iter("{*}DrctDbtTxInf")
    }
