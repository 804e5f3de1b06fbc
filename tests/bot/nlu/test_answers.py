"""Answers are read from their files; their texts do not ask for a new training."""

import pytest

from bot.errors import DataError
from bot.nlu import answers, training


@pytest.fixture
def faq(tmp_path, monkeypatch):
    (tmp_path / "faq").mkdir()
    path = tmp_path / "faq" / "responses.yml"
    path.write_text('version: "3.1"\nresponses:\n  utter_faq/wifi:\n    - text: 大厅有无线网络。\n', encoding="utf-8")
    monkeypatch.setattr(answers, "NLU_DATA", tmp_path)
    return path


def test_a_changed_answer_keeps_the_model_and_a_new_one_does_not(faq):
    before = training.model_fingerprint()
    faq.write_text(faq.read_text(encoding="utf-8").replace("大厅", "候诊区"), encoding="utf-8")
    assert answers.read_answers()["utter_faq/wifi"][0]["text"] == "候诊区有无线网络。"
    assert training.model_fingerprint() == before
    faq.write_text(faq.read_text(encoding="utf-8") + "  utter_faq/locker:\n    - text: 储物柜。\n", encoding="utf-8")
    assert training.model_fingerprint() != before


def test_a_broken_file_is_named(faq):
    faq.write_text("responses: [", encoding="utf-8")
    with pytest.raises(DataError, match=r"faq/responses\.yml"):
        answers.read_answers()
