"""Reading pages as a person does: words without markup, spaces that do not break as plain ones."""

from functools import lru_cache

import html5lib
from werkzeug.test import TestResponse

from tests.client import without_tokens


def text_of(response: TestResponse) -> str:
    """The page's words, in order, on one line."""
    return _text_of(without_tokens(response.get_data(as_text=True)))


@lru_cache(maxsize=1024)
def _text_of(html: str) -> str:
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    for element in tree.iter():
        if element.tag in ("script", "style", "template"):
            element.text, element[:] = "", []
    words = " ".join("".join(tree.itertext()).replace("\u202f", " ").replace("\u00a0", " ").split())
    return words.replace(" ,", ",")
