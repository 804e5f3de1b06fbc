"""A talk on WeChat at the desk: how often the patient may still be written to, and the same person on the web."""

import secrets
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select, update

from bot.conversations import holding, outbox
from bot.conversations.outbox import Allowance
from bot.conversations.tables import lines, reach
from bot.conversations.tables import outbox as outgoing
from bot.patients.tables import links, patients
from bot.storage.engine import reading, writing
from tests.bot.desk.test_talks import PNG, audited, row_of


@pytest.fixture
def agent(house):
    return house.staff("1001")


@pytest.fixture
def held(house, agent) -> str:
    """A follower's talk that agent 1001 has just taken; the notice of it has arrived and cost one message."""
    chat = house.follower("我想问一下住院押金")
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", house.now())
    assert agent.post(f"chats/{chat}/take").status_code == 200
    sent(chat, house.now())
    return chat


def sent(chat: str, moment) -> None:
    """Do what the sender of WeChat does: one message for each line that waits."""
    with writing() as conn:
        waiting = (outgoing.c.conversation_id == chat, outgoing.c.state == "waiting")
        for _ in conn.execute(select(outgoing.c.id).where(*waiting)).all():
            assert outbox.spend(conn, chat, moment)
        conn.execute(update(outgoing).where(*waiting).values(state="sent"))


def say(agent, chat: str, text: str = "您好，押金窗口在一楼。"):
    return agent.post(f"chats/{chat}/say", {"text": text, "client_id": secrets.token_hex(8)})


def said(chat: str) -> int:
    with reading() as conn:
        counted = select(func.count()).where(lines.c.conversation_id == chat, lines.c.sender == "agent")
        return conn.execute(counted).scalar_one()


def test_the_desk_says_how_many_messages_are_left_and_until_when(house, agent, held):
    quota = agent.get(f"chats/{held}").json()["quota"]
    assert ([window["left"] for window in quota["windows"]], quota["under_way"], quota["held"]) == ([4], 0, 0)
    end = datetime.fromisoformat(quota["windows"][0]["until"])
    assert timedelta(hours=47, minutes=58) < end - house.now() <= timedelta(hours=48)


def test_a_tap_allows_three_more_for_a_minute(house, agent, held):
    with writing() as conn:
        outbox.heard(conn, held, Allowance(3, timedelta(minutes=1)), False, house.now())
    assert [window["left"] for window in agent.get(f"chats/{held}").json()["quota"]["windows"]] == [3, 4]


def test_each_send_changes_the_news(house, agent, held):
    version = agent.get("news", chat=held, since=99).json()["version"]
    assert say(agent, held).status_code == 200
    sent(held, house.now())
    found = agent.get("news", chat=held, since=99, version=version).json()
    assert (found["changed"], found["chat"]["quota"]["windows"][0]["left"]) == (True, 3)


def test_what_would_not_arrive_is_refused_and_leaves_no_line(house, agent, held):
    for _ in range(4):
        assert say(agent, held).status_code == 200
        sent(held, house.now())
    for refused in (
        say(agent, held),
        agent.send(f"chats/{held}/picture", PNG, "image/png", client_id=secrets.token_hex(8), alt="路线图"),
    ):
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "quota")
    assert said(held) == 4
    house.writes(held, "谢谢，还有别的吗")
    with writing() as conn:
        outbox.heard(conn, held, Allowance(5, timedelta(hours=48)), True, house.now())
    assert say(agent, held).status_code == 200


def test_after_the_48_hours_nothing_is_sent(house, agent, held):
    with writing() as conn:
        conn.execute(update(reach).values(message_until=house.now() - timedelta(minutes=1)))
    assert say(agent, held).json()["error"]["code"] == "quota"


def test_what_is_on_its_way_counts_and_a_picture_takes_two(house, agent, held):
    for _ in range(3):
        assert say(agent, held).status_code == 200  # WeChat has not taken them yet
    picture = agent.send(f"chats/{held}/picture", PNG, "image/png", client_id=secrets.token_hex(8), alt="路线图")
    assert picture.status_code == 409 and "还可以发送1条" in picture.json()["error"]["message"]
    assert say(agent, held).status_code == 200


def test_a_repeated_send_is_not_refused(house, agent, held):
    with writing() as conn:
        conn.execute(update(reach).where(reach.c.conversation_id == held).values(message_left=1))
    once = {"text": "您好，押金窗口在一楼。", "client_id": secrets.token_hex(8)}
    first = agent.post(f"chats/{held}/say", once).json()
    assert agent.post(f"chats/{held}/say", once).json() == first


def test_nothing_counts_on_the_web(house, agent):
    chat = house.waits("住院押金多少")
    assert agent.post(f"chats/{chat}/take").status_code == 200
    assert agent.get(f"chats/{chat}").json()["quota"] is None


# ---- one person on two channels


@pytest.fixture
def twice(house, held) -> tuple[str, str]:
    """The talk that 1001 serves on WeChat, and one of the same verified person on the web, with the bot."""
    web = house.patient("我上午在网页上问过住院的事")
    with writing() as conn:
        him = conn.execute(insert(patients).values(name="王建国", created_at=house.now())).inserted_primary_key[0]
        until = house.now() + timedelta(hours=4)
        for chat in (held, web):
            values = dict(patient_id=him, relation="", verified_at=house.now(), expires_at=until)
            conn.execute(insert(links).values(conversation_id=chat, **values))
    return held, web


def test_his_other_talk_is_shown_and_may_be_read_by_who_serves_him(agent, twice):
    wechat, web = twice
    talks = agent.get(f"chats/{wechat}").json()["talks"]
    assert [(talk["id"], talk["channel"], talk["holder"]) for talk in talks] == [
        (web, "网页", "bot"),
        (wechat, "微信", "agent"),
    ]
    assert agent.get(f"chats/{web}").json()["lines"][0]["text"] == "我上午在网页上问过住院的事"
    assert audited("transcript_read", conversation=web)


def test_who_does_not_serve_him_sees_neither(house, twice):
    _, web = twice
    colleague = house.staff("1002")
    assert colleague.get(f"chats/{web}").status_code == 403
    assert house.staff("9001").get(f"chats/{web}").json()["talks"] != []


def test_who_serves_somebody_else_sees_no_other_talks(house, agent, held):
    assert agent.get(f"chats/{held}").json()["talks"] == []


def test_writing_on_the_other_channel_is_news(house, agent, twice):
    wechat, web = twice
    house.writes(wechat, "在吗")
    version = agent.get("news", chat=wechat, since=99).json()["version"]
    house.writes(web, "我在网页上了")
    found = agent.get("news", chat=wechat, since=99, version=version).json()
    assert found["changed"] and found["chat"]["talks"][0]["id"] == web


def test_taking_and_ending_one_talk_takes_and_ends_what_he_waits_in_beside(house, agent, twice):
    wechat, web = twice
    assert agent.post(f"chats/{wechat}/give-back", {"outcome": "solved"}).status_code == 200
    with writing() as conn:
        for chat in twice:
            holding.enqueue(conn, chat, "患者要求人工", house.now())
    assert agent.post(f"chats/{web}/take").status_code == 200
    assert [row_of(chat).holder for chat in twice] == ["agent", "agent"]
    assert agent.post(f"chats/{web}/give-back", {"outcome": "solved"}).status_code == 200
    assert [row_of(chat).holder for chat in twice] == ["bot", "bot"]


def test_a_colleague_gets_both(house, agent, twice):
    wechat, web = twice
    with writing() as conn:
        holding.enqueue(conn, web, "患者要求人工", house.now())
    assert agent.post(f"chats/{web}/take").status_code == 200
    house.staff("1002").post("heartbeat", {"active": True})
    to = house.id_of("1002")
    assert agent.post(f"chats/{wechat}/transfer", {"to": to, "note": "患者两边都写了"}).status_code == 200
    assert {row_of(chat).agent_id for chat in twice} == {to}
