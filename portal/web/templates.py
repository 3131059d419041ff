"""The environment of the pages' templates."""

from collections.abc import MutableMapping
from typing import Any

import flask.templating


class Environment(flask.templating.Environment):
    """Flask's, with plain globals: all are there before the first template is read.

    Each import and include compares them with the page's, which takes Jinja's ChainMap longer than the import.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}
