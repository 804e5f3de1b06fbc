"""Flows of actions/fees.py: prices without identity, bills only after it."""

import base64
import re

import pytest

from actions import dialogue, fees, insurance  # noqa: F401  (importing registers the flows)
from bot.conversations.tables import conversations
from bot.fees.breakdown import fee_breakdown
from bot.hospital.load import load_hospital
from bot.patients.tables import links, patients
from bot.storage import engine as storage
from tests.bot.fees.talking import Patient, verified

INPATIENT = ("care_setting", "住院", "inpatient")
LAST_MONTH = ("date", "上个月", "2026-10-01/2026-10-31")
RECKONED = ["utter_estimate", "utter_estimate_steps"]
MONEY = re.compile(r"\d+\.\d{2}元")


# ---- prices


def test_a_price_is_said_with_unit_class_and_date_and_nobody_is_asked_who_he_is():
    said = Patient().say("血常规多少钱", "query_price", ("fee_item", "血常规", "LAB001"))
    assert said.names == ["utter_price"]
    assert "20元/次" in said.text and "甲类" in said.text and "2026年1月1日" in said.text
    assert "身份证" not in said.text


def test_several_items_of_one_message_are_all_answered():
    said = Patient().say(
        "血常规和心电图各多少钱", "query_price", ("fee_item", "血常规", None), ("fee_item", "心电图", None)
    )
    assert "20元/次" in said.text and "25元/次" in said.text


def test_items_are_found_in_the_text_when_the_recogniser_missed_them():
    assert "20元/次" in Patient().say("血常规得多少钱", "query_price").text


def test_a_shared_word_gives_the_range_and_asks_which_part():
    patient = Patient()
    said = patient.say("核磁多少钱", "query_price", ("fee_item", "核磁", None))
    assert said.names == ["utter_price_which"] and patient.waits_for == "which_item"
    assert "260元至820元" in said.text and "医保乙类" in said.text and "2026年" in said.text
    assert "头颅磁共振平扫" in said.titles
    assert "480元/部位" in patient.press(said, "头颅磁共振平扫").text


def test_a_part_of_the_body_is_an_answer_and_is_not_asked_again():
    patient = Patient()
    patient.say("做个CT多少钱", "query_price", ("fee_item", "CT", None))
    said = patient.say("胸部的", "inform", ("body_part", "胸部", "胸部"))
    assert said.names == ["utter_price"] and "胸部CT平扫：220元/部位" in said.text


def test_an_answer_that_fits_nothing_shows_the_choices_with_prices_instead_of_asking_for_ever():
    patient = Patient()
    patient.say("做个CT多少钱", "query_price", ("fee_item", "CT", None))
    said = patient.say("医生没说", "inform")
    assert said.names == ["utter_price"] and said.text.count("元/") >= 6


def test_an_unknown_item_gets_no_price_but_a_phone_and_a_person():
    said = Patient().say("量子波动仪要多少钱", "query_price", ("fee_item", "量子波动仪", None))
    assert said.names == ["utter_price_unknown"]
    assert "0550-8800000" in said.text and "转人工" in said.titles and not re.search(r"\d元", said.text)


def test_registration_fees_are_said_by_class():
    said = Patient().say(
        "专家号和普通号挂号费差多少", "query_price",
        ("doctor_title", "专家号", "expert"), ("doctor_title", "普通号", "normal"), ("fee_item", "挂号费", None),
    )  # fmt: skip
    assert {"15元/次", "30元/次", "50元/次"} <= set(re.findall(r"\d+元/次", said.text))
    assert "特需" not in said.text


def test_a_category_lists_up_to_six_items():
    said = Patient().say("床位费一天多少", "query_price", ("fee_item", "床位费", None))
    assert said.names == ["utter_price_category"]
    assert said.text.count("元/日") == 6 and "还有1项" in said.text


def test_without_an_item_it_is_asked_for():
    patient = Patient()
    assert patient.say("多少钱", "query_price").names == ["utter_ask_price_item"]
    assert "480" not in patient.say("胸片", "inform", ("fee_item", "胸片", "XR001")).text
    assert patient.waits_for is None


@pytest.mark.parametrize("reply", ["人呢", "明天呢", "我要退费", "我要退挂号费", "你们几点上班"])
@pytest.mark.parametrize("question", ["多少钱", "核磁多少钱"])
def test_a_reply_that_names_no_item_never_brings_a_list_of_prices(question, reply):
    patient = Patient()
    patient.say(question, "query_price")
    said = patient.say(reply, "inform")
    assert said.names == ["utter_price_not_named"] and "0550-8800000" in said.text
    assert not re.search(r"\d元", said.text) and patient.waits_for is None


def test_a_reply_to_which_item_may_name_it_in_a_sentence_or_by_sound():
    for reply, price in (("我要做血常规", "20元/次"), ("血长规", "20元/次"), ("心电图吧", "25元/次")):
        patient = Patient()
        patient.say("多少钱", "query_price")
        assert price in patient.say(reply, "inform").text


def test_another_item_may_be_named_instead_of_one_of_the_choices():
    patient = Patient()
    patient.say("核磁多少钱", "query_price", ("fee_item", "核磁", None))
    assert "20元/次" in patient.say("那血常规呢", "inform").text


def test_an_unknown_item_never_gets_the_prices_of_the_group_that_ends_its_name():
    for entity in ((), (("fee_item", "体检", None),), (("fee_item", "量子波动体检", None),)):
        said = Patient().say("做个量子波动体检要多少钱", "query_price", *entity)
        assert said.names == ["utter_price_unknown"] and "“量子波动体检”" in said.text
        assert not re.search(r"\d元", said.text) and "0550-8800000" in said.text


def test_an_unknown_item_that_the_recogniser_missed_is_named_in_the_answer():
    said = Patient().say("头发检测多少钱", "query_price")
    assert said.names == ["utter_price_unknown"] and "头发检测" in said.text


def test_a_homophone_finds_the_item():
    said = Patient().say("和磁多少钱", "query_price")
    assert said.names == ["utter_price_which"] and "260元至820元" in said.text and "“核磁”" in said.text


def test_a_part_of_the_body_without_a_price_does_not_get_the_price_of_another():
    said = Patient().say("手部核磁多少钱", "query_price", ("fee_item", "手部核磁", None))
    assert said.names == ["utter_price_unknown"]


def test_a_large_group_shows_six_and_asks_which():
    patient = Patient()
    said = patient.say("验血多少钱", "query_price", ("fee_item", "验血", None))
    assert said.names == ["utter_price_which"] and len([t for t in said.titles if t != "转人工"]) == 6
    listed = patient.say("不知道", "inform")
    assert listed.text.count("元/") == 6 and "请问您想了解哪一项" in listed.text


def test_why_something_is_so_dear_is_no_question_for_the_price_list():
    said = Patient().say("为什么药费这么贵", "query_price", ("fee_item", "药费", None))
    assert said.names == ["utter_price_why"] and "查我的费用" in said.titles and not re.search(r"\d元", said.text)


# ---- bills


def test_why_something_is_so_dear_shows_the_lines_of_the_bill_that_is_open(house):
    for label, entities in (("query_price", (("fee_item", "药费", None),)), ("query_bill", ()), ("query_price", ())):
        patient = verified("P001")
        patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
        said = patient.say("为什么药费这么贵", label, *entities)
        assert said.names == ["utter_bill_item"] and "“药费”" in said.text and "住院（心血管内科" in said.text
        with storage.writing() as conn:
            conn.execute(links.delete())
            conn.execute(conversations.delete())


def test_why_during_an_open_price_question_leaves_that_question(house):
    patient = verified("P001")
    patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    patient.say("核磁多少钱", "query_price", ("fee_item", "核磁", None))
    said = patient.say("为什么药费这么贵", "inform")
    assert said.names == ["utter_bill_item"] and "“药费”" in said.text


def test_estimate_and_bill_agree_line_by_line(house):
    patient = verified("P003")
    bill = patient.say("查一下我的门诊费用", "query_bill", ("care_setting", "门诊", "outpatient"))
    assert "先行自付：6.72元" in bill.text
    said = patient.press(bill, "估算医保报销")
    assert said.names == RECKONED and "乙类先付6.72" in said.text and "学生儿童医保门诊" in said.text


def test_the_button_under_a_bill_forgets_an_older_estimate(house):
    patient = verified("P001")
    estimate = ("门诊花了2000自费500第二次，居民医保能报多少", "estimate_reimbursement")
    patient.say(*estimate, ("care_setting", "门诊", "outpatient"), ("insurance_type", "居民医保", "resident"))
    patient.say("北京职工医保住院能报多少", "estimate_reimbursement")
    bill = patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    said = patient.press(bill, "估算医保报销")
    total = load_hospital().stays["ZY2001"].total
    assert said.names == RECKONED and f"{total:,.2f}元" in said.text
    assert "职工医保住院" in said.text and "退休" in said.text and "第1次住院" in said.text


def test_a_part_of_a_stay_is_estimated_as_the_whole_stay(house):
    patient = verified("P004")
    bill = patient.say("我昨天住院花了多少", "query_bill", INPATIENT, ("date", "昨天", "2026-11-29"))
    said = patient.press(bill, "估算医保报销")
    stay = fee_breakdown(load_hospital().stays["ZY2002"].lines, load_hospital().prices)
    assert f"{stay.total:,.2f}元" in said.text and f"乙类先付{stay.pay_first:,.2f}".rstrip("0").rstrip(".") in said.text


def test_how_much_is_paid_back_right_after_a_bill_means_that_bill(house):
    patient = verified("P001")
    patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    said = patient.say("能报多少", "estimate_reimbursement")
    assert said.names == RECKONED and f"{load_hospital().stays['ZY2001'].total:,.2f}元" in said.text
    again = patient.say("能报多少", "estimate_reimbursement")
    assert again.text == said.text
    changed = patient.say("自费改成100", "estimate_reimbursement", ("amount", "100", "100"))
    assert changed.names == RECKONED and "自费100" in changed.text and "住院" in changed.text


def test_another_bill_asked_for_after_an_estimate_is_shown_and_not_reckoned(house):
    patient = verified("P023")
    patient.say("查我的费用", "query_bill")
    patient.slots["memory"]["last_query"] = {
        "label": "estimate_reimbursement",
        "facts": {"total": "5000", "insurance_type": "employee", "care_setting": "inpatient", "who": ""},
    }
    said = patient.say(
        "再查一下11月28号门诊的", "estimate_reimbursement", ("date", "11月28号", "2026-11-28"),
        ("care_setting", "门诊", "outpatient"), ellipsis=True,
    )  # fmt: skip
    assert said.names[0] == "utter_bill_total" and "11月28日" in said.text
    assert f"{load_hospital().visits['MZ3017'].total:,.2f}元" in said.text


def test_a_bill_is_shown_to_nobody_before_the_identity_check(house):
    said = Patient("c1").say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    assert said.names == ["utter_ask_consent"] and not MONEY.search(said.text)


def test_last_months_stay_is_told_by_category_with_four_parts_chart_and_self_pay(house):
    said = verified("P001").say("我上个月住院一共花了多少，分类给我看看", "query_bill", INPATIENT, LAST_MONTH)
    assert said.names == ["utter_bill_total", "utter_bill_chart", "utter_bill_self_pay"]
    hospital = load_hospital()
    bill = fee_breakdown(hospital.stays["ZY2001"].lines, hospital.prices)
    for amount in (bill.total, bill.self_paid, bill.over_limit, bill.pay_first, bill.in_scope):
        assert f"{amount:,.2f}元" in said[0].text
    for share in bill.categories:
        assert f"{share.name}：{share.amount:,.2f}元，占{share.percent}%" in said[1].text
    assert base64.b64decode(said[1].image.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG")
    assert "一对一生活陪护：240.00元/日，数量" in said[2].text
    assert "一对多生活陪护（90元/日），请与医生确认" in said[2].text
    assert "110101195803120015" not in said.text and "王建国" not in said.text


def test_yesterday_is_one_day_of_the_stay_that_is_under_way(house):
    said = verified("P004").say("我昨天住院花了多少", "query_bill", INPATIENT, ("date", "昨天", "2026-11-29"))
    lines = [line for line in load_hospital().stays["ZY2002"].lines if line.day == 4]
    total = sum(line.total for line in lines)
    assert "昨天（11月29日" in said.text and f"合计{total:,.2f}元" in said.text


def test_somebody_who_was_never_in_hospital_is_told_so_and_shown_what_there_is(house):
    patient = verified("P002")
    said = patient.say("查我上个月住院费", "query_bill", INPATIENT, LAST_MONTH)
    assert said.names == ["utter_bill_none_then"] and "没有查到您上个月住院的费用记录" in said.text
    assert all(title.startswith("门诊") for title in said.titles)
    assert MONEY.search(patient.press(said, said.titles[0]).text)


def test_several_bills_become_a_question_with_the_latest_first(house):
    said = verified("P001").say("查一下我的费用", "query_bill")
    assert said.names == ["utter_bill_which"]
    assert said.titles[0].startswith("门诊（心血管内科，11月27日") and said.titles[1].startswith("住院")


def test_last_time_means_the_latest_visit(house):
    said = verified("P002").say("我上次看门诊花了多少钱", "query_bill", ("care_setting", "门诊", "outpatient"))
    total = load_hospital().visits["MZ3002"].total
    assert said.names[0] == "utter_bill_total" and f"合计{total:,.2f}元" in said.text


def test_which_items_are_self_pay_is_answered_from_the_bill_just_shown(house):
    patient = verified("P001")
    patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    for label in ("query_bill", "check_insurance_coverage"):
        said = patient.say("哪些是自费的", label)
        assert said.names == ["utter_bill_self_pay"] and "请与医生确认" in said.text


def test_a_self_pay_item_without_alternatives_sends_to_the_doctor(house):
    hospital = load_hospital()
    owner = next(
        bill
        for bill in [*hospital.stays.values(), *hospital.visits.values()]
        if any(line.self_paid and not hospital.prices[line.item].alternatives for line in bill.lines)
    )
    patient = verified(owner.patient)
    patient.slots["memory"] = {"bill": owner.code}
    assert "请问您的医生" in patient.say("哪些是自费的", "query_bill").text


def test_somebody_elses_bill_is_not_shown(house):
    patient = verified("P001")
    patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    said = patient.say("顺便看看李秀英的门诊花了多少", "query_bill", ("care_setting", "门诊", "outpatient"))
    assert said.names == ["utter_bill_other_person"] and not MONEY.search(said.text)
    assert "李秀英" not in str(patient.slots)


def test_a_remembered_bill_of_another_patient_is_never_shown(house):
    patient = verified("P002")
    patient.slots["memory"] = {"bill": "ZY2001"}
    said = patient.say("账单发我", "query_bill")
    assert said.names == ["utter_bill_which"] and all(title.startswith("门诊") for title in said.titles)


def test_why_an_item_is_on_the_bill_shows_its_days_and_offers_a_check(house):
    patient = verified("P001")
    patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    said = patient.say("护理费怎么每天都有", "query_bill", ("fee_item", "护理费", None))
    assert said.names == ["utter_bill_item"] and "10月6日至" in said.text and "每天1日" in said.text
    checked = patient.press(said, "请人工核对")
    assert checked.names == ["utter_bill_inquiry"] and re.search(r"HD\d{8}-\d{4}", checked.text)


def test_the_bed_is_explained_by_the_rule_of_admission_and_discharge(house):
    said = verified("P001").say(
        "上个月住院的床位费怎么算的", "query_bill", INPATIENT, LAST_MONTH, ("fee_item", "床位费", None)
    )
    assert "入院当天开始算，出院当天免收" in said.text and "共8天，与账单一致" in said.text


def test_an_item_that_is_not_on_the_bill_is_said_to_be_absent(house):
    said = verified("P001").say(
        "上个月住院的单子上怎么有种植牙", "query_bill", INPATIENT, LAST_MONTH, ("fee_item", "种植牙", None)
    )
    assert said.names == ["utter_bill_item_absent"] and "请人工核对" in said.titles


def test_what_is_left_of_the_deposit_is_deposit_less_charges(house):
    said = verified("P013").say("我押金还剩多少", "query_bill")
    stay = load_hospital().stays["ZY2003"]
    assert f"{stay.deposit:,.2f}元" in said.text and f"{abs(stay.deposit - stay.total):,.2f}元" in said.text


def test_a_new_patient_without_records_is_shown_a_way(house):
    patient = verified("P003")
    with storage.writing() as conn:
        conn.execute(patients.update().values(code=None))
    said = patient.say("我的账单", "query_bill")
    assert said.names == ["utter_bill_none_at_all"] and "转人工" in said.titles


def test_a_bill_leads_to_an_estimate_with_its_own_amounts(house):
    patient = verified("P001")
    bill = patient.say("我上个月住院花了多少", "query_bill", INPATIENT, LAST_MONTH)
    said = patient.press(bill, "估算医保报销")
    assert said.names == RECKONED and "退休" in said.text
    assert f"{load_hospital().stays['ZY2001'].total:,.2f}" in said.text


# ---- wordings


def test_the_wordings_keep_the_language_rules():
    from tests.bot.fees.talking import ROOT, YAML

    forbidden = re.compile(r"你|喂|不知道|不清楚|不明白|保证|一定能|肯定")
    for topic in ("fees", "insurance"):
        loaded = YAML(typ="safe").load((ROOT / "nlu_data" / topic / "responses.yml").read_text(encoding="utf-8"))
        for name, texts in loaded["responses"].items():
            text = re.sub(r"\{\w+\}", "", texts[0]["text"])
            assert not forbidden.search(text), name
            assert not re.search(r"[A-Za-z]", re.sub(r"APP|CT|MRI", "", text)), name
