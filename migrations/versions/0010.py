"""Guests' orders, found by their mail address.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OF_GUEST = sa.text("account_id IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("shop_order", schema=None) as batch_op:
        batch_op.create_index(
            "ix_shop_order_guest", ["email"], sqlite_where=OF_GUEST, postgresql_where=OF_GUEST
        )


def downgrade() -> None:
    with op.batch_alter_table("shop_order", schema=None) as batch_op:
        batch_op.drop_index("ix_shop_order_guest", sqlite_where=OF_GUEST, postgresql_where=OF_GUEST)
