"""Flows of actions/insurance.py: what the insurance pays, its rules, the class of an item."""

import re

import pytest

from actions import dialogue, fees, insurance  # noqa: F401  (importing registers the flows)
from tests.bot.fees.talking import Patient, verified

pytestmark = pytest.mark.usefixtures("house")
RESIDENT = ("insurance_type", "居民医保", "resident")
EMPLOYEE = ("insurance_type", "职工医保", "employee")
INPATIENT = ("care_setting", "住院", "inpatient")
RECKONED = ["utter_estimate", "utter_estimate_steps"]
LABEL = "仅供参考，以医保结算为准"


def amount(words: str, value: str) -> tuple:
    return "amount", words, value


WAN_3 = amount("三万", "30000")
OUTPATIENT = ("care_setting", "门诊", "outpatient")
ESTIMATE = "estimate_reimbursement"


def test_a_message_that_tells_everything_is_answered_at_once_with_every_step():
    said = Patient().say(
        "我是示范市居民医保，在你们医院今年第一次住院，总共花了30000元，自费2000元，没有乙类，能报多少",
        ESTIMATE, RESIDENT, INPATIENT, amount("30000元", "30000"), amount("2000元", "2000"),
    )  # fmt: skip
    assert said.names == RECKONED
    # (30000 - 2000 - 1000) × 65%; the plan is the sample city's, checked by hand
    assert "17,550" in said.text and "12,450" in said.text
    assert "起付线" in said.text and LABEL in said.text and "参保估算" in said.text


def test_what_is_missing_is_asked_one_thing_at_a_time_and_nothing_twice():
    patient = Patient()
    first = patient.say("住院能报多少", ESTIMATE, INPATIENT)
    assert first.names == ["utter_ask_insurance_type"] and "职工医保" in first.titles
    second = patient.say("居民", "inform", ("insurance_type", "居民", "resident"))
    assert second.names == ["utter_ask_total"]
    third = patient.say("总共花了三万，今年头一回住院，示范市参保", "inform", WAN_3)
    assert third.names == RECKONED
    assert "按今年第一次住院估算" not in third.text  # said by the patient, so no assumption
    assert "全部费用都在医保范围内" in third.text


def test_employees_are_asked_whether_they_have_retired_and_retired_is_read_from_the_text():
    patient = Patient()
    said = patient.say("职工医保住院花了三万能报多少", ESTIMATE, EMPLOYEE, INPATIENT, WAN_3)
    assert said.names == ["utter_ask_employment"] and said.titles[:2] == ["在职", "退休"]
    at_work = patient.say("在职", "inform").text
    retired = Patient().say(
        "我爸退休了，职工医保住院花了三万能报多少",
        ESTIMATE,
        EMPLOYEE,
        INPATIENT,
        WAN_3,
    )
    assert retired.names == RECKONED and "退休" in retired.text
    assert retired.text != at_work


def test_retired_employees_are_employees():
    said = Patient().say(
        "退休职工住院花了三万", ESTIMATE,
        ("insurance_type", "退休职工", "employee_retired"), INPATIENT, WAN_3,
    )  # fmt: skip
    assert said.names == RECKONED and "职工医保" in said.text and "退休" in said.text


def test_the_old_rural_scheme_is_the_residents_scheme_and_the_patient_is_told():
    said = Patient().say(
        "我是新农合的，住院花了两万能报多少", ESTIMATE,
        ("insurance_type", "新农合", "resident"), INPATIENT, amount("两万", "20000"),
    )  # fmt: skip
    assert "新农合已并入城乡居民医保" in said.text and LABEL in said.text


@pytest.mark.parametrize(
    "text",
    [
        "我在拉萨参保，职工医保，住院花了三万，能报多少",
        "我是拉萨的医保，住院花了三万能报多少",
        "北京职工医保，在职，住院总费用68000能报多少",
        "外地医保住院花了三万能报多少",
    ],
)
def test_somebody_insured_elsewhere_gets_no_number_but_where_to_ask(text):
    said = Patient().say(text, ESTIMATE, EMPLOYEE, INPATIENT, WAN_3)
    assert said.names == ["utter_other_city"]
    assert "12393" in said.text and "0550-8800222" in said.text and "元" not in said.text


def test_after_the_plan_has_ended_no_number_is_given():
    patient = Patient(now="2031-03-01T10:00:00+08:00")
    said = patient.say("居民医保住院花了三万能报多少", ESTIMATE, RESIDENT, INPATIENT, WAN_3)
    assert said.names == ["utter_no_plan"] and "12393" in said.text and "元" not in said.text


def test_self_pay_is_changed_by_one_sentence_after_the_estimate():
    patient = Patient()
    patient.say(
        "示范市居民医保，住院今年第一次，总费用30000，自费2000，没有乙类，能报多少", ESTIMATE,
        RESIDENT, INPATIENT, amount("30000", "30000"), amount("2000", "2000"),
    )  # fmt: skip
    said = patient.say("自费改成五千再算一下", ESTIMATE, amount("五千", "5000"))
    assert said.names == RECKONED
    assert "15,600" in said.text  # (30000 - 5000 - 1000) × 65%


def test_a_second_stay_has_the_lower_deductible():
    said = Patient().say(
        "第二次住院，花8600，居民医保，能报多少", ESTIMATE, RESIDENT, INPATIENT, amount("8600", "8600")
    )
    assert "第2次住院" in said.text and "5,265" in said.text  # (8600 - 500) × 65%


def test_a_vague_amount_is_asked_again():
    patient = Patient()
    patient.say("居民医保住院能报多少", ESTIMATE, RESIDENT, INPATIENT)
    said = patient.say("好几万呢", "inform", amount("好几万", None))
    assert said.names == ["utter_ask_total"]


def test_parts_that_exceed_the_total_are_asked_about_and_not_reckoned_with():
    patient = Patient()
    said = patient.say(
        "居民医保住院总费用3000，自费5000", ESTIMATE, RESIDENT, INPATIENT,
        amount("3000", "3000"), amount("5000", "5000"),
    )  # fmt: skip
    assert said.names == ["utter_estimate_contradiction"] and patient.waits_for == "total"


@pytest.mark.parametrize("kind", ["retired_cadre", "maternity", "work_injury", "commercial", "none", "other"])
def test_other_insurances_get_a_place_to_ask_and_no_number(kind):
    said = Patient().say("住院花了三万能报多少", ESTIMATE, ("insurance_type", "其他", kind), INPATIENT)
    assert said.names == [f"utter_insurance_{kind}"]
    assert "0550-8800222" in said.text


def test_an_unknown_kind_of_insurance_becomes_a_question():
    said = Patient().say("我那个医保能报多少", ESTIMATE, ("insurance_type", "那个医保", None), INPATIENT)
    assert said.names == ["utter_ask_insurance_type"]


def test_the_kind_of_insurance_is_remembered_for_the_next_question_but_not_for_a_relative():
    patient = Patient()
    patient.say("居民医保住院花了三万能报多少", ESTIMATE, RESIDENT, INPATIENT, WAN_3)
    own = patient.say("门诊花了500能报多少", ESTIMATE, OUTPATIENT, amount("500", "500"))
    assert own.names == RECKONED and "居民" in own.text
    mother = patient.say(
        "我妈住院花了两万能报多少",
        ESTIMATE,
        ("relation", "我妈", "我妈"),
        INPATIENT,
        amount("两万", "20000"),
    )
    assert mother.names == ["utter_ask_insurance_type"]


def test_rules_are_said_with_source_and_date_and_a_term_is_explained():
    said = Patient().say("居民医保起付线多少", "query_insurance_policy", RESIDENT)
    assert said.names == ["utter_policy"]
    assert "起付线（" in said.text and "1,000元" in said.text and "有效期至" in said.text
    assert "门诊怎么报" in said.titles


def test_rules_without_a_scheme_are_a_question():
    patient = Patient()
    said = patient.say("医保能报百分之多少", "query_insurance_policy")
    assert said.names == ["utter_ask_insurance_type"]
    assert patient.say("职工医保", "inform", EMPLOYEE).names == ["utter_policy"]


def test_what_a_term_means_is_said_without_asking_who_is_insured():
    said = Patient().say("什么叫先行自付", "query_insurance_policy")
    assert said.names == ["utter_policy_terms"] and "先由您自己付" in said.text


def test_a_question_in_between_comes_back_to_the_estimate():
    patient = Patient()
    patient.say("居民医保住院能报多少", ESTIMATE, RESIDENT, INPATIENT)
    said = patient.say("血常规多少钱", "query_price", ("fee_item", "血常规", "LAB001"))
    assert said.names[0] == "utter_price" and said.names[-1] == "utter_ask_total"
    assert patient.say("三万", "inform", WAN_3).names == RECKONED


@pytest.mark.parametrize(
    ("word", "says"),
    [("种植牙", "自费项目"), ("阿莫西林", "医保甲类"), ("奥希替尼", "先由您自己付20%"), ("核磁", "先由您自己付10%")],
)
def test_the_class_of_an_item_is_said_in_plain_words(word, says):
    said = Patient().say(f"{word}能报吗", "check_insurance_coverage", ("fee_item", word, None))
    assert said.names == ["utter_coverage"] and says in said.text and "以医保结算为准" in said.text


def test_several_items_are_all_answered_and_the_unknown_one_gets_a_place_to_ask():
    said = Patient().say(
        "针灸拔罐和质子治疗能报吗", "check_insurance_coverage",
        ("fee_item", "针灸", None), ("fee_item", "拔罐", None), ("fee_item", "质子治疗", None),
    )  # fmt: skip
    assert said.names == ["utter_coverage", "utter_coverage_unknown"]
    assert "普通针刺" in said[0].text and "拔罐" in said[0].text
    assert "质子治疗" in said[1].text and "12393" in said[1].text


def test_an_item_outside_the_scheme_is_said_to_be_so_instead_of_being_reckoned_with():
    said = Patient().say("种植牙花了一万能报多少", ESTIMATE, ("fee_item", "种植牙", "DEN001"), amount("一万", "10000"))
    assert said.names == ["utter_coverage"] and "自费项目" in said.text


# ---- amounts without commas, follow-ups


def first_estimate(patient: Patient):
    """Tell everything in one breath, with no comma and with no entity but the scheme."""
    return patient.say("居民住院花了五万其中自费八千乙类一万能报多少", ESTIMATE, ("insurance_type", "居民", "resident"))


def test_amounts_without_commas_are_all_reckoned_with():
    said = first_estimate(Patient())
    assert said.names == RECKONED  # (50000 - 8000 - 1000 - 1000) × 65%
    assert said[0].text.startswith("医保约付26,000.00元，您约付24,000.00元，仅供参考，以医保结算为准。")
    assert "自费8,000" in said[1].text and "（10,000 × 10%）" in said[1].text


def test_self_pay_inside_a_sentence_is_not_the_scheme():
    patient = Patient()
    said = patient.say(
        "我退休了在二级医院住院花了五万其中自费八千乙类一万", ESTIMATE, ("insurance_type", "自费", "none"), INPATIENT
    )
    assert said.names == ["utter_ask_insurance_type"]
    done = patient.say("职工", "inform", EMPLOYEE)
    assert "二级医院、退休" in done.text and "自费8,000" in done.text and "总费用50,000元" in done.text


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("改成六万", "总费用60,000元"),
        ("要是花了六万呢", "总费用60,000元"),
        ("今年第二次", "第2次住院"),
        ("第二次住院", "第2次住院"),
        ("二级医院呢", "二级医院"),
        ("一级医院", "一级医院"),
        ("自费改成九千", "自费9,000"),
    ],
)
def test_a_short_follow_up_changes_one_thing_and_keeps_the_rest(line, expected):
    for ellipsis in (False, True):
        patient = Patient()
        first_estimate(patient)
        said = patient.say(line, ESTIMATE, ellipsis=ellipsis)
        assert said.names == RECKONED and expected in said.text
        assert "乙类先付1,000" in said.text and "城乡居民医保住院" in said.text


def test_being_retired_or_at_work_may_be_said_afterwards():
    patient = Patient()
    patient.say("职工在职住院总费用68000自费3000乙类20000能报多少", ESTIMATE, ("insurance_type", "职工", "employee"))
    retired = patient.say("其实是退休", ESTIMATE)
    assert retired.names == RECKONED and "三级医院、退休" in retired.text and "68,000元" in retired.text
    assert "三级医院、在职" in patient.say("在职呢", ESTIMATE).text


def test_another_place_of_care_keeps_who_is_insured_but_no_amount_of_the_stay():
    patient = Patient()
    first_estimate(patient)
    said = patient.say("门诊呢 门诊花了2000", ESTIMATE, OUTPATIENT, amount("2000", "2000"))
    assert said.names == RECKONED and "城乡居民医保门诊" in said.text and "自费8,000" not in said.text
    for ellipsis in (False, True):
        patient = Patient()
        first_estimate(patient)
        assert patient.say("门诊呢", ESTIMATE, OUTPATIENT, ellipsis=ellipsis).names == ["utter_ask_total"]


def test_a_new_question_does_not_inherit_the_amounts_of_the_last():
    patient = Patient()
    first_estimate(patient)
    said = patient.say("居民医保住院花了三万能报多少", ESTIMATE, RESIDENT, INPATIENT, WAN_3)
    assert "总费用30,000元" in said.text and "自费8,000" not in said.text


# ---- what is known is not asked


def test_the_scheme_of_a_verified_patients_record_is_not_asked_for():
    said = verified("P001").say("住院花了三万能报多少", ESTIMATE, INPATIENT, WAN_3)
    assert said.names == RECKONED and "职工医保住院" in said.text and "退休" in said.text


def test_the_record_of_a_verified_relative_gives_the_rules_for_that_relative():
    rules = verified("P002", relation="我妈").say(
        "住院怎么报", "query_insurance_policy", INPATIENT, ("relation", "我妈", "我妈")
    )
    assert rules.names == ["utter_policy"] and "城乡居民医保" in rules.text


def test_what_is_paid_of_the_item_just_shown_is_said_without_a_question():
    for label in (ESTIMATE, "check_insurance_coverage"):
        patient = Patient()
        which = patient.say("核磁多少钱", "query_price", ("fee_item", "核磁", None))
        patient.press(which, "头颅磁共振平扫")
        said = patient.say("能报多少", label)
        assert said.names == ["utter_coverage"] and patient.waits_for is None
        assert "头颅磁共振平扫" in said.text and "先由您自己付10%，约48元" in said.text


def test_the_item_just_shown_answers_also_while_an_estimate_waits_for_the_place_of_care():
    patient = Patient()
    patient.say("居民医保能报多少", ESTIMATE, RESIDENT)
    patient.say("血常规多少钱", "query_price", ("fee_item", "血常规", "LAB001"))
    assert patient.say("这个能报多少", ESTIMATE).names == ["utter_coverage"]


def test_an_amount_or_a_place_of_care_makes_it_a_reckoning_again():
    patient = Patient()
    patient.say("血常规多少钱", "query_price", ("fee_item", "血常规", "LAB001"))
    assert patient.say("住院花了三万能报多少", ESTIMATE, INPATIENT, WAN_3).names == ["utter_ask_insurance_type"]


# ---- where somebody belongs


@pytest.mark.parametrize("label", [ESTIMATE, "query_insurance_policy"])
def test_where_a_kind_belongs_is_answered_briefly(label):
    cadre = Patient().say("离休干部怎么报", label)
    assert cadre.names == ["utter_insurance_retired_cadre"] and "0550-8800222" in cadre.text
    flexible = Patient().say("灵活就业的医保算哪种", label, ("insurance_type", "灵活就业", "employee"))
    assert flexible.names == ["utter_insurance_flexible"] and "职工医保" in flexible.text
    assert "起付线" not in flexible.text and len(flexible.text) < 120


@pytest.mark.parametrize("line", ["我是外地的 上海医保", "异地的呢 我参保地是合肥"])
def test_being_insured_elsewhere_may_be_said_at_any_moment(line):
    for before in (
        (),
        ("居民住院花了五万能报多少", ESTIMATE, RESIDENT, INPATIENT),
        ("住院能报多少", ESTIMATE, INPATIENT),
    ):
        patient = Patient()
        if before:
            patient.say(*before)
        said = patient.say(line, ESTIMATE)
        assert said.names == ["utter_other_city"] and "12393" in said.text and "0550-8800222" in said.text
        assert not re.search(r"\d元", said.text)
