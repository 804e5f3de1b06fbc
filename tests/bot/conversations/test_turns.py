"""A turn: one worker at a time, all that waits together, all or nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from bot.conversations import holding, inbound, turns
from bot.conversations.tables import buttons, images, inbox, incidents
from bot.conversations.transcript import Line
from bot.conversations.turns import LEASE, LONGEST_MERGE, Outcome
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, conversation, row_of, says, spoken, together

AT_ONCE = timedelta(0)
QUIET = timedelta(milliseconds=300)
SECOND = timedelta(seconds=1)


def claim(now=MONDAY, owner="worker-1", quiet=AT_ONCE):
    return turns.claim(owner, now, quiet)


def answer(turn, *texts, now=MONDAY, **more) -> bool:
    return turns.commit(turn, Outcome({"slots": {}}, [Line("bot", text) for text in texts], **more), now)


def shown(chat: str, *tokens: str) -> None:
    """Show buttons with the present question."""
    says(chat, "挂号")
    kept = [{"token": token, "title": f"选{token}", "payload": {"payload": f"/{token}"}} for token in tokens]
    assert answer(claim(), "请选择", buttons=kept)


def tap(chat: str, token: str, client_id: str = "") -> None:
    inbound.accept_button(chat, client_id or f"tap-{token}", token, MONDAY)


def texts(turn) -> list[str]:
    return [row.text for row in turn.rows]


# ---- who works


def test_a_conversation_is_leased_to_one_of_eight_workers(database):
    chats = [conversation() for _ in range(12)]
    for chat in chats:
        says(chat, "你好")

    def work(owner):
        mine = []
        while (turn := claim(owner=owner)) is not None:
            mine.append(turn.conversation_id)
        return mine

    taken = together([lambda n=n: work(f"worker-{n}") for n in range(8)])
    # A worker that loses every candidate of one look gives up for now; the next look of any worker finds the rest.
    every = [chat for mine in taken for chat in mine] + work("worker-0")
    assert sorted(every) == sorted(chats)


def test_a_leased_conversation_is_not_given_out_again(database):
    says(conversation(), "你好")
    assert claim() is not None
    assert claim(owner="worker-2") is None


def test_the_lease_of_a_worker_that_vanished_ends_by_itself(database):
    says(conversation(), "你好")
    first = claim()
    assert claim(MONDAY + LEASE, "worker-2") is None
    again = claim(MONDAY + LEASE + SECOND, "worker-2")
    assert (again.key, again.attempts) == (first.key, 2)


def test_the_worker_that_vanished_and_came_back_late_writes_nothing(database):
    chat = conversation()
    says(chat, "你好")
    late = claim()
    assert answer(claim(MONDAY + LEASE + SECOND, "worker-2"), "您好")
    assert not answer(late, "您好")
    assert spoken(chat) == [("patient", "你好"), ("bot", "您好")]


def test_a_worker_frees_what_its_earlier_life_held_and_nothing_else(database):
    for _ in range(2):
        says(conversation(), "你好")
    mine, others = claim(owner="worker-1"), claim(owner="worker-2")
    turns.void_leases("worker-1")
    assert claim(owner="worker-1").conversation_id == mine.conversation_id
    assert row_of(others.conversation_id).lease_owner == "worker-2"
    assert claim(owner="worker-1") is None


# ---- what a turn covers


def test_four_messages_in_a_row_are_one_turn(database):
    chat = conversation()
    for typed in ("你好", "挂号", "心内科", "明天"):
        says(chat, typed)
    turn = claim()
    assert texts(turn) == ["你好", "挂号", "心内科", "明天"]
    assert answer(turn, "好的")
    assert claim() is None


def test_a_turn_waits_until_the_patient_pauses(database):
    chat = conversation()
    says(chat, "你好", MONDAY)
    says(chat, "挂号", MONDAY + QUIET * 0.9)
    assert claim(MONDAY + QUIET, quiet=QUIET) is None
    assert texts(claim(MONDAY + QUIET * 2, quiet=QUIET)) == ["你好", "挂号"]


@pytest.mark.parametrize("text", ["我想挂明天上午心内科的号", "几点放号？", "有号吗"])
def test_a_message_that_ends_a_thought_does_not_wait_for_more(database, text):
    chat = conversation()
    says(chat, "你好")
    says(chat, text, MONDAY + QUIET * 0.1)
    assert texts(claim(MONDAY + QUIET * 0.1, quiet=QUIET)) == ["你好", text]


@pytest.mark.parametrize("text", ["你好", "挂号", "心内科", "明天", "我想预约挂号"])
def test_a_message_that_may_go_on_waits_for_more(database, text):
    chat = conversation()
    says(chat, text)
    assert claim(MONDAY + QUIET * 0.9, quiet=QUIET) is None
    assert claim(MONDAY + QUIET, quiet=QUIET) is not None


def test_a_tap_does_not_wait(database):
    chat = conversation()
    shown(chat, "a")
    tap(chat, "a")
    assert claim(quiet=QUIET) is not None


def test_a_worker_knows_when_the_next_turn_is_ripe(database):
    assert turns.ripe_in(MONDAY, QUIET) is None
    chat = conversation()
    says(chat, "挂号")
    assert turns.ripe_in(MONDAY + QUIET / 3, QUIET) == QUIET * 2 / 3
    assert turns.ripe_in(MONDAY + SECOND, QUIET) == timedelta(0)
    claim(MONDAY + SECOND)
    assert turns.ripe_in(MONDAY + SECOND, QUIET) is None  # taken


def test_nobody_waits_longer_than_two_seconds_for_the_merge(database):
    chat = conversation()
    for n in range(9):
        says(chat, f"第{n}条", MONDAY + QUIET * 0.9 * n)
    assert claim(MONDAY + LONGEST_MERGE, quiet=QUIET) is not None


def test_what_arrives_during_a_turn_is_the_next_one(database):
    chat = conversation()
    says(chat, "挂号")
    turn = claim()
    says(chat, "心内科")
    assert claim(owner="worker-2") is None
    assert answer(turn, "请问哪个科室？")
    assert texts(claim()) == ["心内科"]


def test_a_replayed_turn_covers_the_rows_it_had_before(database):
    """是的 was acted on and the worker died; 算了 came later and must not become a part of what was done."""
    chat = conversation()
    says(chat, "是的")
    first = claim()
    says(chat, "算了")
    turns.release(first)
    again = claim()
    assert (again.key, texts(again)) == (first.key, ["是的"])
    assert answer(again, "已约好")
    assert texts(claim()) == ["算了"]


def test_tomorrow_is_counted_from_the_last_message_of_the_turn(database):
    chat = conversation()
    says(chat, "挂号", MONDAY)
    says(chat, "明天", MONDAY + SECOND)
    assert claim(MONDAY + SECOND).received_at == MONDAY + SECOND


def test_a_tap_stands_alone(database):
    chat = conversation()
    shown(chat, "a")
    tap(chat, "a")
    says(chat, "谢谢")
    turn = claim()
    assert [(row.kind, row.text) for row in turn.rows] == [("button", "选a")]
    assert turn.rows[0].button["payload"] == "/a"
    assert answer(turn, "好")
    assert texts(claim()) == ["谢谢"]


# ---- buttons


def test_of_the_buttons_of_a_question_one_can_be_tapped_once(database):
    chat = conversation()
    shown(chat, "a", "b")
    for n, token in enumerate(("a", "a", "b")):
        tap(chat, token, f"tap-{n}")
    with reading() as conn:
        kinds = conn.execute(select(inbox.c.kind).where(inbox.c.kind != "text").order_by(inbox.c.id)).scalars().all()
    assert kinds == ["button", "stale", "stale"]


def test_one_of_twenty_taps_at_the_same_moment_counts(database):
    chat = conversation()
    shown(chat, "a")
    together([lambda n=n: tap(chat, "a", f"tap-{n}") for n in range(20)])
    with reading() as conn:
        kinds = conn.execute(select(inbox.c.kind).where(inbox.c.kind != "text")).scalars().all()
    assert sorted(kinds) == ["button"] + ["stale"] * 19


@pytest.mark.parametrize("token", ["of-an-older-question", "of-another-talk", "invented"])
def test_a_button_of_an_older_question_or_of_another_talk_is_stale(database, token):
    other, chat = conversation(), conversation()
    shown(other, "of-another-talk")
    shown(chat, "of-an-older-question")
    shown(chat, "fresh")
    tap(chat, token)
    turn = claim()
    assert (turn.rows[0].kind, turn.rows[0].button) == ("stale", None)


def test_a_tap_that_waits_behind_a_text_is_stale_once_the_text_has_changed_the_question(database):
    """改成十点, then 确认 under the old read-back: nothing may be booked that was not read back."""
    chat = conversation()
    shown(chat, "yes")
    says(chat, "改成十点")
    tap(chat, "yes")
    turn = claim()
    assert texts(turn) == ["改成十点"]
    assert answer(turn, "已改成十点，请确认")
    assert [row.kind for row in claim().rows] == ["stale"]


def test_a_replayed_tap_is_still_fresh(database):
    chat = conversation()
    shown(chat, "yes")
    tap(chat, "yes")
    turns.release(claim())
    assert [row.kind for row in claim().rows] == ["button"]


# ---- all or nothing


def test_a_commit_writes_tracker_replies_buttons_pictures_and_done_together(database):
    chat = conversation()
    says(chat, "费用构成")
    kept = [{"token": "t", "title": "详情", "payload": {"payload": "/x"}}]
    assert answer(claim(), "一", "二", buttons=kept, images=[{"token": "p", "content": "iVBO"}], code_expected=True)
    row = row_of(chat)
    assert (row.tracker, row.last_seq, row.step, row.code_expected) == ({"slots": {}}, 3, 1, True)
    assert (row.lease_owner, row.waiting_since) == (None, None)
    assert spoken(chat) == [("patient", "费用构成"), ("bot", "一"), ("bot", "二")]
    with reading() as conn:
        assert conn.execute(select(buttons.c.step)).scalar_one() == 1
        assert conn.execute(select(images.c.content)).scalar_one() == "iVBO"
        assert conn.execute(select(inbox.c.state)).scalar_one() == "done"


def _danger(chat):
    says(chat, "我爸胸口疼得直冒汗，喘不上气")


def _person(chat):
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", MONDAY)
    holding.take(chat, 7, "王客服为您服务。", MONDAY)


def _person_and_back(chat):
    _person(chat)
    holding.give_back(chat, 7, "由智能客服继续为您服务。", MONDAY)


@pytest.mark.parametrize("event", [_danger, _person, _person_and_back])
def test_an_overtaken_turn_writes_nothing(database, event):
    chat = conversation()
    says(chat, "挂号")
    turn = claim()
    event(chat)
    before = spoken(chat)
    kept = [{"token": "t", "title": "详情", "payload": {"payload": "/x"}}]
    outcome = dict(buttons=kept, images=[{"token": "p", "content": "iVBO"}], incident="x", code_expected=True)
    assert not answer(turn, "请问哪个科室？", **outcome)
    row = row_of(chat)
    assert spoken(chat) == before
    assert row.last_seq == len(before)
    assert not row.code_expected
    with reading() as conn:
        for table in (buttons, images, incidents):
            assert conn.execute(select(table)).all() == []


def test_after_a_danger_sign_the_next_message_does_not_wait_for_the_lease_of_the_overtaken_turn(database):
    chat = conversation()
    says(chat, "挂号")
    turn = claim()
    _danger(chat)
    says(chat, "已经打了120")
    assert not answer(turn, "请问哪个科室？")
    assert texts(claim()) == ["已经打了120"]


def test_a_failed_commit_leaves_the_message_for_the_next_attempt(database):
    chat = conversation()
    says(chat, "挂号")
    turn = claim()
    with writing() as conn:
        conn.execute(insert(buttons).values(token="t", conversation_id=chat, step=9, title="x", payload={}))
    with pytest.raises(Exception, match=r"(?i)unique"):
        answer(turn, "请选择", buttons=[{"token": "t", "title": "x", "payload": {}}])
    assert spoken(chat) == [("patient", "挂号")]
    turns.release(turn)
    assert claim().attempts == 2


def test_attempts_are_counted_for_each_life_of_a_turn(database):
    says(conversation(), "挂号")
    for attempt in (1, 2, 3):
        turn = claim()
        assert turn.attempts == attempt
        turns.release(turn)


def test_an_incident_is_written_with_the_apology_or_not_at_all(database):
    chat = conversation()
    says(chat, "挂号")
    assert answer(claim(), "非常抱歉", incident="ActionFailed: KeyError")
    with reading() as conn:
        row = conn.execute(select(incidents)).one()
    assert (row.conversation_id, row.kind, row.detail) == (chat, "turn_failed", "ActionFailed: KeyError")
