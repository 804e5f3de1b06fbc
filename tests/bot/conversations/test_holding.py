"""Who holds a talk: the queue's order, one person at a time, and back to the bot (R1, R30, R85)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.conversations import holding, turns
from bot.conversations.holding import AlreadyTaken, NotHeld
from bot.conversations.tables import alerts, conversations, inbox
from bot.conversations.transcript import Line
from bot.conversations.turns import Outcome
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, conversation, row_of, says, spoken, together

AGENT, OTHER, LEAD = 1, 2, 9
NOTICE = "王客服（工号1001）为您服务。"


def queued(after: int = 0, priority: int = 0, reason: str = "患者要求人工") -> str:
    chat = conversation()
    enqueue(chat, after, priority, reason)
    return chat


def enqueue(chat: str, after: int = 0, priority: int = 0, reason: str = "患者要求人工") -> int:
    with writing() as conn:
        return holding.enqueue(conn, chat, reason, MONDAY + timedelta(seconds=after), priority)


def place(chat: str) -> int:
    with reading() as conn:
        return holding.place(conn, chat)


def test_the_queue_is_served_by_urgency_and_then_by_time(database):
    late, early = queued(after=20), queued(after=10)
    complaint, danger = queued(after=30, priority=5), queued(after=40, priority=9)
    order = [danger, complaint, early, late]
    assert [row.id for row in holding.waiting()] == order
    assert [place(chat) for chat in order] == [1, 2, 3, 4]


def test_two_who_came_at_the_same_moment_have_different_places(database):
    assert sorted(place(chat) for chat in [queued(), queued(), queued()]) == [1, 2, 3]


def test_asking_again_keeps_the_place(database):
    first = queued(after=0)
    queued(after=10)
    assert enqueue(first, after=20) == 1
    assert row_of(first).queued_at == MONDAY


def test_the_higher_urgency_stands(database):
    chat = queued(priority=9, reason="危险信号：chest")
    enqueue(chat, priority=0)
    assert (row_of(chat).priority, row_of(chat).queue_reason) == (9, "危险信号：chest")


def test_who_does_not_wait_has_no_place(database):
    assert place(conversation()) == 0


def test_while_he_waits_the_bot_still_answers(database):
    chat = queued()
    says(chat, "几点上班")
    turn = turns.claim("worker", MONDAY, timedelta(0))
    assert turn.holder == "queue"
    assert turns.commit(turn, Outcome({}, [Line("bot", "每天7:30到21:30")]), MONDAY)


def test_of_ten_agents_who_take_a_talk_at_once_one_gets_it(database):
    chat = queued()
    results = together([lambda n=n: holding.take(chat, n, NOTICE, MONDAY) for n in range(1, 11)])
    winner = row_of(chat).agent_id
    assert [result for result in results if result is None] == [None]
    assert {result.agent_id for result in results if result is not None} == {winner}
    assert spoken(chat) == [("system", NOTICE)]


def test_taking_silences_the_bot_frees_the_lease_and_hands_over_what_waits(database):
    chat = queued()
    says(chat, "我要退号")
    turns.claim("worker", MONDAY, timedelta(0))
    before = row_of(chat)
    holding.take(chat, AGENT, NOTICE, MONDAY)
    row = row_of(chat)
    assert (row.holder, row.agent_id, row.epoch, row.step) == ("agent", AGENT, before.epoch + 1, before.step + 1)
    assert (row.lease_owner, row.waiting_since) == (None, None)
    with reading() as conn:
        assert conn.execute(select(inbox.c.state).where(inbox.c.conversation_id == chat)).scalars().all() == ["person"]
    assert turns.claim("worker", MONDAY, timedelta(0)) is None


def test_who_takes_a_talk_has_seen_its_alerts(database):
    chat = conversation()
    says(chat, "我爸胸口疼得直冒汗，喘不上气")
    holding.take(chat, AGENT, NOTICE, MONDAY)
    with reading() as conn:
        assert conn.execute(select(alerts.c.seen_by)).scalars().all() == [AGENT]


def test_an_agent_takes_from_the_queue_only(database):
    with pytest.raises(AlreadyTaken):
        holding.take(conversation(), AGENT, NOTICE, MONDAY)


def test_a_supervisor_may_take_from_the_bot_and_from_a_colleague(database):
    from_bot, from_colleague = conversation(), queued()
    holding.take(from_colleague, AGENT, NOTICE, MONDAY)
    for chat in (from_bot, from_colleague):
        holding.take(chat, LEAD, "主管为您服务。", MONDAY, supervisor=True)
        assert row_of(chat).agent_id == LEAD


def test_only_the_holder_writes_and_gives_back(database):
    chat = queued()
    holding.take(chat, AGENT, NOTICE, MONDAY)
    with pytest.raises(NotHeld):
        holding.say(chat, OTHER, "您好", "c1", MONDAY)
    with pytest.raises(NotHeld):
        holding.give_back(chat, OTHER, "再见", MONDAY)


def test_a_line_of_an_agent_sent_ten_times_stands_once(database):
    chat = queued()
    holding.take(chat, AGENT, NOTICE, MONDAY)
    seqs = together([lambda: holding.say(chat, AGENT, "您好，我来帮您。", "c1", MONDAY)] * 10)
    assert seqs == [2] * 10
    assert spoken(chat) == [("system", NOTICE), ("agent", "您好，我来帮您。")]


def test_given_back_the_bot_starts_without_a_task_and_remembers_the_talk(database):
    chat = queued()
    slots = {"task": {"name": "book_appointment"}, "suspended": [{}], "later": {}, "memory": {"script": "hant"}}
    with writing() as conn:
        conn.execute(
            update(conversations)
            .where(conversations.c.id == chat)
            .values(tracker={"slots": slots}, code_expected=True, suspended_by="chest")
        )
    holding.take(chat, AGENT, NOTICE, MONDAY)
    epoch = row_of(chat).epoch
    holding.give_back(chat, AGENT, "由智能客服继续为您服务。", MONDAY)
    row = row_of(chat)
    assert (row.holder, row.agent_id, row.epoch, row.priority, row.queued_at) == ("bot", None, epoch + 1, 0, None)
    person = {"outcome": "other", "summary": "", "at": MONDAY.isoformat()}
    assert row.tracker == {"slots": {"memory": {"script": "hant", "person": person}}}
    assert (row.code_expected, row.suspended_by) == (False, None)


def test_what_comes_after_giving_back_goes_to_the_bot(database):
    chat = queued()
    holding.take(chat, AGENT, NOTICE, MONDAY)
    says(chat, "给人看的")
    holding.give_back(chat, AGENT, "由智能客服继续为您服务。", MONDAY)
    says(chat, "给机器人看的")
    turn = turns.claim("worker", MONDAY, timedelta(0))
    assert [row.text for row in turn.rows] == ["给机器人看的"]
