"""Numbers that identify are found by their form, masked or not, and by nothing that only looks like one."""

import pytest

from bot.nlu.patterns import identifiers


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("我的电话13800000001", [("phone", "13800000001")]),
        ("138****8000", [("phone", "138****8000")]),
        ("打0550-8800000", [("phone", "0550-8800000")]),
        ("身份证110101195803120015", [("id_number", "110101195803120015")]),
        ("110***********0015", [("id_number", "110***********0015")]),
        ("卡号****1234", [("card_number", "****1234")]),
        ("ts20261121-0001到哪了", [("ticket_id", "ts20261121-0001")]),
        ("ts202611210001到哪了", [("ticket_id", "ts202611210001")]),
        ("工单号gd77120查一下", [("ticket_id", "gd77120")]),
        ("单号是20261121的那件", [("ticket_id", "20261121")]),
        ("vx13800000001", []),
        ("13800000001和110101195803120015", [("phone", "13800000001"), ("id_number", "110101195803120015")]),
    ],
)
def test_numbers_are_recognised(text, wanted):
    assert [(one.kind, one.text) for one in identifiers(text)] == wanted
    assert all(text[one.start : one.end] == one.text for one in identifiers(text))


@pytest.mark.parametrize(
    "text",
    [
        "110101195803120016",
        "花了32000元",
        "20261121",
        "12月3号",
        "3.2w",
        "ct2次",
        "hpv16",
        "23800000001",
        "没有号码",
        "",
    ],
)
def test_a_wrong_check_digit_a_price_and_a_day_are_no_identifying_number(text):
    assert identifiers(text) == []
