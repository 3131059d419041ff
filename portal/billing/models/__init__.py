"""The tables of what is billed and paid."""

from portal.billing.models.bank import (
    BankLine,
    BankLineState,
    BankStatement,
    StatementFormat,
)
from portal.billing.models.debits import (
    ALIVE,
    DebitBatch,
    DebitState,
    DirectDebit,
    Mandate,
)
from portal.billing.models.invoices import (
    ACCOUNT_NUMBER,
    BillingSettings,
    Customer,
    FileState,
    Invoice,
    InvoiceBuyer,
    InvoiceFile,
    InvoiceLine,
    InvoiceRate,
    InvoiceRun,
    NumberSeries,
    RunFailure,
    RunState,
    TaxStatus,
)
from portal.billing.models.ledger import (
    EntryKind,
    LedgerClosing,
    LedgerEntry,
    PaymentReminder,
    ReminderStep,
)

__all__ = [
    "ACCOUNT_NUMBER",
    "ALIVE",
    "BankLine",
    "BankLineState",
    "BankStatement",
    "BillingSettings",
    "Customer",
    "DebitBatch",
    "DebitState",
    "DirectDebit",
    "EntryKind",
    "FileState",
    "Invoice",
    "InvoiceBuyer",
    "InvoiceFile",
    "InvoiceLine",
    "InvoiceRate",
    "InvoiceRun",
    "LedgerClosing",
    "LedgerEntry",
    "Mandate",
    "NumberSeries",
    "PaymentReminder",
    "ReminderStep",
    "RunFailure",
    "RunState",
    "StatementFormat",
    "TaxStatus",
]
