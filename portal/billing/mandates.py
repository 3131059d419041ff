"""Mandates: that somebody lets the farm collect. Of an account at most one is live; the others are kept."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, bindparam, or_, select, update
from sqlalchemy.orm import Session, undefer

from portal.accounts.addresses import AddressView
from portal.accounts.models import Account
from portal.billing.announced import debits_of
from portal.billing.mandate_paper import Creditor, write
from portal.billing.models import DebitState, DirectDebit, Mandate
from portal.billing.settings import billing_settings
from portal.infra import audit, clock, locks, mail, outbox, pdf
from portal.infra.orm import View, own_transaction
from portal.infra.outbox import File
from portal.infra.throttle import Limit
from portal.planning.contracts import MEANS
from portal.profile.queries import Farm, get_farm
from portal.rules.cutoffs import PARIS, local_day
from portal.rules.paying import PaymentMeans
from portal.rules.sepa import BankAccount, MandateEnd, lapsed_since, mandate_reference

AT_ONCE = 20
TRIES = Limit("mandates that an account signs", 20, timedelta(hours=1))


@dataclass(frozen=True, slots=True)
class MandateView:
    """A mandate; of its account number the end alone."""

    id: int
    account_id: int
    reference: str
    last_four: str
    bic: str | None
    bank: str | None
    debtor: AddressView
    signed_at: datetime
    used_on: date | None
    ended_at: datetime | None
    end: MandateEnd | None

    @property
    def signed_on(self) -> date:
        return local_day(self.signed_at)

    @property
    def ended_on(self) -> date | None:
        return local_day(self.ended_at) if self.ended_at else None


_DEBTOR = View(
    AddressView, name=Mandate.holder, street=Mandate.street, postcode=Mandate.postcode, town=Mandate.town
)
_VIEW = View(
    MandateView,
    id=Mandate.id,
    account_id=Mandate.account_id,
    reference=Mandate.reference,
    last_four=Mandate.last_four,
    bic=Mandate.bic,
    bank=Mandate.bank,
    debtor=_DEBTOR,
    signed_at=Mandate.signed_at,
    used_on=Mandate.used_on,
    ended_at=Mandate.ended_at,
    end=Mandate.end,
)
_LIVE = (
    select(_VIEW)
    .where(
        Mandate.account_id.in_(bindparam("account_ids", expanding=True)),
        Mandate.ended_at.is_(None),
    )
    .order_by(Mandate.id)
)


def creditor(session: Session, farm: Farm | None = None) -> Creditor | None:
    """None where the farm has no ICS: then nobody can sign, and nothing is collected."""
    settings = billing_settings(session)
    if settings.creditor_id is None:
        return None
    farm = farm or get_farm(session)
    name = settings.creditor_name or farm.legal_name or farm.name
    return Creditor(name, settings.creditor_id, farm.address, farm.postcode, farm.town)


def live_mandate(session: Session, account_id: int) -> MandateView | None:
    """The one under which something can be collected."""
    return live_mandates(session, [account_id]).get(account_id)


def live_mandates(session: Session, account_ids: Collection[int]) -> dict[int, MandateView]:
    live = session.scalars(_LIVE, {"account_ids": list(account_ids)})
    return {mandate.account_id: mandate for mandate in live}


def mandates_of(session: Session, account_id: int) -> list[MandateView]:
    """The newest first."""
    mine = select(_VIEW).where(Mandate.account_id == account_id)
    return list(session.scalars(mine.order_by(Mandate.id.desc())))


def awaits_signature(session: Session, account: Account) -> bool:
    """Whether they wish to be debited, and nothing allows it yet."""
    wished = account.payment_means is PaymentMeans.DIRECT_DEBIT and account.holder is account
    if not wished or live_mandate(session, account.id):
        return False
    return creditor(session) is not None


def paper(session: Session, account_id: int, mandate_id: int) -> File | None:
    """The PDF of one of an account's mandates, as it was signed."""
    mine = select(Mandate).where(Mandate.account_id == account_id, Mandate.id == mandate_id)
    found = session.scalar(mine.options(undefer(Mandate.paper)))
    return _file(found.reference, found.paper) if found else None


def sign(
    session: Session, account: Account, bank: BankAccount, debtor: AddressView, *, at: datetime, by: int
) -> MandateView | None:
    """Let the farm collect from an account, in place of the one before; None where the farm cannot.

    The same again changes nothing. What is announced already is collected under the new one.
    """
    farm = get_farm(session)
    collector = creditor(session, farm)
    if collector is None:
        return None
    before = _held(session, account.id)
    live = [mandate for mandate in before if mandate.ended_at is None]
    if live and live[-1].iban == bank.iban.encode() and _debtor_of(live[-1]) == debtor:
        _wish(session, account, PaymentMeans.DIRECT_DEBIT, at=at, by=by)
        return live_mandate(session, account.id)
    locks.checked()
    reference = mandate_reference(account.customer_number, len(before) + 1)
    written = write(reference, collector, bank, debtor, farm, at=at)
    mandate = Mandate(
        account_id=account.id,
        reference=reference,
        iban=bank.iban.encode(),
        last_four=bank.last_four,
        bic=bank.bic,
        bank=bank.bank,
        holder=debtor.name,
        **{name: value for name, value in asdict(debtor).items() if name != "name"},
        signed_at=at,
        signed_by=by,
        paper=written,
    )
    session.add(mandate)
    session.flush()
    _close(live, MandateEnd.REPLACED, at=at)
    _move_debits(session, live, mandate_id=mandate.id)
    audit.record(
        session,
        "mandate.sign",
        ("account", account.id),
        at=at,
        by=by,
        before={"mandate": [old.id for old in live]} if live else None,
        after={"mandate": mandate.id},
    )
    _wish(session, account, PaymentMeans.DIRECT_DEBIT, at=at, by=by)
    signed = live_mandate(session, account.id)
    assert signed is not None
    to_come = debits_of(session, account.id)
    letter = mail.render(
        "mandate_signed",
        farm=farm,
        first_name=account.first_name,
        mandate=signed,
        replaced=bool(live),
        announced=[debit for debit in to_come if debit.state is DebitState.ANNOUNCED],
        at_bank=[debit for debit in to_come if debit.at_bank],
    )
    outbox.post(session, to=account.email, at=at, attachments=[_file(reference, written)], **letter.parts)
    return signed


def end(
    session: Session,
    account: Account,
    why: MandateEnd,
    *,
    at: datetime,
    by: int | None,
    means: PaymentMeans | None = None,
    told: bool = True,
) -> bool:
    """Let nothing more be collected, and tell its person; whether there was a live mandate.

    What is announced and in no file yet is dropped: it is to be paid by the other `means`.
    """
    live = [mandate for mandate in _held(session, account.id) if mandate.ended_at is None]
    locks.checked()
    if means:
        _wish(session, account, means, at=at, by=by)
    if not live:
        return False
    _close(live, why, at=at)
    _move_debits(session, live, state=DebitState.DROPPED)
    ended = {"mandate": [mandate.id for mandate in live]}
    audit.record(
        session, "mandate.end", ("account", account.id), at=at, by=by, before=ended, after={"end": why}
    )
    if told:
        letter = mail.render(
            "mandate_ended",
            farm=get_farm(session),
            first_name=account.first_name,
            why=why,
            mandate=live[-1],
            means=MEANS[means] if means else None,
        )
        outbox.post(session, to=account.email, at=at, **letter.parts)
    return True


def keep_last(session: Session, account_id: int, *, at: datetime) -> None:
    """Of an account that has become of two, one mandate is live."""
    live = [mandate for mandate in _held(session, account_id) if mandate.ended_at is None]
    if len(live) > 1:
        _close(live[:-1], MandateEnd.REPLACED, at=at)
        _move_debits(session, live[:-1], mandate_id=live[-1].id)
        ended = {"mandate": [mandate.id for mandate in live[:-1]]}
        kept = {"mandate": live[-1].id}
        about = ("account", account_id)
        audit.record(session, "mandate.end", about, at=at, by=account_id, before=ended, after=kept)


def _wish(session: Session, account: Account, means: PaymentMeans, *, at: datetime, by: int | None) -> None:
    audit.change(session, account, {"payment_means": means}, at=at, by=by)


def _close(mandates: Iterable[Mandate], why: MandateEnd, *, at: datetime) -> None:
    for mandate in mandates:
        mandate.ended_at, mandate.end = at, why


def _move_debits(session: Session, mandates: Iterable[Mandate], **values: object) -> None:
    """Those that are in no file yet."""
    mine = DirectDebit.mandate_id.in_(mandate.id for mandate in mandates)
    announced = update(DirectDebit).where(mine, DirectDebit.state == DebitState.ANNOUNCED)
    session.execute(announced.values(**values))


def _held(session: Session, account_id: int) -> list[Mandate]:
    """All of an account's, which is locked: there may be none yet."""
    account = select(Account.id).where(Account.id == account_id)
    session.scalars(locks.for_update(account, of=Account)).one()
    mine = select(Mandate).where(Mandate.account_id == account_id).order_by(Mandate.id)
    return list(session.scalars(mine.execution_options(populate_existing=True)))


def _debtor_of(mandate: Mandate) -> AddressView:
    return AddressView(mandate.holder, mandate.street, mandate.postcode, mandate.town)


def _file(reference: str, data: bytes) -> File:
    return File(f"mandat-{reference}.pdf", pdf.CONTENT_TYPE, data)


def end_unused() -> bool:
    """End what has not been used for 36 months, one account a transaction; True if more wait."""
    now = clock.now()
    with own_transaction() as session:
        found = session.scalars(_unused(now).limit(AT_ONCE)).all()
    for account_id in found:
        with own_transaction() as session:
            held = select(Account).where(Account.id == account_id)
            account = session.scalars(locks.for_update(held, of=Account)).one()
            if session.scalar(_unused(now).where(Mandate.account_id == account_id)):
                end(session, account, MandateEnd.UNUSED, at=now, by=None)
    return len(found) == AT_ONCE


def _unused(now: datetime) -> Select[int]:
    """The accounts of such mandates."""
    last = lapsed_since(local_day(now))
    signed_before = datetime.combine(last + timedelta(days=1), time(), PARIS)
    return select(Mandate.account_id).where(
        Mandate.ended_at.is_(None),
        Mandate.signed_at < signed_before,
        or_(Mandate.used_on.is_(None), Mandate.used_on <= last),
    )
