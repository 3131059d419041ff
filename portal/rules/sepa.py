"""SEPA core direct debit: account numbers, mandates, days of collection, what comes back (EPC016-06)."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

from holidays import financial_holidays
from stdnum.eu.vat import MEMBER_STATES

EEA = frozenset({*map(str.upper, MEMBER_STATES), "IS", "LI", "NO"})
"""Where an account is known by its IBAN alone; elsewhere in SEPA banks ask for its BIC too."""
UNUSED_YEARS = 3
"""36 months."""
SATURDAY = 5
_GAPS = re.compile(r"[\s.:-]+")
_COUNTRY = re.compile(r"[A-Z]{2}[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account that can be debited. Its number is in no traceback."""

    iban: str = field(repr=False)
    bic: str | None
    bank: str | None
    """Its bank's name, where it is known."""

    @property
    def last_four(self) -> str:
        return self.iban[-4:]


class AccountFault(StrEnum):
    """Why what was typed is no account that can be debited."""

    FORM = "form"
    """It does not begin as an IBAN does."""
    LENGTH = "length"
    KEY = "key"
    """A character is wrong, or two have changed places."""
    NOT_SEPA = "not_sepa"
    BIC_NEEDED = "bic_needed"
    BIC_WRONG = "bic_wrong"


@dataclass(frozen=True, slots=True)
class Unread:
    """What was typed is refused; how long it is, and should be in its country."""

    fault: AccountFault
    length: int = 0
    expected: int = 0


def read_account(typed: str, bic: str = "") -> BankAccount | Unread:
    """« IBAN FR76 3000 6000 … », however it is spaced; its bank is named where that is known.

    The BIC is read only where the account's own is not known and its country asks for one.
    """
    from schwifty import IBAN, exceptions  # noqa: PLC0415 (brings all banks of Europe)

    number = _GAPS.sub("", typed.upper()).removeprefix("IBAN")
    if unread := _shape(number):
        return unread
    try:
        iban = IBAN(number)
    except exceptions.SchwiftyException:
        return Unread(AccountFault.KEY)
    known = str(iban.bic) if iban.bic else None
    if known is None and number[:2] not in EEA:
        known = _bic(bic)
        if known is None:
            return Unread(AccountFault.BIC_WRONG if bic else AccountFault.BIC_NEEDED)
    return BankAccount(number, known, iban.bank_name or None)


def _shape(number: str) -> Unread | None:
    """What is wrong beside the key."""
    from schwifty import exceptions, registry  # noqa: PLC0415

    if not _COUNTRY.match(number):
        return Unread(AccountFault.FORM)
    try:
        spec = registry.get_iban_spec(number[:2])
    except exceptions.SchwiftyException:
        return Unread(AccountFault.FORM)
    if spec.aspirational or not spec.in_sepa_zone:
        return Unread(AccountFault.NOT_SEPA)
    if len(number) != spec.iban_length:
        return Unread(AccountFault.LENGTH, len(number), spec.iban_length)
    return None


def _bic(typed: str) -> str | None:
    from schwifty import BIC, exceptions  # noqa: PLC0415

    try:
        return str(BIC(_GAPS.sub("", typed.upper())))
    except exceptions.SchwiftyException:
        return None


def mandate_reference(customer_number: str, count: int) -> str:
    """A mandate's RUM: « C10012-M2 » is a customer's second one."""
    return f"{customer_number}-M{count}"


def lapsed_since(today: date) -> date:
    """A mandate is over that was signed, and last used, on this day or before."""
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return today.replace(year=today.year - UNUSED_YEARS, day=day)


def is_target_day(day: date) -> bool:
    """Whether banks of the euro clear on it."""
    return day.weekday() < SATURDAY and day not in _closing_days(day.year)


def target_day(day: date) -> date:
    """The day, or the first after it on which banks clear."""
    while not is_target_day(day):
        day += timedelta(days=1)
    return day


@cache
def _closing_days(year: int) -> Collection[date]:
    return frozenset(financial_holidays("XECB", years=year))


class Sequence(StrEnum):
    """The first debit under a mandate, or a later one."""

    FIRST = "FRST"
    RECURRENT = "RCUR"


class MandateEnd(StrEnum):
    """Why a mandate is over."""

    REPLACED = "replaced"
    """By one for another account."""
    REVOKED = "revoked"
    """By who signed it."""
    UNUSED = "unused"
    """For 36 months."""
    REFUSED = "refused"
    """The bank says that the account is closed, or that there is no mandate."""
    ERASED = "erased"
    """Its account is nobody's any more."""


class ReturnCode(StrEnum):
    """Why a debit came back (ISO 20022, ExternalStatusReason); in plain words in the templates."""

    AC01 = "AC01"
    AC04 = "AC04"
    AC06 = "AC06"
    AC13 = "AC13"
    AG01 = "AG01"
    AG02 = "AG02"
    AM04 = "AM04"
    AM05 = "AM05"
    BE05 = "BE05"
    FF01 = "FF01"
    MD01 = "MD01"
    MD02 = "MD02"
    MD06 = "MD06"
    """Refunded on demand, within eight weeks."""
    MD07 = "MD07"
    MS02 = "MS02"
    MS03 = "MS03"
    RC01 = "RC01"
    RR01 = "RR01"
    RR02 = "RR02"
    RR03 = "RR03"
    RR04 = "RR04"
    SL01 = "SL01"
