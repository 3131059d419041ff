"""Who changed what, when, from what to what."""

from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue

from portal.farm import blueprint
from portal.infra.orm import db
from portal.planning import journal as queries
from portal.planning.journal import Wanted
from portal.planning.subjects import names
from portal.rules.permissions import Permission
from portal.web.forms import Reader, day, whole
from portal.web.guards import needs

PAGE_SIZE = 50
LONGEST = 80
_KEY = whole(1, 999_999_999)


@blueprint.get("/journal")
@needs(Permission.JOURNAL)
def journal() -> ResponseReturnValue:
    wanted = wanted_lines()
    lines = queries.journal(db.session(), wanted, before=_read("avant", _KEY), limit=PAGE_SIZE + 1)
    return render_template(
        "farm/journal/page.html",
        lines=lines[:PAGE_SIZE],
        names=names(db.session(), lines[:PAGE_SIZE]),
        older=lines[PAGE_SIZE - 1].id if len(lines) > PAGE_SIZE else None,
        wanted=wanted,
        asked={name: value for name, value in request.args.items() if value and name != "avant"},
        longest=LONGEST,
        nav_current="farm.index",
    )


def wanted_lines() -> Wanted:
    """What cannot be meant narrows nothing."""
    asked = {name: request.args.get(name, "").strip()[:LONGEST] for name in ("qui", "quoi", "numero")}
    return Wanted(asked["qui"], asked["quoi"], asked["numero"], _read("du", day), _read("au", day))


def _read(name: str, read: Reader) -> Any:
    try:
        return read(request.args.get(name, ""))
    except ValueError:
        return None
