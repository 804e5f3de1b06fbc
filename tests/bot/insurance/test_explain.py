"""What the patient reads about an estimate: every step, every term glossed, no promise."""

from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.insurance.calculator import estimate
from bot.insurance.commercial import checklist_text, claim_kinds, claim_papers
from bot.insurance.explain import Inquiry, case_of, missing_inputs, policy_facts, result_text, steps_text
from bot.insurance.model import SCHEMES, SETTINGS, Case
from bot.insurance.plans import find_plan
from bot.money import yuan_text

DAY = date(2026, 5, 1)
EMPLOYEE = find_plan("示范市", "employee", "inpatient", DAY)
RESIDENT = find_plan("示范市", "resident", "inpatient", DAY)
BEIJING_OUTPATIENT = find_plan("北京市", "employee", "outpatient", date(2024, 1, 1), Path(__file__).with_name("plans"))
FORBIDDEN = ("你", "保证", "一定能", "肯定", "不知道", "不清楚", "规定")


def test_every_step_of_the_reckoning_is_shown_with_its_amount():
    found = estimate(EMPLOYEE, Case(D(68000), self_pay=D(3000), class_b=D(20000), status="in_service"))
    lines = steps_text(found).splitlines()
    for number, step in enumerate(found.steps, 1):
        (line,) = [line for line in lines if line.startswith(f"{number}. ")]
        assert step.label in line and step.formula in line
        assert yuan_text(step.amount) in line or f"{step.amount:,.2f}元" in line


def test_the_result_comes_first_to_the_cent_and_says_that_it_is_an_estimate():
    found = estimate(EMPLOYEE, Case(D(68000), self_pay=D(3000), class_b=D(20000), status="in_service"))
    text = result_text(found)
    assert text.startswith("医保约付53,775.00元，您约付14,225.00元，仅供参考，以医保结算为准。")
    assert "三级医院、在职" in text and "68,000元" in text


def test_the_steps_stay_shorter_than_a_screen():
    text = steps_text(estimate(RESIDENT, Case(D(180000), self_pay=D(3000), class_b=D(1000))), ("按在示范市参保估算",))
    assert len(text.splitlines()) <= 9


def test_class_b_is_explained_where_it_is_part_of_the_reckoning():
    assert "乙类是指" in steps_text(estimate(RESIDENT, Case(D(180000), class_b=D(1000))))
    assert "乙类" not in steps_text(estimate(RESIDENT, Case(D(180000))))


def test_how_long_the_rules_hold_is_said():
    text = steps_text(estimate(RESIDENT, Case(D(100))))
    assert text.endswith("依据：示范市医疗保障局（虚构）演示政策，2026年版，有效期至2027年12月31日。")


def test_a_bill_is_reckoned_with_what_its_own_lines_say_is_paid_first():
    plan = find_plan("示范市", "student_child", "outpatient", DAY)
    found = estimate(plan, Case(D("413.50"), class_b=D("33.60"), prepaid=D("6.72")))
    assert found.parts.prepaid == D("6.72") and found.in_scope == D("406.78")
    assert "乙类先付6.72（按各项的先付比例）" in steps_text(found)


def test_assumptions_are_told():
    case, assumed = case_of(Inquiry("resident", "inpatient", D(30000)))
    text = steps_text(estimate(RESIDENT, case), assumed)
    assert "全部费用都在医保范围内估算" in text
    assert "按今年第一次住院估算" in text


def test_nothing_is_assumed_about_what_the_patient_has_told():
    inquiry = Inquiry("resident", "inpatient", D(30000), self_pay=D(0), class_b=D(0), year=Case(D(0)).year)
    assert case_of(inquiry)[1] == ()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_words_for_patients_keep_the_language_rules(scheme, setting):
    plan = find_plan("示范市", scheme, setting, DAY)
    text = policy_facts(plan) + steps_text(estimate(plan, Case(D(90000), class_b=D(5000), status="retired")))
    assert [word for word in FORBIDDEN if word in text] == []


def test_the_policy_in_plain_words_gives_deductible_rates_and_cap():
    text = policy_facts(RESIDENT, "tertiary")
    for fact in ("三级医院第一次1,000元、第二次起500元", "三级医院65%", "每年200,000元", "超过15,000元后"):
        assert fact in text
    assert "一级医院" not in text


def test_the_policy_tells_employees_in_service_and_retired_apart():
    text = policy_facts(EMPLOYEE, "tertiary")
    assert "在职：三级医院30,000元以内85%" in text
    assert "退休：三级医院30,000元以内90%" in text


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        (Inquiry(), ["scheme", "setting", "total"]),
        (Inquiry("employee"), ["setting", "total", "status"]),
        (Inquiry("employee", "inpatient", D(1), "retired"), []),
        (Inquiry("resident", "outpatient"), ["total"]),
        (Inquiry("student_child", "inpatient", D(1)), []),
    ],
)
def test_only_what_matters_is_asked_and_in_order(known, missing):
    assert missing_inputs(known) == missing


def test_age_is_asked_only_where_the_plan_depends_on_it():
    retired = Inquiry("employee", "outpatient", D(5000), "retired")
    assert missing_inputs(retired, BEIJING_OUTPATIENT) == ["age"]
    assert missing_inputs(retired._replace(status="in_service"), BEIJING_OUTPATIENT) == []
    assert missing_inputs(retired, EMPLOYEE) == []


@pytest.mark.parametrize("kind", ["inpatient", "outpatient", "accident", "critical_illness"])
def test_the_commercial_checklist_says_where_each_paper_is_to_be_had(kind):
    text = checklist_text(kind, "0550-8800222")
    assert kind in claim_kinds()
    assert all(f"{paper.paper}：{paper.where}" in text for paper in claim_papers(kind))
    assert "0550-8800222" in text
