"""Complaints: apology first, one question at a time, read-back, number and deadline, a person whenever wanted (R63-R74, B4).

Any words are an answer here; what they are (story, wish, contact, yes, a withdrawal) is read in `_hear` with actions/told.py.
"""

import re

from actions import contact, identity, told
from actions.phrasing import deadline_text
from actions.reading import yes_or_no
from actions.talk import FLOWS, Message, Talk, Waiting, flow
from bot.hospital.load import load_hospital
from bot.storage.engine import reading, writing
from bot.tickets import service
from bot.tickets.model import ANSWERED_BY, DISPUTE, QUALITY, TYPES
from bot.tickets.sla import days_allowed

TELLING_NOTHING = re.compile(r"我?(想|要|继续|接着)*(匿名)?(投诉|举报|反映)(一下|个事|问题)?|你们|医院|[，。！!,.\s]")
NOT_BUT = re.compile(r"不是([^，,。\s]{1,12})[，,、 ]*(?:而是|应该是|是)([^，,。\s]{1,12})")
SEND = re.compile(r"(可以|就这样|没问题|直接)?(提交|交)(吧|了|就行)?[。!！]*|就这样(吧)?|没(有)?(要)?补充(的|了)?")
WRONG = re.compile(r"不对|不是|错|有误|不准")
NO_WISH = re.compile(r"没(有|啥|什么)?(具体)?(的)?(要求|诉求)?|随便|都行|看着办|不知道|无所谓|说不上")
HUMAN = {"title": "转人工", "payload": "/request_human"}
FREE = ("event", "place_time", "demand", "contact", "confirmed", "amend")
DEMANDS = ("了解原因", "希望道歉", "希望退费", "希望改进", "没有具体要求")
SUBMIT = [
    {"title": "确认提交", "value": "yes"},
    {"title": "补充内容", "value": "more"},
    {"title": "先不提交", "value": "no"},
]


@flow("complaint", "投诉登记", free_text=FREE)
def complaint(talk: Talk) -> None:
    """Take a complaint from its first sentence to a number."""
    if _filed_before(talk):
        return
    _hear(talk)
    type_ = talk.fact("type")
    with writing() as conn:
        draft = service.draft(conn, talk.id, "complaint", type_, _content(talk), talk.now, "web")
    talk.memory["complaining"] = True
    if not talk.fact("apologised"):
        talk.facts["apologised"] = True
        talk.say(f"utter_complaint/{type_}", [HUMAN] if talk.holder == "bot" else [])
        if demand := talk.fact("demand"):
            talk.say("utter_complaint_demand_noted", demand=_said(demand))
    if talk.fact("dispute") and not talk.fact("ways_told"):
        talk.facts["ways_told"] = True
        talk.say("utter_dispute_ways")
    talk.need("event", "utter_ask_complaint_event")
    if not _knows_where(talk):
        talk.need("place_time", "utter_ask_complaint_where")
    talk.need("demand", "utter_ask_complaint_demand", [{"title": d, "value": d} for d in DEMANDS])
    _contact(talk)
    if talk.fact("confirmed") == "more":
        talk.need("amend", "utter_ask_complaint_more")
    wanted = talk.need("confirmed", "utter_confirm_complaint", SUBMIT, summary=_summary(talk))
    if wanted == "no":
        leave(talk)
        talk.say("utter_complaint_kept_back", [HUMAN])
        return
    _file(talk, draft.id)


# ---- what a message tells


def _hear(talk: Talk) -> None:
    """Take what this message tells beyond its entities; another wish ends or pauses the complaint here."""
    said, asked = talk.message.text.strip(), talk.task.get("asked")
    if talk._resumed:
        talk.facts.setdefault("type", "other")
        return
    if asked in FREE and talk.facts.get(asked) == said and not talk.message.button:
        talk.facts.pop(asked)  # any words are taken as the answer; what they are is read here
    if not talk.message.button:
        _other_wish(talk, said)
    if before := talk.memory.pop("grievance", None):  # a death told in this talk before the complaint was begun (R67)
        talk.facts.setdefault("event", before)
        _qualify(talk, before)
        talk.facts["type"] = "quality"
    if talk.message.button:
        talk.facts.setdefault("type", "other")
        return
    if told.death(said) and not talk.memory.get("bereaved"):
        talk.memory["bereaved"] = True
        talk.say("utter_condolence")
    if _corrects(talk, said):
        return
    if _reach(talk, said) and asked == "amend":
        talk.forget("confirmed")  # the contact was what had to be added
    answered = _answer(talk, said, asked)
    rest = told.without_identity(said, talk.message.texts("person_name"))
    rest = rest if len(told.ANONYMOUS.sub("", rest).strip("我的吧了，,。 不要还是就")) >= 2 else ""
    if answered or told.FILLER.fullmatch(rest or " "):
        _qualify(talk, "")
        return
    _tell(talk, rest, asked)
    _qualify(talk, rest)


def _other_wish(talk: Talk, said: str) -> None:
    """Not a complaint, or not now: withdrawn, where is the person, goodbye, back, wait, a favour."""
    beside = told.withdrawal(said)
    if beside is not None:
        _withdrawn(talk, beside)
    if talk.holder == "queue" and told.WHERE_IS_PERSON.search(said):
        from actions import human

        human.request_human(talk)
        raise Waiting
    if told.BYE.fullmatch(said):
        talk.say("utter_goodbye_draft")
        raise Waiting
    if told.LATER.fullmatch(said):
        talk.say("utter_take_your_time")
        raise Waiting
    if told.BACK.fullmatch(said):
        talk._resumed = True
        if talk.back():
            raise Waiting
    if told.asks_favour(said) and "event" not in talk.facts:
        talk.say("utter_fair_openings", [{"title": "预约挂号", "payload": "/book_appointment"}])
        talk.end()


def _withdrawn(talk: Talk, beside: str) -> None:
    """不投诉了: the draft is left; a ticket that was sent is offered for withdrawal; what else is asked comes next."""
    begun = talk.task.get("asked") or "event" in talk.facts
    if not begun:
        talk.task = None
        talk.start("withdraw_ticket")
        raise Waiting
    leave(talk)
    name = told.beside(beside)
    talk.say("utter_complaint_withdrawn" if not beside else "utter_complaint_withdrawn_on")
    if name == "request_human":
        from actions import human

        talk.task = None
        human.request_human(talk)
        raise Waiting
    if name in FLOWS:
        talk.task = None
        talk.start(name, Message(name, beside, talk.message.entities))
        raise Waiting
    if beside and not talk.later:
        talk.say("utter_complaint_beside", said=beside)
    talk.end()


def _qualify(talk: Talk, story: str) -> None:
    """Settle type and dispute: the label, then the words of the story; quality goes before everything (R65, R67)."""
    label = talk.message.label if talk.message.label.startswith("complaint/") else talk.heard
    key = label.partition("/")[2] if label.startswith("complaint/") else ""
    bare = len(TELLING_NOTHING.sub("", story)) < 2
    if talk.fact("type") in (None, "other"):
        whole = f"{talk.fact('opening', '')}\n{talk.fact('event', '')}\n{story}"
        by_words = told.type_by_words(whole)
        talk.facts["type"] = (key if key not in ("", "other") and not bare else by_words) or "other"
    if QUALITY.search(story):
        talk.facts["type"] = "quality"
    if DISPUTE.search(story):
        talk.facts["dispute"] = True


def _corrects(talk: Talk, said: str) -> bool:
    """不是骨科，是康复科: the story is set right. False where nothing told says so."""
    found = NOT_BUT.search(said)
    if not found:
        return False
    wrong, right = found.groups()
    places = talk.facts.setdefault("departments", [])
    kept = [name for name in ("event", "place_time", "demand") if wrong in str(talk.fact(name, ""))]
    if wrong not in places and not kept:
        return False
    for name in kept:
        talk.facts[name] = str(talk.facts[name]).replace(wrong, right)
    talk.facts["departments"] = [right if d == wrong else d for d in places]
    talk.forget("confirmed")
    return True


def _reach(talk: Talk, said: str) -> bool:
    """A number makes the writer known, 匿名 unknown again, whichever came last (R49). Tells whether there was either."""
    phone = contact.take_phone(talk)
    if told.ANONYMOUS.search(said):
        talk.facts["contact"] = "anonymous"
        talk.facts.pop("phone", None)
    elif phone:
        talk.facts.pop("contact", None)
    return phone or (talk.fact("contact") == "anonymous" and bool(told.ANONYMOUS.search(said)))


def _answer(talk: Talk, said: str, asked: str | None) -> bool:
    """Read yes, no and the like for the open question; tell whether that was all of the message."""
    if asked is None:
        return False
    if asked in talk.facts and asked != "contact":
        return True  # chosen by its title or number
    yes = yes_or_no(said)
    if asked == "confirmed":
        if yes or SEND.fullmatch(said):
            talk.facts["confirmed"] = "yes"
        elif yes is False:
            talk.facts["confirmed"] = "more" if WRONG.search(said) else "no"
        elif told.QUESTION.search(said) and len(said) <= 20:
            talk.say("utter_complaint_number_later")
            return True
    elif asked == "demand" and (yes is False or NO_WISH.fullmatch(said.strip("。！!，, "))):
        talk.facts["demand"] = DEMANDS[-1]
    elif asked == "contact" and yes is False:
        talk.facts["contact"] = "anonymous"
    elif asked == "place_time" and (yes is False or (told.UNSURE.search(said) and len(said) <= 12)):
        talk.facts["place_time"] = "记不清了"
    elif asked == "amend" and yes is False:
        talk.facts.pop("confirmed", None)
    return yes is not None or asked in talk.facts


def _tell(talk: Talk, rest: str, asked: str | None) -> None:
    """Put words where they belong: wish, story, time and place."""
    wish = told.demand_in(rest) or (rest if told.only_demands(rest) else None)
    if asked == "demand" and wish is None and told.wishes(rest, story=talk.heard.startswith("complaint/")):
        wish = rest
    if wish and (asked == "demand" or "demand" not in talk.facts):
        talk.facts["demand"] = wish
    elif wish and asked in ("amend", "confirmed") and wish not in str(talk.facts["demand"]):
        talk.facts["demand"] = f"{talk.facts['demand']}；{wish}"
    places = talk.facts.setdefault("departments", [])
    places += [d for d in talk.message.texts("department") if d not in places]
    if told.PLACE.search(rest) or places or talk.fact("staff") or talk.fact("doctor"):
        talk.facts["place_known"] = True
    if told.TIME.search(rest) or talk.fact("date") or talk.fact("period"):
        talk.facts["time_known"] = True
    if asked in ("amend", "confirmed"):
        talk.forget("amend", "confirmed")
    if (wish and told.only_demands(rest)) or (asked == "demand" and "demand" in talk.facts):
        return
    before, size = str(talk.fact("event", "")), len(TELLING_NOTHING.sub("", rest))
    if asked is None and not before and size < 5:
        if size >= 2:
            talk.facts["opening"] = rest
        return
    if size < 2 or rest in before:
        return
    talk.facts["event"] = "\n".join(filter(None, [before or talk.facts.pop("opening", ""), rest]))
    if asked == "place_time":
        where = told.PLACE.search(rest) or told.TIME.search(rest) or talk.fact("where_asked")
        talk.facts["place_time" if where else "where_asked"] = rest


# ---- what is asked, read back and sent


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
    if "event" not in content and talk.fact("opening"):
        content["event"] = talk.fact("opening")
    content["departments"] = talk.fact("departments") or []
    if talk.fact("contact") == "anonymous":
        content["anonymous"] = True
    elif reach := contact.given(talk):
        content["contact"] = reach
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


def _days(talk: Talk) -> int:
    several = len(talk.fact("departments") or []) > 1 or bool(told.SEVERAL.search(str(talk.fact("event"))))
    urgency = "high" if talk.fact("type") == "quality" else "normal"
    return days_allowed(load_hospital().info.complaints, several, urgency=urgency)


def _filed_before(talk: Talk) -> bool:
    """A replay of the turn that sent the complaint finds its own ticket instead of making another."""
    with reading() as conn:
        done = service.filed(conn, f"{talk.turn}:complaint")
    if done:
        _say_filed(talk, done)
    return done is not None


def _file(talk: Talk, ticket_id: int) -> None:
    days = _days(talk)
    with writing() as conn:
        service.draft(conn, talk.id, "complaint", talk.fact("type"), _content(talk), talk.now, "web")
        already = service.get(conn, ticket_id).number
        ticket = service.confirm(conn, ticket_id, talk.now, identity.known_patient(talk), days)
        if not already:
            service.note_event(conn, ticket_id, "filed", f"{talk.turn}:complaint", talk.now)
            talk.receipt(
                conn,
                f"投诉已登记\n受理编号：{ticket.number}\n类型：{TYPES[ticket.type]}\n处理部门：{ANSWERED_BY[ticket.route]}\n"
                f"答复期限：{days}个工作日内（{deadline_text(ticket.due_at)}前）",
            )
    _say_filed(talk, ticket)


def _say_filed(talk: Talk, ticket: service.Ticket) -> None:
    talk.memory["complained"] = True
    talk.memory.pop("complaining", None)
    talk.say(
        "utter_complaint_filed",
        [HUMAN],
        number=ticket.number,
        days=_days(talk),
        deadline=deadline_text(ticket.due_at),
        office=ANSWERED_BY[ticket.route],
    )


def leave(talk: Talk) -> None:
    """The patient leaves the complaint: what he told stays as a withdrawn draft."""
    talk.memory.pop("complaining", None)
    with writing() as conn:
        service.withdraw(conn, talk.id, "complaint", talk.now)
