"""An answer changes in its own place; faults of language and variables are told before; a new question is one form."""

import shutil

import pytest
import yaml

from bot.workbench import answers, checks, files
from bot.workbench.answers import Answer
from bot.workbench.labels import title
from bot.workbench.project import NotSaved, Project, Stale
from tests.bot.workbench.test_files import changed

REAL = Project()
ALL = answers.answers(REAL)
QUESTIONS = [
    f"夜间门诊能看{part}吗"
    for part in ("骨科", "眼睛", "牙", "孩子", "皮肤", "妇科", "内科", "外科", "耳朵", "胃", "腰", "鼻子")
]


@pytest.fixture
def project(tmp_path):
    shutil.copytree(REAL.data, tmp_path / "nlu_data")
    (tmp_path / "docs").mkdir()
    shutil.copy(REAL.root / "docs/nlu-guideline.md", tmp_path / "docs")
    return Project(tmp_path)


def find(project, name: str) -> Answer:
    return next(each for each in answers.answers(project) if each.name == name)


@pytest.mark.parametrize("file", sorted({each.file for each in ALL}))
def test_every_answer_of_a_file_can_be_changed_and_nothing_else_changes(project, file):
    for answer in [each for each in ALL if each.file == file]:
        path = project.data / file
        before = path.read_text(encoding="utf-8")
        text = answer.text + "需要时请拨{phone_desk}。" + ("\n第二行" if answer.number % 2 else "")
        answers.change(project, answer, text, answer.owner, answer.valid_to)
        after = path.read_text(encoding="utf-8")
        content, expected = yaml.load(after, yaml.CSafeLoader), yaml.load(before, yaml.CSafeLoader)
        expected["responses"][answer.name][answer.number]["text"] = text
        assert content == expected
        assert before.count("#") == after.count("#")
        assert len(changed(before, after)) <= 2 + 2 * (answer.text.count("\n") + 2)
        path.write_text(before, encoding="utf-8")


def test_owner_and_validity_stand_in_one_line_of_the_file(project):
    parking = find(project, "utter_faq/parking")
    before = (project.data / parking.file).read_text()
    answers.change(project, parking, parking.text, "后勤保障部", "2028-06-30")
    removed, come = changed(before, (project.data / parking.file).read_text())
    assert 'owner: 后勤保障部, valid_to: "2028-06-30"' in come and removed.startswith("-      metadata:")
    greet = find(project, "utter_greet")
    answers.change(project, greet, greet.text, "客服中心", "2028-01-01")
    assert (find(project, "utter_greet").owner, find(project, "utter_greet").text) == ("客服中心", greet.text)


def test_an_answer_that_somebody_else_has_changed_is_not_overwritten(project):
    parking = find(project, "utter_faq/parking")
    answers.change(project, parking, "甲改的停车说明，请拨{phone_desk}。", parking.owner, parking.valid_to)
    with pytest.raises(Stale):
        answers.change(project, parking, "乙改的", parking.owner, parking.valid_to)


def test_faults_are_told():
    rules = {each["rule"]: each for each in answers.problems("我不知道，这个{phone_police}你自己去问")}
    assert rules["变量"]["stops"] and "{phone_desk}" in rules["变量"]["advice"]
    assert len(rules) > 1
    lost = answers.problems("好的，请问您想约哪一天呢？", ("department",))
    assert [each["fragment"] for each in lost if each["rule"] == "变量"] == ["{department}"]
    assert answers.problems("请拨{phone_desk}，工作人员帮您处理。") == []


@pytest.mark.parametrize("bad", ["", "   ", "请拨{phone_dek}。", "花括号{没有配对", "字" * 1300])
def test_an_answer_with_a_grave_fault_is_not_written(project, bad):
    parking = find(project, "utter_faq/parking")
    with pytest.raises(NotSaved):
        answers.change(project, parking, bad, parking.owner, parking.valid_to)
    assert find(project, "utter_faq/parking") == parking


def test_a_new_standing_question_is_examples_answer_and_a_line_of_the_guideline(project):
    text = "夜间门诊工作日18:00到20:30开放。\n有疑问请拨{phone_desk}。"
    answers.add_question(project, "night_clinic", "夜间门诊", QUESTIONS, text, "门诊部", "2028-12-31")
    made = find(project, "utter_faq/night_clinic")
    assert (made.text, made.owner, made.valid_to, made.title) == (text, "门诊部", "2028-12-31", "夜间门诊")
    assert [each.text for each in files.examples(project) if each.label == "faq/night_clinic"] == QUESTIONS
    assert "night_clinic (夜间门诊)\n\n" in (project.root / "docs/nlu-guideline.md").read_text()
    assert title("faq/night_clinic", project) == "夜间门诊"


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Night Clinic"},
        {"key": "parking"},
        {"title": ""},
        {"examples": QUESTIONS[:11] + QUESTIONS[:1]},
        {"text": ""},
        {"owner": " "},
        {"valid_to": "明年"},
    ],
)
def test_a_form_with_a_fault_writes_nothing(project, wrong):
    before = {path: path.read_bytes() for path in project.data.rglob("*.yml")}
    form = dict(
        key="night_clinic", title="夜间门诊", examples=QUESTIONS, text="开放。", owner="门诊部", valid_to="2028-12-31"
    )
    with pytest.raises(NotSaved):
        answers.add_question(project, **{**form, **wrong})
    assert {path: path.read_bytes() for path in project.data.rglob("*.yml")} == before


def test_conflicts_repeats_and_near_repeats_are_found():
    lines = checks.lines_of(REAL)
    taken = next(
        each for each in lines.given if each.label == "faq/parking" and "[" not in each.text and len(each.text) > 6
    )
    other = lines.findings(f"{taken.text}！", "faq/wifi", None, [])
    assert (other[0].kind, other[0].stops, other[0].example.label) == ("conflict", True, "faq/parking")
    assert lines.findings(taken.text, "faq/parking", None, [])[0].kind == "same"
    assert (
        lines.findings(taken.text, "faq/parking", None, [], besides=taken.text)[:1]
        != lines.findings(taken.text, "faq/parking", None, [])[:1]
    )
    near = lines.findings(taken.text + "呢", "faq/wifi", None, [])
    assert near[0].kind == "near_other" and near[0].example.text == taken.text
    nothing = lines.findings(taken.text + "呢", "faq/parking", 0.99, [])
    assert nothing[0].kind == "nothing"
    marked = lines.findings("想给我妈挂明天心内科", "book_appointment", None, [])
    assert {each.text.split("”")[0] for each in marked if each.kind == "unmarked"} >= {"“我妈", "“明天", "“心内科"}
