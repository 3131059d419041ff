"""Who of the farm may do what: the one table of roles and permissions.

A page of the farm asks for one permission; a role is a set of them, and who has several roles may what either may.
A farm of three gives everybody all the everyday roles; a larger one gives each what is theirs.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class RoleName(StrEnum):
    """What somebody of the farm is there for; an account without a role is a subscriber's."""

    DESK = "desk"
    GROWING = "growing"
    LOGISTICS = "logistics"
    ACCOUNTS = "accounts"
    ADMIN = "admin"


EVERYDAY = (RoleName.DESK, RoleName.GROWING, RoleName.LOGISTICS, RoleName.ACCOUNTS)
"""What who does a bit of everything has, as most people of a small farm do."""


class Permission(StrEnum):
    """What a page of the farm asks for; its word is in the templates."""

    LOOK = "look"
    """The week, the deliveries and their lists: everybody who works here."""
    COMPOSE = "compose"
    """What the boxes hold: compositions, vegetables, formulas."""
    PACK = "pack"
    """Tick what is harvested, packed, delivered."""
    CALENDAR = "calendar"
    """Cancel, move and reinstate deliveries; closures and holidays."""
    ROUNDS = "rounds"
    """Tours and pickup points."""
    SELL = "sell"
    """The shop's products, shelves, suppliers, stock."""
    VOUCHERS = "vouchers"
    READ_ORDERS = "read_orders"
    """See them and take their list away: whoever bills does, too."""
    ORDERS = "orders"
    """Accept, weigh, prepare, refuse, refund."""
    CORRECT = "correct"
    """Undo one-off changes; correct boxes and orders after the cutoff."""
    PEOPLE = "people"
    ACT_FOR = "act_for"
    """See the site as a subscriber does, and act in their place."""
    PRICES = "prices"
    """What the boxes cost, from when."""
    READ_BILLS = "read_bills"
    """Somebody's invoices, payments and balance; enter what is paid at the desk."""
    BILL = "bill"
    """Issue invoices and credit notes, close the books, send reminders, take the accounts away."""
    COLLECT = "collect"
    """Make the bank's file of direct debits, with whole account numbers in it."""
    FIGURES = "figures"
    EXCHANGE = "exchange"
    """Import people, subscriptions, points and products from tables."""
    ARCHIVE = "archive"
    """Take everything away in one file."""
    MAIL = "mail"
    MESSAGES = "messages"
    """Answer what people write; write to many at once."""
    TEXTS = "texts"
    """News, questions and answers."""
    SETTINGS = "settings"
    """The farm's card, the shop's rules, the conditions of sale, the legal pages."""
    JOURNAL = "journal"
    ROLES = "roles"
    """Who works here, with which roles."""


_P = Permission
GRANTS: Mapping[RoleName, frozenset[Permission]] = {
    RoleName.DESK: frozenset(
        {
            _P.LOOK,
            _P.CALENDAR,
            _P.ROUNDS,
            _P.SELL,
            _P.VOUCHERS,
            _P.READ_ORDERS,
            _P.ORDERS,
            _P.CORRECT,
            _P.PEOPLE,
            _P.ACT_FOR,
            _P.READ_BILLS,
            _P.FIGURES,
            _P.EXCHANGE,
            _P.MAIL,
            _P.MESSAGES,
            _P.TEXTS,
        }
    ),
    RoleName.GROWING: frozenset({_P.LOOK, _P.COMPOSE, _P.PACK, _P.SELL, _P.FIGURES}),
    RoleName.LOGISTICS: frozenset({_P.LOOK, _P.PACK, _P.ROUNDS, _P.READ_ORDERS, _P.ORDERS, _P.CORRECT}),
    RoleName.ACCOUNTS: frozenset(
        {
            _P.LOOK,
            _P.VOUCHERS,
            _P.READ_ORDERS,
            _P.PEOPLE,
            _P.PRICES,
            _P.READ_BILLS,
            _P.BILL,
            _P.COLLECT,
            _P.FIGURES,
        }
    ),
    RoleName.ADMIN: frozenset(Permission),
}


def allows(roles: Iterable[RoleName], permission: Permission) -> bool:
    return any(permission in GRANTS[role] for role in roles)


def openers(permissions: Iterable[Permission]) -> list[RoleName]:
    """The roles that may one of these."""
    return [role for role, granted in GRANTS.items() if not granted.isdisjoint(permissions)]
