"""Invoices that are collected, from their announcement to the bank and back."""

from datetime import UTC, date, datetime

from lxml import etree
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.billing import batches, debits
from portal.billing.batches import Made
from portal.billing.models import DebitBatch, DebitState, DirectDebit, Invoice, Mandate
from portal.rules.paying import PaymentMeans
from tests.billing.signing import collecting
from tests.billing.writing import customer, written
from tests.world import ADMIN, CAMILLE, NOW, TUESDAY

FARMS_IBAN = "FR7610096000501234567890127"
DAY = date(2026, 7, 10)
"""On which what is announced at the tests' now is collected: a Friday."""
IN_TIME = datetime(2026, 7, 6, 8, 0, tzinfo=UTC)
TOO_LATE = datetime(2026, 7, 9, 8, 0, tzinfo=UTC)
ON_THE_DAY = datetime(2026, 7, 10, 6, 0, tzinfo=UTC)
LATER = datetime(2026, 7, 15, 8, 0, tzinfo=UTC)


def bank(session: Session) -> None:
    """The farm has an ICS and an account."""
    collecting(session).iban = FARMS_IBAN
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


def shown(session: Session) -> None:
    """For the first invoice, of somebody who has signed: a debit that was collected, and a file that waits."""
    bank(session)
    invoice = session.scalars(select(Invoice).order_by(Invoice.id).limit(1)).one()
    mandate = session.scalars(select(Mandate).order_by(Mandate.id).limit(1)).one()
    days = {"collected_on": TUESDAY, "announced_at": NOW, "told_at": NOW}
    whose = {"customer_id": invoice.customer_id, "invoice_id": invoice.id, "mandate_id": mandate.id}
    session.add(
        DirectDebit(
            end_to_end="F2026-00001-0", amount=invoice.total, state=DebitState.COLLECTED, **whose, **days
        )
    )
    session.add(
        DebitBatch(
            message_id="20260616-0",
            collected_on=TUESDAY,
            made_at=NOW,
            made_by=office(session),
            count=1,
            total=invoice.total,
            data=b"<Document/>",
        )
    )
    session.flush()
