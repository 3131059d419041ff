"""Tables that staff send: taken in, tried without writing, then written, some lines at a time."""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from portal.exchange import articles, people, points, products, subscriptions
from portal.exchange.columns import Column, recognise
from portal.exchange.lines import BadLine, Context, Verdict, Writer
from portal.exchange.models import RunState, Subject, TableImport
from portal.exchange.reading import BadTable, Problem, Sheet, read
from portal.infra import audit, locks
from portal.web.i18n import gettext as _

logger = logging.getLogger(__name__)

WRITERS: Mapping[Subject, Callable[[Context], Writer]] = {
    Subject.PEOPLE: people.Writer,
    Subject.SUBSCRIPTIONS: subscriptions.Writer,
    Subject.POINTS: points.Writer,
    Subject.PRODUCTS: products.Writer,
    Subject.ARTICLES: articles.Writer,
}
LINES_AT_ONCE = 50
"""So few that whoever else wants to write waits for less than a second."""
SAID_AT_MOST = 200
"""Errors and notes that a report names; it counts the lines of all of them."""
VALUE_SHOWN = 120
KEPT = timedelta(days=3)
"""So long a table waits for a yes, and a report can be read."""
_WAITS = (RunState.READING, RunState.WRITING)


def take_in(
    session: Session, subject: Subject, data: bytes, name: str, *, invites: bool, at: datetime, by: int
) -> TableImport:
    """Keep a table for the worker; its name is what people read, its key is what we call it."""
    row = TableImport(
        subject=subject,
        file_name=_label(name),
        data=data,
        state=RunState.READING,
        made_at=at,
        made_by=by,
        invites=invites,
        lines=0,
        done=0,
        report={},
    )
    session.add(row)
    session.flush()
    after = {"subject": subject, "bytes": len(data)}
    audit.record(session, "import.upload", ("table_import", row.id), at=at, by=by, after=after)
    return row


def _label(name: str) -> str:
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable())[:80] or "?"


def begin(session: Session, import_id: int, *, at: datetime, by: int) -> bool:
    """Let the worker write what it has tried; whether it waited for that."""
    row = _held(session, import_id)
    if row is None or row.state is not RunState.READ or row.report["missing"]:
        return False
    row.state, row.done, row.report = RunState.WRITING, 0, {**_anew(row.report), "by": by}
    audit.record(session, "import.begin", ("table_import", row.id), at=at, by=by)
    return True


def assign(session: Session, import_id: int, places: Mapping[str, int]) -> bool:
    """Try it anew with the columns that somebody has pointed out."""
    row = _held(session, import_id)
    if row is None or row.state is not RunState.READ:
        return False
    row.state, row.done = RunState.READING, 0
    row.report = _anew(row.report) | {"columns": row.report["columns"] | dict(places)}
    return True


def drop(session: Session, import_id: int, *, at: datetime, by: int) -> bool:
    """Forget a table that shall not be written, or has not been yet."""
    row = _held(session, import_id)
    if row is None or row.state is RunState.WRITING:
        return False
    session.delete(row)
    audit.record(session, "import.drop", ("table_import", row.id), at=at, by=by)
    return True


def forget_old(session: Session, now: datetime) -> None:
    """Tables that nobody said yes to, and reports that nobody reads any more: they are full of names."""
    session.execute(
        delete(TableImport).where(TableImport.made_at < now - KEPT, TableImport.state != RunState.WRITING)
    )


def _held(session: Session, import_id: int) -> TableImport | None:
    that = select(TableImport).where(TableImport.id == import_id)
    return session.scalar(locks.for_update(that, of=TableImport))


def _anew(report: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the file, nothing counted yet."""
    counts: dict[str, int] = {verdict.value: 0 for verdict in Verdict} | {"errors": 0, "notes": 0}
    return {**report, "counts": counts, "errors": [], "notes": []}


# The worker's side


def due(session: Session) -> int | None:
    """The oldest import that the worker can do something for."""
    waiting = select(TableImport.id).where(TableImport.state.in_(_WAITS)).order_by(TableImport.id)
    return session.scalars(waiting.limit(1)).first()


def unread(session: Session, import_id: int) -> bytes | None:
    """A file that nobody has looked into yet."""
    row = session.get(TableImport, import_id)
    return row.data if row and row.state is RunState.READING and not row.lines else None


def look_into(data: bytes) -> Sheet | Problem:
    """What a file is, whatever it is; outside of any transaction, for a workbook may take its time."""
    try:
        return read(data)
    except BadTable as bad:
        return bad.problem


def understand(session: Session, import_id: int, found: Sheet | Problem, now: datetime) -> None:
    """Keep what was found in a file; from then on it is plain lines."""
    row = _held(session, import_id)
    if row is None or row.state is not RunState.READING or row.lines:
        return
    if isinstance(found, Problem):
        row.state, row.data, row.ended_at = RunState.FAILED, None, now
        row.report = {"problem": found.value}
        return
    row.data = json.dumps([found.heads, found.lines], ensure_ascii=False).encode()
    row.lines = len(found.lines)
    columns = WRITERS[row.subject](_context(session, row, now)).columns
    row.report = _anew({"heads": found.heads, "columns": recognise(columns, found.heads), "missing": []})


def step(session: Session, import_id: int, now: datetime) -> None:
    """Try or write the next lines of a file; all that it writes and how far it came commit together.

    So a worker that is killed leaves nothing half done, and the next one goes on where it was.
    """
    row = session.scalar(
        select(TableImport).where(TableImport.id == import_id).with_for_update(skip_locked=True)
    )
    if row is None or row.state not in _WAITS or row.data is None:
        return
    sheet = _sheet(row.data)
    writer = WRITERS[row.subject](_context(session, row, now))
    row.report = row.report | {"missing": _missing(writer, row.report["columns"])}
    if row.report["missing"]:
        row.state = RunState.READ
        return
    if not row.done:
        row.report = row.report | {"twice": _repeated(writer, row.report["columns"], sheet)}
    todo = sheet.lines[row.done : row.done + LINES_AT_ONCE]
    with session.begin_nested() as attempt:
        report = _write(session, writer, row, todo)
        if row.state is RunState.READING:
            attempt.rollback()
    row.report = report
    row.done += len(todo)
    if row.done >= row.lines:
        _finish(session, row, now)


def give_up(session: Session, import_id: int, now: datetime) -> None:
    """A step has failed in a way that nobody thought of: it is not tried for ever."""
    row = _held(session, import_id)
    if row is not None:
        row.state, row.data, row.ended_at = RunState.FAILED, None, now
        row.report = {**row.report, "problem": "broken"}


def _context(session: Session, row: TableImport, now: datetime) -> Context:
    invites = row.invites and row.state is RunState.WRITING
    return Context(session, now, _hand(row), invites)


def _hand(row: TableImport) -> int:
    """Who said yes to it, once somebody has; until then who sent it."""
    by: int = row.report.get("by", row.made_by)
    return by


def _sheet(data: bytes) -> Sheet:
    heads, lines = json.loads(data)
    return Sheet(heads, [(number, cells) for number, cells in lines])


def _missing(writer: Writer, known: Mapping[str, int]) -> list[str]:
    """The columns without which no line says whom or what it is about."""
    if any(all(key in known for key in keys) for keys in writer.keys):
        return []
    return [key for key in writer.keys[0] if key not in known]


def _write(
    session: Session, writer: Writer, row: TableImport, todo: list[tuple[int, list[str]]]
) -> dict[str, Any]:
    """Write lines, each by itself: one that cannot be is named and left out."""
    report = deepcopy(row.report)
    columns = {column.key: column for column in writer.columns}
    places: dict[str, int] = {key: place for key, place in report["columns"].items() if key in columns}
    for number, cells in todo:
        texts = _texts(places, cells)
        first = report["twice"].get(str(number))
        wrong = (
            [BadLine(None, _("la ligne %(first)s parle déjà de la même chose.", first=first))]
            if first
            else []
        )
        values, unread = _values(columns, texts)
        wrong += unread
        if not wrong:
            try:
                with session.begin_nested():
                    written = writer.write(values)
            except BadLine as bad:
                wrong = [bad]
            except (IntegrityError, DataError):
                logger.exception("line of a table refused", extra={"import_id": row.id, "line": number})
                wrong = [BadLine(None, _("la base de données la refuse ; elle n'a pas été écrite."))]
            else:
                report["counts"][written.verdict.value] += 1
                _say(report, "notes", [{"line": number, "says": written.note}] if written.note else [])
        _say(report, "errors", [_error(number, bad, columns, texts) for bad in wrong])
    return report


def _say(report: dict[str, Any], kind: str, said: Sequence[Mapping[str, Any]]) -> None:
    """Count a line once, whatever is said of it."""
    report["counts"][kind] += bool(said)
    report[kind] = [*report[kind], *said][:SAID_AT_MOST]


def _error(
    number: int, bad: BadLine, columns: Mapping[str, Column], texts: Mapping[str, str]
) -> dict[str, Any]:
    head, value = (columns[bad.key].head, texts.get(bad.key, "")) if bad.key else ("", "")
    return {"line": number, "column": head, "value": value[:VALUE_SHOWN], "says": bad.says}


def _texts(places: Mapping[str, int], cells: Sequence[str]) -> dict[str, str]:
    """What of a line is filled, by column."""
    return {key: cells[place] for key, place in places.items() if place < len(cells) and cells[place]}


def _values(columns: Mapping[str, Column], texts: Mapping[str, str]) -> tuple[dict[str, Any], list[BadLine]]:
    """What the cells say, and those that say nothing that can be understood."""
    values, unread = {}, []
    for key, text in texts.items():
        try:
            values[key] = columns[key].read(text)
        except ValueError as error:
            unread.append(BadLine(key, str(error)))
    return values, unread


def _key(writer: Writer, texts: Mapping[str, str]) -> tuple[str, ...] | None:
    """Whom or what a line is about, as far as its letters tell."""
    keys = next((keys for keys in writer.keys if keys[0] in texts), None)
    return tuple(texts.get(key, "").casefold() for key in keys) if keys else None


def _repeated(writer: Writer, places: Mapping[str, int], sheet: Sheet) -> dict[str, int]:
    """Lines about what an earlier line of the whole file is about, and that line; by text, as JSON has its keys."""
    firsts: dict[tuple[str, ...], int] = {}
    repeated = {}
    for number, cells in sheet.lines:
        key = _key(writer, _texts(places, cells))
        if key and (first := firsts.setdefault(key, number)) != number:
            repeated[str(number)] = first
    return repeated


def _finish(session: Session, row: TableImport, now: datetime) -> None:
    if row.state is RunState.READING:
        row.state = RunState.READ
        return
    row.state, row.data, row.ended_at = RunState.DONE, None, now
    counts = row.report["counts"]
    audit.record(session, "import.end", ("table_import", row.id), at=now, by=_hand(row), after=counts)
