"""Notices that nobody asked for: their choices outlive the steps of the talk and work once."""

import pytest
from sqlalchemy import select, update

from bot.conversations import inbound, notices
from bot.conversations.tables import buttons, conversations, inbox
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, conversation, lines_of, says

CHOICES = [{"title": "接受", "payload": "/yes"}, {"title": "放弃", "payload": "/no"}]


def post(chat: str, choices=CHOICES) -> list[str]:
    """Post a notice and give the tokens of its choices."""
    with writing() as conn:
        notices.post(conn, chat, "候补有号了。", choices, MONDAY)
    return [one["token"] for one in (lines_of(chat)[-1].data or {}).get("buttons", [])]


def tap(chat: str, token: str) -> str:
    """Tap and give what the tap became: button or stale."""
    inbound.accept_button(chat, f"tap-{len(lines_of(chat))}", token, MONDAY)
    with reading() as conn:
        return conn.execute(select(inbox.c.kind).order_by(inbox.c.id.desc()).limit(1)).scalar_one()


def set_row(chat: str, **values) -> None:
    with writing() as conn:
        conn.execute(update(conversations).where(conversations.c.id == chat).values(**values))


def test_a_notice_is_a_system_line_and_without_choices_it_has_none(database):
    chat = conversation()
    assert post(chat, []) == []
    assert [(line.sender, line.data) for line in lines_of(chat)] == [("system", None)]


def test_a_choice_works_after_the_talk_has_gone_on(database):
    chat = conversation()
    yes, _ = post(chat)
    says(chat, "核磁多少钱")
    set_row(chat, step=7)
    assert tap(chat, yes) == "button"


def test_of_the_choices_of_a_notice_one_works_once(database):
    chat = conversation()
    yes, no = post(chat)
    assert [tap(chat, yes), tap(chat, yes), tap(chat, no)] == ["button", "stale", "stale"]


def test_two_notices_are_answered_each_for_itself(database):
    chat = conversation()
    (first, _), (second, _) = post(chat), post(chat)
    assert [tap(chat, second), tap(chat, first)] == ["button", "button"]


def test_a_tap_while_a_person_holds_the_talk_uses_nothing_up(database):
    chat = conversation()
    yes, _ = post(chat)
    set_row(chat, holder="agent")
    tap(chat, yes)
    set_row(chat, holder="bot")
    assert tap(chat, yes) == "button"


@pytest.mark.parametrize("script", ["hans", "hant"])
def test_a_notice_is_written_in_the_patients_script(database, script):
    chat = conversation()
    set_row(chat, tracker={"slots": {"memory": {"script": script}}})
    post(chat)
    with reading() as conn:
        titles = set(conn.execute(select(buttons.c.title)).scalars())
    wanted = {"hans": ("候补有号了。", {"接受", "放弃"}), "hant": ("候補有號了。", {"接受", "放棄"})}[script]
    assert (lines_of(chat)[-1].text, titles) == wanted
