"""The desk in a real browser: sign in, see the alert, take, answer, give back; wide and narrow; axe finds nothing."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from sqlalchemy import select, update

from bot.conversations import holding, transcript
from bot.conversations.tables import conversations
from bot.settings import settings
from bot.storage.engine import reading, writing
from bot.tickets import service as tickets
from tests.bot.desk.house import House, build
from tests.pages.browser import OUTPUT

PAIN = "我爸胸口疼得直冒冷汗，怎么办"
TRACKER = {
    "slots": {
        "task": {
            "name": "book_appointment",
            "asked": "period",
            "facts": {"department": "cardiology", "date": "2026-11-24", "doctor_title": "expert", "symptom": ["心慌"]},
        },
        "suspended": [{"name": "complaint", "facts": {"event": "等了三个小时还没叫到我"}}],
        "memory": {"complained": True},
    },
    "last": {"intent": "book_appointment", "confidence": 0.97},
}


@pytest.fixture
def house(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        build(patch, tmp_path)
        house = House()
        house.start()
        yield house
        house.close()
    settings.cache_clear()


@pytest.fixture
def page(chromium):
    """A wide page; a script that fails or a policy that is broken fails the test."""
    page = chromium.new_page(viewport={"width": 1366, "height": 820}, locale="zh-CN", timezone_id="Asia/Shanghai")
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    page.close()
    assert faults == []


def _prepare(house) -> str:
    """Give a talk that waits, with all that the desk can show about it."""
    chat = house.patient("等了三个小时还没叫到我，太慢了")
    house.bot_says(chat, "非常抱歉，让您久等了。请问是在哪个科室呢？", intent="complaint/waiting", confidence=0.94)
    house.writes(chat, "算了，我想挂明天心内科的专家号，我叫王建国，电话13800000001")
    house.bot_says(
        chat, "好的，为您查明天的心血管内科专家号。请问您希望上午还是下午？", intent="book_appointment", confidence=0.97
    )
    house.writes(chat, "转人工")
    with writing() as conn:
        conn.execute(update(conversations).where(conversations.c.id == chat).values(tracker=TRACKER))
        tickets.draft(conn, chat, "complaint", "waiting", {"event": "等了三个小时"}, house.now(), "web")
        tickets.file(conn, chat, "suggestion", {"event": "多放几把椅子"}, house.now(), "web")
        holding.enqueue(conn, chat, "患者要求人工（预约挂号）", house.now(), priority=5)
    return chat


def _sign_in(page, house, number="1001", password="demo-agent-1001"):
    page.goto(f"{house.address}/desk")
    page.get_by_label("工号").fill(number)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="排队等候")).to_be_visible()


def _shot(page, name):
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"desk-{name}.png")


def _sound(page) -> list:
    found = Axe().run(page).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]


def test_an_agent_signs_in_takes_answers_and_gives_back(house, page):
    chat = _prepare(house)
    house.waits("发票丢了怎么补")
    page.goto(f"{house.address}/desk")
    expect(page.get_by_label("工号")).to_be_focused()
    _shot(page, "1-sign-in")
    assert _sound(page) == []
    page.get_by_label("工号").fill("1001")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert").filter(has_text="工号或密码有误")).to_be_visible()
    _sign_in(page, house)

    # The queue, then an alert while the page stands open.
    expect(page.locator("#queue li")).to_have_count(2)
    hurt = house.patient(PAIN)
    expect(page.locator(".alert.definite")).to_contain_text("危险信号：胸痛", timeout=5000)
    expect(page.locator("#queue li").first).to_have_class("queued danger")
    assert page.title().startswith("⚠")
    _shot(page, "2-queue-with-alert")
    assert _sound(page) == []
    page.get_by_role("button", name="立即接入").click()
    expect(page.locator("#alerts")).to_be_hidden()
    expect(page.locator("#chat-state")).to_contain_text("由您接待")
    _shot(page, "3-danger-taken")

    # Alt+T takes the next; the whole talk of the bot stands there, masked.
    page.keyboard.press("Alt+t")
    expect(page.locator("#log")).to_contain_text("等了三个小时还没叫到我")
    expect(page.locator("#log")).to_contain_text("理解为 预约挂号 97%")
    expect(page.locator("#log")).to_contain_text("人工客服王客服（工号1001）为您服务")
    expect(page.locator("#log")).to_contain_text("我叫王*国，电话138****0001")
    expect(page.locator("#panel")).to_contain_text("心血管内科")
    expect(page.locator("#panel")).to_contain_text("11月24日周二")
    expect(page.locator("#panel")).to_contain_text("草稿")
    expect(page.locator("#draft")).to_be_focused()

    # Advice first; the second press sends. Enter sends, Ctrl+Enter breaks the line, an input method keeps its Enter.
    page.keyboard.type("这个不知道")
    page.keyboard.press("Enter")
    expect(page.locator("#advice")).to_contain_text("不知道")
    _shot(page, "4-advice")
    assert _sound(page) == []
    page.locator("#draft").fill("您好，明天上午还有专家号")
    expect(page.locator("#advice")).to_be_empty()
    page.keyboard.press("Control+Enter")
    page.keyboard.type("请问您方便吗？")
    page.evaluate(
        "document.querySelector('#draft').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(page.locator("#draft")).to_have_value("您好，明天上午还有专家号\n请问您方便吗？")
    page.keyboard.press("Enter")
    expect(page.locator(".said.agent:not(.pending) .bubble")).to_have_text("您好，明天上午还有专家号\n请问您方便吗？")

    # The patient answers, live; in the other talk an unread mark appears.
    house.writes(chat, "方便，就上午吧")
    expect(page.locator("#log .said.patient").last).to_contain_text("方便，就上午吧", timeout=5000)
    house.writes(hurt, "救护车已经到了")
    expect(page.locator("#mine .badge")).to_have_text("未读1", timeout=5000)
    _shot(page, "5-live")
    assert _sound(page) == []

    page.get_by_role("button", name="结束并转回智能客服").click()
    page.get_by_label("问题已解决").check()
    _shot(page, "6-give-back")
    assert _sound(page) == []
    page.get_by_role("button", name="确认转回").click()
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#mine li")).to_have_count(1)
    with reading() as conn:
        row = conn.execute(select(conversations).where(conversations.c.id == chat)).one()
        last = transcript.latest(conn, chat, 1)[0]
    assert (row.holder, row.agent_id) == ("bot", None) and "已为您转回智能客服" in last.text


def test_what_is_typed_while_the_server_is_away_is_sent_once_when_it_is_back(house, page):
    chat = house.waits("请问发票怎么开")
    _sign_in(page, house)
    page.keyboard.press("Alt+t")
    expect(page.locator("#draft")).to_be_focused()
    house.stop()
    page.keyboard.type("您好，我帮您查一下。")
    page.keyboard.press("Enter")
    expect(page.locator(".said.agent.pending")).to_be_visible()
    expect(page.locator("#link")).to_have_text("连接中断，正在重新连接……", timeout=15000)
    _shot(page, "7-offline")
    house.writes(chat, "您还在吗")
    house.start()
    retry = page.get_by_role("button", name="重新发送")
    sent = page.locator(".said.agent:not(.pending)")
    expect(retry.or_(sent).first).to_be_visible(timeout=20000)
    if retry.is_visible():
        retry.click()
    expect(sent).to_have_count(1, timeout=15000)
    expect(page.locator(".said.patient").last).to_contain_text("您还在吗", timeout=15000)
    expect(page.locator("#link")).to_be_empty(timeout=15000)
    with reading() as conn:
        said = [line.text for line in transcript.since(conn, chat, 0) if line.sender == "agent"]
    assert said == ["您好，我帮您查一下。"]


def test_a_supervisor_takes_over_and_the_agents_page_says_so(house, chromium, page):
    house.waits("我要找你们领导")
    _sign_in(page, house)
    page.get_by_role("button", name="接入下一位").click()
    expect(page.locator("#chat-state")).to_contain_text("由您接待")
    other = chromium.new_page(viewport={"width": 1366, "height": 820}, locale="zh-CN")
    _sign_in(other, house, "9001", "demo-lead-9001")
    other.locator("#all-box summary").click()
    other.locator("#all .item").click()
    expect(other.locator("#chat-state")).to_contain_text("王客服（工号1001）接待中")
    _shot(other, "8-supervisor")
    assert _sound(other) == []
    other.on("dialog", lambda dialog: dialog.accept())
    other.get_by_role("button", name="接管会话").click()
    expect(other.locator("#chat-state")).to_contain_text("由您接待")
    expect(page.locator("#toast")).to_contain_text("李主管（工号9001）", timeout=6000)
    expect(page.locator("#mine li")).to_have_count(0)
    other.close()


def test_the_desk_can_be_used_on_a_narrow_screen(house, chromium):
    _prepare(house)
    house.patient(PAIN)
    page = chromium.new_page(viewport={"width": 375, "height": 740}, locale="zh-CN", has_touch=True)
    _sign_in(page, house)
    expect(page.locator(".alert")).to_be_visible()
    _shot(page, "9-narrow-lists")
    assert _sound(page) == []
    page.get_by_role("button", name="已知悉").click()
    page.locator("#queue li.high").get_by_role("button", name="接入").last.click()
    expect(page.locator("#draft")).to_be_visible()
    page.locator("#draft").fill("您好，我来帮您。")
    page.get_by_role("button", name="发送", exact=True).click()
    expect(page.locator(".said.agent:not(.pending)")).to_have_count(1)
    _shot(page, "10-narrow-chat")
    assert _sound(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.get_by_role("button", name="资料").click()
    expect(page.locator("#panel")).to_contain_text("心血管内科")
    _shot(page, "11-narrow-panel")
    assert _sound(page) == []
    page.get_by_role("button", name="返回会话").click()
    page.get_by_role("button", name="返回列表").click()
    expect(page.get_by_role("heading", name="我的会话")).to_be_visible()
    page.close()
