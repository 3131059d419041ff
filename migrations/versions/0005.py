"""The shop: what it sells, carts, orders, vouchers, wishes; what a mail carries along; the farm's certificate.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "category",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("drawing", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_category")),
        sa.UniqueConstraint("slug", name=op.f("uq_category_slug")),
    )
    op.create_table(
        "conditions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conditions")),
    )
    op.create_table(
        "picture",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("digest", name=op.f("uq_picture_digest")),
    )
    op.create_table(
        "shop_settings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("accepts_at_once", sa.Boolean(), nullable=False),
        sa.Column("guests_welcome", sa.Boolean(), nullable=False),
        sa.Column("guest_minimum", sa.Integer(), nullable=False),
        sa.Column("payment_means", sa.String(length=120), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_shop_settings_single_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_settings")),
    )
    op.create_table(
        "stored_file",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_stored_file")),
    )
    op.create_table(
        "supplier",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
        sa.UniqueConstraint("name", name=op.f("uq_supplier_name")),
    )
    op.create_table(
        "voucher",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("share", sa.Integer(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("minimum", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=True),
        sa.Column("per_person", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(amount IS NULL) <> (share IS NULL)", name=op.f("ck_voucher_amount_or_share")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_voucher_amount_positive")),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_voucher_days_in_order")),
        sa.CheckConstraint("share > 0 AND share <= 10000", name=op.f("ck_voucher_share_in_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("code", name=op.f("uq_voucher_code")),
    )
    op.create_table(
        "address",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("town", sa.String(length=80), nullable=False),
        sa.Column("billing", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_address_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
    )
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_address_account_id"), ["account_id"], unique=False)

    op.create_table(
        "article",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("supplier_id", sa.Integer(), nullable=True),
        sa.Column("picture_id", sa.Integer(), nullable=True),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column(
            "sale_unit",
            sa.Enum("piece", "bunch", "jar", "pack", "weight", name="saleunit", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("content", sa.Integer(), nullable=True),
        sa.Column(
            "measured", sa.Enum("g", "ml", name="measured", native_enum=False, length=40), nullable=True
        ),
        sa.Column("step", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("variety", sa.String(length=80), nullable=True),
        sa.Column(
            "label",
            sa.Enum("organic", "conversion", name="label", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("ingredients", sa.Text(), nullable=True),
        sa.Column("allergens", sa.String(length=200), nullable=True),
        sa.Column("alcohol", sa.Boolean(), nullable=False),
        sa.Column("perishable", sa.Boolean(), nullable=False),
        sa.Column(
            "stock_kind",
            sa.Enum("unlimited", "counted", "by_delivery", name="stockkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("per_delivery", sa.Integer(), nullable=True),
        sa.Column("season_first", sa.Integer(), nullable=True),
        sa.Column("season_last", sa.Integer(), nullable=True),
        sa.Column("lead_days", sa.Integer(), nullable=True),
        sa.Column("lead_time", sa.Time(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(lead_days IS NULL) = (lead_time IS NULL)", name=op.f("ck_article_lead_whole")),
        sa.CheckConstraint(
            "(season_first IS NULL) = (season_last IS NULL)", name=op.f("ck_article_season_whole")
        ),
        sa.CheckConstraint("content > 0", name=op.f("ck_article_content_positive")),
        sa.CheckConstraint("per_delivery >= 0", name=op.f("ck_article_per_delivery_not_negative")),
        sa.CheckConstraint("step > 0", name=op.f("ck_article_step_positive")),
        sa.CheckConstraint("stock >= 0", name=op.f("ck_article_stock_not_negative")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("fk_article_category_id_category")
        ),
        sa.ForeignKeyConstraint(["picture_id"], ["picture.id"], name=op.f("fk_article_picture_id_picture")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_article_product_id_product")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_article_supplier_id_supplier")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("slug", name=op.f("uq_article_slug")),
    )
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_category_id"), ["category_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_picture_id"), ["picture_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_product_id"), ["product_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_supplier_id"), ["supplier_id"], unique=False)

    op.create_table(
        "mail_attachment",
        sa.Column("mail_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["digest"], ["stored_file.digest"], name=op.f("fk_mail_attachment_digest_stored_file")
        ),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail.id"], name=op.f("fk_mail_attachment_mail_id_mail"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mail_id", "position", name=op.f("pk_mail_attachment")),
    )
    with op.batch_alter_table("mail_attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_attachment_digest"), ["digest"], unique=False)

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_recipient"), ["recipient"], unique=False)

    op.create_table(
        "picture_size",
        sa.Column("picture_id", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["picture_id"],
            ["picture.id"],
            name=op.f("fk_picture_size_picture_id_picture"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("picture_id", "width", name=op.f("pk_picture_size")),
    )
    op.create_table(
        "article_price",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("vat_basis_points", sa.Integer(), nullable=False),
        sa.CheckConstraint("price >= 0", name=op.f("ck_article_price_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_price_article_id_article")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_price")),
        sa.UniqueConstraint("article_id", "since", name=op.f("uq_article_price_article_id_since")),
    )
    op.create_table(
        "cart",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=True),
        sa.Column("pickup_point_id", sa.Integer(), nullable=True),
        sa.Column("voucher_code", sa.String(length=40), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_cart_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_cart_delivery_id_delivery")),
        sa.ForeignKeyConstraint(
            ["pickup_point_id"], ["pickup_point.id"], name=op.f("fk_cart_pickup_point_id_pickup_point")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_cart")),
        sa.UniqueConstraint("key", name=op.f("uq_cart_key")),
    )
    with op.batch_alter_table("cart", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_cart_delivery_id"), ["delivery_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_cart_pickup_point_id"), ["pickup_point_id"], unique=False)

    op.create_table(
        "delivery_stock",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_delivery_stock_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_stock_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("article_id", "delivery_id", name=op.f("pk_delivery_stock")),
    )
    with op.batch_alter_table("delivery_stock", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_stock_delivery_id"), ["delivery_id"], unique=False)

    op.create_table(
        "not_on_tour",
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("tour_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_not_on_tour_article_id_article")
        ),
        sa.ForeignKeyConstraint(["tour_id"], ["tour.id"], name=op.f("fk_not_on_tour_tour_id_tour")),
        sa.PrimaryKeyConstraint("article_id", "tour_id", name=op.f("pk_not_on_tour")),
    )
    with op.batch_alter_table("not_on_tour", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_not_on_tour_tour_id"), ["tour_id"], unique=False)

    op.create_table(
        "shop_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("pickup_point_id", sa.Integer(), nullable=False),
        sa.Column("with_box", sa.Boolean(), nullable=False),
        sa.Column("told_day", sa.Date(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "placed",
                "accepted",
                "refused",
                "prepared",
                "delivered",
                "cancelled",
                name="orderstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cart_key", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("conditions_id", sa.Integer(), nullable=True),
        sa.Column("discount", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("street", sa.String(length=200), nullable=False),
        sa.Column("postcode", sa.String(length=10), nullable=False),
        sa.Column("town", sa.String(length=80), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("discount >= 0", name=op.f("ck_shop_order_discount_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_shop_order_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["conditions_id"], ["conditions.id"], name=op.f("fk_shop_order_conditions_id_conditions")
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_shop_order_delivery_id_delivery")
        ),
        sa.ForeignKeyConstraint(
            ["pickup_point_id"], ["pickup_point.id"], name=op.f("fk_shop_order_pickup_point_id_pickup_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_order")),
        sa.UniqueConstraint("cart_key", name=op.f("uq_shop_order_cart_key")),
    )
    with op.batch_alter_table("shop_order", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shop_order_account_id_placed_at"), ["account_id", "placed_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_shop_order_conditions_id"), ["conditions_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_shop_order_delivery_id_state"), ["delivery_id", "state"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_shop_order_pickup_point_id"), ["pickup_point_id"], unique=False)

    op.create_table(
        "wish",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("missed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_wish_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_wish_article_id_article")),
        sa.PrimaryKeyConstraint("account_id", "article_id", name=op.f("pk_wish")),
    )
    with op.batch_alter_table("wish", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_article_id"), ["article_id"], unique=False)

    op.create_table(
        "cart_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("seen_price", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_line_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["cart.account_id"], name=op.f("fk_cart_line_account_id_cart"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["article_id"], ["article.id"], name=op.f("fk_cart_line_article_id_article")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_line")),
    )
    with op.batch_alter_table("cart_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_cart_line_account_id_article_id"), ["account_id", "article_id"], unique=True
        )
        batch_op.create_index(batch_op.f("ix_cart_line_article_id"), ["article_id"], unique=False)

    op.create_table(
        "order_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "what",
            sa.Enum(
                "placed",
                "changed",
                "accepted",
                "refused",
                "short",
                "weighed",
                "moved",
                "prepared",
                "delivered",
                "cancelled",
                "withdrawn",
                name="happening",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_order_event_by_id_account")),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["shop_order.id"],
            name=op.f("fk_order_event_order_id_shop_order"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    with op.batch_alter_table("order_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_event_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_event_order_id"), ["order_id"], unique=False)

    op.create_table(
        "voucher_use",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["shop_order.id"],
            name=op.f("fk_voucher_use_order_id_shop_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["voucher.id"], name=op.f("fk_voucher_use_voucher_id_voucher")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_voucher_use")),
    )
    with op.batch_alter_table("voucher_use", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_voucher_use_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["shop_order.id"],
            name=op.f("fk_withdrawal_order_id_shop_order"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
    )
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_withdrawal_order_id"), ["order_id"], unique=False)

    op.create_table(
        "order_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("article_id", sa.Integer(), nullable=False),
        sa.Column("instead_of_id", sa.Integer(), nullable=True),
        sa.Column("withdrawal_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "sale_unit",
            sa.Enum("piece", "bunch", "jar", "pack", "weight", name="saleunit", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("given", sa.Integer(), nullable=True),
        sa.Column("unit_price", sa.Integer(), nullable=False),
        sa.Column("vat_basis_points", sa.Integer(), nullable=False),
        sa.Column("perishable", sa.Boolean(), nullable=False),
        sa.CheckConstraint("given >= 0", name=op.f("ck_order_line_given_not_negative")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_order_line_quantity_not_negative")),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_order_line_article_id_article")
        ),
        sa.ForeignKeyConstraint(
            ["instead_of_id"], ["order_line.id"], name=op.f("fk_order_line_instead_of_id_order_line")
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["shop_order.id"],
            name=op.f("fk_order_line_order_id_shop_order"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["withdrawal_id"], ["withdrawal.id"], name=op.f("fk_order_line_withdrawal_id_withdrawal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_line_article_id"), ["article_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_line_instead_of_id"), ["instead_of_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_line_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_order_line_withdrawal_id"), ["withdrawal_id"], unique=False)

    with op.batch_alter_table("farm_profile", schema=None) as batch_op:
        batch_op.add_column(sa.Column("certifier", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("certificate", sa.String(length=300), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_farm_profile_certificate_whole"), "(certifier IS NULL) = (certificate IS NULL)"
        )


def downgrade() -> None:
    with op.batch_alter_table("farm_profile", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_farm_profile_certificate_whole"), type_="check")
        batch_op.drop_column("certificate")
        batch_op.drop_column("certifier")

    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_line_withdrawal_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_order_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_instead_of_id"))
        batch_op.drop_index(batch_op.f("ix_order_line_article_id"))

    op.drop_table("order_line")
    with op.batch_alter_table("withdrawal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_withdrawal_order_id"))

    op.drop_table("withdrawal")
    with op.batch_alter_table("voucher_use", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_voucher_use_voucher_id"))

    op.drop_table("voucher_use")
    with op.batch_alter_table("order_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_event_order_id"))
        batch_op.drop_index(batch_op.f("ix_order_event_by_id"))

    op.drop_table("order_event")
    with op.batch_alter_table("cart_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cart_line_article_id"))
        batch_op.drop_index(batch_op.f("ix_cart_line_account_id_article_id"))

    op.drop_table("cart_line")
    with op.batch_alter_table("wish", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wish_article_id"))

    op.drop_table("wish")
    with op.batch_alter_table("shop_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shop_order_pickup_point_id"))
        batch_op.drop_index(batch_op.f("ix_shop_order_delivery_id_state"))
        batch_op.drop_index(batch_op.f("ix_shop_order_conditions_id"))
        batch_op.drop_index(batch_op.f("ix_shop_order_account_id_placed_at"))

    op.drop_table("shop_order")
    with op.batch_alter_table("not_on_tour", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_not_on_tour_tour_id"))

    op.drop_table("not_on_tour")
    with op.batch_alter_table("delivery_stock", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_stock_delivery_id"))

    op.drop_table("delivery_stock")
    with op.batch_alter_table("cart", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cart_pickup_point_id"))
        batch_op.drop_index(batch_op.f("ix_cart_delivery_id"))

    op.drop_table("cart")
    op.drop_table("article_price")
    op.drop_table("picture_size")
    with op.batch_alter_table("mail_attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_attachment_digest"))

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_recipient"))

    op.drop_table("mail_attachment")
    with op.batch_alter_table("article", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_article_supplier_id"))
        batch_op.drop_index(batch_op.f("ix_article_product_id"))
        batch_op.drop_index(batch_op.f("ix_article_picture_id"))
        batch_op.drop_index(batch_op.f("ix_article_category_id"))

    op.drop_table("article")
    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_address_account_id"))

    op.drop_table("address")
    op.drop_table("voucher")
    op.drop_table("supplier")
    op.drop_table("stored_file")
    op.drop_table("shop_settings")
    op.drop_table("picture")
    op.drop_table("conditions")
    op.drop_table("category")
