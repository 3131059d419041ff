"""The gallery of components, for who draws the pages: in development only."""

import re
from datetime import date

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.figures.queries import Weekly
from portal.infra import clock
from portal.rules.calendar import WEEK, monday_of
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
        figure=_sample(local_day(now)),
        drawings=_symbols("drawings.svg"),
        icons=_symbols("icons.svg"),
    )


def _sample(today: date) -> Weekly:
    weeks = [monday_of(today) + n * WEEK for n in range(12)]
    numbers = {"Petit": 22, "Moyen": 16, "Grand": 8}
    series = [(name, [most - (week * 5) % 7 for week in range(12)]) for name, most in numbers.items()]
    return Weekly(weeks, series)


def _symbols(sprite: str) -> list[str]:
    """The names of a sprite's pictures."""
    return _SYMBOL.findall((ROOT / "static" / sprite).read_text(encoding="utf-8"))
