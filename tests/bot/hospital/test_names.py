"""How people name departments, doctors and fee items, and what we make of it."""

import pytest

from bot.hospital.load import load_hospital
from bot.hospital.names import lexicon, resolve_department, resolve_doctor, resolve_fee_item


def codes(matches):
    return [match.code for match in matches]


def named(matches):
    return [match.name for match in matches]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        # own names and short forms
        ("心血管内科", "cardiology"),
        ("心内科", "cardiology"),
        ("心内", "cardiology"),
        ("心脏科", "cardiology"),
        ("呼吸科", "respiratory"),
        ("消化科", "gastroenterology"),
        ("肠胃科", "gastroenterology"),
        ("神内", "neurology"),
        ("脑内科", "neurology"),
        ("神外", "neurosurgery"),
        ("脑外科", "neurosurgery"),
        ("心外", "cardiac_surgery"),
        ("泌外", "urology"),
        ("男科", "urology"),
        ("骨科", "orthopedics"),
        ("普外", "general_surgery"),
        ("肛肠科", "anorectal"),
        ("乳腺科", "thyroid_breast_surgery"),
        ("妇科", "gynecology"),
        ("产检科", "obstetrics"),
        ("小儿科", "pediatrics"),
        ("牙科", "stomatology"),
        ("口腔", "stomatology"),
        ("耳鼻喉", "ent"),
        ("皮肤", "dermatology"),
        ("中医", "tcm"),
        ("针灸科", "tcm"),
        ("全科", "general_practice"),
        ("老年科", "geriatrics"),
        ("精神科", "psychology"),
        ("感染科", "fever"),
        ("腹泻门诊", "enteric"),
        ("急诊", "emergency"),
        ("体检科", "checkup"),
        ("内分泌", "endocrinology"),
        ("糖尿病科", "endocrinology"),
        # said around the name
        ("心内科门诊", "cardiology"),
        ("骨科医生", "orthopedics"),
        ("挂个眼科", "ophthalmology"),
        ("肾内科的号", "nephrology"),
        ("市医院皮肤科那边", "dermatology"),
        # homophones, dialect sounds, typos
        ("新内科", "cardiology"),
        ("儿课", "pediatrics"),
        ("皮夫科", "dermatology"),
        ("神精内科", "neurology"),
        ("肛场科", "anorectal"),
        ("内分密科", "endocrinology"),
        ("风湿免科", "rheumatology"),
        ("疼疼科", "pain"),
        ("甲状线科", "thyroid_breast_surgery"),
        ("口腔课", "stomatology"),
        ("康服科", "rehabilitation"),
        # Traditional characters, full width, typed pinyin
        ("心內科", "cardiology"),
        ("婦科", "gynecology"),
        ("兒科", "pediatrics"),
        ("耳鼻喉科", "ent"),
        ("xinneike", "cardiology"),
        ("　骨 科", "orthopedics"),
    ],
)
def test_a_department_is_understood_however_it_is_written(said, code):
    assert codes(resolve_department(said)) == [code]


@pytest.mark.parametrize(
    ("said", "some"),
    [
        ("内科", {"cardiology", "respiratory", "general_practice"}),
        ("外科", {"general_surgery", "orthopedics"}),
        ("妇产科", {"gynecology", "obstetrics"}),
        ("五官科", {"ophthalmology", "ent", "stomatology"}),
        ("神经", {"neurology", "neurosurgery"}),
        ("身内科", {"nephrology", "neurology"}),
    ],
)
def test_a_word_for_several_departments_stays_a_question(said, some):
    assert some <= set(codes(resolve_department(said)))


@pytest.mark.parametrize("said", ["火锅店", "", "？", "明天", "电影院"])
def test_what_is_no_department_is_unknown(said):
    assert resolve_department(said) == []


def test_a_sure_reading_scores_higher_than_a_guess():
    assert resolve_department("心内科")[0].score > 0.8 > resolve_department("新内科")[0].score


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("张伟", ["张伟"]),
        ("张伟主任", ["张伟"]),
        ("張偉醫生", ["张伟"]),
        ("张韦", ["张伟"]),
        ("章伟大夫", ["张伟"]),
        ("zhangwei", ["张伟"]),
        ("建华主任", ["张建华"]),
        ("张健华", ["张建华"]),
        ("刘桂芬主任", ["刘桂芳"]),
        ("心内科张主任", ["张建华", "张敏"]),
        ("骨科的张主任", ["张伟"]),
        ("陈副主任", ["陈文博", "陈思雨"]),
        ("黄医生", ["黄素琴"]),
        ("黄志强", []),
        ("欧阳医生", []),
        ("主任", []),
        ("医生", []),
        ("李国东", ["李国栋"]),
        ("王振", ["王振海"]),
        ("赵教授", ["赵国庆"]),
    ],
)
def test_a_doctor_is_understood_by_name_title_and_sound(said, names):
    assert named(resolve_doctor(said)) == names


def test_a_surname_asks_back_with_the_highest_rank_first():
    found = resolve_doctor("张主任")
    titles = [load_hospital().doctors[match.code].title for match in found]
    assert len(found) >= 5
    assert titles == sorted(titles, reverse=True)  # chief sorts after associate_chief
    assert set(titles) == {"chief", "associate_chief"}


def test_a_young_doctor_comes_first_when_he_is_called_little():
    first = resolve_doctor("小张医生")[0]
    assert load_hospital().doctors[first.code].title == "attending"


def test_the_sex_narrows_a_surname():
    doctors = load_hospital().doctors
    assert {doctors[match.code].sex for match in resolve_doctor("姓张的女医生")} == {"female"}


def test_the_department_decides_between_two_doctors_of_the_same_name():
    assert len(resolve_doctor("李娜")) == 2
    (only,) = resolve_doctor("李娜", "ophthalmology")
    assert load_hospital().doctors[only.code].department == "ophthalmology"
    assert resolve_doctor("李娜", "眼科") == [only]


def test_a_doctor_of_another_department_is_not_offered():
    assert resolve_doctor("张伟", "cardiology") == []


def test_an_unknown_department_leaves_no_doctor():
    assert resolve_doctor("张伟", "火锅店") == []


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("血常规", "血常规"),
        ("雪常规", "血常规"),
        ("头部核磁", "头颅磁共振平扫"),
        ("頭部核磁", "头颅磁共振平扫"),
        ("胸部ＣＴ", "胸部CT平扫"),
        ("阿莫西林", "阿莫西林胶囊"),
        ("阿莫西令", "阿莫西林胶囊"),
        ("阿司匹灵", "阿司匹林肠溶片"),
        ("奥希替尼", "甲磺酸奥希替尼片"),
        ("布洛分", "布洛芬缓释胶囊"),
        ("二甲双瓜", "二甲双胍片"),
        ("种牙", "种植牙"),
        ("心电图检查", "常规心电图"),
        ("做个心脏彩超", "心脏彩超"),
        ("特需号", "特需门诊挂号诊察费"),
        ("护工费", "一对一生活陪护"),
        ("挂水", "静脉输液"),
        ("胃境", "电子胃镜检查"),
        ("剖腹产", "剖宫产术"),
    ],
)
def test_a_fee_item_is_understood_by_its_everyday_name(said, name):
    assert named(resolve_fee_item(said)) == [name]


@pytest.mark.parametrize(("said", "least"), [("核磁", 5), ("CT", 5), ("B超", 6), ("专家号", 2), ("体检", 6)])
def test_a_word_for_several_fee_items_stays_a_question(said, least):
    assert len(resolve_fee_item(said)) >= least


@pytest.mark.parametrize(
    ("said", "classes"),
    [
        ("床位费", ["01"]),
        ("化验费", ["04"]),
        ("检验费", ["04"]),
        ("材料费", ["08"]),
        ("中草药费", ["10"]),
        ("药费", ["09", "10", "11"]),
    ],
)
def test_a_fee_category_gives_its_national_class(said, classes):
    found = resolve_fee_item(said)
    assert codes(found) == classes
    assert {match.kind for match in found} == {"category"}


@pytest.mark.parametrize("said", ["住院", "消炎药", "汉堡包"])
def test_what_is_no_fee_item_is_unknown(said):
    assert resolve_fee_item(said) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("department", {"心内", "妇产科", "发热门诊"}),
        ("doctor", {"张伟", "张主任", "李医生"}),
        ("fee_item", {"核磁", "阿莫西林", "床位费"}),
        ("symptom", {"头晕", "脖子疼"}),
    ],
)
def test_the_lexicon_holds_the_hospitals_words_once(kind, words):
    found = lexicon(kind)
    assert words <= set(found)
    assert len(found) == len(set(found))


def test_places_without_a_clinic_are_not_in_the_department_lexicon():
    assert "检验科" not in lexicon("department")


def test_another_kind_of_lexicon_is_refused():
    with pytest.raises(ValueError, match="symptom"):
        lexicon("colour")
