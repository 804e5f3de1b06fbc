"""Serving a patient on WeChat in a real browser: what may still be sent, and what else can be done."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from bot.conversations import holding, outbox
from bot.conversations.outbox import Allowance
from bot.conversations.tables import conversations, reach
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
