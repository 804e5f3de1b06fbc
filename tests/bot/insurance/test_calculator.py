"""The reckoning as rules: the worked examples W1-W9 of hospital-domain B3, then what must hold for every bill."""

from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.insurance.calculator import critical_paid, estimate
from bot.insurance.model import Case, CaseError, NoPlan, YearSoFar
from bot.insurance.plans import find_plan, load_plans

FIXTURES = Path(__file__).with_name("plans")
IN, RETIRED = "in_service", "retired"


def plan_of(city, scheme, setting, on):
    return find_plan(city, scheme, setting, on, FIXTURES)


BEIJING = plan_of("北京市", "employee", "inpatient", date(2024, 6, 1))
BEIJING_OUTPATIENT = plan_of("北京市", "employee", "outpatient", date(2024, 6, 1))
BEIJING_RESIDENT = plan_of("北京市", "resident", "inpatient", date(2024, 6, 1))
HANGZHOU = plan_of("杭州市", "employee", "inpatient", date(2020, 9, 1))
HANGZHOU_RESIDENT = plan_of("杭州市", "resident", "inpatient", date(2020, 9, 1))
YANTAI = plan_of("烟台市", "employee", "inpatient", date(2020, 9, 1))
WUHAN_RESIDENT = plan_of("武汉市", "resident", "inpatient", date(2024, 6, 1))
WUHAN_OUTPATIENT = plan_of("武汉市", "employee", "outpatient", date(2023, 6, 1))

WORKED = [
    pytest.param(
        BEIJING,
        Case(D(68000), self_pay=D(3000), class_b=D(20000), status=IN),
        {"in_scope": "63000", "fund": "55245.00", "critical": "0", "personal": "12755.00"},
        ("3000", "0", "2000", "1300", "6455", "0"),
        id="W1",
    ),
    pytest.param(
        BEIJING,
        Case(D(26000), self_pay=D(1000), class_b=D(5000), status=RETIRED, year=YearSoFar(stays=1)),
        {"in_scope": "24500", "fund": "22776.75", "critical": "0", "personal": "3223.25"},
        ("1000", "0", "500", "650", "1073.25", "0"),
        id="W2",
    ),
    pytest.param(
        BEIJING_RESIDENT,
        Case(D(180000), self_pay=D(20000), class_b=D(40000)),
        {"in_scope": "156000", "fund": "116025.00", "critical": "5742.60", "personal": "58232.40"},
        ("20000", "0", "4000", "1300", "38675", "0"),
        id="W3",
    ),
    pytest.param(
        HANGZHOU,
        Case(D(60000), self_pay=D(4000), status=IN),
        {"in_scope": "56000", "fund": "46224.00", "critical": "0", "personal": "13776.00"},
        ("4000", "0", "0", "800", "8976", "0"),
        id="W4",
    ),
    pytest.param(
        YANTAI,
        Case(D(22000), self_pay=D(1200), class_b=D(3000), status=RETIRED),
        {"in_scope": "20500", "fund": "18045.00", "critical": "0", "personal": "3955.00"},
        ("1200", "0", "300", "800", "1655", "0"),
        id="W5",
    ),
    pytest.param(
        WUHAN_RESIDENT,
        Case(D(60000), self_pay=D(5000), class_b=D(20000)),
        {"in_scope": "53000", "fund": "31320.00", "critical": "5808.00", "personal": "22872.00"},
        ("5000", "0", "2000", "800", "20880", "0"),
        id="W6",
    ),
    pytest.param(
        WUHAN_OUTPATIENT,
        Case(D(9000), status=IN),
        {"in_scope": "9000", "fund": "3500.00", "critical": "0", "personal": "5500.00"},
        ("0", "0", "0", "700", "3735", "1065"),
        id="W7",
    ),
    pytest.param(
        BEIJING,
        Case(D(1200), status=IN),
        {"in_scope": "1200", "fund": "0", "critical": "0", "personal": "1200"},
        ("0", "0", "0", "1200", "0", "0"),
        id="W8",
    ),
    pytest.param(
        HANGZHOU_RESIDENT,
        Case(D(15000), self_pay=D(500), class_b=D(3000), level="secondary"),
        {"in_scope": "14200", "fund": "10275.00", "critical": "0", "personal": "4725.00"},
        ("500", "0", "300", "500", "3425", "0"),
        id="W9",
    ),
]


@pytest.mark.parametrize(("plan", "case", "sums", "parts"), WORKED)
def test_the_worked_examples_match_to_the_cent(plan, case, sums, parts):
    found = estimate(plan, case)
    assert {name: getattr(found, name) for name in sums} == {name: D(value) for name, value in sums.items()}
    assert tuple(found.parts) == tuple(D(value) for value in parts)


def test_w1_shows_each_band_with_its_own_amount():
    bands = [step for step in estimate(BEIJING, WORKED[0].values[1]).steps if step.key == "band"]
    assert [step.amount for step in bands] == [D("24395.00"), D("9000.00"), D("21850.00")]
    assert bands[0].formula == "28,700 × 85%"


def test_a_stay_below_the_deductible_uses_up_only_what_was_spent():
    after = estimate(BEIJING, Case(D(1200), status=IN)).year_after
    assert (after.stays, after.deductible_used, after.fund_paid) == (1, D(1200), D(0))


def test_every_estimate_carries_the_label():
    assert estimate(BEIJING, Case(D(1200), status=IN)).label == "仅供参考，以医保结算为准"


def test_a_yearly_deductible_is_taken_only_once():
    first = estimate(WUHAN_OUTPATIENT, Case(D(1000), status=IN))
    second = estimate(WUHAN_OUTPATIENT, Case(D(1000), status=IN, year=first.year_after))
    assert (first.fund, second.fund) == (D("165.00"), D("550.00"))


def test_the_cap_counts_what_the_fund_has_paid_this_year():
    found = estimate(BEIJING, Case(D(20000), status=IN, year=YearSoFar(stays=1, fund_paid=D(499000))))
    assert (found.fund, found.parts.over_cap) == (D(1000), D("15447.50"))


def test_a_rate_over_the_payout_changes_when_the_payout_reaches_the_limit():
    """Beijing outpatient: 70 % until 20,000 yuan have been paid back, 60 % above."""
    found = estimate(BEIJING_OUTPATIENT, Case(D(5000), status=IN, year=YearSoFar(0, D(1800), D(29000), D(19300))))
    assert [step.amount for step in found.steps if step.key == "band"] == [D(700), D("2400.00")]


def test_a_retired_patient_of_seventy_has_the_higher_rate():
    younger, older = (estimate(BEIJING_OUTPATIENT, Case(D(11300), status=RETIRED, age=age)) for age in (69, 70))
    assert (younger.fund, older.fund) == (D("8500.00"), D("9000.00"))


def test_critical_illness_insurance_goes_on_from_the_years_base():
    case = Case(D(60000), self_pay=D(5000), class_b=D(20000))
    once = estimate(WUHAN_RESIDENT, case)
    again = estimate(WUHAN_RESIDENT, case._replace(year=once.year_after))
    whole = critical_paid(WUHAN_RESIDENT.critical, again.year_after.critical_base)
    assert once.critical + again.critical == whole


@pytest.mark.parametrize(("flag", "extra"), [("counts_prepaid", D(2000) * D("0.6"))])
def test_prepaid_class_b_enters_the_second_layer_only_where_the_plan_says_so(flag, extra):
    case = Case(D(60000), self_pay=D(5000), class_b=D(20000))
    counting = WUHAN_RESIDENT._replace(critical=WUHAN_RESIDENT.critical._replace(**{flag: True}))
    assert estimate(counting, case).critical - estimate(WUHAN_RESIDENT, case).critical == extra


def test_what_lies_above_the_cap_enters_the_second_layer_only_where_the_plan_says_so():
    case = Case(D(400000))
    counting = WUHAN_RESIDENT._replace(critical=WUHAN_RESIDENT.critical._replace(counts_over_cap=True))
    without, with_it = estimate(WUHAN_RESIDENT, case), estimate(counting, case)
    assert without.parts.over_cap > 0
    assert with_it.critical > without.critical


@pytest.mark.parametrize(
    "case",
    [
        Case(D(-1), status=IN),
        Case(D(100), self_pay=D(60), class_b=D(60), status=IN),
        Case(100.0, status=IN),
        Case(D(100), status="student"),
        Case(D(100)),
    ],
)
def test_a_case_that_cannot_be_true_is_refused(case):
    with pytest.raises(CaseError):
        estimate(BEIJING, case)


def test_a_level_that_the_plan_does_not_list_gives_no_number():
    only_tertiary = YANTAI._replace(rates=tuple(row for row in YANTAI.rates if row.who.levels == ("tertiary",)))
    with pytest.raises(NoPlan, match="rates"):
        estimate(only_tertiary, Case(D(100), level="primary", status=IN))


PLANS = [*load_plans(), *load_plans(FIXTURES)]
cents = st.integers(0, 60_000_000).map(lambda fen: D(fen) / 100)
shares = st.tuples(*[st.integers(0, 100)] * 4)


@st.composite
def cases(draw):
    total = draw(cents)
    weights = draw(shares)
    whole = sum(weights) or 1
    self_pay, over_limit, class_b = ((total * part / whole).quantize(D("0.01"), "ROUND_DOWN") for part in weights[:3])
    year = YearSoFar(draw(st.integers(0, 3)), *(draw(cents) for _ in range(4)))
    level = draw(st.sampled_from(["primary", "secondary", "tertiary"]))
    status = draw(st.sampled_from([IN, RETIRED]))
    return Case(total, self_pay, over_limit, class_b, level, status, draw(st.integers(0, 100)), year)


@settings(max_examples=300, deadline=None)
@given(plan=st.sampled_from(PLANS), case=cases())
def test_fund_second_layer_and_patient_always_make_up_the_total(plan, case):
    found = estimate(plan, case)
    assert found.fund + found.critical + found.personal == case.total
    assert sum(found.parts) - found.critical == found.personal
    assert found.fund >= 0 and found.critical >= 0 and found.personal >= 0
    assert all(part >= 0 for part in found.parts)


@settings(max_examples=300, deadline=None)
@given(plan=st.sampled_from(PLANS), case=cases(), more=cents)
def test_a_larger_bill_in_scope_never_brings_a_smaller_fund_payment(plan, case, more):
    assert estimate(plan, case._replace(total=case.total + more)).fund >= estimate(plan, case).fund


@settings(max_examples=300, deadline=None)
@given(plan=st.sampled_from(PLANS), case=cases())
def test_more_self_pay_on_the_same_bill_never_brings_a_larger_fund_payment(plan, case):
    room = case.total - case.self_pay - case.over_limit - case.class_b
    worse = case._replace(self_pay=case.self_pay + room)
    assert estimate(plan, worse).fund <= estimate(plan, case).fund


@settings(max_examples=200, deadline=None)
@given(plan=st.sampled_from([plan for plan in PLANS if plan.caps]), case=cases())
def test_the_years_payments_never_pass_the_cap(plan, case):
    cap = max(row.amount for row in plan.caps)
    assert estimate(plan, case).year_after.fund_paid <= max(cap, case.year.fund_paid)
