"""Takeover races: after a person accepts, no bot line follows; two agents, one wins. On SQLite and on PostgreSQL."""

import os
import random
import secrets
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from bot.conversations import holding, turns
from bot.conversations.holding import AlreadyTaken
from bot.conversations.tables import conversations, inbox, lines
from bot.conversations.transcript import Line
from bot.conversations.turns import Outcome
from bot.storage.engine import reading, writing

NOW = datetime.fromisoformat("2026-11-23T10:00:00+08:00")
RACES = int(os.environ.get("DAOYI_TEST_RACES", "200"))  # 1000 were run with 0 late lines
DUELS = 100
NOTICE = "人工客服为您服务。"


def _waiting(count: int) -> list[str]:
    """Make conversations in the queue whose patient has just written."""
    ids = [secrets.token_hex(16) for _ in range(count)]
    earlier = NOW - timedelta(seconds=5)
    with writing() as conn:
        conn.execute(
            insert(conversations),
            [
                dict(
                    id=each, channel="web", visitor=each, holder="queue", queued_at=earlier, last_seq=1,
                    waiting_since=earlier, newest_at=earlier, created_at=earlier, updated_at=earlier,
                )
                for each in ids
            ],
        )  # fmt: skip
        conn.execute(
            insert(lines),
            [dict(conversation_id=each, seq=1, sender="patient", text="转人工", at=earlier) for each in ids],
        )
        conn.execute(
            insert(inbox),
            [
                dict(conversation_id=each, client_id="c1", seq=1, kind="text", text="转人工", received_at=earlier,
                     state="waiting")
                for each in ids
            ],
        )  # fmt: skip
    return ids


def _race(*runners) -> list:
    """Let the runners go at the same moment and give what each returned."""
    barrier, results = threading.Barrier(len(runners)), [None] * len(runners)

    def go(place, runner):
        barrier.wait()
        time.sleep(random.random() * 0.002)
        results[place] = runner()

    threads = [threading.Thread(target=go, args=(place, runner)) for place, runner in enumerate(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_no_bot_line_follows_the_accept_line_in_many_races(database):
    _waiting(RACES)
    committed = 0
    for _ in range(RACES):
        turn = turns.claim("worker", NOW, timedelta(0))
        outcome = Outcome({"slots": {}}, [Line("bot", "请问您要挂哪个科室？"), Line("bot", "也可以选择下面的科室。")])
        wrote, _ = _race(
            lambda turn=turn, outcome=outcome: turns.commit(turn, outcome, NOW),
            lambda turn=turn: holding.take(turn.conversation_id, 1, NOTICE, NOW),
        )
        committed += wrote
    with reading() as conn:
        accepted = {
            row.conversation_id: row.seq
            for row in conn.execute(
                select(lines).where(lines.c.sender == "system", lines.c.text == "人工客服为您服务。")
            )
        }
        said = conn.execute(select(lines.c.conversation_id, lines.c.seq).where(lines.c.sender == "bot")).all()
        ends = conn.execute(select(conversations.c.id, conversations.c.last_seq, conversations.c.holder)).all()
    assert len(accepted) == RACES
    assert [row for row in said if row.seq > accepted[row.conversation_id]] == []
    assert len(said) == 2 * committed
    assert {row.holder for row in ends} == {"agent"}
    assert all(accepted[row.id] == row.last_seq for row in ends), "the accept line stands last and seq has no gap"
    assert RACES * 0.02 < committed < RACES * 0.98, (
        f"both orders must have happened; the bot came first {committed} times"
    )


def test_of_two_agents_who_take_one_chat_exactly_one_wins_and_the_other_learns_who(database):
    wins = []
    for chat in _waiting(DUELS):

        def take(agent, chat=chat):
            try:
                holding.take(chat, agent, f"客服{agent}为您服务。", NOW)
            except AlreadyTaken as lost:
                return lost.agent_id
            return "won"

        results = _race(lambda take=take: take(1), lambda take=take: take(2))
        assert sorted(map(str, results)) in (["2", "won"], ["1", "won"])
        winner = results.index("won") + 1
        assert results[2 - winner] == winner
        wins.append(winner)
    with reading() as conn:
        held = dict(conn.execute(select(conversations.c.id, conversations.c.agent_id)).all())
        notices = conn.execute(select(lines.c.conversation_id).where(lines.c.sender == "system")).scalars().all()
    assert sorted(held.values()) == sorted(wins)
    assert len(notices) == len(set(notices)) == DUELS
    assert {1, 2} == set(wins), "each of the two must win sometimes"
