"""Read the dated plan files and find the one that holds for a day (R92, R93). One file = one city, scheme, setting."""

from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from bot.errors import DataError
from bot.insurance.model import (
    LEVELS,
    SCHEME_NAMES,
    SCHEMES,
    SETTING_NAMES,
    SETTINGS,
    STATUSES,
    Band,
    CapRow,
    Critical,
    DeductibleRow,
    ExpiredPlan,
    For,
    NoPlan,
    Plan,
    RateRow,
)

PLANS = Path(__file__).with_name("plans")
ASK = "请咨询医院医保办公室，或拨打医保服务热线12393"
OLD_NAMES = {  # merged into 城乡居民医保 (国发〔2016〕3号)
    "新农合": "resident",
    "新型农村合作医疗": "resident",
    "农村合作医疗": "resident",
    "合作医疗": "resident",
    "城镇居民": "resident",
    "城镇居民医保": "resident",
    "new_rural": "resident",
    "urban_resident": "resident",
}
OLD_NAME_NOTICE = "{old}已并入城乡居民医保，下面按城乡居民医保为您估算。"
REQUIRED = ("city", "scheme", "setting", "name", "valid_from", "valid_to", "source", "reviewer", "basis", "period")


def scheme_of(name: str) -> tuple[str, str | None]:
    """Give (scheme, notice): an old name such as 新农合 becomes resident, with the notice the patient is to read.

    A name that is no known scheme comes back unchanged; `find_plan` then raises NoPlan.
    """
    if name in OLD_NAMES:
        old = {"new_rural": "新农合", "urban_resident": "城镇居民医保"}.get(name, name)
        return OLD_NAMES[name], OLD_NAME_NOTICE.format(old=old)
    by_chinese = {chinese: scheme for scheme, chinese in SCHEME_NAMES.items()}
    return by_chinese.get(name, name), None


@lru_cache(maxsize=8)
def load_plans(folder: Path = PLANS) -> tuple[Plan, ...]:
    """Give every plan in `folder`; raise DataError that names file and field for a malformed one.

    Two files for the same city, scheme and setting must not hold on the same day.
    """
    plans = [(path.name, _plan(path)) for path in sorted(folder.glob("*.yml"))]
    for place, (file, plan) in enumerate(plans):
        for other_file, other in plans[:place]:
            same = (plan.city, plan.scheme, plan.setting) == (other.city, other.scheme, other.setting)
            if same and plan.valid_from <= other.valid_to and other.valid_from <= plan.valid_to:
                raise DataError(f"{file}: valid_from..valid_to overlaps {other_file}; end the older plan first")
    return tuple(plan for _, plan in plans)


def find_plan(city: str, scheme: str, setting: str, on: date, folder: Path = PLANS) -> Plan:
    """Give the plan that holds on the day `on`.

    Raises NoPlan where there is none, ExpiredPlan where the last one ended before `on`. Both carry no number,
    only where to ask (`.ask`).
    """
    code, _ = scheme_of(scheme)
    same = [plan for plan in load_plans(folder) if (plan.city, plan.scheme, plan.setting) == (city, code, setting)]
    for plan in same:
        if plan.valid_from <= on <= plan.valid_to:
            return plan
    what = f"{city}{SCHEME_NAMES.get(code, code)}{SETTING_NAMES.get(setting, setting)}"
    ended = [plan for plan in same if plan.valid_to < on]
    if ended:
        last = max(ended, key=lambda plan: plan.valid_to)
        raise ExpiredPlan(f"{what}: the rules ended on {last.valid_to}, asked about {on}", last.ask)
    raise NoPlan(f"{what}: no rules for {on}", ASK)


def _plan(path: Path) -> Plan:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(raw, dict):
        raise DataError(f"{path.name}: the file must hold fields such as city, scheme, setting")
    for field in (*REQUIRED, "class_b_share", "deductibles", "rates"):
        if raw.get(field) in (None, "", []):
            raise DataError(f"{path.name}: {field} is missing")
    _one_of(path, "scheme", raw["scheme"], SCHEMES)
    _one_of(path, "setting", raw["setting"], SETTINGS)
    _one_of(path, "basis", raw["basis"], ("in_scope_cost", "payout"))
    _one_of(path, "period", raw["period"], ("stay", "year"))
    for field in ("valid_from", "valid_to"):
        if type(raw[field]) is not date:
            raise DataError(f"{path.name}: {field} must be a day such as 2026-01-01, not {raw[field]!r}")
    if raw["valid_to"] < raw["valid_from"]:
        raise DataError(f"{path.name}: valid_to lies before valid_from")
    plan = Plan(
        **{field: raw[field] for field in REQUIRED},
        ask=raw.get("ask", ASK),
        class_b_share=_rate(path, "class_b_share", raw["class_b_share"]),
        deductibles=tuple(_deductible(path, row) for row in raw["deductibles"]),
        rates=tuple(RateRow(_who(path, "rates", row), _bands(path, "rates", row.get("bands"))) for row in raw["rates"]),
        caps=tuple(
            CapRow(_who(path, "caps", row), _yuan(path, "caps.yuan", row.get("yuan"))) for row in raw.get("caps") or ()
        ),
        critical=_critical(path, raw["critical"]) if raw.get("critical") else None,
        notes=tuple(raw.get("notes") or ()),
    )
    for field in ("deductibles", "rates", "caps"):
        _no_two_for_one(path, field, [row.who for row in getattr(plan, field)])
    for row in plan.rates:
        if row.bands[0].start != 0:
            raise DataError(f"{path.name}: rates.bands must begin at 0, not at {row.bands[0].start}")
        if plan.basis == "payout" and any(band.rate == 0 for band in row.bands):
            raise DataError(f"{path.name}: rates.bands with basis payout need a rate above 0%")
    return plan


def _one_of(path: Path, field: str, value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise DataError(f"{path.name}: {field} is {value!r}; it must be one of {', '.join(allowed)}")


def _yuan(path: Path, field: str, value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation as error:
        raise DataError(f"{path.name}: {field} must be an amount in yuan, not {value!r}") from error
    if not amount.is_finite() or amount < 0:
        raise DataError(f"{path.name}: {field} must be at least 0, not {value!r}")
    return amount


def _rate(path: Path, field: str, value: Any) -> Decimal:
    text = str(value)
    if not text.endswith("%"):
        raise DataError(f"{path.name}: {field} must be written as a percentage such as 85%, not {value!r}")
    rate = _yuan(path, field, text[:-1]) / 100
    if rate > 1:
        raise DataError(f"{path.name}: {field} is {text}; a rate is at most 100%")
    return rate


def _who(path: Path, field: str, row: dict) -> For:
    levels, statuses = tuple(row.get("level") or ()), tuple(row.get("status") or ())
    for level in levels:
        _one_of(path, f"{field}.level", level, LEVELS)
    for status in statuses:
        _one_of(path, f"{field}.status", status, STATUSES)
    return For(levels, statuses, row.get("age_from"), row.get("age_to"))


def _deductible(path: Path, row: dict) -> DeductibleRow:
    first = _yuan(path, "deductibles.first", row.get("first"))
    later = _yuan(path, "deductibles.later", row.get("later", first))
    return DeductibleRow(_who(path, "deductibles", row), first, later)


def _bands(path: Path, field: str, rows: Any) -> tuple[Band, ...]:
    if not rows:
        raise DataError(f"{path.name}: {field}.bands is missing")
    bands = []
    for row in rows:
        end = None if row.get("to") is None else _yuan(path, f"{field}.bands.to", row["to"])
        start = _yuan(path, f"{field}.bands.from", row.get("from"))
        bands.append(Band(start, end, _rate(path, f"{field}.bands.rate", row.get("rate"))))
    for band in bands:
        if band.end is not None and band.end <= band.start:
            raise DataError(f"{path.name}: {field}.bands: {band.start} to {band.end} is no band")
    for one, two in pairwise(bands):
        if one.end != two.start:
            kind = "overlap" if one.end is None or one.end > two.start else "leave a gap"
            raise DataError(f"{path.name}: {field}.bands {kind} between {one.end} and {two.start}")
    if bands[-1].end is not None:
        raise DataError(f"{path.name}: {field}.bands: leave `to` out of the last band; a limit belongs under caps")
    return tuple(bands)


def _critical(path: Path, raw: dict) -> Critical:
    cap = None if raw.get("cap") is None else _yuan(path, "critical.cap", raw["cap"])
    bands = _bands(path, "critical", raw.get("bands"))
    return Critical(bands, cap, bool(raw.get("counts_prepaid")), bool(raw.get("counts_over_cap")))


def _no_two_for_one(path: Path, field: str, whos: list[For]) -> None:
    for place, one in enumerate(whos):
        for two in whos[:place]:
            ages = (one.age_from or 0) < (two.age_to or 200) and (two.age_from or 0) < (one.age_to or 200)
            if _meet(one.levels, two.levels) and _meet(one.statuses, two.statuses) and ages:
                raise DataError(f"{path.name}: {field} has two rows for the same patient: {two} and {one}")


def _meet(one: tuple[str, ...], two: tuple[str, ...]) -> bool:
    return not one or not two or bool(set(one) & set(two))
