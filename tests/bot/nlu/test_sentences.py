"""Long messages are read piece by piece, within bounds, and what must not be left out decides."""

from itertools import pairwise

import pytest

from bot.nlu.intents import FALLBACK, intent_fields, weight_of
from bot.nlu.sentences import LONG, MOST_PIECES, merged_ranking, pieces


def test_a_short_message_is_read_whole():
    assert pieces("你好。我想挂号。") == [(0, 8)]
    assert pieces("") == [(0, 0)]


def test_a_long_message_is_cut_at_its_sentences():
    text = "我昨天在二楼排队等了两个小时没有人理我。" * 4 + "停车怎么收费？"
    assert [text[start:end] for start, end in pieces(text)][-1] == "停车怎么收费？"


@pytest.mark.parametrize("text", ["病" * 4000, "我要挂号，" * 800, "停车？" * 1300, "。" * 4000, "a b " * 1000])
def test_the_number_of_pieces_is_bounded_and_they_are_in_order(text):
    spans = pieces(text)
    assert 1 <= len(spans) <= max(MOST_PIECES, -(-len(text) // 160))
    assert all(start < end for start, end in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


def test_nothing_but_blanks_is_lost():
    text = "我想挂号，明天上午。" * 12
    assert len(text) > LONG
    assert "".join(text[start:end] for start, end in pieces(text)) == text


def test_emergency_goes_before_complaint_person_task_question_and_courtesy():
    order = ["emergency", "complaint/fee", "request_human", "book_appointment", "query_price", "inform", "thanks"]
    assert [weight_of(label) for label in order] == sorted(weight_of(label) for label in order)
    assert weight_of("faq/parking") == weight_of("query_price") < weight_of("out_of_scope")


def test_a_complaint_in_a_long_message_outweighs_a_surer_question():
    label, ranking, decides = merged_ranking(
        [[("faq/parking", 0.9), ("complaint/fee", 0.1)], [("complaint/fee", 0.6), ("faq/parking", 0.2)]], 0.3
    )
    assert (label, decides) == ("complaint/fee", 1)
    assert ranking == [("complaint/fee", 0.6), ("faq/parking", 0.9)]


def test_an_unsure_piece_has_no_say_and_all_unsure_is_a_question_back():
    assert merged_ranking([[("thanks", 0.9)], [("emergency", 0.35)]], 0.3)[0] == "thanks"
    assert merged_ranking([[("thanks", 0.2)], [("emergency", 0.1)]], 0.3)[0] == FALLBACK


RANKING = [("faq/parking", 0.5), ("greet", 0.3), ("faq/wifi", 0.15), ("thanks", 0.05)]


def test_a_retrieval_intent_has_the_sum_of_its_keys():
    fields = intent_fields("faq/parking", RANKING)
    assert fields["intent"] == {"name": "faq", "confidence": pytest.approx(0.65)}
    assert [entry["name"] for entry in fields["intent_ranking"]] == ["faq", "greet", "thanks"]
    selector = fields["response_selector"]
    assert selector["all_retrieval_intents"] == ["faq"]
    assert selector["faq"]["response"]["intent_response_key"] == "faq/parking"
    assert selector["faq"]["response"]["utter_action"] == "utter_faq/parking"
    assert [entry["intent_response_key"] for entry in selector["faq"]["ranking"]] == ["faq/parking", "faq/wifi"]


def test_below_the_threshold_the_fallback_stands_first_and_the_ranking_is_kept():
    fields = intent_fields(FALLBACK, RANKING)
    assert fields["intent"]["name"] == FALLBACK
    assert [entry["name"] for entry in fields["intent_ranking"]][1] == "faq"


def test_a_label_set_by_a_rule_stands_first():
    fields = intent_fields("thanks", RANKING)
    assert fields["intent"]["name"] == fields["intent_ranking"][0]["name"] == "thanks"
