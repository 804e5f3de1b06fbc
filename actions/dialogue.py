"""Courtesy and steering: 您好, 谢谢, 算了, 返回, 再说一遍, what was not understood, and coming back to what is open."""

import json
import re

from actions import identity, told, waitlist
from actions.talk import FLOWS, Flow, Message, Talk, flow
from bot.conversations import holding
from bot.hospital.guide import suggest
from bot.hospital.hours import is_open
from bot.hospital.load import load_hospital
from bot.storage.engine import writing


def greet(talk: Talk) -> None:
    """您好: who we are and what can be asked (R13)."""
    talk.say("utter_greet")
    again(talk)


def thanks(talk: Talk) -> None:
    """谢谢: still something? (R42)."""
    talk.say("utter_thanks")
    again(talk)


def apologize(talk: Talk) -> None:
    """不好意思: 没关系 (R44)."""
    talk.say("utter_apologize")
    again(talk)


def goodbye(talk: Talk) -> None:
    """再见: the closing fits what the talk was about (R43)."""
    if talk.memory.get("complaining"):
        talk.say("utter_goodbye_draft")
    elif talk.memory.get("bereaved"):
        talk.say("utter_goodbye_bereaved")
    else:
        talk.say("utter_goodbye_complaint" if talk.memory.get("complained") else "utter_goodbye")


def again(talk: Talk) -> None:
    """Ask the open question again, if there is one."""
    if talk.task:
        talk.again()


def come_back(talk: Talk) -> None:
    """After an answer in the middle of a task: back to the task, or to a second request."""
    if talk.task:
        talk.say("utter_back_to_task", title=FLOWS[talk.task["name"]].title)
        talk.again()
    else:
        talk.come_back(after=_QUESTION)


_QUESTION = Flow("question", "", lambda talk: None, question=True)


def proceed(talk: Talk) -> None:
    """An answer: to the open question, or to none."""
    if talk.task or (talk.resume and talk.suspended):
        talk.proceed()
    elif talk.message.label in ("affirm", "deny"):
        if waitlist.answered_in_words(talk):
            return
        talk.say("utter_anything_else" if talk.message.label == "deny" else "utter_ask_capabilities")
    else:
        clarify(talk)


def clarify(talk: Talk) -> None:
    """A fact without a request (心内科): what would you like with it?"""
    keep = {}
    for name in ("department", "doctor", "date", "period", "doctor_title", "relation"):
        value = talk.message.first(name)
        if value:
            keep[name] = value
    item = talk.message.texts("fee_item")
    symptom = talk.message.texts("symptom") or talk.message.texts("body_part")
    if ("department" in keep or "doctor" in keep) and ("date" in keep or "period" in keep):
        talk.start("query_schedule")
    elif "department" in keep or "doctor" in keep:
        talk.memory["last_query"] = {"label": "query_schedule", "facts": keep}
        talk.say(
            "utter_what_with_department",
            [button("预约挂号", "book_appointment", keep), button("查看出诊", "query_schedule", keep)],
            said=_name(keep) or (talk.message.texts("doctor") or talk.message.texts("department"))[0],
        )
    elif item:
        facts = {"fee_item": item}
        talk.say(
            "utter_what_with_item",
            [button("查询价格", "query_price", facts), button("医保能否报销", "check_insurance_coverage", facts)],
            said=item[0],
        )
    elif symptom or [s.department for s in suggest([], talk.message.text)] != ["general_practice"]:
        start(talk, "find_department")
    elif keep:
        talk.say(
            "utter_what_with_time",
            [button("预约挂号", "book_appointment", keep), button("查看出诊", "query_schedule", keep)],
        )
    else:
        fallback(talk)


def _name(known: dict) -> str | None:
    """Give the hospital's own name of the doctor or department meant: 眼科 for yanke."""
    hospital = load_hospital()
    doctor, department = known.get("doctor"), known.get("department")
    if isinstance(doctor, str) and doctor in hospital.doctors:
        return hospital.doctors[doctor].name
    if isinstance(department, str) and department in hospital.departments:
        return hospital.departments[department].name
    return None


def button(title: str, intent: str, facts: dict) -> dict:
    """Give a button that starts a request with facts."""
    return {"title": title, "payload": f"/{intent}" + (json.dumps(facts, ensure_ascii=False) if facts else "")}


def start(talk: Talk, name: str, message: Message | None = None) -> None:
    """Start the flow of an intent; a follow-up (那下午呢) carries the facts of the query before."""
    talk.start(name, message)


def stop(talk: Talk) -> None:
    """算了: leave the task; what was set aside is offered."""
    if talk.task is None:
        if talk.holder == "queue" and NOT_WAITING.search(talk.message.text):
            with writing() as conn:
                holding.leave_queue(conn, talk.id, talk.now)
            talk.memory.pop("queued", None)
            talk.say("utter_left_queue")
        else:
            talk.say("utter_nothing_to_stop")
        return
    left = talk.task
    talk.task = None
    if left["name"] == "resume":
        talk.suspended = talk.suspended[:-1]
    elif left["name"] == "later":
        talk.later = talk.later[1:]
    if left["name"] == "complaint":
        from actions.complaints import leave

        leave(talk)
    talk.say("utter_stopped", title=FLOWS[left["name"]].title)
    if talk.later or talk.suspended:
        talk.come_back()


def go_back(talk: Talk) -> None:
    """返回, 说错了，改成周四: a new value goes in; without one the last answer is asked again."""
    if talk.task is None:
        proceed(talk)
        return
    before = dict(talk.facts)
    talk.absorb(answer=False)
    if talk.facts != before or talk.task["name"] == "complaint":
        talk.say("utter_changed")
        talk.run()
    elif not talk.back():
        talk.say("utter_nothing_to_go_back")
        talk.again()


def repeat(talk: Talk) -> None:
    """没看懂: other words, not the same ones (R32). A stale button shows the present choices."""
    if talk.elder_asked:
        talk.memory["elder"] = True
        talk.say("utter_elder_mode", [HUMAN])
        again(talk)
    elif talk.wait:
        talk.say("utter_take_your_time")
    elif talk.stale:
        talk.say("utter_stale_choice")
        again(talk)
    elif talk.task:
        talk.say("utter_repeat_intro")
        talk.again()
    elif talk.last_said:
        talk.say("utter_repeat_said", [HUMAN], said=talk.last_said)
    else:
        talk.say("utter_repeat_nothing")


def abuse(talk: Talk) -> None:
    """Two warnings, then a polite close (R40). Danger signs are answered before this is reached."""
    count = talk.memory.get("abuse", 0) + 1
    talk.memory["abuse"] = count
    if count == 1:
        talk.memory["offered"] = True
        talk.say("utter_abuse_first", [{"title": "我要投诉", "payload": "/complaint"}, HUMAN])
    elif count == 2:
        talk.say("utter_abuse_second", [HUMAN])
    else:
        talk.task, talk.suspended, talk.later = None, [], []
        talk.say("utter_abuse_close")


NOT_WAITING = re.compile(r"不等|不用转|不转|取消排队|算了|不要人工|不用人工")
HAN = re.compile(r"[\u3400-\u9fff]")
USUAL = ("book_appointment", "query_bill", "complaint")
LIKELY = 0.1  # what is less likely is not offered as a choice
CODE = re.compile(r"^(\d{6}|\*{6})$")
HUMAN = {"title": "转人工", "payload": "/request_human"}


def out_of_scope(talk: Talk) -> None:
    """Another trade: willing, regretful, with a number (R39). To the patient it is no answer, either."""
    talk.say("utter_out_of_scope" if HAN.search(talk.message.text) else "utter_other_language", [HUMAN])
    if _missed_again(talk):
        _bring_person(talk)
    again(talk)


def fallback(talk: Talk) -> None:
    """Not understood: first other words with choices; the second time in a row choices again, and a person comes (R33)."""
    if talk.task and not talk.message.entities:
        talk.proceed()
        return
    if CODE.match(talk.message.text.strip()):
        identity.say_where_the_check_stands(talk)
        return
    if told.afraid(talk.message.text):
        talk.say("utter_comfort", [HUMAN])
        again(talk)
        return
    meant = _meant(talk)
    if _missed_again(talk):
        talk.say("utter_fallback_person", _choices(meant))
        _bring_person(talk)
    else:
        talk.say("utter_did_you_mean" if meant else "utter_rephrase", _choices(meant))
    again(talk)


def _meant(talk: Talk) -> list[dict]:
    """Give what the message may have asked, likeliest first, as buttons."""
    found: dict[str, str] = {}
    for label, confidence in talk.ranking:
        name, _, key = label.partition("/")
        flow = FLOWS.get(name)
        asks = name in ("query_schedule", "query_price", "find_department") or (flow and not flow.question)
        title = (talk.response_metadata(f"utter_{label}") or {}).get("title") if key else asks and flow.title
        if title and confidence >= LIKELY:
            found.setdefault(title, label if name == "faq" else name)
    return [{"title": title, "payload": f"/{label}"} for title, label in found.items()]


def _choices(meant: list[dict]) -> list[dict]:
    usual = [{"title": FLOWS[name].title, "payload": f"/{name}"} for name in USUAL]
    offered = [*meant, *(one for one in usual if one not in meant)]
    return [*offered[:3], HUMAN]


def _missed_again(talk: Talk) -> bool:
    """Count an answer that was none, and tell whether the one before was none, too."""
    talk.memory["misses"] = talk.memory.get("misses", 0) + 1
    return talk.memory["misses"] >= 2


def _bring_person(talk: Talk) -> None:
    if is_open("agents", talk.now):
        from actions import human

        talk.memory["misses"] = 0
        human.request_human(talk, human.MISSED)


@flow("resume", "继续刚才的事")
def resume(talk: Talk) -> None:
    """Offer a task that was set aside."""
    title = talk.fact("title")
    if talk.agree("resume", "utter_offer_resume", yes="继续", no="不用了", title=title):
        talk.task = talk.suspended.pop()
        talk._resumed = True
        talk.run()
    else:
        talk.suspended.pop()
        talk.say("utter_anything_else")


@flow("later", "您的另一个问题")
def later(talk: Talk) -> None:
    """Offer the next of the further requests of a message."""
    title = talk.fact("title") or "刚才的另一个问题"
    kept = talk.later[0]
    if talk.agree("later", "utter_offer_second", yes="好的", no="不用了", title=title, said=kept["text"]):
        talk.later, talk.task = talk.later[1:], None
        name = kept["label"].partition("/")[0]
        if name in FLOWS:
            said = [] if talk.message.button else talk.message.entities  # 好，就挂儿科 names it better
            named = {e["entity"] for e in said}
            entities = [*said, *(e for e in kept["entities"] if e["entity"] not in named)]
            talk.start(name, Message(kept["label"], kept["text"], entities))
        else:
            talk.say(f"utter_{name}")
            talk.come_back(after=_QUESTION)
        return
    talk.later = talk.later[1:]
    if not talk.later:
        talk.say("utter_anything_else")
