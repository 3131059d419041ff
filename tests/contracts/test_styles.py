"""One stylesheet is made of many files: each class has its home in one of them."""

import re
from pathlib import Path

from portal.settings import ROOT

CSS = ROOT / "static" / "css"
ANYWHERE = {"print.css", "zoomed.css"}
"""What they say of a class is what is otherwise on paper, or where little fits."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"^ *(\.[\w-]+(?:,\s*\.[\w-]+)*) *\{", re.MULTILINE)


def test_no_file_lays_down_a_class_of_another() -> None:
    homes: dict[str, set[Path]] = {}
    for file in CSS.rglob("*.css"):
        if file.name not in ANYWHERE:
            for rule in _RULE.finditer(_COMMENT.sub("", file.read_text(encoding="utf-8"))):
                for name in re.findall(r"\.([\w-]+)", rule[1]):
                    homes.setdefault(name, set()).add(file.relative_to(CSS))
    assert homes["button"] == {Path("components/button.css")}
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}
