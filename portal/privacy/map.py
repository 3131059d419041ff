"""Whose every table's rows are, what of them a person takes away, what is left of them once that person is forgotten.

A table that is missing here fails `tests/contracts/test_privacy.py`: whoever adds one says it here. Two accounts that
become one need no word of theirs: whatever names the one names the other then (`merging`).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Enum,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
    false,
    func,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import Session

from portal.accounts.models import Account, LinkPurpose, MailedLink
from portal.infra.orm import Base
from portal.privacy.models import AccountMerge
from portal.shop.models import Order

TABLES = Base.metadata.tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows that are somebody's: `of` leads to the account, by another table's rows or directly; `mail` is a column
    that tells by an address whose a row is that no account has.
    """

    of: str | None = None
    mail: str | None = None
    left: Mapping[str, Any] | None = None
    """What becomes of their columns at the erasure: what is not named stays. None where rows go altogether."""
    why: str = ""
    """Why they stay."""
    plain: Collection[str] = ()
    """Texts that stay and name nobody."""
    told: bool = True
    """Whether they are among what a person takes away."""
    untold: Collection[str] = ()
    """Columns that are not: somebody else's name, what opens something, what only the machine understands."""


def kept(of: str | None, why: str, *, mail: str | None = None, **others: Any) -> Rows:
    told: dict[str, Any] = {name: others.pop(name) for name in ("plain", "told", "untold") if name in others}
    return Rows(of=of, mail=mail, left=others, why=why, **told)


DEALINGS = "what was delivered and is billed, and the farm's figures"
BOOKS = "ten years (C. com. L123-22), and never changed"
PROOF = "proof that the farm did what the law asks"

PEOPLES: Mapping[str, Rows] = {
    # the person; the row's own names are written by `erasing`
    "account": Rows(of="id", left={}, why="papers name its number", untold={"payer_id"}),
    "account_merge": kept("into_id", "proof that both were one person's", plain={"moved"}, told=False),
    "account_role": Rows(of="account_id", told=False),
    "address": Rows(of="account_id"),
    "company": Rows(of="account_id"),
    "consent": kept("account_id", "proof that mails were asked for (CPCE, L34-5)", plain={"wording"}),
    "muted": Rows(of="account_id"),
    "departure": Rows(of="account_id"),
    "inactivity_notice": Rows(of="account_id"),
    # signing in
    "sign_in_session": Rows(of="account_id", untold={"data"}),
    "mail_request": Rows(mail="typed", told=False),
    "mailed_code": Rows(mail="email", told=False),
    "mailed_link": Rows(of="account_id", told=False),
    "second_factor": Rows(of="account_id", untold={"last_step"}),
    "recovery_code": Rows(of="account_id", told=False),
    "passkey": Rows(of="account_id", untold={"credential", "sign_count"}),
    "social_identity": Rows(of="account_id"),
    # boxes
    "subscription": kept("account_id", DEALINGS),
    "term": kept("subscription_id", DEALINGS),
    "box_change": kept("subscription_id", DEALINGS),
    "suspension": kept("subscription_id", DEALINGS),
    "basket": kept("subscription_id", DEALINGS),
    "basket_correction": kept("basket_id", DEALINGS, reason="", plain={"before", "after"}),
    "handover": kept("subscription_id", DEALINGS, name="", email=None, plain={"code"}, untold={"name", "email"}),
    "contract": kept("subscription_id", "ten years (C. conso. L213-1, D213-2); sealed", plain={"paper"}),
    "contract_withdrawal": kept("contract_id", PROOF, name="", email=""),
    "termination": kept("account_id", PROOF, mail="contact", name="", contact="", reference="", reason=None,
                        settlement=None, plain={"ended"}),
    "joining_draft": Rows(of="account_id"),
    "waiting": Rows(of="account_id"),
    "calendar_feed": Rows(of="account_id", untold={"version"}),
    "delivery_notice": Rows(of="account_id", told=False),
    "closing_notice": Rows(of="account_id", told=False),
    # the shop
    "cart": Rows(of="account_id", untold={"key"}),
    "cart_line": Rows(of="account_id"),
    "shop_order": kept("account_id", DEALINGS, name="", email="", phone="", street="", postcode="", town="",
                       plain={"cart_key", "digest"}, untold={"cart_key", "digest"}),
    "order_line": kept("order_id", DEALINGS, plain={"name"}),
    "order_event": kept("order_id", DEALINGS, reason=None),
    "order_correction": kept("order_id", DEALINGS, reason="", plain={"before", "after"}),
    "withdrawal": kept("order_id", PROOF, name="", email=""),
    "voucher": kept("account_id", DEALINGS, note=None, plain={"code"}, untold={"note"}),
    "voucher_use": kept("order_id", DEALINGS),
    "wish": Rows(of="account_id"),
    # what is billed and paid
    "customer": kept("account_id", BOOKS),
    "invoice": kept("customer_id", BOOKS, plain={"number", "reason", "seller", "buyer_digest"},
                    untold={"seller", "run_id", "issued_by", "buyer_digest"}),
    "invoice_buyer": kept("invoice_id", BOOKS, untold={"salt"}, plain={
        "name", "street", "postcode", "town", "email", "company", "vat_number", "siren", "purchase_reference",
        "delivered_to", "salt"}),
    "invoice_line": kept("invoice_id", BOOKS, plain={"label", "source"}, untold={"source"}),
    "invoice_rate": kept("invoice_id", BOOKS),
    "invoice_file": kept("invoice_id", BOOKS + "; sealed", plain={"data"}, told=False),
    "invoice_run_failure": Rows(of="account_id", told=False),
    "ledger_entry": kept("customer_id", BOOKS, plain={"reference", "before", "digest", "key", "content"},
                         untold={"before", "digest", "entered_by", "key", "content"}),
    "mandate": kept("account_id", "proof that collecting was allowed; sealed", holder="", street="", postcode="",
                    town="", plain={"reference", "iban", "last_four", "bic", "bank", "paper"},
                    untold={"iban", "paper"}),
    "direct_debit": kept("customer_id", BOOKS, plain={"end_to_end"}, untold={"batch_id"}),
    "bank_line": kept("customer_id", BOOKS, name="", label="", plain={"key"}, untold={"key", "statement_id"}),
    "payment_reminder": Rows(of="customer_id"),
    # messages
    "contact_message": Rows(of="account_id", mail="email"),
    "contact_file": Rows(of="message_id"),
    "contact_answer": Rows(of="message_id"),
    "campaign_mail": Rows(of="account_id", told=False),
    "reminder": Rows(of="account_id"),
    "birthday_gift": Rows(of="account_id"),
    "mail": kept(None, "that a mail went out, not to whom, nor what it said", mail="recipient",
                 recipient="", subject="…", text=None, html=None, unsubscribe=None,
                 plain={"message_id", "last_error"},
                 untold={"message_id", "text", "html", "secret", "due_at", "attempts", "last_error", "unsubscribe"}),
    "mail_attachment": Rows(of="mail_id", untold={"digest"}),
}  # fmt: skip

OTHERS: Mapping[str, str] = {
    "archive": "everything as a file, for three days; goes when anybody is erased",
    "table_import": "a table of people, for three days; goes when anybody is erased",
    "debit_batch": "a file for the bank, sealed",
    "audit_event": "ids and plain values only, and never changed",
    "list_print": "digests of lines",
    "packing_tick": "ids and amounts",
    "rate_count": "keyed hashes, for as long as a limit",
    "stored_file": "goes with the last mail that carries it",
} | dict.fromkeys((
    "article", "article_price", "bank_statement", "billing_settings", "campaign", "category",
    "composition", "composition_change", "composition_exclusion", "composition_line", "conditions", "delivery",
    "delivery_step", "delivery_stock", "farm_profile", "formula", "formula_price", "invoice_run",
    "ledger_closing", "news", "not_on_tour", "number_series", "page_text", "payment_reminder_step",
    "picture", "picture_size", "pickup_point", "point_closing", "product", "question", "role",
    "shop_settings", "shortage_notice", "supplier", "supplier_notice", "tax_status", "tour", "withheld",
    "worker_heartbeat",
), "the farm's own")  # fmt: skip
"""Tables whose rows are no subscriber's, and why they name none."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, with all accounts that have become theirs, and the addresses that are theirs alone."""

    ids: tuple[int, ...]
    addresses: frozenset[str] = field(default=frozenset())


def person(session: Session, account_id: int) -> Person:
    merged = select(AccountMerge.from_id).where(AccountMerge.into_id == account_id)
    ids = (account_id, *session.scalars(merged.order_by(AccountMerge.from_id)))
    found = {address.lower() for address in session.scalars(_proven(ids)) if address}
    others = select(Account.email).where(Account.email.in_(found), Account.id.not_in(ids))
    return Person(ids, frozenset(found.difference(session.scalars(others))))


def _proven(ids: Collection[int]) -> Any:
    """The addresses that the accounts have and had. Whatever was merely typed may be a stranger's."""
    had = select(MailedLink.email).where(MailedLink.purpose == LinkPurpose.OLD_ADDRESS)
    ordered = select(Order.email).where(Order.account_id.in_(ids))  # an account's is taken from it
    return union(
        select(Account.email).where(Account.id.in_(ids)), had.where(MailedLink.account_id.in_(ids)), ordered
    )


def theirs(table: Table, whose: Person) -> ColumnElement[bool]:
    """Which of a table's rows are somebody's."""
    rows = PEOPLES[table.name]
    mine: ColumnElement[bool] = false()
    nobodys: ColumnElement[bool] = true()
    if rows.of:
        column = table.c[rows.of]
        nobodys = column.is_(None)
        mine = column.in_(_accounts(column, whose))
    if rows.mail and whose.addresses:
        mine = or_(mine, nobodys & func.lower(table.c[rows.mail]).in_(whose.addresses))
    return mine


def _accounts(column: Any, whose: Person) -> Any:
    target = next((key.column for key in column.foreign_keys), None)
    if target is None or target.table is TABLES["account"]:
        return whose.ids
    return select(target).where(theirs(target.table, whose))


def by_children() -> Iterator[tuple[Table, Rows]]:
    """The tables of people, those that lead to others first."""
    for table in reversed(Base.metadata.sorted_tables):
        if rows := PEOPLES.get(table.name):
            yield table, rows


def texts(table: Table) -> Iterator[str]:
    """Columns that could hold anything."""
    for column in table.columns:
        if holds(column, String, JSON, LargeBinary) and not holds(column, Enum) and not column.foreign_keys:
            yield column.name


def holds(column: Column[Any], *kinds: type) -> bool:
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    return isinstance(kind, kinds)
