"""What trainers have done with messages."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training_marks",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=True),
        sa.Column("file", sa.String(length=120), nullable=True),
        sa.Column("example", sa.Text(), nullable=True),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_training_marks")),
    )
    op.create_index(op.f("ix_training_marks_staff_id"), "training_marks", ["staff_id"], unique=False)


def downgrade() -> None:
    op.drop_table("training_marks")
