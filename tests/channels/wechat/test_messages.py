"""Every kind of message and event (cases 11 to 16, 20): what reaches the talk, what is answered, what only is acknowledged."""

import asyncio
import base64
from datetime import timedelta
from time import monotonic

import pytest
from sqlalchemy import func, select

from bot.clock import now
from bot.conversations import inbound
from bot.conversations.erasure import GONE
from bot.conversations.tables import alerts, buttons, conversations, images, inbox, incidents, lines, outbox, reach
from bot.conversations.transcript import Line
from bot.patients import binding, identity
from bot.patients.tables import audit, links
from bot.storage.engine import reading, writing
from channels.wechat import intake as intake_room
from channels.wechat import service, words
from channels.wechat.intake import ROOM, Rush, left_behind
from channels.wechat.tables import intake
from tests.builders import patient, row_of, spoken
from tests.channels.wechat import simulator
from tests.channels.wechat.house import event, fields, openid, rows, text
from tests.channels.wechat.inside import read, until


async def test_case_11_a_text_is_one_inbox_row_of_its_own_talk(within):
    played, who = await within(), openid()
    assert await played.hears(text(who, "我想预约挂号")) is None
    await played.settled()
    chat = service.conversation_of(who)
    (row,) = rows(select(inbox).where(inbox.c.conversation_id == chat))
    assert (row.text, row.kind, row.state) == ("我想预约挂号", "text", "waiting")
    assert row_of(chat).channel == "wechat"
    assert who not in row_of(chat).visitor
    assert rows(select(reach.c.address))[0].address == who


STRANGE = ("😀👩‍⚕️好", "a<b & c>d", "]]> 好", "第一行\n第二行", "/restart", "<a href='https://x.example'>点我</a>")


@pytest.mark.parametrize("content", STRANGE)
async def test_case_12_every_text_arrives_as_it_was_written(within, content):
    played, who = await within(), openid()
    await played.hears(text(who, content))
    await played.settled()
    assert spoken(service.conversation_of(who)) == [("patient", content)]


async def test_case_12_empty_blank_and_endless_texts_get_a_kind_answer_once(within):
    played = await within()
    for content, said in (("", words.EMPTY), ("  \n", words.EMPTY), ("长" * 10_000, words.TOO_LONG)):
        who = openid()
        message = text(who, content)
        await played.hears(message)
        await played.hears(message)
        await played.settled()
        assert spoken(service.conversation_of(who)) == [("system", said)]
        (sent,) = await played.sends(who)
        assert sent["text"]["content"] == said


OTHERS = {
    "image": {"PicUrl": "https://x.example/1.jpg", "MediaId": "m1"},
    "voice": {"MediaId": "m2", "Format": "amr", "Recognition": ""},
    "video": {"MediaId": "m3", "ThumbMediaId": "t"},
    "shortvideo": {"MediaId": "m4", "ThumbMediaId": "t"},
    "location": {"Location_X": "32.1", "Location_Y": "118.2", "Scale": "15", "Label": "健康路1号"},
    "link": {"Title": "挂号指南", "Description": "d", "Url": "https://x.example"},
}


@pytest.mark.parametrize("kind", OTHERS)
async def test_case_13_what_is_no_text_is_kept_for_the_agent_and_answered_kindly(within, kind):
    played, who = await within(), openid()
    await played.hears(fields(who, kind, MsgId=7, **OTHERS[kind]))
    await played.settled()
    chat = service.conversation_of(who)
    first, second = rows(select(lines).where(lines.c.conversation_id == chat).order_by(lines.c.seq))
    assert (first.sender, second.sender) == ("patient", "system")
    assert first.meta["wechat"]["type"] == kind
    assert first.meta["wechat"].get("MediaId") == OTHERS[kind].get("MediaId")
    assert second.text == words.asked(kind)
    assert rows(select(inbox)) == []
    assert (await played.sends(who))[0]["text"]["content"] == words.asked(kind)


async def test_case_13_voice_without_recognition_and_a_picture_for_a_person_ask_nothing_of_the_patient(within):
    played, who = await within(), openid()
    await played.hears(fields(who, "voice", MsgId=8, MediaId="m", Format="amr"))
    await played.settled()
    assert [sender for sender, _ in spoken(service.conversation_of(who))] == ["patient", "system"]
    with writing() as conn:
        conn.execute(conversations.update().values(holder="agent", agent_id=1))
    await played.hears(fields(who, "image", MsgId=9, MediaId="m", PicUrl="u"))
    await played.settled()
    assert [sender for sender, _ in spoken(service.conversation_of(who))] == ["patient", "system", "patient"]


def picture(who: str, media: str) -> dict:
    return fields(who, "image", MsgId=9, MediaId=media, PicUrl="u")


def first_line(chat: str):
    return rows(select(lines).where(lines.c.conversation_id == chat, lines.c.sender == "patient"))[0]


@pytest.mark.parametrize("faults", [[], [40001]])
async def test_a_picture_is_fetched_whole_before_wechat_forgets_it(within, faults):
    played, who = await within(), openid()
    played.wechat.errors["media"] = faults
    await played.hears(picture(who, "m"))
    await played.settled()
    chat = service.conversation_of(who)
    (kept,) = rows(select(images))
    assert base64.b64decode(kept.content) == simulator.PICTURE
    assert first_line(chat).data["image"]["token"] == kept.token
    assert spoken(chat) == [("patient", "（图片）"), ("system", words.asked("image"))]


@pytest.mark.parametrize("media", ["gone", "gif", "huge"])
async def test_a_picture_that_cannot_be_had_is_said_so_and_not_asked_for_again(within, media):
    played, who = await within(), openid()
    await played.hears(picture(who, media))
    await played.settled()
    assert spoken(service.conversation_of(who)) == [("patient", words.UNSEEN), ("system", words.asked("unseen"))]
    assert rows(select(images)) == []


@pytest.fixture
def impatient(monkeypatch):
    """What was left behind is looked for at once."""
    monkeypatch.setattr(intake_room, "LEFT_BEHIND", timedelta(seconds=0.2))
    monkeypatch.setattr(intake_room, "LATER", 1)
    monkeypatch.setattr(intake_room, "MOST_ATTEMPTS", 200)
    monkeypatch.setattr(intake_room, "LOOK_EVERY", 0.05)


@pytest.mark.parametrize("faults", [["500", "500"], [-1], ["hang"]])
async def test_a_picture_that_wechat_could_not_give_comes_later_and_the_patient_does_not_wait(
    within, impatient, monkeypatch, faults
):
    monkeypatch.setattr(intake_room, "PICTURE_SECONDS", 0.3)
    played, who = await within(), openid()
    played.wechat.errors["media"] = faults
    await played.hears(picture(who, "m"))
    await until(lambda: rows(select(lines)))
    chat = service.conversation_of(who)
    assert spoken(chat) == [("patient", "（图片）"), ("system", words.asked("unseen"))]
    await until(lambda: first_line(chat).data)
    assert base64.b64decode(rows(select(images))[0].content) == simulator.PICTURE
    await played.settled()
    assert len(rows(select(lines))) == 2


async def test_a_picture_that_comes_late_finds_nothing_of_who_has_unfollowed(within, impatient):
    played, who = await within(), openid()
    played.wechat.errors["media"] = [-1] * 1000
    await played.hears(picture(who, "m"))
    await until(lambda: rows(select(lines)) and who not in rows(select(intake.c.content))[0].content)
    await played.hears(event(who, "unsubscribe"))
    await until(lambda: service.conversation_of(who) is None)
    played.wechat.errors.clear()
    await played.settled()
    assert rows(select(images)) == []
    assert service.conversation_of(who) is None


async def test_in_a_rush_work_lets_acknowledgements_go_first_but_not_for_ever():
    rush = Rush()
    with rush:
        work = asyncio.create_task(rush.over(monotonic()))
        await asyncio.sleep(0.1)
        assert not work.done()
    await asyncio.wait_for(work, 0.5)
    with rush:
        await asyncio.wait_for(rush.over(monotonic() - ROOM), 0.5)


async def test_what_cannot_be_worked_on_is_tried_a_few_times_and_reported_once(within, monkeypatch):
    played, who = await within(), openid()
    monkeypatch.setattr(service, "work", lambda *_: 1 / 0)
    await played.hears(text(who, "您好"))
    later = now() + timedelta(hours=1)
    given = [len(left_behind(later, timedelta(0))) for _ in range(7)]
    assert given == [1] * 5 + [0] * 2
    assert [row.kind for row in rows(select(incidents))] == ["wechat_intake"]


@pytest.mark.parametrize("key", ["", "qrscene_book"])
async def test_case_14_a_follower_is_greeted_in_the_answer_and_a_scene_speaks_for_him(within, key):
    played, who = await within(), openid()
    message = event(who, "subscribe", EventKey=key, **({"Ticket": "t"} if key else {}))
    assert await played.hears(message) == words.greeting()
    assert await played.hears(message) == words.greeting()  # WeChat repeats when it has missed the first answer
    await played.settled()
    said = [("system", words.greeting())] + ([("patient", "我想预约挂号")] if key else [])
    assert spoken(service.conversation_of(who)) == said
    assert {row.state for row in rows(select(outbox.c.state))} == {"sent"}
    assert played.sent(who) == []


@pytest.mark.parametrize("name, key", [("CLICK", "say:book"), ("SCAN", "book")])
async def test_case_14_a_tap_or_a_scan_says_its_sentence(within, name, key):
    played, who = await within(), openid()
    await played.hears(event(who, name, EventKey=key))
    await played.settled()
    assert spoken(service.conversation_of(who)) == [("patient", "我想预约挂号")]


async def test_case_14_what_means_nothing_to_us_is_acknowledged_and_leaves_no_trace(within):
    played, who = await within(), openid()
    for name in ("LOCATION", "VIEW", "kf_create_session", "debug_demo", "subscribe_msg_popup_event"):
        for _ in range(20):
            assert await played.hears(event(who, name, EventKey="x", List={"Result": "accept"})) is None
    assert await played.hears(fields(who, "hologram", MsgId=3)) is None
    await played.hears(event(who, "CLICK", EventKey="gone"))
    await played.settled()
    assert rows(select(lines)) == []
    assert len(rows(select(intake))) == 1


async def test_case_15_who_unfollows_is_forgotten_and_nothing_is_sent(within):
    played, who = await within(), openid()
    await played.hears(text(who, "我想预约挂号"))
    await played.settled()
    chat = service.conversation_of(who)
    with writing() as conn:
        identity.give_consent(conn, chat, "health", now())
    await played.hears(event(who, "unsubscribe"))
    await played.settled()
    assert service.conversation_of(who) is None
    assert {said for _, said in spoken(chat)} == {GONE}
    assert rows(select(reach)) == rows(select(outbox)) == []
    assert {row.content for row in rows(select(intake.c.content))} == {None}
    with reading() as conn:
        assert not identity.has_consent(conn, chat)
    assert played.sent(who) == []
    await played.hears(text(who, "我回来了"))
    await played.settled()
    assert service.conversation_of(who) != chat


@pytest.mark.parametrize("way", ["menu", "title", "1", "回复 1", "回复1", "①", "１", "stale menu"])
async def test_case_16_a_choice_comes_back_as_the_button_and_counts_once(within, way):
    played, who = await within(), openid()
    await played.hears(text(who, "我想预约挂号"))
    await played.settled()
    chat = service.conversation_of(who)
    with writing() as conn:
        for token, title in (("t1", "心内科"), ("t2", "骨科")):
            step = row_of(chat).step
            conn.execute(
                buttons.insert().values(
                    token=token, conversation_id=chat, step=step, title=title, payload={"payload": "/x"}
                )
            )
    shown = {"buttons": [{"title": "心内科", "token": "t1"}, {"title": "骨科", "token": "t2"}]}
    played.say(who, Line("bot", "请问挂哪个科？", shown))
    (sent,) = await played.sends(who)
    first = sent["msgmenu"]["list"][0]
    assert [one["content"] for one in sent["msgmenu"]["list"]] == ["心内科", "骨科"]
    if way == "stale menu":
        played.say(who, Line("bot", "请问您贵姓？"))
        with writing() as conn:
            conn.execute(conversations.update().values(step=conversations.c.step + 1))
    tapped = "menu" in way
    answer = text(who, first["content"] if tapped else "心内科" if way == "title" else way)
    if tapped:
        answer["bizmsgmenuid"] = first["id"]
    await played.hears(answer)
    await played.hears(answer)
    await played.settled()
    _, row = rows(select(inbox).where(inbox.c.conversation_id == chat).order_by(inbox.c.id))
    assert (row.kind, row.text) == ("stale" if way == "stale menu" else "button", "心内科")


async def test_a_number_without_choices_and_one_beyond_them_are_plain_text(within):
    played, who = await within(), openid()
    played.say(who, "请问您几岁？")
    await played.hears(text(who, "1"))
    await played.settled()
    played.say(who, Line("bot", "请选择", {"buttons": [{"title": "心内科", "token": "t1"}]}))
    await played.settled()
    await played.hears(text(who, "9"))
    await played.settled()
    assert [row.kind for row in rows(select(inbox).order_by(inbox.c.id))] == ["text", "text"]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_case_20_a_message_delivered_to_two_processes_at_once_counts_once(within, kind):
    one = await within(kind)
    two = type(one)(type(one.channel)(one.channel.account), one.wechat)  # a second process on the same database
    await two.channel.start()
    try:
        who = openid()
        repeated = [text(who, f"第{number}句") for number in range(12)]
        await asyncio.gather(*(played.hears(each) for each in repeated for played in (one, two, one)))
        await one.settled()
        assert sorted(row.text for row in rows(select(inbox))) == sorted(each["Content"] for each in repeated)
        assert rows(select(func.count()).select_from(intake))[0][0] == 12
    finally:
        await two.channel.stop()


async def test_a_danger_sign_is_answered_in_the_acknowledgement_and_not_pushed(within):
    played, who = await within(), openid()
    message = text(who, "我胸口疼得厉害，喘不上气")
    said = await played.hears(message)
    assert "120" in said
    assert await played.hears(message) == said  # should the first answer have been lost
    await played.settled()
    chat = service.conversation_of(who)
    assert [sender for sender, _ in spoken(chat)] == ["patient", "system"]
    assert len(rows(select(alerts))) == 1
    assert rows(select(outbox.c.state)) == [("sent",)]
    assert played.wechat.sends == []


async def test_a_danger_text_whose_answer_nobody_can_vouch_for_is_pushed(within):
    played, who = await within(), openid()
    message = read(text(who, "我胸口疼得厉害，喘不上气"))
    played.wechat.enforce_quota = False
    service.work(played.channel.account, message, now(), False, now())  # taken up after a kill
    with writing() as conn:
        conn.execute(outbox.update().values(not_before=now()))
    (sent,) = await played.sends(who)
    assert "120" in sent["text"]["content"]


async def test_a_flood_by_one_patient_is_slowed_and_danger_still_comes_through(within):
    played, who = await within(), openid()
    played.channel.limit.seconds = 3600  # however long a busy machine takes for so many
    for number in range(played.channel.limit.count):
        await played.hears(text(who, f"第{number}句"))
    assert await played.hears(text(who, "再来一句")) == words.TOO_FAST
    assert "120" in await played.hears(text(who, "我胸口疼得厉害，喘不上气"))


# ---- who is bound


def verified(chat: str, name: str, relation: str) -> int:
    number = patient(name)
    with writing() as conn:
        conn.execute(
            links.insert().values(
                conversation_id=chat,
                patient_id=number,
                relation=relation,
                verified_at=now(),
                expires_at=now() + timedelta(hours=24),
            )
        )
    return number


async def test_several_relatives_are_bound_shown_and_unbound_by_taps(within):
    played, who = await within(), openid()
    chat = played.known(who)
    own, father = verified(chat, "王小明", ""), verified(chat, "王大国", "父亲")
    tap = event(who, "CLICK", EventKey="do:bind")
    await played.hears(tap)
    await played.hears(tap)
    await played.settled()
    with reading() as conn:
        assert [(one.patient_id, one.relation, one.lasting) for one in binding.bound(conn, chat, now())] == [
            (own, "", True),
            (father, "父亲", True),
        ]
    await played.sends(who)
    await played.hears(event(who, "CLICK", EventKey="do:persons"))
    bound, sent = await played.sends(who, 2)
    assert "本人" in bound["text"]["content"]
    assert "王小明" not in bound["text"]["content"]
    entry = sent["msgmenu"]["list"][1]
    assert "父亲" in entry["content"]
    await played.hears({**text(who, entry["content"]), "bizmsgmenuid": entry["id"]})
    await played.settled()
    with reading() as conn:
        assert [one.patient_id for one in binding.bound(conn, chat, now())] == [own]
    assert {"bound", "unbound"} <= {row.action for row in rows(select(audit.c.action))}
    assert rows(select(inbox)) == []


async def test_nobody_verified_means_nobody_bound_and_says_how(within):
    played, who = await within(), openid()
    await played.hears(event(who, "CLICK", EventKey="do:bind"))
    (sent,) = await played.sends(who)
    assert "绑定就诊人" in sent["text"]["content"]
    await until(lambda: rows(select(links)) == [])


async def test_the_same_person_on_web_and_wechat_is_one_and_a_relative_is_not(within):
    played, who = await within(), openid()
    chat, web = played.known(who), inbound.open_conversation("web", "v1", now())
    daughter = inbound.open_conversation("web", "v2", now())
    number = verified(chat, "王小明", "")
    for other, relation in ((web, ""), (daughter, "父亲")):
        with writing() as conn:
            conn.execute(
                links.insert().values(
                    conversation_id=other,
                    patient_id=number,
                    relation=relation,
                    verified_at=now(),
                    expires_at=now() + timedelta(hours=24),
                )
            )
    with reading() as conn:
        assert binding.same_person(conn, chat, now()) == [chat, web]
        assert binding.same_person(conn, daughter, now()) == [daughter]
