"""Joining, the account, leaving: codes and second factors, consents, contracts, campaigns, contact, departures.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "wish",
            sa.Enum(
                "reset",
                "code",
                "sign_up",
                "identifier",
                "withdrawal",
                name="mailwish",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("typed", sa.String(length=254), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=True),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_request")),
    )
    op.create_table(
        "mailed_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("enter", "proof", "merge", name="codepurpose", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("visit", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_code")),
        sa.UniqueConstraint("purpose", "email", "visit", name=op.f("uq_mailed_code_purpose_email_visit")),
    )
    with op.batch_alter_table("mailed_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailed_code_email"), ["email"], unique=False)

    op.create_table(
        "page_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "page",
            sa.Enum("legal", "privacy", "accessibility", name="page", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_text")),
    )
    with op.batch_alter_table("page_text", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_text_page_id"), ["page", "id"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("heading", sa.String(length=80), nullable=False),
        sa.Column("asked", sa.String(length=200), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_table(
        "account_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("from_id", sa.Integer(), nullable=False),
        sa.Column("into_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["from_id"], ["account.id"], name=op.f("fk_account_merge_from_id_account")),
        sa.ForeignKeyConstraint(["into_id"], ["account.id"], name=op.f("fk_account_merge_into_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_merge")),
        sa.UniqueConstraint("from_id", name=op.f("uq_account_merge_from_id")),
    )
    with op.batch_alter_table("account_merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_merge_into_id"), ["into_id"], unique=False)

    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "topic",
            sa.Enum("letter", "shop", "events", name="topic", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("subject", sa.String(length=150), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("letter", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "scheduled",
                "sending",
                "sent",
                "stopped",
                name="campaignstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_campaign_made_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_made_by"), ["made_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_campaign_send_at"), ["send_at"], unique=False)

    op.create_table(
        "company",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("vat_number", sa.String(length=20), nullable=True),
        sa.Column("siren", sa.String(length=9), nullable=True),
        sa.Column(
            "state",
            sa.Enum("asked", "approved", "refused", name="companystate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "vat_state",
            sa.Enum(
                "unasked", "valid", "invalid", "unavailable", name="vatstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("vat_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vat_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vat_tries", sa.Integer(), nullable=False),
        sa.CheckConstraint("vat_number IS NOT NULL OR siren IS NOT NULL", name=op.f("ck_company_has_number")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_company_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_company")),
    )
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_company_vat_due_at"), ["vat_due_at"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "topic",
            sa.Enum("letter", "shop", "events", name="topic", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "sign_up", "account", "mail", "staff", name="consentsource", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("wording", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_consent_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_consent_account_id_topic_id"), ["account_id", "topic", "id"], unique=False
        )

    op.create_table(
        "contact_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column(
            "subject",
            sa.Enum(
                "box",
                "order",
                "invoice",
                "joining",
                "sign_in",
                "deletion",
                "termination",
                "two_accounts",
                "personal_data",
                "other",
                name="subject",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum("new", "taken", "done", name="contactstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("taken_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_contact_message_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["taken_by"], ["account.id"], name=op.f("fk_contact_message_taken_by_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_message")),
    )
    with op.batch_alter_table("contact_message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_message_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_message_state_id"), ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_message_taken_by"), ["taken_by"], unique=False)

    op.create_table(
        "departure",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erase_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_departure_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_departure")),
    )
    with op.batch_alter_table("departure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_departure_erase_at"), ["erase_at"], unique=False)

    op.create_table(
        "inactivity_notice",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_inactivity_notice_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "days", name=op.f("pk_inactivity_notice")),
    )
    op.create_table(
        "joining_draft",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("chosen", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_joining_draft_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_joining_draft")),
    )
    op.create_table(
        "muted",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column(
            "notice",
            sa.Enum("composition", "cutoff", "pickup", name="notice", native_enum=False, length=40),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_muted_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "notice", name=op.f("pk_muted")),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("credential", sa.String(length=1400), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_passkey_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential", name=op.f("uq_passkey_credential")),
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_account_id"), ["account_id"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_recovery_code_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_account_id"), ["account_id"], unique=False)

    op.create_table(
        "second_factor",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_second_factor_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "social_identity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_social_identity_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_social_identity")),
        sa.UniqueConstraint("account_id", "provider", name=op.f("uq_social_identity_account_id_provider")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_social_identity_provider_subject")),
    )
    op.create_table(
        "termination",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("contact", sa.String(length=254), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("wished_day", sa.Date(), nullable=True),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settlement", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_termination_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_termination")),
    )
    with op.batch_alter_table("termination", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_termination_account_id"), ["account_id"], unique=False)

    op.create_table(
        "birthday_gift",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("voucher_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_birthday_gift_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"],
            ["voucher.id"],
            name=op.f("fk_birthday_gift_voucher_id_voucher"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "year", name=op.f("pk_birthday_gift")),
    )
    with op.batch_alter_table("birthday_gift", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_birthday_gift_voucher_id"), ["voucher_id"], unique=False)

    op.create_table(
        "campaign_mail",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("mail_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_campaign_mail_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_mail_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["mail_id"], ["mail.id"], name=op.f("fk_campaign_mail_mail_id_mail"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "account_id", name=op.f("pk_campaign_mail")),
    )
    with op.batch_alter_table("campaign_mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_mail_account_id"), ["account_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_campaign_mail_campaign_id_mail_id"), ["campaign_id", "mail_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_campaign_mail_mail_id"), ["mail_id"], unique=False)

    op.create_table(
        "contact_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_contact_answer_by_id_account")),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["contact_message.id"],
            name=op.f("fk_contact_answer_message_id_contact_message"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_answer")),
    )
    with op.batch_alter_table("contact_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_answer_by_id"), ["by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_answer_message_id"), ["message_id"], unique=False)

    op.create_table(
        "contact_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("content_type", sa.String(length=80), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["contact_message.id"],
            name=op.f("fk_contact_file_message_id_contact_message"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_file")),
    )
    with op.batch_alter_table("contact_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_file_message_id"), ["message_id"], unique=False)

    op.create_table(
        "contract",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("conditions_id", sa.Integer(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paper", sa.LargeBinary(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conditions_id"], ["conditions.id"], name=op.f("fk_contract_conditions_id_conditions")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_contract_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("subscription_id", name=op.f("uq_contract_subscription_id")),
    )
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_conditions_id"), ["conditions_id"], unique=False)

    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("person", "partner", name="handoverkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_handover_made_by_account")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscription.id"], name=op.f("fk_handover_subscription_id_subscription")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("subscription_id", "week", name=op.f("uq_handover_subscription_id_week")),
    )
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handover_made_by"), ["made_by"], unique=False)

    op.create_table(
        "reminder",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column(
            "notice",
            sa.Enum("composition", "cutoff", "pickup", name="notice", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_reminder_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_reminder_delivery_id_delivery")
        ),
        sa.PrimaryKeyConstraint("account_id", "delivery_id", "notice", name=op.f("pk_reminder")),
    )
    with op.batch_alter_table("reminder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reminder_delivery_id"), ["delivery_id"], unique=False)

    op.create_table(
        "waiting",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("pickup_point_id", sa.Integer(), nullable=False),
        sa.Column("formula_id", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_waiting_account_id_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["formula_id"], ["formula.id"], name=op.f("fk_waiting_formula_id_formula")),
        sa.ForeignKeyConstraint(
            ["pickup_point_id"], ["pickup_point.id"], name=op.f("fk_waiting_pickup_point_id_pickup_point")
        ),
        sa.PrimaryKeyConstraint("account_id", "pickup_point_id", name=op.f("pk_waiting")),
    )
    with op.batch_alter_table("waiting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_waiting_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_waiting_formula_id"), ["formula_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_waiting_pickup_point_id_asked_at"), ["pickup_point_id", "asked_at"], unique=False
        )

    op.create_table(
        "contract_withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contract_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=160), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_contract_withdrawal_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_withdrawal")),
        sa.UniqueConstraint("contract_id", name=op.f("uq_contract_withdrawal_contract_id")),
    )
    op.execute(
        "INSERT INTO mail_request (wish, typed, due_at) SELECT 'reset', email, created_at FROM reset_request"
    )
    op.drop_table("reset_request")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_proven_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("birthday", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("language", sa.String(length=5), server_default="fr", nullable=False))
        batch_op.add_column(
            sa.Column(
                "payment_means",
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
            )
        )
        batch_op.add_column(sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("payer_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_account_payer_id"), ["payer_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_account_payer_id_account"), "account", ["payer_id"], ["id"]
        )
        batch_op.create_check_constraint(op.f("ck_account_birthday_is_day"), "birthday BETWEEN 101 AND 1231")
        batch_op.create_check_constraint(op.f("ck_account_payer_is_other"), "payer_id <> id")
    op.execute(
        "UPDATE account SET seen_at = COALESCE("
        "(SELECT MAX(seen_at) FROM sign_in_session WHERE account_id = account.id), created_at)"
    )

    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.add_column(sa.Column("delivery", sa.Boolean(), server_default="0", nullable=False))

    with op.batch_alter_table("farm_profile", schema=None) as batch_op:
        batch_op.add_column(sa.Column("legal_name", sa.String(length=160), nullable=True))
        batch_op.add_column(sa.Column("legal_form", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("siret", sa.String(length=14), nullable=True))
        batch_op.add_column(sa.Column("register", sa.String(length=120), nullable=True))
        batch_op.add_column(sa.Column("vat_number", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("director", sa.String(length=160), nullable=True))
        batch_op.add_column(sa.Column("host", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("mediator", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("mediator_site", sa.String(length=300), nullable=True))
        batch_op.add_column(sa.Column("partner", sa.String(length=160), nullable=True))
        batch_op.add_column(sa.Column("inactive_years", sa.Integer(), server_default="3", nullable=False))
        batch_op.add_column(
            sa.Column(
                "accessibility",
                sa.Enum(
                    "full", "partial", "none", "exempt", name="accessibility", native_enum=False, length=40
                ),
                server_default="none",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("birthday_gift", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unsubscribe", sa.String(length=300), nullable=True))

    with op.batch_alter_table("mailed_link", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email", sa.String(length=254), nullable=True))
        batch_op.add_column(sa.Column("name", sa.String(length=80), nullable=True))

    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.add_column(sa.Column("account_id", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_voucher_account_id"), ["account_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_voucher_account_id_account"), "account", ["account_id"], ["id"], ondelete="CASCADE"
        )


def downgrade() -> None:
    with op.batch_alter_table("voucher", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_voucher_account_id_account"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_voucher_account_id"))
        batch_op.drop_column("account_id")

    with op.batch_alter_table("mailed_link", schema=None) as batch_op:
        batch_op.drop_column("name")
        batch_op.drop_column("email")

    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_column("unsubscribe")

    with op.batch_alter_table("farm_profile", schema=None) as batch_op:
        batch_op.drop_column("birthday_gift")
        batch_op.drop_column("accessibility")
        batch_op.drop_column("inactive_years")
        batch_op.drop_column("partner")
        batch_op.drop_column("mediator_site")
        batch_op.drop_column("mediator")
        batch_op.drop_column("host")
        batch_op.drop_column("director")
        batch_op.drop_column("vat_number")
        batch_op.drop_column("register")
        batch_op.drop_column("siret")
        batch_op.drop_column("legal_form")
        batch_op.drop_column("legal_name")

    with op.batch_alter_table("address", schema=None) as batch_op:
        batch_op.drop_column("delivery")

    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_account_birthday_is_day"), type_="check")
        batch_op.drop_constraint(op.f("ck_account_payer_is_other"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_account_payer_id_account"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_account_payer_id"))
        batch_op.drop_column("payer_id")
        batch_op.drop_column("erased_at")
        batch_op.drop_column("seen_at")
        batch_op.drop_column("payment_means")
        batch_op.drop_column("language")
        batch_op.drop_column("birthday")
        batch_op.drop_column("email_proven_at")

    op.create_table(
        "reset_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reset_request")),
    )
    op.execute(
        "INSERT INTO reset_request (email, created_at) SELECT typed, due_at FROM mail_request WHERE wish = 'reset'"
    )
    op.execute("DELETE FROM mailed_link WHERE purpose NOT IN ('reset_password', 'invite')")
    op.drop_table("contract_withdrawal")
    with op.batch_alter_table("waiting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_waiting_pickup_point_id_asked_at"))
        batch_op.drop_index(batch_op.f("ix_waiting_formula_id"))
        batch_op.drop_index(batch_op.f("ix_waiting_account_id"))

    op.drop_table("waiting")
    with op.batch_alter_table("reminder", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reminder_delivery_id"))

    op.drop_table("reminder")
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_handover_made_by"))

    op.drop_table("handover")
    with op.batch_alter_table("contract", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contract_conditions_id"))

    op.drop_table("contract")
    with op.batch_alter_table("contact_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_file_message_id"))

    op.drop_table("contact_file")
    with op.batch_alter_table("contact_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_answer_message_id"))
        batch_op.drop_index(batch_op.f("ix_contact_answer_by_id"))

    op.drop_table("contact_answer")
    with op.batch_alter_table("campaign_mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_mail_mail_id"))
        batch_op.drop_index(batch_op.f("ix_campaign_mail_campaign_id_mail_id"))
        batch_op.drop_index(batch_op.f("ix_campaign_mail_account_id"))

    op.drop_table("campaign_mail")
    with op.batch_alter_table("birthday_gift", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_birthday_gift_voucher_id"))

    op.drop_table("birthday_gift")
    with op.batch_alter_table("termination", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_termination_account_id"))

    op.drop_table("termination")
    op.drop_table("social_identity")
    op.drop_table("second_factor")
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_account_id"))

    op.drop_table("recovery_code")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_account_id"))

    op.drop_table("passkey")
    op.drop_table("muted")
    op.drop_table("joining_draft")
    op.drop_table("inactivity_notice")
    with op.batch_alter_table("departure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_departure_erase_at"))

    op.drop_table("departure")
    with op.batch_alter_table("contact_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_message_taken_by"))
        batch_op.drop_index(batch_op.f("ix_contact_message_state_id"))
        batch_op.drop_index(batch_op.f("ix_contact_message_account_id"))

    op.drop_table("contact_message")
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consent_account_id_topic_id"))

    op.drop_table("consent")
    with op.batch_alter_table("company", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_company_vat_due_at"))

    op.drop_table("company")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_send_at"))
        batch_op.drop_index(batch_op.f("ix_campaign_made_by"))

    op.drop_table("campaign")
    with op.batch_alter_table("account_merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_merge_into_id"))

    op.drop_table("account_merge")
    op.drop_table("question")
    with op.batch_alter_table("page_text", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_page_text_page_id"))

    op.drop_table("page_text")
    with op.batch_alter_table("mailed_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mailed_code_email"))

    op.drop_table("mailed_code")
    op.drop_table("mail_request")
