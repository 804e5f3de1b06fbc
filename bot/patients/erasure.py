"""Export and erasure of a patient's data (PIPL art. 45, 47). The hospital's own medical records are not ours to erase."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from bot.clock import local
from bot.patients import access
from bot.patients.tables import checks, consents, links, patients


def export(conn: Connection, conversation_id: str, patient_id: int, now: datetime) -> list[tuple[str, str]]:
    """Give what we hold about a verified patient as (name, value), numbers masked; audited."""
    access.access_patient(conn, conversation_id, patient_id, "export", now)
    row = conn.execute(select(patients).where(patients.c.id == patient_id)).one()
    return [
        ("姓名", row.name),
        ("证件号码", row.id_number[:3] + "*" * 11 + row.id_number[-4:]),
        ("手机号", row.phone[:3] + "****" + row.phone[-4:]),
        ("出生日期", row.birth.isoformat() if row.birth else "未登记"),
        ("建立时间", f"{local(row.created_at):%Y-%m-%d}"),
    ]


def conversations_of(conn: Connection, patient_id: int) -> list[str]:
    """Give the conversations that have verified a patient."""
    return list(conn.execute(select(links.c.conversation_id).where(links.c.patient_id == patient_id)).scalars())


def erase(conn: Connection, conversation_id: str, patient_id: int, now: datetime) -> None:
    """Remove name, numbers, links and consents; the row stays without identity because bookings refer to it."""
    access.access_patient(conn, conversation_id, patient_id, "erase", now)
    conn.execute(
        update(patients)
        .where(patients.c.id == patient_id)
        .values(name=None, id_number=None, id_print=None, phone=None, birth=None, code=None, erased_at=now)
    )
    withdraw_consent(conn, conversation_id, now)
    conn.execute(delete(links).where(links.c.patient_id == patient_id))
    access.record(conn, f"conversation:{conversation_id}", "erased", now, patient_id)


def withdraw_consent(conn: Connection, conversation_id: str, now: datetime) -> None:
    """End the consent and every link of a conversation."""
    conn.execute(
        update(consents)
        .where(consents.c.conversation_id == conversation_id, consents.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now)
    )
    conn.execute(delete(links).where(links.c.conversation_id == conversation_id))
    conn.execute(delete(checks).where(checks.c.conversation_id == conversation_id))
    access.record(conn, f"conversation:{conversation_id}", "consent_withdrawn", now)
