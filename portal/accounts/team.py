"""Who works at the farm, with which roles. One of them at least is an admin and can enter."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account, Role
from portal.accounts.queries import find_account
from portal.accounts.services import mail_invitation
from portal.infra import audit, locks
from portal.rules.alphabet import french_order
from portal.rules.permissions import Permission, RoleName


class Refusal(StrEnum):
    """Why nothing was written; its words are in the templates."""

    LAST_ADMIN = "last_admin"


@dataclass(frozen=True, slots=True)
class Appointment:
    """What came of it: a new account, one that may enter more than before, a mail with a link."""

    created: bool
    promoted: bool
    mailed: bool


def team(session: Session) -> list[Account]:
    """Everybody with a role, as a list of names has them."""
    people = session.scalars(select(Account).where(Account.roles.any())).all()
    return sorted(people, key=lambda person: french_order(person.last_name, person.first_name))


def who_may(session: Session, permission: Permission) -> list[Account]:
    return [person for person in team(session) if person.active and person.may(permission)]


def appoint(
    session: Session,
    email: str,
    *,
    first_name: str,
    last_name: str,
    roles: Collection[RoleName],
    at: datetime,
    by: int | None,
) -> Appointment | None:
    """Let somebody into the farm's pages; whoever has no password yet is mailed a link to choose one.

    An account that exists keeps its names, its password and its roles; one that is closed stays so, for which None.
    """
    account = find_account(session, email)
    created = account is None
    if account is None:
        account = Account(
            email=email,
            fs_uniquifier=uuid4().hex,
            active=True,
            first_name=first_name,
            last_name=last_name,
            created_at=at,
        )
        session.add(account)
        session.flush()
        audit.record(session, "account_created", ("account", account.id), at=at, by=by)
    if not account.active:
        return None
    promoted = _write_roles(session, account, {*account.role_names, *roles}, at=at, by=by)
    mailed = account.password is None
    if mailed:
        mail_invitation(session, account, at=at, by=by)
    return Appointment(created, promoted, mailed)


def set_roles(
    session: Session, account: Account, wanted: Collection[RoleName], *, at: datetime, by: int
) -> Refusal | bool:
    """Give somebody these roles and no other, or none at all; whether anything changed."""
    if RoleName.ADMIN not in wanted and is_last_admin(session, account):
        return Refusal.LAST_ADMIN
    locks.checked()
    return _write_roles(session, account, set(wanted), at=at, by=by)


def is_last_admin(session: Session, account: Account) -> bool:
    """Whether nobody else could let people in again; until our commit nobody else stops being an admin."""
    role = select(Role).where(Role.name == RoleName.ADMIN)
    session.scalars(locks.for_update(role, of=Role)).all()
    session.refresh(account, ["roles"])
    return seems_last_admin(session, account)


def seems_last_admin(session: Session, account: Account) -> bool:
    """The same for a page, which holds nobody up."""
    if RoleName.ADMIN not in account.role_names:
        return False
    others = select(Account.id).where(Account.id != account.id, Account.active, Account.password.is_not(None))
    return session.scalars(others.where(Account.roles.any(name=RoleName.ADMIN))).first() is None


def _write_roles(
    session: Session, account: Account, wanted: set[RoleName], *, at: datetime, by: int | None
) -> bool:
    before = account.role_names
    if before == wanted:
        return False
    known = {role.name: role for role in session.scalars(select(Role))}
    account.roles = [known.get(name) or Role(name=name) for name in sorted(wanted)]
    roles = {"before": {"roles": sorted(before)}, "after": {"roles": sorted(wanted)}}
    audit.record(session, "roles_changed", ("account", account.id), at=at, by=by, **roles)
    return True
