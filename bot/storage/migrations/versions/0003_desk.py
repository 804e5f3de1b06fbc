"""Tickets with tasks, links and files; hand-overs, marks, ratings, notes; duty of the staff; the audit append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GUARDS = {
    "sqlite": (
        """CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
        """CREATE TRIGGER audit_kept BEFORE DELETE ON audit
        WHEN NOT EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at < audit_retention.before)
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT 1 FROM audit_retention WHERE OLD.at < audit_retention.before) THEN RETURN OLD; END IF;
          END IF;
          RAISE EXCEPTION 'the audit is append-only';
        END $$""",
        "CREATE TRIGGER audit_unchanged BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
        "CREATE TRIGGER audit_kept BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    ),
}


def upgrade() -> None:
    op.create_table(
        "audit_retention",
        sa.Column("before", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("before", name=op.f("pk_audit_retention")),
    )
    op.create_table(
        "canned_replies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("shortcut", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canned_replies")),
        sa.UniqueConstraint("shortcut", name=op.f("uq_canned_replies_shortcut")),
    )
    op.create_table(
        "shift_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("to_id", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_reports")),
    )
    with op.batch_alter_table("shift_reports", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shift_reports_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "ticket_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("by", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_files")),
    )
    with op.batch_alter_table("ticket_files", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_files_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "ticket_links",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_links")),
        sa.UniqueConstraint("ticket_id", "other_id", name="uq_ticket_links_ticket_id"),
    )
    with op.batch_alter_table("ticket_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_links_other_id"), ["other_id"], unique=False)

    op.create_table(
        "ticket_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("acknowledged_by", sa.Integer(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_by", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_tasks")),
    )
    with op.batch_alter_table("ticket_tasks", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_tasks_department", ["department", "answered_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_tasks_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "chat_notes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_chat_notes_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_notes")),
    )
    with op.batch_alter_table("chat_notes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_notes_conversation_id"), ["conversation_id"], unique=False)

    op.create_table(
        "chat_tags",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_chat_tags_conversation_id")),
        sa.PrimaryKeyConstraint("conversation_id", "tag", name=op.f("pk_chat_tags")),
    )
    op.create_table(
        "episodes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("skill", sa.String(length=16), nullable=True),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=True),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("first_reply_at", sa.DateTime(), nullable=True),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("summary", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_episodes_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_episodes")),
    )
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_episodes_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_episodes_queued_at"), ["queued_at"], unique=False)

    op.create_table(
        "marks",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("agent_read", sa.Integer(), nullable=False),
        sa.Column("patient_got", sa.Integer(), nullable=False),
        sa.Column("patient_read", sa.Integer(), nullable=False),
        sa.Column("agent_typing_at", sa.DateTime(), nullable=True),
        sa.Column("patient_typing_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_marks_conversation_id")),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_marks")),
    )
    with op.batch_alter_table("marks", schema=None) as batch_op:
        batch_op.create_index("ix_marks_agent_typing_at", ["agent_typing_at"], unique=False)

    op.create_table(
        "ratings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("ref", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_ratings_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("kind", "ref", name="uq_ratings_kind"),
    )
    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ratings_conversation_id"), ["conversation_id"], unique=False)

    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("second_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("escalated_at", sa.DateTime(), nullable=True))

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("skill", sa.String(length=16), nullable=True))

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.add_column(sa.Column("duty", sa.String(length=8), server_default="manual", nullable=False))
        batch_op.add_column(sa.Column("capacity", sa.Integer(), server_default="5", nullable=False))
        batch_op.add_column(sa.Column("skills", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("department", sa.String(length=40), nullable=True))

    with op.batch_alter_table("ticket_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("text", sa.LargeBinary(), nullable=True))

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subtype", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("severity", sa.String(length=8), server_default="normal", nullable=False))
        batch_op.add_column(sa.Column("level", sa.String(length=12), server_default="service", nullable=False))
        batch_op.add_column(sa.Column("dispute", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("departments", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("accused", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("amount", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("compensation", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("entered_by", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("investigator", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("working_days", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("warned", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("findings", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("closed_at", sa.DateTime(), nullable=True))
        batch_op.alter_column(
            "state", existing_type=sa.VARCHAR(length=12), type_=sa.String(length=16), existing_nullable=False
        )
    op.execute("UPDATE tickets SET state = 'investigating' WHERE state = 'in_progress'")
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_unchanged")
        op.execute("DROP TRIGGER audit_kept")
    else:
        op.execute("DROP FUNCTION audit_refuse() CASCADE")
    op.execute("UPDATE tickets SET state = 'in_progress' WHERE state IN ('assigned', 'investigating')")
    op.execute("UPDATE tickets SET state = 'answered' WHERE state = 'feedback'")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.alter_column(
            "state", existing_type=sa.String(length=16), type_=sa.VARCHAR(length=12), existing_nullable=False
        )
        batch_op.drop_column("closed_at")
        batch_op.drop_column("findings")
        batch_op.drop_column("warned")
        batch_op.drop_column("working_days")
        batch_op.drop_column("investigator")
        batch_op.drop_column("entered_by")
        batch_op.drop_column("compensation")
        batch_op.drop_column("amount")
        batch_op.drop_column("accused")
        batch_op.drop_column("departments")
        batch_op.drop_column("dispute")
        batch_op.drop_column("level")
        batch_op.drop_column("severity")
        batch_op.drop_column("subtype")

    with op.batch_alter_table("ticket_events", schema=None) as batch_op:
        batch_op.drop_column("text")

    with op.batch_alter_table("staff", schema=None) as batch_op:
        batch_op.drop_column("department")
        batch_op.drop_column("skills")
        batch_op.drop_column("capacity")
        batch_op.drop_column("duty")

    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_column("skill")

    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_column("escalated_at")
        batch_op.drop_column("second_id")

    with op.batch_alter_table("ratings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ratings_conversation_id"))

    op.drop_table("ratings")
    op.drop_table("marks")
    with op.batch_alter_table("episodes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_episodes_queued_at"))
        batch_op.drop_index(batch_op.f("ix_episodes_conversation_id"))

    op.drop_table("episodes")
    op.drop_table("chat_tags")
    with op.batch_alter_table("chat_notes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_notes_conversation_id"))

    op.drop_table("chat_notes")
    with op.batch_alter_table("ticket_tasks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_tasks_ticket_id"))
        batch_op.drop_index("ix_ticket_tasks_department")

    op.drop_table("ticket_tasks")
    with op.batch_alter_table("ticket_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_links_other_id"))

    op.drop_table("ticket_links")
    with op.batch_alter_table("ticket_files", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_files_ticket_id"))

    op.drop_table("ticket_files")
    with op.batch_alter_table("shift_reports", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_shift_reports_staff_id"))

    op.drop_table("shift_reports")
    op.drop_table("canned_replies")
    op.drop_table("audit_retention")
