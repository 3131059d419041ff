"""Every link that is mailed: looking at it changes nothing and uses nothing up (BAR S7), and it is kept hashed (S6)."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from portal.accounts.models import LinkPurpose, MailedLink
from portal.accounts.sessions import hash_token
from portal.infra.orm import Base
from tests.accounts.people import account_of, browser_of, database
from tests.world import CAMILLE, NOW

TOKEN = "a-link-as-long-as-those-that-are-mailed-out"
LINK = f"/lien/{TOKEN}"
OTHER = "another@example.net"
OF_OTHERS = {LinkPurpose.NEW_ADDRESS, LinkPurpose.OLD_ADDRESS, LinkPurpose.SHARE}
"""Links about another address than the account's own."""


def rows(app: Flask) -> dict[str, list[str]]:
    """All that the database holds, but for the session of whoever looks."""
    with database(app) as session:
        return {
            table.name: sorted(map(repr, session.execute(text(f"SELECT * FROM {table.name}"))))
            for table in Base.metadata.sorted_tables
            if table.name != "sign_in_session"
        }


@pytest.mark.parametrize("purpose", LinkPurpose)
def test_a_mail_scanner_that_opens_it_leaves_it_as_it_was(app: Flask, purpose: LinkPurpose) -> None:
    with database(app) as session:
        camille = account_of(session, CAMILLE)
        camille.active = purpose is not LinkPurpose.COME_BACK
        link = MailedLink(token_hash=hash_token(TOKEN), purpose=purpose, account=camille, created_at=NOW)
        link.expires_at, link.email = NOW + timedelta(hours=1), OTHER if purpose in OF_OTHERS else None
        session.add(link)
    before = rows(app)
    pages = [browser_of(app).get(LINK), browser_of(app).head(LINK), browser_of(app).get(LINK)]
    assert [page.status_code for page in pages] == [200] * 3
    assert TOKEN not in str(before) and 'method="post"' in pages[-1].text
    assert rows(app) == before
