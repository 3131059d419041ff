"""SEPA core direct debit: account numbers, mandates, days of collection, what comes back (EPC016-06)."""

from enum import StrEnum


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
