"""Who works at the desk: duty, colleagues, accounts, and the reading of the audit."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from bot.clock import SHANGHAI, now
from bot.conversations.tables import conversations
from bot.desk.door import actor
from bot.errors import DaoyiError
from bot.hospital.load import load_hospital
from bot.patients import access
from bot.patients.tables import audit
from bot.staff import service as staff
from bot.staff.roles import ROLES
from bot.staff.service import Staff
from bot.staff.tables import staff as accounts_table
from bot.storage.engine import reading, writing
from bot.web.errors import Refused

AUDIT_PAGE = 100
UNKNOWN = "没有找到这个账号，列表已为您更新。"
YOURSELF = "请由另一位管理员为您办理。"
BAD_ACCOUNT = "请核对：工号和姓名必填，工号未被使用，密码至少十位，权限和技能组从列表中选择，接待上限1至20。"


def set_duty(who: Staff, duty: str) -> dict:
    """Say whether he takes talks himself, is given them, or has a break. Raises Refused (400)."""
    _change(who, who.id, "duty", lambda conn: staff.set_duty(conn, who.id, duty), {"duty": duty})
    return {"duty": duty}


def colleagues(who: Staff) -> dict:
    """Give the open accounts that serve or decide, with how many talks each holds now."""
    moment = now()
    with reading() as conn:
        held = _held(conn)
        rows = [row for row in staff.everybody(conn) if row.active and row.role not in ("trainer", "admin")]
    return {"colleagues": [_colleague(row, held, moment) for row in rows]}


def accounts(who: Staff) -> dict:
    """Give every account."""
    moment = now()
    with reading() as conn:
        held = _held(conn)
        rows = staff.everybody(conn)
    return {"staff": [{**_colleague(row, held, moment), "active": row.active} for row in rows]}


def _held(conn: Connection) -> dict[int, int]:
    counted = select(conversations.c.agent_id, func.count()).where(conversations.c.holder == "agent")
    return dict(conn.execute(counted.group_by(conversations.c.agent_id)).all())


def _colleague(row, held: dict[int, int], moment: datetime) -> dict:
    return {
        "id": row.id,
        "number": row.number,
        "name": row.name,
        "role": row.role,
        "role_name": ROLES[row.role],
        "duty": row.duty,
        "here": row.seen_at is not None and row.seen_at >= moment - staff.HERE,
        "talks": held.get(row.id, 0),
        "capacity": row.capacity,
        "skills": row.skills or [],
        "department": row.department,
    }


def add(who: Staff, number: str, name: str, role: str, password: str) -> dict:
    """Make an account. Raises Refused (400)."""
    if not number or not name:
        raise Refused(400, "bad_account", BAD_ACCOUNT)
    deed = {"number": number, "role": role}
    _change(who, None, "account_add", lambda conn: staff.add(conn, number, name, role, password), deed)
    return accounts(who)


def set_work(who: Staff, account: int, capacity: int, skills: list[str], department: str) -> dict:
    """Set capacity, skill groups and a liaison's department. Raises Refused (400, 404)."""
    if department and department not in load_hospital().departments:
        raise Refused(400, "bad_account", BAD_ACCOUNT)
    deed = {"capacity": capacity, "skills": skills, "department": department or None}
    _change(
        who,
        account,
        "account_work",
        lambda conn: staff.set_work(conn, account, capacity, skills, department or None),
        deed,
    )
    return accounts(who)


def set_role(who: Staff, account: int, role: str) -> dict:
    """Change what somebody else may do. Raises Refused (400, 403, 404)."""
    _not_himself(who, account)
    _change(who, account, "account_role", lambda conn: staff.set_role(conn, account, role), {"role": role})
    return accounts(who)


def set_password(who: Staff, account: int, password: str) -> dict:
    """Set a new password and end every sign-in of that account. Raises Refused (400, 404)."""
    _change(who, account, "account_password", lambda conn: staff.set_password(conn, account, password), {})
    return accounts(who)


def close(who: Staff, account: int) -> dict:
    """Close somebody else's account at once. Raises Refused (403, 404)."""
    _not_himself(who, account)
    _change(who, account, "account_close", lambda conn: staff.close(conn, account), {})
    return accounts(who)


def _not_himself(who: Staff, account: int) -> None:
    if account == who.id:  # the last administrator must not lock the house
        raise Refused(403, "yourself", YOURSELF)


def _change(who: Staff, account: int | None, action: str, deed, detail: dict) -> None:
    try:
        with writing() as conn:
            known = select(accounts_table.c.id).where(accounts_table.c.id == account)
            if account is not None and conn.execute(known).first() is None:
                raise Refused(404, "unknown_account", UNKNOWN)
            deed(conn)
            access.record(conn, actor(who), action, now(), detail={**detail, "account": account})
    except Refused:
        raise
    except DaoyiError as error:
        raise Refused(400, "bad_account", BAD_ACCOUNT) from error


def audit_entries(who: Staff, by: str, action: str, day: str, before: int) -> dict:
    """Give a page of the audit, the newest first; who read it is written there, too. Raises Refused (400)."""
    wanted = select(audit).order_by(audit.c.id.desc()).limit(AUDIT_PAGE + 1)
    if by:
        wanted = wanted.where(audit.c.actor == by)
    if action:
        wanted = wanted.where(audit.c.action == action)
    if before:
        wanted = wanted.where(audit.c.id < before)
    if day:
        try:
            start = datetime.fromisoformat(day).replace(tzinfo=SHANGHAI)
        except ValueError as error:
            raise Refused(400, "bad_date", "请选择正确的日期。") from error
        wanted = wanted.where(audit.c.at >= start, audit.c.at < start + timedelta(days=1))
    with writing() as conn:
        rows = conn.execute(wanted).all()
        access.record(conn, actor(who), "audit_read", now(), detail={"actor": by, "action": action, "day": day})
    entries = [
        {
            "id": row.id,
            "at": row.at.isoformat(),
            "actor": row.actor,
            "action": row.action,
            "patient": row.patient_id,
            "detail": row.detail,
        }
        for row in rows[:AUDIT_PAGE]
    ]
    return {"entries": entries, "more": len(rows) > AUDIT_PAGE}
