"""The reply's script is the patient's (R46)."""

import pytest

from bot.language.script import is_traditional, to_simplified, to_traditional


@pytest.mark.parametrize(
    "text", ["聽日禮拜三下晝", "唔該，我想睇骨科", "後天有號嗎", "我要掛號", "醫生幾點出診", "頭暈"]
)
def test_traditional_text_is_recognised(text):
    assert is_traditional(text)


@pytest.mark.parametrize("text", ["我想预约", "后天有号吗", "你好", "心内科", "OK 123", "", "只要明天上午", "头晕"])
def test_simplified_and_neutral_text_is_not_traditional(text):
    assert not is_traditional(text)


@pytest.mark.parametrize(
    ("text", "traditional"),
    [
        ("请您后天上午到心内科复诊", "請您後天上午到心內科複診"),
        ("头发干燥", "頭髮乾燥"),
        ("发烧", "發燒"),
        ("床位紧张，群众", "床位緊張，群眾"),
        ("皇后", "皇后"),
        ("规范医疗", "規範醫療"),
    ],
)
def test_text_becomes_traditional(text, traditional):
    assert to_traditional(text) == traditional


def test_words_stay_those_on_the_hospitals_signs():
    assert to_traditional("请到信息科打印") == "請到信息科打印"


def test_proper_names_are_kept():
    assert to_traditional("王丽君医生在云锦楼", keep=["王丽君", "云锦楼"]) == "王丽君醫生在云锦楼"


def test_surnames_that_are_also_words_are_not_turned_into_the_words():
    assert to_traditional("和于医生、范主任预约") == "和于醫生、范主任預約"


def test_the_way_there_and_back_changes_nothing():
    text = "请您后天上午到心内科复诊，里面着急的话先到卫生间旁边的分诊台"
    assert to_simplified(to_traditional(text)) == text


def test_hong_kong_and_taiwan_forms_become_simplified():
    assert to_simplified("心臟科裡邊，衞生間裏") == "心脏科里边，卫生间里"
