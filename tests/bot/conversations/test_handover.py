"""Waiting for a person, given to one, losing one: nobody waits unseen (R29, R30, R52, R85)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.conversations import episodes, handover, holding, turns
from bot.conversations.danger import raise_alert
from bot.conversations.tables import alerts, inbox, ratings
from bot.conversations.tables import episodes as table
from bot.dialogue.sweeper import sweep
from bot.language.lint import lint
from bot.staff import service as staff
from bot.staff.tables import staff as accounts
from bot.storage.engine import engine, reading, writing
from tests.builders import MONDAY, at, conversation, lines_of, row_of, says, spoken

MINUTE = timedelta(minutes=1)


def person(number: str, role: str = "agent", here=MONDAY, **values) -> int:
    """Somebody at the desk, last heard of at `here`."""
    with writing() as conn:
        made = staff.add(conn, number, f"同事{number}", role, "long-enough-1")
        conn.execute(update(accounts).where(accounts.c.id == made).values(seen_at=here, **values))
    return made


def beats(agent: int, now) -> None:
    with writing() as conn:
        conn.execute(update(accounts).where(accounts.c.id == agent).values(seen_at=now))


def queued(now=MONDAY, **given) -> str:
    chat = conversation(now)
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", now, **given)
    return chat


def take(chat: str, agent: int, now=MONDAY) -> None:
    holding.take(chat, agent, "人工客服为您服务。", now)


def episode(chat: str):
    with reading() as conn:
        return conn.execute(select(table).where(table.c.conversation_id == chat)).one()


# ---- given to somebody


def test_a_talk_is_given_to_who_is_given_talks_and_has_the_fewest(database):
    busy, free = person("1", duty="auto"), person("2", duty="auto")
    person("3")
    take(queued(), busy)
    chat = queued()
    sweep(MONDAY)
    assert (row_of(chat).holder, row_of(chat).agent_id) == ("agent", free)
    assert spoken(chat) == [("system", "您好，让您久等了。人工客服同事2（工号2）为您服务。")]


@pytest.mark.parametrize(
    "values",
    [{"duty": "manual"}, {"duty": "break"}, {"duty": "auto", "here": MONDAY - 3 * MINUTE}, {"role": "quality"}],
)
def test_who_takes_them_himself_has_a_break_or_is_gone_is_given_none(database, values):
    person("1", **{"duty": "auto", **values})
    chat = queued()
    sweep(MONDAY)
    assert row_of(chat).holder == "queue"


def test_nobody_is_given_more_than_he_can_serve_and_a_free_place_is_seen_in_ten_seconds(database):
    agent = person("1", duty="auto", capacity=1)
    first, second = queued(), queued(MONDAY + timedelta(seconds=1))
    sweep(MONDAY + timedelta(seconds=1))
    assert [row_of(chat).holder for chat in (first, second)] == ["agent", "queue"]
    holding.give_back(first, agent, "再见。", MONDAY + timedelta(seconds=2))
    sweep(MONDAY + timedelta(seconds=11))
    assert row_of(second).agent_id == agent


def test_the_skill_group_comes_first_and_another_is_better_than_nobody(database):
    person("1", duty="auto", skills=["booking"])
    insurance = person("2", duty="auto", skills=["insurance"], capacity=1)
    with reading() as conn:
        assert handover.ready(conn, "insurance", MONDAY).id == insurance
    take(queued(), insurance)
    with reading() as conn:
        assert handover.ready(conn, "insurance", MONDAY).number == "1"


# ---- waiting


def test_who_waits_is_told_place_and_time_after_three_eight_and_eighteen_minutes_and_then_left_in_peace(database):
    person("1", here=MONDAY + timedelta(hours=1))
    queued()
    chat = queued(MONDAY + timedelta(seconds=1))
    for minutes in (1, 4, 9, 19, 40, 60):
        sweep(MONDAY + minutes * MINUTE)
    told = [text for _, text in spoken(chat)]
    assert len(told) == 3
    assert "排在第2位，大约还需要12分钟" in told[0]
    assert all("拨打" in text for text in told) and "留言" in told[1]


def test_the_expected_wait_is_this_houses_own_figure_shared_by_who_is_here(database):
    agent = person("1")
    for _ in range(3):
        chat = queued()
        take(chat, agent)
        holding.give_back(chat, agent, "再见。", MONDAY + 4 * MINUTE)
    with reading() as conn:
        assert [episodes.expected_minutes(conn, place, here) for place, here in ((1, 1), (3, 1), (3, 2), (1, 0))] == [
            4,
            12,
            6,
            4,
        ]


def test_when_the_desk_closes_nobody_waits_in_vain_but_a_danger_stays(database):
    evening = at("2026-11-23 21:20")
    chat, hurt = queued(evening), queued(evening, priority=holding.URGENT)
    sweep(at("2026-11-23 21:30"))
    assert [row_of(each).holder for each in (chat, hurt)] == ["bot", "queue"]
    assert "11月24日07:30恢复" in spoken(chat)[-1][1]
    assert episode(chat).outcome == "hours"


# ---- somebody is gone


def test_the_talk_of_who_is_gone_goes_back_to_its_old_place_and_the_patient_is_told(database):
    agent = person("1")
    chat, later = queued(), queued(MONDAY + MINUTE)
    take(chat, agent, MONDAY + MINUTE)
    beats(agent, MONDAY + 4 * MINUTE)
    sweep(MONDAY + 5 * MINUTE)
    assert row_of(chat).holder == "agent"
    sweep(MONDAY + 7 * MINUTE)
    assert (row_of(chat).holder, row_of(chat).agent_id, row_of(chat).queued_at) == ("queue", None, MONDAY)
    with reading() as conn:
        assert [holding.place(conn, each) for each in (chat, later)] == [1, 2]
    assert "暂时离开" in spoken(chat)[-1][1] and "第1位" in spoken(chat)[-1][1]
    assert episode(chat).ended_at is None


def test_a_late_line_of_who_was_gone_is_refused(database):
    agent = person("1", here=MONDAY - 5 * MINUTE)
    chat = queued()
    take(chat, agent)
    sweep(MONDAY + 3 * MINUTE)
    with pytest.raises(holding.NotHeld):
        holding.say(chat, agent, "在吗", "c1", MONDAY + 3 * MINUTE)


# ---- danger


def test_a_danger_sign_nobody_looked_at_for_a_minute_calls_a_second_person_and_the_next_after_him(database):
    person("1"), person("2", duty="break")
    lead = person("9", "supervisor")
    chat = conversation()
    with writing() as conn:
        raise_alert(conn, chat, "chest", True, MONDAY)

    def alert():
        with reading() as conn:
            return conn.execute(select(alerts)).one()

    sweep(MONDAY + timedelta(seconds=59))
    assert alert().escalated_at is None
    sweep(MONDAY + timedelta(seconds=60))
    assert (alert().second_id, alert().escalated_at) == (lead, MONDAY + timedelta(seconds=60))
    sweep(MONDAY + timedelta(seconds=120))
    assert alert().second_id != lead


def test_a_danger_sign_that_was_seen_calls_nobody(database):
    agent = person("1")
    chat = conversation()
    with writing() as conn:
        raise_alert(conn, chat, "chest", True, MONDAY)
    take(chat, agent)
    sweep(MONDAY + timedelta(seconds=61))
    with reading() as conn:
        assert conn.execute(select(alerts.c.escalated_at)).scalar() is None


# ---- back to the bot, and on to a colleague


def test_what_the_person_did_stands_in_the_slots_and_is_counted(database):
    agent = person("1")
    chat = queued()
    take(chat, agent, MONDAY + MINUTE)
    holding.say(chat, agent, "您好", "c1", MONDAY + 2 * MINUTE)
    holding.say(chat, agent, "再见", "c2", MONDAY + 3 * MINUTE)
    holding.give_back(chat, agent, "已转回。", MONDAY + 5 * MINUTE, "solved", "已帮患者改约周四上午")
    assert row_of(chat).tracker["slots"]["memory"]["person"]["summary"] == "已帮患者改约周四上午"
    done = episode(chat)
    assert (done.queued_at, done.accepted_at, done.first_reply_at, done.ended_at, done.outcome) == (
        MONDAY,
        MONDAY + MINUTE,
        MONDAY + 2 * MINUTE,
        MONDAY + 5 * MINUTE,
        "solved",
    )


def test_a_colleague_holds_it_at_once_and_the_hand_over_stays_one(database):
    agent, colleague = person("1"), person("2")
    chat = queued()
    take(chat, agent)
    holding.hand_on(chat, agent, colleague, "同事为您继续服务。", MONDAY + MINUTE)
    assert row_of(chat).agent_id == colleague
    assert (episode(chat).transfers, episode(chat).accepted_at) == (1, MONDAY)
    with pytest.raises(holding.NotHeld):
        holding.hand_on(chat, agent, colleague, "x", MONDAY)


def test_the_rating_is_asked_with_the_return_and_a_tap_wakes_nobody(database):
    agent = person("1")
    chat = queued()
    take(chat, agent)
    holding.give_back(chat, agent, "已转回。", MONDAY, "solved", ask_rating=True)
    buttons = lines_of(chat)[-1].data["buttons"]
    says(chat, "谢谢")  # what is said in between does not make the question stale
    from bot.conversations import inbound

    inbound.accept_button(chat, "t1", buttons[0]["token"], MONDAY)
    with reading() as conn:
        assert conn.execute(select(ratings.c.score, ratings.c.agent_id)).one() == (5, agent)
        assert conn.execute(select(inbox.c.state).where(inbox.c.client_id == "t1")).scalar() == "done"
    assert "谢谢您的评价" in spoken(chat)[-1][1]


# ---- nothing wakes the bot


@pytest.mark.parametrize("text", ["/restart", "/request_human", "在吗", "转人工", "取消排队"])
def test_while_a_person_holds_the_talk_nothing_that_is_said_is_the_bots(database, text):
    agent = person("1")
    chat = queued()
    take(chat, agent)
    says(chat, text, MONDAY + timedelta(hours=3))  # a session would have ended long ago
    engine().dispose()  # the database has been restarted
    assert turns.claim("w", MONDAY + timedelta(hours=4), timedelta(0)) is None
    with reading() as conn:
        assert conn.execute(select(inbox.c.state)).scalars().all() == ["person"]
    assert row_of(chat).holder == "agent"


@pytest.mark.parametrize("text", [handover.GONE, handover.CLOSED, *handover.STILL, handover.TAKEN])
def test_what_the_waiting_are_told_keeps_the_language_rules(text):
    said = text.format(
        place=2, minutes=5, phone="010-5555", opens="11月24日07:30", duty="010-5556", name="王", number="1"
    )
    assert not lint(said)
