"""What the panel calls things."""

import re
from pathlib import Path

import pytest

from bot.desk import views, words
from bot.safety.table import CODES
from bot.tickets.model import TYPES

ROOT = Path(__file__).resolve().parents[3]


def test_every_task_of_the_dialogue_has_the_name_the_patient_reads():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "actions").glob("*.py")]
    flows = {name: title for text in sources for name, title in re.findall(r'@flow\("(\w+)", "([^"]+)"', text)}
    assert len(flows) >= 15
    assert {name: words.TASKS.get(name) for name in flows if name != "later"} == {
        name: title for name, title in flows.items() if name != "later"
    }


def test_every_entity_of_the_domain_has_a_name():
    domain = (ROOT / "domain.yml").read_text(encoding="utf-8").partition("\nentities:")[2].partition("\nslots:")[0]
    entities = re.findall(r"^  - (\w+)", domain, re.MULTILINE)
    assert len(entities) > 15 and not [each for each in entities if each not in words.ENTITIES]


def test_every_intent_of_the_domain_has_a_name():
    domain = (ROOT / "domain.yml").read_text(encoding="utf-8").partition("\nentities:")[0]
    intents = re.findall(r"^  - (\w+):", domain, re.MULTILINE)
    assert len(intents) > 30
    assert [name for name in intents if words.intent_name(name) == "其他"] == []


def test_every_code_of_a_danger_sign_has_a_name():
    assert "其他危险信号" not in [words.danger_name(code) for code in CODES]
    assert words.reason_text("危险信号：chest") == "危险信号：胸痛"
    assert words.reason_text("患者要求人工（预约挂号）") == "患者要求人工（预约挂号）"


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("department", "cardiology", "心血管内科"),
        ("department", {"text": "看心脏的"}, "看心脏的"),
        ("date", "2026-11-24", "11月24日周二"),
        ("date", "2026-11-24/2026-11-30", "11月24日周二至11月30日周一"),
        ("date", "下个礼拜", "下个礼拜"),
        ("period", "am", "上午"),
        ("period", "14:00/16:00", "14:00—16:00"),
        ("insurance_type", "resident", "城乡居民医保"),
        ("type", "fee", TYPES["fee"]),
        ("symptom", ["头晕", "恶心"], "头晕、恶心"),
        ("person_name", True, "已提供"),
        ("phone", "13800000001", "已提供"),
        ("event", "电话13800000001没人接", "电话138****0001没人接"),
        ("anonymous", True, "是"),
    ],
)
def test_a_fact_is_shown_in_chinese_and_without_numbers(key, value, shown):
    assert words.value_text(key, value) == shown


def test_facts_that_only_the_dialogue_needs_are_left_out():
    task = {"facts": {"session": 3, "apologised": True, "department": "cardiology", "date": None}}
    assert words.facts_of(task) == [{"name": "科室", "value": "心血管内科"}]


def test_an_empty_tracker_is_an_empty_panel():
    assert views.task_view(None)["task"] is None
    assert views.task_view({"slots": {"task": None, "suspended": None, "memory": None}})["suspended"] == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("我叫王建国，电话138****0001", "我叫王*国，电话138****0001"),
        ("姓名：李秀", "姓名：李*"),
        ("我叫他们等一下再来", "我叫他们等一下再来"),
        ("名字叫欧阳文静。", "名字叫欧*静。"),
    ],
)
def test_a_name_that_the_patient_gives_himself_is_masked_before_any_check(said, shown):
    assert views.hide(said, {}) == shown


def test_a_name_that_the_check_knows_is_masked_wherever_it_stands():
    assert views.hide("王建国您好，王建国的预约", {"王建国": "王*国"}) == "王*国您好，王*国的预约"
