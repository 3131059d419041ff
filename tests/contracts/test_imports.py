"""The house keeps its ranks and habits (DESIGN §3); the ranks themselves stand in pyproject.toml."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

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


def test_a_lower_rank_never_imports_a_higher_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True) == 0, (
        capsys.readouterr().out
    )


def test_no_package_is_empty() -> None:
    packages = [path for path in PORTAL.rglob("*") if path.is_dir() and path.name != "__pycache__"]
    assert [path for path in packages if {file.name for file in path.glob("*.py")} <= {"__init__.py"}] == []


def test_the_domain_neither_ends_the_transaction_nor_speaks_to_the_browser() -> None:
    forbidden = {"commit", "rollback", "flash", "redirect", "abort", "render_template"}
    domain = [path for path in PORTAL.rglob("*.py") if path.name in DOMAIN and path.parent.name != "infra"]
    assert domain
    assert {path: found for path in domain if (found := set(called(path)) & forbidden)} == {}
