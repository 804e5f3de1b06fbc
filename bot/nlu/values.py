"""What an entity means: from the words as typed to the value that the rules work with (docs/nlu-guideline.md).

A value is JSON: a string, a whole number, or None where the words are unknown or fit several things (张主任 twice in
the house stays a question for the dialogue).
"""

import re
from collections.abc import Callable
from datetime import datetime

from bot.hospital import names
from bot.language.dates import date_value, period_value
from bot.language.normalise import normalise
from bot.language.numbers import amount_value, ordinal_value

DOCTOR_TITLES = {
    "chief": ("主任医师", "主任", "正主任", "大主任", "主任号", "主任医师号", "教授"),
    "associate_chief": ("副主任医师", "副主任", "副主任号", "副高", "副教授"),
    "attending": ("主治医师", "主治医生", "主治", "主治号"),
    "resident": ("住院医师", "住院医生", "规培医生"),
    "normal": ("普通号", "普通门诊", "普号", "普通", "平诊", "普通医生", "普通的号"),
    "expert": ("专家号", "专家门诊", "专家", "专家的号", "专家挂号"),
    "special": ("特需号", "特需门诊", "特需", "特诊", "国际门诊", "vip门诊", "vip号"),
}
INSURANCE_TYPES = {
    "employee": (
        "职工医保 城镇职工 城镇职工医保 职工基本医保 职工医疗保险 城镇职工医疗保险 单位医保 在职医保 在职职工 职工 "
        "公费医疗 公费 灵活就业医保 灵活就业 职工保险 职保 城职"
    ).split(),
    "employee_retired": "退休职工 职工退休 退休医保 退休职工医保".split(),
    "resident": (
        "居民医保 城乡居民 城乡居民医保 城镇居民 城镇居民医保 居民医疗保险 城乡居民医疗保险 居民 "
        "新农合 农合 新型农村合作医疗 合作医疗 农村合作医疗 农村医保 居保 城居 城乡医保 居民保险 一老一小"
    ).split(),
    "student_child": (
        "少儿医保 儿童医保 学生医保 学生儿童医保 大学生医保 学平险 学生 少儿 娃娃医保 孩子医保 儿童"
    ).split(),
    "retired_cadre": "离休 离休干部 离休医保".split(),
    "maternity": "生育保险 生育险".split(),
    "work_injury": "工伤保险 工伤".split(),
    "commercial": "商业保险 商业医疗保险 商保 惠民保".split(),
    "none": "自费 没医保 没有医保 无医保 没参保 全自费".split(),
}
HOSPITAL_LEVELS = {
    "tertiary": "三甲 三级甲等 三级 三级医院 三甲医院 三乙 三级乙等 大医院 省医院 省级医院 市医院".split(),
    "secondary": "二级 二级医院 二甲 二甲医院 二级甲等 二乙 县医院 县级医院 区医院".split(),
    "primary": (
        "一级 一级医院 社区医院 社区 社区卫生服务中心 乡镇卫生院 卫生院 卫生所 村卫生室 镇医院 基层医院 社区门诊"
    ).split(),
}
CARE_SETTINGS = {
    "outpatient": "门诊 普通门诊 看门诊 门诊看病".split(),
    "inpatient": "住院 住院部 住了院 住院治疗".split(),
    "emergency": "急诊 急诊科 急诊室 看急诊".split(),
    "chronic": "门慢 门特 慢特病 门诊慢特病 门诊慢病 门诊特殊病 慢病门诊 慢病 特殊病 门诊慢性病 门诊特病".split(),
}
_TABLES = {
    "doctor_title": DOCTOR_TITLES,
    "insurance_type": INSURANCE_TYPES,
    "hospital_level": HOSPITAL_LEVELS,
    "care_setting": CARE_SETTINGS,
}
_CODES = {kind: {word: code for code, words in table.items() for word in words} for kind, table in _TABLES.items()}
CLOSED_WORDS = {kind: tuple(codes) for kind, codes in _CODES.items()}
"""The words of each closed kind, for the lexicon."""


def closed_value(kind: str, span: str) -> str | None:
    """Give the code of a closed kind's words, the longest known word in the span deciding, or None."""
    plain = normalise(span).text.lower()
    codes = _CODES[kind]
    if plain in codes:
        return codes[plain]
    inside = [word for word in codes if len(word) > 1 and word in plain]
    return codes[max(inside, key=lambda word: (len(word), word))] if inside else None


def identifier_value(span: str) -> str:
    """Give an identifying number without blanks and dashes inside, capital letters; masked stays masked."""
    return re.sub(r"[\s-]", "", normalise(span).text).upper()


def _only_code(matches: list) -> str | None:
    codes = {match.code for match in matches}
    return codes.pop() if len(codes) == 1 else None


def _date(span: str, now: datetime) -> str | None:
    return date_value(span, now)


def _period(span: str, now: datetime) -> str | None:
    return period_value(span)


def _amount(span: str, now: datetime) -> str | None:
    value = amount_value(span)
    return None if value is None else format(value.normalize(), "f")


def _ordinal(span: str, now: datetime) -> int | None:
    return ordinal_value(span)


def _named(kind: str) -> Callable[[str, datetime], str | None]:
    def value(span: str, now: datetime) -> str | None:
        return _only_code(getattr(names, f"resolve_{kind}")(span))

    return value


def _closed(kind: str) -> Callable[[str, datetime], str | None]:
    return lambda span, now: closed_value(kind, span)


def _identifier(span: str, now: datetime) -> str:
    return identifier_value(span)


def _ticket(span: str, now: datetime) -> str:
    # ts202611030007 and TS20261103-0007 are one.
    return re.sub(r"^([A-Z]{2})-?(20\d{6})-?(\d{4,7})$", r"\1\2-\3", normalise(span).text.upper().replace(" ", ""))


def _as_written(span: str, now: datetime) -> str:
    return span


_VALUES: dict[str, Callable[[str, datetime], str | int | None]] = {
    "department": _named("department"),
    "doctor": _named("doctor"),
    "fee_item": _named("fee_item"),
    "date": _date,
    "period": _period,
    "amount": _amount,
    "ordinal": _ordinal,
    "phone": _identifier,
    "id_number": _identifier,
    "card_number": _identifier,
    "ticket_id": _ticket,
    **{kind: _closed(kind) for kind in _TABLES},
}


def entity_value(kind: str, span: str, now: datetime) -> str | int | None:
    """Give the value of an entity's words at the moment `now` (aware), or None when unknown or ambiguous.

    Kinds without a table or a rule (symptom, body_part, relation, staff, person_name) are kept as written.
    """
    return _VALUES.get(kind, _as_written)(span, now)
