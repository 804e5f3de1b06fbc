"""Elder mode: at most forty characters a sentence, one step per message (R45)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language.elder import simple_lines

LONG = (
    "您好，您预约了12月3日上午09:30-09:40心内科张伟主任医师的号，"
    "请您提前30分钟带身份证、医保卡到门诊楼一楼大厅取号，谢谢您的配合。"
)
PAPERS = "请您带好身份证、医保卡、住院病历首页、出院小结、费用清单、发票原件、银行卡和代办人身份证到门诊楼一楼办理。"


@pytest.mark.parametrize(
    "text", [LONG, PAPERS, "好的。" * 30, "请到" + "门诊大厅的人工窗口或者自助机或者手机公众号" * 4]
)
def test_no_line_is_longer_than_forty(text):
    assert all(len(line) <= 40 for line in simple_lines(text))


def test_each_sentence_is_its_own_line():
    assert simple_lines("您好。请问您想挂哪个科？") == ["您好。", "请问您想挂哪个科？"]


def test_each_step_is_its_own_message():
    lines = simple_lines("请按步骤办理：1. 带身份证到一楼，2. 选择取号，3. 到三楼候诊。")
    assert lines == ["请按步骤办理：", "1. 带身份证到一楼，", "2. 选择取号，", "3. 到三楼候诊。"]


def test_lines_of_the_text_are_kept_apart():
    assert simple_lines("第一步：取号\n\n第二步：候诊") == ["第一步：取号", "第二步：候诊"]


def test_a_list_is_cut_between_its_entries():
    entries = PAPERS.removesuffix("办理。")
    assert all(any(word in line for line in simple_lines(PAPERS)) for word in re.split("[、和到]", entries[4:])[:7])
    assert simple_lines(PAPERS)[0].endswith("、")


@pytest.mark.parametrize("limit", range(12, 41))
@pytest.mark.parametrize(
    "piece", ["09:30-09:40", "1,300.50元", "0550-8800120", "YY20261122-0007", "12月3日", "2027/1/5"]
)
def test_a_number_is_never_cut(piece, limit):
    text = f"请您记住这里的内容是{piece}这一项然后再到门诊楼一楼大厅的窗口{piece}办理"
    assert sum(line.count(piece) for line in simple_lines(text, max(limit, 15))) == 2


def test_a_gloss_in_brackets_stays_in_one_piece():
    text = "起付线（医保开始报销前，先由您自己付的那部分钱）在本院是1,300.50元，超过的部分按比例报销。"
    assert "（医保开始报销前，先由您自己付的那部分钱）" in simple_lines(text)[0]


def test_an_address_longer_than_the_line_stays_whole():
    url = "https://example.org/" + "a/" * 30
    assert url in simple_lines(f"网址：{url}")


@settings(deadline=None)  # jieba loads its dictionary at first use
@given(st.text(alphabet="您请到一二三楼门诊大厅取号缴费，。、；！？0123456789:：（）", max_size=150))
def test_nothing_is_lost_but_marks(text):
    def words(said: str) -> str:
        return re.sub(r"[，。；,\s]", "", said)

    assert words("".join(simple_lines(text))) == words(text)
