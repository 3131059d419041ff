"""Who of the farm may do what: the one table of roles and permissions (EXPECTATIONS B17)."""

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
    PACK = "pack"
    CALENDAR = "calendar"
    ROUNDS = "rounds"
    SELL = "sell"
    ORDERS = "orders"
    CORRECT = "correct"
    PEOPLE = "people"
    ACT_FOR = "act_for"
    PRICES = "prices"
    FIGURES = "figures"
    EXCHANGE = "exchange"
    MAIL = "mail"
    TEXTS = "texts"
    SETTINGS = "settings"
    JOURNAL = "journal"
    ROLES = "roles"


_P = Permission
GRANTS: Mapping[RoleName, frozenset[Permission]] = {
    RoleName.DESK: frozenset(
        {
            _P.LOOK,
            _P.CALENDAR,
            _P.ROUNDS,
            _P.SELL,
            _P.ORDERS,
            _P.CORRECT,
            _P.PEOPLE,
            _P.ACT_FOR,
            _P.FIGURES,
            _P.MAIL,
            _P.TEXTS,
        }
    ),
    RoleName.GROWING: frozenset({_P.LOOK, _P.COMPOSE, _P.PACK, _P.SELL, _P.FIGURES}),
    RoleName.LOGISTICS: frozenset({_P.LOOK, _P.PACK, _P.ROUNDS, _P.ORDERS, _P.CORRECT}),
    RoleName.ACCOUNTS: frozenset({_P.LOOK, _P.PEOPLE, _P.PRICES, _P.FIGURES, _P.EXCHANGE}),
    RoleName.ADMIN: frozenset(Permission),
}


def allows(roles: Iterable[RoleName], permission: Permission) -> bool:
    return any(permission in GRANTS[role] for role in roles)
