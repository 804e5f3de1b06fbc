"""An SMS that a notice waits in the chat. It names no department, no doctor and no illness (PIPL art. 28, 51)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.hospital.load import load_hospital
from bot.patients import access, sms
from bot.patients.tables import patients
from bot.settings import settings
from bot.storage import due
from bot.storage.engine import writing


def schedule(conn: Connection, key: str, patient_id: int, text: str, now: datetime, until: datetime) -> None:
    """Let an SMS be sent, unless none has been sent by `until`; nothing happens where no gateway is set."""
    if settings().sms_url:
        due.schedule(conn, "sms", key, now, {"patient": patient_id, "text": text, "until": until.isoformat()})


def send(payload: dict, now: datetime) -> None:
    """Send what is due, outside every transaction: a gateway may be slow. Raises SmsFailed; the sweeper tries again."""
    if now > datetime.fromisoformat(payload["until"]):
        return
    with writing() as conn:
        phone = conn.execute(select(patients.c.phone).where(patients.c.id == payload["patient"])).scalar()
        if phone:
            access.record(conn, "system:sms", "read", now, payload["patient"], {"purpose": "notice by SMS"})
    if phone:
        sms.send(phone, f"【{load_hospital().info.name}】{payload['text']}")
