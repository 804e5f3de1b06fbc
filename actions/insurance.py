"""What the insurance pays: 居民医保住院花了三万能报多少, 起付线多少, 种植牙能报吗 (R92-R95)."""

import json
import re
from decimal import Decimal

from actions import identity
from actions.fees import HUMAN, SHOWN, ask_words, asked_words, facts_of_shown_bill, remember_items, to_bill
from actions.talk import FLOWS, Talk, flow
from actions.wishes import today_of
from bot.fees.amounts import amounts_in
from bot.fees.pricing import (
    class_text,
    classes_text,
    dates_text,
    items_for,
    named_in,
    parts_of,
    share_text,
    unit_price,
)
from bot.hospital.load import load_hospital
from bot.insurance.calculator import estimate
from bot.insurance.commercial import checklist_text
from bot.insurance.explain import Inquiry, case_of, missing_inputs, policy_facts, result_text, steps_text
from bot.insurance.hearing import other_city, setting_in, told_in
from bot.insurance.model import SCHEME_NAMES, SETTING_NAMES, SETTINGS, CaseError, InsuranceError, YearSoFar
from bot.insurance.plans import OLD_NAMES, find_plan, scheme_of
from bot.language.numbers import integer_value
from bot.language.plain import terms
from bot.settings import settings

TYPES = [
    *({"title": name, "value": key} for key, name in SCHEME_NAMES.items()),
    {"title": "其他或没有医保", "value": "other"},
]
SETTING_OPTIONS = [{"title": name, "value": key} for key, name in SETTING_NAMES.items()]
STATUS_OPTIONS = [{"title": "在职", "value": "in_service"}, {"title": "退休", "value": "retired"}]
BILL_WORDS = re.compile(r"账单|明细|清单|费用单")
WHICH_KIND = re.compile(r"哪种|哪一种|哪类|什么医保|属于|算什么|是不是|算职工|算居民|职工还是|居民还是|归哪")
ASKS_MEANING = re.compile(r"什么叫|叫什么|是什么|是个?啥|什么意思|啥意思|几个字|区别|有什么不一样|解释|搞不懂|大白话")
WHICH_SELF_PAY = re.compile(r"哪些.{0,6}自费|自费的?.{0,4}(?:有哪些|是哪些|哪几)|有哪些.{0,6}自费")
AGAIN = re.compile(r"改成|改为|换成|再算|重新算|重算")
WHAT_IF = re.compile(r"^(?:那|那么|要是|如果|假如|其实|不对|不是|说错)|呢[？?。]?$|应该是|搞错")
ASKS_HOW_MUCH = re.compile(r"能?(?:报|報)(?:销|銷)?(?:多少|几|吗|不)|报百分")
ESTIMATE = "estimate_reimbursement"
SHORT = 12  # characters; a longer message is a question of its own
PARTS = ("self_pay", "class_b", "over_limit", "prepaid")
AMOUNTS = ("total", *PARTS)
KEPT = (*AMOUNTS, "insurance_type", "care_setting", "hospital_level", "employment", "age", "stays")


# ---- estimate


@flow("estimate_reimbursement", "医保报销估算", free_text=("age",))
def estimate_reimbursement(talk: Talk) -> None:
    """Reckon what the insurance pays, one question at a time for what is missing; the result first, then every step.

    A bill just shown is reckoned with its own lines; of an item just shown the class is said (R92, R93).
    """
    if _about_a_bill(talk):
        to_bill(talk)
        return
    _note(talk)
    if _other_city(talk) or _where_it_belongs(talk) or _all_self_pay(talk) or _shown_items(talk):
        return
    priced = _price_just_shown(talk)
    scheme = _scheme(talk)
    setting = _setting(talk) or talk.need("care_setting", "utter_ask_care_setting", SETTING_OPTIONS)
    try:
        plan = find_plan(settings().city, scheme, setting, today_of(talk))
        _ask_the_rest(talk, plan)
        case, assumed = case_of(_inquiry(talk))
        prepaid = Decimal(talk.fact("prepaid")) if talk.fact("prepaid") is not None else None
        result = estimate(plan, case._replace(over_limit=Decimal(talk.fact("over_limit", "0")), prepaid=prepaid))
    except InsuranceError as error:
        talk.say("utter_no_plan", [HUMAN], ask=error.ask)
        return
    except CaseError:
        talk.forget(*AMOUNTS)
        talk.ask("total", "utter_estimate_contradiction")
    facts = {name: talk.facts[name] for name in KEPT if name in talk.facts}
    facts |= {"insurance_type": scheme, "care_setting": setting, "who": identity.relation_of(talk)}
    talk.memory["last_query"] = {"label": ESTIMATE, "facts": facts}
    talk.memory["shown"] = None
    talk.say("utter_estimate", notice=_old_name_notice(talk), result=result_text(result))
    steps = steps_text(result, (f"按在{settings().city}参保估算", *priced, *assumed))
    talk.say("utter_estimate_steps", _after(facts), steps=steps)


def _first_pass(talk: Talk) -> bool:
    """Tell whether this turn began the task: nothing has been asked in it yet, and the message is the request."""
    return not talk.task.get("asked") and _ours(talk)


def _about_a_bill(talk: Talk) -> bool:
    """再查一下11月28号门诊的, heard as a follow-up of an estimate, asks for that bill."""
    if not _first_pass(talk) or talk.message.button or not talk.memory.get("bill"):
        return False
    text = talk.message.text
    asks = re.search(r"查|看看|看一下|账单|明细|清单|费用单", text) and not re.search(r"报|算", text)
    return bool(asks and (talk.message.values("date") or BILL_WORDS.search(text)) and not amounts_in(text))


def _where_it_belongs(talk: Talk) -> bool:
    """灵活就业的医保算哪种: a short answer with where it belongs, and no tariff."""
    if talk.message.button or not _ours(talk):
        return False
    text = talk.message.text
    if "离休" in text:
        talk.say("utter_insurance_retired_cadre", [HUMAN])
        return True
    if "灵活就业" in text and WHICH_KIND.search(text) and not amounts_in(text):
        buttons = [_policy_button(f"职工医保{name}怎么报", {"insurance_type": "employee", "care_setting": key})
                   for key, name in SETTING_NAMES.items() if key in ("inpatient", "outpatient")]  # fmt: skip
        talk.say("utter_insurance_flexible", buttons)
        return True
    return False


def _shown_items(talk: Talk) -> bool:
    """能报多少, right after a price: the class of that item and what is paid first, without a question."""
    codes = talk.memory.get("shown")
    text = talk.message.text
    begins = _first_pass(talk) or (talk.message.label == ESTIMATE and ASKS_HOW_MUCH.search(text))
    if not isinstance(codes, list) or not begins or talk.message.button or talk.message.values("amount"):
        return False
    if talk.message.values("insurance_type") or talk.message.values("care_setting") or setting_in(text):
        return False
    prices = load_hospital().prices
    items = [prices[code] for code in codes if code in prices]
    named = [item for word in talk.message.texts("fee_item") for item in items_for(word, load_hospital())[0]]
    if not items or (named and not set(named) & set(items)) or len(text) > SHORT:
        return False
    say_items(talk, items)
    return True


def _price_just_shown(talk: Talk) -> tuple[str, ...]:
    """居民医保，门诊的, after the price of one item: reckon with that price. Gives what is then assumed, () for nothing."""
    codes, prices = talk.memory.get("shown"), load_hospital().prices
    if isinstance(codes, list) and len(codes) == 1 and codes[0] in prices and _first_pass(talk):
        if not {*AMOUNTS, "bill"} & talk.facts.keys() and talk.fact("care_setting") != "inpatient":
            talk.facts["item"] = codes[0]
            talk.facts.update(parts_of(prices[codes[0]]))
    item = prices.get(talk.fact("item"))
    return (f"按{item.name}{unit_price(item)}，只做一次",) if item and talk.fact("total") == str(item.price) else ()


def say_items(talk: Talk, items: list) -> None:
    """Say class, price and what is paid first of a few items, each on a line."""
    rows = [f"{item.name}（{unit_price(item)}）：{share_text(item)}" for item in items]
    talk.say("utter_coverage", _reckon(items), rows="\n".join(rows), since=dates_text(items))
    remember_items(talk, items)


def _reckon(items: list) -> list[dict]:
    """Give the button that reckons with the price of a single item."""
    if len(items) != 1:
        return []
    facts = {"item": items[0].code, "care_setting": "outpatient", **parts_of(items[0])}
    return [{"title": "估算门诊能报多少", "payload": f"/{ESTIMATE}" + json.dumps(facts)}]


def _all_self_pay(talk: Talk) -> bool:
    """种植牙花了一万能报多少: an item outside the scheme needs no reckoning (in hospital it is a part)."""
    words = talk.fact("fee_item") or []
    found = [items_for(word, load_hospital())[0] for word in ([words] if isinstance(words, str) else words)]
    items = [item for some in found for item in some]
    if not items or not all(found) or talk.fact("care_setting") == "inpatient":
        return False
    if any(item.insurance != "自费" for item in items):
        return False
    rows = "\n".join(f"{item.name}：{class_text(item)}" for item in items[:SHOWN])
    talk.say("utter_coverage", rows=rows, since=dates_text(items))
    return True


def _after(facts: dict) -> list[dict]:
    rules = {name: facts[name] for name in ("insurance_type", "care_setting") if name in facts}
    return [_policy_button("查看报销政策", rules), HUMAN]


def _policy_button(title: str, facts: dict) -> dict:
    return {"title": title, "payload": "/query_insurance_policy" + json.dumps(facts)}


def _ours(talk: Talk) -> bool:
    """Tell whether the message speaks to this task: after an answer in between it belongs to another."""
    name = talk.message.label.partition("/")[0]
    return name not in FLOWS or name == talk.task["name"]


def _note(talk: Talk) -> None:
    """Take from the message what its entities do not tell: which amount is which, 退休, 第二次, 83岁."""
    _drop_vague(talk)
    if talk.message.button:
        _of_a_button(talk)
        return
    if not _ours(talk):
        return
    text, asked = talk.message.text, talk.task.get("asked")
    amounts = amounts_in(text, talk.message.entities)
    if asked == "age":
        amounts.pop("total", None)
    told = _told(talk, text)
    _not_a_scheme(talk)
    _follow_up(talk, text, amounts, told)
    if "total" not in amounts and "self_pay" in amounts and asked == "total":
        talk.forget("total")  # 自费两千 is an amount, but not the one that was asked for
    talk.facts.update(amounts)
    for name, value in told.items():
        talk.set(name, value)
    if any(name in text for name in OLD_NAMES):
        talk.facts["old_name"] = max((name for name in OLD_NAMES if name in text), key=len)
    if city := other_city(text, settings().city):
        talk.facts["city"] = city


def _told(talk: Talk, text: str) -> dict:
    """Give what the words tell of the patient and the place of care."""
    told = told_in(text)
    said = [value for value in talk.message.values("care_setting") if value in SETTINGS]
    return told | ({"care_setting": said[0]} if said else {})


def _not_a_scheme(talk: Talk) -> None:
    """自费 in 其中自费八千 is an amount and does not say that somebody has no insurance."""
    for entity in talk.message.entities:
        if (
            entity["entity"] == "insurance_type"
            and entity.get("value") == "none"
            and "自费" in (entity.get("text") or "")
        ):
            if not re.fullmatch(r"(?:我)?(?:是)?全?自费(?:的)?", talk.message.text.strip("。！!")):
                talk.forget("insurance_type")
                if talk.memory.get("insurance_type") == "none":
                    talk.memory.pop("insurance_type")


def _of_a_button(talk: Talk) -> None:
    """A bill's button brings everything about that bill; what an older question left behind does not belong to it."""
    given = {e["entity"]: e.get("value") for e in talk.message.entities}
    if "bill" in given and _ours(talk) and talk.task.get("of_bill") != talk.turn:
        kept = {name: talk.facts[name] for name in ("relation",) if name in talk.facts}
        talk.task.update(facts=kept | given, of_bill=talk.turn)


def _drop_vague(talk: Talk) -> None:
    """几万 is no amount to reckon with: it is asked again."""
    for name in AMOUNTS:
        value = str(talk.fact(name, "0"))
        if not re.fullmatch(r"\d+(?:\.\d+)?", value):
            talk.forget(name)


def _follow_up(talk: Talk, text: str, amounts: dict, told: dict) -> None:
    """自费改成五千, 其实是退休, 二级医院呢: the facts of the last estimate hold on where this message gives no new ones.

    Right after a bill its own facts are taken. Another place of care (门诊呢) keeps who is insured how, never the amounts.
    """
    if talk.task["name"] != ESTIMATE or talk.task.get("asked") or talk.fact("followed"):
        return
    last = talk.memory.get("last_query") or {}
    who = identity.relation_of(talk)
    kept = last.get("facts") or {} if last.get("label") == ESTIMATE else {}
    if talk.memory.get("shown") == "bill" and "total" not in amounts:
        kept = facts_of_shown_bill(talk) or {}
        if told.get("care_setting", kept.get("care_setting")) != kept.get("care_setting"):
            kept = {}
    elif not kept or who != kept.get("who", "") or not _continues(text, amounts, told, talk):
        if talk.ellipsis:
            talk.forget(*(name for name in kept if name not in amounts and name not in told))
        return
    talk.facts["followed"] = True
    other_place = told.get("care_setting", kept.get("care_setting")) != kept.get("care_setting")
    drop = {"who"}
    if other_place:
        drop |= {*AMOUNTS, "stays", "bill"}
    elif amounts:
        drop |= {"prepaid", "bill"}
    said = {e["entity"] for e in talk.message.entities}
    for name in drop:
        if name in talk.facts and name not in said:
            talk.facts.pop(name)
    for name, value in kept.items():
        if name not in drop:
            talk.facts.setdefault(name, value)


def _continues(text: str, amounts: dict, told: dict, talk: Talk) -> bool:
    """Tell whether a message goes on with the last estimate; a full new question with its own total does not."""
    if AGAIN.search(text) or talk.ellipsis:
        return True
    if "total" in amounts:
        return not told.get("care_setting") or bool(WHAT_IF.search(text)) or "呢" in text
    return bool(amounts) or len(text) <= SHORT or bool(WHAT_IF.search(text) and told)


def _setting(talk: Talk) -> str | None:
    value = talk.fact("care_setting")
    if isinstance(value, dict):
        value = setting_in(value["text"])
        talk.forget("care_setting")
        if value:
            talk.facts["care_setting"] = value
    return value if value in SETTINGS else None


def _scheme(talk: Talk) -> str:
    """Give employee, resident or student_child; ends with a way forward for other insurances."""
    who = identity.relation_of(talk)
    if talk.memory.get("insured", who) != who:  # what was said of oneself does not hold for 我妈
        for name in ("insurance_type", "employment"):
            if name not in talk.facts:
                talk.memory.pop(name, None)
    value = talk.fact("insurance_type")
    if isinstance(value, dict):
        code, _ = scheme_of(value["text"])
        talk.forget("insurance_type")
        value = code if code in SCHEME_NAMES else None
        if value:
            talk.facts["insurance_type"] = value
    kept = talk.memory.get("insurance_type")
    if value is None and not (isinstance(kept, str) and kept in SCHEME_NAMES):
        talk.memory.pop("insurance_type", None)
        value = _scheme_of_record(talk)
    if value is None:
        value = talk.need("insurance_type", "utter_ask_insurance_type", TYPES)
    if value == "employee_retired":
        value = "employee"
        talk.set("employment", "retired")
    if value not in SCHEME_NAMES:
        talk.memory.pop("insurance_type", None)
        _other_insurance(talk, value)
    talk.memory["insured"] = who
    talk.set("insurance_type", value)
    return value


def _scheme_of_record(talk: Talk) -> str | None:
    """Give the scheme of the verified patient's record, and note 在职 or 退休; None where nobody is verified."""
    if identity.known_patient(talk) is None:
        return None
    patient = identity.verified(talk, "医保报销查询")
    if patient.insurance_type == "employee" and "employment" not in talk.facts:
        talk.set("employment", "retired" if patient.retired else "in_service")
    return patient.insurance_type if patient.insurance_type in SCHEME_NAMES else None


def _other_insurance(talk: Talk, kind: str) -> None:
    if kind == "commercial":
        phone = load_hospital().info.phones["insurance"]
        talk.say("utter_insurance_commercial", [HUMAN], papers=checklist_text("inpatient", phone))
    elif kind in ("none", "retired_cadre", "maternity", "work_injury"):
        talk.say(f"utter_insurance_{kind}", [HUMAN])
    else:
        talk.say("utter_insurance_other", [HUMAN])
    talk.end()


def _ask_the_rest(talk: Talk, plan) -> None:
    """Ask for what the plan needs and the patient has not said, one thing at a time (R25, R26)."""
    while missing := missing_inputs(_inquiry(talk), plan):
        if missing[0] == "total":
            talk.need("total", "utter_ask_total")
        elif missing[0] == "status":
            talk.need("employment", "utter_ask_employment", STATUS_OPTIONS)
        elif talk.need("age", "utter_ask_age") and _age(talk) is None:
            talk.forget("age")
            talk.ask("age", "utter_ask_age_again")


def _inquiry(talk: Talk) -> Inquiry:
    def amount(name: str) -> Decimal | None:
        return Decimal(talk.fact(name)) if talk.fact(name) is not None else None

    level = talk.fact("hospital_level")
    stays = talk.fact("stays")
    return Inquiry(
        scheme=talk.fact("insurance_type"),
        setting=talk.fact("care_setting"),
        total=amount("total"),
        status=_status(talk),
        age=_age(talk),
        level=level if isinstance(level, str) else load_hospital().info.level,
        self_pay=amount("self_pay"),
        class_b=amount("class_b"),
        year=YearSoFar(stays=stays) if stays is not None else None,
    )


def _status(talk: Talk) -> str | None:
    if talk.fact("insurance_type") != "employee":
        return None
    return talk.fact("employment") or talk.memory.get("employment")


def _age(talk: Talk) -> int | None:
    value = talk.fact("age")
    found = re.search(r"\d{1,3}", str(value)) if value is not None else None
    age = int(found.group()) if found else integer_value(str(value).rstrip("周岁")) if value is not None else None
    return age if age is not None and age <= 130 else None


def _old_name_notice(talk: Talk) -> str:
    """新农合 is 城乡居民医保 now; the patient is told once."""
    old = talk.fact("old_name")
    notice = scheme_of(old)[1] if old else None
    return f"{notice}\n" if notice and talk.fact("insurance_type") == "resident" else ""


# ---- where somebody is insured


def _other_city(talk: Talk) -> bool:
    """Somebody insured elsewhere gets no number of ours but where to ask (R93)."""
    if not talk.fact("city"):
        return False
    city = talk.fact("city")
    talk.say("utter_other_city", [HUMAN], city="外地" if city == "外地" else city, here=settings().city)
    return True


# ---- policy


@flow("query_insurance_policy", "医保政策查询", question=True)
def query_insurance_policy(talk: Talk) -> None:
    """Say the rules of the scheme and setting named: deductible, rates, cap, with source and date (R92, R93)."""
    text = talk.message.text if _ours(talk) and not talk.message.button else ""
    if text and ASKS_MEANING.search(text) and (named := [term for term in terms() if term in text]):
        longest = [term for term in named if not any(term != other and term in other for other in named)]
        talk.say("utter_policy_terms", rows="\n".join(f"{term}：{terms()[term]}" for term in longest))
        return
    if text:
        _note(talk)
    if _other_city(talk) or _where_it_belongs(talk):
        return
    scheme = _scheme(talk)
    setting = _setting(talk) or "inpatient"
    try:
        plan = find_plan(settings().city, scheme, setting, today_of(talk))
    except InsuranceError as error:
        talk.say("utter_no_plan", [HUMAN], ask=error.ask)
        return
    buttons = [
        {
            "title": f"{name}怎么报",
            "payload": "/query_insurance_policy" + json.dumps({"insurance_type": scheme, "care_setting": key}),
        }
        for key, name in SETTING_NAMES.items()
        if key != setting
    ]
    talk.say("utter_policy", buttons, notice=_old_name_notice(talk), facts=policy_facts(plan))


# ---- class of an item


@flow("check_insurance_coverage", "医保目录查询", question=True, free_text=("fee_item",))
def check_insurance_coverage(talk: Talk) -> None:
    """Say whether an item is 甲, 乙 or 自费, in plain words; never that it will be paid (R41)."""
    if WHICH_SELF_PAY.search(talk.message.text) and talk.memory.get("bill"):
        to_bill(talk)
        return
    shown = talk.memory.get("shown")
    if isinstance(shown, list) and not talk.message.texts("fee_item") and _first_pass(talk) and not talk.message.button:
        prices = load_hospital().prices
        if len(talk.message.text) <= SHORT and not named_in(talk.message.text, load_hospital()):
            say_items(talk, [prices[code] for code in shown if code in prices])
            return
    words = asked_words(talk) or ask_words(talk, "utter_ask_coverage_item")
    hospital = load_hospital()
    rows, unknown, used = [], [], []
    for word in words:
        items, _ = items_for(word, hospital)
        used += items[:SHOWN]
        if not items:
            unknown.append(word)
        elif len({class_text(item) for item in items}) == 1 and len(items) > 1:
            rows.append(f"{word}（{len(items)}项）：{class_text(items[0])}")
        elif len(items) > SHOWN:
            rows.append(f"{word}（{len(items)}项）：{classes_text(items)}，以具体项目为准，比如：")
            rows += [f"{item.name}：{class_text(item)}" for item in items[:SHOWN]]
        else:
            rows += [f"{item.name}：{class_text(item)}" for item in items]
    if rows:
        talk.say("utter_coverage", _reckon(used), rows="\n".join(dict.fromkeys(rows)), since=dates_text(used))
        remember_items(talk, used)
    if unknown:
        talk.say("utter_coverage_unknown", [HUMAN], said="”“".join(unknown))
