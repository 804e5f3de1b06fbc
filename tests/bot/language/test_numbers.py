"""Amounts, places in a list and whole numbers as patients write them."""

from decimal import Decimal

import cn2an
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.numbers import amount_value, integer_value, ordinal_value

AMOUNTS = {
    "三万二": "32000",
    "3.2w": "32000", "3.2万": "32000", "5000块": "5000", "两千五": "2500", "2k3": "2300",
    "一万六千": "16000", "3万": "30000", "¥1,300.50": "1300.50", "￥３００": "300", "三百来块": "300",
    "一百多块": "100",
    "一万零五百": "10500", "一万零五": "10005", "3万2": "32000", "3万2千": "32000", "三万两千五": "32500",
    "两百五": "250", "一千二": "1200", "3块5": "3.5", "五块八": "5.8", "三块五毛": "3.5", "三十二块八毛五": "32.85",
    "五毛": "0.5", "100块零5分": "100.05", "伍佰元整": "500", "壹万贰仟叁佰": "12300", "1w5": "15000", "2w多": "20000",
    "千把块": "1000", "1.2万元": "12000",
    "3,000元": "3000", "１２００元": "1200", "十块": "10", "十万": "100000",
    "一百二十万": "1200000", "1个亿": "100000000", "人民币三千": "3000", "3000rmb": "3000", "8k": "8000",
    "大概两万": "20000", "六千八左右": "6800", "三万二千块钱": "32000", "9.9": "9.9", "三萬二": "32000",
    "兩千塊": "2000", "三千五": "3500", "1.2万": "12000", "3k": "3000", "2000多": "2000", "一万出头": "10000", "300块钱": "300",
    "3,500.00元": "3500", "两百来块": "200", "20w": "200000", "一千零五十": "1050", "三百蚊": "300", "四萬蚊": "40000",
    "两毛五": "0.25", "1元5角": "1.5", "12元3角4分": "12.34", "7k多": "7000", "5000+": "5000", "五百不到": "500",
    "小一万": "10000", "近三万": "30000", "万把块": "10000", "十来万": "100000", "RMB300": "300", "2w8": "28000",
    "五六百": None, "四五千": None, "七八百块": None, "百八十块": None, "块八毛": None, "十几块": None, "兩萬幾": None,
    "二十几万": None, "一千三四": None, "十五六万": None, "1000-2000": None, "半个月工资": None, "俩月": None, "小": None,
    "几百块": None, "两三万": None, "三四百": None, "好几千": None, "半万": None, "-5": None, "很多": None, "": None,
}  # fmt: skip
ORDINALS = {
    "第二个": 2, "第1个": 1, "头一个": 1, "首个": 1, "最后一个": -1, "末一个": -1, "最后那个": -1, "上面那个": 1,
    "最上面的": 1, "下面那个": -1, "二号": 2, "2号": 2, "2": 2, "二": 2, "①": 1, "（2）": 2, "2.": 2, "第二位医生": 2,
    "选2": 2, "我要第二个": 2, "就第一个吧": 1, "倒数第一": -1, "倒数第二个": -2, "第十二个": 12, "A": 1, "选项b": 2,
    "前者": 1, "后者": -1, "第２項": 2, "第二张": 2, "最后一笔": -1,
    "两个": None, "一个": None, "3个": None, "三张": None,
    "三个": None, "第0个": None, "随便": None, "都行": None, "": None,
}  # fmt: skip
INTEGERS = {
    "十二": 12, "两百五": 250, "3": 3, "３": 3, "十": 10, "二十三": 23, "廿三": 23, "一百零五": 105, "3万": 30000,
    "幺三八": 138, "三个": 3, "一千零二十": 1020, "二〇二六": 2026, "1,300": 1300, "十五天": 15,
    "3.5": None, "几个": None, "两三个": None, "百": None, "abc": None, "": None,
}  # fmt: skip


@pytest.mark.parametrize(("span", "yuan"), AMOUNTS.items())
def test_an_amount_is_understood_as_exact_yuan(span, yuan):
    value = amount_value(span)
    assert value == (None if yuan is None else Decimal(yuan))
    assert value is None or isinstance(value, Decimal)


@pytest.mark.parametrize(("span", "place"), ORDINALS.items())
def test_a_place_in_a_list_is_understood(span, place):
    assert ordinal_value(span) == place


@pytest.mark.parametrize(("span", "number"), INTEGERS.items())
def test_a_whole_number_is_understood(span, number):
    assert integer_value(span) == number


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**9))
def test_every_number_in_figures_means_itself(number):
    assert integer_value(str(number)) == number
    assert amount_value(f"{number:,}元") == number


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=99_999_999))
def test_every_number_in_chinese_words_means_itself(number):
    assert integer_value(cn2an.an2cn(number)) == number


@settings(deadline=None)
@given(st.text(max_size=20))
def test_no_text_makes_the_reader_of_numbers_fail(text):
    amount_value(text), integer_value(text), ordinal_value(text)
