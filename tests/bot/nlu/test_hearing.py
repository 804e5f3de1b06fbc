"""Pinyin is heard as characters and dialect as the common language, before an intent is read."""

import pytest

from bot.nlu.hearing import Hearing, dialect_words
from bot.nlu.line import read_line


@pytest.fixture(scope="module")
def hearing(lexicon):
    lines = [read_line(text, lexicon) for text in ("我要挂号", "我要预约心内科", "下周三上午", "取消预约", "今天看病")]
    return Hearing.of(lines, ["挂号", "骨科"], dialect_words())


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("wo yao guahao", "我要挂号"),
        ("woyao guahao 骨科", "我要挂号骨科"),
        ("quxiao yuyue", "取消预约"),
        ("xiazhousan shangwu", "下周三上午"),
    ],
)
def test_pinyin_becomes_the_words_that_patients_use_most(hearing, typed, heard):
    assert hearing.heard(typed) == heard


@pytest.mark.parametrize("text", ["wifi连不上", "book a flight to tokyo", "做个ct", "app打不开", "ai", "b超", ""])
def test_other_latin_letters_stay(hearing, text):
    assert hearing.heard(text) == text


@pytest.mark.parametrize(("typed", "heard"), [("啥子时候", "什么时候"), ("喺邊度睇", "在哪里看"), ("咋办", "怎么办")])
def test_dialect_becomes_the_common_language(hearing, lexicon, typed, heard):
    assert hearing.line(read_line(typed, lexicon)).text == heard


def test_a_line_in_the_common_language_stays_the_same_line(hearing, lexicon):
    line = read_line("我想挂明天的号", lexicon)
    assert hearing.line(line) is line
