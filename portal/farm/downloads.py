"""Lists as files: who took which, and how long it was, is on the trail."""

from collections.abc import Iterable, Iterator
from os import SEEK_END
from typing import IO, TypeVar

from flask import Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import UnprocessableEntity

from portal.exchange.tables import Columns, Format, make
from portal.farm import staff
from portal.infra import audit, clock
from portal.infra.orm import own_transaction

Row = TypeVar("Row")
PIECE = 64 * 1024


def download(name: str, columns: Columns[Row], rows: Iterable[Row]) -> ResponseReturnValue:
    """The answer to the buttons of components/download.html, by a view that `reads_only`."""
    kind, now = request.form.get("format"), clock.now()
    if kind not in set(Format):
        raise UnprocessableEntity
    file, number = make(Format(kind), columns, rows, name)
    after = {"rows": number, "format": kind}
    by = staff().id
    with own_transaction() as session:
        audit.record(session, "list.export", ("list", name), at=now, by=by, after=after)
    return attachment(file, f"{name}.{kind}", Format(kind).content_type)


def attachment(file: IO[bytes], name: str, content_type: str) -> Response:
    """A file to be kept, sent piece by piece and never by a cache: it is full of names."""
    size = file.seek(0, SEEK_END)
    answer = Response(_poured(file, size), mimetype=content_type)
    answer.content_length = size
    answer.call_on_close(file.close)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _poured(file: IO[bytes], size: int) -> bytes | Iterator[bytes]:
    """What is short at once."""
    file.seek(0)
    if size > PIECE:
        return iter(lambda: file.read(PIECE), b"")
    with file:
        return file.read()
