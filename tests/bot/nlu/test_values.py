"""Entities become the values of the guideline's table, or None where the words fit nothing or several things."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from bot.clock import SHANGHAI
from bot.hospital import names
from bot.nlu.values import CLOSED_WORDS, closed_value, entity_value

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("kind", "span", "value"),
    [
        ("insurance_type", "居民医保", "resident"),
        ("insurance_type", "新农合", "resident"),
        ("insurance_type", "城鎮職工", "employee"),
        ("insurance_type", "退休职工", "employee_retired"),
        ("insurance_type", "少儿医保", "student_child"),
        ("hospital_level", "三甲", "tertiary"),
        ("hospital_level", "社区医院", "primary"),
        ("care_setting", "急诊", "emergency"),
        ("care_setting", "门慢", "chronic"),
        ("doctor_title", "副主任医师", "associate_chief"),
        ("doctor_title", "專家號", "expert"),
        ("doctor_title", "特需", "special"),
        ("date", "明天", "2026-11-22"),
        ("period", "上午", "am"),
        ("amount", "三万二", "32000"),
        ("ordinal", "第二个", 2),
        ("ordinal", "最后一个", -1),
        ("phone", "138 0000 0001", "13800000001"),
        ("id_number", "110***********001x", "110***********001X"),
        ("ticket_id", "ts20261121-0001", "TS20261121-0001"),
        ("ticket_id", "ts202611210001", "TS20261121-0001"),
        ("symptom", "肚子疼", "肚子疼"),
        ("hospital_level", "月球", None),
    ],
)
def test_values(kind, span, value):
    assert entity_value(kind, span, NOW) == value


def test_a_name_that_fits_two_doctors_has_no_value_and_one_that_fits_one_has_his_code(monkeypatch):
    two = [SimpleNamespace(code="d1"), SimpleNamespace(code="d2")]
    monkeypatch.setattr(names, "resolve_doctor", lambda span: two)
    assert entity_value("doctor", "张主任", NOW) is None
    monkeypatch.setattr(names, "resolve_doctor", lambda span: two[:1])
    assert entity_value("doctor", "张主任", NOW) == "d1"


def test_every_closed_word_has_its_value():
    assert all(closed_value(kind, word) for kind, words in CLOSED_WORDS.items() for word in words)
