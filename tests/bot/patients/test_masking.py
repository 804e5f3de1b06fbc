"""What identifies a person is hidden; everything else stays readable."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from id_validator import validator

from bot.patients.masking import id_facts, mask, valid_id_number, valid_phone

HIDDEN = [
    ("13800008000", "138****8000", "phone"),
    ("我的电话是138 0000 8000谢谢", "我的电话是138 **** 8000谢谢", "phone"),
    ("138-0000-8000", "138-****-8000", "phone"),
    ("138，0000，8000", "138，****，8000", "phone"),
    ("1 3 8 0 0 0 0 8 0 0 0", "1 3 8 * * * * 8 0 0 0", "phone"),
    ("一三八零零零零零零零一", "一三八****零零零一", "phone"),
    ("幺三八零零零零八零零零", "幺三八****八零零零", "phone"),
    ("１３８００００８０００", "１３８****８０００", "phone"),
    ("138零零零零8000", "138****8000", "phone"),
    ("方式一13800008000", "方式一138****8000", "phone"),
    ("+86 138 0000 8000", "+86 138 **** 8000", "phone"),
    ("微信wx13800008000", "微信wx138****8000", "phone"),
    ("11800008000", "118****8000", "phone"),
    ("身份证110101195803120015", "身份证110***********0015", "id_number"),
    ("11010119580312001X", "110***********001X", "id_number"),
    ("11010119580312001x", "110***********001x", "id_number"),
    ("110101 19580312 0015", "110*** ******** 0015", "id_number"),
    ("110101195813320015", "110***********0015", "id_number"),
    ("110101580312001", "110********2001", "id_number"),
    ("6222020200012345678", "***************5678", "card_number"),
    ("6222 0202 0001 2345 678", "**** **** **** ***5 678", "card_number"),
    ("医保卡123456789012", "医保卡********9012", "card_number"),
    ("11010119580312001", "*************2001", "card_number"),
]
READABLE = [
    "0550-8800120", "05508800120", "(0550)8800120", "010-12345678", "400-123-4567", "120", "12345", "12月3号",
    "TS20261121-0001", "YY20261122-0007", "2026-11-21 10:30", "20261121", "花了12000 13000 500元", "1,300,500.50元",
    "13,800,008,000元", "一百二十三元", "三万二", "第二个", "2026 2027 2028", "烧到39.5度", "123456",
]  # fmt: skip


@pytest.mark.parametrize(("text", "masked", "kind"), HIDDEN)
def test_a_number_that_identifies_is_hidden(text, masked, kind):
    result = mask(text)
    assert result.text == masked
    assert [secret.kind for secret in result.secrets] == [kind]


@pytest.mark.parametrize("text", READABLE)
def test_other_numbers_stay_readable(text):
    assert mask(text).text == text
    assert mask(text).secrets == ()


@pytest.mark.parametrize("text", ["123456", "１２３４５６", "123 456", "一二三四五六", "1 2 3 4 5 6"])
def test_six_digits_are_hidden_only_while_a_code_is_awaited(text):
    masked = mask(f"验证码{text}", code_expected=True)
    assert not re.search(r"\d|[一二三四五六]", masked.text)
    assert [(secret.kind, secret.value) for secret in masked.secrets] == [("code", "123456")]
    assert mask(f"验证码{text}").secrets == ()


def test_a_day_is_no_code():
    assert mask("2026-11", code_expected=True).secrets == ()


def test_every_number_of_a_message_is_hidden_in_order():
    text = "王建国 110101195803120015 13800000001 13800000002"
    assert [secret.value for secret in mask(text).secrets] == ["110101195803120015", "13800000001", "13800000002"]


def test_a_secret_tells_where_it_was_and_what_it_is():
    secret = mask("电话：+86 138-0000-8000。").secrets[0]
    assert (secret.start, secret.end, secret.original) == (4, 20, "86 138-0000-8000")
    assert secret.masked == "86 138-****-8000"
    assert secret.value == "13800008000"


phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
cards = st.from_regex(r"[1-9][0-9]{11,18}", fullmatch=True)
ids = st.from_regex(r"[1-6][1-5][0-9]{4}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9])[0-9]{3}[0-9X]", fullmatch=True)
words = st.text(alphabet="我的电话是身份证号，。：abc挂号 \n", max_size=12)


@settings(deadline=None)
@given(words, st.one_of(phones, cards, ids), words)
def test_no_long_number_survives(before, number, after):
    masked = mask(before + number + after)
    assert number not in masked.text
    assert not re.search(r"[0-9]{11}", masked.text)
    assert masked.text.count("*") >= 4


@settings(deadline=None)
@given(words, phones, st.sampled_from([" ", "-", "　", "－", "\u200b", ""]), st.sampled_from([(3, 7), (3, 6), (4, 8)]))
def test_a_phone_with_blanks_or_dashes_does_not_survive(before, number, between, cuts):
    written = between.join([number[: cuts[0]], number[cuts[0] : cuts[1]], number[cuts[1] :]])
    masked = mask(before + written)
    assert written not in masked.text
    assert [secret.value for secret in masked.secrets] == [number]


@settings(deadline=None)
@given(phones, st.sampled_from(["零一二三四五六七八九", "〇幺二三四五六七八九", "０１２３４５６７８９"]))
def test_a_phone_in_other_digits_does_not_survive(number, digits):
    written = "".join(digits[int(digit)] for digit in number)
    assert mask(f"打{written}").secrets[0].value == number
    assert written not in mask(f"打{written}").text


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("0123456789 -一二零Xx年月日元，。YTS（）我\u3000"), max_size=60), st.booleans())
def test_only_digits_inside_a_secret_change_and_the_length_stays(text, code_expected):
    masked = mask(text, code_expected=code_expected)
    assert len(masked.text) == len(text)
    inside = {place for secret in masked.secrets for place in range(secret.start, secret.end)}
    for place, (old, new) in enumerate(zip(text, masked.text, strict=True)):
        assert old == new or (place in inside and new == "*")
    for secret in masked.secrets:
        assert text[secret.start : secret.end] == secret.original
        assert masked.text[secret.start : secret.end] == secret.masked


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_can_be_masked_twice_without_change(text):
    once = mask(text).text
    assert len(once) == len(text)
    assert mask(once).text == once


@pytest.mark.parametrize(
    ("number", "facts"),
    [
        ("110101195803120015", (date(1958, 3, 12), "male")),
        ("110101198507200022", (date(1985, 7, 20), "female")),
        ("110101201905060031", (date(2019, 5, 6), "male")),
        ("110101580312001", (date(1958, 3, 12), "male")),
        ("110101 19580312 0015", (date(1958, 3, 12), "male")),
    ],
)
def test_an_id_number_tells_birth_and_sex(number, facts):
    found = id_facts(number)
    assert (found.birth, found.sex) == facts
    assert valid_id_number(number)


@pytest.mark.parametrize(
    "number", ["110101195803120016", "110101195813320015", "990101195803120015", "1101", "", "abc"]
)
def test_a_mistyped_id_number_is_not_valid(number):
    assert not valid_id_number(number)
    assert id_facts(number) is None


@settings(deadline=None, max_examples=5)  # the library reads its table of places anew at each call
@given(st.dates(date(1930, 1, 1), date(2020, 1, 1)), st.integers(0, 999))
def test_the_check_digit_agrees_with_the_library(birth, order):
    body = f"110101{birth:%Y%m%d}{order:03d}"
    good = [digit for digit in "0123456789X" if valid_id_number(body + digit)]
    assert len(good) == 1
    assert validator.is_valid(body + good[0])


@pytest.mark.parametrize(
    ("number", "valid"),
    [("13800008000", True), ("138 0000 8000", True), ("+8613800008000", True), ("１３８００００８０００", True),
     ("12800008000", False), ("1380000800", False), ("138000080001", False), ("0550-8800120", False), ("", False)],
)  # fmt: skip
def test_a_mobile_number_is_checked(number, valid):
    assert valid_phone(number) is valid
