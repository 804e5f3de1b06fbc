"""What patients mean: which amount, which item, which bill."""

from datetime import date
from decimal import Decimal

import pytest

from bot.fees.amounts import amounts_in
from bot.fees.bills import bills_of, charge_rows, fitting, lines_of, look_back
from bot.fees.pricing import choose, class_text, could_name, items_for, named_in, qualified, share_text, words_in
from bot.hospital.load import load_hospital

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("总费用68000，自费3000，乙类20000，能报多少", {"total": "68000", "self_pay": "3000", "class_b": "20000"}),
        ("总共花了30000元，自费2000元，没有乙类", {"total": "30000", "self_pay": "2000", "class_b": "0"}),
        ("花了三万五，自费两千块，没有自费和乙类以外的", {"total": "35000", "self_pay": "2000", "class_b": "0"}),
        ("居民医保住院花了三万能报多少", {"total": "30000"}),
        ("自费改成五千再算一下", {"self_pay": "5000"}),
        ("自费两千，没有乙类", {"self_pay": "2000", "class_b": "0"}),
        ("里面有五千自费药，总共两万五", {"self_pay": "5000", "total": "25000"}),
        ("押金交了一万，花了一万四", {"total": "14000"}),
        ("医保报完是一万，总额2w8", {"total": "28000"}),
        ("我奶奶83岁，摔了，五万六", {"total": "56000"}),
        ("到底是报一万还是两万", {}),
        ("第二次住院", {}),
        (
            "居民住院花了五万其中自费八千乙类一万能报多少",
            {"total": "50000", "self_pay": "8000", "class_b": "10000"},
        ),
        (
            "我退休了在二级医院住院花了五万其中自费八千乙类一万",
            {"total": "50000", "self_pay": "8000", "class_b": "10000"},
        ),
        ("改成六万", {"total": "60000"}),
        (
            "职工在职住院总费用68000自费3000乙类20000能报多少",
            {"total": "68000", "self_pay": "3000", "class_b": "20000"},
        ),
        ("6万8自费3000乙类2万", {"total": "68000", "self_pay": "3000", "class_b": "20000"}),
        ("共花1.5万元自费2千5", {"total": "15000", "self_pay": "2500"}),
        ("两千自费三千乙类总共五万", {"total": "50000", "self_pay": "2000", "class_b": "3000"}),
        ("花了五万块其中八千块是自费一万乙类", {"total": "50000", "self_pay": "8000", "class_b": "10000"}),
        ("花了三万二级医院", {"total": "30000"}),
        ("住了二十天花了17,320元", {"total": "17320"}),
        ("不是五万是六万", {"total": "60000"}),
        ("门诊呢 门诊花了2000", {"total": "2000"}),
        ("花了几十万", {}),
        ("一级医院", {}),
    ],
)
def test_each_amount_has_the_role_that_the_words_beside_it_say(text, found):
    assert amounts_in(text) == found


def test_an_amount_of_the_recogniser_is_taken_at_its_value():
    entity = {"entity": "amount", "text": "三万来块", "value": "30000"}
    assert amounts_in("住院花了三万来块", [entity]) == {"total": "30000"}


@pytest.mark.parametrize(
    ("said", "word", "code"),
    [("胸部的", "CT", "CT001"), ("头", "CT", "CT002"), ("膝盖", "核磁", "MRI004"), ("做腰上的", "核磁", "MRI003")],
)
def test_a_part_of_the_body_picks_one_of_several_items(said, word, code):
    hospital = load_hospital()
    items, _ = items_for(word, hospital)
    assert [item.code for item in choose(said, word, items, hospital)] == [code]


def test_a_word_for_a_category_means_all_its_items():
    items, category = items_for("床位费", load_hospital())
    assert category and {item.category for item in items} == {"01"}


def test_words_of_the_price_list_are_found_in_a_sentence():
    assert words_in("血常规和心电图各多少钱", load_hospital()) == ["血常规", "心电图"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("和磁多少钱", ["和磁"]), ("血长规多少钱", ["血长规"]), ("你们医院入职体检多少钱", ["入职体检"])]
    + [(text, []) for text in ("人呢", "明天呢", "我要退费", "几点上班", "怎么走", "头发检测多少钱")],
)
def test_only_words_that_really_name_an_item_are_taken_for_one(text, words):
    assert named_in(text, load_hospital()) == words


@pytest.mark.parametrize(
    ("text", "word", "whole"),
    [
        ("做个量子波动体检要多少钱", "体检", "量子波动体检"),
        ("我想做个体检大概多少钱", "体检", ""),
        ("医生让我做核磁多少钱", "核磁", ""),
        ("头疼想拍核磁多少钱", "核磁", ""),
        ("血常规和核磁多少钱", "核磁", ""),
    ],
)
def test_a_group_word_at_the_end_of_a_longer_name_is_that_name(text, word, whole):
    assert qualified(word, text) == whole


def test_another_part_of_the_body_is_no_typing_mistake():
    hospital = load_hospital()
    assert items_for("手部核磁", hospital) == ([], False)
    assert {item.code for item in items_for("老年人体检", hospital)[0]} == {"CHK003"}
    assert [item.code for item in items_for("头部核磁", hospital)[0]] == ["MRI001"]


@pytest.mark.parametrize(
    ("said", "could"),
    [
        ("胸", True),
        ("胸部的", True),
        ("不知道", True),
        ("血常规呢", True),
        ("人呢", False),
        ("我要退费", False),
        ("明天呢", False),
    ],
)
def test_what_could_answer_which_item_is_told_from_what_could_not(said, could):
    hospital = load_hospital()
    codes = [item.code for item in items_for("CT", hospital)[0]]
    assert could_name(said, codes, hospital) is could


def test_what_is_paid_first_is_said_with_its_amount():
    prices = load_hospital().prices
    assert share_text(prices["MRI001"]) == "医保乙类（先由您自己付10%，约48元，其余432元列入医保报销计算）"
    assert "自费项目" in share_text(prices["DEN001"])


def test_class_a_never_reads_as_paid_in_full():
    text = class_text(load_hospital().prices["CT001"])
    assert "甲类" in text and "列入医保报销计算" in text and "100%" not in text


def test_what_lies_above_the_schemes_limit_is_said():
    assert "高于45元的部分由您自己付" in class_text(load_hospital().prices["BED002"])


def patient_bills(code: str = "P001"):
    return bills_of(load_hospital(), code, TODAY)


def test_bills_come_with_the_latest_first_and_only_ones_own():
    codes = [bill.code for bill in patient_bills()]
    assert codes == ["MZ3004", "ZY2001"]
    assert patient_bills(None) == [] and patient_bills("P999") == []


def test_last_month_in_hospital_is_the_stay_of_last_month():
    span = (date(2026, 10, 1), date(2026, 10, 31))
    assert [b.code for b in fitting(patient_bills(), "inpatient", span, TODAY)] == ["ZY2001"]
    assert fitting(patient_bills("P002"), "inpatient", span, TODAY) == []


def test_one_day_of_a_stay_is_that_days_lines_only():
    stay = patient_bills()[1]
    day = stay.date_of(4)
    lines, part = lines_of(stay, (day, day), TODAY)
    assert part and {line.day for line in lines} == {4}
    everything, whole = lines_of(stay, (date(2026, 10, 1), date(2026, 10, 31)), TODAY)
    assert everything == stay.lines and whole is False


@pytest.mark.parametrize(
    ("read_as", "words", "meant"),
    [
        (date(2027, 11, 5), "11月5日", date(2026, 11, 5)),
        (date(2026, 12, 5), "5号", date(2026, 11, 5)),
        (date(2026, 12, 1), "周二", date(2026, 11, 24)),
        (date(2026, 11, 29), "昨天", date(2026, 11, 29)),
    ],
)
def test_a_bill_lies_behind_so_a_date_ahead_means_the_last_one(read_as, words, meant):
    assert look_back((read_as, read_as), TODAY, words) == (meant, meant)


def test_days_in_a_row_are_said_together():
    stay = patient_bills()[1]
    nursing = [line for line in stay.lines if line.item == "NUR001"]
    (row,) = charge_rows(stay, nursing)
    total = sum((line.total for line in nursing), Decimal(0))
    assert row.startswith("一级护理：30.00元/日，共") and f"合计{total:,.2f}元" in row and "每天1日" in row
