"""What a migration may do while the version before still runs: add, and nothing else (README, « Updates »)."""

import ast

import pytest

from portal.settings import ROOT

LAST_ALONE = "0008"
"""Until then a site stood still for an update."""
TAKES_AWAY = {
    "drop_table",
    "drop_column",
    "rename_table",
    "alter_column",
    "create_check_constraint",
    "execute",
}
VERSIONS = ROOT / "migrations" / "versions"


def harm(source: str) -> list[str]:
    """What in `upgrade` the version before might stumble over; a statement written out is not read."""
    [upgrade] = [node for node in ast.parse(source).body if getattr(node, "name", "") == "upgrade"]
    calls = [node for node in ast.walk(upgrade) if isinstance(node, ast.Call)]
    found = [called(call) for call in calls if called(call) in TAKES_AWAY]
    return found + ["add_column" for call in calls if called(call) == "add_column" and is_missed(call)]


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def is_missed(call: ast.Call) -> bool:
    """Whether a row of the version before, which does not know the column, would be refused."""
    [column] = [argument for argument in call.args if isinstance(argument, ast.Call)]
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
    return given.get("nullable") != "True" and "server_default" not in given


@pytest.mark.parametrize(
    ("act", "harms"),
    [
        ('op.create_table("herd", sa.Column("id", sa.Integer(), nullable=False))', []),
        ('op.create_index("ix", "account", ["town"])', []),
        ('table.add_column(sa.Column("town", sa.String(), nullable=True))', []),
        ('table.add_column(sa.Column("town", sa.String(), server_default="", nullable=False))', []),
        ('op.add_column("account", sa.Column("town", sa.String(), nullable=False))', ["add_column"]),
        ('table.add_column(sa.Column("town", sa.String()))', ["add_column"]),
        ('table.drop_column("town")', ["drop_column"]),
        ('op.drop_table("account")', ["drop_table"]),
        ('table.alter_column("town", new_column_name="city")', ["alter_column"]),
        ('op.execute("DELETE FROM account")', ["execute"]),
    ],
)
def test_what_the_version_before_stumbles_over_is_found(act: str, harms: list[str]) -> None:
    assert harm(f"def upgrade():\n    {act}\n") == harms


def test_a_migration_leaves_the_version_before_running() -> None:
    later = [path for path in VERSIONS.glob("*.py") if path.stem > LAST_ALONE]
    assert not {path.stem: harms for path in later if (harms := harm(path.read_text()))}
