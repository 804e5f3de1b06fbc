"""The fixed texts and the table: what must be said, what must never be said (hospital-domain B5)."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.errors import DataError
from bot.safety.signs import Finding, notice
from bot.safety.table import CODES, PATH, TEXTS, is_reviewed, load

HOSPITAL = yaml.safe_load((Path(__file__).parents[3] / "bot/hospital/sample/hospital.yml").read_text(encoding="utf-8"))
ED = HOSPITAL["phones"]["emergency"]
FORBIDDEN = (
    *("你", "没事", "先观察", "已通知", "不知道", "不清楚"),
    *("中风", "心梗", "脑梗", "中毒", "癫痫", "休克", "哮喘", "肺炎", "新冠"),  # no disease
    *("Ⅰ级", "一级", "红区", "级别", "毫克", "mg", "片", "硝酸甘油", "阿司匹林"),  # no level, dose, drug
)


def said(code, definite=True):
    return notice(Finding(code, definite, (), ""), HOSPITAL["name"], ED)


@pytest.mark.parametrize("code", [code for code in CODES if code not in ("self_harm", "infection")])
def test_the_danger_text_says_what_must_be_said(code):
    text = said(code).text
    for part in (
        "您描述的情况可能很紧急",
        "请立即拨打120，或马上到最近医院急诊",
        "请不要自行驾车",
        "地址、症状、年龄、电话",
        "我不能判断病情，请以急救人员和医生的指导为准",
        ED,
    ):
        assert part in text


def test_the_self_harm_text_gives_120_110_and_the_hotline():
    text = said("self_harm").text
    assert all(number in text for number in ("120", "110", "12356", ED))


def test_the_self_harm_text_asks_nothing():
    assert "？" not in said("self_harm").text + said("self_harm", definite=False).text


def test_the_infection_text_sends_to_the_fever_clinic_with_a_mask():
    text = said("infection").text
    assert "口罩" in text and "示范医院发热门诊" in text and "120" in text


def test_another_language_is_answered_in_chinese_with_one_line_added():
    plain = said("breath").text
    added = notice(Finding("breath", True, (), "", foreign=True), HOSPITAL["name"], ED).text.removeprefix(plain)
    assert added.startswith("\n") and "120" in added and added.count("\n") == 1


def test_a_doubtful_sign_brings_a_notice_and_goes_on():
    text = said("chest", definite=False).text
    assert "120" in text and "接着办您的事" in text
    assert "12356" in said("self_harm", definite=False).text


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("definite", [True, False])
def test_no_text_names_a_disease_a_level_a_drug_or_gives_false_comfort(code, definite):
    text = said(code, definite).text
    assert [word for word in FORBIDDEN if word in text] == []
    assert text.count("？") <= 1


@pytest.mark.parametrize("code", CODES)
def test_every_notice_has_the_button_120(code):
    assert said(code).buttons == ({"title": "拨打120", "uri": "tel:120"},)


def test_the_table_names_who_reviews_it_and_until_when_it_holds():
    table = load()
    assert table.reviewed_by
    assert is_reviewed(table, table.valid_to)
    assert not is_reviewed(table, date(2028, 1, 1))


def test_every_group_has_a_chinese_name_and_signs_of_both_kinds():
    table = load()
    assert sorted(group.code for group in table.groups) == sorted(CODES)
    for group in table.groups:
        assert group.name
        assert {sign.definite for sign in group.signs} == {True, False}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("； [胸]…[痛] + [汗]", "； [胸] + [没有这个词表]", "没有这个词表"),
        ("； [胸]…[痛] + [汗]", "； [胸] + [痛] + [汗] + [喘]", "more than three parts"),
        ("； [胸]…[痛] + [汗]", "； [胸]痛 + [汗]", "between them"),
        ("code: chest", "code: heart", "13 codes"),
        ("  danger: |-", "  peril: |-", "danger"),
        ("\n护栏:", "\n守卫:", "护栏"),
    ],
)
def test_a_broken_table_is_refused_with_the_place(tmp_path, old, new, says):
    text = PATH.read_text(encoding="utf-8")
    assert old in text
    broken = tmp_path / "signs.yml"
    broken.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(DataError, match=says):
        load(broken)


def test_the_table_holds_every_fixed_text():
    assert set(TEXTS) == set(load().texts)
