"""What the patient hears of his ticket: at each change, before a delay, after one (R3, R6, R55, R58)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bot.clock import moment_text
from bot.conversations import telling
from bot.conversations.tables import conversations
from bot.tickets.model import LEVELS, STATES, SUBJECTS
from bot.tickets.service import note_event

PROGRESS = {
    "assign": "您的{subject}（{number}）已由专人负责，我们最迟{due}前答复您。",
    "investigate": "您的{subject}（{number}）正在调查核实，我们最迟{due}前答复您。",
    "answer": "您的{subject}（{number}）已有处理意见，工作人员会尽快告诉您。",
    "feedback": "您的{subject}（{number}）处理结果：{result}\n如果您有不同的意见，请在这里告诉我们，我们可以重新办理。",
    "close": "您的{subject}（{number}）已办结。谢谢您告诉我们，我们会据此改进。",
    "reopen": "您的{subject}（{number}）已重新办理，我们最迟{due}前答复您。",
    "withdraw": "您的{subject}（{number}）已撤回。需要时，您可以随时再告诉我们。",
    "escalate": "您的{subject}（{number}）已上报{level}办理，我们最迟{due}前答复您。",
    "extend": "您的{subject}（{number}）涉及多个科室，需要一起核实，我们最迟{due}前答复您，请您谅解。",
    "warning": "您的{subject}（{number}）还在处理，我们最迟{due}前答复您。需要您补充材料时，我们会提前联系您。",
    "overdue": "很抱歉让您久等了，您的{subject}（{number}）还没有处理完，已上报{level}督办。我们会在{next}前告诉您进展。",
}


def tell(conn: Connection, row, what: str, actor: str, now: datetime, **values: str) -> bool:
    """Write a line of progress into the patient's talk; False (and noted: to be called) when there is none."""
    text = PROGRESS[what].format(
        subject=SUBJECTS[row.kind],
        number=row.number,
        due=moment_text(row.due_at) if row.due_at else "",
        level=LEVELS[row.level],
        **values,
    )
    return say(conn, row, text, actor, now)


def say(conn: Connection, row, text: str, actor: str, now: datetime) -> bool:
    """Write any line about a ticket into the patient's talk and keep it in the history."""
    reachable = row.conversation_id is not None and _exists(conn, row.conversation_id)
    if reachable:
        telling.tell(conn, row.conversation_id, text, now, {"ticket": row.number, "notice": _short(row)})
    note_event(conn, row.id, "told" if reachable else "to_be_called", actor, now, text=text)
    return reachable


def _short(row) -> dict:
    """Give what a push channel says where the patient may no longer be written to: the number and its state, no content."""
    facts = {"department": "", "time": "", "place": "", "number": row.number or "", "state": STATES[row.state]}
    return {"kind": "ticket_progress", "facts": {**facts, "tip": "请打开公众号查看进展"}}


def _exists(conn: Connection, conversation_id: str) -> bool:
    found = conn.execute(select(conversations.c.id).where(conversations.c.id == conversation_id))
    return found.first() is not None
