"""Serving a patient on WeChat in a real browser: what may still be sent, what else can be done, the same person on the web."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert, update

from bot.conversations import holding, outbox, person
from bot.conversations.outbox import Allowance
from bot.conversations.tables import conversations, reach
from bot.patients.tables import links, patients
from bot.storage.engine import writing
from tests.bot.desk.test_wechat import sent
from tests.pages.desk import PHONE


@pytest.fixture(autouse=True)
def empty_desk(hospital):
    with writing() as conn:
        conn.execute(update(conversations).values(holder="bot", agent_id=None, queued_at=None))


@pytest.fixture
def waiting(hospital) -> str:
    chat = hospital.follower("住院押金要交多少", "转人工")
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", hospital.now())
    return chat


def test_what_wechat_lets_through_is_counted_down_and_then_other_ways_are_shown(hospital, seat, waiting):
    agent = seat()
    page = agent.page
    agent.take_next()
    sent(waiting, hospital.now())
    quota = page.locator("#quota")
    expect(quota).to_contain_text("微信还可以发送4条")
    expect(quota).to_contain_text("还剩47小时59分")
    with writing() as conn:
        outbox.heard(conn, waiting, Allowance(3, timedelta(minutes=1)), False, hospital.now())
    expect(quota).to_contain_text("微信还可以发送7条")
    with writing() as conn:
        soon = hospital.now() + timedelta(seconds=40)
        conn.execute(
            update(reach)
            .where(reach.c.conversation_id == waiting)
            .values(message_left=2, message_until=soon, event_left=0)
        )
    expect(quota).to_contain_text("微信还可以发送2条（还剩3")
    seconds = quota.text_content()
    expect(quota).not_to_have_text(seconds)
    agent.shot("quota")
    agent.says("押金在一楼出入院处交，请带好身份证。")
    sent(waiting, hospital.now())
    agent.says("请问还有什么可以帮到您？")
    sent(waiting, hospital.now())
    expect(page.locator("#quota-out")).to_contain_text("现在发送患者收不到")
    page.locator("#draft").fill("这句先写好。")
    expect(page.locator("#send")).to_be_disabled()
    page.locator("#draft").press("Enter")
    expect(page.locator(".said.agent")).to_have_count(2)
    expect(page.locator("#draft")).to_have_value("这句先写好。")
    assert agent.sound() == []
    agent.shot("quota-out")
    page.get_by_role("button", name="登记工单，请同事跟进").click()
    expect(page.locator("#new-ticket")).to_be_focused()
    hospital.writes(waiting, "好的，谢谢")
    with writing() as conn:
        outbox.heard(conn, waiting, Allowance(5, timedelta(hours=48)), True, hospital.now())
    expect(page.locator("#quota-out")).to_be_empty()
    page.locator("#draft").press("Enter")
    expect(page.locator(".said.agent:not(.pending)")).to_have_count(3)


def test_the_end_comes_while_the_page_is_open(hospital, seat, waiting):
    agent = seat(size=PHONE)
    agent.page.locator("#take-next").click()
    expect(agent.page.locator("#quota")).to_be_visible()
    with writing() as conn:
        end = hospital.now() + timedelta(seconds=5)
        conn.execute(update(reach).where(reach.c.conversation_id == waiting).values(message_until=end))
    expect(agent.page.locator("#quota-out")).to_contain_text("已超过时间")
    assert agent.sound() == []
    agent.shot("quota-phone")


def _verify(hospital, *chats: str) -> None:
    with writing() as conn:
        him = conn.execute(insert(patients).values(name="王建国", created_at=hospital.now())).inserted_primary_key[0]
        until = hospital.now() + timedelta(hours=4)
        for chat in chats:
            values = dict(patient_id=him, relation="", verified_at=hospital.now(), expires_at=until)
            conn.execute(insert(links).values(conversation_id=chat, **values))


def test_one_person_on_two_channels_is_one_patient_with_a_switch(hospital, seat, waiting):
    web = hospital.patient("上午在网页上问过，押金要交多少")
    hospital.bot_says(web, "住院押金按科室收取，请您到一楼出入院处办理。")
    hospital.writes(waiting, "转人工")
    _verify(hospital, waiting, web)
    agent = seat()
    page = agent.page
    agent.take_next()
    switch = page.get_by_role("group", name="同一位患者的会话")
    expect(switch.get_by_role("button", pressed=True)).to_contain_text("微信")
    expect(switch.get_by_role("button", pressed=True)).to_contain_text("最近")
    expect(page.locator("#goes-to")).to_contain_text("回复会发到微信")
    assert agent.sound() == []
    agent.shot("person")

    switch.get_by_role("button", name="网页").click()
    expect(page.locator(".said.bot")).to_contain_text("住院押金按科室收取")
    expect(page.locator("#chat-state")).to_contain_text("智能客服接待中")
    expect(page.locator("#composer")).to_be_hidden()
    switch.get_by_role("button", name="微信").click()
    expect(page.locator("#composer")).to_be_visible()

    hospital.writes(web, "我换到网页上了")
    page.locator("#draft").fill("正在写的话")
    assert person.follow(web, hospital.now())  # as the worker does
    expect(page.locator("#goes-to")).to_contain_text("患者最近在网页上写，从这里发的回复会到微信。")
    agent.shot("person-elsewhere")
    page.locator("#draft").fill("")
    page.get_by_role("button", name="到网页回复").click()
    expect(page.locator("#goes-to")).to_contain_text("回复会发到网页")
    agent.says("您好，在网页上说也可以。")

    hospital.writes(waiting, "又回到微信了")
    expect(page.locator("#goes-to")).to_contain_text("回复会发到微信")
    expect(page.locator(".said.patient").last).to_contain_text("又回到微信了")
    assert agent.sound() == []
