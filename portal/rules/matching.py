"""What money on a bank statement is for: whose it may be, how sure that is and why. Staff decide."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from itertools import combinations

from stdnum.iso7064 import mod_97_10

from portal.rules.alphabet import slug_of
from portal.rules.money import Money

_GAP = r"[\s.-]?"
_ACCOUNT_NUMBERS = re.compile(
    rf"\b(?:[A-Z]{{2}}\d{{2}}(?:[A-Z0-9]{{11,30}}|(?:[\s.-][A-Z0-9]{{4}}){{2,7}}(?:[\s.-][A-Z0-9]{{1,3}})?)"
    rf"|\d{{5}}{_GAP}\d{{5}}{_GAP}[A-Z0-9]{{11}}{_GAP}\d{{2}})\b",
    re.ASCII | re.IGNORECASE,
)
_MAY_BEGIN = re.compile(r"[A-Z]{2}\d{2}", re.ASCII | re.IGNORECASE)
_FAR = re.compile(r"[^A-Z0-9]{4}", re.ASCII | re.IGNORECASE)
"""Too wide a gap within one number."""
_LENGTHS = {
    "AT": 20, "BE": 16, "CH": 21, "DE": 22, "ES": 24, "FR": 27, "GB": 22, "IE": 22, "IT": 27, "LU": 20, "MC": 27,
    "NL": 18, "PT": 25,
}  # fmt: skip
"""Of an IBAN, where those who pay the farm may bank (ISO 13616)."""
_INVOICE = re.compile(
    r"(?<![A-Z0-9])(?:F|FACT(?:URE)?S?\W{0,3}F?)\W{0,2}(20\d{2})\W{0,3}(\d{1,7})(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_CUSTOMER = re.compile(r"(?<![A-Z0-9])C\s?(\d{5,9})(?!\d)", re.ASCII | re.IGNORECASE)
_RETURNED = re.compile(
    r"\b(rejet\w*|impayes?|retours? (de )?(prlv|prel\w*|sdd)|(prlv|prel\w*|sdd) (rejet\w*|retourn\w*|impaye\w*))\b"
)
_DEPOSIT = re.compile(
    r"\b(remises? (de )?(chq|cheques?|cb|cartes?)|rem(ise)? (chq|cb)|(versement|depot) (d )?especes)\b"
)
_COLLECTED = re.compile(r"\b(prlv|prel\w*|sdd|core)\b")
BANKS_TAKE = timedelta(days=5)
"""Between the day of a collection and the day on which the bank books it."""
MOST_SUMMED = 8
"""Of so many open invoices every sum is tried."""


def masked(text: str) -> str:
    """A text from a bank without the account numbers in it, but for their last four characters (BAR P1).

    What looks like one, and what is one by its key, however it is glued to other words or taken apart.
    """
    for found in reversed(list(_MAY_BEGIN.finditer(text))):
        if end := _end_of_account_number(text, found.start()):
            text = f"{text[: found.start()]}{_dotted(text[found.start() : end])}{text[end:]}"
    return _ACCOUNT_NUMBERS.sub(lambda found: _dotted(found[0]), text)


def _dotted(number: str) -> str:
    return f"•••• {re.sub(r'[^A-Z0-9]', '', number, flags=re.IGNORECASE)[-4:]}"


def _end_of_account_number(text: str, start: int) -> int | None:
    """Where the IBAN ends that begins there, if one does."""
    length = _LENGTHS.get(text[start : start + 2].upper(), 0)
    letters = [place for place in range(start, len(text)) if text[place].isascii() and text[place].isalnum()]
    number = "".join(text[place] for place in letters[:length]).upper()
    if len(number) < (length or 1) or _FAR.search(text[start : letters[length - 1]]):
        return None
    return letters[length - 1] + 1 if mod_97_10.is_valid(number[4:] + number[:4]) else None


class Confidence(StrEnum):
    CERTAIN = "certain"
    """May be accepted with all others that are."""
    PROBABLE = "probable"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why something is proposed; its words are in the templates."""

    INVOICES = "invoices"
    """The numbers are named, and what is open of them is the amount."""
    INVOICES_OTHERWISE = "invoices_otherwise"
    """They are named, the amount is another."""
    CUSTOMER = "customer"
    """The customer number is named."""
    NAME_AND_AMOUNT = "name_and_amount"
    NAME = "name"
    LAST_NAME_AND_AMOUNT = "last_name_and_amount"
    COLLECTION = "collection"
    """The farm's own direct debits, which are entered already."""
    DEPOSIT = "deposit"
    """Cheques, cash or the terminal's cards, which are entered one by one."""
    RETURNED = "returned"
    """A direct debit that came back."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Movement:
    """A line of a statement; its amount is negative where money went out."""

    day: date
    amount: Money
    name: str
    label: str

    @property
    def text(self) -> str:
        return f"{self.name} {self.label}"


@dataclass(frozen=True, slots=True)
class Owed:
    """What is open of an invoice."""

    number: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Payer:
    """Somebody who may pay, with what is open of theirs, the oldest first."""

    id: int
    number: str
    first_name: str
    last_name: str
    company: str | None = None
    owed: tuple[Owed, ...] = ()

    def paid_by(self, amount: Money) -> tuple[str, ...] | None:
        """The invoices that the amount pays to the cent: the oldest of them, else any."""
        sums = (self.owed[:n] for n in range(1, len(self.owed) + 1))
        few = range(1, len(self.owed)) if len(self.owed) <= MOST_SUMMED else range(1, 2)
        for some in (*sums, *(each for n in few for each in combinations(self.owed, n))):
            if sum((owed.amount for owed in some), Money.zero()) == amount:
                return tuple(owed.number for owed in some)
        return None


@dataclass(frozen=True, slots=True)
class Collected:
    """What the farm has the bank collect: a file of direct debits, or one of them."""

    reference: str
    day: date
    total: Money


@dataclass(frozen=True, slots=True)
class Proposal:
    confidence: Confidence
    reason: Reason
    payer_id: int | None = None
    invoices: tuple[str, ...] = ()
    """Those that it is about."""


NOTHING = Proposal(Confidence.UNKNOWN, Reason.NOTHING)


class Books:
    """Everybody who may pay, so that a line finds them at once; `billed` says whose an invoice is, paid ones too."""

    def __init__(
        self,
        payers: Iterable[Payer],
        billed: Mapping[str, int] | None = None,
        collected: Sequence[Collected] = (),
    ) -> None:
        self.payers = {payer.id: payer for payer in payers}
        self.billed = {owed.number: payer.id for payer in self.payers.values() for owed in payer.owed}
        self.billed.update(billed or {})
        self.by_number = {payer.number: payer.id for payer in self.payers.values()}
        self.collected = {one.reference for one in collected}
        self.totals = [(one.total, one.day) for one in collected]
        self.by_word: dict[str, list[Payer]] = defaultdict(list)
        for payer in self.payers.values():
            for name in {payer.last_name, payer.company or ""}:
                for word in _first_words(name):
                    self.by_word[word].append(payer)


def propose_all(movements: Sequence[Movement], books: Books) -> list[Proposal]:
    """For each, the oldest first. Who seems to pay an invoice a second time is asked about, not taken for certain."""
    taken: set[str] = set()
    proposals = {}
    for place in sorted(range(len(movements)), key=lambda n: movements[n].day):
        found = propose(movements[place], books)
        if found.confidence is Confidence.CERTAIN:
            if not taken.isdisjoint(found.invoices):
                found = replace(found, confidence=Confidence.PROBABLE)
            taken.update(found.invoices)
        proposals[place] = found
    return [proposals[n] for n in range(len(movements))]


def propose(movement: Movement, books: Books) -> Proposal:
    own = _own(movement, books)
    if own or movement.amount <= Money.zero():
        return own or NOTHING
    return (
        _by_invoices(movement, books) or _by_customer(movement, books) or _by_name(movement, books) or NOTHING
    )


def invoice_numbers(text: str) -> tuple[str, ...]:
    """« F2026-00042 », however it is written: « facture 2026 42 », « f2026 00042 »."""
    found = (f"F{year}-{int(number):05}" for year, number in _INVOICE.findall(text))
    return tuple(dict.fromkeys(found))


def _own(movement: Movement, books: Books) -> Proposal | None:
    """What the farm has brought about itself."""
    words = slug_of(movement.text).replace("-", " ")
    named = not books.collected.isdisjoint(re.split(r"[^\w-]+", movement.text))
    if movement.amount < Money.zero():
        returned = named or _RETURNED.search(words)
        return Proposal(Confidence.PROBABLE, Reason.RETURNED) if returned else None
    on_its_day = any(
        total == movement.amount and timedelta() <= movement.day - day <= BANKS_TAKE
        for total, day in books.totals
    )
    collection = _COLLECTED.search(words) and not _RETURNED.search(words)
    if named or (on_its_day and collection):
        # who pays what came back may name the debit, too
        return Proposal(Confidence.CERTAIN if collection else Confidence.PROBABLE, Reason.COLLECTION)
    return Proposal(Confidence.PROBABLE, Reason.DEPOSIT) if _DEPOSIT.search(words) else None


def _by_invoices(movement: Movement, books: Books) -> Proposal | None:
    known = [number for number in invoice_numbers(movement.text) if number in books.billed]
    whose = {books.billed[number] for number in known}
    if len(whose) != 1:
        return None
    [payer_id] = whose
    payer = books.payers.get(payer_id)
    owed = [one for one in payer.owed if one.number in known] if payer else []
    if owed and sum((one.amount for one in owed), Money.zero()) == movement.amount:
        return Proposal(Confidence.CERTAIN, Reason.INVOICES, payer_id, tuple(one.number for one in owed))
    return Proposal(Confidence.PROBABLE, Reason.INVOICES_OTHERWISE, payer_id, tuple(known))


def _by_customer(movement: Movement, books: Books) -> Proposal | None:
    named = {f"C{int(digits)}" for digits in _CUSTOMER.findall(movement.text)}
    known = {books.by_number[number] for number in named if number in books.by_number}
    if len(known) != 1:
        return None
    [payer_id] = known
    invoices = books.payers[payer_id].paid_by(movement.amount)
    confidence = Confidence.CERTAIN if invoices else Confidence.PROBABLE
    return Proposal(confidence, Reason.CUSTOMER, payer_id, invoices or ())


def _by_name(movement: Movement, books: Books) -> Proposal | None:
    """Whose names the bank gives; where two could be meant, nobody is."""
    words = slug_of(movement.text).split("-")
    alike = {payer.id: payer for word in dict.fromkeys(words) for payer in books.by_word.get(word, ())}
    whole = [payer for payer in alike.values() if _named_whole(payer, words)]
    for some, reason in ((whole, Reason.NAME_AND_AMOUNT), ([*alike.values()], Reason.LAST_NAME_AND_AMOUNT)):
        paying = [
            (payer, invoices)
            for payer in some
            if _stands_in(payer.last_name, words) or _stands_in(payer.company or "", words)
            if (invoices := payer.paid_by(movement.amount))
        ]
        if len(paying) == 1:
            [(payer, invoices)] = paying
            certain = reason is Reason.NAME_AND_AMOUNT
            return Proposal(
                Confidence.CERTAIN if certain else Confidence.PROBABLE, reason, payer.id, invoices
            )
        if len(whole) == 1:
            return Proposal(Confidence.PROBABLE, Reason.NAME, whole[0].id)
    return None


def _named_whole(payer: Payer, words: Sequence[str]) -> bool:
    person = _stands_in(payer.last_name, words) and _stands_in(payer.first_name, words)
    return person or _stands_in(payer.company or "", words)


def _stands_in(name: str, words: Sequence[str]) -> bool:
    """All its words one after the other, or written as one."""
    own = slug_of(name).split("-")
    if own == [""]:
        return False
    runs = (list(words[n : n + len(own)]) for n in range(len(words) - len(own) + 1))
    return "".join(own) in words or any(run == own for run in runs)


def _first_words(name: str) -> set[str]:
    """The words of a text by which a name in it is looked up."""
    own = slug_of(name).split("-")
    return {own[0], "".join(own)} - {""}
