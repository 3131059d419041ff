"""The files of invoices: made by the worker once these are issued, and then sent to whom they are for.

A worker claims a file by moving the instant at which it is due beyond the time that making it can take. If it dies
or hangs the file falls due again; an invoice is valid meanwhile, and no request waits for its file.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from tempfile import SpooledTemporaryFile
from typing import IO
from zipfile import ZipFile, ZipInfo

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from portal.billing import mails
from portal.billing.customers import belongs_to
from portal.billing.models import Customer, FileState, Invoice, InvoiceFile
from portal.billing.papers import file_name, invoice_pdf
from portal.billing.queries import InvoiceView, these
from portal.infra import clock
from portal.infra.orm import own_reading, own_transaction
from portal.web.i18n import gettext as _

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""Far longer than a file takes: a long one takes a second."""
PAUSES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""After a failure; when they are used up staff are told."""
AT_ONCE = 10
"""Made before the worker's other tasks have their turn."""
IN_MEMORY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Claim:
    """That a file is ours to make, unless we take so long that somebody else claims it."""

    invoice_id: int
    tries: int


def make_files(build: Callable[[InvoiceView], bytes] = invoice_pdf) -> bool:
    """Some of those that are due; True while there may be more."""
    return all(_make_next(build) for _ in range(AT_ONCE))


def _make_next(build: Callable[[InvoiceView], bytes]) -> bool:
    claim = _claim(clock.now())
    if claim is None:
        return False
    try:
        with own_reading() as session:
            invoice = these(session, [claim.invoice_id])[claim.invoice_id]
        _keep(claim, invoice, build(invoice), clock.now())
    except Exception:
        logger.exception("an invoice's file failed", extra={"invoice_id": claim.invoice_id})
        _put_off(claim, clock.now())
    return True


def _claim(now: datetime) -> Claim | None:
    """The file that has been due longest, so that no other worker makes it."""
    due = (InvoiceFile.state == FileState.WAITING, InvoiceFile.due_at <= now)
    oldest = select(InvoiceFile).where(*due).order_by(InvoiceFile.due_at, InvoiceFile.invoice_id).limit(1)
    with own_transaction() as session:
        while file := session.scalar(oldest.with_for_update(skip_locked=True)):
            if file.tries <= len(PAUSES):
                file.tries += 1
                file.due_at = now + LEASE
                return Claim(file.invoice_id, file.tries)
            file.state = FileState.FAILED  # whoever tried last never came back
    return None


def _keep(claim: Claim, invoice: InvoiceView, data: bytes, now: datetime) -> None:
    """And tell its buyer: the mail is written with the file or not at all."""
    made: dict[str, object] = {"state": FileState.MADE, "made_at": now, "data": data, "told_at": now}
    with own_transaction() as session:
        if _still_ours(session, claim, made):
            mails.tell(session, invoice, data, at=now)


def _put_off(claim: Claim, now: datetime) -> None:
    """Or give it up."""
    over = claim.tries > len(PAUSES)
    later: dict[str, object] = (
        {"state": FileState.FAILED} if over else {"due_at": now + PAUSES[claim.tries - 1]}
    )
    with own_transaction() as session:
        _still_ours(session, claim, later)


def _still_ours(session: Session, claim: Claim, values: dict[str, object]) -> bool:
    ours = (
        InvoiceFile.invoice_id == claim.invoice_id,
        InvoiceFile.tries == claim.tries,
        InvoiceFile.state == FileState.WAITING,
    )
    changed = session.execute(
        update(InvoiceFile).where(*ours).values(values).returning(InvoiceFile.invoice_id)
    )
    return changed.first() is not None


def file_of(session: Session, invoice_id: int) -> bytes | None:
    """None while it is being made."""
    return session.scalar(select(InvoiceFile.data).where(InvoiceFile.invoice_id == invoice_id))


def unmade(session: Session, account_id: int) -> set[int]:
    """Of an account's invoices, whose file is not there yet."""
    mine = select(InvoiceFile.invoice_id).join(Invoice).join(Invoice.customer)
    return set(session.scalars(mine.where(belongs_to(account_id), InvoiceFile.state != FileState.MADE)))


def e_invoice_of(session: Session, invoice_id: int) -> bytes | None:
    """The Factur-X alone, as it lies in the file."""
    from facturx import get_facturx_xml_from_pdf  # noqa: PLC0415  see facturx.xml

    data = file_of(session, invoice_id)
    found: bytes | None = get_facturx_xml_from_pdf(data, check_xsd=False)[1] if data else None
    return found


def failed_files(session: Session) -> list[Row[int, str]]:
    """Invoices whose file could not be made, by id and number: somebody has to look into it."""
    failed = select(Invoice.id, Invoice.number).join(InvoiceFile, InvoiceFile.invoice_id == Invoice.id)
    rows = session.execute(failed.where(InvoiceFile.state == FileState.FAILED).order_by(Invoice.id))
    return list(rows)


def try_again(session: Session, at: datetime) -> int:
    """Make what failed from the first try on; how many that are."""
    again = {"state": FileState.WAITING, "due_at": at, "tries": 0}
    failed = update(InvoiceFile).where(InvoiceFile.state == FileState.FAILED).values(again)
    return len(session.execute(failed.returning(InvoiceFile.invoice_id)).all())


def yearly_zip(session: Session, account_id: int, year: int) -> IO[bytes]:
    """All files of an account's invoices of a year, read one by one: what is long lies on the disk.

    Those that are not made yet are named in a file beside them.
    """
    poured = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  whoever sends it closes it
    issued = Invoice.issued_on.between(date(year, 1, 1), date(year, 12, 31))
    files = (
        select(Invoice.number, Invoice.kind, Invoice.issued_on, InvoiceFile.data)
        .join(InvoiceFile, InvoiceFile.invoice_id == Invoice.id)
        .join(Invoice.customer)
        .where(Customer.account_id == account_id, issued)
        .order_by(Invoice.id)
        .execution_options(yield_per=1)
    )
    waiting = []
    with ZipFile(poured, "w") as zipped:
        for number, kind, day, data in session.execute(files):
            if data:
                zipped.writestr(
                    ZipInfo(file_name(number, kind), (day.year, day.month, day.day, 0, 0, 0)), data
                )
            else:
                waiting.append(number)
        if waiting:
            said = _(
                "Encore en préparation, à reprendre plus tard : %(numbers)s.", numbers=", ".join(waiting)
            )
            zipped.writestr("LISEZ-MOI.txt", said)
    poured.seek(0)
    return poured
