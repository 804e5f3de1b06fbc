"""Reckon what the insurance pays: pure Decimal, no SQL, no clock (R92, hospital-domain B3).

The order is the rule book's: exclusions, deductible by stay, bands, cap, 大病保险. Each band is rounded half up to a
cent on its own. Every step is kept as data, so that the patient can follow it (bot/insurance/explain.py).
"""

from decimal import Decimal

from bot.insurance.model import (
    LEVEL_NAMES,
    LEVELS,
    STATUS_NAMES,
    STATUSES,
    ZERO,
    Band,
    Case,
    CaseError,
    Critical,
    DeductibleRow,
    Estimate,
    For,
    NoPlan,
    Personal,
    Plan,
    RateRow,
    Step,
    YearSoFar,
)
from bot.money import round_cent, yuan_text

PERCENT = Decimal(100)
PAYOUT = "本年度已报销"  # the bands of such a plan run over the money paid back


def estimate(plan: Plan, case: Case) -> Estimate:
    """Split `case.total` between fund, 大病保险 and patient.

    Raises CaseError for amounts that contradict each other and where the plan needs a status or age that is missing,
    NoPlan where the plan's tables have no row for this patient.
    """
    check(case)
    prepaid = round_cent(case.class_b * plan.class_b_share if case.prepaid is None else case.prepaid)
    in_scope = round_cent(case.total - case.self_pay - case.over_limit - prepaid)
    steps = [_scope_step(plan, case, prepaid, in_scope)]
    deductible = _deductible(plan, case, in_scope)
    steps.append(_deductible_step(plan, case, in_scope, deductible))
    uncapped = ZERO
    for step in _band_steps(plan, case, in_scope, deductible):
        steps.append(step)
        uncapped += step.amount
    fund = uncapped
    cap = cap_for(plan, case)
    if cap is not None:
        room = max(ZERO, cap - case.year.fund_paid)
        fund = min(uncapped, room)
        if fund < uncapped:
            steps.append(Step("cap", "封顶线", f"本年度最高{_yuan(cap)}，还可付{_yuan(room)}", fund))
    steps.append(_fund_step(steps, fund))
    over_cap = uncapped - fund
    coinsurance = in_scope - deductible - uncapped
    parts = Personal(round_cent(case.self_pay), round_cent(case.over_limit), prepaid, deductible, coinsurance, over_cap)
    base, critical = _critical(plan.critical, parts, case.year)
    if critical > 0:
        steps.append(_critical_step(plan.critical, case.year.critical_base + base, critical))
    personal = round_cent(case.total) - fund - critical
    steps.append(Step("personal", "个人负担", _personal_formula(parts, critical), personal))
    year = case.year
    after = YearSoFar(
        stays=year.stays + (plan.setting == "inpatient"),
        deductible_used=year.deductible_used + deductible,
        in_scope=year.in_scope + in_scope,
        fund_paid=year.fund_paid + fund,
        critical_base=year.critical_base + base,
    )
    return Estimate(plan, case, in_scope, fund, critical, personal, parts, tuple(steps), after)


def check(case: Case) -> None:
    """Raise CaseError, naming the field, when a case cannot be true."""
    amounts = {name: getattr(case, name) for name in ("total", "self_pay", "over_limit", "class_b")}
    amounts["prepaid"] = case.prepaid or ZERO
    amounts |= {f"year.{name}": value for name, value in case.year._asdict().items()}
    for name, value in amounts.items():
        if isinstance(value, float) or value < 0:
            raise CaseError(f"{name} must be a Decimal of at least 0, not {value!r}")
    within = case.class_b if case.prepaid is None else case.prepaid
    if case.self_pay + case.over_limit + within > case.total:
        raise CaseError(f"self_pay + over_limit + class_b is more than total {case.total}")
    if case.level not in LEVELS or case.status not in (None, *STATUSES):
        raise CaseError(f"level {case.level!r} or status {case.status!r} is none of {LEVELS} {STATUSES}")


def applies(who: For, case: Case) -> bool:
    """Say whether a row is for this case; raise CaseError when it depends on a status or age that is missing."""
    if who.levels and case.level not in who.levels:
        return False
    if who.statuses:
        if case.status is None:
            raise CaseError("status (在职 or 退休) is needed for this plan")
        if case.status not in who.statuses:
            return False
    if who.age_from is not None or who.age_to is not None:
        if case.age is None:
            raise CaseError("age is needed for this plan")
        return (who.age_from or 0) <= case.age < (who.age_to or 200)
    return True


def cap_for(plan: Plan, case: Case) -> Decimal | None:
    """Give the year's cap (封顶线) in yuan, None when the plan has none."""
    return next((row.amount for row in plan.caps if applies(row.who, case)), None)


def row_for(plan: Plan, field: str, case: Case) -> DeductibleRow | RateRow:
    """Give the row of `plan.deductibles` or `plan.rates` for this case; raise NoPlan where the file has none."""
    for row in getattr(plan, field):
        if applies(row.who, case):
            return row
    who = f"{LEVEL_NAMES[case.level]}{STATUS_NAMES.get(case.status, '')}"
    raise NoPlan(f"{plan.name}: {field} has no row for {who}", plan.ask)


def _deductible(plan: Plan, case: Case, in_scope: Decimal) -> Decimal:
    row = row_for(plan, "deductibles", case)
    if plan.period == "year":
        return min(max(ZERO, row.first - case.year.deductible_used), in_scope)
    return min(row.first if case.year.stays == 0 else row.later, in_scope)


def _band_steps(plan: Plan, case: Case, in_scope: Decimal, deductible: Decimal) -> list[Step]:
    bands = row_for(plan, "rates", case).bands
    if plan.basis == "payout":
        return _payout_steps(bands, in_scope - deductible, case.year.fund_paid)
    before = case.year.in_scope if plan.period == "year" else ZERO
    low, high = before + deductible, before + in_scope
    steps = []
    for band in bands:
        part = _overlap(band, low, high)
        if part > 0:
            steps.append(_band_step(band, part, round_cent(part * band.rate)))
    return steps


def _payout_steps(bands: tuple[Band, ...], cost: Decimal, paid: Decimal) -> list[Step]:
    """Bands over the money already paid back this year: a band ends when the payout reaches its end."""
    steps = []
    for band in bands:
        if cost <= 0:
            break
        room = None if band.end is None else band.end - max(paid, band.start)
        if room is not None and room <= 0:
            continue
        amount = round_cent(cost * band.rate)
        if room is None or amount <= room:
            steps.append(_band_step(band, cost, amount, PAYOUT))
            break
        used = min(cost, round_cent(room / band.rate))
        steps.append(_band_step(band, used, room, PAYOUT))
        paid, cost = paid + room, cost - used
    return steps


def _overlap(band: Band, low: Decimal, high: Decimal) -> Decimal:
    end = high if band.end is None else min(band.end, high)
    return end - max(band.start, low)


def _critical(critical: Critical | None, parts: Personal, year: YearSoFar) -> tuple[Decimal, Decimal]:
    """Give (what this case adds to the year's base, what 大病保险 pays for it)."""
    base = parts.deductible + parts.coinsurance
    if critical is None:
        return base, ZERO
    base += parts.prepaid if critical.counts_prepaid else ZERO
    base += parts.over_cap if critical.counts_over_cap else ZERO
    due = critical_paid(critical, year.critical_base + base) - critical_paid(critical, year.critical_base)
    return base, due


def critical_paid(critical: Critical, base: Decimal) -> Decimal:
    """Give what 大病保险 pays in a year whose base is `base`, rounded per band and limited by its own cap."""
    paid = sum((round_cent(max(ZERO, _overlap(band, ZERO, base)) * band.rate) for band in critical.bands), ZERO)
    return paid if critical.cap is None else min(paid, critical.cap)


def band_name(band: Band) -> str:
    """Give 30,000元以内, 30,000元至40,000元, 40,000元以上, or 起付线以上 for the one band of a flat rate."""
    if band.start == 0:
        return "起付线以上" if band.end is None else f"{yuan_text(band.end)}以内"
    return f"{yuan_text(band.start)}以上" if band.end is None else f"{yuan_text(band.start)}至{yuan_text(band.end)}"


def _yuan(amount: Decimal) -> str:
    return yuan_text(amount).removesuffix("元")


def percent(rate: Decimal) -> str:
    """Give 85% for 0.85 and 95.5% for 0.955."""
    return f"{(rate * PERCENT).normalize():f}%"


def _scope_step(plan: Plan, case: Case, prepaid: Decimal, in_scope: Decimal) -> Step:
    formula = _yuan(case.total)
    if case.self_pay:
        formula += f" - 自费{_yuan(case.self_pay)}"
    if case.over_limit:
        formula += f" - 超限价{_yuan(case.over_limit)}"
    if prepaid and case.prepaid is not None:
        formula += f" - 乙类先付{_yuan(prepaid)}（按各项的先付比例）"
    elif prepaid:
        formula += f" - 乙类先付{_yuan(prepaid)}（{_yuan(case.class_b)} × {percent(plan.class_b_share)}）"
    return Step("in_scope", "医保范围内费用", formula, in_scope)


def _deductible_step(plan: Plan, case: Case, in_scope: Decimal, deductible: Decimal) -> Step:
    row = row_for(plan, "deductibles", case)
    if plan.period == "year":
        formula = f"全年{_yuan(row.first)}，已用{_yuan(min(case.year.deductible_used, row.first))}"
    else:
        full = row.first if case.year.stays == 0 else row.later
        formula = f"本年度第{case.year.stays + 1}次住院，标准{_yuan(full)}"
    if deductible == in_scope and deductible > 0:
        formula += "，范围内费用未超过起付线"
    return Step("deductible", "起付线", formula, deductible)


def _band_step(band: Band, part: Decimal, amount: Decimal, over: str = "") -> Step:
    return Step("band", over + band_name(band), f"{_yuan(part)} × {percent(band.rate)}", amount)


def _fund_step(steps: list[Step], fund: Decimal) -> Step:
    bands = " + ".join(_yuan(step.amount) for step in steps if step.key == "band") or "0"
    capped = any(step.key == "cap" for step in steps)
    return Step("fund", "统筹基金支付", f"{bands}，按封顶线" if capped else bands, fund)


def _critical_step(critical: Critical, base: Decimal, amount: Decimal) -> Step:
    pieces = []
    for band in critical.bands:
        part = _overlap(band, ZERO, base)
        if part > 0:
            pieces.append(f"{_yuan(part)} × {percent(band.rate)}")
    threshold = _yuan(critical.bands[0].start)
    return Step("critical", "大病保险", f"全年累计{_yuan(base)}，超过{threshold}的部分：{' + '.join(pieces)}", amount)


def _personal_formula(parts: Personal, critical: Decimal) -> str:
    names = ("自费", "超限价", "乙类先付", "起付线", "按比例自付", "超封顶")
    named = [f"{name}{_yuan(value)}" for name, value in zip(names, parts, strict=True) if value]
    return (" + ".join(named) or "0") + (f" - 大病保险{_yuan(critical)}" if critical else "")
