"""What trainers have done with messages of patients. A message is known by a hash: no words of a patient stand here."""

from sqlalchemy import Column, Integer, String, Table, Text

from bot.storage.engine import metadata
from bot.storage.types import UtcDateTime

training_marks = Table(
    "training_marks",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 of the folded text: duplicates are one
    Column("state", String(10), nullable=False),  # labelled · skipped
    Column("label", String(80)),
    Column("file", String(120)),
    Column("example", Text),  # as it was written into the file, so that it can be taken back
    Column("staff_id", Integer, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
)
