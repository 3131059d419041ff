"""Reading pages as a person does: words without markup, spaces that do not break as plain ones."""

import html5lib
from werkzeug.test import TestResponse


def text_of(response: TestResponse) -> str:
    """The page's words, in order, on one line."""
    tree = html5lib.parse(response.get_data(as_text=True), namespaceHTMLElements=False)
    for element in tree.iter():
        if element.tag in ("script", "style", "template"):
            element.text, element[:] = "", []
    words = " ".join("".join(tree.itertext()).replace("\u202f", " ").replace("\u00a0", " ").split())
    return words.replace(" ,", ",")
