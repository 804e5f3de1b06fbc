"""Who is asking: consent, name, ID number, phone, code (R5-R8, R78, R79). Pieces go to bot/patients, never into a slot."""

import json
import re

from sqlalchemy import select

from actions.talk import Talk
from bot.clock import local
from bot.conversations import holding
from bot.conversations.tables import inbox
from bot.hospital.hours import is_open
from bot.hospital.load import load_hospital
from bot.patients import access, identity, sms
from bot.settings import settings
from bot.storage.engine import reading as reading_db
from bot.storage.engine import writing
from bot.tickets import service as tickets

PIECES = ("person_name", "id_number", "phone")
INVALID = "invalid"
HUMAN_BUTTON = [{"title": "转人工", "payload": "/request_human"}]
OWN = re.compile(r"我的|我自己|本人|我约|我查")
CHILDREN = {
    "孩子",
    "我孩子",
    "我家孩子",
    "宝宝",
    "我家宝宝",
    "儿子",
    "我儿子",
    "女儿",
    "我女儿",
    "娃",
    "我娃",
    "我家娃",
    "小孩",
    "我小孩",
    "孙子",
    "我孙子",
    "孙女",
}
WHO = {"": "您", "我妈": "您母亲", "我爸": "您父亲"}


def rules() -> identity.Rules:
    """Give the hospital's numbers for the check."""
    return identity.Rules(**load_hospital().info.identity)


def note(talk: Talk, kind: str, value):
    """Keep a piece outside the slots and give what the slot may hold: True, or "invalid"."""
    if value is True or value == INVALID or value == "resend":
        return value
    shown = value if isinstance(value, str) else str((value or {}).get("text") or "")
    original = _original(talk, kind, shown)
    with writing() as conn:
        good = identity.note(conn, talk.id, kind, original)
    return True if good else INVALID


def _original(talk: Talk, kind: str, shown: str) -> str:
    """Give what the patient typed where the edge has masked it; his words as they are otherwise."""
    with reading_db() as conn:
        rows = conn.execute(select(inbox.c.secrets).where(inbox.c.id.in_(talk.rows))).scalars().all()
    secrets = [s for row in rows if row for s in json.loads(row)]
    same = [s["value"] for s in secrets if s["masked"] == shown]
    kin = [s["value"] for s in secrets if s["kind"] == kind]
    return (same or kin or [shown])[0]


def relation_of(talk: Talk) -> str:
    """Give the relation of the patient to the writer, "" for himself."""
    value = talk.fact("relation")
    if isinstance(value, dict):
        value = value.get("text")
    return "" if value in (None, "", "本人", "我", "我自己", "自己") else str(value)


def whom(talk: Talk) -> str:
    """Give how the patient is called in a question: 您 or 您母亲."""
    relation = relation_of(talk)
    return WHO.get(relation, "您" if not relation else "就诊人（" + relation.replace("我", "您") + "）")


def known_patient(talk: Talk) -> int | None:
    """Give the patient this conversation has verified for the relation at hand, None when there is none."""
    with reading_db() as conn:
        linked = access.linked(conn, talk.id, talk.now)
    relation = relation_of(talk)
    if relation == "" and "" not in linked and len(linked) == 1 and not OWN.search(talk.message.text):
        if talk.fact("relation") is None:
            return next(iter(linked.values()))  # 退号, said after 帮我妈挂号, is still about her
    return linked.get(relation)


def verified(talk: Talk, purpose: str) -> access.Patient:
    """Give the verified patient, or lead through the check, a question at a time."""
    patient_id = known_patient(talk)
    if patient_id is None:
        patient_id = _check(talk, purpose)
    with writing() as conn:
        talk.patient = access.access_patient(conn, talk.id, patient_id, purpose, talk.now)
    return talk.patient


def _check(talk: Talk, purpose: str) -> int:
    with writing() as conn:
        consented = identity.has_consent(conn, talk.id)
        try:
            identity.check_not_locked(conn, talk.id, talk.now)
            locked = None
        except identity.Locked as error:
            locked = error.until
    if locked:
        _end_locked(talk, locked)
    if not consented:
        asking = "utter_ask_consent_child" if relation_of(talk) in CHILDREN else "utter_ask_consent"
        if not talk.agree("consent", asking, yes="同意", no="不同意", purpose=purpose):
            talk.say("utter_consent_refused", [{"title": "转人工", "payload": "/request_human"}])
            talk.forget("consent")
            talk.end()
        with writing() as conn:
            identity.give_consent(conn, talk.id, purpose, talk.now)
    for piece in PIECES:
        if talk.fact(piece) == INVALID:
            talk.forget(piece)
            talk.say(f"utter_invalid_{piece}")
        talk.need(piece, f"utter_ask_{piece}", who=whom(talk))
    return _code(talk)


def _code(talk: Talk) -> int:
    if talk.fact("code") == "resend":
        talk.forget("code", "code_sent")
    if not talk.fact("code_sent"):
        _send(talk)
    options = [{"title": "重新发送验证码", "value": "resend"}]
    talk.need("code", "utter_ask_code", options, minutes=rules().code_minutes)
    problem = None
    with writing() as conn:
        try:
            return identity.verify(conn, talk.id, relation_of(talk), talk.turn, talk.now, rules())
        except identity.WrongCode as error:
            problem = error
        except identity.Conflict as error:
            # R79: nothing is overwritten, a person looks at it.
            review = tickets.file(
                conn,
                talk.id,
                "review",
                {"event": "姓名、证件号码与预留手机号需要核对"},
                talk.now,
                "web",
                key=f"{talk.turn}:review",
            )
            talk.receipt(conn, f"信息核对单号：{review.number}。工作人员会在核对后联系您。")
            if is_open("agents", talk.now):
                holding.enqueue(conn, talk.id, "身份信息需要核对", talk.now, priority=5)
            identity.drop_pieces(conn, talk.id)
            left = identity.fail(conn, talk.id, talk.turn, talk.now, rules())
            problem = error
    if isinstance(problem, identity.Conflict):
        talk.say("utter_identity_conflict", [{"title": "转人工", "payload": "/request_human"}])
        talk.forget(*PIECES, "code", "code_sent")
        talk.end()
    left = problem.left
    if left == 0:
        with reading_db() as conn:
            until = conn.execute(
                select(identity.checks.c.locked_until).where(identity.checks.c.conversation_id == talk.id)
            ).scalar()
        _end_locked(talk, until)
    talk.forget("code")
    talk.say("utter_wrong_code", left=left)
    talk.ask("code", "utter_ask_code", options, minutes=rules().code_minutes)


def _send(talk: Talk) -> None:
    """Send the code. The demo sender shows it in the chat, marked as a demo; a real SMS gateway takes its place."""
    try:
        with writing() as conn:
            code = identity.new_code(conn, talk.id, talk.turn, talk.now, rules())
            phone = identity.phone_given(conn, talk.id)
            if code and settings().demo:
                talk.receipt(
                    conn, f"【演示短信】您的验证码是{code}，{rules().code_minutes}分钟内有效。正式使用时会发送到手机。"
                )
    except identity.TooManyCodes as error:
        talk.say("utter_too_many_codes", HUMAN_BUTTON, time=f"{local(error.until):%H:%M}")
        talk.forget("phone")
        talk.end()
    if code and not settings().demo:
        try:
            sms.send(
                phone, f"验证码{code}，{rules().code_minutes}分钟内有效，请勿告诉他人。【{load_hospital().info.name}】"
            )
        except sms.SmsFailed:
            talk.say("utter_code_not_sent", HUMAN_BUTTON)
            talk.forget("phone")
            talk.end()
    talk.facts["code_sent"] = True


def _end_locked(talk: Talk, until) -> None:
    minutes = max(1, round((until - talk.now).total_seconds() / 60))
    human = [{"title": "转人工", "payload": "/request_human"}]
    talk.say("utter_identity_locked", human, time=f"{local(until):%H:%M}", minutes=minutes)
    talk.forget(*PIECES, "code", "code_sent")
    talk.end()


def say_where_the_check_stands(talk: Talk) -> None:
    """A code that nobody asked for: locked until when, or not needed now."""
    with reading_db() as conn:
        until = conn.execute(
            select(identity.checks.c.locked_until).where(identity.checks.c.conversation_id == talk.id)
        ).scalar()
    if until and until > talk.now:
        minutes = max(1, round((until - talk.now).total_seconds() / 60))
        talk.say("utter_identity_locked", HUMAN_BUTTON, time=f"{local(until):%H:%M}", minutes=minutes)
    else:
        talk.say("utter_code_not_needed")
