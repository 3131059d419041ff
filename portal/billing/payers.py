"""Who pays: an account, or the guest of an order; found by a number, an invoice's or their own."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from portal.accounts.models import FIRST_CUSTOMER_NUMBER, Account
from portal.billing.customers import UNEVEN, customer_of, customer_of_order
from portal.billing.models import Customer, Invoice, LedgerEntry
from portal.infra import locks
from portal.planning.people import is_found_by
from portal.rules.alphabet import search_words
from portal.rules.money import Money
from portal.shop.models import FIRST_ORDER_NUMBER, Order

_OWN = re.compile(r"(C|B)?([0-9]{5,9})", re.ASCII)
_OF_INVOICE = re.compile(r"([FA]20[0-9]{2})-?([0-9]{1,9})", re.ASCII)


MANY = 50
"""Nobody means one of so many."""


@dataclass(frozen=True, slots=True)
class Payer:
    """`number` is the account's, or the guest's order's."""

    number: str
    name: str
    email: str
    account_id: int | None = None
    order_id: int | None = None


Key = tuple[str, Any]


def find_payer(session: Session, text: str) -> Payer | None:
    return payers(session, [text]).get(text)


def payers(session: Session, texts: Iterable[str]) -> dict[str, Payer]:
    """By the number of each that names somebody: who shares what another one pays is that one."""
    keys = {text: key for text in texts if (key := _key(text))}
    owners = select(Invoice.number, Customer.account_id, Customer.order_id).join(Invoice.customer)
    owned: dict[Key, Key] = {
        ("invoice", number): ("account", account_id) if account_id else ("order", order_id)
        for number, account_id, order_id in session.execute(
            owners.where(Invoice.number.in_(_of("invoice", keys)))
        )
    }
    keys = {text: owned.get(key, key) for text, key in keys.items()}
    placed = session.scalars(select(Order).where(Order.id.in_(_of("order", keys)))).all()
    claimed: dict[Key, Key] = {("order", o.id): ("account", o.account_id) for o in placed if o.account_id}
    keys = {text: claimed.get(key, key) for text, key in keys.items()}
    accounts = session.scalars(
        select(Account).where(Account.id.in_(_of("account", keys))).options(joinedload(Account.payer))
    )
    known: dict[Key, Payer] = {("account", account.id): payer_of_account(account) for account in accounts}
    for order in placed:
        if order.account_id is None:
            known["order", order.id] = Payer(
                order.number, order.name or order.number, order.email or "", order_id=order.id
            )
    return {text: known[key] for text, key in keys.items() if key in known}


def find_payers(session: Session, text: str, *, limit: int = 12) -> list[Payer]:
    """By name, mail address, telephone or postal address, in alphabetical order."""
    which = [is_found_by(word) for word in search_words(text)]
    found = select(Account).where(*which).order_by(Account.search_key, Account.id).limit(limit)
    payers = map(payer_of_account, session.scalars(found.options(joinedload(Account.payer))))
    return list(dict.fromkeys(payers))


def named(session: Session, text: str) -> list[Payer]:
    """Whose name has all these words, whole."""
    words = set(search_words(text))
    found = find_payers(session, text, limit=MANY) if words else []
    return [payer for payer in found if words <= set(search_words(payer.name))]


def gone_ahead(session: Session) -> list[tuple[Payer, Money]]:
    """Whose account is closed or erased, and what is theirs all the same."""
    left = func.sum(LedgerEntry.amount)
    theirs = (
        select(Account, left)
        .join(Customer, Customer.account_id == Account.id)
        .join(LedgerEntry, LedgerEntry.customer_id == Customer.id)
        .where(Account.active.is_(False), Account.id.in_(select(Customer.account_id).where(UNEVEN)))
        .group_by(Account.id)
        .having(left < Money.zero())
        .order_by(Account.id)
        .options(joinedload(Account.payer))
    )
    return [
        (payer_of_account(account), Money.zero() - balance) for account, balance in session.execute(theirs)
    ]


def payer_of_account(account: Account) -> Payer:
    account = account.holder
    return Payer(account.customer_number, account.full_name, account.email, account_id=account.id)


def customer_for(session: Session, payer: Payer) -> Customer:
    """Their row in the books, made where there is none; takes the account's or the order's lock."""
    if payer.account_id is not None:
        session.scalars(
            locks.for_update(select(Account).where(Account.id == payer.account_id), Account)
        ).one()
        return customer_of(session, payer.account_id)
    assert payer.order_id is not None
    session.scalars(locks.for_update(select(Order).where(Order.id == payer.order_id), Order)).one()
    return customer_of_order(session, payer.order_id)


def _key(text: str) -> Key | None:
    """What « C10012 », « 10012 », « B10042 » or « F2026-42 » names."""
    number = "".join(text.split()).upper()
    if written := _OF_INVOICE.fullmatch(number):
        return "invoice", f"{written[1]}-{int(written[2]):05}"
    if not (written := _OWN.fullmatch(number)):
        return None
    if written[1] == "B":
        return "order", int(written[2]) - FIRST_ORDER_NUMBER
    return "account", int(written[2]) - FIRST_CUSTOMER_NUMBER


def _of(kind: str, keys: Mapping[str, Key]) -> list[Any]:
    return [value for each, value in keys.values() if each == kind]
