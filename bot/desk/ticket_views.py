"""Rows of tickets into what the page shows: contact and names masked, words for every code. Pure."""

import json
from datetime import datetime

from bot.clock import moment_text
from bot.desk.store import masked_name
from bot.hospital.load import load_hospital
from bot.patients.masking import mask
from bot.staff.service import Staff
from bot.tickets import model, sla

STATES = {  # in the words of the house
    **model.STATES,
    "draft": "草稿",
    "confirmed": "待分派",
    "assigned": "已分派",
    "investigating": "调查中",
    "answered": "待反馈",
    "feedback": "待办结",
}
CONTACTS = {"phone": "联系电话", "other": "其他联系方式"}
FIELDS = {
    "event": "事情经过",
    "place_time": "时间地点",
    "staff": "涉及人员",
    "demand": "诉求",
    "evidence": "证据材料",
    "relation": "与患者关系",
    "direction": "转诊方向",
    "hospital": "对方医院",
    "date": "日期",
}
EVENTS = {
    **model.STEP_NAMES,
    "drafted": "开始登记",
    "confirmed": "患者确认提交",
    "entered": "工作人员登记",
    "filed": "登记完成",
    "routed_quality": "转质量控制科",
    "meeting_requested": "要求召开联席会议",
    "leader_notified": "已报院办",
    "withdrawn": "患者撤回",
    "told": "告知患者",
    "to_be_called": "需要电话告知患者",
    "warned": "临近期限提醒",
    "overdue": "已超期，上报上一级",
    "facts": "更正内容",
    "note": "备注",
    "linked": "关联工单",
    "attached": "添加附件",
    "task": "请科室协助",
    "task_acknowledged": "科室已签收",
    "task_answered": "科室已答复",
    "task_unacknowledged": "科室尚未签收",
}
OFFICES = {"quality": "质量控制科"}


def item(row, names: dict[int, str], moment: datetime) -> dict:
    """Give a ticket as a list shows it at a moment."""
    content = json.loads(row.content)
    return {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "kind_name": model.KINDS[row.kind],
        "type": row.type,
        "type_name": model.TYPES.get(row.type or "", "") if row.kind == "complaint" else "",
        "state": row.state,
        "state_name": STATES[row.state],
        "urgency": row.urgency,
        "severity": row.severity,
        "level": row.level,
        "level_name": model.LEVELS[row.level],
        "channel": model.CHANNELS.get(row.channel, row.channel),
        "departments": [department(code) for code in row.departments or []],
        "assignee": names.get(row.assignee, "") if row.assignee else None,
        "received": row.received_at.isoformat(),
        "due": row.due_at.isoformat() if row.due_at else None,
        "due_text": moment_text(row.due_at) if row.due_at else "",
        "due_provisional": row.due_at is not None and not sla.published(row.due_at.year),
        "days_left": sla.days_left(moment, row.due_at) if row.due_at else None,
        "next": row.next_action_at.isoformat() if row.next_action_at else None,
        "overdue": row.overdue,
        "warned": row.warned,
        "event": mask(str(content.get("event", ""))).text[:80],
    }


def whole(row, names: dict[int, str], who: Staff, moment: datetime) -> dict:
    """Give all fields. Names and numbers are masked; a liaison sees the case, not the person (R5, R8)."""
    content = json.loads(row.content)
    facts = [{"name": name, "value": mask(str(content[key])).text} for key, name in FIELDS.items() if content.get(key)]
    person = []
    if who.role != "liaison":
        for key, name in (("complainant", "反映人"), ("patient", "患者")):
            if content.get(key):
                person.append({"name": name, "value": masked_name(str(content[key]))})
        contact = content.get("contact") or {}
        for key, value in (contact if isinstance(contact, dict) else {"other": contact}).items():
            if value:
                person.append({"name": CONTACTS.get(key, "联系方式"), "value": mask(str(value)).text})
    return {
        **item(row, names, moment),
        "subtype": row.subtype,
        "subtype_name": model.SUBTYPES.get(row.type or "", {}).get(row.subtype or "", ""),
        "route": model.ROUTE_NAMES.get(row.route, row.route),
        "chat": row.conversation_id if who.may("read_chats") else None,
        "anonymous": row.anonymous,
        "dispute": row.dispute,
        "facts": facts,
        "person": person,
        "checklist": content.get("checklist") or {},
        "accused": json.loads(row.accused or "[]"),
        "amount": row.amount / 100 if row.amount is not None else None,
        "compensation": row.compensation / 100 if row.compensation is not None else None,
        "first_owner": names.get(row.first_owner, "") if row.first_owner else None,
        "investigator": names.get(row.investigator, "") if row.investigator else None,
        "entered_by": names.get(row.entered_by, "") if row.entered_by else None,
        "working_days": row.working_days,
        "findings": row.findings,
        "result": row.result,
        "result_sent": row.result_sent_at.isoformat() if row.result_sent_at else None,
        "lesson": row.lesson,
        "closed": row.closed_at.isoformat() if row.closed_at else None,
    }


def event(row) -> dict:
    """Give a line of the history."""
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "by": _who(row.actor),
        "what": row.what,
        "name": EVENTS.get(row.what, row.what),
        "detail": row.detail or {},
        "text": mask(row.text).text if row.text else None,
    }


def _who(actor: str) -> str:
    kind, _, number = actor.partition(":")
    return f"工号{number}" if kind == "staff" else "患者" if kind == "conversation" else "系统"


def task(row, number: str | None, names: dict[int, str]) -> dict:
    """Give a task of a department."""
    return {
        "id": row.id,
        "ticket": row.ticket_id,
        "number": number,
        "department": department(row.department),
        "kind": row.kind,
        "kind_name": model.TASK_KINDS[row.kind],
        "text": mask(row.text).text,
        "asked_by": names.get(row.asked_by, "") if row.asked_by else "系统",
        "at": row.at.isoformat(),
        "due": row.due_at.isoformat(),
        "acknowledged": row.acknowledged_at.isoformat() if row.acknowledged_at else None,
        "acknowledged_by": names.get(row.acknowledged_by) if row.acknowledged_by else None,
        "answer": mask(row.answer).text if row.answer else None,
        "answered": row.answered_at.isoformat() if row.answered_at else None,
    }


def department(code: str) -> str:
    """Give the name of a department or office."""
    known = load_hospital().departments.get(code)
    return known.name if known else OFFICES.get(code, code)
