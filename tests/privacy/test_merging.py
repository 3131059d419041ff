"""Two accounts become one: whatever named the one names the other, nothing is lost, nobody comes in by the first."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra.orm import Base
from portal.privacy.map import PEOPLES
from portal.privacy.merging import STAYS, STAYS_BESIDE, Refusal, merge, references
from portal.privacy.models import AccountMerge
from tests.privacy.filling import fill, somebody
from tests.world import ADMIN, CAMILLE, NOW, YACINE


def numbers(session: Session, *names: str) -> list[int]:
    return [session.scalars(select(Account.id).where(Account.email == name)).one() for name in names]


def rows_of(session: Session, account_id: int) -> dict[str, int]:
    counted: dict[str, int] = {}
    for table, column in references():
        found = session.scalar(select(func.count()).select_from(table).where(column == account_id)) or 0
        counted[table.name] = counted.get(table.name, 0) + found
    return counted


@pytest.mark.parametrize("both", [False, True], ids=["all of one", "all of both"])
def test_every_row_that_named_the_one_names_the_other(session: Session, both: bool) -> None:
    into, other = somebody(session, "Aline"), somebody(session, "Berthe")
    other.note = into.phone = None
    but = frozenset({"account_merge", "account_role", "second_factor", "departure"})
    fill(session, other, but=but)
    if both:
        fill(session, into, but=but)
    session.flush()
    before = rows_of(session, other.id)
    assert {name for name, found in before.items() if found} == {
        table.name for table, _column in references() if table.name not in but and PEOPLES.get(table.name)
    } - {"account_merge"}
    assert merge(session, into.id, other.id, at=NOW) is into
    session.flush()
    after = rows_of(session, other.id)
    assert {name for name, found in after.items() if found} == ({*STAYS_BESIDE} if both else set())
    assert not other.active and into.active and into.phone == "Berthe 01"


def test_only_two_of_ones_own_become_one(session: Session) -> None:
    camille, yacine, admin = numbers(session, CAMILLE, YACINE, ADMIN)
    assert merge(session, camille, camille, at=NOW) is Refusal.SAME
    assert merge(session, camille, admin, at=NOW) is Refusal.TEAM
    share = session.get_one(Account, camille)
    share.payer_id = admin
    session.flush()
    assert merge(session, camille, yacine, at=NOW) is Refusal.HOUSEHOLD
    share.payer_id = yacine
    session.flush()
    assert merge(session, camille, yacine, at=NOW) is share, "who shared has it now"
    session.flush()
    assert share.payer_id is None
    assert merge(session, camille, yacine, at=NOW) is Refusal.CLOSED
    assert session.scalars(select(AccountMerge.moved)).one()["subscription"] == 1
    assert Base.metadata.tables.keys() >= STAYS
