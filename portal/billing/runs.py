"""A month is billed: staff ask for it, the worker does it, some accounts at a time.

Each lot is one transaction, with how far the run has come in it, and the run is held meanwhile: whoever is killed
goes on from there, and of two workers one waits. What is stopped stays issued, and is gone on with behind it.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import chain

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.accounts.models import Account, customer_number
from portal.billing.charges import days_billed
from portal.billing.issuing import Issued, issue_many
from portal.billing.models import InvoiceRun, RunFailure, RunState
from portal.billing.settings import seller_lacks
from portal.deliveries.models import Delivery
from portal.infra import audit, clock, locks
from portal.infra.orm import View, own_transaction
from portal.rules.cutoffs import local_day
from portal.rules.invoicing import next_month
from portal.rules.mentions import SellerLack
from portal.shop.models import Order
from portal.subscriptions.models import Subscription

logger = logging.getLogger(__name__)

AT_ONCE = 50
BROKEN = "broken"
"""The reason of a failure that is ours."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What a month waits for before it is billed."""

    lacks: Sequence[SellerLack] = ()
    """What the law wants of the farm on an invoice."""
    unfrozen: Sequence[Delivery] = ()
    to_come: Sequence[Delivery] = ()
    ahead: bool = False
    """It has not begun."""

    def __bool__(self) -> bool:
        return bool(self.lacks or self.unfrozen or self.to_come or self.ahead)


@dataclass(frozen=True, slots=True)
class Failed:
    """Somebody whom a run could not bill."""

    account_id: int
    name: str
    reason: str

    @property
    def number(self) -> str:
        return customer_number(self.account_id)


@dataclass(frozen=True, slots=True)
class RunView:
    """How far a run is."""

    run: InvoiceRun
    seen: int
    failures: list[Failed] = field(default_factory=list)

    @property
    def working(self) -> bool:
        return self.run.state is RunState.WORKING


def last_day(month: date) -> date:
    return next_month(month) - timedelta(days=1)


def missing(session: Session, month: date, today: date) -> Missing:
    """Every delivery of the month has been, and is frozen: it is billed once, with that month."""
    of_month = select(Delivery).where(days_billed(session, last_day(month)), Delivery.day >= month)
    of_month = of_month.where(Delivery.cancelled_at.is_(None))
    waits = of_month.where(or_(Delivery.frozen_at.is_(None), Delivery.day > today))
    found = session.scalars(waits.order_by(Delivery.day, Delivery.id)).all()
    return Missing(
        lacks=seller_lacks(session, today),
        unfrozen=[delivery for delivery in found if delivery.day <= today],
        to_come=[delivery for delivery in found if delivery.day > today],
        ahead=month > today,
    )


def delivered(session: Session, month: date, today: date) -> bool:
    """Whether something of the month may be billed by now: how much is for its preview to sum."""
    has_been = days_billed(session, min(last_day(month), today))
    some = exists().where(has_been, Delivery.day >= month, Delivery.cancelled_at.is_(None))
    return bool(session.scalar(select(some)))


def start(session: Session, month: date, *, at: datetime, by: int) -> InvoiceRun | None:
    """Let the worker bill it; one that is under way or stopped goes on. None where it waits for something."""
    locks.named(session, "invoice run")
    unfinished = select(InvoiceRun).where(InvoiceRun.month == month, InvoiceRun.state != RunState.DONE)
    run = session.scalars(locks.for_update(unfinished, of=InvoiceRun)).first()
    locks.checked()
    if run and run.state is RunState.WORKING:
        return run
    if missing(session, month, local_day(at)):
        return None
    if run is None:
        wanted = session.scalar(select(func.count()).select_from(customers().subquery())) or 0
        run = InvoiceRun(month=month, state=RunState.WORKING, asked_at=at, asked_by=by, wanted=wanted)
        session.add(run)
        session.flush()
        audit.record(session, "invoice_run.start", ("invoice_run", run.id), at=at, by=by, after=_said(run))
    else:
        run.state, run.ended_at = RunState.WORKING, None
        audit.record(session, "invoice_run.resume", ("invoice_run", run.id), at=at, by=by)
    return run


def stop(session: Session, month: date, *, at: datetime, by: int) -> None:
    """Idempotent: what is not under way stays as it is."""
    working = select(InvoiceRun).where(InvoiceRun.month == month, InvoiceRun.state == RunState.WORKING)
    run = session.scalars(locks.for_update(working, of=InvoiceRun)).first()
    if run:
        run.state, run.ended_at = RunState.STOPPED, at
        audit.record(session, "invoice_run.stop", ("invoice_run", run.id), at=at, by=by)


def latest(session: Session, month: date) -> RunView | None:
    """The last run of a month, and whom it could not bill."""
    newest = select(InvoiceRun).where(InvoiceRun.month == month).order_by(InvoiceRun.id.desc()).limit(1)
    run = session.scalar(newest)
    if run is None:
        return None
    seen = select(func.count()).select_from(customers().where(Account.id <= run.through).subquery())
    failed = View(
        Failed,
        account_id=RunFailure.account_id,
        name=Account.first_name + " " + Account.last_name,
        reason=RunFailure.reason,
    )
    failures = (
        select(failed)
        .join(Account, Account.id == RunFailure.account_id)
        .where(RunFailure.run_id == run.id)
        .order_by(Account.search_key, Account.id)
    )
    return RunView(run, session.scalar(seen) or 0, list(session.scalars(failures)))


def step() -> bool:
    """Bill the next accounts of the oldest run; True if there may be more to do."""
    with own_transaction() as session:
        due = select(InvoiceRun).where(InvoiceRun.state == RunState.WORKING).order_by(InvoiceRun.id).limit(1)
        run = session.scalar(locks.for_update(due, of=InvoiceRun))
        if run is None:
            return False
        locks.checked()
        following = customers().where(Account.id > run.through).order_by(Account.id).limit(AT_ONCE)
        account_ids = session.scalars(following).all()
        if account_ids:
            _bill(session, run, account_ids)
            run.through = account_ids[-1]
        else:
            run.state, run.ended_at = RunState.DONE, clock.now()
            after = _said(run) | {"issued": run.issued, "total": run.total.cents}
            audit.record(
                session, "invoice_run.end", ("invoice_run", run.id), at=run.ended_at, by=None, after=after
            )
        return True


def _bill(session: Session, run: InvoiceRun, account_ids: Sequence[int]) -> None:
    """All at once; where something breaks one by one, so that it holds up nobody else."""
    try:
        with session.begin_nested():
            lots = [_issue(session, run, account_ids)]
    except OperationalError:
        raise  # somebody else holds what it needs: the task comes round again
    except Exception:
        logger.exception("invoices failed together", extra={"run_id": run.id})
        lots = [lot for account_id in account_ids if (lot := _alone(session, run, account_id))]
    for lot in lots:
        for invoice in chain.from_iterable(lot.documents.values()):
            run.issued += 1
            run.total += invoice.total
        _note(session, run, lot.refused)


def _alone(session: Session, run: InvoiceRun, account_id: int) -> Issued | None:
    try:
        with session.begin_nested():
            return _issue(session, run, [account_id])
    except OperationalError:
        raise
    except Exception:
        logger.exception("invoice failed", extra={"account_id": account_id})
        _note(session, run, {account_id: BROKEN})
        return None


def _issue(session: Session, run: InvoiceRun, account_ids: Sequence[int]) -> Issued:
    through, by = last_day(run.month), run.asked_by
    return issue_many(session, account_ids, through=through, month=run.month, run_id=run.id, by=by)


def _note(session: Session, run: InvoiceRun, reasons: Mapping[int, str]) -> None:
    session.add_all(
        RunFailure(run_id=run.id, account_id=account_id, reason=reason)
        for account_id, reason in reasons.items()
    )


def customers() -> Select[int]:
    """Who may have something to be billed: also what was corrected of a month long past."""
    subscribes = select(Subscription.account_id)
    orders = select(Order.account_id).where(Order.account_id.is_not(None))
    return select(Account.id).where(or_(Account.id.in_(subscribes), Account.id.in_(orders)))


def _said(run: InvoiceRun) -> dict[str, object]:
    return {"month": run.month.isoformat()}
