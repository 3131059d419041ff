"""Every table says whose its rows are: a new one with somebody's name in it cannot be forgotten by those who leave."""

import pytest

import portal  # noqa: F401
from portal.infra.orm import Base
from portal.privacy.map import OTHERS, PEOPLES, Rows, texts

TABLES = list(Base.metadata.sorted_tables)


def test_the_map_names_every_table_once() -> None:
    named = [*PEOPLES, *OTHERS]
    assert sorted(named) == sorted(table.name for table in TABLES)


def test_what_leads_to_an_account_by_its_owner_is_somebodys() -> None:
    unowned = {table.name for table in TABLES if "account_id" in table.c and table.name not in PEOPLES}
    assert unowned == {"audit_event"}


@pytest.mark.parametrize(("name", "rows"), PEOPLES.items(), ids=PEOPLES)
def test_every_text_of_a_row_that_stays_is_emptied_or_named_as_harmless(name: str, rows: Rows) -> None:
    table = Base.metadata.tables[name]
    assert all(
        column in table.c for column in [*rows.plain, *rows.untold, *filter(None, (rows.of, rows.mail))]
    )
    if rows.left is None:
        assert not rows.plain
        return
    assert rows.why
    if name == "account":
        return  # tests/privacy/test_erasing.py looks into it
    assert {*rows.left, *rows.plain} == {*texts(table)}
    assert not {*rows.left} & {*rows.plain}
