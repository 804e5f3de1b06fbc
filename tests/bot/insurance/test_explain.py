"""What the patient reads about an estimate: every step, every term glossed, no promise."""

from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from bot.insurance.calculator import estimate
from bot.insurance.commercial import checklist_text, claim_kinds, claim_papers
from bot.insurance.explain import Inquiry, case_of, missing_inputs, policy_facts, steps_text
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
    text = steps_text(found)
    for number, step in enumerate(found.steps, 1):
        assert f"{number}. {step.label}" in text
        assert f"{step.formula} = {yuan_text(step.amount)}" in text
    assert "您约付14,225元" in text


def test_terms_are_explained_where_they_first_stand():
    text = steps_text(estimate(RESIDENT, Case(D(180000), class_b=D(1000))))
    for term in ("起付线（", "统筹基金支付（", "大病保险（", "乙类：医保目录里需要您先付一部分的项目"):
        assert term in text


def test_the_estimate_says_that_it_is_one_and_how_long_its_rules_hold():
    text = steps_text(estimate(RESIDENT, Case(D(100))))
    assert text.endswith(
        "依据：示范市医疗保障局（虚构）演示政策，2026年版，有效期至2027年12月31日。仅供参考，以医保结算为准。"
    )


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
