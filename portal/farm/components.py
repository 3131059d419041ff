"""The gallery of components, for who draws the pages: in development only."""

import re

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.infra import clock
from portal.rules.cutoffs import local_day
from portal.rules.permissions import Permission
from portal.settings import ROOT
from portal.web.guards import needs

_SYMBOL = re.compile(r'<symbol id="([^"]+)"')


@needs(Permission.LOOK)
def show_components() -> ResponseReturnValue:
    now = clock.now()
    return render_template(
        "farm/components.html",
        now=now,
        today=local_day(now),
        drawings=_symbols("drawings.svg"),
        icons=_symbols("icons.svg"),
    )


def _symbols(sprite: str) -> list[str]:
    """The names of a sprite's pictures."""
    return _SYMBOL.findall((ROOT / "static" / sprite).read_text(encoding="utf-8"))
