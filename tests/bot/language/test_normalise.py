"""What a patient types becomes one written form, and every span finds its way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.language.normalise import normalise


@pytest.mark.parametrize(
    ("typed", "plain"),
    [
        ("請問心臟內科還有號嗎", "请问心脏内科还有号吗"),
        ("１３８００００００００", "13800000000"),
        ("CT，多少錢？", "CT,多少钱?"),
        ("好好好好好", "好好"),
        ("急！！！！", "急!!"),
        ("三三三", "三三三"),
        ("138****8000", "138****8000"),
        ("110***********0015", "110***********0015"),
        ("你好\x00医生", "你好医生"),
        ("  挂　　号  ", "挂 号"),
        ("𠮷野家旁边", "𠮷野家旁边"),
        ("头疼😀😀", "头疼😀😀"),
        ("3.2w", "3.2w"),
        ("", ""),
        ("\ud800坏", "坏"),
    ],
)
def test_text_is_brought_to_one_form(typed, plain):
    assert normalise(typed).text == plain


def test_a_span_comes_back_in_the_text_as_typed():
    typed = "😀\x00請問，心臟內科１３號"
    found = normalise(typed)
    start = found.text.index("心脏内科")
    left, right = found.as_typed(start, start + 4)
    assert typed[left:right] == "心臟內科"
    assert found.normalised(left, right) == (start, start + 4)


def test_a_stretched_character_covers_all_it_stood_for():
    typed = "好痛痛痛痛啊"
    found = normalise(typed)
    assert found.text == "好痛痛啊"
    left, right = found.as_typed(0, 3)
    assert typed[left:right] == "好痛痛痛痛"


def test_one_typed_character_may_become_several():
    found = normalise("㎏重")
    assert found.text == "kg重"
    assert found.as_typed(0, 2) == (0, 1)


@given(st.text(max_size=60))
def test_offsets_are_in_order_and_inside_the_text_for_any_text(typed):
    found = normalise(typed)
    assert len(found.offsets) == len(found.text)
    before = (0, 0)
    for start, end in found.offsets:
        assert 0 <= start < end <= len(typed)
        assert start >= before[0] and end >= before[1]
        before = (start, end)


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing_more(typed):
    once = normalise(typed).text
    assert normalise(once).text == once
