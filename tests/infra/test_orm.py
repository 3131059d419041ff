"""What statements share."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Account
from portal.infra.orm import among


def test_more_ids_than_a_statement_takes_parameters_are_looked_for(session: Session) -> None:
    asked = select(Account.id).order_by(Account.id)
    assert session.scalars(asked.where(among(Account.id, range(2, 70_000)))).all() == [2, 3, 4]
    assert session.scalars(asked.where(~among(Account.id, range(2, 70_000)))).all() == [1]
    assert session.scalars(asked.where(among(Account.id, []))).all() == []
