"""What was printed of a delivery, version after version, and what has changed since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.deliveries.models import Delivery
from portal.infra import audit, clock, locks
from portal.packing.models import ListPrint, Paper


class Entry(NamedTuple):
    """What a line says; where it names somebody, with the number that stands on all papers."""

    says: object
    number: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A list beside what was printed of it: the latest version, and what changed since an earlier one.

    While the latest version still says the same, the changes are those since the version before it: whoever
    holds that one sees on the new paper what to look at.
    """

    number: int = 0
    at: datetime | None = None
    current: bool = False
    since: int = 0
    new: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()

    @property
    def changes(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)

    def mark(self, key: str) -> str:
        """`new`, `changed`, or nothing."""
        return "new" if key in self.new else "changed" if key in self.changed else ""


def standing(session: Session, delivery_id: int, paper: Paper, entries: Mapping[str, Entry]) -> Standing:
    """How a list stands to its last two versions, in one statement."""
    versions = session.execute(
        select(ListPrint.number, ListPrint.at, ListPrint.lines)
        .where(ListPrint.delivery_id == delivery_id, ListPrint.paper == paper)
        .order_by(ListPrint.number.desc())
        .limit(2)
    ).all()
    if not versions:
        return Standing()
    latest, present = versions[0], written(entries)
    current = latest.lines == present
    if current and len(versions) == 1:
        return Standing(latest.number, latest.at, current=True)
    before = versions[1 if current else 0]
    return Standing(
        latest.number,
        latest.at,
        current,
        since=before.number,
        new=frozenset(present.keys() - before.lines.keys()),
        changed=frozenset(key for key in present.keys() & before.lines if present[key] != before.lines[key]),
        gone=frozenset(before.lines.keys() - present.keys()),
    )


def record(session: Session, delivery_id: int, paper: Paper, entries: Mapping[str, Entry], *, by: int) -> int:
    """Note that a list is printed as it stands; the same again is the same version. Answers its number."""
    at, lines = clock.now(), written(entries)
    latest = session.scalar(
        select(ListPrint)
        .where(ListPrint.delivery_id == delivery_id, ListPrint.paper == paper)
        .order_by(ListPrint.number.desc())
        .limit(1)
    )
    if latest and latest.lines == lines:
        return latest.number
    number = latest.number + 1 if latest else 1
    session.add(ListPrint(delivery_id=delivery_id, paper=paper, number=number, at=at, by_id=by, lines=lines))
    said = {"paper": paper, "version": number}
    audit.record(session, "list.print", ("delivery", delivery_id), at=at, by=by, after=said)
    return number


def hold(session: Session, delivery_id: int) -> None:
    """Let nobody else print of this delivery, or change what it carries, until our commit."""
    session.execute(locks.for_update(select(Delivery.id).where(Delivery.id == delivery_id), of=Delivery))


def written(entries: Mapping[str, Entry]) -> dict[str, list[object]]:
    """Lines as they are kept: nothing that they say, only whether it is still the same."""
    return {key: [entry.number, _digest(entry.says)] for key, entry in entries.items()}


def _digest(says: object) -> str:
    return blake2b(repr(says).encode(), digest_size=6).hexdigest()


def known_numbers(session: Session, delivery_id: int, closed_at: datetime) -> dict[str, int]:
    """The numbers that papers gave to lines since the delivery closed: they stay, whatever is corrected."""
    kept: dict[str, int] = {}
    for lines in session.scalars(
        select(ListPrint.lines)
        .where(ListPrint.delivery_id == delivery_id, ListPrint.paper.in_(NUMBERED), ListPrint.at >= closed_at)
        .order_by(ListPrint.id)
    ):
        for key, (number, _) in lines.items():
            kept.setdefault(key, number)
    return kept


NUMBERED = (Paper.PACKING, Paper.LABELS, Paper.SIGNATURES)


def numbered(keys: Iterable[str], kept: Mapping[str, int]) -> dict[str, int]:
    """Lines count from one in their order; those that come after a number was printed follow the last one."""
    numbers: dict[str, int] = {}
    following = max(kept.values(), default=0)
    for key in keys:
        if key in kept:
            numbers[key] = kept[key]
        else:
            following += 1
            numbers[key] = following
    return numbers
