"""What a migration may do while the version before still runs: add, and nothing else (README, « Updates »)."""

import ast
import re
from collections.abc import Iterator

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
}
FILLS = re.compile(r"(CREATE (TRIGGER|FUNCTION)|UPDATE) \w+")
ELSE = re.compile(r"RAISE|DELETE FROM|INSERT INTO|TRUNCATE|DROP|ALTER|BEFORE|INSTEAD|, \w+ = ")
VERSIONS = ROOT / "migrations" / "versions"


def harm(source: str) -> list[str]:
    """What in `upgrade`, and in what it calls, the version before might stumble over."""
    calls = list(called_by("upgrade", ast.parse(source)))
    new = {column(call).args[0].value for call in calls if called(call) == "add_column"}
    return [
        called(call)
        for call in calls
        if called(call) in TAKES_AWAY
        or (called(call) == "add_column" and is_missed(call))
        or (called(call) == "execute" and not fills(call, new))
    ]


def called_by(name: str, module: ast.Module) -> Iterator[ast.Call]:
    [function] = [node for node in module.body if getattr(node, "name", "") == name]
    own = {node.name for node in module.body if isinstance(node, ast.FunctionDef)}
    for call in ast.walk(function):
        if isinstance(call, ast.Call):
            yield call
            if isinstance(call.func, ast.Name) and call.func.id in own:
                yield from called_by(call.func.id, module)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def is_missed(call: ast.Call) -> bool:
    """Whether a row of the version before, which does not know the column, would be refused."""
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in column(call).keywords}
    return given.get("nullable") != "True" and "server_default" not in given


def column(call: ast.Call) -> ast.Call:
    [found] = [argument for argument in call.args if isinstance(argument, ast.Call)]
    return found


def fills(call: ast.Call, new: set[str]) -> bool:
    """Whether a statement, written out whole, does nothing but fill new columns, now or by trigger."""
    [said] = call.args
    if not isinstance(said, ast.Constant) or not FILLS.match(said.value) or ELSE.search(said.value):
        return False
    return set(re.findall(r"UPDATE \w+ SET (\w+)", said.value)) <= new


ADDED = 'op.add_column("account", sa.Column("town", sa.String(), nullable=True))'
FILL = "BEGIN UPDATE account SET town = NEW.town; END"


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
        ('op.execute("UPDATE account SET town = street")', ["execute"]),
        (f'{ADDED}; op.execute("UPDATE account SET town = street")', []),
        (f'{ADDED}; op.execute("UPDATE account SET town = street, street = NULL")', ["execute"]),
        (f'{ADDED}; op.execute(f"UPDATE {{table}} SET town = street")', ["execute"]),
        (f'{ADDED}; op.execute("CREATE TRIGGER t AFTER INSERT ON cow {FILL}")', []),
        (f'{ADDED}; op.execute("CREATE TRIGGER t BEFORE INSERT ON cow {FILL}")', ["execute"]),
        ('op.execute("CREATE TRIGGER t AFTER INSERT ON cow BEGIN SELECT RAISE(ABORT); END")', ["execute"]),
        (f'op.execute("CREATE TRIGGER t AFTER INSERT ON cow {FILL}")', ["execute"]),
        ("further()\n\ndef further():\n    op.drop_table('account')", ["drop_table"]),
    ],
)
def test_what_the_version_before_stumbles_over_is_found(act: str, harms: list[str]) -> None:
    assert harm(f"def upgrade():\n    {act}\n") == harms


def test_a_migration_leaves_the_version_before_running() -> None:
    later = [path for path in VERSIONS.glob("*.py") if path.stem > LAST_ALONE]
    assert not {path.stem: harms for path in later if (harms := harm(path.read_text()))}
