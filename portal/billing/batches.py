"""The bank's files: made of what is announced for a day, handed to the bank, or taken back before that."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import islice
from secrets import token_hex

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, undefer

from portal.billing import ledger, mandates, pain
from portal.billing.debits import NONE, held, move, open_amounts
from portal.billing.models import DebitBatch, DebitState, DirectDebit, Mandate
from portal.billing.pain import Collection, Party
from portal.billing.settings import billing_settings
from portal.infra import audit, clock, locks
from portal.rules import collecting
from portal.rules.collecting import FileRefusal
from portal.rules.cutoffs import local_day
from portal.rules.money import Money
from portal.web.i18n import gettext as _


class Refusal(StrEnum):
    """Why nothing was done; its words are in the templates."""

    TOO_EARLY = FileRefusal.TOO_EARLY
    TOO_LATE = FileRefusal.TOO_LATE
    NO_CREDITOR = "no_creditor"
    """The farm has not said its ICS, or its account."""
    PRESENTED = "presented"
    """The bank has it."""
    TAKEN_BACK = "taken_back"
    MANDATE_ENDED = "mandate_ended"
    """Of somebody in the file: it is to be made again without them."""
    PAID_SINCE = "paid_since"
    """It collects what is not open any more."""


GIVEN = frozenset({Refusal.TOO_LATE, Refusal.PAID_SINCE})
"""What staff may answer with that the bank has taken the file already: then it collects it as it is."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a day's debits: whole files or none."""

    files: int
    debits: int
    total: Money
    dropped: int
    """Paid otherwise meanwhile, or without a mandate."""
    moved: int = 0
    """Told too late, or not yet: they are announced for the next day."""


def collectable(announced: Money, left: Money | None, mandate_ended: bool) -> Money:
    """Never more than was announced, nor than is open."""
    return NONE if mandate_ended else min(announced, left or NONE)


def make(session: Session, day: date, *, by: int) -> Made | Refusal:
    """The files of a day. Each debit is held from here on: it is in one of them, or falls out."""
    announced = (DirectDebit.collected_on == day, DirectDebit.state == DebitState.ANNOUNCED)
    debits = held(session, *announced)
    now = clock.now()
    if refusal := collecting.refusal_to_file(day, local_day(now)):
        return Refusal(refusal)
    creditor = _creditor(session)
    if creditor is None:
        return Refusal.NO_CREDITOR
    locks.checked()
    under = _mandates(session, *announced)
    untold = _untold(session, debits)
    debits = [debit for debit in debits if debit not in untold]
    move(session, untold, at=now, by=by)
    _settle(session, debits, under)
    wanted = [debit for debit in debits if debit.state is DebitState.IN_FILE]
    left, files = iter(wanted), 0
    while some := list(islice(left, billing_settings(session).debits_a_file)):
        files += 1
        message_id = f"{day:%Y%m%d}-{token_hex(8)}"
        batch = DebitBatch(
            message_id=message_id,
            collected_on=day,
            made_at=now,
            made_by=by,
            count=len(some),
            total=sum((debit.amount for debit in some), NONE),
            data=pain.write(
                creditor,
                [_collection(debit, under[debit.mandate_id]) for debit in some],
                message_id=message_id,
                day=day,
                made_at=now,
            ),
        )
        session.add(batch)
        session.flush()
        for debit in some:
            debit.batch_id = batch.id
        after = {"day": day.isoformat(), "count": batch.count, "total": batch.total.cents}
        audit.record(session, "debit_batch.make", ("debit_batch", batch.id), at=now, by=by, after=after)
    total = sum((debit.amount for debit in wanted), NONE)
    return Made(files, len(wanted), total, len(debits) - len(wanted), len(untold))


def present(session: Session, batch_id: int, *, given: bool = False, by: int) -> Refusal | None:
    """The bank has the file: what is in it will be collected. `given` says so once a refusal was read."""
    batch = _held_batch(session, batch_id)
    if batch.presented_at:
        return None
    if batch.dropped_at:
        return Refusal.TAKEN_BACK
    inside = DirectDebit.batch_id == batch.id
    debits = held(session, inside)
    ledger.hold(session)
    now = clock.now()
    if any(mandate.ended_at for mandate in _mandates(session, inside, sealed=True).values()):
        return Refusal.MANDATE_ENDED
    if not given and (refusal := _refusal_as_it_is(session, batch, debits, local_day(now))):
        return refusal
    locks.checked()
    batch.presented_at = now
    said = {"given": True} if given else None
    audit.record(session, "debit_batch.present", ("debit_batch", batch.id), at=now, by=by, after=said)
    for debit in debits:
        debit.state = DebitState.PRESENTED
    return None


def _refusal_as_it_is(
    session: Session, batch: DebitBatch, debits: Sequence[DirectDebit], today: date
) -> Refusal | None:
    """It was made some days ago."""
    if collecting.refusal_to_file(batch.collected_on, today) is FileRefusal.TOO_LATE:
        return Refusal.TOO_LATE
    left = open_amounts(session, [debit.invoice_id for debit in debits])
    if any(debit.amount > left.get(debit.invoice_id, NONE) for debit in debits):
        return Refusal.PAID_SINCE
    return None


def take_back(session: Session, batch_id: int, *, by: int) -> Refusal | None:
    """As if the file had not been made; it can be made again."""
    batch = _held_batch(session, batch_id)
    if batch.presented_at:
        return Refusal.PRESENTED
    if batch.dropped_at:
        return None
    inside = DirectDebit.batch_id == batch.id
    debits = held(session, inside)
    now = clock.now()
    gone = {m.id: m.account_id for m in _mandates(session, inside, sealed=True).values() if m.ended_at}
    instead = mandates.live_mandates(session, gone.values())
    locks.checked()
    batch.dropped_at = now
    audit.record(session, "debit_batch.take_back", ("debit_batch", batch.id), at=now, by=by)
    for debit in debits:
        debit.state, debit.batch_id, debit.sequence = DebitState.ANNOUNCED, None, None
        debit.amount, debit.announced = debit.announced or debit.amount, None
        if debit.mandate_id not in gone:
            continue
        if mandate := instead.get(gone[debit.mandate_id]):
            debit.mandate_id = mandate.id
        else:
            debit.state = DebitState.DROPPED
    return None


def _held_batch(session: Session, batch_id: int) -> DebitBatch:
    wanted = select(DebitBatch).where(DebitBatch.id == batch_id)
    return session.scalars(locks.for_update(wanted, of=DebitBatch)).one()


def _creditor(session: Session) -> Party | None:
    farm, known = mandates.creditor(session), billing_settings(session)
    if farm is None or known.iban is None:
        return None
    return Party(farm.name, farm.number, farm.postcode, farm.town, known.iban, known.bic)


def _mandates(session: Session, *which: ColumnElement[bool], sealed: bool = False) -> dict[int, Mandate]:
    """Under which some debits are; their account numbers stay sealed where nobody needs them."""
    theirs = select(DirectDebit.mandate_id).where(*which)
    under = select(Mandate).where(Mandate.id.in_(theirs)).execution_options(populate_existing=True)
    found = session.scalars(under if sealed else under.options(undefer(Mandate.iban)))
    return {mandate.id: mandate for mandate in found}


def _untold(session: Session, debits: Iterable[DirectDebit]) -> list[DirectDebit]:
    """Whom no mail has told so long before as the rulebook asks: their invoice's file was late, or failed."""
    days = billing_settings(session).notice_days
    told = ((debit, local_day(debit.told_at) if debit.told_at else None) for debit in debits)
    return [
        debit
        for debit, day in told
        if not collecting.is_told_in_time(day, debit.collected_on, notice_days=days)
    ]


def _settle(session: Session, debits: Sequence[DirectDebit], under: Mapping[int, Mandate]) -> None:
    """How much of each is collected now, and whether it is the first under its mandate."""
    left = open_amounts(session, [debit.invoice_id for debit in debits])
    used = {mandate.id for mandate in under.values() if mandate.used_on} | _at_the_bank(session)
    for debit in debits:
        ended = under[debit.mandate_id].ended_at is not None
        amount = collectable(debit.amount, left.get(debit.invoice_id), ended)
        if amount == NONE:
            debit.state = DebitState.DROPPED
            continue
        debit.announced = debit.amount if amount < debit.amount else None
        debit.state, debit.amount = DebitState.IN_FILE, amount
        debit.sequence = collecting.sequence(used=debit.mandate_id in used)
        used.add(debit.mandate_id)


def _at_the_bank(session: Session) -> set[int]:
    """The mandates under which something is on its way already, for another day."""
    alive = DirectDebit.state.in_([DebitState.IN_FILE, DebitState.PRESENTED])
    return set(session.scalars(select(DirectDebit.mandate_id).where(alive)))


def _collection(debit: DirectDebit, mandate: Mandate) -> Collection:
    assert debit.sequence and mandate.iban
    return Collection(
        end_to_end=debit.end_to_end,
        amount=debit.amount,
        sequence=debit.sequence,
        mandate=mandate.reference,
        signed_on=local_day(mandate.signed_at),
        name=mandate.holder,
        postcode=mandate.postcode,
        town=mandate.town,
        iban=mandate.iban.decode(),
        bic=mandate.bic,
        words=_("Facture %(number)s", number=debit.invoice.number),
    )
