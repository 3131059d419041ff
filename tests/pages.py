"""Reading pages as a person does: words without markup, spaces that do not break as plain ones."""

import re
from html import unescape

from werkzeug.test import TestResponse

MARKUP = re.compile(
    r"""<(script|style|template)\b.*?</\1>|<!--.*?-->|<(?:[^<>"']|"[^"]*"|'[^']*')+>""",
    re.DOTALL | re.IGNORECASE,
)
"""Of a page that is valid, as every page that a test has fetched."""


def text_of(response: TestResponse) -> str:
    """The page's words, in order, on one line."""
    words = unescape(MARKUP.sub("", response.get_data(as_text=True)))
    return " ".join(words.replace("\u202f", " ").replace("\u00a0", " ").split()).replace(" ,", ",")


def markup_of(response: TestResponse) -> str:
    """The page as it was sent, on one line, where what stands around its words matters too."""
    page = response.get_data(as_text=True)
    return " ".join(page.replace("\u202f", " ").replace("\u00a0", " ").replace("&#39;", "'").split())
