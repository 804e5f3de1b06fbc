"""Prices and bills: 核磁多少钱, 我昨天住院花了多少, 护理费怎么每天都有 (R89-R91, R95)."""

import json
import re
from datetime import date

from actions import identity
from actions.phrasing import day_text, deadline_text, span_of
from actions.talk import FLOWS, Talk, flow
from actions.wishes import today_of
from bot.fees import chart
from bot.fees.bills import Bill, bills_of, charge_rows, day_month, fitting, lines_of, look_back
from bot.fees.breakdown import ZERO, FeeBreakdown, bed_days, fee_breakdown
from bot.fees.pricing import (
    GENERIC,
    REGISTRATION,
    TITLE_WORDS,
    UNSURE,
    WHY,
    choose,
    classes_text,
    dates_text,
    items_for,
    named_in,
    names_said,
    price_row,
    proper_word,
    range_text,
    unit_price,
    unlisted_name,
    whole_name,
    words_in,
)
from bot.hospital.load import load_hospital
from bot.hospital.model import PriceItem
from bot.hospital.prices import fee_words
from bot.patients.access import Patient
from bot.storage.engine import writing
from bot.tickets import service as tickets

SHOWN = 6  # items of a category, choices in a question
MANY = 8  # more items than these are not listed together
FULL_ROWS = 3  # up to so many items each is said with its class in words
HUMAN = {"title": "转人工", "payload": "/request_human"}
BED = "01"
# Under these labels a message may be about the bill; under any other the words belong to another flow.
BILL_LABELS = ("query_bill", "check_insurance_coverage", "query_price", "estimate_reimbursement")
INPATIENT = re.compile(r"住院|出院|入院|病房|病区|住了|住在|押金|预交")
LATEST = re.compile(r"上次|上回|最近|这次|这回|刚才|刚刚|本次")
DEPOSIT = re.compile(r"押金|预交|余额|欠费|欠多少|欠了|还欠|账户里|账上还有|够不够")
WHOLE = re.compile(r"一共|总共|总的|分类|明细|清单|全部")
KINDS = ("无痛", "增强", "单人", "双人")  # of an exam or a room, often said after its name
SELF_PAY = re.compile(r"自费|自付|自己掏|自己付|自己出|医保付|医保报|个人掏")

chart.warm_up()


# ---- prices


@flow("query_price", "价格查询", question=True, free_text=("fee_item", "which_item"))
def query_price(talk: Talk) -> None:
    """Give the list price of what is named, with class, unit and date; no identity is asked (R7, R95)."""
    hospital = load_hospital()
    if _asks_why(talk):
        return
    words = asked_words(talk) or ask_words(talk, "utter_ask_price_item")
    talk.memory["last_query"] = {"label": "query_price", "facts": {}}
    known: list[PriceItem] = []
    unknown: list[str] = []
    for word in words:
        items, category = items_for(word, hospital)
        if category:
            _say_category(talk, word, items)
        elif not items:
            unknown.append(word)
        elif len(items) == 1 or all(item.category == REGISTRATION for item in items):
            known += items
        else:
            known += _which(talk, proper_word(word, items), items)
    known = list(dict.fromkeys(known))
    if known:
        shown = known if len(known) <= MANY else known[:SHOWN]
        rows = [price_row(item, short=len(shown) > FULL_ROWS) for item in shown]
        if len(known) > len(shown):
            rows.append(_more(len(known) - len(shown)))
        talk.say("utter_price", rows="\n".join(rows), since=dates_text(known))
        remember_items(talk, known)
    if unknown:
        talk.say("utter_price_unknown", [HUMAN], said="”“".join(unknown))


def _asks_why(talk: Talk) -> bool:
    """为什么药费这么贵 asks about one's bill and not for the price list: show its lines, or say how to see them."""
    if talk.message.button or not WHY.search(talk.message.text):
        return False
    if talk.memory.get("bill"):
        to_bill(talk)
    else:
        talk.say("utter_price_why", [_button("查我的费用", "query_bill", {}), HUMAN])
    return True


def to_bill(talk: Talk) -> None:
    """Go on as query_bill with nothing but what this message says: facts of the other question do not belong to it."""
    kept = {name: talk.facts[name] for name in ("relation",) if name in talk.facts}
    talk.task.update(name="query_bill", facts=kept, asked=None, options=[])
    talk.absorb(answer=False)
    query_bill(talk)


def remember_items(talk: Talk, items: list[PriceItem]) -> None:
    """Keep what was just shown, so that 能报多少 needs no question."""
    talk.memory["shown"] = [item.code for item in items] if len(items) <= FULL_ROWS else None


def asked_words(talk: Talk) -> list[str]:
    """Give the words for price items that a question names, kept over its follow-up turns; [] for none."""
    if "words" not in talk.facts:
        if talk.task.get("asked") == "fee_item":
            return []  # an answer to 哪个项目 is read by `ask_words`
        given = talk.fact("fee_item") or []
        words = [str(w) for w in ([given] if isinstance(given, str) else given) if str(w) not in (*GENERIC, *KINDS)]
        titles = [w for value in talk.message.values("doctor_title") if (w := TITLE_WORDS.get(str(value)))]
        if titles:
            words = [w for w in words if w not in ("挂号费", "挂号", "号费", "诊查费")] + titles
        words = words or _doctors_openings(talk)
        if not talk.message.button:
            others = [text for e in talk.message.entities if e["entity"] != "fee_item" and (text := e.get("text"))]
            words = [whole_name(word, talk.message.text, load_hospital(), others) for word in words or _named(talk)]
            if not words and (name := unlisted_name(talk.message.text)):
                words = [name]
        if not words:
            return []
        talk.facts["words"] = list(dict.fromkeys(_precise(_code_name(word), talk.message) for word in words))
    return talk.facts["words"]


# 挂骨科要多少钱, 專科一個號幾錢: the fee of registering
REGISTERS = re.compile(r"[挂掛].{0,6}[号號科]|[号號]费|[号號]費|[专專]科.{0,4}(多少|[几幾])|一[个個][号號]")


def _named(talk: Talk) -> list[str]:
    words = named_in(talk.message.text, load_hospital())
    return words or (["挂号费"] if REGISTERS.search(talk.message.text) else [])


def ask_words(talk: Talk, response: str) -> list[str]:
    """Ask which item is meant; an answer that names none (人呢) gets the phone and ends here."""
    if all(word in GENERIC for word in talk.fact("fee_item") or []):
        talk.forget("fee_item")
    given = talk.need("fee_item", response)
    words = [given] if isinstance(given, str) else [str(word) for word in given]
    hospital = load_hospital()
    if not talk.message.button:
        heard = talk.message.texts("fee_item")
        words = [name for word in words for name in names_said(word, hospital) or ([word] if word in heard else [])]
    if not words:
        talk.say("utter_price_not_named", [HUMAN])
        talk.end()
    talk.facts["words"] = list(dict.fromkeys(words))
    return talk.facts["words"]


def _precise(word: str, message) -> str:
    """Give 无痛胃镜 or 头部核磁 where kind or part is said elsewhere: 胃镜多少钱，无痛的; 核磁头部的多少钱."""
    kinds = [kind for kind in (*KINDS, *message.texts("body_part")) if kind in message.text and kind not in word]
    known = {word.lower() for word in fee_words(load_hospital())}
    return next((kind + word for kind in kinds if (kind + word).lower() in known), word)


def _code_name(word: str) -> str:
    item = load_hospital().prices.get(word)
    return item.name if item else word


def _doctors_openings(talk: Talk) -> list[str]:
    """张主任的号贵吗: the registration fees of that doctor's clinics."""
    doctor = talk.fact("doctor")
    if doctor is None:
        return []
    hospital = load_hospital()
    if isinstance(doctor, str) and doctor in hospital.doctors:
        return list(dict.fromkeys(session.fee_item for session in hospital.sessions_of(doctor))) or ["挂号费"]
    return ["挂号费"]


def _say_category(talk: Talk, word: str, items: list[PriceItem]) -> None:
    said = talk.facts.setdefault("said", [])
    if word in said:
        return
    said.append(word)
    rows = "\n".join(price_row(item, short=True) for item in items[:SHOWN])
    more = f"\n{_more(len(items) - SHOWN)}" if len(items) > SHOWN else ""
    talk.say("utter_price_category", category=word, count=len(items), rows=rows, more=more, since=dates_text(items))


def _more(count: int) -> str:
    return f"还有{count}项，请问您想了解哪一项？直接说名称就可以。"


def _which(talk: Talk, word: str, items: list[PriceItem]) -> list[PriceItem]:
    """Several items share a word (核磁): say the range and ask which; who cannot tell is shown them.

    Words about something else (人呢, 我要退费) get a short answer with the phone, never the list.
    """
    hospital = load_hospital()
    chosen = talk.facts.setdefault("chosen", {})
    if word not in chosen:
        if "which_item" not in talk.facts:
            options = [
                {"title": item.name, "value": item.code} for item in items[: MANY if len(items) <= MANY else SHOWN]
            ]
            talk.ask(
                "which_item",
                "utter_price_which",
                options,
                said=word,
                price=range_text(items),
                classes=classes_text(items),
                since=dates_text(items),
            )
        said = str(talk.facts.pop("which_item"))
        picked = [hospital.prices[said]] if said in hospital.prices else choose(said, word, items, hospital)
        if not picked and not UNSURE.search(said):
            picked = [item for name in names_said(said, hospital) for item in items_for(name, hospital)[0]]
            if not picked or len(picked) > SHOWN:
                talk.say("utter_price_not_named", [HUMAN])
                talk.end()
        chosen[word] = [item.code for item in picked or items]
    return [hospital.prices[code] for code in chosen[word]]


# ---- bills


@flow("query_bill", "费用查询")
def query_bill(talk: Talk) -> None:
    """Show a bill to the patient whose it is, after the identity check (R7): sums, classes, self-pay, chart."""
    _note(talk)
    patient = identity.verified(talk, "查询费用")
    if _asks_for_another(talk, patient):
        talk.say("utter_bill_other_person", [HUMAN])
        return
    today = today_of(talk)
    bills = bills_of(load_hospital(), patient.code, today)
    if not bills:
        talk.say("utter_bill_none_at_all", [HUMAN], patient=patient.shown_name)
        return
    bill = _which_bill(talk, bills, today)
    talk.memory["bill"], talk.memory["shown"] = bill.code, "bill"
    if talk.fact("inquiry"):
        _inquire(talk, bill, patient)
    elif talk.fact("words"):
        _explain(talk, bill, today)
    elif talk.fact("focus") == "deposit" and bill.deposit is not None:
        _deposit(talk, bill, today)
    elif talk.fact("focus") == "self_pay":
        _self_pay(talk, bill, fee_breakdown(bill.lines, load_hospital().prices))
    else:
        _whole(talk, bill, today, patient)


def _note(talk: Talk) -> None:
    """Keep what the request says beyond its entities: after the identity check its words are gone."""
    name = talk.message.label.partition("/")[0]
    if "focus" in talk.facts or (name in FLOWS and name not in BILL_LABELS):
        return
    text = talk.message.text
    talk.facts["focus"] = _focus(text)
    talk.facts["latest"] = bool(LATEST.search(text))
    talk.facts["whole"] = bool(re.search(r"出院|结账|结算", text))
    talk.facts["date_words"] = "".join(talk.message.texts("date"))
    if INPATIENT.search(text) and not talk.fact("care_setting"):
        talk.facts["care_setting"] = "inpatient"
    given = talk.fact("fee_item") or []
    given = [given] if isinstance(given, str) else given
    words = [w for w in given if w not in GENERIC and not w.startswith("自费")]
    if not words and WHY.search(text):
        words = [w for w in words_in(text, load_hospital()) if w not in GENERIC]
    if words:
        talk.facts["words"] = words


def _focus(text: str) -> str:
    if DEPOSIT.search(text):
        return "deposit"
    return "self_pay" if SELF_PAY.search(text) and not WHOLE.search(text) else ""


def _asks_for_another(talk: Talk, patient) -> bool:
    """Somebody else is named in the request. The names stay in the message: no slot may hold them."""
    if talk.message.label != "query_bill" or talk.message.button:
        return False
    known = (p.name for p in load_hospital().patients.values())
    names = talk.message.texts("person_name") + [name for name in known if name in talk.message.text]
    return any(name != patient.name for name in names)


def _which_bill(talk: Talk, bills: list[Bill], today: date) -> Bill:
    codes = {bill.code: bill for bill in bills}
    if talk.fact("bill") in codes:
        return codes[talk.fact("bill")]
    span, setting = _span(talk, today), talk.fact("care_setting")
    setting = setting if setting in ("inpatient", "outpatient", "emergency") else None
    options = [{"title": bill.title, "value": bill.code} for bill in bills[:SHOWN]]
    fits = fitting(bills, setting, span, today)
    if not fits:
        names = {"inpatient": "住院", "outpatient": "门诊", "emergency": "急诊"}
        who, when = identity.whom(talk), talk.fact("date_words") or ""
        code = talk.need("bill", "utter_bill_none_then", options, who=who, what=f"{when}{names.get(setting, '')}")
        return codes.get(code, bills[0])
    if span is None and setting is None and talk.memory.get("bill") in codes:
        return codes[talk.memory["bill"]]
    here = [bill for bill in fits if bill.last is None]
    if span is None and len(here) == 1:
        return here[0]  # who is in hospital asks about this stay
    if len(fits) > 1 and not talk.fact("latest"):
        options = [{"title": bill.title, "value": bill.code} for bill in fits[:SHOWN]]
        return codes.get(talk.need("bill", "utter_bill_which", options), fits[0])
    return fits[0]


def _span(talk: Talk, today: date) -> tuple[date, date] | None:
    value = talk.fact("date")
    if not isinstance(value, str):
        return None
    return look_back(span_of(value), today, talk.fact("date_words") or "")


def _whole(talk: Talk, bill: Bill, today: date, patient) -> None:
    span = _span(talk, today)
    one = span is not None and span[0] == span[1]
    if span and talk.fact("whole") and one and span[0] == bill.last:
        span = None  # 11月5日出院: the day names the stay
    lines, part = lines_of(bill, span, today)
    fees = fee_breakdown(lines, load_hospital().prices)
    title = f"{bill.setting_name}（{bill.department}）{_part_text(span, today)}" if part else bill.title
    until = f"（截至{day_month(today)}，还在住院，以出院结算为准）" if bill.last is None and not part else ""
    talk.say(
        "utter_bill_total",
        patient=patient.shown_name,
        title=title,
        until=until,
        total=chart.amount_text(fees.total),
        in_scope=chart.amount_text(fees.in_scope),
        pay_first=chart.amount_text(fees.pay_first),
        over_limit=chart.amount_text(fees.over_limit),
        self_paid=chart.amount_text(fees.self_paid),
        flagged=f"\n其中{len(fees.flagged)}项类别待核对，先记在“其他”里，我们会请工作人员核对。"
        if fees.flagged
        else "",
    )
    if fees.total > 0:
        days = [bill.date_of(day.day) for day in fees.days]
        labels = [f"{day.month}/{day.day}" for day in days]
        picture = chart.make_chart(fees.categories, fees.days, labels, f"{bill.setting_name}费用")
        text = chart.chart_text(fees.categories, fees.days, [day_month(day) for day in days])
        talk.say("utter_bill_chart", image=chart.data_uri(picture), rows=text)
    _self_pay(talk, bill, fees)


def _part_text(span: tuple[date, date], today: date) -> str:
    if span[0] == span[1]:
        return day_text(span[0], today)
    return f"{day_month(span[0])}至{day_month(span[1])}"


def _self_pay(talk: Talk, bill: Bill, fees: FeeBreakdown) -> None:
    """Each self-pay item with price, quantity and what to discuss with the doctor (R91)."""
    buttons = [_button("估算医保报销", "estimate_reimbursement", estimate_facts(bill, talk.patient))]
    if not fees.self_pay:
        talk.say("utter_bill_no_self_pay", buttons, title=bill.title)
        return
    rows = []
    for item in fees.self_pay[:SHOWN]:
        others = "、".join(f"{other.name}（{unit_price(other)}）" for other in item.alternatives)
        other_text = f"可以考虑：{others}，请与医生确认" if others else "有没有替代的项目，请问您的医生"
        rows.append(
            f"{item.name}：{item.price:,.2f}元/{item.unit}，数量{item.quantity.normalize():f}，"
            f"共{chart.amount_text(item.amount)}。{other_text}。"
        )
    rest = len(fees.self_pay) - SHOWN
    more = f"\n还有{rest}项金额较小的自费项目，需要时请告诉我项目名称。" if rest > 0 else ""
    talk.say(
        "utter_bill_self_pay", buttons, rows="\n".join(rows), more=more, self_paid=chart.amount_text(fees.self_paid)
    )


def estimate_facts(bill: Bill, patient: Patient | None) -> dict:
    """Give what `estimate_reimbursement` needs of a whole bill: sums of its lines, setting, and the patient's scheme.

    `prepaid` is the sum of each line's own 先行自付, so that bill and estimate agree to the cent.
    """
    fees = fee_breakdown(bill.lines, load_hospital().prices)
    facts = {
        "bill": bill.code,
        "total": str(fees.total),
        "self_pay": str(fees.self_paid),
        "over_limit": str(fees.over_limit),
        "class_b": str(sum((line.total - line.over_limit for line in bill.lines if line.pay_first), start=ZERO)),
        "prepaid": str(fees.pay_first),
        "care_setting": bill.setting,
    }
    if patient and patient.insurance_type:
        facts["insurance_type"] = patient.insurance_type
        facts["employment"] = "retired" if patient.retired else "in_service"
    return facts


def facts_of_shown_bill(talk: Talk) -> dict | None:
    """Give `estimate_facts` of the bill just shown, None where its patient's check has run out or it is not his."""
    patient_id = identity.known_patient(talk)
    if patient_id is None:
        return None
    patient = identity.verified(talk, "医保报销估算")
    bills = bills_of(load_hospital(), patient.code, today_of(talk))
    bill = next((bill for bill in bills if bill.code == talk.memory.get("bill")), None)
    return estimate_facts(bill, patient) if bill else None


def _deposit(talk: Talk, bill: Bill, today: date) -> None:
    total = fee_breakdown(bill.lines, load_hospital().prices).total
    left = bill.deposit - total
    talk.say(
        "utter_bill_deposit_left" if left >= 0 else "utter_bill_deposit_short",
        title=bill.title,
        deposit=chart.amount_text(bill.deposit),
        total=chart.amount_text(total),
        left=chart.amount_text(abs(left)),
        today=day_month(today),
    )


def _explain(talk: Talk, bill: Bill, today: date) -> None:
    """护理费怎么每天都有: the lines of that item with days and quantity, and the offer that a person checks them."""
    hospital = load_hospital()
    lines, part = lines_of(bill, _span(talk, today), today)
    for word in talk.fact("words"):
        items, category = items_for(word, hospital)
        codes, kinds = {item.code for item in items}, {item.category for item in items}
        mine = [
            line for line in lines if (line.category in kinds if category else line.item in codes) or word in line.name
        ]
        check = {"bill": bill.code, "fee_item": [word], "inquiry": True}
        buttons = [_button("请人工核对", "query_bill", check), HUMAN]
        if not mine:
            talk.say("utter_bill_item_absent", buttons, said=word, title=bill.title)
            continue
        rows = charge_rows(bill, mine)
        more = f"\n还有{len(rows) - 10}项，需要时请告诉我项目名称。" if len(rows) > 10 else ""
        total = chart.amount_text(sum((line.total for line in mine), start=mine[0].total * 0))
        talk.say(
            "utter_bill_item",
            buttons,
            said=word,
            title=bill.title,
            rows="\n".join(rows[:10]) + more,
            total=total,
            note=_bed_note(bill, mine, today) if not part and any(line.category == BED for line in mine) else "",
        )


def _bed_note(bill: Bill, lines: list, today: date) -> str:
    """B2: the day of admission is charged, the day of discharge is not."""
    if bill.setting != "inpatient":
        return ""
    charged = sum(line.quantity for line in lines if line.category == BED and line.unit == "日")
    rule = "床位费从入院当天开始算，出院当天免收。"
    if bill.last is None:
        return f"\n{rule}"
    due = bed_days(bill.first, bill.last)
    if charged == due:
        return f"\n{rule}{bill.span}共{due}天，与账单一致。"
    return f"\n{rule}{bill.span}应为{due}天，账单上是{charged.normalize():f}天，建议点“请人工核对”。"


def _inquire(talk: Talk, bill: Bill, patient) -> None:
    """Open an inquiry with a person about lines of a bill."""
    item = "、".join(talk.fact("words") or [])
    content = {"event": f"请核对{bill.title}的{item or '费用'}（账单{bill.code}）"}
    with writing() as conn:
        ticket = tickets.file(
            conn, talk.id, "review", content, talk.now, "web", patient_id=patient.id, key=f"{talk.turn}:inquiry"
        )
        talk.receipt(conn, f"费用核对已登记，编号：{ticket.number}")
    talk.say("utter_bill_inquiry", number=ticket.number, deadline=deadline_text(ticket.due_at), what=item or "这份账单")


def _button(title: str, intent: str, facts: dict) -> dict:
    return {"title": title, "payload": f"/{intent}" + json.dumps(facts, ensure_ascii=False)}
