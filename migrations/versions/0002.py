"""Suspensions, postponed boxes, other points and formulas for once; what points offer.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suspension",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Integer(), nullable=True),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_suspension_days_in_order")),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name=op.f("fk_suspension_ended_by_account")),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_suspension_made_by_account")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_suspension_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    with op.batch_alter_table("suspension", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suspension_subscription_id"), ["subscription_id"], unique=False)

    op.create_table(
        "withheld",
        sa.Column("pickup_point_id", sa.Integer(), nullable=False),
        sa.Column("formula_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["formula_id"], ["formula.id"], name=op.f("fk_withheld_formula_id_formula")),
        sa.ForeignKeyConstraint(
            ["pickup_point_id"], ["pickup_point.id"], name=op.f("fk_withheld_pickup_point_id_pickup_point")
        ),
        sa.PrimaryKeyConstraint("pickup_point_id", "formula_id", name=op.f("pk_withheld")),
    )
    with op.batch_alter_table("withheld", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withheld_formula_id"), ["formula_id"], unique=False)

    with op.batch_alter_table("box_change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("skip_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("to_week", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("pickup_point_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("formula_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quantity", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("changed_by", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_box_change_formula_id"), ["formula_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_box_change_pickup_point_id_week"), ["pickup_point_id", "week"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_box_change_to_week"), ["to_week"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_box_change_subscription_id_to_week"), ["subscription_id", "to_week"]
        )
        batch_op.create_check_constraint(batch_op.f("ck_box_change_to_week_later"), "to_week > week")
        batch_op.create_check_constraint(batch_op.f("ck_box_change_quantity_positive"), "quantity > 0")
        batch_op.create_foreign_key(
            batch_op.f("fk_box_change_formula_id_formula"), "formula", ["formula_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_box_change_changed_by_account"), "account", ["changed_by"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_box_change_pickup_point_id_pickup_point"),
            "pickup_point",
            ["pickup_point_id"],
            ["id"],
        )

    # From now on a « no » takes a box back from a suspension; until now it said that a skip was undone.
    op.execute("UPDATE box_change SET skip = NULL WHERE NOT skip")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("pickup_point", schema=None) as batch_op:
        batch_op.add_column(sa.Column("free_places", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_column("changed_at")

    with op.batch_alter_table("pickup_point", schema=None) as batch_op:
        batch_op.drop_column("retired_at")
        batch_op.drop_column("free_places")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_column("changed_at")

    with op.batch_alter_table("box_change", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_box_change_quantity_positive"), type_="check")
        batch_op.drop_constraint(batch_op.f("ck_box_change_to_week_later"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_box_change_pickup_point_id_pickup_point"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_box_change_changed_by_account"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_box_change_formula_id_formula"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_box_change_subscription_id_to_week"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_box_change_to_week"))
        batch_op.drop_index(batch_op.f("ix_box_change_pickup_point_id_week"))
        batch_op.drop_index(batch_op.f("ix_box_change_formula_id"))
        batch_op.drop_column("changed_by")
        batch_op.drop_column("quantity")
        batch_op.drop_column("formula_id")
        batch_op.drop_column("pickup_point_id")
        batch_op.drop_column("to_week")
        batch_op.drop_column("skip_at")

    with op.batch_alter_table("withheld", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_withheld_formula_id"))

    op.drop_table("withheld")
    with op.batch_alter_table("suspension", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suspension_subscription_id"))

    op.drop_table("suspension")
