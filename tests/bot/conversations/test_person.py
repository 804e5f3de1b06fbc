"""One verified person on several channels is served by one agent."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from bot.clock import now
from bot.conversations import holding, inbound, person
from bot.conversations.danger import raise_alert
from bot.language.lint import lint
from bot.patients.tables import audit, links
from bot.storage.engine import reading, writing
from tests.bot.conversations.test_handover import person as agent_of
from tests.bot.conversations.test_handover import take
from tests.bot.dialogue.test_worker import Reply, worker
from tests.builders import lines_of, patient, row_of, spoken


def talk(channel: str, at, *texts: str) -> str:
    chat = inbound.open_conversation(channel, f"visitor-{channel}-{at.timestamp()}", at)
    for text in texts:
        inbound.accept_text(chat, f"{text}-{at.timestamp()}", text, at)
    return chat


def verify(him: int, *chats: str, relation: str = "") -> None:
    with writing() as conn:
        for chat in chats:
            values = dict(patient_id=him, relation=relation, verified_at=now(), expires_at=now() + timedelta(hours=4))
            conn.execute(insert(links).values(conversation_id=chat, **values))


def talks_of(chat: str) -> list[str]:
    with reading() as conn:
        return [row.id for row in person.talks_of(conn, chat, now())]


@pytest.fixture
def both(database) -> tuple[str, str]:
    """The talks of one person: on WeChat, and on the web, where he has written last."""
    wechat = talk("wechat", now() - timedelta(minutes=9), "挂号费多少")
    web = talk("web", now() - timedelta(minutes=1), "你好呀")
    verify(patient("王建国"), wechat, web)
    return wechat, web


def test_his_talks_stand_together_the_one_he_wrote_in_last_first(both):
    wechat, web = both
    assert talks_of(wechat) == talks_of(web) == [web, wechat]


def test_a_talk_that_has_been_quiet_for_a_week_is_not_among_them(both):
    wechat, web = both
    old = talk("terminal", now() - timedelta(days=8), "早上好")
    with reading() as conn:
        him = conn.execute(select(links.c.patient_id)).scalars().first()
    verify(him, old)
    assert talks_of(web) == [web, wechat]


def test_a_relative_who_speaks_for_him_is_another_person(both):
    _, web = both
    daughter = talk("wechat", now(), "我给我爸问一下")
    with reading() as conn:
        him = conn.execute(select(links.c.patient_id)).scalars().first()
    verify(him, daughter, relation="父亲")
    assert daughter not in talks_of(web)
    assert talks_of(daughter) == [daughter]


def test_the_agent_who_serves_him_answers_on_the_other_channel_too(both):
    wechat, web = both
    with writing() as conn:
        holding.enqueue(conn, wechat, "患者要求人工", now())
    agent = agent_of("1", here=now())
    take(wechat, agent, now())
    asyncio.run(worker([Reply("您好。")]).run_until_idle())
    assert (row_of(web).holder, row_of(web).agent_id) == ("agent", agent)
    assert ("bot", "您好。") not in spoken(web)
    notice = lines_of(web)[-1].text
    assert "由同一位同事答复您" in notice and not lint(notice)
    with reading() as conn:
        rows = conn.execute(select(audit.c.actor, audit.c.detail).where(audit.c.action == "assigned")).all()
    assert ("staff:1", {"conversation": web, "same_person": True}) in [tuple(row) for row in rows]


def test_the_bot_answers_where_nobody_serves_him_or_the_agent_is_gone(both):
    wechat, web = both
    assert not person.follow(web, now())
    with writing() as conn:
        holding.enqueue(conn, wechat, "患者要求人工", now())
    take(wechat, agent_of("1", here=now() - timedelta(minutes=5)), now())
    assert not person.follow(web, now())
    assert row_of(web).holder == "bot"


def test_a_danger_sign_that_nobody_has_seen_is_not_followed_away(both):
    wechat, web = both
    with writing() as conn:
        holding.enqueue(conn, wechat, "患者要求人工", now())
        raise_alert(conn, web, "cardiac", True, now())
    take(wechat, agent_of("1", here=now()), now())
    assert not person.follow(web, now())
    with reading() as conn:
        assert len(person.talks_of(conn, web, now())) == 2


def test_who_took_the_other_talk_meanwhile_keeps_it(both):
    wechat, web = both
    with writing() as conn:
        holding.enqueue(conn, wechat, "患者要求人工", now())
        holding.enqueue(conn, web, "患者要求人工", now())
    take(wechat, agent_of("1", here=now()), now())
    colleague = agent_of("2", here=now())
    take(web, colleague, now())
    assert person.follow(web, now())
    assert row_of(web).agent_id == colleague
