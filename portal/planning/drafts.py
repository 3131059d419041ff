"""What somebody has chosen on the way to a subscription: a row of the account, or a visitor's session.

Who signs in brings along what they had chosen as a visitor.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from flask import Flask
from flask import session as visit
from flask_login import user_logged_in
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra import clock
from portal.infra.orm import db, insert, own_transaction
from portal.planning.models import JoiningDraft
from portal.rules.calendar import Rhythm

KEY = "joining"
LIVES = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is chosen so far; with no `since` it begins as soon as it can."""

    formula_id: int | None = None
    quantity: int = 1
    beside_id: int | None = None
    """Another formula that begins in the same act."""
    point_id: int | None = None
    rhythm: Rhythm | None = None
    since: date | None = None

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Choice":
        """As it was kept; nothing where another release has kept it."""
        with suppress(TypeError, ValueError):
            found = cls(**kept)
            rhythm = Rhythm(found.rhythm) if found.rhythm else None
            return replace(
                found, rhythm=rhythm, since=date.fromisoformat(kept["since"]) if found.since else None
            )
        return cls()

    @property
    def kept(self) -> dict[str, Any]:
        return {**asdict(self), "since": self.since.isoformat() if self.since else None}


class Keeper(Protocol):
    def read(self) -> Choice: ...
    def save(self, choice: Choice, at: datetime) -> None: ...
    def forget(self) -> None: ...


def keeper(session: Session, account_id: int | None) -> Keeper:
    return OfVisitor() if account_id is None else OfAccount(session, account_id)


@dataclass(frozen=True, slots=True)
class OfAccount:
    session: Session
    account_id: int

    def read(self) -> Choice:
        mine = select(JoiningDraft.chosen).where(JoiningDraft.account_id == self.account_id)
        return Choice.of(self.session.scalar(mine) or {})

    def save(self, choice: Choice, at: datetime) -> None:
        said = {"chosen": choice.kept, "changed_at": at}
        row = insert(self.session, JoiningDraft).values(account_id=self.account_id, **said)
        self.session.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=said))

    def forget(self) -> None:
        self.session.execute(delete(JoiningDraft).where(JoiningDraft.account_id == self.account_id))


@dataclass(frozen=True, slots=True)
class OfVisitor:
    """In the row of the visit, which is gone after a day."""

    def read(self) -> Choice:
        return Choice.of(visit.get(KEY, {}))

    def save(self, choice: Choice, at: datetime) -> None:
        visit[KEY] = choice.kept

    def forget(self) -> None:
        visit.pop(KEY, None)


def forget_old() -> None:
    """Remove what nobody has gone on with."""
    with own_transaction() as session:
        session.execute(delete(JoiningDraft).where(JoiningDraft.changed_at < clock.now() - LIVES))


def init_app(app: Flask) -> None:
    user_logged_in.connect(_bring, app)


def _bring(_app: Flask, user: Account) -> None:
    visitor = OfVisitor()
    if (chosen := visitor.read()) != Choice():
        OfAccount(db.session(), user.id).save(chosen, clock.now())
    visitor.forget()
