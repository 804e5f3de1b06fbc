"""The figures of a set, the report of them, and the comparison of two results, on a dozen answers made up by hand."""

import json

import pytest

from bot.cli import main
from bot.errors import DataError
from bot.nlu.evaluate import Answer, Case, auroc, cases, compare, danger, danger_sets, measure, read_result
from bot.nlu.intents import FALLBACK
from bot.nlu.report import page

DAY, PLACE = ("date", "明天"), ("department", "心内科")


def case(label, text="挂号", voice="elder", *entities):
    return Case(text, label, voice, frozenset(entities) if entities else None)


def answer(first, confidence=0.9, label=None, *entities):
    return Answer(first, confidence, label or first, 1 - confidence, frozenset(entities), 5.0)


GIVEN = [
    case("book_appointment", "一", "elder", DAY, PLACE),
    case("query_schedule", "二", "young"),
    case("complaint/attitude", "三", "elder"),
    case("complaint/fee", "四", "young"),
    case("out_of_scope", "五", "young"),
    case("out_of_scope", "六", "young"),
]
ANSWERS = [
    answer("book_appointment", 0.9, None, ("date", "明日"), PLACE),
    answer("book_appointment", 0.6),
    answer("complaint/attitude"),
    answer("complaint/attitude", 0.8),
    answer("out_of_scope"),
    answer("query_price", 0.2, FALLBACK),
]


@pytest.fixture
def result():
    return measure(GIVEN, ANSWERS)


def test_accuracy_counts_full_labels_and_a_group_any_label_of_it(result):
    assert result["accuracy"] == 0.5
    assert result["groups"] == {"appointment": 1.0, "complaint": 1.0}
    assert result["voices"] == {"elder": 1.0, "young": 0.25}


def test_asking_back_is_right_out_of_scope_only(result):
    assert result["out_of_scope_recall"] == 1.0
    assert result["out_of_scope_auroc"] == 1.0
    assert result["false_rejection"] == 0.0
    assert result["answered"] == pytest.approx(4 / 6, abs=1e-3)


def test_another_word_for_the_same_day_counts_by_value_only(result):
    assert result["entities"]["date"]["f1"] == 0.0
    assert result["by_value"]["date"]["f1"] == 1.0
    assert result["values_right"] == {"date": 1.0, "department": 1.0}


def test_calibration_is_the_distance_of_confidence_and_truth():
    sure = measure([case("stop")] * 4, [answer("stop", 0.95)] * 3 + [answer("deny", 0.95)])
    assert sure["calibration"]["ece"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("outside", "inside", "share"), [([2, 3], [0, 1], 1.0), ([1], [1], 0.5), ([0], [1], 0.0), ([], [1], 0.5)]
)
def test_auroc_is_the_share_of_pairs_in_order(outside, inside, share):
    import numpy as np

    assert auroc(np.array(outside), np.array(inside)) == share


def test_two_results_are_compared_line_by_line(result):
    better = measure(GIVEN, [answer(one.label) for one in GIVEN])
    found = compare(result, better)
    assert [one["text"] for one in found["mended"]] == ["二", "四", "六"]
    assert found["broken"] == []
    assert found["p"] == pytest.approx(0.25)
    assert found["macro_f1_gain_95"][0] >= 0.0


def test_results_of_different_sets_are_not_compared(result):
    with pytest.raises(DataError, match="same lines"):
        compare(result, measure(GIVEN[:2], ANSWERS[:2]))


def test_the_page_shows_every_wrong_line_and_loads_nothing(result):
    made = page(result, "导医台 <测试>", [(100, 0.5), (200, 0.75)])
    assert made.count("<svg") == 3
    assert all(f">{one.text}<" in made for one in (GIVEN[1], GIVEN[3], GIVEN[5]))
    assert "导医台 &lt;测试&gt;" in made
    assert "http" not in made and "src=" not in made


TOLD = {"叫不醒": "alarm", "手麻": "notice", "挂号": "", "喝了农药": "", "过敏科": "notice"}


@pytest.fixture
def dangers():
    return danger(
        {"signs": (True, ["叫不醒", "手麻", "喝了农药", "叫不醒"]), "others": (False, ["挂号", "过敏科"])}, TOLD.get
    )


def test_of_danger_what_is_told_is_recall_and_of_other_lines_a_false_alarm(dangers):
    assert (dangers["signs"]["alarm"], dangers["signs"]["any"]) == (0.5, 0.75)
    assert (dangers["others"]["alarm"], dangers["others"]["any"]) == (0.0, 0.5)
    assert dangers["signs"]["wrong"] == [["", "喝了农药"]]
    assert dangers["others"]["wrong"] == [["notice", "过敏科"]]


def test_danger_is_measured_on_every_file_of_signs_and_on_all_lines_of_the_set():
    given = [case("emergency", "叫不醒"), case("query_price", "挂号")]
    sets = danger_sets(given)
    assert sets["emergencies of the set"] == (True, ["叫不醒"])
    assert sets["all other lines of the set"] == (False, ["挂号"])
    assert {name: is_danger for name, (is_danger, _) in sets.items() if name.startswith("blind")} == {
        "blind_positives": True, "blind_near_misses": False,
    }  # fmt: skip


def test_the_page_shows_the_figures_of_danger_and_the_lines_gone_wrong(result, dangers):
    made = page({**result, "danger": dangers}, "危险")
    assert "0.7500" in made and ">喝了农药<" in made and ">过敏科<" in made


def test_the_command_compares_two_files(result, tmp_path, capsys):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path in paths:
        path.write_text(json.dumps(result), encoding="utf-8")
    assert read_result(paths[0])["lines"] == len(GIVEN)
    assert main(["evaluate", "--compare", *map(str, paths)]) == 0
    assert "p                    1.0" in capsys.readouterr().out


def test_a_file_that_is_no_set_or_no_result_is_named(tmp_path):
    path = tmp_path / "lines.yml"
    path.write_text("- {text: 挂号}", encoding="utf-8")
    with pytest.raises(DataError, match=r"lines\.yml"):
        cases(path)
    with pytest.raises(DataError, match=r"lines\.yml"):
        read_result(path)
