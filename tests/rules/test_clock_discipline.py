"""Only the edge reads a clock, and never the database's: the test clock does not move it (BAR T13)."""

import ast
import re
from pathlib import Path

import pytest

PORTAL = Path(__file__).parents[2] / "portal"
THE_CLOCK = PORTAL / "infra" / "clock.py"

CLOCK_NAMES = {
    ("date", "today"),
    ("datetime", "today"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("func", "now"),
    ("func", "current_date"),
    ("func", "current_time"),
    ("func", "current_timestamp"),
    ("func", "localtimestamp"),
}
SQL_CLOCK = re.compile(r"\bnow\s*\(|'now'|\b(current_(date|time|timestamp)|localtimestamp)\b", re.IGNORECASE)


def clock_readings(source):
    """Line and text of every place in some source that reads a clock by itself."""
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner)) if (
                imported.get(owner, owner),
                node.attr,
            ) in CLOCK_NAMES:
                yield node.lineno, ast.unparse(node)
            case ast.Attribute(value=ast.Attribute(attr=owner)) if (owner, node.attr) in CLOCK_NAMES:
                yield node.lineno, ast.unparse(node)
            case ast.Attribute(attr="utcnow"):
                yield node.lineno, ast.unparse(node)
            case ast.alias(
                name="now" | "current_timestamp" | "current_date" | "current_time" | "localtimestamp"
            ):
                yield node.lineno, f"import {node.name}"
            case ast.Constant(value=str(text)) if id(node) not in docstrings and SQL_CLOCK.search(text):
                yield node.lineno, repr(text)


def test_only_the_clock_module_reads_the_clock():
    sources = sorted(set(PORTAL.rglob("*.py")) - {THE_CLOCK})
    assert sources
    found = [
        f"{path.relative_to(PORTAL.parent)}:{line}: {text}"
        for path in sources
        for line, text in clock_readings(path.read_text(encoding="utf-8"))
    ]
    assert not found, "time is an argument; only portal.infra.clock reads it:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import date\ndate.today()",
        "from datetime import date as Day\nDay.today()",
        "import datetime\ndatetime.date.today()",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "from datetime import datetime\ncolumn(default=datetime.now)",
        "from datetime import datetime\ndatetime.utcnow()",
        "from sqlalchemy import func\nfunc.now()",
        "import sqlalchemy as sa\nsa.func.current_timestamp()",
        "from sqlalchemy.sql.functions import now\nnow()",
        "text('SELECT now()')",
        "text('DEFAULT CURRENT_TIMESTAMP')",
        "text(f'''SELECT {x} WHERE day < datetime('now')''')",
    ],
)
def test_a_clock_read_elsewhere_is_found(source):
    assert list(clock_readings(source))


@pytest.mark.parametrize(
    "source",
    [
        "from portal.infra import clock\nclock.now()",
        "def skip():\n    'Reads now() once.'\n",
        "page.now",
        "text('SELECT day FROM delivery WHERE cutoff <= :now')",
    ],
)
def test_time_as_an_argument_is_left_alone(source):
    assert not list(clock_readings(source))
