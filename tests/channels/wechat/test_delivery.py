"""From the outbox to WeChat (cases 23 to 32, 35, 36): tokens, errors, quota, splitting, notices, passive answers."""

import asyncio
import base64
import json
import time
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from bot.clock import now
from bot.conversations import inbound, transcript
from bot.conversations import outbox as box
from bot.conversations.outbox import Quota
from bot.conversations.tables import conversations, images, incidents, outbox, reach
from bot.conversations.transcript import Line
from bot.storage.engine import reading, writing
from channels.wechat import client, delivery, passive, replies, tokens, words
from channels.wechat.account import EVENT, MESSAGE
from channels.wechat.notices import Notice, fitted
from channels.wechat.tables import notices
from channels.wechat.tables import tokens as token_table
from tests.channels.wechat.house import event, openid, rows, text
from tests.channels.wechat.inside import Inside, until

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Waits are shortened; what they are for stays."""
    monkeypatch.setattr(client, "PAUSES", (0.02, 0.05))
    monkeypatch.setattr(tokens, "AFTER_FAILURE", 0.0)


def states() -> list[str]:
    return [row.state for row in rows(select(outbox).order_by(outbox.c.id))]


def quota_of(chat: str, moment=None) -> Quota:
    with reading() as conn:
        return box.quota(conn, chat, moment or now())


# ---- what a turn becomes


async def test_case_23_eight_bubbles_leave_as_one_message_and_nothing_as_nothing(within):
    played, who = await within(), openid()
    played.say(who, *(f"第{number}句话。" for number in range(8)))
    (sent,) = await played.sends(who)
    assert sent["text"]["content"].count("句话。") == 8
    assert sent["aimsgcontext"] == {"is_ai_msg": 1}
    played.say(who, Line("bot", "  "))
    await until(lambda: states()[-1] == "sent")
    assert len(played.sent(who)) == 1


async def test_an_agents_line_says_that_a_person_writes_and_is_not_marked_as_generated(within):
    played, who = await within(), openid()
    played.say(who, Line("agent", "您好，我来帮您查。", meta={"staff": 1}))
    (sent,) = await played.sends(who)
    assert sent["text"]["content"] == "人工客服：您好，我来帮您查。"
    assert "aimsgcontext" not in sent


async def test_a_receipt_in_the_middle_of_a_turn_leaves_with_the_turns_answer(within):
    played, who = await within(), openid()
    played.say(who, Line("system", "预约成功\n预约号：A1", meta={"turn": "t"}))
    await asyncio.sleep(0.4)
    played.say(who, "已为您约好。")
    (sent,) = await played.sends(who)
    assert sent["text"]["content"] == "预约成功\n预约号：A1\n\n已为您约好。"


async def test_a_chart_leaves_as_an_uploaded_picture_after_its_text(within):
    played, who = await within(), openid()
    chat = played.known(who)
    with writing() as conn:
        conn.execute(images.insert().values(token="p1", conversation_id=chat, content=as_base64(PNG), at=now()))
    played.say(who, Line("bot", "费用构成如下。", {"image": {"token": "p1", "alt": "图"}}), "请问还有什么可以帮到您？")
    first, picture, last = await played.sends(who, 3)
    assert first["text"]["content"] == "费用构成如下。"
    assert played.wechat.media[picture["image"]["media_id"]] == len(PNG)
    assert last["text"]["content"].startswith("请问")


def as_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


# ---- tokens


async def test_case_24_fifty_at_once_fetch_one_token(within):
    played = await within()
    got = await asyncio.gather(*(played.channel.client.tokens.get() for _ in range(50)))
    assert len(set(got)) == played.wechat.token_fetches == 1
    assert len(got[0]) > 100


async def test_case_24_two_processes_share_the_token(within):
    played = await within()
    other = client.Client(played.channel.account)
    try:
        await asyncio.gather(played.channel.client.tokens.get(), other.tokens.get())
        assert played.wechat.token_fetches == 1
    finally:
        await other.close()


@pytest.mark.parametrize("grace", [True, False])
async def test_case_25_and_26_a_token_that_died_is_fetched_once_and_the_message_sent_once(within, grace):
    played, who = await within(), openid()
    played.say(who, "一")
    await played.sends(who)
    played.wechat.grace = grace
    played.wechat.tokens += ["N1" * 60, "N2" * 60]  # somebody else asked by force: ours is dead either way
    others = [openid() for _ in range(8)]
    for other in others:
        played.say(other, "二")
    for other in others:
        assert len(await played.sends(other)) == 1
    assert played.wechat.token_fetches == 2


@pytest.mark.parametrize("code", [40001, 42001])
async def test_case_25_a_token_that_is_refused_for_good_ends_after_two_fetches_with_an_alarm(within, code):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [code] * 50
    played.say(who, "一")
    await until(lambda: rows(select(incidents)) and states() != ["sending"])
    assert played.wechat.token_fetches <= 3
    assert len([one for one in played.wechat.calls if one["path"] == "send"]) == 2
    assert "access token" in rows(select(incidents))[0].detail or str(code) in rows(select(incidents))[0].detail
    assert states() == ["waiting"]  # not lost: tried again later


@pytest.mark.parametrize(
    "answer", ["500", {"errcode": 45009}, {"errcode": 40164, "errmsg": "ip rid: 1"}, {"errcode": 89503}]
)
async def test_case_27_a_token_endpoint_that_fails_delays_and_loses_nothing(within, answer):
    played, who = await within(), openid()
    played.wechat.token_answers = [answer, answer]
    played.say(who, "一")
    await until(lambda: rows(select(outbox.c.error))[0].error)
    assert states() == ["waiting"]
    assert bool(rows(select(incidents))) == (answer not in ("500", {"errcode": 45009}))
    await later(played, who)


async def test_case_27_a_token_endpoint_that_hangs_is_left_alone_after_its_time(within, monkeypatch):
    played, who = await within(), openid()
    played.channel.client._http._timeout = client.aiohttp.ClientTimeout(total=0.2)
    played.wechat.token_answers = ["hang", "hang"]
    played.say(who, "一")
    await until(lambda: rows(select(outbox.c.error))[0].error == "-2")
    await later(played, who)


async def later(played: Inside, who: str) -> None:
    """The moment that a batch was put off to has come."""
    played.wechat.token_answers.clear()
    played.wechat.errors.clear()
    with writing() as conn:
        conn.execute(update(outbox).where(outbox.c.state == "waiting").values(not_before=now()))
        conn.execute(update(token_table).values(lease_until=None))
    assert len(await played.sends(who)) == 1


# ---- errors


@pytest.mark.parametrize("code", [45015, 45047])
async def test_case_28_outside_the_window_it_is_held_until_the_patient_writes(within, code):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [code]
    chat = played.say(who, "您的投诉有了进展。")
    await until(lambda: states() == ["held"])
    assert quota_of(chat).left == 0
    assert quota_of(chat).held == 1
    await played.hears(text(who, "你好"))
    (sent,) = await played.sends(who)
    assert sent["text"]["content"] == "您的投诉有了进展。"


@pytest.mark.parametrize("code", [45011, 45009, 48001, 48004, 40164, 50002])
async def test_case_28_what_may_pass_is_tried_later_and_alarms_are_written_once(within, code):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [code] * 3
    played.say(who, "一")
    await until(lambda: rows(select(outbox.c.error))[0].error == str(code))
    assert states() == ["waiting"]
    assert rows(select(outbox.c.not_before))[0].not_before > now() + timedelta(seconds=20)
    assert len(rows(select(incidents))) == (0 if code in (45011, 45009) else 1)
    await later(played, who)


@pytest.mark.parametrize("code", [48002, 40003, 43004, 43019, 44004])
async def test_case_28_a_patient_who_cannot_be_reached_is_given_up(within, code):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [code]
    played.say(who, "一")
    await until(lambda: states() == ["dropped"])
    assert rows(select(outbox.c.parcels))[0].parcels is None
    assert len(rows(select(incidents))) == (1 if code == 44004 else 0)


@pytest.mark.parametrize("faults", [[-1], [-1, -1], ["500"], ["html"], [-1, "500"]])
async def test_case_28_a_busy_or_broken_answer_is_repeated_a_little(within, faults):
    played, who = await within(), openid()
    played.wechat.errors["send"] = list(faults)
    played.say(who, "一")
    await played.sends(who)
    assert states() == ["sent"] or await until(lambda: states() == ["sent"]) is None
    assert len([one for one in played.wechat.calls if one["path"] == "send"]) == len(faults) + 1


async def test_case_28_repetition_is_bounded(within):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [-1] * 50
    played.say(who, "一")
    await until(lambda: rows(select(outbox.c.error))[0].error == "-1")
    assert len([one for one in played.wechat.calls if one["path"] == "send"]) == 3
    assert states() == ["waiting"]


async def test_case_28_an_answer_that_comes_too_late_may_double_one_message(within):
    played, who = await within(), openid()
    await played.channel.client.tokens.get()
    played.channel.client._http._timeout = client.aiohttp.ClientTimeout(total=0.3)
    played.wechat.errors["send"] = ["late"]
    played.say(who, "一")
    await until(lambda: states() == ["sent"])
    assert len(played.sent(who)) == 2


async def test_case_28_too_long_by_wechats_own_measure_is_sent_in_halves(within):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [45002]
    played.say(who, "一句话。" * 100)
    first, second = await played.sends(who, 2)
    assert first["text"]["content"] + second["text"]["content"] == "一句话。" * 100


async def test_choices_are_numbered_where_the_account_may_not_send_menus(within):
    played, who = await within(), openid()
    played.wechat.errors["send"] = [40200]
    shown = {"buttons": [{"title": "心内科", "token": "t1"}, {"title": "骨科", "token": "t2"}]}
    played.say(who, Line("bot", "请问挂哪个科？", shown))
    (sent,) = await played.sends(who)
    assert sent["text"]["content"] == "请问挂哪个科？\n\n请回复数字选择：\n1. 心内科\n2. 骨科"
    played.say(who, Line("bot", "再问一次？", shown))
    await played.sends(who, 2)
    assert len([one for one in played.wechat.calls if one["path"] == "send"]) == 3  # it is not tried again


# ---- the ledger


async def test_case_29_five_sends_a_message_and_the_sixth_waits_for_the_next(within):
    played, who = await within(), openid()
    chat = played.known(who)
    for number in range(6):
        append(chat, f"第{number}句")
        played.wechat.allow({"MsgType": "text", "FromUserName": who})
        await until(lambda n=number: len(played.sent(who)) == min(n + 1, 5) and set(states()) <= {"sent", "held"})
    assert states() == ["sent"] * 5 + ["held"]
    assert len([one for one in played.wechat.calls if one["path"] == "send"]) == 5  # not even asked
    await played.hears(text(who, "在吗"))
    assert (await played.sends(who, 6))[-1]["text"]["content"] == "第5句"


def append(chat: str, said: str) -> None:
    with writing() as conn:
        transcript.append(conn, chat, [Line("bot", said)], now())


async def test_case_29_the_windows_run_out_by_the_clock_and_the_shorter_is_used_first(within):
    played, who = await within(), openid()
    chat, start = played.known(who), now()
    with writing() as conn:
        box.heard(conn, chat, MESSAGE, True, start)
        box.heard(conn, chat, EVENT, False, start)
    assert quota_of(chat, start) == Quota(((3, start + timedelta(minutes=1)), (5, start + timedelta(hours=48))), 0, 0)
    with writing() as conn:
        assert box.spend(conn, chat, start)
    row = rows(select(reach))[0]
    assert (row.message_left, row.event_left) == (5, 2)
    assert quota_of(chat, start + timedelta(seconds=61)).left == 5
    with writing() as conn:
        assert [box.spend(conn, chat, start + timedelta(minutes=2)) for _ in range(6)] == [True] * 5 + [False]
        box.heard(conn, chat, MESSAGE, True, start)
        assert not box.spend(conn, chat, start + timedelta(hours=48, seconds=1))
    assert quota_of(chat, start + timedelta(hours=49)) == Quota((), 0, 0)


async def test_case_29_a_menu_tap_does_not_renew_the_48_hours(within):
    played, who = await within(), openid()
    chat = played.known(who)
    with writing() as conn:
        conn.execute(update(reach).values(message_left=1))
    await played.hears({**text(who, "满意"), "bizmsgmenuid": "101"})
    await played.settled()
    row = rows(select(reach))[0]
    assert (row.message_left, row.event_left) == (1, 3)
    await played.hears(text(who, "你好"))
    await played.settled()
    assert rows(select(reach.c.message_left))[0].message_left == 5
    assert quota_of(chat).left == 8


async def test_a_web_talk_has_no_outbox_and_no_quota(within):
    await within()
    chat = web_talk()
    append(chat, "您好")
    assert states() == []
    assert quota_of(chat) is None


def web_talk() -> str:
    return inbound.open_conversation("web", "v1", now())


# ---- the body


async def test_case_30_the_body_is_raw_utf8_and_types_are_in_lower_case(within):
    played, who = await within(), openid()
    played.say(who, "您好😀“引号”\\反斜杠", Line("bot", "选", {"buttons": [{"title": "心内科", "token": "t"}]}))
    await played.sends(who)
    (call,) = [one for one in played.wechat.calls if one["path"] == "send"]
    assert "您好😀“引号”" in call["raw"]
    assert "\\u" not in call["raw"]
    assert '"msgtype":"msgmenu"' in call["raw"]
    assert json.loads(call["raw"])["msgmenu"]["head_content"].startswith("您好😀“引号”\\反斜杠")
    assert played.wechat.faults == []


def test_case_31_long_answers_are_divided_at_sentence_ends_and_links_stay_whole():
    link = "https://www.hospital.example/guide/" + "a" * 80
    long = "".join(f"第{number}条说明，请您按照这个步骤办理。" for number in range(60)) + link + "。" + "好。" * 400
    pieces = replies.divide(long)
    assert all(replies.size(piece) <= 2000 for piece in pieces)
    assert "".join(pieces) == long
    assert all(piece.endswith("。") for piece in pieces)
    assert sum(link in piece for piece in pieces) == 1
    family = "👨‍👩‍👧‍👦" * 300
    assert "".join(replies.divide(family)) == family
    assert all(not piece.startswith("\u200d") for piece in replies.divide(family))
    assert all(replies.size(piece) <= 2000 for piece in replies.divide("啊" * 5000))


def test_what_a_patient_wrote_cannot_plant_a_link_and_markdown_is_not_shown():
    assert (
        replies.plain('**注意** <a href="https://x.example">点我</a> 3<5')
        == '注意 ＜a href="https://x.example">点我＜/a> 3<5'
    )


async def test_case_32_typing_is_shown_while_the_patient_waits_and_its_errors_matter_to_nobody(within, monkeypatch):
    monkeypatch.setattr(delivery, "TYPING_AFTER", 0.2)
    played, who, quick = await within(), openid(), openid()
    await played.hears(text(who, "我想预约挂号"))
    await until(lambda: [one for one in played.wechat.calls if one["path"] == "typing"])
    await played.answer(who, "好的，请问您想挂哪个科？")
    await played.sends(who)
    await played.hears(text(quick, "我想预约挂号"))
    await played.settled()
    await played.answer(quick, "好的。")
    await played.sends(quick)
    await asyncio.sleep(0.4)
    typed = [one["touser"] for one in played.wechat.calls if one["path"] == "typing"]
    assert typed == [who]


# ---- notices


def test_case_35_fields_are_fitted_before_wechat_can_refuse_them():
    assert fitted("thing1", "心血管内科门诊二楼东侧第三诊室请提前到达候诊") == "心血管内科门诊二楼东侧第三诊室请提前到…"
    assert len(fitted("thing1", "长" * 50)) == 20
    assert fitted("phrase2", "处理中（第二次）") == "处理中第二"
    assert fitted("character_string3", "工单 C20261122-01") == "C20261122-01"
    assert fitted("number4", "") == "0"
    assert fitted("phrase2", "abc") == "已更新"
    assert fitted("thing1", "\n") == "请点开查看"


FIELDS = {"character_string1": "{number}", "phrase2": "{state}", "thing3": "{tip}"}
FACTS = {
    "number": "C20261122-001",
    "state": "处理中啦啦啦",
    "tip": "您的工单有了新的进展，请您打开链接登录后查看详细内容。",
}


@pytest.mark.parametrize("way", ["template", "subscribe"])
async def test_case_35_a_notice_goes_out_when_the_window_is_closed_and_its_result_is_recorded(within, way):
    notice = Notice("ticket_progress", way, "tmpl1", FIELDS, "https://www.hospital.example/t")
    played, who = await within(notices={"ticket_progress": notice}), openid()
    chat = played.known(who)
    with writing() as conn:
        box.exhausted(conn, chat)
        meta = {"notice": {"kind": "ticket_progress", "facts": FACTS}}
        transcript.append(conn, chat, [Line("system", "您的投诉有了进展。", meta=meta)], now())
    await until(lambda: states() == ["held"])
    (sent,) = played.wechat.notices
    assert sent["path"].endswith("template/send" if way == "template" else "subscribe/bizsend")
    assert sent["data"]["phrase2"]["value"] == "处理中啦啦"
    assert rows(select(notices.c.result)) == [("sent",)]
    report = event(who, "TEMPLATESENDJOBFINISH", MsgID="9001", Status="failed:user block")
    await played.hears(report)
    await played.settled()
    assert rows(select(notices.c.result)) == [("failed:user block",)]
    assert played.sent(who) == []


async def test_case_35_a_refused_subscription_is_recorded(within):
    notice = Notice("ticket_progress", "subscribe", "tmpl1", FIELDS, "")
    played, who = await within(notices={"ticket_progress": notice}), openid()
    chat = played.known(who)
    played.wechat.errors["notice"] = [43101]
    with writing() as conn:
        box.exhausted(conn, chat)
        meta = {"notice": {"kind": "ticket_progress", "facts": FACTS}}
        transcript.append(conn, chat, [Line("system", "您的投诉有了进展。", meta=meta)], now())
    await until(lambda: states() == ["held"])
    assert rows(select(notices.c.result)) == [("43101",)]


# ---- passive answers


async def test_case_36_a_quick_answer_leaves_in_the_acknowledgement_and_costs_no_quota(within):
    played, who = await within(passive_ms=3000), openid()
    played.known(who)
    answered = asyncio.create_task(played.hears(text(who, "你们几点上班")))
    await played.answer(who, "门诊每天上午八点开始。")
    assert await answered == "门诊每天上午八点开始。"
    await asyncio.sleep(0.4)
    assert played.sent(who) == []
    assert rows(select(reach.c.message_left))[0].message_left == 5


async def test_case_36_an_answer_that_comes_too_late_for_it_is_pushed_once(within):
    played, who = await within(passive_ms=300), openid()
    played.known(who)
    started = time.monotonic()
    assert await played.hears(text(who, "你们几点上班")) is None
    assert time.monotonic() - started < 2
    await played.answer(who, "门诊每天上午八点开始。")
    assert len(await played.sends(who)) == 1
    await asyncio.sleep(0.4)
    assert len(played.sent(who)) == 1


async def test_an_account_without_push_says_answer_1_and_keeps_the_rest(within, monkeypatch):
    monkeypatch.setattr(passive, "UNVERIFIED_SECONDS", 0.4)
    played, who = await within(verified=False), openid()
    assert await played.hears(text(who, "你们几点上班")) == words.WAITING
    await played.answer(who, "门诊每天上午八点开始。" * 100)
    first = await played.hears(text(who, "1"))
    assert first.endswith(words.MORE)
    assert replies.size(first) <= 2048
    second = await played.hears({**text(who, "1")})
    assert first.removesuffix(words.MORE) + second == "门诊每天上午八点开始。" * 100
    assert played.wechat.calls == []
    assert set(states()) == {"sent"}
    with writing() as conn:
        conn.execute(conversations.update().values(waiting_since=None))


async def test_a_choice_is_numbered_for_an_account_without_push(within, monkeypatch):
    monkeypatch.setattr(passive, "UNVERIFIED_SECONDS", 3)
    played, who = await within(verified=False), openid()
    asked = asyncio.create_task(played.hears(text(who, "我想预约挂号")))
    await until(lambda: not asked.done() and rows(select(conversations.c.waiting_since)))
    played.say(who, Line("bot", "请问挂哪个科？", {"buttons": [{"title": "心内科", "token": "t1"}]}))
    assert await asked == "请问挂哪个科？\n\n请回复数字选择：\n1. 心内科"
