"""Who is to be told that a delivery was moved, cancelled or reinstated; why it was moved.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery_notice",
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("known_day", sa.Date(), nullable=False),
        sa.Column("known_cancelled", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_delivery_notice_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_notice_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["account.id"], name=op.f("fk_delivery_notice_made_by_account")
        ),
        sa.PrimaryKeyConstraint("delivery_id", "account_id", name=op.f("pk_delivery_notice")),
    )
    with op.batch_alter_table("delivery_notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_notice_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_delivery_notice_due_at"), ["due_at"], unique=False)

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("move_reason", sa.String(length=200), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("move_reason")

    with op.batch_alter_table("delivery_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_notice_due_at"))
        batch_op.drop_index(batch_op.f("ix_delivery_notice_account_id"))

    op.drop_table("delivery_notice")
