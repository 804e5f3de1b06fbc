"""What a turn is about: one request now, perhaps a second one for later. Plain data in and out; Rasa then acts on it.

Context decides what a classifier alone cannot: 心内科 answers the open question, 那下午呢 repeats the last query with another time,
and of two requests in one message the one whose answer would disappoint most comes first (nlu-guideline, rules for annotation).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from actions import told
from actions.reading import can_answer, facts_of, pick, yes_or_no
from actions.talk import FLOWS, Message
from bot.fees.pricing import could_name
from bot.hospital.load import load_hospital
from bot.insurance.hearing import other_city
from bot.settings import settings

COURTESY = {
    "greet",
    "goodbye",
    "thanks",
    "apologize",
    "affirm",
    "deny",
    "chitchat",
    "bot_challenge",
    "out_of_scope",
    "nlu_fallback",
    "inform",
    "decline",
}
CONTROL = {"stop", "go_back", "repeat"}
# Said in the middle of a task, these always count for themselves.
STOP = re.compile(r"^(算了|不办了|不挂了|不弄了|不查了|不问了|先不弄|不搞了|算啦|罢了|唔办)")
WAIT = re.compile(r"^(呃|嗯|哎|额)?[，,]?(稍)?等(等|一下|会儿|一会|下)(?!.*(改|换))")
ELDER = re.compile(r"眼睛?(不好|花)|看不清|字(太小|大一?点)|大字|说(得)?(简单|慢)|老花|年纪大了.*(慢|简单)")
# When the classifier is not sure, these words still say what is wanted.
PLAIN_WORDS = (
    (re.compile(r"投诉|举报"), "complaint/other"),
    (re.compile(r"转人工|人工客服|真人"), "request_human"),
    (re.compile(r"(吃|服|用|喝)(几|多少)(片|粒|颗|次|毫升|袋)"), "ask_medical_advice"),
    (re.compile(r"退号|取消预约"), "cancel_appointment"),
    (re.compile(r"挂.{0,6}号|预约|掛號|約號"), "book_appointment"),
    (re.compile(r"多少钱|价格|幾多錢|多少錢"), "query_price"),
    (re.compile(r"报销|報銷|(医保|职工|居民).*(花了|总共|一共|\d万|[一二三四五六七八九]万)"), "estimate_reimbursement"),
    (re.compile(r"疼|痛|难受|不舒服|發燒|发烧|头晕|咳"), "find_department"),
)
AMENDS = re.compile(
    r"(自费|乙类|总共|一共|要是|如果|改成|换成|那).*\d|[一二三四五六七八九十两\d]+(万|千)|[一二三]级|第[一二三]次|退休|在职|门诊呢|住院呢"
)
SURE_OF_DANGER = 0.75  # a danger the table of signs does not know must be this sure
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
SENTENCES = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]*")
CLAUSES = re.compile(r"[^，,。！？!?；;\n]+")
ALSO = re.compile(r"另外|还有|顺便|还想|再问|再帮|同时|此外|順便|另外|对了|還有|還想")
BEFORE_ALSO = re.compile(r"(?=另外|还有|顺便|再帮我|再问|对了|還有|順便)")
ELLIPSIS = re.compile(r"^(那|那么|噉|咁)?(.{1,14}?)(呢|咧|有没有|有嗎|有吗|行不行|行吗|可以吗)?[?？。!！]*$")
IDENTIFYING = {"person_name", "id_number", "phone", "card_number", "ticket_id"}
# What else may be asked for beside a grievance; 希望改进 and the like belong to it.
BESIDE_COMPLAINT = {"book_appointment", "cancel_appointment", "reschedule_appointment", "query_my_appointments"}
CORRECTION = re.compile(r"^(不对|不是|说错|搞错|弄错|错了|打错)")
COMPLAINS = re.compile(r"^我?(想|要)?(投诉|举报)(?!电话|渠道|方式|怎么)")
SWEARS = re.compile(r"傻[逼b比]|煞笔|[操艹草]你|草泥马|滚|废物|王八蛋|他妈|你妈|妈的|去死")
TICKET = re.compile(
    r"编号|单号|受理号|查进度|(多久|几天|什么时候|啥时候).{0,6}(结果|答复|回复|处理)|(结果|答复).{0,4}(多久|几天|什么时候)"
    r"|处理得?.{0,2}(怎么样|如何|到哪)"
)
OTHER_PAPERS = re.compile(r"报告|检查|化验|片子|取药|病历|发票|预约|挂号")
LOOK_UP = re.compile(r"^(再|还|也|另外)?(帮我|给我)?(查|看)")
RESUME = re.compile(r"^(那|好|嗯)?[，,]?(我们)?(继续|接着)(?!.*(疼|痛|发烧))")
BOOKING = {"book_appointment", "reschedule_appointment"}
WISHES = {"date", "period", "doctor", "department", "doctor_title"}
WAITLIST = re.compile(r"候补.*(第几|多少位|几位|排到|查|怎么样)|我的候补")
HAN = re.compile(r"[\u3400-\u9fff\d]")
SURE = 0.6  # above this another request interrupts the open question
SECOND = 0.55  # above this a second request is kept


@dataclass
class Decision:
    """The label Rasa acts on and what goes with it."""

    label: str
    text: str
    entities: list[dict] = field(default_factory=list)
    confidence: float = 1.0
    ranking: list = field(default_factory=list)
    second: dict | None = None
    button: bool = False
    stale: bool = False
    ellipsis: bool = False
    elder: bool = False
    wait: bool = False
    resume: bool = False  # the answer is to the task that was set aside
    danger: str | None = None
    heard: str = ""  # the label before the open question had its say

    def __post_init__(self) -> None:
        self.heard = self.label

    def parse_data(self) -> dict:
        """Give the turn in the form Rasa's processor takes; retrieval fields as its ResponseSelector would fill them."""
        base, _, key = self.label.partition("/")
        intent = {"name": base, "confidence": self.confidence}
        data = {
            "text": self.text,
            "intent": intent,
            "intent_ranking": [intent],
            "entities": self.entities,
            "response_selector": {"all_retrieval_intents": ["faq", "complaint", "chitchat"]},
        }
        if key:
            response = {
                "intent_response_key": self.label,
                "utter_action": f"utter_{self.label}",
                "confidence": self.confidence,
                "responses": [],
            }
            data["response_selector"][base] = {
                "response": response,
                "ranking": [{"intent_response_key": self.label, "confidence": self.confidence}],
            }
        return data


def base(label: str) -> str:
    """Give the intent without its key."""
    return label.partition("/")[0]


def rank(label: str) -> int:
    """Give the place of a label in the guideline's order; lower comes first."""
    name = base(label)
    if name == "emergency":
        return 0
    if name == "complaint":
        return 1
    if name == "request_human":
        return 2
    if name in COURTESY:
        return 6
    if name in CONTROL:
        return 5
    known = FLOWS.get(name)
    return 3 if known and not known.question else 4


def decide(rows: list, slots: dict, read: Callable[[str, datetime], object], received_at: datetime) -> Decision:
    """Decide what the waiting rows of one turn are about."""
    first = rows[0]
    if first.kind == "stale":
        return Decision("repeat", first.text, stale=True)
    if first.kind == "button":
        return from_payload(first.button["payload"], first.text)
    text = "\n".join(row.text for row in rows)
    units = [u for row in rows for u in _sentences(row.text)]
    readings = [(unit, read(unit, received_at)) for unit in units[:12]]
    decision = _merge(text, readings)
    if len(units) == 1:
        decision = _by_clauses(units[0], decision, read, received_at)
    _safety_net(decision)
    return in_context(decision, slots)


def _safety_net(decision: Decision) -> None:
    """Correct what the classifier cannot know: a shaky emergency without a sign, a message it refuses."""
    if decision.label == "emergency" and decision.danger is None and decision.confidence < SURE_OF_DANGER:
        others = [(label, c) for label, c in decision.ranking if label != "emergency"]
        if others:
            decision.label, decision.confidence = others[0]
    if len(decision.text) >= 8 and not HAN.search(decision.text):
        decision.label = "out_of_scope"  # another language: where to get help, in ours
    if decision.label.startswith("chitchat/") and decision.confidence < 0.5:
        decision.label = "nlu_fallback"
    if decision.label == "find_department" and re.search("挂|约|掛|約", decision.text):
        if any(e["entity"] == "department" for e in decision.entities):
            decision.label = "book_appointment"  # the department is known: 想挂心内科复查
    if COMPLAINS.search(decision.text) and rank(decision.label) > 1 and decision.confidence < SURE:
        decision.label = "complaint/other"
    if (
        SWEARS.search(decision.text)
        and len(decision.text) <= 10
        and decision.label in ("complaint/other", "nlu_fallback")
    ):
        decision.label = "abuse"
    if re.match("我?(想|要)?留个?言", decision.text):
        decision.label = "request_human"
    named = {e["entity"] for e in decision.entities}
    if decision.label == "query_schedule" and not named & {"department", "doctor"} and "门诊" in decision.text:
        decision.label = "faq/outpatient_hours"
    if decision.label == "nlu_fallback":
        plain = next((label for words, label in PLAIN_WORDS if words.search(decision.text)), None)
        if plain:
            decision.label, decision.confidence = plain, 0.5
    decision.heard = decision.label


def from_payload(payload: str, title: str) -> Decision:
    """Read a button's payload, /intent{"entity": value}, minted by ourselves."""
    name, _, rest = payload.lstrip("/").partition("{")
    given = json.loads("{" + rest) if rest else {}
    entities = [{"entity": k, "value": v, "text": title, "start": 0, "end": len(title)} for k, v in given.items()]
    return Decision(name, title, entities, button=True)


def _sentences(text: str) -> list[str]:
    found = [s.strip() for s in SENTENCES.findall(text)]
    return [s for s in found if s.strip("。！？!?；;\n ")] or [text]


def _entities(reading) -> list[dict]:
    return [
        {"entity": e.entity, "start": e.start, "end": e.end, "text": e.text, "value": e.value} for e in reading.entities
    ]


def _merge(text: str, readings: list) -> Decision:
    chosen = min(range(len(readings)), key=lambda i: (rank(readings[i][1].label), i))
    reading = readings[chosen][1]
    entities = _entities(reading)
    second = None
    for index, (unit, other) in enumerate(readings):
        if index == chosen:
            continue
        have = {(e["entity"], e["text"]) for e in entities}
        entities += [e for e in _entities(other) if e["entity"] in IDENTIFYING and (e["entity"], e["text"]) not in have]
        # A fragment (心内科 / 明天) belongs to the request beside it.
        if base(other.label) in COURTESY or base(other.label) == base(reading.label):
            have = {(e["entity"], e["text"]) for e in entities}
            entities += [e for e in _entities(other) if (e["entity"], e["text"]) not in have]
        elif second is None and rank(other.label) <= 4 and other.confidence >= SECOND:
            second = {"label": other.label, "text": unit, "entities": _entities(other)}
    danger = next((r.danger for _, r in readings if r.danger), None)
    return Decision(reading.label, text, entities, reading.confidence, list(reading.ranking), second, danger=danger)


def _by_clauses(unit: str, decision: Decision, read, received_at: datetime) -> Decision:
    """Look for another request in the clauses of one sentence: 挂个骨科的号，另外核磁多少钱.

    A task in one clause goes before a question in another (我的核磁在哪天，要准备什么).
    """
    clauses = [
        c.strip() for part in CLAUSES.findall(unit) for c in BEFORE_ALSO.split(part) if c and len(c.strip()) >= 4
    ]
    if not 2 <= len(clauses) <= 5 or rank(decision.label) in (0, 2):
        return decision
    heard = [(clause, read(ALSO.sub("", clause) or clause, received_at)) for clause in clauses]
    if rank(decision.label) == 4:
        task = next((pair for pair in heard if rank(pair[1].label) == 3 and pair[1].confidence >= 0.8), None)
        if task:
            second = {"label": decision.label, "text": clauses[-1], "entities": decision.entities}
            return Decision(
                task[1].label, decision.text, _entities(task[1]), task[1].confidence, decision.ranking, second
            )
    if not ALSO.search(unit) and rank(decision.label) != 1:
        return decision
    for clause, other in heard:
        if rank(decision.label) == 1 and base(other.label) not in BESIDE_COMPLAINT:
            continue
        if base(other.label) != base(decision.label) and rank(other.label) in (3, 4) and other.confidence >= SECOND:
            # What belongs to the second request is not a fact of the first, unless the first is a story.
            if rank(decision.label) != 1:
                mine = {(e.entity, e.text) for e in other.entities}
                decision.entities = [e for e in decision.entities if (e["entity"], e["text"]) not in mine]
            decision.second = {"label": other.label, "text": clause, "entities": _entities(other)}
            break
    return decision


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
            decision.label = "stop"
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
        if answers and not (other and decision.confidence >= SURE and len(decision.text) > 6):
            decision.label = "inform"
        elif name == task["name"]:
            decision.label = "inform" if answers else decision.label
        elif _answers_suspended(slots, message) and flow and flow.question:
            decision.label, decision.resume = "inform", True
        return decision
    choices = memory.get("choices")
    if choices and len(decision.text) <= 16 and rank(decision.label) >= 4:
        chosen = pick(choices, message)
        if chosen is not None:
            return from_payload(chosen, decision.text)
    if name in COURTESY and {"insurance_type", "amount"} <= {e["entity"] for e in decision.entities}:
        decision.label = "estimate_reimbursement"
        return decision
    if name in ("inform", "nlu_fallback") and not decision.entities:
        plain = next((label for words, label in PLAIN_WORDS if words.search(decision.text)), None)
        decision.label = plain or decision.label
    query = memory.get("last_query")
    if query and CORRECTION.search(decision.text) and decision.entities:
        decision.label, decision.ellipsis = query["label"], True
        decision.entities = _corrected(decision)
        return decision
    if name in ("nlu_fallback", "inform") and memory.get("last_faq") and decision.text.rstrip("？?。").endswith("呢"):
        decision.label = memory["last_faq"]
    elif query and query["label"] == "estimate_reimbursement" and _loose(decision) and AMENDS.search(decision.text):
        decision.label = "estimate_reimbursement"
    elif query and name in (*COURTESY, base(query["label"]), "query_schedule"):
        useful = {"department", "doctor", "date", "period", "doctor_title", "fee_item"}
        if ELLIPSIS.match(decision.text.strip()) and any(e["entity"] in useful for e in decision.entities):
            decision.label, decision.ellipsis = query["label"], True
    return decision


def _after_grievance(decision: Decision, task: dict | None, memory: dict) -> None:
    """What a complaint, a death or a queue makes of a message: blame, 人呢, 受理编号是多少."""
    text = decision.text
    asked = (task or {}).get("asked")
    if decision.label == "faq/dispute_channels" and told.QUALITY.search(text):
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
