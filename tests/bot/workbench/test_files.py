"""One edited example is one changed line, in every file of nlu_data; what others write meanwhile is never lost."""

import difflib
import shutil

import pytest

from bot.workbench import files
from bot.workbench.annotation import Span, annotate, clean, parse
from bot.workbench.project import NotSaved, Project, Stale

REAL = Project()
NAMES = [path.relative_to(REAL.data).as_posix() for path in files.nlu_files(REAL)]


@pytest.fixture
def project(tmp_path):
    shutil.copytree(REAL.data, tmp_path / "nlu_data")
    return Project(tmp_path)


def changed(before: str, after: str) -> list[str]:
    found = difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]


def text_of(project, file: str) -> str:
    return (project.data / file).read_bytes().decode()


@pytest.mark.parametrize("file", NAMES)
def test_the_lines_found_are_those_that_a_yaml_reader_sees(file):
    text = text_of(REAL, file)
    found = [(each.label, each.text) for each in files.find(text, file)]
    assert found and found == files.seen(text)


@pytest.mark.parametrize("file", NAMES)
def test_one_edited_example_is_one_changed_line(project, file):
    before = text_of(project, file)
    given = files.find(before, file)
    example = given[len(given) // 2]
    plain, spans = parse(example.text)
    new = annotate(f"{plain}，𠮷祥😀ＡＢ１２", spans)
    files.change(project, file, example.label, example.text, new)
    old_line, new_line = changed(before, text_of(project, file))
    assert old_line[1:].replace(example.text, new) == new_line[1:]
    files.change(project, file, example.label, new, example.text)
    assert text_of(project, file) == before


@pytest.mark.parametrize("file", NAMES)
def test_one_more_example_is_one_more_line_and_taking_it_back_leaves_the_file_as_it_was(project, file):
    before = text_of(project, file)
    label = files.find(before, file)[0].label
    files.add(project, file, label, "這是[𠮷田醫生](doctor)嗎 # 不是註釋: 'x' \"y\" <37.3℃")
    assert len(changed(before, text_of(project, file))) == 1
    files.remove(project, file, label, "這是[𠮷田醫生](doctor)嗎 # 不是註釋: 'x' \"y\" <37.3℃")
    assert text_of(project, file) == before


@pytest.mark.parametrize("file", NAMES)
def test_every_annotation_survives_being_taken_apart_and_written_again(file):
    for example in files.find(text_of(REAL, file), file):
        assert annotate(*parse(example.text)) == example.text


def test_offsets_are_the_ones_that_rasa_reads():
    from rasa.shared.nlu.training_data import entities_parser

    plain = "😀我想掛𠮷田主任的ＶＩＰ號，👨‍👩‍👧明天嘅"
    words = {"𠮷田主任": "doctor", "ＶＩＰ號": "doctor_title", "明天": "date"}
    spans = [Span(plain.index(word), plain.index(word) + len(word), kind) for word, kind in words.items()]
    example = annotate(plain, spans)
    assert example == "😀我想掛[𠮷田主任](doctor)的[ＶＩＰ號](doctor_title)，👨‍👩‍👧[明天](date)嘅"
    theirs = entities_parser.find_entities_in_training_example(example)
    assert [(each["start"], each["end"], each["entity"]) for each in theirs] == [
        (span.start, span.end, span.entity) for span in spans
    ]
    assert entities_parser.replace_entities(example) == plain == parse(example)[0]


def test_what_others_wrote_elsewhere_in_the_file_is_kept(project):
    file = NAMES[0]
    example = files.find(text_of(project, file), file)[-1]
    path = project.data / file
    path.write_text("# 别人刚加的注释\n" + text_of(project, file), encoding="utf-8")
    files.change(project, file, example.label, example.text, "换成这一句")
    assert text_of(project, file).startswith("# 别人刚加的注释\n") and "- 换成这一句\n" in text_of(project, file)


def test_a_line_that_somebody_else_has_changed_is_not_overwritten(project):
    file = NAMES[0]
    example = files.find(text_of(project, file), file)[0]
    files.change(project, file, example.label, example.text, "甲改的")
    before = text_of(project, file)
    with pytest.raises(Stale):
        files.change(project, file, example.label, example.text, "乙改的")
    assert text_of(project, file) == before


def test_a_file_keeps_its_line_ends_and_its_last_line(project):
    path = project.data / "greet.yml"
    path.write_bytes(
        'version: "3.1"\r\nnlu:\r\n- intent: greet # 问候\r\n  examples: |\r\n    - 你好\r\n    - 您好'.encode()
    )
    files.add(project, "greet.yml", "greet", "早上好")
    files.change(project, "greet.yml", "greet", "你好", "你好呀")
    assert path.read_bytes().decode().split("\r\n")[4:] == ["    - 你好呀", "    - 您好\n    - 早上好"]


@pytest.mark.parametrize("bad", ["[心内科](department", "[a](b)"])
def test_brackets_that_would_be_read_as_a_mark_are_refused_or_kept(bad):
    if parse(bad)[1]:
        with pytest.raises(NotSaved):
            annotate(bad, [])
    else:
        assert parse(annotate(bad, [])) == (bad, ())


@pytest.mark.parametrize(
    ("spans", "why"),
    [
        ([Span(0, 2, "date"), Span(1, 3, "period")], "overlap"),
        ([Span(0, 9, "date")], "beyond"),
        ([Span(1, 1, "date")], "empty"),
    ],
)
def test_spans_that_make_no_sense_are_refused(spans, why):
    with pytest.raises(NotSaved):
        annotate("明天上午", spans)


def test_a_text_of_several_lines_becomes_one(project):
    assert clean(" 你好\n挂号\u2028心内科\x07\x85 <37.3℃ ") == "你好 挂号 心内科  <37.3℃"
    with pytest.raises(NotSaved):
        clean(" \n ")


def test_no_file_outside_the_training_data_can_be_named(project):
    (project.root / "secret.yml").write_text("nlu: []")
    for name in ("../secret.yml", "/etc/passwd", "faq/none.yml", "lookups/symptom.txt"):
        with pytest.raises(NotSaved):
            files.add(project, name, "greet", "你好")
