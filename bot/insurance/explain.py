"""Say an estimate, a plan and what is still missing in plain Chinese for a chat bubble (R20, R25, R41)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from bot.insurance.calculator import band_name, percent, row_for
from bot.insurance.model import (
    ESTIMATE_LABEL,
    LEVEL_NAMES,
    LEVELS,
    SCHEME_NAMES,
    SETTING_NAMES,
    STATUS_NAMES,
    STATUSES,
    ZERO,
    Band,
    Case,
    Estimate,
    Plan,
    Step,
    YearSoFar,
)
from bot.money import yuan_text

GLOSSES = {
    "deductible": "医保开始支付前，由您先付的部分",
    "cap": "一年里医保最多支付的金额",
    "critical": "个人负担较多时的第二次报销",
}
CLASS_B_MEANS = "乙类是指医保能报、但要先由您付一部分的项目"
CLASS_B_GLOSS = "乙类：医保目录里需要您先付一部分的项目"
TOTALS = ("fund", "critical", "personal")  # what is paid by whom: always to the cent
STATUS_SCHEMES = ("employee",)  # only there do 在职 and 退休 differ


class Inquiry(NamedTuple):
    """What a patient has told so far; None = not yet. Amounts in yuan."""

    scheme: str | None = None
    setting: str | None = None
    total: Decimal | None = None
    status: str | None = None
    age: int | None = None
    level: str = "tertiary"  # this hospital's own level unless the patient names another
    self_pay: Decimal | None = None
    class_b: Decimal | None = None
    year: YearSoFar | None = None


def missing_inputs(case: Inquiry, plan: Plan | None = None) -> list[str]:
    """Give the fields still to be asked, in asking order: scheme, setting, total, status, age.

    status is asked of employees only, age only where `plan` has rows by age. The hospital's level, self-pay and
    class-B amounts are never asked for: `case_of` takes them on an assumption that it states.
    """
    missing = [field for field in ("scheme", "setting", "total") if getattr(case, field) is None]
    if case.scheme in STATUS_SCHEMES and case.status is None:
        missing.append("status")
    if plan is not None and case.age is None and _asks_for_age(plan, case):
        missing.append("age")
    return missing


def case_of(inquiry: Inquiry) -> tuple[Case, tuple[str, ...]]:
    """Give the case to reckon and the assumptions to tell the patient; call it when `missing_inputs` is empty."""
    assumed = []
    if inquiry.self_pay is None and inquiry.class_b is None:
        assumed.append("您还没有说自费和乙类的金额，这里按全部费用都在医保范围内估算，实际报销可能会少一些")
    elif inquiry.self_pay is None:
        assumed.append("自费金额按0元估算")
    elif inquiry.class_b is None:
        assumed.append("乙类金额按0元估算")
    if inquiry.year is None:
        times = "第一次住院" if inquiry.setting == "inpatient" else "第一次就医"
        assumed.append(f"按今年{times}估算")
    case = Case(
        total=inquiry.total,
        self_pay=inquiry.self_pay or ZERO,
        class_b=inquiry.class_b or ZERO,
        level=inquiry.level,
        status=inquiry.status,
        age=inquiry.age,
        year=inquiry.year or YearSoFar(),
    )
    return case, tuple(assumed)


def result_text(estimate: Estimate) -> str:
    """Give what the insurance pays and what is left to the patient, to the cent, and for which case that holds."""
    plan, case = estimate.plan, estimate.case
    who = LEVEL_NAMES[case.level] + (f"、{STATUS_NAMES[case.status]}" if case.status else "")
    paid = estimate.fund + estimate.critical
    return (
        f"医保约付{paid:,.2f}元，您约付{estimate.personal:,.2f}元，{estimate.label}。\n"
        f"这是按{plan.name}（{who}）、总费用{yuan_text(case.total)}估算的。"
    )


def steps_text(estimate: Estimate, assumptions: tuple[str, ...] = ()) -> str:
    """Give every step on a line of its own, then the assumptions in one line and the source with its end date."""
    plan = estimate.plan
    lines = ["计算步骤："]
    lines += [f"{number}. {_line(step)}" for number, step in enumerate(estimate.steps, 1)]
    notes = (*((CLASS_B_MEANS,) if estimate.parts.prepaid else ()), *assumptions)
    if notes:
        lines.append(f"说明：{'；'.join(notes)}。")
    lines.append(f"依据：{plan.source}，有效期至{_day(plan.valid_to)}。")
    return "\n".join(lines)


def policy_facts(plan: Plan, level: str | None = None) -> str:
    """Give deductible, rates, cap and second layer of a plan in plain words, with source and date.

    With `level` only that level of hospital is told, which is what a chat bubble has room for.
    """
    levels = (level,) if level else LEVELS
    lines = [f"{plan.city}{SCHEME_NAMES[plan.scheme]}{SETTING_NAMES[plan.setting]}待遇："]
    lines.append(f"起付线（{GLOSSES['deductible']}）：" + "；".join(_each(plan, _deductible_fact, levels)))
    lines.append("报销比例：" + "；".join(_each(plan, _rate_fact, levels)))
    if plan.caps:
        lines.append(f"封顶线（{GLOSSES['cap']}）：" + "；".join(_cap_facts(plan)))
    if plan.critical:
        threshold = yuan_text(plan.critical.bands[0].start)
        rates = "，".join(_band_fact(band) for band in plan.critical.bands)
        lines.append(f"大病保险（{GLOSSES['critical']}）：全年医保范围内个人负担超过{threshold}后，{rates}")
    lines.append(f"{CLASS_B_GLOSS}，先付{percent(plan.class_b_share)}。")
    lines += plan.notes
    lines.append(f"依据：{plan.source}，有效期至{_day(plan.valid_to)}。{ESTIMATE_LABEL}。")
    return "\n".join(lines)


def _line(step: Step) -> str:
    amount = f"{step.amount:,.2f}元" if step.key in TOTALS else yuan_text(step.amount)
    if step.key == "deductible":
        return f"{step.label}：{amount}（{step.formula}）"
    if step.formula == yuan_text(step.amount).removesuffix("元"):
        return f"{step.label}：{amount}"
    label = f"{step.label}的部分" if step.key == "band" else step.label
    return f"{label}：{step.formula} = {amount}"


def _asks_for_age(plan: Plan, case: Inquiry) -> bool:
    rows = [row.who for row in (*plan.rates, *plan.deductibles, *plan.caps)]
    return any(
        (who.age_from is not None or who.age_to is not None)
        and (not who.statuses or case.status in who.statuses)
        and (not who.levels or case.level in who.levels)
        for who in rows
    )


def _each(plan: Plan, fact: Callable[[Plan, Case], str], levels: tuple[str, ...]) -> list[str]:
    """Say `fact` once for each level, and for each status and age group where they differ."""
    said = []
    by_status = any(row.who.statuses for row in (*plan.deductibles, *plan.rates))
    ages = sorted({age for row in plan.rates for age in (row.who.age_from, row.who.age_to) if age is not None})
    for status in STATUSES if by_status else (None,):
        by_level = {level: _by_age(plan, fact, level, status, ages) for level in levels}
        name = f"{STATUS_NAMES[status]}：" if status else ""
        if len(levels) == len(LEVELS) and len(set(by_level.values())) == 1:
            said.append(name + by_level[levels[0]])
        else:
            said.append(name + "，".join(f"{LEVEL_NAMES[level]}{text}" for level, text in by_level.items()))
    return [said[0].partition("：")[2]] if _same_for_all(said) else said


def _same_for_all(said: list[str]) -> bool:
    bare = {text.partition("：")[2] for text in said}
    return len(said) > 1 and len(bare) == 1


def _by_age(plan: Plan, fact: Callable[[Plan, Case], str], level: str, status: str | None, ages: list[int]) -> str:
    samples = [0, *ages] if ages else [0]
    texts = [fact(plan, Case(total=ZERO, level=level, status=status, age=age)) for age in samples]
    if len(set(texts)) == 1:
        return texts[0]
    older = [f"满{age}岁{text}" for age, text in zip(ages, texts[1:], strict=True)]
    return "、".join([f"未满{ages[0]}岁{texts[0]}", *older])


def _deductible_fact(plan: Plan, case: Case) -> str:
    row = row_for(plan, "deductibles", case)
    if plan.period == "year":
        return f"每年{yuan_text(row.first)}"
    if row.later == row.first:
        return yuan_text(row.first)
    return f"第一次{yuan_text(row.first)}、第二次起{yuan_text(row.later)}"


def _rate_fact(plan: Plan, case: Case) -> str:
    bands = row_for(plan, "rates", case).bands
    return percent(bands[0].rate) if len(bands) == 1 else "、".join(_band_fact(band) for band in bands)


def _band_fact(band: Band) -> str:
    return f"{band_name(band)}{percent(band.rate)}"


def _cap_facts(plan: Plan) -> list[str]:
    said = []
    for row in plan.caps:
        names = [STATUS_NAMES[status] for status in row.who.statuses] + [LEVEL_NAMES[one] for one in row.who.levels]
        said.append(f"{'、'.join(names)}每年{yuan_text(row.amount)}")
    return said


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
