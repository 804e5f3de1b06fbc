"""The symptom guide: where to go, never what it is (B8)."""

import re

import pytest

from bot.hospital.guide import suggest
from bot.hospital.load import load_hospital

DISEASES = re.compile(r"癌|瘤|炎|梗|中风|糖尿病|高血压|冠心病|痛风|肺结核|感染|综合征|结石|骨折|贫血|抑郁|痔|疝|卒中")


def where(text, **facts):
    return [item.department for item in suggest([], text, **facts)]


@pytest.mark.parametrize(
    ("text", "first"),
    [  # the table of B8
        ("头痛一直不好", "neurology"),
        ("失眠", "neurology"),
        ("突然剧烈头痛还吐", "emergency"),
        ("头痛眼眶疼看不清", "ophthalmology"),
        ("头痛鼻塞流脓涕", "ent"),
        ("撞到头以后头痛呕吐", "emergency"),
        ("翻身就天旋地转", "ent"),
        ("头晕脖子疼手麻", "orthopedics"),
        ("头晕心慌", "cardiology"),
        ("脸色苍白头晕", "hematology"),
        ("蛀牙疼", "stomatology"),
        ("牙疼下颌发紧", "emergency"),
        ("面部电击样痛", "neurology"),
        ("爬楼时胸闷胸痛", "cardiology"),
        ("咳嗽咳痰", "respiratory"),
        ("发烧", "fever"),
        ("拉肚子发烧", "enteric"),
        ("反酸胃胀", "gastroenterology"),
        ("右下腹急痛", "emergency"),
        ("尿频尿急尿痛", "urology"),
        ("乳房有硬块", "thyroid_breast_surgery"),
        ("脖子粗", "endocrinology"),
        ("口干多尿", "endocrinology"),
        ("早上关节僵手指关节疼", "rheumatology"),
        ("脚崴了", "orthopedics"),
        ("便血", "anorectal"),
        ("皮肤痒起疹子", "dermatology"),
        ("腰上一串水泡疼", "dermatology"),
        ("月经不调", "gynecology"),
        ("怀孕三个月产检", "obstetrics"),
        ("孩子发烧咳嗽", "pediatrics"),
        ("心情低落睡不着", "psychology"),
        ("眼睛红", "ophthalmology"),
        ("耳鸣听不见", "ent"),
    ],
)
def test_the_guide_follows_the_hospitals_table(text, first):
    assert where(text)[0] == first


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("发烧", {"age": 6}, ["pediatrics", "emergency"]),
        ("8岁 扭伤脚", {}, ["pediatric_surgery", "emergency"]),
        ("孩子蛀牙疼", {}, ["stomatology"]),
        ("小肚子疼", {"sex": "male"}, ["urology", "gastroenterology"]),
        ("小肚子疼", {"sex": "female"}, ["gynecology", "urology", "gastroenterology"]),
        ("怀孕发烧", {}, ["fever", "obstetrics"]),
        ("咳嗽", {"sex": "female", "pregnant": True}, ["obstetrics", "respiratory", "general_practice"]),
        ("没有怀孕 咳嗽", {}, ["respiratory", "general_practice"]),
        ("要不上孩子", {}, ["reproductive", "gynecology", "urology"]),
        ("生完孩子腰疼", {}, ["orthopedics", "pain", "rehabilitation"]),
    ],
)
def test_age_sex_and_pregnancy_change_the_way(text, facts, expected):
    assert where(text, **facts) == expected


def test_an_old_patient_with_many_complaints_is_offered_geriatrics():
    assert "geriatrics" in where("头晕 腿肿 记性差 便秘", age=76)


def test_a_man_is_never_sent_to_gynecology():
    assert "gynecology" not in where("白带多 小肚子疼", sex="male")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不发烧，就是咳嗽", ["respiratory", "general_practice"]),
        ("没有发烧、咳嗽，就是嗓子疼", ["ent"]),
    ],
)
def test_what_is_denied_does_not_count(text, expected):
    assert where(text) == expected


@pytest.mark.parametrize("text", ["肚子有点疼", "肚子一直很痛", "肚子感觉特别疼", "肚子痛", "肚子  疼"])
def test_fillers_do_not_change_the_way(text):
    assert where(text) == where("肚子疼")


def test_spans_of_the_recogniser_count_like_the_text():
    found = suggest(["头晕", "脖子疼", "手麻"], "挂什么科")
    assert found[0].department == "orthopedics"


@pytest.mark.parametrize("text", ["整个人说不上来哪里不对", "", "今天天气不错"])
def test_unsure_means_general_practice_and_the_desk(text):
    (only,) = suggest([], text)
    assert only.department == "general_practice"
    assert "咨询台" in only.reason


def test_many_unrelated_complaints_end_with_general_practice():
    assert where("头疼 牙疼 便秘 脚气 眼睛干")[-1] == "general_practice"


def test_danger_signs_come_before_the_advice():
    assert all(item.check_first for item in suggest([], "胸口疼"))
    assert not any(item.check_first for item in suggest([], "长痘"))


def test_a_pregnant_patient_with_a_doubtful_complaint_is_checked_first():
    assert any(item.check_first for item in suggest([], "怀孕了 肚子疼"))


def test_never_more_than_three_departments():
    rows = load_hospital().guide.rows
    assert all(1 <= len(suggest([], " ".join(row.words))) <= 3 for row in rows)


def test_no_reason_names_a_disease_or_says_ni():
    rules = load_hospital().guide
    reasons = [reason for row in rules.rows for _, reason in row.to]
    reasons += [rules.child_reason, rules.child_surgery_reason, rules.pregnant_reason, rules.elder_reason]
    assert [reason for reason in reasons if DISEASES.search(reason) or "你" in reason] == []


def test_every_phrase_of_the_guide_finds_its_own_department():
    rules = load_hospital().guide
    lost = []
    for row in rules.rows:
        if row.also or row.when:
            continue
        for word in row.words:
            if row.to[0][0] not in where(word):
                lost.append((word, row.to[0][0], where(word)))
    assert lost == []


def test_the_guide_is_large_enough_for_everyday_speech():
    rows = load_hospital().guide.rows
    assert len(rows) >= 90
    assert len({word for row in rows for word in row.words}) >= 300
