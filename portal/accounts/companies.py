"""Companies: their name and number on papers, once staff have said yes; prices stay the same."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Company, CompanyState, VatState
from portal.infra import audit, locks, mail, outbox
from portal.infra.orm import View
from portal.profile.queries import get_farm


@dataclass(frozen=True, slots=True)
class Identity:
    """What papers say of a company; a SIREN where it has no VAT number."""

    name: str
    vat_number: str | None
    siren: str | None


@dataclass(frozen=True, slots=True)
class CompanyView:
    identity: Identity
    state: CompanyState
    asked_at: datetime
    vat_state: VatState
    vat_checked_at: datetime | None
    purchase_reference: str | None


_IDENTITY = View(Identity, name=Company.name, vat_number=Company.vat_number, siren=Company.siren)
COMPANY = View(
    CompanyView,
    identity=_IDENTITY,
    state=Company.state,
    asked_at=Company.asked_at,
    vat_state=Company.vat_state,
    vat_checked_at=Company.vat_checked_at,
    purchase_reference=Company.purchase_reference,
)


def company_of(session: Session, account_id: int) -> CompanyView | None:
    return session.scalar(select(COMPANY).where(Company.account_id == account_id))


def named_on_papers(session: Session, account_id: int) -> Identity | None:
    """The company that an account is, if staff have approved it."""
    approved = Company.account_id == account_id, Company.state == CompanyState.APPROVED
    return session.scalar(select(_IDENTITY).where(*approved))


def ask(session: Session, account_id: int, wanted: Identity, *, at: datetime, by: int) -> bool:
    """Ask staff for a company's account; what is changed is asked for again. Whether anything is otherwise."""
    company = _held(session, account_id)
    if company is None:
        company = Company(account_id=account_id, vat_tries=0, vat_state=VatState.UNASKED)
        session.add(company)
    elif Identity(company.name, company.vat_number, company.siren) == wanted:
        return False
    if company.vat_number != wanted.vat_number:
        company.vat_state, company.vat_checked_at, company.vat_tries = VatState.UNASKED, None, 0
        company.vat_due_at = at if wanted.vat_number else None
    for name, value in asdict(wanted).items():
        setattr(company, name, value)
    company.state, company.asked_at, company.decided_at = CompanyState.ASKED, at, None
    audit.record(session, "company.ask", ("account", account_id), at=at, by=by)
    return True


def leave(session: Session, account_id: int, *, at: datetime, by: int) -> bool:
    """Be a person's account again; whether it was a company's."""
    company = _held(session, account_id)
    if company is None:
        return False
    session.delete(company)
    audit.record(session, "company.leave", ("account", account_id), at=at, by=by)
    return True


def refer(session: Session, account_id: int, reference: str | None, *, at: datetime, by: int) -> bool:
    """Have the next invoices name a purchase as the company does; whether it was named otherwise."""
    company = _held(session, account_id)
    if company is None or company.purchase_reference == reference:
        return False
    company.purchase_reference = reference
    changed = {"fields": ["purchase_reference"]}
    audit.record(session, "company.terms", ("account", account_id), at=at, by=by, after=changed)
    return True


def decide(
    session: Session,
    account: Account,
    wanted: CompanyState,
    *,
    asked_at: str,
    reason: str | None = None,
    at: datetime,
    by: int,
) -> bool:
    """Say yes or no to what was asked at that instant, and tell why; False where something else is asked by now."""
    company = _held(session, account.id)
    if company is None or company.asked_at.isoformat() != asked_at:
        return False
    if company.state is wanted:
        return True
    before, company.state, company.decided_at = company.state, wanted, at
    change = {"before": {"state": before}, "after": {"state": wanted}}
    audit.record(session, "company.decide", ("account", account.id), at=at, by=by, **change)
    approved = wanted is CompanyState.APPROVED
    said = {"first_name": account.first_name, "company": company.name, "approved": approved, "reason": reason}
    written = mail.render("company_decided", farm=get_farm(session), **said)
    outbox.post(session, to=account.email, at=at, **written.parts)
    return True


def _held(session: Session, account_id: int) -> Company | None:
    """Its account is locked: there may be no row yet."""
    account = select(Account.id).where(Account.id == account_id)
    session.scalars(locks.for_update(account, of=Account)).one()
    company = session.get(Company, account_id, populate_existing=True)
    locks.checked()
    return company
