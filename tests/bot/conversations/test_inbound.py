"""The door for what patients write: masked, stored once, danger answered at once (R23, R83, PIPL art. 51)."""

import json

import pytest
from sqlalchemy import select, text, update

from bot.conversations import holding, inbound
from bot.conversations.inbound import Empty, TooLong, UnknownConversation
from bot.conversations.tables import alerts, conversations, inbox
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, conversation, lines_of, row_of, says, spoken, together

DANGER = "我爸胸口疼得直冒汗，喘不上气"


def waiting(chat: str) -> list:
    with reading() as conn:
        return conn.execute(select(inbox).where(inbox.c.conversation_id == chat).order_by(inbox.c.id)).all()


def held(chat: str, holder: str) -> None:
    """Bring a conversation into a holder's hands."""
    if holder == "bot":
        return
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", MONDAY)
    if holder == "agent":
        holding.take(chat, 7, "王客服为您服务。", MONDAY)


def test_a_visitor_has_one_conversation_however_often_he_opens_it(database):
    opened = together([lambda: inbound.open_conversation("web", "same-visitor", MONDAY)] * 20)
    assert len(set(opened)) == 1
    assert isinstance(opened[0], str)


def test_numbers_are_masked_in_transcript_and_inbox_and_kept_encrypted_beside(database):
    chat = conversation()
    says(chat, "身份证110101198507200022，手机13800000002")
    with reading() as conn:
        raw = conn.execute(text("SELECT secrets FROM inbox")).scalar_one()
        everything = str(conn.execute(text("SELECT * FROM inbox")).all()) + str(
            conn.execute(text("SELECT * FROM lines")).all()
        )
    for number in ("110101198507200022", "13800000002"):
        assert number not in everything
        assert number.encode() not in bytes(raw)
    assert lines_of(chat)[0].text == waiting(chat)[0].text == "身份证110***********0022，手机138****0002"
    kept = {s["kind"]: s["value"] for s in json.loads(waiting(chat)[0].secrets)}
    assert kept == {"id_number": "110101198507200022", "phone": "13800000002"}


def test_a_code_is_masked_only_where_one_is_awaited(database):
    chat = conversation()
    says(chat, "472913")
    with writing() as conn:
        conn.execute(update(conversations).where(conversations.c.id == chat).values(code_expected=True))
    says(chat, "472913")
    assert [words for _, words in spoken(chat)] == ["472913", "******"]


def test_a_message_sent_by_twenty_threads_is_stored_once_and_acknowledged_to_all(database):
    chat = conversation()
    answers = together([lambda: says(chat, "你好", client_id="one")] * 20)
    assert [answer.seq for answer in answers] == [1] * 20
    assert sum(not answer.duplicate for answer in answers) == 1
    assert spoken(chat) == [("patient", "你好")]
    assert len(waiting(chat)) == 1


def test_twenty_messages_at_once_get_places_without_gaps(database):
    chat = conversation()
    answers = together([lambda n=n: says(chat, f"第{n}条") for n in range(20)])
    assert sorted(answer.seq for answer in answers) == list(range(1, 21))
    assert [line.seq for line in lines_of(chat)] == list(range(1, 21))
    assert row_of(chat).last_seq == 20


@pytest.mark.parametrize("holder", ["bot", "queue", "agent"])
def test_a_definite_danger_sign_is_answered_in_the_same_commit_whoever_holds_the_talk(database, holder):
    chat = conversation()
    held(chat, holder)
    before = len(lines_of(chat))
    accepted = says(chat, DANGER)
    (_, said), (sender, warning) = spoken(chat)[before:]
    assert said == DANGER
    assert sender == "system"
    assert "120" in warning
    assert accepted.danger == "chest"
    with reading() as conn:
        alert = conn.execute(select(alerts).where(alerts.c.conversation_id == chat)).one()
    assert (alert.code, alert.definite, alert.seq) == ("chest", True, accepted.seq)


def test_rasa_never_sees_a_text_with_a_definite_sign_nor_what_waited_before_it(database):
    chat = conversation()
    says(chat, "我要挂号")
    says(chat, DANGER)
    assert [row.state for row in waiting(chat)] == ["done", "done"]
    row = row_of(chat)
    assert (row.waiting_since, row.suspended_by) == (None, "chest")


def test_a_definite_sign_puts_the_talk_at_the_head_of_the_queue(database):
    for _ in range(2):
        held(conversation(), "queue")
    chat = conversation()
    says(chat, DANGER)
    assert holding.waiting()[0].id == chat


def test_after_a_doubtful_sign_the_notice_comes_first_and_the_turn_goes_on(database):
    chat = conversation()
    accepted = says(chat, "我现在有点胸闷")
    assert accepted.danger == "chest"
    assert [sender for sender, _ in spoken(chat)] == ["patient", "system"]
    assert [row.state for row in waiting(chat)] == ["waiting"]
    assert row_of(chat).suspended_by is None


def test_a_danger_sign_sent_twice_is_warned_about_once(database):
    chat = conversation()
    together([lambda: says(chat, DANGER, client_id="one")] * 5)
    assert [sender for sender, _ in spoken(chat)] == ["patient", "system"]


def test_what_is_written_to_a_person_does_not_wait_for_the_bot(database):
    chat = conversation()
    held(chat, "agent")
    says(chat, "我想改约")
    assert [row.state for row in waiting(chat)] == ["person"]
    assert row_of(chat).waiting_since is None


def test_four_thousand_characters_are_kept_whole(database):
    chat = conversation()
    long = "病" * 3999 + "𠮷"
    says(chat, long)
    assert spoken(chat) == [("patient", long)]


def test_one_character_more_is_refused_and_nothing_is_stored(database):
    chat = conversation()
    with pytest.raises(TooLong):
        says(chat, "病" * 4001)
    assert spoken(chat) == []


@pytest.mark.parametrize("nothing", ["", "  \n", "\x00\x07", "\ud800"])
def test_a_message_without_anything_to_read_is_refused(database, nothing):
    chat = conversation()
    with pytest.raises(Empty):
        says(chat, nothing)
    assert spoken(chat) == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("我叫𠮷田", "我叫𠮷田"),
        ("体温<37.3℃>正常", "体温<37.3℃>正常"),
        ("你\x00好\x1b[31m", "你好[31m"),
        ("第一行\n第二行\t完", "第一行\n第二行\t完"),
        ("半个\ud83d表情", "半个表情"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("'; DROP TABLE lines; --", "'; DROP TABLE lines; --"),
        ("/restart", "/restart"),
    ],
)
def test_every_printable_character_is_kept_and_controls_are_dropped(database, typed, kept):
    chat = conversation()
    says(chat, typed)
    assert spoken(chat) == [("patient", kept)]


def test_an_unknown_conversation_is_refused(database):
    with pytest.raises(UnknownConversation):
        says("0" * 32, "你好")
