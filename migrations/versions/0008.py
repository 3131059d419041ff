"""Invoices, the ledger, payments, mandates and direct debits.

Revision ID: 0008
Revises: 0007
"""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("bills_from", sa.Date(), nullable=True),
        sa.Column("due_days", sa.Integer(), server_default="15", nullable=False),
        sa.Column("company_due_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("late_rate_basis_points", sa.Integer(), server_default="1200", nullable=False),
        sa.Column("iban", sa.String(length=34), nullable=True),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column("creditor_id", sa.String(length=35), nullable=True),
        sa.Column("creditor_name", sa.String(length=70), nullable=True),
        sa.Column("reminds", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("collection_day", sa.Integer(), server_default="10", nullable=False),
        sa.Column("notice_days", sa.Integer(), server_default="14", nullable=False),
        sa.Column("debits_a_file", sa.Integer(), server_default="5000", nullable=False),
        sa.Column("cheques_to", sa.String(length=120), nullable=True),
        sa.Column("statement_columns", sa.JSON(), nullable=True),
        sa.Column("ledger_accounts", sa.JSON(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_billing_settings_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_settings")),
    )
    op.create_table(
        "ledger_closing",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Integer(), nullable=True),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("billed", sa.Integer(), nullable=False),
        sa.Column("paid", sa.Integer(), nullable=False),
        sa.Column("written_off", sa.Integer(), nullable=False),
        sa.Column("perpetual", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_ledger_closing")),
    )
    op.create_table(
        "number_series",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_number_series")),
    )
    op.create_table(
        "payment_reminder_step",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_payment_reminder_step")),
    )
    op.create_table(
        "tax_status",
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column(
            "regime",
            sa.Enum("liable", "franchise", "exempt", name="vatregime", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("mention", sa.String(length=300), nullable=True),
        sa.Column("on_debits", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("since", name=op.f("pk_tax_status")),
    )
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column(
            "format",
            sa.Enum("camt", "csv", name="statementformat", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["imported_by"], ["account.id"], name=op.f("fk_bank_statement_imported_by_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("digest", name=op.f("uq_bank_statement_digest")),
    )
    with op.batch_alter_table("bank_statement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_statement_imported_by"), ["imported_by"], unique=False)

    op.create_table(
        "debit_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=False),
        sa.Column("collected_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("presented_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_debit_batch_made_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debit_batch")),
        sa.UniqueConstraint("message_id", name=op.f("uq_debit_batch_message_id")),
    )
    with op.batch_alter_table("debit_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_debit_batch_collected_on"), ["collected_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_debit_batch_made_by"), ["made_by"], unique=False)

    op.create_table(
        "invoice_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("working", "done", "stopped", name="runstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("through", sa.Integer(), server_default="0", nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("issued", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("fk_invoice_run_asked_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_run")),
    )
    with op.batch_alter_table("invoice_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_run_asked_by"), ["asked_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_run_month"), ["month"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_run_state"), ["state"], unique=False)

    op.create_table(
        "mandate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=35), nullable=False),
        sa.Column("iban", sa.LargeBinary(), nullable=True),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.Column("bank", sa.String(length=120), nullable=True),
        sa.Column("holder", sa.String(length=70), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("town", sa.String(length=80), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.Integer(), nullable=False),
        sa.Column("paper", sa.LargeBinary(), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end",
            sa.Enum(
                "replaced",
                "revoked",
                "unused",
                "refused",
                "erased",
                name="mandateend",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mandate_account_id_account")),
        sa.ForeignKeyConstraint(["signed_by"], ["account.id"], name=op.f("fk_mandate_signed_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandate")),
        sa.UniqueConstraint("reference", name=op.f("uq_mandate_reference")),
    )
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_mandate_account_id_ended_at"), ["account_id", "ended_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_mandate_signed_by"), ["signed_by"], unique=False)

    op.create_table(
        "invoice_run_failure",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_invoice_run_failure_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["invoice_run.id"],
            name=op.f("fk_invoice_run_failure_run_id_invoice_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "account_id", name=op.f("pk_invoice_run_failure")),
    )
    with op.batch_alter_table("invoice_run_failure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_run_failure_account_id"), ["account_id"], unique=False)

    op.create_table(
        "customer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "account_id IS NOT NULL OR order_id IS NOT NULL", name=op.f("ck_customer_is_somebody")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_customer_account_id_account")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_customer_order_id_shop_order")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sa.UniqueConstraint("order_id", name=op.f("uq_customer_order_id")),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_account_id"), ["account_id"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("invoice", "credit_note", name="documentkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.Integer(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column(
            "means",
            sa.Enum(
                "direct_debit",
                "transfer",
                "cheque",
                "cash",
                "card",
                name="paymentmeans",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("net", sa.Integer(), nullable=False),
        sa.Column("vat", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("seller", sa.JSON(), nullable=False),
        sa.Column("buyer_digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint("net + vat = total", name=op.f("ck_invoice_adds_up")),
        sa.ForeignKeyConstraint(["corrects_id"], ["invoice.id"], name=op.f("fk_invoice_corrects_id_invoice")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_invoice_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["invoice_run.id"], name=op.f("fk_invoice_run_id_invoice_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("customer_id", "month", name=op.f("uq_invoice_customer_id_month")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_corrects_id"), ["corrects_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_issued_on"), ["issued_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_run_id"), ["run_id"], unique=False)

    op.create_table(
        "direct_debit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("end_to_end", sa.String(length=35), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("mandate_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("announced", sa.Integer(), nullable=True),
        sa.Column("collected_on", sa.Date(), nullable=False),
        sa.Column(
            "sequence", sa.Enum("FRST", "RCUR", name="sequence", native_enum=False, length=40), nullable=True
        ),
        sa.Column(
            "state",
            sa.Enum(
                "announced",
                "in_file",
                "presented",
                "collected",
                "returned",
                "dropped",
                name="debitstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="1", nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column(
            "return_code",
            sa.Enum(
                "AC01",
                "AC04",
                "AC06",
                "AC13",
                "AG01",
                "AG02",
                "AM04",
                "AM05",
                "BE05",
                "FF01",
                "MD01",
                "MD02",
                "MD06",
                "MD07",
                "MS02",
                "MS03",
                "RC01",
                "RR01",
                "RR02",
                "RR03",
                "RR04",
                "SL01",
                name="returncode",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_direct_debit_amount_positive")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["debit_batch.id"], name=op.f("fk_direct_debit_batch_id_debit_batch")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_direct_debit_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_direct_debit_invoice_id_invoice")
        ),
        sa.ForeignKeyConstraint(
            ["mandate_id"], ["mandate.id"], name=op.f("fk_direct_debit_mandate_id_mandate")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_direct_debit")),
        sa.UniqueConstraint("end_to_end", name=op.f("uq_direct_debit_end_to_end")),
    )
    with op.batch_alter_table("direct_debit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_direct_debit_batch_id"), ["batch_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_direct_debit_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_direct_debit_mandate_id"), ["mandate_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_direct_debit_state_collected_on"), ["state", "collected_on"], unique=False
        )
        batch_op.create_index(
            "uq_direct_debit_live_invoice",
            ["invoice_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('announced', 'in_file', 'presented')"),
            postgresql_where=sa.text("state IN ('announced', 'in_file', 'presented')"),
        )

    op.create_table(
        "invoice_buyer",
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("kept_until", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("town", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("company", sa.String(length=160), nullable=True),
        sa.Column("vat_number", sa.String(length=20), nullable=True),
        sa.Column("siren", sa.String(length=9), nullable=True),
        sa.Column("purchase_reference", sa.String(length=60), nullable=True),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("delivered_to", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_buyer_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_buyer")),
    )
    op.create_table(
        "invoice_file",
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "made", "failed", name="filestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_file_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_invoice_file")),
    )
    with op.batch_alter_table("invoice_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_file_state_due_at"), ["state", "due_at"], unique=False)

    op.create_table(
        "invoice_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("box", "article", "discount", "gesture", name="linekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=60), nullable=True),
        sa.Column("corrects_id", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("subscription_id", sa.Integer(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("weighed", sa.Boolean(), nullable=False),
        sa.Column("unit_price", sa.Integer(), nullable=False),
        sa.Column("vat_basis_points", sa.Integer(), nullable=False),
        sa.Column("net", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["invoice_line.id"], name=op.f("fk_invoice_line_corrects_id_invoice_line")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_invoice_line_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_line_invoice_id_invoice")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["shop_order.id"], name=op.f("fk_invoice_line_order_id_shop_order")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_invoice_line_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice_line")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_invoice_line_invoice_id_position")),
    )
    with op.batch_alter_table("invoice_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_line_corrects_id"), ["corrects_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_line_delivery_id"), ["delivery_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_line_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invoice_line_source"), ["source"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_invoice_line_subscription_id"), ["subscription_id"], unique=False
        )

    op.create_table(
        "invoice_rate",
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("vat_basis_points", sa.Integer(), nullable=False),
        sa.Column("net", sa.Integer(), nullable=False),
        sa.Column("vat", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.CheckConstraint("net + vat = total", name=op.f("ck_invoice_rate_adds_up")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_rate_invoice_id_invoice")
        ),
        sa.PrimaryKeyConstraint("invoice_id", "vat_basis_points", name=op.f("pk_invoice_rate")),
    )
    op.create_table(
        "payment_reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_payment_reminder_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_payment_reminder_invoice_id_invoice")
        ),
        sa.ForeignKeyConstraint(
            ["sent_by"], ["account.id"], name=op.f("fk_payment_reminder_sent_by_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_reminder")),
        sa.UniqueConstraint("invoice_id", "position", name=op.f("uq_payment_reminder_invoice_id_position")),
    )
    with op.batch_alter_table("payment_reminder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_reminder_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_payment_reminder_sent_by"), ["sent_by"], unique=False)

    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice",
                "credit_note",
                "payment",
                "reversal",
                "refund",
                "write_off",
                name="entrykind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("invoice_id", sa.Integer(), nullable=True),
        sa.Column(
            "means",
            sa.Enum(
                "direct_debit",
                "transfer",
                "cheque",
                "cash",
                "card",
                name="paymentmeans",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("debit_id", sa.Integer(), nullable=True),
        sa.Column("pays_id", sa.Integer(), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=40), nullable=True),
        sa.Column("content", sa.String(length=64), nullable=True),
        sa.Column("before", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(kind = 'payment' OR kind = 'refund') = (means IS NOT NULL)",
            name=op.f("ck_ledger_entry_paid_by_means"),
        ),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)", name=op.f("ck_ledger_entry_reversal_reverses")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_ledger_entry_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["debit_id"], ["direct_debit.id"], name=op.f("fk_ledger_entry_debit_id_direct_debit")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_ledger_entry_invoice_id_invoice")
        ),
        sa.ForeignKeyConstraint(["pays_id"], ["invoice.id"], name=op.f("fk_ledger_entry_pays_id_invoice")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["ledger_entry.id"], name=op.f("fk_ledger_entry_reverses_id_ledger_entry")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_ledger_entry_invoice_id")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_entry_key")),
        sa.UniqueConstraint("number", name=op.f("uq_ledger_entry_number")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_ledger_entry_reverses_id")),
    )
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_entry_customer_id_number"), ["customer_id", "number"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ledger_entry_day"), ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entry_debit_id"), ["debit_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_entry_pays_id"), ["pays_id"], unique=False)

    op.create_table(
        "bank_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("statement_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "entered", "ignored", name="banklinestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("customer_id", sa.Integer(), nullable=True),
        sa.Column("entry_id", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_bank_line_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["ledger_entry.id"], name=op.f("fk_bank_line_entry_id_ledger_entry")
        ),
        sa.ForeignKeyConstraint(["settled_by"], ["account.id"], name=op.f("fk_bank_line_settled_by_account")),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["bank_statement.id"], name=op.f("fk_bank_line_statement_id_bank_statement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_bank_line_entry_id")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_line_key")),
    )
    with op.batch_alter_table("bank_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bank_line_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_line_settled_by"), ["settled_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_line_state_day"), ["state", "day"], unique=False)
        batch_op.create_index(batch_op.f("ix_bank_line_statement_id"), ["statement_id"], unique=False)

    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purchase_reference", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("due_days", sa.Integer(), nullable=True))
    _begin_behind_what_was_delivered()
    _protect()


def _begin_behind_what_was_delivered() -> None:
    """What a farm has delivered until now it has billed elsewhere: the portal begins with the month after it."""
    delivery = sa.table("delivery", sa.column("day", sa.Date()), sa.column("frozen_at"))
    settings = sa.table("billing_settings", sa.column("id"), sa.column("bills_from", sa.Date()))
    last = op.get_bind().scalar(
        sa.select(sa.func.max(delivery.c.day)).where(delivery.c.frozen_at.is_not(None))
    )
    if last:
        month = (last.replace(day=28) + timedelta(days=4)).replace(day=1)
        op.execute(settings.insert().values(id=1, bills_from=month))


def downgrade() -> None:
    _unprotect()
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_column("due_days")
        batch_op.drop_column("purchase_reference")

    with op.batch_alter_table("bank_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_line_statement_id"))
        batch_op.drop_index(batch_op.f("ix_bank_line_state_day"))
        batch_op.drop_index(batch_op.f("ix_bank_line_settled_by"))
        batch_op.drop_index(batch_op.f("ix_bank_line_customer_id"))

    op.drop_table("bank_line")
    with op.batch_alter_table("ledger_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_entry_pays_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_debit_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_day"))
        batch_op.drop_index(batch_op.f("ix_ledger_entry_customer_id_number"))

    op.drop_table("ledger_entry")
    with op.batch_alter_table("payment_reminder", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_reminder_sent_by"))
        batch_op.drop_index(batch_op.f("ix_payment_reminder_customer_id"))

    op.drop_table("payment_reminder")
    op.drop_table("invoice_rate")
    with op.batch_alter_table("invoice_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_line_subscription_id"))
        batch_op.drop_index(batch_op.f("ix_invoice_line_source"))
        batch_op.drop_index(batch_op.f("ix_invoice_line_order_id"))
        batch_op.drop_index(batch_op.f("ix_invoice_line_delivery_id"))
        batch_op.drop_index(batch_op.f("ix_invoice_line_corrects_id"))

    op.drop_table("invoice_line")
    with op.batch_alter_table("invoice_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_file_state_due_at"))

    op.drop_table("invoice_file")
    op.drop_table("invoice_buyer")
    with op.batch_alter_table("direct_debit", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_direct_debit_live_invoice",
            sqlite_where=sa.text("state IN ('announced', 'in_file', 'presented')"),
            postgresql_where=sa.text("state IN ('announced', 'in_file', 'presented')"),
        )
        batch_op.drop_index(batch_op.f("ix_direct_debit_state_collected_on"))
        batch_op.drop_index(batch_op.f("ix_direct_debit_mandate_id"))
        batch_op.drop_index(batch_op.f("ix_direct_debit_customer_id"))
        batch_op.drop_index(batch_op.f("ix_direct_debit_batch_id"))

    op.drop_table("direct_debit")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_run_id"))
        batch_op.drop_index(batch_op.f("ix_invoice_issued_on"))
        batch_op.drop_index(batch_op.f("ix_invoice_corrects_id"))

    op.drop_table("invoice")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_account_id"))

    op.drop_table("customer")
    with op.batch_alter_table("invoice_run_failure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_run_failure_account_id"))

    op.drop_table("invoice_run_failure")
    with op.batch_alter_table("mandate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mandate_signed_by"))
        batch_op.drop_index(batch_op.f("ix_mandate_account_id_ended_at"))

    op.drop_table("mandate")
    with op.batch_alter_table("invoice_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_run_state"))
        batch_op.drop_index(batch_op.f("ix_invoice_run_month"))
        batch_op.drop_index(batch_op.f("ix_invoice_run_asked_by"))

    op.drop_table("invoice_run")
    with op.batch_alter_table("debit_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_debit_batch_made_by"))
        batch_op.drop_index(batch_op.f("ix_debit_batch_collected_on"))

    op.drop_table("debit_batch")
    with op.batch_alter_table("bank_statement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bank_statement_imported_by"))

    op.drop_table("bank_statement")
    op.drop_table("tax_status")
    op.drop_table("payment_reminder_step")
    op.drop_table("number_series")
    op.drop_table("ledger_closing")
    op.drop_table("billing_settings")


NEVER_CHANGED = ("invoice", "invoice_line", "invoice_rate", "ledger_entry", "ledger_closing")
COMPLETE = ("invoice_buyer", "invoice_line", "invoice_rate")
"""Nothing is added to an invoice any more once the ledger has it."""
ONE_EACH: dict[str, tuple[tuple[str, ...], ...]] = {
    "invoice": (("id",), ("number",), ("customer_id", "month")),
    "invoice_line": (("id",), ("invoice_id", "position")),
    "invoice_rate": (("invoice_id", "vat_basis_points"),),
    "invoice_buyer": (("invoice_id",),),
    "ledger_entry": (("id",), ("number",), ("invoice_id",), ("reverses_id",), ("key",)),
    "ledger_closing": (("month",),),
    "number_series": (("name",),),
}
"""SQLite's INSERT OR REPLACE removes the row that is there without a word to its triggers."""
STILL_KEPT = "OLD.kept_until >= (SELECT max(issued_on) FROM invoice)"
"""The newest invoice is the clock: it never goes back."""
GOES_BACK = "NEW.last < OLD.last OR NEW.name <> OLD.name"
"""A series of numbers only grows."""


def _protect() -> None:
    if op.get_bind().dialect.name == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'what is issued or entered is never changed'); END"
        for table in NEVER_CHANGED:
            for act in ("UPDATE", "DELETE"):
                op.execute(f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} {refuse}")
        for table in COMPLETE:
            entered = "EXISTS (SELECT 1 FROM ledger_entry WHERE invoice_id = NEW.invoice_id)"
            op.execute(f"CREATE TRIGGER {table}_complete BEFORE INSERT ON {table} WHEN {entered} {refuse}")
        op.execute(f"CREATE TRIGGER invoice_buyer_no_update BEFORE UPDATE ON invoice_buyer {refuse}")
        op.execute(
            f"CREATE TRIGGER invoice_buyer_no_delete BEFORE DELETE ON invoice_buyer WHEN {STILL_KEPT} {refuse}"
        )
        op.execute(
            f"CREATE TRIGGER number_series_no_update BEFORE UPDATE ON number_series WHEN {GOES_BACK} {refuse}"
        )
        op.execute(f"CREATE TRIGGER number_series_no_delete BEFORE DELETE ON number_series {refuse}")
        for table, keys in ONE_EACH.items():
            same = " OR ".join(
                f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})"
                for key in keys
            )
            op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {same} {refuse}")
        return
    raised = "RAISE EXCEPTION 'what is issued or entered is never changed: %', TG_TABLE_NAME;"
    _function("refuse_change_of_books", raised)
    _function(
        "refuse_more_of_invoice",
        f"IF EXISTS (SELECT 1 FROM ledger_entry WHERE invoice_id = NEW.invoice_id) THEN {raised} END IF; "
        "RETURN NEW;",
    )
    _function("refuse_to_forget_buyer", f"IF {STILL_KEPT} THEN {raised} END IF; RETURN OLD;")
    _function("refuse_to_count_back", f"IF {GOES_BACK} THEN {raised} END IF; RETURN NEW;")
    for table in NEVER_CHANGED:
        _trigger(table, "no_change", "BEFORE UPDATE OR DELETE", "ROW", "refuse_change_of_books")
    for table in COMPLETE:
        _trigger(table, "complete", "BEFORE INSERT", "ROW", "refuse_more_of_invoice")
    _trigger("invoice_buyer", "no_update", "BEFORE UPDATE", "ROW", "refuse_change_of_books")
    _trigger("invoice_buyer", "no_delete", "BEFORE DELETE", "ROW", "refuse_to_forget_buyer")
    _trigger("number_series", "no_update", "BEFORE UPDATE", "ROW", "refuse_to_count_back")
    _trigger("number_series", "no_delete", "BEFORE DELETE", "ROW", "refuse_change_of_books")
    for table in ONE_EACH:
        _trigger(table, "no_truncate", "BEFORE TRUNCATE", "STATEMENT", "refuse_change_of_books")


def _function(name: str, body: str) -> None:
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")


def _trigger(table: str, name: str, when: str, each: str, function: str) -> None:
    """Whatever a session says of its role: else a replica's would pass by."""
    op.execute(
        f"CREATE TRIGGER {table}_{name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
    )
    op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


def _unprotect() -> None:
    if op.get_bind().dialect.name == "sqlite":
        acts = ("replace", "update", "delete")
        names = [f"{table}_no_{act}" for table in ONE_EACH for act in acts]
        for name in (*names, *(f"{table}_complete" for table in COMPLETE)):
            op.execute(f"DROP TRIGGER {name}")
        return
    for function in (
        "refuse_change_of_books",
        "refuse_more_of_invoice",
        "refuse_to_forget_buyer",
        "refuse_to_count_back",
    ):
        op.execute(f"DROP FUNCTION {function}() CASCADE")
