"""Several requests in one message, with a reader that knows a handful of words."""

import re
from types import SimpleNamespace

import pytest

import actions.rasa_actions  # noqa: F401  (its import registers the flows)
from bot.dialogue.several import hear

KNOWN = (
    ("停车", "faq/parking"),
    ("wifi|无线", "faq/wifi"),
    ("复印病历", "faq/medical_record_copy"),
    ("转人工", "request_human"),
    ("态度", "complaint/attitude"),
    ("退号|号想退", "cancel_appointment"),
    ("挂|预约", "book_appointment"),
    ("多少钱", "query_price"),
    ("有号吗|医生吗", "query_schedule"),
)


def read(text: str):
    found = [(place.start(), label) for words, label in KNOWN if (place := re.search(words, text))]
    label = min(found)[1] if found else "inform"
    entities = [
        SimpleNamespace(entity=kind, start=m.start(), end=m.end(), text=m.group(), value=m.group())
        for kind, words in (("department", "骨科|心内科"), ("date", "明天"), ("period", "上午"))
        for m in re.finditer(words, text)
    ]
    return SimpleNamespace(label=label, confidence=0.97, ranking=((label, 0.97),), entities=entities, danger=None)


@pytest.mark.parametrize(
    ("text", "label", "more"),
    [
        ("停车怎么收费？有wifi吗？在哪复印病历？", "faq/parking", ["faq/wifi", "faq/medical_record_copy"]),
        ("停车怎么收费，有wifi吗，在哪复印病历", "faq/parking", ["faq/wifi", "faq/medical_record_copy"]),
        ("挂骨科明天的号，停车方便吗", "book_appointment", ["faq/parking"]),
        ("有wifi没有，转人工", "request_human", ["faq/wifi"]),
        ("护士态度太差了！还有我明天的号想退", "complaint/attitude", ["cancel_appointment"]),
        ("骨科明天还有号吗", "query_schedule", []),
        ("挂骨科 停车方便吗 拍片多少钱", "book_appointment", ["faq/parking", "query_price"]),
        ("我想挂骨科", "book_appointment", []),
    ],
)
def test_one_request_now_the_others_beside_it(text, label, more):
    decision = hear([text], read, None)
    assert decision.label == label
    assert [one["label"] for one in decision.more] == more


@pytest.mark.parametrize("text", ["心内科。对了停车方便吗？", "心内科，停车方便吗"])
def test_the_answer_to_the_open_question_is_heard_beside_a_question(text):
    decision = hear([text], read, {"name": "book_appointment", "asked": "department", "options": []})
    assert decision.label == "inform"
    assert [e["value"] for e in decision.entities] == ["心内科"]
    assert [one["label"] for one in decision.more] == ["faq/parking"]


def test_four_short_messages_are_one_request():
    decision = hear(["你好", "挂号", "心内科", "明天"], read, None)
    assert decision.label == "book_appointment"
    assert {e["entity"] for e in decision.entities} == {"department", "date"}
    assert decision.more == []
