"""What the open question and the last query make of a message: 心内科 answers, 那下午呢 repeats the query with another time."""

import re

from actions import told
from actions.reading import can_answer, facts_of, pick, yes_or_no
from actions.talk import FLOWS, Message
from bot.dialogue.decision import COURTESY, Decision, base, by_words, from_payload, rank
from bot.fees.pricing import could_name
from bot.hospital.load import load_hospital
from bot.insurance.hearing import other_city
from bot.settings import settings
from bot.tickets.model import QUALITY

# Said in the middle of a task, these always count for themselves.
STOP = re.compile(r"^(算了|(那|我)?先?不(办|挂|弄|查|问|搞|改|退|约|换|投诉|取消|候补)(了|先)|先不弄|算啦|罢了|唔办)")
KEEPS = re.compile(r"^(那|我)?先?不(退|改|换|取消)")  # said to 请问确认退号吗: the booking stays
WAIT = re.compile(r"^(呃|嗯|哎|额)?[，,]?(稍)?等(等|一下|会儿|一会|下)(?!.*(改|换))")
ELDER = re.compile(r"眼睛?(不好|花)|看不清|字(太小|大一?点)|大字|说(得)?(简单|慢)|老花|年纪大了.*(慢|简单)")
AMENDS = re.compile(
    r"(自费|乙类|总共|一共|要是|如果|改成|换成|那).*\d|[一二三四五六七八九十两\d]+(万|千)|[一二三]级|第[一二三]次|退休|在职|门诊呢|住院呢"
)
ABOUT = {"faq", "chitchat", "ask_capabilities", "bot_challenge", "out_of_scope"}  # questions beside the open one
INTERRUPTS = {
    "emergency",
    "request_human",
    "stop",
    "go_back",
    "repeat",
    "abuse",
    "report_death",
    "decline",
    "complaint",
}
ELLIPSIS = re.compile(r"^(那|那么|噉|咁)?(.{1,14}?)(呢|咧|有没有|有嗎|有吗|行不行|行吗|可以吗)?[?？。!！]*$")
CORRECTION = re.compile(r"^(不对|不是|说错|搞错|弄错|错了|打错)")
TICKET = re.compile(
    r"编号|单号|受理号|查进度|(多久|几天|什么时候|啥时候).{0,6}(结果|答复|回复|处理)|(结果|答复).{0,4}(多久|几天|什么时候)"
    r"|处理得?.{0,2}(怎么样|如何|到哪)"
)
OTHER_PAPERS = re.compile(r"报告|检查|化验|片子|取药|病历|发票|预约|挂号")
LOOK_UP = re.compile(r"^(再|还|也|另外)?(帮我|给我)?(查|看)")
RESUME = re.compile(r"^(那|好|嗯)?[，,]?(我们)?(继续|接着)(?!.*(疼|痛|发烧))")
BOOKING = {"book_appointment", "reschedule_appointment"}
WISHES = {"date", "period", "doctor", "department", "doctor_title"}
LEAVES_WAITLIST = re.compile(
    r"(取消|退出|撤|不要|不想|不)[^，。]{0,6}候补|候补[^。]{0,8}(取消|退出|退掉|不要|不用|不等|不排|撤)"
)
WAITLIST = re.compile(r"候补.*(第几|多少位|几位|排到|查|怎么样)|我的候补")
USEFUL = {"department", "doctor", "date", "period", "doctor_title", "fee_item"}
INSURED = {"insurance_type", "hospital_level", "care_setting"}
DETAIL = re.compile(
    r"(那|那么)?(要|需要|得)?(多少钱(一[页张份次天晚夜个]|一小时)?|收费吗|要钱吗|免费吗|带(什么|啥|哪些)(材料|东西|证件)?|在哪(办|里办|儿办)?|几点)[?？呢呀啊]*"
)
HOURS = ("faq/outpatient_hours", "faq/emergency_hours")  # 几点下班, then 骨科呢: the department's own clinics
SURE = 0.6  # above this another request interrupts the open question


def in_context(decision: Decision, slots: dict) -> Decision:
    """Let the open question and the last query have their say."""
    task = slots.get("task")
    memory = slots.get("memory") or {}
    if ELDER.search(decision.text) and len(decision.text) <= 30 and not memory.get("elder"):
        decision.label, decision.elder = "repeat", True
        return decision
    if re.search(r"再说一(遍|次)|重复一(遍|次)|再講一次", decision.text) and len(decision.text) <= 14:
        decision.label = "repeat"
        return decision
    name = base(decision.label)
    _after_grievance(decision, task, memory)
    name = base(decision.label)
    if beside_money := _about_money(decision, task, memory):
        decision.label = beside_money
        return decision
    if name == "faq" and decision.label == "faq/self_pay_items" and memory.get("bill"):
        decision.label = "query_bill"  # 哪些是自费的, asked about the bill just shown
        return decision
    message = Message(decision.label, decision.text, decision.entities)
    if RESUME.search(decision.text) and slots.get("suspended") and not (task and task.get("asked")):
        decision.label, decision.resume = "inform", True
        return decision
    if LEAVES_WAITLIST.search(decision.text) and (task or {}).get("asked") not in ("waitlist", "booking", "confirmed"):
        decision.label = "cancel_appointment"
        return decision
    if WAITLIST.search(decision.text):
        decision.label = "query_my_appointments"
        return decision
    if task and task.get("asked"):
        flow = FLOWS.get(task["name"])
        free = flow.free_text if flow else ()
        asked = task["asked"]
        if asked in ("fee_item", "which_item"):
            options = [o["value"] for o in task.get("options") or []]
            if not could_name(decision.text, options, load_hospital()):
                free = ()  # 我要退费 goes to its own answer
        if STOP.search(decision.text):
            decision.label = "deny" if asked == "confirmed" and KEEPS.search(decision.text) else "stop"
            return decision
        if WAIT.search(decision.text) and asked not in free:
            decision.label, decision.wait = "repeat", True
            return decision
        if name == "reschedule_appointment" and task["name"] in ("book_appointment", "reschedule_appointment"):
            decision.label = "go_back"
            return decision
        if flow and flow.question and yes_or_no(decision.text) is not None and _answers_suspended(slots, message):
            decision.label, decision.resume = "inform", True
            return decision
        said = yes_or_no(decision.text) if asked not in free else None
        if said is not None and name not in ("request_human", "emergency"):
            decision.label = "affirm" if said else "deny"
            return decision
        if CORRECTION.search(decision.text) and (decision.entities or asked == "confirmed"):
            decision.label = "go_back"
            decision.entities = _corrected(decision)
            return decision
        answers = can_answer(task, message, free)
        other = (name in FLOWS or name in ABOUT) and name != task["name"]
        if asked in free and not (name in ("request_human", "stop", "emergency") and decision.confidence >= SURE):
            # A story is an answer, whatever else it mentions; only a clear other request breaks in.
            if not (other and decision.confidence >= 0.85 and rank(decision.label) >= 3 and len(decision.text) <= 20):
                decision.label = "inform"
                return decision
        if answers and asked in ("code", "id_number", "phone") and name not in ("emergency", "request_human"):
            decision.label = "inform"  # 验证码是123456 is no complaint about a code
            return decision
        if task["name"] in BOOKING and not answers and len(decision.text) <= 14 and rank(decision.label) >= 4:
            if WISHES & facts_of(message).keys() and asked not in ("date", "department"):
                decision.label = "go_back"  # 十点, 换李医生: another wish for the same booking
                return decision
        if name in INTERRUPTS and decision.confidence >= 0.4:
            return decision
        query = memory.get("last_query")
        if query and not answers and decision.text.rstrip("？?。").endswith("呢") and _another(decision, query):
            decision.label, decision.ellipsis = query["label"], True
            return decision
        if answers and not (other and decision.confidence >= SURE and len(decision.text) > 6):
            decision.label = "inform"
        elif name == task["name"]:
            decision.label = "inform" if answers else decision.label
        elif _answers_suspended(slots, message) and flow and flow.question:
            decision.label, decision.resume = "inform", True
        elif rank(decision.label) == 3 and decision.confidence < SURE:
            decision.label = "nlu_fallback"  # 编号忘了 begins no other task on a guess
        return decision
    choices = memory.get("choices")
    if choices and len(decision.text) <= 16 and rank(decision.label) >= 4:
        chosen = pick(choices, message)
        if chosen is not None:
            return _with_the_rest(from_payload(chosen, decision.text), message)
    insured = {e["entity"] for e in decision.entities} & {*INSURED, "amount"}
    if name in COURTESY and ({"insurance_type", "amount"} <= insured or (insured and memory.get("shown"))):
        decision.label = "estimate_reimbursement"  # 居民医保，门诊的, after the price of an item
        return decision
    if name in ("inform", "nlu_fallback") and not decision.entities:
        decision.label = by_words(decision.text) or decision.label
    query = memory.get("last_query")
    if query and CORRECTION.search(decision.text) and decision.entities:
        decision.label, decision.ellipsis = query["label"], True
        decision.entities = _corrected(decision)
        return decision
    if memory.get("last_faq") and not decision.entities and DETAIL.fullmatch(decision.text.strip()):
        decision.label = memory["last_faq"]  # 多少钱, 要带什么: the answer just given says it
        return decision
    if name in ("nlu_fallback", "inform") and memory.get("last_faq") and decision.text.rstrip("？?。").endswith("呢"):
        clinic = memory["last_faq"] in HOURS and any(e["entity"] in ("department", "doctor") for e in decision.entities)
        decision.label = "query_schedule" if clinic else memory["last_faq"]
    elif query and query["label"] == "estimate_reimbursement" and _loose(decision) and AMENDS.search(decision.text):
        decision.label = "estimate_reimbursement"
    elif query and name in (*COURTESY, base(query["label"]), "query_schedule"):
        if _another(decision, query):
            decision.label, decision.ellipsis = query["label"], True
    return decision


def _with_the_rest(chosen: Decision, message: Message) -> Decision:
    """Give a choice with what else was said beside it: 第一个吧，明天上午有号吗."""
    facts = facts_of(message).items()
    known = {e["entity"] for e in chosen.entities}
    chosen.entities += [
        {"entity": name, "value": value, "text": message.text, "start": 0, "end": len(message.text)}
        for name, value in facts
        if name in WISHES and name not in known
    ]
    return chosen


def _another(decision: Decision, query: dict) -> bool:
    """Tell whether a message asks the query before about another day, doctor, item or insurance: 那下午呢, CT呢, 那职工呢."""
    useful = INSURED if query["label"] == "estimate_reimbursement" else USEFUL
    return bool(ELLIPSIS.match(decision.text.strip()) and any(e["entity"] in useful for e in decision.entities))


def _after_grievance(decision: Decision, task: dict | None, memory: dict) -> None:
    """What a complaint, a death or a queue makes of a message: blame, 人呢, 受理编号是多少."""
    text = decision.text
    asked = (task or {}).get("asked")
    if decision.label == "faq/dispute_channels" and QUALITY.search(text):
        decision.label = decision.heard = "complaint/quality"
    elif memory.get("bereaved") and not asked and rank(decision.label) > 1 and len(text) <= 20 and told.blames(text):
        decision.label = decision.heard = "complaint/quality"
    elif memory.get("queued") and told.WHERE_IS_PERSON.search(text):
        decision.label = "request_human"
    elif memory.get("complained") and not asked and len(text) <= 20:
        if TICKET.search(text) and not OTHER_PAPERS.search(text):
            decision.label = "track_ticket"


def _about_money(decision: Decision, task: dict | None, memory: dict) -> str | None:
    """What a bill or an estimate just shown makes of a loose message: another city, another bill, 离休."""
    name, text = base(decision.label), decision.text
    if name not in (*COURTESY, "faq", "query_schedule", "estimate_reimbursement", "query_insurance_policy"):
        return None
    query = (memory.get("last_query") or {}).get("label")
    if "estimate_reimbursement" in ((task or {}).get("name"), query) and other_city(text, settings().city):
        return "estimate_reimbursement"
    dated = any(e["entity"] == "date" for e in decision.entities)
    if memory.get("bill") and dated and LOOK_UP.search(text) and re.search("门诊|住院|急诊|费用|账", text):
        return "query_bill"
    return "query_insurance_policy" if "离休" in text else None


def _loose(decision: Decision) -> bool:
    """Tell whether a label may give way to the query before: no grievance, no person wanted, no other task."""
    return rank(decision.label) >= 4 or base(decision.label) in ("query_bill", "reschedule_appointment")


def _corrected(decision: Decision) -> list[dict]:
    """Of 不是骨科，是康复科 keep what is meant: the last of each kind."""
    last = {e["entity"]: e for e in decision.entities}
    return [e for e in decision.entities if e is last[e["entity"]]]


def _answers_suspended(slots: dict, message: Message) -> bool:
    """Tell whether a message answers the task set aside rather than the question in between."""
    waiting = slots.get("suspended") or []
    if not waiting or not waiting[-1].get("asked"):
        return False
    flow = FLOWS.get(waiting[-1]["name"])
    said = yes_or_no(message.text) if {type(o["value"]) for o in waiting[-1].get("options") or []} == {bool} else None
    return said is not None or can_answer(waiting[-1], message, flow.free_text if flow else ())
