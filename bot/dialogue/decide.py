"""What a turn is about: one request now, others of the same message beside it. Plain data in and out; Rasa then acts on it.

Context decides what a classifier alone cannot (context.py), and of several requests in one message the one whose answer would
disappoint most comes first (several.py; nlu-guideline, rules for annotation).
"""

import re
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace

from actions import told
from bot.dialogue.context import in_context
from bot.dialogue.decision import Decision, base, by_words, from_payload, rank
from bot.dialogue.several import hear
from bot.safety.signs import scan

SURE_OF_DANGER = 0.6  # a danger the table of signs does not know must be this sure (benchmarks/nlu/README.md)
DOUBTFUL = 0.45  # below this nothing is begun or answered on a guess: the patient chooses
SMALL_TALK = ("chitchat", "bot_challenge", "ask_capabilities", "out_of_scope", "repeat")
SURE = 0.6  # above this a label stands against plain words of complaint
COMPLAINS = re.compile(r"^我?(想|要)?(投诉|举报)(?!电话|渠道|方式|怎么)")
SWEARS = re.compile(r"傻[逼b比]|煞笔|[操艹草]你|草泥马|滚|废物|王八蛋|他妈|你妈|妈的|去死")
ENGLISH = re.compile(r"\b(the|is|are|my|how|what|where|when|who|can|you|please|have|need|want to|hello)\b", re.I)
DEATH_CERTIFICATE = re.compile(r"死亡(医学)?证(明)?")
OFF_THE_POINT = re.compile(r"答非所问|[牛驴]头?[唇嘴]?不对马嘴|听不懂人话|说人话|人工智障|智障|(你|真|太|好)笨|傻子")
OPENS = re.compile(
    r"(你好|您好|那个|请问|麻烦)?[，, ]?(我|俺)?(想|要)?(跟你|向您?)?(问|咨询|请教|打听)(一下|下|个|点|一个|件)?(事|问题|事情|事儿|情况)?[儿呀啊吧哈。~]*"
)
ONLY_DIGITS = re.compile(r"[\d*\s]{4,}")  # a code, a number: never a goodbye
OTHERS_DATA = re.compile(r"(告诉|给|发|查|透露).{0,10}(手机号?|电话(号码)?|住址|地址|身份证号?|病历|病情)")
HAN = re.compile(r"[\u3400-\u9fff\d]")
ONE_SOUND = re.compile(r"(?![哈嘻呵6好是对行嗯])(.)\1{2,}[。！!？?~～]*")


def decide(rows: list, slots: dict, read: Callable[[str, datetime], object], received_at: datetime) -> Decision:
    """Decide what the waiting rows of one turn are about."""
    first = rows[0]
    if first.kind == "stale":
        return Decision("repeat", first.text, stale=True)
    if first.kind == "button":
        return from_payload(first.button["payload"], first.text)
    decision = hear([row.text for row in rows], lambda text: read(text, received_at), slots.get("task"))
    _safety_net(decision)
    return in_context(decision, slots)


def warning(text: str, read: Callable[[str, datetime], object], received_at: datetime) -> str:
    """Say what a first message brings of danger: "alarm" (the fixed text), "notice" (the short one), "" (nothing).

    The sign counts first, at the edge (bot/conversations/inbound.py); the label of the turn has its say after it.
    """
    sign = scan(text)
    if sign and sign.definite:
        return "alarm"
    if decide([SimpleNamespace(kind="text", text=text)], {}, read, received_at).label == "emergency":
        return "alarm"
    return "notice" if sign else ""


def _safety_net(decision: Decision) -> None:
    """Correct what the classifier cannot know: a shaky emergency without a sign, a message it refuses."""
    if decision.label == "emergency" and decision.danger is None and decision.confidence < SURE_OF_DANGER:
        others = [(label, c) for label, c in decision.ranking if label != "emergency"]
        if others:
            decision.label, decision.confidence = others[0]
    if ONE_SOUND.fullmatch(decision.text.strip()):
        decision.label = "nlu_fallback"  # 啊啊啊啊, 。。。。
    foreign = len(decision.text) >= 8 and not HAN.search(decision.text) and decision.label != "emergency"
    if foreign and (ENGLISH.search(decision.text) or decision.confidence < SURE):
        decision.label = "out_of_scope"  # another language (pinyin is none): where to get help
    if told.afraid(decision.text) and rank(decision.label) >= 4:
        decision.label = "nlu_fallback"  # answered with comfort
    if DEATH_CERTIFICATE.search(decision.text) and rank(decision.label) >= 4:
        decision.label = "report_death"
    if decision.label.startswith("chitchat/") and decision.confidence < SURE:
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
    if ONLY_DIGITS.fullmatch(decision.text.strip()):
        decision.label = "inform"
    if {"person_name", "relation"} <= named and OTHERS_DATA.search(decision.text) and rank(decision.label) == 6:
        decision.label = "privacy_request"  # 告诉我王建国的手机号，我是他侄子
    if OFF_THE_POINT.search(decision.text) and len(decision.text) <= 10 and rank(decision.label) >= 4:
        decision.label = "nlu_fallback"
    if OPENS.fullmatch(decision.text.strip()):
        decision.label = "greet"  # 我想问个事: nothing has been asked yet
    if rank(decision.label) in (3, 4) and decision.confidence < DOUBTFUL:
        decision.label = "nlu_fallback"
    if decision.label == "nlu_fallback":
        if plain := by_words(decision.text):
            decision.label, decision.confidence = plain, 0.5
    if told.angry(decision.text) and base(decision.label) in SMALL_TALK:
        decision.label = "nlu_fallback"  # 你是不是听不懂人话 asks nothing about us: actions/human.py soothes
    decision.heard = decision.label
