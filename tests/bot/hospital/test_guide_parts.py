"""Where no row of the guide speaks, a part of the body with a trouble near it does."""

import pytest

from bot.hospital.guide import suggest


@pytest.mark.parametrize(
    ("text", "department"),
    [
        ("我妈膝盖一弯就疼，想看看", "orthopedics"),
        ("嗓子眼像有东西卡着", "ent"),
        ("眼睛看东西有黑影飘", "ophthalmology"),
        ("牙一咬就酸", "stomatology"),
        ("月经两个月没来", "gynecology"),
        ("尿里有泡沫", "urology"),
        ("乳房摸到个硬块", "thyroid_breast_surgery"),
        ("记性越来越差", "neurology"),
        ("腰不舒服", "orthopedics"),
    ],
)
def test_a_part_with_its_trouble_has_a_department(text, department):
    assert suggest([], text)[0].department == department


@pytest.mark.parametrize("text", ["腰不疼", "手续费多少", "手机坏了", "我想看看", "脸熟的那个窗口"])
def test_no_trouble_no_department(text):
    assert suggest([], text)[0].department == "general_practice"
