"""What the channel itself says keeps the hospital's language rules, and its sample file is a good one."""

from pathlib import Path

import pytest

from bot.errors import DataError
from bot.language.lint import lint
from bot.safety.signs import scan
from bot.settings import settings
from channels.wechat import persons, replies, words
from channels.wechat.account import read_file
from channels.wechat.menu import read_menu
from channels.wechat.notices import read_notices

OWN = [
    words.EMPTY,
    words.TOO_LONG,
    words.TOO_FAST,
    words.NOT_TAKEN,
    words.WAITING,
    words.MORE.strip(),
    persons.NOBODY,
    persons.BOUND.format(names="王*明（本人）"),
    persons.SHOWN.format(names="王*明（本人）"),
    persons.UNBOUND,
    persons.GONE,
    *words.ASKS,
]


@pytest.mark.parametrize("said", OWN)
def test_every_sentence_of_the_channel_keeps_the_language_rules(said):
    said = words.asked(said) if said in words.ASKS else said
    assert lint(said) == []


def test_the_greeting_says_who_speaks_and_that_it_is_a_machine():
    said = words.greeting()
    assert lint(said) == []
    assert said.startswith("您好")
    assert "人工智能" in said
    assert "120" in said
    assert replies.size(said) <= 2000


def test_the_danger_text_of_the_answer_has_the_numbers_to_call_in_the_patients_script():
    text = "我胸口疼得厉害，喘不上气"
    assert "120" in words.danger(scan(text), text)
    text = "我胸口疼得厲害，喘不過氣來"
    assert "急診" in words.danger(scan(text), text)


def test_the_sample_file_makes_a_menu_within_wechats_limits():
    menu, notices = read_file(Path(settings().wechat_file))
    assert notices == {}
    assert len(menu.buttons) <= 3
    assert all(len(one["sub_button"]) <= 5 for one in menu.buttons)
    for sentence in menu.says.values():
        assert scan(sentence) is None


@pytest.mark.parametrize(
    "wrong, named",
    [
        (None, "one to three"),
        ([{"name": "一二三四五六七八", "says": "x", "key": "k"}], "16 bytes"),
        ([{"name": "挂号", "key": "k"}], "挂号"),
        ([{"name": "挂号", "entries": []}], "one to five"),
        ([{"name": "挂号", "key": "k", "says": "a"}, {"name": "退号", "key": "k", "says": "b"}], "退号"),
    ],
)
def test_a_menu_that_wechat_would_refuse_is_named(wrong, named):
    with pytest.raises(DataError, match=named):
        read_menu(wrong, "wechat.yml")


@pytest.mark.parametrize(
    "wrong, named",
    [
        ({"birthday": {"template_id": "x"}}, "notices may be"),
        ({"ticket_progress": {"template_id": "x", "way": "sms"}}, "way"),
        ({"ticket_progress": {"template_id": "x", "way": "template", "fields": {"mood1": "x"}}}, "mood1"),
        ({"ticket_progress": {"template_id": "x", "way": "template", "fields": {"thing1": "{diagnosis}"}}}, "thing1"),
    ],
)
def test_a_notice_that_could_not_be_sent_or_says_too_much_is_named(wrong, named):
    with pytest.raises(DataError, match=named):
        read_notices(wrong, "wechat.yml")
