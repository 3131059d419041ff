"""Whose books are not even, kept by the database; what was billed of each month, by an index.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UNEVEN = sa.text("balance <> 0")


def upgrade() -> None:
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.add_column(sa.Column("balance", sa.Integer(), server_default="0", nullable=False))
    # before the balances are counted: what is entered meanwhile waits for both
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry BEGIN "
            "UPDATE customer SET balance = balance + NEW.amount WHERE id = NEW.customer_id; END"
        )
    else:
        op.execute(
            "CREATE FUNCTION keep_balance() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "UPDATE customer SET balance = balance + NEW.amount WHERE id = NEW.customer_id; RETURN NULL; END $$"
        )
        # a replica gets the balances with the customers
        op.execute(
            "CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry "
            "FOR EACH ROW EXECUTE FUNCTION keep_balance()"
        )
    op.execute(
        "UPDATE customer SET balance = "
        "(SELECT coalesce(sum(amount), 0) FROM ledger_entry WHERE customer_id = customer.id)"
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customer_uneven", ["account_id"], sqlite_where=UNEVEN, postgresql_where=UNEVEN
        )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invoice_month_last_day_kind_total"),
            ["month", "last_day", "kind", "total"],
            unique=False,
        )


def downgrade() -> None:
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_month_last_day_kind_total"))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER ledger_entry_balance")
    else:
        op.execute("DROP FUNCTION keep_balance() CASCADE")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_uneven", sqlite_where=UNEVEN, postgresql_where=UNEVEN)
        batch_op.drop_column("balance")
