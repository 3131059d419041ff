"""The bank's file of direct debits (pain.008.001.08), whole account numbers and all. Its letters are those of SEPA."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from portal.rules import sepa
from portal.rules.cutoffs import PARIS
from portal.rules.money import Money

SCHEMA = "pain.008.001.08"
COUNTRY = "FR"
"""Of the addresses that the portal takes: banks want it with the town since November 2026."""
NAME, TOWN, WORDS = 70, 35, 140
"""How many characters each may have."""
_NOT_SEPA = re.compile(r"[^A-Za-z0-9/?:().,'+ -]+")


class BadFile(Exception):
    """What was written is not what banks take, or not what was to be collected: nothing of it is kept."""


@dataclass(frozen=True, slots=True)
class Party:
    """The farm, as it collects. Account numbers are in no traceback."""

    name: str
    number: str
    """Its creditor identifier (ICS)."""
    postcode: str
    town: str
    iban: str = field(repr=False)
    bic: str | None


@dataclass(frozen=True, slots=True)
class Collection:
    """One debit, as the bank reads it."""

    end_to_end: str
    amount: Money
    sequence: sepa.Sequence
    mandate: str
    signed_on: date
    name: str
    postcode: str
    town: str
    iban: str = field(repr=False)
    bic: str | None
    words: str
    """What its person reads on their statement."""


def write(
    creditor: Party, collections: Sequence[Collection], *, message_id: str, day: date, made_at: datetime
) -> bytes:
    """Validated, its sums too; one payment block a sequence. Raises BadFile."""
    from sepaxml import SepaDD  # noqa: PLC0415  for the few who collect

    config = {
        "name": plain(creditor.name, NAME),
        "IBAN": creditor.iban,
        "batch": True,
        "creditor_id": creditor.number,
        "currency": "EUR",
        "address": _address(creditor.postcode, creditor.town),
    }
    if creditor.bic:
        config["BIC"] = creditor.bic
    document = SepaDD(config, schema=SCHEMA, clean=False)
    for collection in collections:
        document.add_payment(_payment(collection, day))
    return _checked(document.export(validate=False), collections, message_id, made_at)


def plain(text: str, most: int) -> str:
    """In the letters that every bank takes: « Œuvré » is « OEuvre »."""
    from text_unidecode import unidecode  # noqa: PLC0415

    return " ".join(_NOT_SEPA.sub(" ", unidecode(text).replace("&", "+")).split())[:most].rstrip()


def _address(postcode: str, town: str) -> dict[str, str]:
    """None where there is no town, for within Europe banks ask for none."""
    known = plain(town, TOWN)
    return {"postcode": plain(postcode, 16), "town": known, "country": COUNTRY} if known else {}


def _payment(collection: Collection, day: date) -> dict[str, Any]:
    payment = {
        "name": plain(collection.name, NAME) or collection.mandate,
        "IBAN": collection.iban,
        "amount": collection.amount.cents,
        "type": collection.sequence.value,
        "collection_date": day,
        "mandate_id": collection.mandate,
        "mandate_date": collection.signed_on,
        "description": plain(collection.words, WORDS),
        "endtoend_id": collection.end_to_end,
        "address": _address(collection.postcode, collection.town),
    }
    return payment | ({"BIC": collection.bic} if collection.bic else {})


def _checked(written: bytes, collections: Sequence[Collection], message_id: str, made_at: datetime) -> bytes:
    """With our own names and instant, in place of those that the library makes up."""
    from lxml import etree  # noqa: PLC0415

    document = etree.fromstring(written)
    _set(document, "GrpHdr/MsgId", message_id)
    _set(document, "GrpHdr/CreDtTm", made_at.astimezone(PARIS).strftime("%Y-%m-%dT%H:%M:%S"))
    for block in document.findall(".//{*}PmtInf"):
        _set(block, "PmtInfId", f"{message_id}-{block.findtext('.//{*}SeqTp')}")
    if not _schema().validate(document):
        raise BadFile(_schema().error_log.last_error.path)
    total = sum(collection.amount.cents for collection in collections)
    said = (_text(document, "GrpHdr/NbOfTxs"), _text(document, "GrpHdr/CtrlSum"))
    if said != (str(len(collections)), f"{total // 100}.{total % 100:02}"):
        raise BadFile("sums")
    return bytes(etree.tostring(document, xml_declaration=True, encoding="UTF-8"))


@cache
def _schema() -> Any:
    import sepaxml  # noqa: PLC0415
    from lxml import etree  # noqa: PLC0415

    return etree.XMLSchema(file=Path(sepaxml.__file__).parent / "schemas" / f"{SCHEMA}.xsd")


def _path(names: str) -> str:
    return ".//" + "/".join(f"{{*}}{name}" for name in names.split("/"))


def _set(element: Any, names: str, text: str) -> None:
    element.find(_path(names)).text = text


def _text(element: Any, names: str) -> str | None:
    found: str | None = element.findtext(_path(names))
    return found
