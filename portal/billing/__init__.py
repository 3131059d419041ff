"""Invoices, the ledger, payments, direct debits."""
