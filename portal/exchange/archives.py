"""Everything that the farm has written down, as one file: a CSV a table, and a page that explains them.

It is made to be taken away and read elsewhere, not to be put back: for that there are backups. Nothing in it opens
anything: no passwords, no links, no sessions, no mails.
"""

import re
from datetime import datetime, timedelta
from io import BytesIO
from operator import itemgetter
from zipfile import ZIP_DEFLATED, ZipFile

from sqlalchemy import Column, LargeBinary, Table, delete, select, update
from sqlalchemy.orm import Session

from portal.exchange.models import Archive, RunState
from portal.exchange.tables import Format, write
from portal.infra import audit
from portal.infra.crypto import Sealed
from portal.infra.orm import Base, own_reading, own_transaction
from portal.web.i18n import gettext as _

KEPT = timedelta(days=3)
ROWS_AT_ONCE = 1000
LEFT_OUT = frozenset({
    "sign_in_session", "mailed_link", "mailed_code", "mail_request", "second_factor", "recovery_code", "passkey",
    "calendar_feed", "archive", "table_import",
    "rate_count", "worker_heartbeat", "stored_file", "mail_attachment", "picture_size", "cart", "cart_line",
})  # fmt: skip
"""What opens something, and what only the machine understands."""
_SECRET = re.compile("password|token|secret|hash|uniquifier|html|key$")
BODIES = {"mail": frozenset({"text"})}


def tables() -> list[Table]:
    """What is taken along, in the order in which one refers to the other."""
    return [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]


def columns(table: Table) -> list[Column[object]]:
    """Without what opens something, what was said in mails, and what is no text."""
    return [
        column
        for column in table.columns
        if not isinstance(column.type, (LargeBinary, Sealed))
        and not _SECRET.search(column.name)
        and column.name not in BODIES.get(table.name, ())
    ]


def ask(session: Session, *, at: datetime, by: int) -> Archive:
    """Let the worker make one, unless one is under way."""
    made = session.scalars(select(Archive).where(Archive.state == RunState.WRITING)).first()
    if made is None:
        made = Archive(made_at=at, made_by=by, state=RunState.WRITING, tables=len(tables()), done=0)
        session.add(made)
        session.flush()
        audit.record(session, "archive.ask", ("archive", made.id), at=at, by=by)
    return made


def take(session: Session, archive_id: int, *, at: datetime, by: int) -> bytes | None:
    """The file, once it is there."""
    made = session.get(Archive, archive_id)
    if made is None or made.state is not RunState.DONE or made.data is None:
        return None
    audit.record(session, "archive.take", ("archive", made.id), at=at, by=by)
    return made.data


def forget_old(session: Session, now: datetime) -> None:
    session.execute(delete(Archive).where(Archive.made_at < now - KEPT))


def step(now: datetime) -> bool:
    """Add a table to the archive that is being made; it and how far one came are kept together."""
    with own_transaction() as session:
        made = session.scalars(select(Archive).where(Archive.state == RunState.WRITING)).first()
        if made is None:
            return False
        found = made.id, made.done, made.data or b""
    archive_id, done, data = found
    todo = tables()
    file = BytesIO(data)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        if done < len(todo):
            _add(archive, todo[done])
        else:
            archive.writestr("LISEZ-MOI.txt", _explained(todo, now))
    over = {"state": RunState.DONE, "ended_at": now} if done == len(todo) else {"done": done + 1}
    with own_transaction() as session:
        session.execute(
            update(Archive)
            .where(Archive.id == archive_id, Archive.done == done, Archive.state == RunState.WRITING)
            .values(data=file.getvalue(), **over)
        )
    return True


def _add(archive: ZipFile, table: Table) -> None:
    taken = columns(table)
    with own_reading() as session, archive.open(f"{table.name}.csv", "w") as file:
        rows = session.execute(
            select(*taken).order_by(*table.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
        )
        heads = {column.name: itemgetter(place) for place, column in enumerate(taken)}
        write(file, Format.CSV, heads, rows)


def _explained(taken: list[Table], now: datetime) -> str:
    lines = "\r\n".join(
        f"{table.name}.csv : {', '.join(column.name for column in columns(table))}" for table in taken
    )
    return (
        _(
            "Tout ce que la ferme a noté, le %(day)s.\r\n\r\n"
            "Un fichier par table, en CSV (UTF-8, point-virgule, virgule décimale) : il s'ouvre dans un tableur.\r\n"
            "Les colonnes en _id renvoient à la colonne id d'une autre table ; les heures sont celles de Paris.\r\n"
            "N'y sont pas : les mots de passe, les liens envoyés, les sessions, le texte des mails, les photos,\r\n"
            "les PDF des factures, les numéros de compte des abonnés et les fichiers pour la banque.\r\n"
            "Ce fichier est plein de données personnelles : gardez-le sous clé et supprimez-le après usage.\r\n\r\n",
            day=now.strftime("%d/%m/%Y"),
        )
        + lines
        + "\r\n"
    )
