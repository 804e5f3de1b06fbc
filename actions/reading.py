"""Reads answers: what a message says about the question that was asked. Plain data in and out."""

import json
import re

from bot.fees.amounts import amounts_in
from bot.language.numbers import ordinal_value
from bot.language.periods import period_value

YES = re.compile(
    r"^(是|是的|对|对的|对啊|没错|好|好的|好呀|好吧|可以|可以的|行|行的|行吧|嗯|嗯嗯|恩|要|要的|需要|同意|我同意|确认|确定|没问题|ok|OK|Ok|"
    r"中|得|得嘅|係|系|要得|成|妥|办吧|挂吧|就这个|就它|帮我办|麻烦了|请帮我办理|继续|继续吧|确认无误|无误|正确|愿意|想|yes|好滴|好嘞|okk?)[。.!！~～呀啊吧的了哦噢呢嘛谢]*$"
)
NO = re.compile(
    r"^(不|不是|不是的|不对|不要|不要了|不用|不用了|不需要|不行|否|没有|没|别|先不|先不用|不同意|不愿意|不想|算了|不了|唔使|唔要|唔係|"
    r"不确认|错了|不办|不挂了|再说吧|no|NO|暂时不用|以后再说|下次吧)[。.!！~～呀啊吧的了哦噢呢谢]*$"
)
CHINESE_NAME = re.compile(r"^[一-鿿㐀-䶿·]{2,12}$")
NAME_LEAD = re.compile(
    r"(?:我叫|名字(?:是|叫)?|姓名(?:是|[:：])?|叫做|本人)\s*([一-鿿㐀-䶿·]{2,6}?)(?=$|[，,。\s]|身份证|电话|手机|号码)"
)
PERIOD = re.compile(
    r"上午|下午|晚上|早上|中午|傍晚|今晚|明早|明晚|上晝|下晝|上昼|下昼|晏昼|"
    r"(早上|上午|中午|下午|晚上)?[\d一二三四五六七八九十两]{1,3}点(半|钟|\d{1,2}分?)?(以后|之后|前|以前)?"
)
SELF = re.compile(r"(是|给|帮|替)?(我自己|我本人|自己(看|挂)|给自己)")
SINGLE = (
    "department",
    "doctor",
    "doctor_title",
    "date",
    "period",
    "insurance_type",
    "hospital_level",
    "care_setting",
    "ticket_id",
    "relation",
    "amount",
    "person_name",
    "id_number",
    "phone",
    "card_number",
    "staff",
)
MANY = ("symptom", "fee_item", "body_part")


EARLIEST = re.compile(r"最早(的|那)|第一个")
ANY = re.compile(r"都行|随便|都可以|无所谓|都得|都好|您看着办|你看着办|哪个都")
CHEAP = re.compile(r"便宜")
LATEST = re.compile(r"最晚|最后一个")
PRICE = re.compile(r"(\d+(?:\.\d+)?)元")
RESEND = re.compile(r"[没沒未]有?收到|收不到|[再重](新)?(发|發|来|來)一?|没有?短信|还没(到|来)")
NO_NAME = re.compile(
    r"撤|授权|不想|不要|换|收不|验证|手机|没有|不是|[吗呢啊吧么什怎哪多几谁费号科挂院药]|查询|预约|投诉|人工|你好|您好|谢谢"
)


def button(name: str, title: str, value) -> dict:
    """Give a button in Rasa's form; the edge replaces its payload by an opaque token."""
    return {"title": title, "payload": "/inform" + json.dumps({name: value}, ensure_ascii=False)}


def facts_of(message) -> dict:
    """Give the facts a message holds: a single value by entity, lists for symptoms and fee items."""
    facts: dict = {}
    for entity in message.entities:
        name = entity["entity"]
        value = entity.get("value")
        if message.button:
            facts[name] = value
        elif name in SINGLE:
            # Of two departments or dates in one message the first is the wish; a doctor or place is kept by its words too.
            facts.setdefault(name, value if value is not None else {"text": entity.get("text")})
        elif name in MANY:
            facts.setdefault(name, []).append(entity.get("text") or value)
    if "period" not in facts and not message.button:
        said = next(
            (e.get("text") for e in message.entities if e["entity"] == "date" and period_value(e.get("text") or "")),
            None,
        )
        clock = PERIOD.search(message.text)
        value = period_value(said) if said else period_value(clock.group()) if clock else None
        if value:
            facts["period"] = value
    if SELF.search(message.text):
        facts["relation"] = "本人"
    lead = NAME_LEAD.search(message.text)
    if lead and "person_name" not in facts and not message.button:
        facts["person_name"] = lead.group(1)
    return facts


BUT = re.compile(r"不|改|换|等|但|可是|不过|再|先|别|错|[?？]")


def yes_or_no(text: str) -> bool | None:
    """Give True for 好的 and 对，退掉, False for 不用了 and 不对，是周四, None for anything else."""
    first, *rest = [part for part in re.split(r"[，,。！!\s]+", text.strip()) if part] or [""]
    if NO.match(first):
        return False
    if YES.match(first) and not any(BUT.search(part) and not YES.match(part) for part in rest):
        return True
    return None


def pick(options: list[dict], message) -> object | None:
    """Give the value of the option the message names: by number, by title, by a part of the title that only one has."""
    ordinal = message.first("ordinal") or (
        ordinal_value(message.text.strip("。吧那就选要个 ")) if len(message.text) <= 10 else None
    )
    if EARLIEST.search(message.text) and len(message.text) <= 16:
        ordinal = 1
    open_ones = [o for o in options if "候补" not in str(o["title"]) and "约满" not in str(o["title"])] or options
    if not isinstance(ordinal, int) and len(message.text) <= 10 and options:
        if ANY.search(message.text):
            return open_ones[0]["value"]
        if CHEAP.search(message.text) and all(PRICE.search(o["title"]) for o in open_ones):
            return min(open_ones, key=lambda o: float(PRICE.search(o["title"]).group(1)))["value"]
        if LATEST.search(message.text):
            return open_ones[-1]["value"]
    if isinstance(ordinal, int):
        try:
            return options[ordinal - 1 if ordinal > 0 else ordinal]["value"]
        except IndexError:
            return None
    text = re.sub(r"[。.!！，,\s]+$", "", message.text.strip())
    if text.isdigit() and 1 <= int(text) <= len(options):
        return options[int(text) - 1]["value"]
    for option in options:
        if text == option["title"] or text == option["value"]:
            return option["value"]
    inside = [o for o in options if len(text) >= 2 and (text in o["title"] or o["title"] in text)]
    return inside[0]["value"] if len(inside) == 1 else None


def answer(asked: str, options: list[dict], message, free_text: tuple[str, ...]):
    """Give the value that a message gives for the open question, None when it gives none."""
    text = message.text.strip()
    if options:
        kinds = {type(o["value"]) for o in options}
        if kinds == {bool}:
            said = yes_or_no(text)
            if text in ("1", "2") and len(options) == 2:
                return options[int(text) - 1]["value"]  # the number of the choice, as one answers on a phone
            if said is None and message.label in ("affirm", "deny"):
                said = message.label == "affirm"
            if said is not None or message.first("ordinal") is not None or (len(text) <= 6 and ordinal_value(text)):
                return said  # 第一个 is no answer to a question of yes or no
        chosen = pick(options, message)
        if chosen is not None:
            return chosen
    if asked == "person_name":
        name = re.sub(r"^(我叫|我是|叫|姓名|名字是|名字叫)[:：]?", "", text).strip("。.，, ")
        usual = len(name) <= 4 or "·" in name
        named = usual and CHINESE_NAME.match(name) and not NO_NAME.search(name) and ordinal_value(name) is None
        return name if named else None
    if asked == "code":
        found = re.search(r"\*{6}|(?<!\d)\d{6}(?!\d)", text)
        return found.group() if found else "resend" if RESEND.search(text) else None
    if asked == "id_number":
        found = re.search(r"\d{3}\*{11}\d{3}[\dXx]|\d{3}\*{8}\d{4}", text)
        return found.group() if found else None
    if asked == "phone":
        found = re.search(r"1\d{2}\*{4}\d{4}", text)
        return found.group() if found else None
    if asked in ("amount", "total"):
        return amounts_in(message.text, message.entities).get("total") or message.first("amount")
    if asked in free_text and text:
        return text
    return None


def can_answer(task: dict, message, free_text: tuple[str, ...]) -> bool:
    """Tell whether a message reads as an answer to the open question (used before Rasa sees the label)."""
    asked = task.get("asked")
    if not asked:
        return False
    if answer(asked, task.get("options") or [], message, free_text) is not None:
        return True
    return asked in facts_of(message)
