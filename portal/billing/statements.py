"""The bank's statements on their way in: each line is kept once, however often and in whichever file it comes.

Nothing is entered into the books by it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import PurePosixPath

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from portal.billing import camt
from portal.billing.adjusting import save_settings
from portal.billing.camt import Booked
from portal.billing.matching import collected
from portal.billing.models import (
    BankLine,
    BankLineState,
    BankStatement,
    BillingSettings,
    StatementFormat,
)
from portal.exchange import reading
from portal.exchange.columns import Column, recognise
from portal.exchange.columns import day as french_day
from portal.infra import audit, clock
from portal.infra.orm import insert, own_transaction
from portal.rules.alphabet import slug_of
from portal.rules.matching import Books, Movement, Reason, masked, propose
from portal.rules.money import Money

MOST_BYTES = reading.MOST_BYTES
LONGEST_NAME, LONGEST_LABEL = 160, 1000
KEPT = timedelta(days=396)
"""Names and labels, for thirteen months: a direct debit can come back for as long."""
PREAMBLE = 30
"""So many lines may stand above the heads: banks write the account and its balance there."""
SHOWN = 5
AT_ONCE = 500
_SIGNED = re.compile(
    r"([+-]?)([0-9]{1,3}(?:\.[0-9]{3})+(?=,)|[0-9]{1,3}(?:,[0-9]{3})+(?=\.)|[0-9]{1,9})(?:[.,]([0-9]{1,2}))?",
    re.ASCII,
)
_SHORT_YEAR = re.compile(r"([0-9]{1,2}[/.-][0-9]{1,2}[/.-])([0-9]{2})", re.ASCII)


def signed_euros(text: str) -> Money:
    """« -1 234,50 », « +12.5 », « 1.234,50 € »."""
    written = _SIGNED.fullmatch(re.sub(r"[\s€']|EUR", "", text).replace("−", "-"))
    if not written:
        raise ValueError("not an amount")
    sign, whole, cents = written.groups()
    amount = Money(int(re.sub(r"[.,]", "", whole) + (cents or "").ljust(2, "0")))
    return amount * -1 if sign == "-" else amount


def bank_day(text: str) -> date:
    """A day, its year in two figures as well."""
    return french_day(_SHORT_YEAR.sub(r"\g<1>20\2", text) if _SHORT_YEAR.fullmatch(text) else text)


COLUMNS = tuple(
    Column(key, names, reader, "")
    for key, reader, names in (
        ("day", bank_day, (
            "Date", "Date opération", "Date de l'opération", "Date d'opération", "Date comptable",
            "Date de comptabilisation", "Date comptabilisation", "dateOp", "Jour", "Booking date",
        )),
        ("amount", signed_euros, (
            "Montant", "Montant EUR", "Montant euros", "Montant en euros", "Montant (€)", "Montant net",
            "Montant opération", "Montant de l'opération", "Amount",
        )),
        ("debit", signed_euros, ("Débit", "Débit euros", "Débit EUR", "Débit (€)", "Montant débit")),
        ("credit", signed_euros, ("Crédit", "Crédit euros", "Crédit EUR", "Crédit (€)", "Montant crédit")),
        ("name", str, ("Nom", "Tiers", "Émetteur", "Donneur d'ordre", "Contrepartie", "Nom de la contrepartie")),
        ("label", str, (
            "Libellé", "Libellé opération", "Libellé de l'opération", "Libellé complet opération",
            "Libellé complet", "Libellé simplifié", "Label", "Description", "Désignation",
        )),
        ("details", str, (
            "Informations complémentaires", "Détail", "Détails", "Communication", "Référence", "Motif",
        )),
    )
)  # fmt: skip
Places = Mapping[str, int]


class UnknownColumns(Exception):
    """Staff are to say which column is what; `rows` begin with the heads."""

    def __init__(self, rows: list[list[str]]) -> None:
        super().__init__("which column is what")
        self.rows = rows


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds, and the lines that look like movements and cannot be read, by their number in it."""

    format: StatementFormat
    booked: list[Booked]
    unread: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    statement: BankStatement
    new: int
    known: int
    unread: tuple[int, ...]


def are_enough(places: Iterable[str]) -> bool:
    """A day, a text, and either an amount or what came in."""
    return {"day", "label"} <= set(places) and not {"amount", "credit"}.isdisjoint(places)


def read(data: bytes, chosen: Mapping[str, str]) -> Read:
    """Of whichever kind; `chosen` are the heads that staff have named once.

    Raises BadStatement, BadTable, UnknownColumns.
    """
    if camt.is_xml(data):
        return Read(StatementFormat.CAMT, camt.read(data))
    sheet = reading.read(data)
    rows = [(0, sheet.heads), *sheet.lines]
    for place, (_number, heads) in enumerate(rows[:PREAMBLE]):
        places = _places(heads, chosen)
        if are_enough(places):
            return _read_lines(rows[place + 1 :], places)
    widest = max(range(min(PREAMBLE, len(rows))), key=lambda place: sum(map(bool, rows[place][1])))
    heads, *lines = (row for _number, row in rows[widest : widest + 1 + SHOWN])
    raise UnknownColumns([heads, *(list(map(masked, row)) for row in lines)])


def _places(heads: Sequence[str], chosen: Mapping[str, str]) -> dict[str, int]:
    slugs = [slug_of(head) for head in heads]
    named = {key: slugs.index(slug_of(head)) for key, head in chosen.items() if slug_of(head) in slugs}
    return named if chosen and len(named) == len(chosen) else recognise(COLUMNS, heads)


def _read_lines(rows: Iterable[tuple[int, list[str]]], places: Places) -> Read:
    booked, unread = [], []
    for number, row in rows:

        def cell(key: str, row: list[str] = row) -> str:
            place = places.get(key, len(row))
            return row[place] if place < len(row) else ""

        try:
            amount = _amount(cell)
            day = bank_day(cell("day"))
        except ValueError:
            if cell("day") and any(cell(key) for key in ("amount", "debit", "credit")):
                unread.append(number)
            continue
        text = " ".join(filter(None, (cell("label"), cell("details"))))
        if amount != Money.zero():
            booked.append(Booked(Movement(day, amount, masked(cell("name")), masked(text))))
    return Read(StatementFormat.CSV, booked, tuple(unread))


def _amount(cell: Callable[[str], str]) -> Money:
    """One column with a sign, or two: some banks write a sign before debits as well."""
    if cell("amount"):
        return signed_euros(cell("amount"))
    debit, credit = (signed_euros(cell(key) or "0") for key in ("debit", "credit"))
    return max(credit, credit * -1) - max(debit, debit * -1)


def is_told_otherwise(session: Session, found: Read) -> bool:
    """Whether a statement of the other format is about these days: the two word one movement in two ways."""
    days = [each.movement.day for each in found.booked]
    if not days:
        return False
    met = (BankStatement.first_day <= max(days), BankStatement.last_day >= min(days))
    other = select(BankStatement.id).where(BankStatement.format != found.format, *met)
    return session.scalar(other.limit(1)) is not None


def take_in(session: Session, data: bytes, file_name: str, found: Read, *, at: datetime, by: int) -> Imported:
    """Keep what was not there yet; the same file again is the same statement."""
    digest = sha256(data).hexdigest()
    days = [each.movement.day for each in found.booked]
    values = {
        "digest": digest,
        "file_name": PurePosixPath(file_name.replace("\\", "/")).name[:120],
        "format": found.format,
        "imported_at": at,
        "imported_by": by,
        "first_day": min(days, default=None),
        "last_day": max(days, default=None),
    }
    made = insert(session, BankStatement).values(values).on_conflict_do_nothing().returning(BankStatement.id)
    if session.scalar(made) is not None:
        audit.record(session, "bank_statement.import", ("bank_statement", digest[:12]), at=at, by=by,
                     after={"lines": len(found.booked)})  # fmt: skip
    statement = session.scalars(select(BankStatement).where(BankStatement.digest == digest)).one()
    own = Books((), collected=collected(session, days))
    rows = [_row(statement.id, each.movement, key, own) for key, each in _keyed(found.booked)]
    new = 0
    for start in range(0, len(rows), AT_ONCE):
        kept = insert(session, BankLine).values(rows[start : start + AT_ONCE]).on_conflict_do_nothing()
        new += len(session.scalars(kept.returning(BankLine.id)).all())
    return Imported(statement, new, len(rows) - new, found.unread)


def _keyed(booked: Iterable[Booked]) -> Iterator[tuple[str, Booked]]:
    """By the bank's own reference, else by all that is told; alike ones are counted."""
    met: Counter[tuple[object, ...]] = Counter()
    for each in booked:
        movement = each.movement
        told = each.reference or slug_of(movement.text)
        that = (bool(each.reference), movement.day.isoformat(), movement.amount.cents, told)
        met[that] += 1
        yield sha256(repr((*that, met[that])).encode()).hexdigest(), each


def _row(statement_id: int, movement: Movement, key: str, own: Books) -> dict[str, object]:
    """What went out asks nothing of anybody, but a debit that came back."""
    outward = movement.amount < Money.zero()
    returned = outward and propose(movement, own).reason is Reason.RETURNED
    return {
        "statement_id": statement_id,
        "key": key,
        "day": movement.day,
        "amount": movement.amount,
        "name": movement.name[:LONGEST_NAME],
        "label": movement.label[:LONGEST_LABEL],
        "state": BankLineState.IGNORED if outward and not returned else BankLineState.OPEN,
    }


def choose_columns(session: Session, heads: Mapping[str, str], *, at: datetime, by: int) -> None:
    """Remember which head is what."""
    save_settings(session, {"statement_columns": dict(heads)}, at=at, by=by)


def chosen_columns(session: Session) -> dict[str, str]:
    found = session.scalar(select(BillingSettings.statement_columns))
    return dict(found or {})


def latest(session: Session) -> BankStatement | None:
    """The one that was sent last."""
    return session.scalar(select(BankStatement).order_by(BankStatement.id.desc()).limit(1))


def forget_old() -> None:
    """Empty who paid and what they wrote, once that is old; the amount, the day and whose it was stay."""
    said = or_(BankLine.name != "", BankLine.label != "")
    old = (BankLine.day < clock.now().date() - KEPT, said)
    with own_transaction() as session:
        session.execute(update(BankLine).where(*old).values(name="", label=""))
