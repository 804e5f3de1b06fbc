"""The one door to patient data: every read checks who asks and leaves a line in the audit (R5, R7, R8; PIPL art. 6, 51)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from bot.errors import DaoyiError
from bot.patients.tables import audit, audit_retention, links, patients


class NotVerified(DaoyiError):
    """The conversation has not proved that it may see this patient's data."""


@dataclass(frozen=True)
class Patient:
    """A patient as rules need him; names and numbers are shown masked."""

    id: int
    code: str | None  # in the hospital's records
    name: str
    sex: str | None
    birth: date | None
    insurance_type: str | None
    retired: bool

    def age(self, today: date) -> int | None:
        """Give full years, None where the birth date is unknown."""
        if self.birth is None:
            return None
        return today.year - self.birth.year - ((today.month, today.day) < (self.birth.month, self.birth.day))

    @property
    def shown_name(self) -> str:
        """Give the name with its middle hidden: 王*国."""
        if len(self.name) <= 1:
            return self.name
        return self.name[0] + "*" + (self.name[-1] if len(self.name) > 2 else "")


def linked(conn: Connection, conversation_id: str, now: datetime) -> dict[str, int]:
    """Give the patients a conversation has verified and whose check has not expired: relation → patient id."""
    rows = conn.execute(
        select(links.c.relation, links.c.patient_id)
        .where(links.c.conversation_id == conversation_id, links.c.expires_at > now)
        .order_by(links.c.verified_at)
    ).all()
    return {row.relation: row.patient_id for row in rows}


def relation(conn: Connection, conversation_id: str, patient_id: int) -> str:
    """Give how a conversation calls a patient it has verified once ("" for the writer himself or when it has not)."""
    same = (links.c.conversation_id == conversation_id, links.c.patient_id == patient_id)
    return conn.execute(select(links.c.relation).where(*same)).scalar() or ""


def access_patient(conn: Connection, conversation_id: str, patient_id: int, purpose: str, now: datetime) -> Patient:
    """Give a patient to a conversation that has verified him, and audit it. Raises NotVerified."""
    if patient_id not in linked(conn, conversation_id, now).values():
        raise NotVerified(f"conversation {conversation_id} has not verified patient {patient_id}")
    record(conn, f"conversation:{conversation_id}", "read", now, patient_id, {"purpose": purpose})
    return load(conn, patient_id)


def load(conn: Connection, patient_id: int) -> Patient:
    """Give a patient to code that has been through a door already."""
    row = conn.execute(select(patients).where(patients.c.id == patient_id)).one()
    return Patient(row.id, row.code, row.name or "", row.sex, row.birth, row.insurance_type, bool(row.retired))


def record(
    conn: Connection, actor: str, action: str, now: datetime, patient_id: int | None = None, detail: dict | None = None
) -> None:
    """Write a line of the audit; the database refuses to change it, or to remove it before retention does."""
    conn.execute(insert(audit).values(at=now, actor=actor, action=action, patient_id=patient_id, detail=detail))


def forget_old(conn: Connection, now: datetime, days: int) -> int:
    """Remove the audit's lines older than `days` (six months at least, 网络安全法 art. 21) and give how many these were."""
    before = now - timedelta(days=max(days, 183))
    conn.execute(insert(audit_retention).values(before=before))
    gone = conn.execute(delete(audit).where(audit.c.at < before)).rowcount
    conn.execute(delete(audit_retention))
    return gone
