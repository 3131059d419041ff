"""The house keeps its ranks and habits; the ranks themselves stand in pyproject.toml."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from portal.settings import ROOT

PORTAL = ROOT / "portal"
DOMAIN = ("services.py", "queries.py", "models.py", "jobs.py")


def called(path: Path) -> Iterator[str]:
    """The names of what a module calls: `commit` of `session.commit()`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name


def test_a_lower_rank_never_imports_a_higher_one() -> None:
    """In a process of its own: import-linter silences the loggers of the one that it runs in."""
    linter = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    result = subprocess.run(linter, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_no_package_is_empty() -> None:
    packages = [path for path in PORTAL.rglob("*") if path.is_dir() and path.name != "__pycache__"]
    assert [path for path in packages if {file.name for file in path.glob("*.py")} <= {"__init__.py"}] == []


def test_the_domain_neither_ends_the_transaction_nor_speaks_to_the_browser() -> None:
    forbidden = {"commit", "rollback", "flash", "redirect", "abort", "render_template"}
    domain = [path for path in PORTAL.rglob("*.py") if path.name in DOMAIN and path.parent.name != "infra"]
    assert domain
    assert {path: found for path in domain if (found := set(called(path)) & forbidden)} == {}
