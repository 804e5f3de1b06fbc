"""Offers to the waitlist, stopped clinics that patients are told of, codes a phone was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("clinic_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("by_hand", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("told_stopped", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("waitlist", schema=None) as batch_op:
        batch_op.add_column(sa.Column("opening_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("offered_until", sa.DateTime(), nullable=True))
        batch_op.create_foreign_key("fk_waitlist_opening_id", "openings", ["opening_id"], ["id"])
        batch_op.create_index("ix_waitlist_state", ["state", "session_id"], unique=False)
    op.create_table(
        "phone_codes",
        sa.Column("phone_print", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("phone_print", name=op.f("pk_phone_codes")),
    )


def downgrade() -> None:
    op.drop_table("phone_codes")
    with op.batch_alter_table("waitlist", schema=None) as batch_op:
        batch_op.drop_index("ix_waitlist_state")
        batch_op.drop_constraint("fk_waitlist_opening_id", type_="foreignkey")
        batch_op.drop_column("offered_until")
        batch_op.drop_column("opening_id")
    with op.batch_alter_table("clinic_sessions", schema=None) as batch_op:
        batch_op.drop_column("told_stopped")
        batch_op.drop_column("by_hand")
