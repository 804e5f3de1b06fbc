"""Patients, who may speak for them, identity checks under way, and the audit. Names and numbers are encrypted."""

from sqlalchemy import DDL, Boolean, Column, Date, Index, Integer, String, Table, Text, UniqueConstraint, event

from bot.storage.engine import metadata
from bot.storage.types import Encrypted, Json, UtcDateTime

patients = Table(
    "patients",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(40)),  # in the hospital's own records; None for a new patient
    Column("name", Encrypted),
    Column("id_number", Encrypted),
    Column("id_print", String(64), unique=True),  # keyed hash, to look up
    Column("phone", Encrypted),
    Column("birth", Date),
    Column("sex", String(8)),
    Column("insurance_type", String(24)),
    Column("retired", Boolean),
    Column("deceased_at", UtcDateTime),
    Column("erased_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
)

links = Table(
    "identity_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("patient_id", Integer, nullable=False, index=True),
    Column("relation", Text, nullable=False, default=""),  # in the patient's words; "" is the writer himself
    Column("verified_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "patient_id", name="uq_identity_links_conversation_id"),
)

checks = Table(
    "identity_checks",
    metadata,
    Column("conversation_id", String(32), primary_key=True),
    Column("pieces", Encrypted),  # JSON: person_name, id_number, phone
    Column("consent_at", UtcDateTime),
    Column("code_hash", String(64)),
    Column("code_phone", String(64)),  # keyed hash of the phone the code went to
    Column("code_until", UtcDateTime),
    Column("code_turn", String(60)),
    Column("given_code", Encrypted),
    Column("tried_turn", String(60)),
    Column("failures", Integer, nullable=False, default=0),
    Column("locked_until", UtcDateTime),
)

phone_codes = Table(
    "phone_codes",
    metadata,
    Column("phone_print", String(64), primary_key=True),  # keyed hash
    Column("since", UtcDateTime, nullable=False),  # the hour that is counted began then
    Column("sent", Integer, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("purpose", String(40), nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(60), nullable=False),  # conversation:… or staff:…
    Column("action", String(40), nullable=False),
    Column("patient_id", Integer),
    Column("detail", Json),
    Column("note", Text),
    Index("ix_audit_patient_id", "patient_id", "at"),
)

# The audit is append-only: the database itself refuses a change, and a removal outside retention (网络安全法 art. 21: six
# months at least). Retention writes the moment before which rows may go, deletes, and takes the moment back.
audit_retention = Table("audit_retention", metadata, Column("before", UtcDateTime, primary_key=True))

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
for _dialect, _statements in GUARDS.items():
    for _statement in _statements:
        event.listen(audit, "after_create", DDL(_statement).execute_if(dialect=_dialect))
