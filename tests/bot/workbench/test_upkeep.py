"""The command line's twins: lint, dedupe, split; models listed, promoted, gone back."""

from types import SimpleNamespace

import pytest
import yaml

from bot.errors import DaoyiError
from bot.workbench import commands, files, models, upkeep
from bot.workbench.project import Project

DATA = """version: "3.1"
nlu:
- intent: greet
  examples: |
    - 你好
    - 你好！
    - 早上好啊各位医生护士
    - 早上好啊各位医生护士们
- intent: thanks
  examples: |
    - 谢谢
    - [今天](date)麻烦您了
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "nlu_data").mkdir()
    (tmp_path / "nlu_data" / "a.yml").write_text(DATA, encoding="utf-8")
    (tmp_path / "domain.yml").write_text("intents: [greet, thanks: {use_entities: []}]", encoding="utf-8")
    return Project(tmp_path)


def test_lint_finds_conflicts_and_unknown_entities_and_says_so_by_its_exit_code(small, capsys):
    assert upkeep.lint(small) == 0
    files.add(small, "a.yml", "thanks", "你 好")
    files.add(small, "a.yml", "thanks", "[嗯](thing)")
    assert upkeep.lint(small) == 1
    said = capsys.readouterr().out
    assert "conflict\tgreet thanks\t你好" in said and "unknown entity thing" in said and "few lines\tthanks" in said
    assert "repeat\ta.yml:6\t你好！" in said


@pytest.mark.parametrize(
    "line", ["[[今天](date)上午](date)谢谢", "[今天](date谢谢", "今天](date)谢谢", "{今天谢谢", "[](date)谢谢您了"]
)
def test_a_mark_that_is_broken_or_overlaps_another_is_a_fault(small, capsys, line):
    with (small.data / "a.yml").open("a", encoding="utf-8") as out:
        out.write(f"    - {line}\n")
    assert upkeep.lint(small) == 1
    assert f"broken mark\ta.yml:13\t{line}" in capsys.readouterr().out


def test_labels_domain_and_answers_must_agree(small, capsys):
    with (small.data / "a.yml").open("a", encoding="utf-8") as out:
        out.write("- intent: faq/parking\n  examples: |\n    - 停车\n")
    (small.root / "domain.yml").write_text("intents: [greet, faq, goodbye]", encoding="utf-8")
    assert upkeep.lint(small) == 1
    said = capsys.readouterr().out
    assert (
        "label not in domain.yml\tthanks" in said and "no lines\tgoodbye" in said and "no answer\tfaq/parking" in said
    )
    (small.root / "domain.yml").unlink()
    with pytest.raises(DaoyiError, match="domain"):
        upkeep.lint(small)


def test_lines_that_begin_alike_or_differ_only_in_their_entities_are_shown(small, capsys):
    lines = [f"请问一下{word}" for word in ("哪里", "怎么走", "几点")] + [
        "[心内科](department)在几楼",
        "[骨科](department)在几楼？",
    ]
    with (small.data / "a.yml").open("a", encoding="utf-8") as out:
        out.write("".join(f"    - {line}\n" for line in lines))
    assert upkeep.lint(small) == 0
    said = capsys.readouterr().out
    assert "same opening\tthanks\t请问一下 begins 3 of 7" in said
    assert "alike\tthanks\t[心内科](department)在几楼 | [骨科](department)在几楼？" in said


def test_the_houses_own_lines_keep_the_guideline(capsys):
    assert upkeep.lint(Project()) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_dedupe_takes_out_repeats_and_names_lines_that_almost_repeat(small, capsys):
    upkeep.dedupe(small, write=False)
    assert len(files.examples(small)) == 6
    upkeep.dedupe(small, write=True)
    assert [each.text for each in files.examples(small)][:2] == ["你好", "早上好啊各位医生护士"]
    assert "near 0.90\t早上好啊各位医生护士\t早上好啊各位医生护士们" in capsys.readouterr().out


def test_split_parts_every_label_and_never_the_same_words(small, tmp_path):
    upkeep.split(small, tmp_path / "parted", 0.5)
    held = yaml.safe_load((tmp_path / "parted/test.yml").read_text())
    trained = files.find((tmp_path / "parted/train/nlu.yml").read_text(), "nlu.yml")
    assert len(held) + len(trained) == 6 and {row["intent"] for row in held} == {"greet", "thanks"}
    assert not {row["text"].strip("！") for row in held} & {each.text.strip("！") for each in trained}
    with pytest.raises(DaoyiError):
        upkeep.split(small, tmp_path / "parted", 0.5)


def test_models_are_listed_promoted_with_a_reason_and_gone_back_to(small, database, capsys):
    small.models.mkdir()
    first, second = (f"daoyi-{letter * 16}" for letter in "ab")
    for name in (first, second):
        (small.models / f"{name}.tar.gz").write_bytes(b"")
    with pytest.raises(DaoyiError, match="--reason"):
        commands.run_models(SimpleNamespace(deed="promote", model=first, reason=""), small)
    for name in (first, f"{second}.tar.gz"):
        commands.run_models(SimpleNamespace(deed="promote", model=name, reason="try"), small)
    commands.run_models(SimpleNamespace(deed="rollback"), small)
    capsys.readouterr()
    commands.run_models(SimpleNamespace(deed="list"), small)
    assert f"*\t{first}" in capsys.readouterr().out and models.live(small)["model"] == first
