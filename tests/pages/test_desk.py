"""Serving patients in a real browser: sign in, take, answer with advice, notes, transfer, give back, be cut off."""

import os
import struct
import time
import zlib

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from bot.conversations import holding, marks, transcript
from bot.conversations.tables import conversations, notes
from bot.storage.engine import reading, writing
from bot.tickets import service as tickets
from tests.pages.desk import PHONE

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


@pytest.fixture(autouse=True)
def empty_desk(hospital):
    """Nobody waits and nobody is served when a test begins; every alarm has been looked at."""
    with writing() as conn:
        conn.execute(update(conversations).values(holder="bot", agent_id=None, queued_at=None))
        conn.exec_driver_sql("UPDATE alerts SET seen_by = 1")


def _prepare(hospital) -> str:
    """Give a talk that waits, with all that the desk can show about it."""
    chat = hospital.patient("等了三个小时还没叫到我，太慢了")
    hospital.bot_says(chat, "非常抱歉，让您久等了。请问是在哪个科室呢？", intent="complaint/waiting", confidence=0.94)
    hospital.writes(chat, "算了，我想挂明天心内科的专家号，我叫王建国，电话13800000001")
    hospital.bot_says(
        chat,
        "好的，为您查明天的心血管内科专家号。请问您希望上午还是下午？",
        intent="book_appointment",
        confidence=0.97,
        entities=[{"entity": "department", "text": "心内科", "value": "cardiology"}],
    )
    hospital.writes(chat, "转人工")
    with writing() as conn:
        conn.execute(update(conversations).where(conversations.c.id == chat).values(tracker=TRACKER))
        tickets.draft(conn, chat, "complaint", "waiting", {"event": "等了三个小时"}, hospital.now(), "web")
        tickets.file(conn, chat, "suggestion", {"event": "多放几把椅子"}, hospital.now(), "web")
        holding.enqueue(conn, chat, "患者要求人工（预约挂号）", hospital.now(), priority=5)
    return chat


def _noise(width: int, height: int) -> bytes:
    """Give a PNG that cannot be packed."""
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


def _row(chat: str):
    with reading() as conn:
        return conn.execute(select(conversations).where(conversations.c.id == chat)).one()


def test_the_gate_refuses_a_wrong_password_kindly(hospital, seat):
    agent = seat()
    page = agent.page
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("密码")).to_be_focused()
    agent.shot("sign-in")
    assert agent.sound() == []
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert").filter(has_text="工号或密码有误")).to_be_visible()


def test_an_agent_takes_answers_and_gives_back(hospital, seat):
    chat = _prepare(hospital)
    hospital.waits("发票丢了怎么补")
    agent = seat()
    page = agent.page
    expect(page.locator("#queue li")).to_have_count(2)
    hurt = hospital.patient(PAIN)
    expect(page.locator(".alert.definite")).to_contain_text("危险信号：胸痛")
    expect(page.locator("#queue li").first).to_have_class("queued danger")
    expect(page.locator("#queue li").nth(1)).to_contain_text("患者要求人工（预约挂号）")
    assert page.title().startswith("⚠")
    agent.shot("queue")
    assert agent.sound() == []
    page.get_by_role("button", name="立即接入").click()
    expect(page.locator("#chat-state")).to_contain_text("由您接待")
    expect(page.locator(".said.patient.danger .bubble")).to_have_text(PAIN)
    agent.shot("danger")

    # Alt+T takes the next; the whole talk of the bot stands there, masked.
    page.keyboard.press("Alt+t")
    expect(page.locator("#log")).to_contain_text("等了三个小时还没叫到我")
    expect(page.locator("#log")).to_contain_text("理解为 预约挂号 97%")
    expect(page.locator("#log")).to_contain_text("人工客服王客服（工号1001）为您服务")
    expect(page.locator("#log")).to_contain_text("我叫王*国，电话138****0001")
    expect(page.locator("#panel")).to_contain_text("心血管内科")
    expect(page.locator("#panel")).to_contain_text("11月24日周二")
    expect(page.locator("#draft")).to_be_focused()
    page.get_by_text("听到1项").click()
    expect(page.locator(".heard .facts")).to_have_text("科室心内科 → 心血管内科")
    agent.shot("heard")
    page.locator("#draft").focus()

    # Advice comes while he writes; the first press sends nothing, the second would.
    page.keyboard.type("这个不知道")
    expect(page.locator("#advice mark")).to_have_text("不知道")
    page.keyboard.press("Enter")
    expect(page.locator("#send")).to_have_text("仍然发送")
    expect(page.locator("#advice .rule")).to_have_text("R15")
    agent.shot("advice")
    assert agent.sound() == []

    # Enter sends, Ctrl+Enter breaks the line, an input method keeps its Enter.
    page.locator("#draft").fill("您好，明天上午还有专家号")
    expect(page.locator("#send")).to_have_text("发送")
    page.keyboard.press("Control+Enter")
    page.keyboard.type("请问您方便吗？")
    page.evaluate(
        "document.querySelector('#draft').dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, isComposing: true, bubbles: true, cancelable: true}))"
    )
    expect(page.locator("#draft")).to_have_value("您好，明天上午还有专家号\n请问您方便吗？")
    page.keyboard.press("Enter")
    said = page.locator(".said.agent:not(.pending)")
    expect(said.locator(".bubble")).to_have_text("您好，明天上午还有专家号\n请问您方便吗？")

    # Sent, delivered, read; the patient types and answers; in the other talk an unread mark appears.
    expect(said.locator(".mark")).to_have_text("已发送")
    seq = int(said.get_attribute("data-seq"))
    with writing() as conn:
        marks.move(conn, chat, patient_got=seq)
    expect(said.locator(".mark")).to_have_text("已送达")
    with writing() as conn:
        marks.move(conn, chat, patient_read=seq)
        marks.typing(conn, chat, "patient", hospital.now())
    expect(said.locator(".mark")).to_have_text("已读")
    expect(page.locator("#typing")).to_be_visible()
    hospital.writes(chat, "方便，就上午吧")
    expect(page.locator("#log .said.patient").last).to_contain_text("方便，就上午吧")
    hospital.writes(hurt, "救护车已经到了")
    expect(page.locator("#mine .badge")).to_have_text("未读1")
    agent.shot("talk")
    assert agent.sound() == []

    page.keyboard.press("Alt+e")
    box = agent.dialog("结束接待，转回智能客服")
    box.get_by_role("button", name="确认转回").click()
    expect(box).to_be_visible()  # without an outcome nobody goes
    box.get_by_label("问题已解决").check()
    box.get_by_label("小结").fill("已帮患者约好明天上午的专家号。")
    agent.shot("give-back")
    assert agent.sound() == []
    box.get_by_role("button", name="确认转回").click()
    expect(page.locator("#nothing")).to_be_visible()
    expect(page.locator("#mine li")).to_have_count(1)
    row = _row(chat)
    assert (row.holder, row.agent_id) == ("bot", None)


def test_two_agents_press_at_once_and_the_loser_is_told_who_won(hospital, seat):
    chat = hospital.waits("医保卡消磁了怎么办")
    one, other = seat("1001"), seat("1002")
    for each in (one, other):
        expect(each.page.locator("#queue li")).to_have_count(1)
    both = time.time() * 1000 + 1500
    for each in (one, other):
        each.page.evaluate(
            "at => void setTimeout(() => document.querySelector('#queue .take').click(), at - Date.now())", both
        )
    for each in (one, other):
        expect(each.page.locator("#queue li")).to_have_count(0)
    held = _row(chat)
    winner, loser = (one, other) if held.agent_id == 1 else (other, one)
    name = "王客服（工号1001）" if winner is one else "赵客服（工号1002）"
    expect(winner.page.locator("#mine li")).to_have_count(1)
    expect(loser.page.locator("#toast")).to_contain_text(f"这位患者已由{name}接待")
    expect(loser.page.locator("#mine li")).to_have_count(0)
    loser.shot("taken")


def test_notes_tags_canned_words_and_what_is_behind_the_mask(hospital, seat):
    chat = _prepare(hospital)
    agent = seat()
    page = agent.page
    agent.take_next()

    # "/" finds a canned reply, its variables filled.
    page.locator("#draft").press_sequentially("/ask")
    expect(page.locator("#canned li")).to_have_count(1)
    agent.shot("canned")
    assert agent.sound() == []
    page.keyboard.press("Enter")
    expect(page.locator("#draft")).to_have_value("这件事需要核实后答复您。我向上一级请示，有结果马上告诉您，好吗？")
    expect(page.locator("#canned")).to_be_hidden()
    page.locator("#draft").fill("")
    page.locator("#canned-open").click()
    expect(page.locator("#canned li").first).to_contain_text("王客服，工号1001")
    page.keyboard.press("Escape")
    expect(page.locator("#canned")).to_be_hidden()

    # A reason opens the mask and goes into the audit.
    page.get_by_role("button", name="查看原文").click()
    box = agent.dialog("查看完整信息")
    box.get_by_label("查看理由").fill("电话")
    box.get_by_role("button", name="查看", exact=True).click()
    expect(box).to_be_visible()
    box.get_by_label("查看理由").fill("电话联系患者需要号码")
    box.get_by_role("button", name="查看", exact=True).click()
    expect(agent.dialog("完整信息")).to_contain_text("13800000001")
    agent.shot("unmasked")
    page.get_by_role("button", name="知道了").click()
    assert "138****0001" in page.locator("#log").inner_text()

    # A note for colleagues only, a tag, and both are there when the talk is opened anew.
    page.keyboard.press("Alt+n")
    page.get_by_label("写备注").fill("女儿在外地，请发短信联系。")
    page.get_by_role("button", name="保存备注").click()
    expect(page.locator(".note")).to_contain_text("女儿在外地")
    expect(page.locator("#panel-notes-count")).to_have_text("1")
    agent.shot("notes")
    assert agent.sound() == []
    page.locator("#tab-facts").click()
    page.get_by_label("新标签").fill("需回电")
    page.get_by_role("button", name="添加").click()
    expect(page.locator(".chip")).to_contain_text("需回电")
    with reading() as conn:
        assert (
            conn.execute(select(notes.c.text).where(notes.c.conversation_id == chat)).scalar()
            == "女儿在外地，请发短信联系。"
        )
        assert all("女儿" not in line.text for line in transcript.since(conn, chat, 0))

    # Chinese words find the line again.
    page.keyboard.press("Alt+s")
    page.keyboard.type("心内科")
    page.keyboard.press("Enter")
    expect(page.locator("#search-found .hit mark").first).to_have_text("心内科")
    agent.shot("search")
    assert agent.sound() == []
    page.locator("#search-found .item").last.click()
    expect(page.locator(".found-line")).to_contain_text("心内科")
    page.locator("#search-words").press("Escape")
    expect(page.locator("#list-box")).to_be_visible()


def test_a_suggested_draft_and_a_picture_are_sent_by_hand_only(hospital, seat):
    chat = hospital.patient("停车怎么收费")
    hospital.bot_says(chat, "停车的收费标准请看院门口的公示。", intent="faq/parking", confidence=0.91)
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", hospital.now())
    agent = seat()
    page = agent.page
    agent.take_next()
    expect(page.locator("#suggestion")).to_contain_text("参考回复（常见问题·停车，把握 91%）")
    agent.shot("suggestion")
    assert agent.sound() == []
    text = page.locator("#suggestion p").text_content()
    page.get_by_role("button", name="采用").click()
    expect(page.locator("#draft")).to_have_value(text)
    expect(page.locator(".said.agent")).to_have_count(0)
    page.locator("#draft").fill("")

    noise = _noise(1200, 900)
    assert len(noise) > 240 * 1024  # too large as it is: the page makes it smaller
    file = {"name": "路线图.png", "mimeType": "image/png", "buffer": noise}
    page.locator("#picture-file").set_input_files(file)
    box = agent.dialog("发送图片")
    box.get_by_role("button", name="发送").click()
    expect(box).to_be_visible()  # not without words for who cannot see it
    box.get_by_label("图片说明").fill("停车场到门诊的路线图")
    assert agent.sound() == []
    box.get_by_role("button", name="发送").click()
    shown = page.locator(".said.agent:not(.pending) .image img")
    expect(shown).to_have_attribute("alt", "停车场到门诊的路线图")
    expect(shown).to_have_js_property("complete", True)
    assert shown.evaluate("image => image.naturalWidth") > 400


def test_a_notice_of_the_system_says_nothing_about_the_patient(hospital, seat):
    agent = seat()
    page = agent.page
    page.evaluate(
        """() => {
            window.shown = [];
            window.Notification = class { constructor(title, given) { window.shown.push(title + given.body); } };
            window.Notification.permission = 'granted';
            window.Notification.requestPermission = async () => 'granted';
        }"""
    )
    hospital.waits("我叫王建国，想问问报告")
    expect(page.locator("#queue li")).to_have_count(1)
    assert page.evaluate("window.shown") == []  # nobody has asked for notices, and he looks at the page
    page.get_by_role("button", name="设置").click()
    box = agent.dialog("设置")
    box.get_by_label("桌面通知").check()
    box.get_by_role("button", name="保存").click()
    expect(box).to_have_count(0)
    page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    hospital.waits("我叫李秀英，想退号")
    expect(page.locator("#queue li")).to_have_count(2)
    assert page.evaluate("window.shown") == ["有患者在排队请到工作台接入。"]


def test_a_talk_is_transferred_with_a_note(hospital, seat):
    chat = hospital.waits("住院押金怎么退")
    agent, colleague = seat("1001"), seat("1002")
    agent.take_next()
    agent.page.locator("#transfer").click()
    box = agent.dialog("转接会话")
    box.get_by_label("转给").select_option(label="赵客服（客服，接待中 0/5）")
    box.get_by_label("给同事的说明").fill("押金单已核对，请帮忙查到账时间。")
    agent.shot("transfer")
    assert agent.sound() == []
    box.get_by_role("button", name="转接", exact=True).click()
    expect(agent.page.locator("#mine li")).to_have_count(0)
    colleague.page.locator("#tab-mine").click()
    colleague.page.locator("#mine .item").click()
    expect(colleague.page.locator("#log")).to_contain_text("由人工客服赵客服（工号1002）继续为您服务")
    colleague.page.locator("#tab-notes").click()
    expect(colleague.page.locator(".note")).to_contain_text("请帮忙查到账时间")
    assert _row(chat).agent_id == 2


def test_what_is_typed_while_the_server_is_away_is_sent_once_when_it_is_back(hospital, seat):
    chat = hospital.waits("请问发票怎么开")
    agent = seat()
    page = agent.page
    agent.take_next()
    hospital.stop()
    page.locator("#draft").fill("您好，我帮您查一下。")
    page.keyboard.press("Enter")
    expect(page.locator(".said.agent.pending")).to_be_visible()
    expect(page.locator("#link")).to_have_text("连接中断，正在重新连接……")
    agent.shot("offline")
    hospital.writes(chat, "您还在吗")
    hospital.start()
    retry = page.get_by_role("button", name="重新发送")
    sent = page.locator(".said.agent:not(.pending)")
    expect(retry.or_(sent).first).to_be_visible()
    if retry.is_visible():
        retry.click()
    expect(sent).to_have_count(1)
    expect(page.locator(".said.patient").last).to_contain_text("您还在吗")
    expect(page.locator("#link")).to_be_empty()
    with reading() as conn:
        said = [line.text for line in transcript.since(conn, chat, 0) if line.sender == "agent"]
    assert said == ["您好，我帮您查一下。"]


def test_a_supervisor_takes_over_and_the_agents_page_says_so(hospital, seat):
    hospital.waits("我要找你们领导")
    agent, lead = seat("1001"), seat("9001")
    agent.take_next()
    lead.page.locator("#tab-all").click()
    lead.page.locator("#all .item").filter(has_text="王客服").click()
    expect(lead.page.locator("#chat-state")).to_contain_text("王客服（工号1001）接待中")
    assert lead.sound() == []
    lead.page.get_by_role("button", name="接管会话").click()
    lead.dialog("接管会话").get_by_role("button", name="接管", exact=True).click()
    expect(lead.page.locator("#chat-state")).to_contain_text("由您接待")
    expect(agent.page.locator("#toast")).to_contain_text("李主管（工号9001）")
    expect(agent.page.locator("#mine li")).to_have_count(0)


def test_everything_is_reached_by_keyboard(hospital, seat):
    first, second = hospital.waits("停车收费吗"), hospital.waits("食堂几点开门")
    agent = seat()
    page = agent.page
    page.keyboard.press("?")
    box = agent.dialog("快捷键")
    expect(box).to_contain_text("接入下一位患者")
    agent.shot("keys")
    assert agent.sound() == []
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    for _ in range(2):
        page.keyboard.press("Alt+t")
        expect(page.locator("#draft")).to_be_focused()
        page.wait_for_timeout(300)
    expect(page.locator("#mine li")).to_have_count(2)
    page.keyboard.press("Alt+j")
    expect(page.locator("#mine .item").first).to_have_class("item opened")
    page.keyboard.press("Alt+k")
    expect(page.locator("#mine .item").last).to_have_class("item opened")
    page.locator("#tab-queue").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-mine")).to_be_focused()
    expect(page.locator("#mine-box")).to_be_visible()
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    assert {_row(first).holder, _row(second).holder} == {"agent"}


def test_the_desk_can_be_used_on_a_phone(hospital, seat):
    _prepare(hospital)
    hospital.patient(PAIN)
    agent = seat("1001", PHONE)
    page = agent.page
    expect(page.locator(".alert")).to_be_visible()
    agent.shot("phone-queue")
    assert agent.sound() == []
    page.get_by_role("button", name="已知悉").click()
    page.locator("#queue li.high .take").click()
    expect(page.locator("#draft")).to_be_visible()
    agent.says("您好，我来帮您。")
    agent.shot("phone-talk")
    assert agent.sound() == []
    page.get_by_role("button", name="资料").click()
    expect(page.locator("#panel")).to_contain_text("心血管内科")
    agent.shot("phone-panel")
    assert agent.sound() == []
    page.get_by_role("button", name="返回会话").click()
    page.get_by_role("button", name="返回列表").click()
    expect(page.locator("#tab-mine")).to_be_visible()
    small = page.evaluate(
        """() => [...document.querySelectorAll('#desk button, #rail a')].filter(each => each.offsetParent
            && !each.classList.contains('link-like') && each.getBoundingClientRect().height < 38).map(each => each.textContent)"""
    )
    assert small == []
