"""Statements as banks write them: camt.053 of ISO 20022, whichever version, by what its elements are called."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import fromstring

from portal.exchange.reading import MOST_LINES
from portal.rules.matching import Movement, masked
from portal.rules.money import Money

NO_REFERENCE = {"NOTPROVIDED", "NONREF", ""}
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"


class Problem(StrEnum):
    """Why a statement cannot be read at all; its words are in the templates, with those of tables."""

    DOCTYPE = "doctype"
    NOT_XML = "not_xml"
    NOT_A_STATEMENT = "not_a_statement"
    NOT_EUROS = "not_euros"
    TOO_LONG = "too_long"


class BadStatement(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Booked:
    """A movement with the bank's own reference for it, if it has one."""

    movement: Movement
    reference: str = ""


def is_xml(data: bytes) -> bool:
    return data.lstrip(_BEFORE_XML).startswith(b"<")


def read(data: bytes) -> list[Booked]:
    """What is booked, in its order. Raises BadStatement; a DOCTYPE is not even looked into (BAR I13)."""
    try:
        root = fromstring(data, forbid_dtd=True)
    except DTDForbidden:
        raise BadStatement(Problem.DOCTYPE) from None
    except (DefusedXmlException, ParseError, ValueError, LookupError):
        raise BadStatement(Problem.NOT_XML) from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]  # versions differ by their namespaces
    if root.find("BkToCstmrStmt") is None:
        raise BadStatement(Problem.NOT_A_STATEMENT)
    booked: list[Booked] = []
    for entry in root.iterfind("BkToCstmrStmt/Stmt/Ntry"):
        if _text(entry, "Sts/Cd", "Sts") == "BOOK":
            booked.extend(_movements(entry))
        if len(booked) > MOST_LINES:
            raise BadStatement(Problem.TOO_LONG)
    return booked


def _movements(entry: Element) -> Iterator[Booked]:
    """An entry, or what it sums up where that is told one by one."""
    day, total, reference = _day(entry), _amount(entry, "Amt"), _text(entry, "AcctSvcrRef", "NtryRef")
    outward = _text(entry, "CdtDbtInd") == "DBIT"
    parts = entry.findall("NtryDtls/TxDtls")
    amounts = [_amount(part, "Amt", "AmtDtls/TxAmt/Amt") for part in parts]
    if len(parts) < 2 or sum(filter(None, amounts), Money.zero()) != total:
        parts, amounts = parts[:1] or [entry], [total]
    for part, amount in zip(parts, amounts, strict=True):
        if day is None or amount is None:
            raise BadStatement(Problem.NOT_A_STATEMENT)
        party = "Cdtr" if outward else "Dbtr"
        name = _text(part, f"RltdPties/{party}/Nm", f"RltdPties/{party}/Pty/Nm")
        own = _text(part, "Refs/AcctSvcrRef") or reference
        yield Booked(
            Movement(day, amount * (-1 if outward else 1), masked(name), masked(_label(entry, part))),
            own if own not in NO_REFERENCE else "",
        )


def _label(entry: Element, part: Element) -> str:
    """All that was written with it, each thing once."""
    ways = (
        "RmtInf/Ustrd",
        "RmtInf/Strd/CdtrRefInf/Ref",
        "Refs/EndToEndId",
        "RtrInf/Rsn/Cd",
        "AddtlTxInf",
    )
    said = [(found.text or "").strip() for way in ways for found in part.iterfind(way)]
    said += [_text(entry, "NtryDtls/Btch/MsgId"), _text(entry, "NtryDtls/Btch/PmtInfId")]
    said.append(_text(entry, "AddtlNtryInf"))
    return " ".join(dict.fromkeys(text for text in said if text not in NO_REFERENCE))


def _day(entry: Element) -> date | None:
    written = _text(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return None


def _amount(part: Element, *ways: str) -> Money | None:
    """In euros; nothing where it cannot be read."""
    found = next((each for way in ways if (each := part.find(way)) is not None), None)
    if found is None:
        return None
    if found.get("Ccy", "EUR") != "EUR":
        raise BadStatement(Problem.NOT_EUROS)
    whole, _, fraction = (found.text or "").strip().partition(".")
    fraction = fraction.rstrip("0").ljust(2, "0")
    if not (
        whole.isascii()
        and whole.isdecimal()
        and len(whole) <= 9
        and fraction.isdecimal()
        and len(fraction) == 2
    ):
        return None
    return Money(int(whole + fraction))


def _text(part: Element, *ways: str) -> str:
    return next((text for way in ways if (text := (part.findtext(way) or "").strip())), "")
