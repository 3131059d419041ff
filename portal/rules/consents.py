"""What people are written about: topics that they ask for, reminders that they can do without."""

from enum import StrEnum


class Topic(StrEnum):
    """What nobody is written about who has not asked for it (CPCE, L34-5)."""

    LETTER = "letter"
    """The week's letter: what the box holds, the farm's news."""
    SHOP = "shop"
    EVENTS = "events"


class ConsentSource(StrEnum):
    """Where somebody agreed, or took it back."""

    SIGN_UP = "sign_up"
    ACCOUNT = "account"
    MAIL = "mail"
    """By the link of a mail, or the button that mail programs show (RFC 8058)."""
    STAFF = "staff"


class Notice(StrEnum):
    """Reminders that come with a subscription, each of which can be switched off."""

    COMPOSITION = "composition"
    CUTOFF = "cutoff"
    PICKUP = "pickup"
