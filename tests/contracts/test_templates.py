"""Every template is used, asks gettext for its words, and gives the strict CSP nothing to stop."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import meta, nodes

from portal import create_app
from portal.settings import ROOT, Mode
from tests.conftest import settings_for

FOLDER = ROOT / "templates"
NAMES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.suffix != ".typ")
GALLERY = "farm/components.html"
"""For who draws the pages, in development only: its words are samples."""

WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"[^\W\d_]{2,} [^\W\d_]|^[A-ZÀ-Ý][^\W\d_]+$")
FRENCH = re.compile(r"[éèêàâçùûîôœ]|[^\W\d_] [^\W\d_].*[.!?…]$", re.IGNORECASE)
NO_WORDS = {"Ctrl", "er"}  # « 1er », drawn as a number
SPOKEN = {"alt", "aria-label", "aria-description", "content", "label", "placeholder", "title", "value"}
"""Attributes that a reader sees or hears."""
GETTEXT = {"_", "_l", "gettext", "lazy_gettext", "ngettext"}
FACES = ("public", "member", "farm", "web")
CLASSES = {
    name
    for path in ROOT.glob("static/css/**/*.css")
    for name in re.findall(r"\.([a-z][a-z0-9-]*)", path.read_text())
}


@pytest.fixture(scope="module")
def trees() -> dict[str, nodes.Template]:
    """Every template, parsed; a template that does not parse fails here, with its line."""
    environment = development().jinja_env
    return {name: environment.parse((FOLDER / name).read_text(), filename=name) for name in NAMES}


@cache
def development() -> Flask:
    return create_app(settings_for("sqlite://", mode=Mode.DEVELOPMENT))


def outputs(tree: nodes.Node) -> Iterator[nodes.Expr]:
    """What a template writes, in the order of the file: its own text, and expressions."""
    for output in tree.find_all(nodes.Output):
        yield from output.nodes


FILLED_IN = "x\ue000"
"""Stands for what an expression writes: in a text, an attribute, or as a tag's name."""


class Skeleton(HTMLParser):
    """A template's own HTML, whatever its expressions fill in."""

    def __init__(self, tree: nodes.Node) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._style = False
        self.feed("".join(n.data if isinstance(n, nodes.TemplateData) else FILLED_IN for n in outputs(tree)))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._style = tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._style:
            self.texts.append(data)


def python(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in (ROOT / "portal" / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text())


@cache
def named_in_python() -> set[str]:
    """Every string constant of the program: names of templates are among them."""
    constants = (node for _, tree in python("") for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def test_templates_name_only_templates_that_exist(trees: dict[str, nodes.Template]) -> None:
    referred = {name: set(meta.find_referenced_templates(tree)) - set(NAMES) for name, tree in trees.items()}
    assert {name: missing for name, missing in referred.items() if missing} == {}


def test_the_program_names_only_templates_that_exist() -> None:
    named = {text for text in named_in_python() if re.fullmatch(r"[a-z_/]+/[a-z_]+\.(html|txt)", text)}
    assert named
    assert named - set(NAMES) == set()


def test_no_template_is_left_over(trees: dict[str, nodes.Template]) -> None:
    parts = ("subject.txt", "text.txt", "body.html")
    mails = {f"mail/{word}/{part}" for word in named_in_python() for part in parts}
    included = {name for tree in trees.values() for name in meta.find_referenced_templates(tree)}
    assert set(NAMES) - named_in_python() - mails - included == set()


def shown(name: str, tree: nodes.Template) -> Iterator[str]:
    """What a reader sees or hears that does not come from an expression."""
    if name.endswith(".txt"):
        yield from (node.data for node in outputs(tree) if isinstance(node, nodes.TemplateData))
        return
    skeleton = Skeleton(tree)
    yield from skeleton.texts
    for tag, attributes in skeleton.tags:
        if tag == "meta" and attributes.get("name") != "description":
            continue
        yield from (value for attribute, value in attributes.items() if attribute in SPOKEN)


def test_every_word_goes_through_gettext(trees: dict[str, nodes.Template]) -> None:
    found = {
        name: words
        for name, tree in trees.items()
        if name != GALLERY
        and (words := set(WORD.findall(" ".join(shown(name, tree)).replace(FILLED_IN, " "))) - NO_WORDS)
    }
    assert found == {}


def unspoken(node: nodes.Node) -> Iterator[str]:
    """Strings in a template's expressions that read as words, and that gettext never sees."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in GETTEXT:
        node = nodes.List([keyword.value for keyword in node.kwargs])
    if (
        isinstance(node, nodes.Const)
        and isinstance(node.value, str)
        and SENTENCE.search(node.value)
        and not set(node.value.split()) <= CLASSES
    ):
        yield node.value
    for child in node.iter_child_nodes():
        if not (isinstance(node, nodes.Pair) and str(getattr(node.key, "value", "")).startswith("data-hx-")):
            yield from unspoken(child)


def test_no_word_hides_in_an_expression(trees: dict[str, nodes.Template]) -> None:
    found = {name: list(unspoken(tree)) for name, tree in trees.items() if name != GALLERY}
    assert {name: words for name, words in found.items() if words} == {}


def unspoken_in_python(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in GETTEXT:
            return
        case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"))) | ast.Raise() | ast.Assert():
            return
        case ast.Expr(value=ast.Constant()):  # a docstring
            return
        case ast.Constant(value=str(text)) if FRENCH.search(text):
            yield text
    for child in ast.iter_child_nodes(node):
        yield from unspoken_in_python(child)


def test_no_face_speaks_past_gettext() -> None:
    found = {path: set(unspoken_in_python(tree)) for path, tree in python(*FACES)}
    assert {path: words for path, words in found.items() if words} == {}


def test_nothing_is_inline_and_nothing_is_loaded_from_elsewhere(trees: dict[str, nodes.Template]) -> None:
    tags = [
        (name, tag, attributes)
        for name, tree in trees.items()
        if name.endswith(".html") and not name.startswith("mail/")
        for tag, attributes in Skeleton(tree).tags
    ]
    for name, tag, attributes in tags:
        assert tag != "style", name
        assert tag != "script" or "src" in attributes, name
        assert [a for a in attributes if a == "style" or a.startswith(("on", "hx-"))] == [], name
        for attribute in attributes.keys() & {"src", "href", "action", "srcset"}:
            assert not re.match(r"\s*([a-z+.-]+:|//)(?<!mailto:)(?<!tel:)", attributes[attribute]), name
