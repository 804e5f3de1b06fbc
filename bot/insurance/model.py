"""The words of insurance as plain data: a plan, a case, an estimate. No SQL, no clock; money is Decimal yuan."""

from datetime import date
from decimal import Decimal
from typing import NamedTuple

from bot.errors import DaoyiError

ZERO = Decimal("0.00")
ESTIMATE_LABEL = "仅供参考，以医保结算为准"
LEVELS = ("primary", "secondary", "tertiary")
STATUSES = ("in_service", "retired")
SCHEMES = ("employee", "resident", "student_child")
SETTINGS = ("inpatient", "outpatient", "chronic", "emergency")
SCHEME_NAMES = {"employee": "职工医保", "resident": "城乡居民医保", "student_child": "学生儿童医保"}
SETTING_NAMES = {"inpatient": "住院", "outpatient": "门诊", "chronic": "门诊慢特病", "emergency": "急诊"}
LEVEL_NAMES = {"primary": "一级医院（含社区）", "secondary": "二级医院", "tertiary": "三级医院"}
STATUS_NAMES = {"in_service": "在职", "retired": "退休"}


class InsuranceError(DaoyiError):
    """No estimate can be given; `ask` says in Chinese where the patient can ask instead."""

    def __init__(self, message: str, ask: str):
        super().__init__(message)
        self.ask = ask


class NoPlan(InsuranceError):
    """The house has no rules for this city, scheme and care setting."""


class ExpiredPlan(InsuranceError):
    """The rules it has ended before the day asked about and wait for a new review (R93)."""


class CaseError(DaoyiError):
    """The amounts of a case contradict each other, or something the plan depends on is missing."""


class For(NamedTuple):
    """Whom a row of a plan is for; an empty tuple or None means everybody."""

    levels: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    age_from: int | None = None  # inclusive, years
    age_to: int | None = None  # exclusive, years


class Band(NamedTuple):
    """From `start` up to `end` yuan (None = without end) the fund pays `rate`, a share between 0 and 1."""

    start: Decimal
    end: Decimal | None
    rate: Decimal


class DeductibleRow(NamedTuple):
    who: For
    first: Decimal  # 本年度第一次
    later: Decimal  # 第二次起


class RateRow(NamedTuple):
    who: For
    bands: tuple[Band, ...]


class CapRow(NamedTuple):
    who: For
    amount: Decimal


class Critical(NamedTuple):
    """大病保险, the second layer: paid on what the patient bore within the scheme over the year."""

    bands: tuple[Band, ...]  # over the year's base; the first one starts at the threshold
    cap: Decimal | None
    counts_prepaid: bool  # does 乙类先付 enter the base
    counts_over_cap: bool  # does what lies above the cap enter the base


class Plan(NamedTuple):
    """The dated rules of one city, scheme and care setting (R93).

    basis: "in_scope_cost" = bands run over the cost, "payout" = over what the fund has paid this year.
    period: "stay" = bands and deductible begin anew with each stay, "year" = they run through the year.
    """

    city: str
    scheme: str
    setting: str
    name: str
    valid_from: date
    valid_to: date
    source: str
    reviewer: str
    ask: str
    basis: str
    period: str
    class_b_share: Decimal
    deductibles: tuple[DeductibleRow, ...]
    rates: tuple[RateRow, ...]
    caps: tuple[CapRow, ...]
    critical: Critical | None
    notes: tuple[str, ...]


class YearSoFar(NamedTuple):
    """What has already happened in the insurance year, before this case."""

    stays: int = 0
    deductible_used: Decimal = ZERO
    in_scope: Decimal = ZERO
    fund_paid: Decimal = ZERO
    critical_base: Decimal = ZERO


class Case(NamedTuple):
    """One bill. `self_pay` 自费, `over_limit` 超限价 and `class_b` 乙类 are parts of `total` without overlap.

    `prepaid` is what the lines of a real bill say is paid first (先行自付, each at its own share); None reckons it from
    `class_b` and the plan's share.
    """

    total: Decimal
    self_pay: Decimal = ZERO
    over_limit: Decimal = ZERO
    class_b: Decimal = ZERO
    level: str = "tertiary"
    status: str | None = None
    age: int | None = None
    year: YearSoFar = YearSoFar()
    prepaid: Decimal | None = None


class Step(NamedTuple):
    """One line of the reckoning: what it is, how it was reckoned, what came out (yuan)."""

    key: str
    label: str
    formula: str
    amount: Decimal


class Personal(NamedTuple):
    """What falls to the patient before 大病保险: 自费, 超限价, 先付, 起付, 共付 and what lies above the cap."""

    self_pay: Decimal
    over_limit: Decimal
    prepaid: Decimal
    deductible: Decimal
    coinsurance: Decimal
    over_cap: Decimal


class Estimate(NamedTuple):
    """total = fund + critical + personal, to the cent; personal = sum(parts) - critical."""

    plan: Plan
    case: Case
    in_scope: Decimal
    fund: Decimal
    critical: Decimal
    personal: Decimal
    parts: Personal
    steps: tuple[Step, ...]
    year_after: YearSoFar
    label: str = ESTIMATE_LABEL
