"""Complaints: apology first, one question at a time, read-back, number and deadline, a person whenever wanted (R63-R74, B4)."""

import json
import re

from sqlalchemy import select

from actions import identity
from actions.phrasing import deadline_text
from actions.reading import yes_or_no
from actions.talk import Talk, flow
from bot.hospital.load import load_hospital
from bot.patients.tables import checks
from bot.storage.engine import reading, writing
from bot.tickets import service
from bot.tickets.service import ANSWERED_BY, TYPES

# R67: with these words a complaint goes to quality control, whatever else it is about.
QUALITY = re.compile(
    r"误诊|漏诊|打错|用错药|开错药|发错药|拿错药|输错|药(打|用|发|开|拿)错|手术(失败|做坏|出了?问题|留)|感染了|弄坏|残疾|医疗事故|死了|去世|人没了"
)
# Words of dispute: the lawful ways are named neutrally (B4).
DISPUTE = re.compile(r"打官司|起诉|律师|法院|法庭|上告|告你们|告你|卫健委|曝光|媒体|赔偿|赔钱|医闹|索赔|維權|维权")
ANONYMOUS = re.compile(r"匿名|不留(名|姓名|电话|联系)|不想留")
DEMAND = re.compile(r"(希望|要求|请求|想要|我要(?!投诉|举报|反映)|还要|请你们|给我个?说法|麻烦)[^，,。！!；;\n]*")
PLACE = re.compile(
    r"科|楼|窗口|病房|药房|收费处|急诊|门诊|厕所|卫生间|大厅|挂号处|走廊|导诊|电梯|食堂|停车场|公众号|小程序|网上|电话里|检查室|住院部|手术室|机器"
)
TIME = re.compile(
    r"今天|昨天|前天|刚才|刚刚|现在|上周|上个?月|这周|早上|上午|中午|下午|晚上|昨晚|今早|\d+月|\d+[号日]|星期|周[一二三四五六日天]|[\d一二三两四五六七八九十半]+个?(多)?(小时|钟头|钟|点)"
)
SEVERAL = re.compile(r"[两三四几多]个(科室|部门|科)|互相推|踢皮球")
TELLING_NOTHING = re.compile(r"我?(想|要)?(匿名)?(投诉|举报|反映)(一下|个事|问题)?|你们|医院|[，。！!,.]")
NOT_BUT = re.compile(r"不是([^，,。\s]{1,12})[，,、 ]*(?:而是|应该是|是)([^，,。\s]{1,12})")
HUMAN = {"title": "转人工", "payload": "/request_human"}
FREE = ("event", "place_time", "demand", "amend")
DEMANDS = ("了解原因", "希望道歉", "希望退费", "希望改进", "没有具体要求")


@flow("complaint", "投诉登记", free_text=FREE)
def complaint(talk: Talk) -> None:
    """Take a complaint from its first sentence to a number."""
    _note(talk)
    type_ = talk.fact("type")
    with writing() as conn:
        draft = service.draft(conn, talk.id, "complaint", type_, _content(talk), talk.now, "web")
    if not talk.fact("apologised"):
        talk.facts["apologised"] = True
        talk.memory["complained"] = True
        talk.say(f"utter_complaint/{type_}")
    if talk.fact("dispute") and not talk.fact("ways_told"):
        talk.facts["ways_told"] = True
        talk.say("utter_dispute_ways")
    talk.need("event", "utter_ask_complaint_event")
    if not _knows_where(talk):
        talk.need("place_time", "utter_ask_complaint_where")
    talk.need("demand", "utter_ask_complaint_demand", [{"title": d, "value": d} for d in DEMANDS])
    _contact(talk)
    talk.need(
        "confirmed",
        "utter_confirm_complaint",
        [
            {"title": "确认提交", "value": "yes"},
            {"title": "补充内容", "value": "more"},
            {"title": "先不提交", "value": "no"},
        ],
        summary=_summary(talk),
    )
    if talk.fact("confirmed") == "more":
        more = talk.need("amend", "utter_ask_complaint_more")
        talk.facts["event"] = f"{talk.fact('event')}\n{more}"
        talk.forget("amend", "confirmed")
        complaint(talk)
        return
    if talk.fact("confirmed") == "no":
        leave(talk)
        talk.say("utter_complaint_kept_back", [HUMAN])
        return
    _file(talk, draft.id)


def _note(talk: Talk) -> None:
    """Take from this message what it tells beyond its entities: the type, the story, where, when, the demand."""
    said, heard = talk.message.text.strip(), talk.heard
    key = heard.partition("/")[2] if heard.startswith("complaint/") else ""
    old = talk.fact("type")
    if old is None:
        talk.facts["type"] = key or "other"
    elif old == "other" and key:
        talk.facts["type"] = key
    if QUALITY.search(said):
        talk.facts["type"] = "quality"
    if DISPUTE.search(said):
        talk.facts["dispute"] = True
    places = talk.facts.setdefault("departments", [])
    if correction := NOT_BUT.search(said):
        _replace(talk, correction.group(1), correction.group(2))
        return
    places += [d for d in talk.message.texts("department") if d not in places]
    if talk.message.button or yes_or_no(said) is not None:
        return
    if ANONYMOUS.search(said):
        talk.facts["contact"] = "anonymous"
    if demand := DEMAND.search(said):
        talk.facts.setdefault("demand", demand.group().strip("，,。 "))
    if PLACE.search(said) or places or talk.fact("staff") or talk.fact("doctor"):
        talk.facts["place_known"] = True
    if TIME.search(said) or talk.fact("date") or talk.fact("period"):
        talk.facts["time_known"] = True
    tells = len(TELLING_NOTHING.sub("", said)) >= 5
    told = str(talk.fact("event", ""))
    asked = talk.task.get("asked")
    if tells and said not in told and asked not in ("demand", "contact", "amend"):
        talk.facts["event"] = f"{told}\n{said}".strip()
        if asked == "place_time":
            talk.facts["place_time"] = said


def _replace(talk: Talk, wrong: str, right: str) -> None:
    """不是骨科，是康复科: the story is set right."""
    talk.facts["event"] = str(talk.fact("event", "")).replace(wrong, right)
    talk.facts["departments"] = [right if d == wrong else d for d in talk.fact("departments")]


def _knows_where(talk: Talk) -> bool:
    return bool(talk.fact("place_known") and talk.fact("time_known")) or "place_time" in talk.facts


def _contact(talk: Talk) -> None:
    """A verified patient is reachable; others leave a phone number or stay anonymous (R49)."""
    if identity.known_patient(talk) is not None or talk.fact("phone") is True or talk.fact("contact") == "anonymous":
        return
    if talk.fact("phone") == identity.INVALID:
        talk.forget("phone")
        talk.say("utter_invalid_phone")
    talk.need("contact", "utter_ask_complaint_contact", [{"title": "匿名投诉", "value": "anonymous"}])


def _said(value) -> str:
    return value["text"] if isinstance(value, dict) else str(value)


def _content(talk: Talk) -> dict:
    """Give what a ticket keeps (R64)."""
    content = {k: _said(v) for k in ("event", "place_time", "demand", "staff", "date") if (v := talk.fact(k))}
    content["departments"] = talk.fact("departments") or []
    if talk.fact("contact") == "anonymous":
        content["anonymous"] = True
    elif talk.fact("phone") is True:
        with reading() as conn:
            pieces = conn.execute(select(checks.c.pieces).where(checks.c.conversation_id == talk.id)).scalar()
        kept = json.loads(pieces or "{}")
        content["contact"] = {k: kept[k] for k in ("person_name", "phone") if k in kept}
    return content


def _summary(talk: Talk) -> str:
    story = "；".join(str(talk.fact("event")).split("\n"))
    rows = [f"类型：{TYPES[talk.fact('type')]}", f"经过：「{story}」"]
    if talk.fact("departments"):
        rows.append("涉及科室：" + "、".join(talk.fact("departments")))
    rows.append(f"诉求：「{_said(talk.fact('demand'))}」")
    if talk.fact("contact") == "anonymous":
        rows.append("联系方式：匿名")
    else:
        rows.append("联系方式：已留，仅处理人员可见")
    return "\n".join(rows)


def _file(talk: Talk, ticket_id: int) -> None:
    several = len(talk.fact("departments") or []) > 1 or bool(SEVERAL.search(str(talk.fact("event"))))
    days = load_hospital().info.complaints["working_days"]["several_departments" if several else "single"]
    with writing() as conn:
        service.draft(conn, talk.id, "complaint", talk.fact("type"), _content(talk), talk.now, "web")
        already = service.get(conn, ticket_id).number
        ticket = service.confirm(conn, ticket_id, talk.now, identity.known_patient(talk), days)
        office = ANSWERED_BY[ticket.route]
        if not already:
            talk.receipt(
                conn,
                f"投诉已登记\n受理编号：{ticket.number}\n类型：{TYPES[ticket.type]}\n处理部门：{office}\n"
                f"答复期限：{days}个工作日内（{deadline_text(ticket.due_at)}前）",
            )
    talk.say(
        "utter_complaint_filed",
        [HUMAN],
        number=ticket.number,
        days=days,
        deadline=deadline_text(ticket.due_at),
        office=office,
    )


def leave(talk: Talk) -> None:
    """The patient leaves the complaint: what he told stays as a withdrawn draft."""
    with writing() as conn:
        service.withdraw(conn, talk.id, "complaint", talk.now)
