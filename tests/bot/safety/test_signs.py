"""Danger signs as rules (R83-R85, hospital-domain B5): what is seen, what is let pass, and how fast."""

import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.safety.signs import scan
from bot.safety.table import CODES
from bot.safety.text import Plain
from bot.settings import ROOT

HERE = Path(__file__).parent


def lines(name):
    """Give (group of the sign or kind of near miss, text) of a file: group, voice and text, or kind and text, a line."""
    rows = [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
    return [(row[0], row[-1]) for row in rows]


POSITIVES = lines("positives.tsv")
NEAR_MISSES = lines("near_misses.tsv")
BLIND = lines("blind_positives.tsv")
BLIND_NEAR_MISSES = lines("blind_near_misses.tsv")
UNSEEN = lines("unseen_positives.tsv")
UNSEEN_NEAR_MISSES = lines("unseen_near_misses.tsv")


def definite(text):
    found = scan(text)
    return bool(found and found.definite)


def share(texts, holds):
    return sum(bool(holds(text)) for _, text in texts) / len(texts)


def missed(texts, holds):
    return [text for _, text in texts if not holds(text)]


def test_the_sets_are_as_large_as_promised_and_cover_every_group():
    assert {group for group, _ in POSITIVES} == set(CODES)
    assert {group for group, _ in UNSEEN} == set(CODES)
    assert len({text for _, text in POSITIVES}) >= 1700
    assert len({text for _, text in NEAR_MISSES}) >= 2500


def test_ninety_nine_in_a_hundred_known_signs_are_definite():
    assert missed(POSITIVES, definite)[len(POSITIVES) // 100 :] == []


def test_at_most_one_in_a_hundred_near_misses_is_taken_for_definite():
    assert [text for _, text in NEAR_MISSES if definite(text)][len(NEAR_MISSES) // 100 :] == []


def test_at_most_one_in_forty_near_misses_brings_a_notice():
    assert share(NEAR_MISSES, scan) <= 1 / 40


@pytest.mark.parametrize(
    ("signs", "near", "least_definite", "most_definite", "most_seen"),
    [(BLIND, BLIND_NEAR_MISSES, 0.92, 0.035, 0.06), (UNSEEN, UNSEEN_NEAR_MISSES, 0.84, 0.025, 0.05)],
    ids=["blind", "unseen"],
)
def test_a_set_that_the_table_was_never_tuned_on_does_not_fall_below_its_figures(
    signs, near, least_definite, most_definite, most_seen
):
    """Measured: blind definite 0.931, near misses 0.031, any notice 0.05; unseen 0.855, 0.019, 0.031.

    R83's 0.99 is not reached by the table alone; with the intent `emergency`, the second net, it is (decisions/0005).
    """
    assert share(signs, definite) >= least_definite
    assert share(near, definite) <= most_definite
    assert share(near, scan) <= most_seen


def test_training_lines_bring_no_false_alarm_and_the_emergencies_are_seen():
    of_label = training_lines()
    emergencies = of_label.pop("emergency")
    ordinary = [(label, text) for label, texts in of_label.items() for text in texts]
    assert share(ordinary, definite) < 0.005
    assert share(ordinary, scan) < 0.01
    assert share([("emergency", text) for text in emergencies], definite) >= 0.92
    assert share([("emergency", text) for text in emergencies], scan) >= 0.96


def training_lines():
    """Give the lines of nlu_data by intent, the marks of entities taken out."""
    of_label = {}
    for path in sorted(ROOT.glob("nlu_data/*/nlu.yml")):
        for block in YAML(typ="safe").load(path.read_text(encoding="utf-8"))["nlu"]:
            if "intent" in block:
                texts = [line.strip().removeprefix("- ") for line in block["examples"].splitlines() if line.strip()]
                plain_texts = [re.sub(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})", r"\1", text) for text in texts]
                of_label.setdefault(block["intent"], []).extend(plain_texts)
    return of_label


@pytest.mark.parametrize("code", ["self_harm", "infection"])
def test_a_group_with_a_text_of_its_own_is_told_from_the_others(code):
    own = [(group, text) for group, text in POSITIVES if group == code]
    assert share(own, lambda text: (found := scan(text)) and found.code == code) >= 0.95


@pytest.mark.parametrize(
    "text",
    [
        "没有胸痛",
        "没有胸痛，也没有呼吸困难",
        "没有胸痛、胸闷和冒冷汗",
        "不疼了",
        "去年中风过现在想复查",
        "胸痛中心在哪",
        "急诊几点",
        "我想挂胸痛门诊",
        "抢救费多少",
        "累死了",
        "笑死",
        "热死了",
        "想死你了",
        "我家猫抽搐了去哪看",
        "手机掉水里了",
        "",
        "   ",
    ],
)
def test_words_without_danger_bring_nothing(text):
    assert scan(text) is None


def test_a_number_that_counts_something_names_no_poison_and_no_fever():
    for number in range(1000):
        assert all(scan(text.format(number)) is None for text in ("排在{}号", "花了{}元", "第{}句", "等了{}分钟"))
    assert scan("孩子喝了84").definite


@pytest.mark.parametrize(
    "text",
    ["气得想死", "中风了怎么办讲座", "煤气中毒医保能报吗", "电视剧里女主角自杀了", "胸痛已经好了", "以前晕倒过"],
)
def test_a_guarded_sign_is_doubtful_at_most(text):
    assert not definite(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("我爸胸口疼得直冒汗", "chest"),
        ("旁边有个人晕倒了", "coma"),
        ("胸闷气短两个小时了，嘴唇发紫，先告诉我停车怎么收费", "chest"),
        ("去年中风过，今天嘴又歪了", "stroke"),
        ("没有发烧，就是喘不上气", "breath"),
        ("以前没这样过，胸口疼得直冒汗", "chest"),
        ("我想挂心内科，胸口疼得站不起来", "chest"),
        ("看电影的时候我妈突然晕倒了", "coma"),
        ("我不想活了，割腕了，血止不住", "self_harm"),
    ],
)
def test_a_present_danger_is_definite_whatever_stands_around_it(text, code):
    found = scan(text)
    assert (found.code, found.definite) == (code, True)


@pytest.mark.parametrize(
    "text",
    ["不到三个月发烧", "两个月的宝宝发烧", "宝宝56天，发热38度", "五十天的宝宝烧到39度", "新生儿发烧"],
)
def test_fever_under_three_months_is_definite(text):
    found = scan(text)
    assert (found.code, found.definite) == ("infant", True)


def test_fever_of_an_older_child_is_not():
    assert not definite("宝宝一岁三个月发烧挂哪个科")
    assert not definite("孩子三岁发烧咳嗽")


@pytest.mark.parametrize(
    "text",
    ["熊口疼得冒汗", "我爸吐雪了", "孩子抽畜了", "呼息困难", "奶奶冇反應，叫佢唔醒", "他喝了敌敌胃", "莫得呼吸了"],
)
def test_slips_of_the_pen_and_dialect_characters_are_read(text):
    assert definite(text)


@pytest.mark.parametrize(
    "text", ["偶尔胸口疼一下，冒点汗", "每年天一冷手脚就没劲还麻", "你们护士把我爸摔得站不起来，我要投诉"]
)
def test_what_is_mild_or_part_of_a_complaint_is_doubtful_at_most(text):
    assert not definite(text)


@pytest.mark.parametrize("text", ["偶尔胸口疼，现在疼得直冒汗", "我要投诉，我爸现在叫不醒了没人管"])
def test_what_is_said_to_be_now_stays_definite_beside_such_words(text):
    assert definite(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("他吞了四十片阿普唑仑", "poison"), ("32周，突然见红了", "maternal"), ("宝宝四十天烧了", "infant")],
)
def test_counts_of_pills_weeks_and_days_are_read_in_digits_and_han_numerals(text, code):
    found = scan(text)
    assert (found.code, found.definite) == (code, True)


def test_a_farewell_letter_that_is_finished_is_no_recovery():
    assert definite("遗书写好了")


@pytest.mark.parametrize(
    "text", ["透唔到氣", "嘴巴突然歪咗，講嘢唔清楚", "胸 口 疼 得 冒 冷 汗", "胸口\u200b疼得冒冷汗"]
)
def test_traditional_dialect_and_spaced_out_writing_is_read(text):
    assert definite(text)


def test_a_story_in_two_sentences_is_one_story():
    assert definite("我爸胸口疼。\n一直出冷汗。")


def test_the_words_found_are_places_in_the_text_as_typed():
    text = "①　您好，我爸胸口　疼得直冒汗"
    found = scan(text)
    assert [text[start:end] for start, end in found.words] == ["胸口　疼", "直冒"]


def test_another_normaliser_may_be_passed_in():
    found = scan("我爸胸口疼得直冒汗", lambda typed: Plain(typed, tuple((at, at + 1) for at in range(len(typed)))))
    assert found.words[0] == (2, 5)


def test_the_reason_names_the_sign_and_the_guard_that_lowered_it():
    assert scan("我爸胸口疼得直冒汗").reason == "胸痛伴出汗、气短、脸色差"
    assert scan("我爸偶尔胸口疼得冒汗").reason == "胸痛伴出汗、气短、脸色差（轻微）"


@pytest.mark.parametrize(
    "text", ["酒精棉片多少钱", "电池能寄存吗", "我对青霉素过敏", "骨折科在几楼", "心梗后能坐飞机吗"]
)
def test_a_mere_mention_says_nothing(text):
    assert scan(text) is None


@pytest.mark.parametrize(
    "text", ["我现在有点胸闷", "孩子流鼻血，怎么办", "前两天胸口疼过一阵，现在还有一点闷，想挂明天心内科"]
)
def test_a_doubtful_sign_of_now_or_with_haste_brings_the_notice(text):
    found = scan(text)
    assert found and not found.definite


@pytest.mark.parametrize("text", ["我爸说要四万块押金", "没有其他问题了", "电动车道在哪，坡道被电动车占满了"])
def test_what_only_sounds_like_a_sign_brings_nothing(text):
    assert scan(text) is None


def test_words_that_sound_alike_are_heard_the_same_in_every_process():
    code = "from bot.safety.signs import scan; print(scan('wo xiang si').code)"
    for seed in "123":
        said = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert said.stdout == "self_harm\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("help, my father can't breathe", "breath"),
        ("He is unconscious!", "coma"),
        ("I think he has a heart attack", "chest"),
        ("I want to kill myself", "self_harm"),
        ("息ができません", "breath"),
        ("의식이 없어요", "coma"),
    ],
)
def test_an_emergency_in_another_language_is_definite(text, code):
    found = scan(text)
    assert (found.code, found.definite, found.foreign) == (code, True, True)


@pytest.mark.parametrize(
    "text",
    [
        "chest x-ray price?",
        "I had a stroke last year, need a follow-up",
        "where is the chest pain clinic",
        "去年心臓の検査、予約",
    ],
)
def test_another_language_without_danger_brings_nothing(text):
    assert not definite(text)


@pytest.mark.parametrize(
    "text", ["wo xiongkou teng de lihai 喘不过气", "他晕道了jiao bu xing", "喘不上汽", "叫不星了我爸"]
)
def test_homophones_and_typed_pinyin_are_read_by_their_sound(text):
    assert definite(text)


@pytest.mark.parametrize("text", ["嗯那个我爸他然后那个胸口疼嗯出冷汗", "就是那个血啊然后一直止不住"])
def test_the_pauses_of_speech_recognition_are_passed_by(text):
    assert definite(text)


def test_a_sign_late_in_a_long_message_is_found():
    text = "今天想问一下停车怎么收费，" * 150 + "我爸胸口疼得直冒汗"
    found = scan(text)
    assert found.definite
    assert found.words[0][0] >= len(text) - 9


def test_a_short_message_takes_less_than_a_millisecond():
    scan("您好")
    taken = []
    for _, text in NEAR_MISSES:
        start = time.perf_counter()
        scan(text)
        taken.append(time.perf_counter() - start)
    assert statistics.median(taken) < 0.001


@pytest.mark.parametrize("text", ["胸口疼", "没有胸痛", "孩子吃药血。", "啊", "1"])
def test_four_thousand_characters_stay_bounded(text):
    long = (text * 4000)[:4000]
    start = time.process_time()
    scan(long)
    assert time.process_time() - start < 0.5  # measured: 3 to 40 ms
