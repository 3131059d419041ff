"""Somebody's direct debits: to come, collected and returned."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from portal.billing.customers import belongs_to
from portal.billing.models import ALIVE, DebitState, DirectDebit, Invoice, Mandate
from portal.infra.orm import View
from portal.rules.money import Money
from portal.rules.sepa import ReturnCode


@dataclass(frozen=True, slots=True)
class DebitView:
    """What is, or was, collected for an invoice; of the account number the end alone."""

    id: int
    invoice_id: int
    invoice_number: str
    amount: Money
    collected_on: date
    last_four: str
    state: DebitState
    returned_on: date | None
    return_code: ReturnCode | None

    @property
    def alive(self) -> bool:
        return self.state in ALIVE

    def collects(self, left: Money | None) -> Money:
        """No more than is open, until the bank has it."""
        return self.amount if self.at_bank else min(self.amount, left or Money.zero())

    def too_much(self, left: Money | None) -> Money:
        """What the bank takes though it is open no more: paid ahead, once it is taken."""
        return max(self.collects(left) - (left or Money.zero()), Money.zero())

    @property
    def at_bank(self) -> bool:
        """It will be taken as it is."""
        return self.state is DebitState.PRESENTED

    @property
    def collected(self) -> bool:
        return self.state is DebitState.COLLECTED

    @property
    def returned(self) -> bool:
        return self.state is DebitState.RETURNED


_DEBITS = (
    select(
        View(
            DebitView,
            id=DirectDebit.id,
            invoice_id=DirectDebit.invoice_id,
            invoice_number=Invoice.number,
            amount=DirectDebit.amount,
            collected_on=DirectDebit.collected_on,
            last_four=Mandate.last_four,
            state=DirectDebit.state,
            returned_on=DirectDebit.returned_on,
            return_code=DirectDebit.return_code,
        )
    )
    .join(DirectDebit.customer)
    .join(DirectDebit.invoice)
    .join(DirectDebit.mandate)
    .where(DirectDebit.state != DebitState.DROPPED)
    .order_by(DirectDebit.collected_on, DirectDebit.id)
)
_OF_ACCOUNT = _DEBITS.where(belongs_to(bindparam("account_id")))


def debits_of(session: Session, account_id: int) -> list[DebitView]:
    """Of all that an account owes or owed, in the order of their days."""
    return list(session.scalars(_OF_ACCOUNT, {"account_id": account_id}))


def alive_debit(session: Session, invoice_id: int) -> DebitView | None:
    """The one that is to come for an invoice."""
    return session.scalar(_DEBITS.where(DirectDebit.invoice_id == invoice_id, DirectDebit.state.in_(ALIVE)))
