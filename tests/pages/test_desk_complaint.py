"""A whole complaint in two real browsers, with the real bot: first word, read-back, talk with a person, closed, rated.

The house is `daoyi serve` itself: web process and worker with the trained model, over a database of its own.
"""

import os
import subprocess
import sys
import time

import httpx
import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from bot.conversations.tables import ratings
from bot.nlu.training import ready_model
from bot.settings import ROOT, settings
from bot.staff import service as staff
from bot.storage.engine import reading, writing
from bot.storage.migrate import migrate
from bot.tickets.tables import tickets
from tests.bot.desk.house import ACCOUNTS, MORNING
from tests.channels.web.house import free_port
from tests.pages.browser import OUTPUT, bubbles, open_chat, write
from tests.pages.desk import Seat

START = 240  # seconds that a worker may take to load on a busy machine


@pytest.fixture
def served(tmp_path):
    """Give the address of a running Daoyi."""
    ready_model(progress=print)
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAOYI_DATABASE", f"sqlite:///{tmp_path}/daoyi.db")
        patch.setenv("DAOYI_SECRET_FILE", str(tmp_path / "secret.key"))
        settings.cache_clear()
        migrate()
        with writing() as conn:
            for number, name, role, password in ACCOUNTS:
                staff.add(conn, number, name, role, password)
        changed = {"DAOYI_PORT": str(port), "DAOYI_NOW": MORNING.isoformat(), "DAOYI_RATE_PER_MINUTE": "500"}
        with (tmp_path / "served.log").open("wb") as log:
            daoyi = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve"],
                cwd=ROOT,
                env={**os.environ, **changed},
                stdout=log,
                stderr=log,
            )
            try:
                _wait_until_ready(f"http://127.0.0.1:{port}", daoyi, tmp_path)
                yield f"http://127.0.0.1:{port}"
            finally:
                daoyi.terminate()
                daoyi.wait(30)
    settings.cache_clear()


def _wait_until_ready(address: str, daoyi: subprocess.Popen, folder) -> None:
    until = time.monotonic() + START
    while time.monotonic() < until and daoyi.poll() is None:
        try:
            if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise AssertionError((folder / "served.log").read_text(errors="replace")[-3000:])


def test_a_complaint_from_the_first_word_to_the_closed_ticket_and_the_rating(served, chromium):
    expect.set_options(timeout=60_000)
    context = chromium.new_context(viewport={"width": 420, "height": 860}, locale="zh-CN")
    patient = context.new_page()
    patient.set_default_timeout(60_000)
    said = patient.locator("daoyi-chat .line .bubble")
    log = patient.locator("daoyi-chat .lines")

    def shot(name: str) -> None:
        OUTPUT.mkdir(exist_ok=True)
        patient.screenshot(path=OUTPUT / f"complaint-{name}.png")

    # The patient tells it to the bot, which soothes, asks, reads back and registers.
    open_chat(patient, served)
    write(patient, "我要投诉，今天上午在心内科候诊等了三个小时没人管")
    expect(said.filter(has_text="非常抱歉")).to_be_visible()
    patient.get_by_role("button", name="了解原因").last.click()
    expect(said.filter(has_text="手机号").last).to_be_visible()
    write(patient, "13900000002")
    expect(said.filter(has_text="复述一遍")).to_contain_text("联系方式：已留")
    shot("1-read-back")
    patient.get_by_role("button", name="确认提交").last.click()
    expect(log).to_contain_text("投诉已登记")
    with reading() as conn:
        number = conn.execute(select(tickets.c.number).where(tickets.c.kind == "complaint")).scalar_one()
    write(patient, "转人工")
    expect(said.filter(has_text="人工").last).to_be_visible()
    shot("2-waits")

    # An agent takes the talk, sees the ticket beside it and answers.
    agent = Seat(chromium, served, "1001")
    page = agent.page
    expect(page.locator("#queue li")).to_have_count(1)
    agent.take_next()
    expect(page.locator("#log")).to_contain_text("三个小时没人管")
    agent.says("您好，您反映的候诊时间长的问题我看到了，非常抱歉让您久等。我马上请科室说明原因。")
    expect(said.filter(has_text="我马上请科室说明原因")).to_be_visible()
    expect(page.locator(".said.agent .mark").last).to_have_text("已读")
    patient.get_by_role("textbox").press_sequentially("好的")
    expect(page.locator("#typing")).to_be_visible()
    write(patient, "好的，谢谢")
    expect(page.locator("#log .said.patient").last).to_contain_text("好的，谢谢")
    page.locator("#tab-tickets").click()
    page.locator("#panel-body .item").filter(has_text=number).click()
    beside = page.locator(".ticket-beside")
    expect(beside).to_contain_text("投诉·等候与流程")
    expect(beside).to_contain_text("还剩5个工作日")
    agent.shot("beside")
    assert agent.sound() == []

    # The steps, one after the other; the patient hears of each.
    def step(name: str, label: str, text: str) -> None:
        page.locator(f"[data-step={name}]").click()
        box = page.get_by_role("dialog")
        field = box.get_by_label(label)
        if name in ("assign", "investigate"):
            field.select_option(field.locator("option").filter(has_text=text).get_attribute("value"))
        else:
            field.fill(text)
        box.locator("button[type=submit]").click()
        expect(box).to_have_count(0)

    step("assign", "承办人", "王客服")
    step("investigate", "调查人", "赵客服")
    step("answer", "处理意见", "两位医生参加抢救，叫号屏没有及时说明。")
    step(
        "feedback",
        "告知患者的结果",
        "非常抱歉让您久等。当天两位医生参加抢救，叫号屏没有及时说明。今后由分诊护士每15分钟说明一次。",
    )
    expect(log).to_contain_text("今后由分诊护士")
    expect(log).to_contain_text("正在调查核实")  # he has heard of every step
    shot("3-result")
    step("close", "改进措施", "叫号延误时由分诊护士每15分钟口头说明一次。")
    expect(beside.locator(".flags").first).to_contain_text("已办结")
    page.keyboard.press("Alt+e")
    box = agent.dialog("结束接待，转回智能客服")
    box.get_by_label("已登记工单，后续跟进").check()
    box.get_by_label("请患者评价").uncheck()
    box.get_by_role("button", name="确认转回").click()
    expect(page.locator("#mine li")).to_have_count(0)

    # The patient says how satisfied he is; the desk shows it with the ticket.
    expect(log).to_contain_text("这件事的处理满意吗")
    patient.get_by_role("button", name="满意", exact=True).last.click()
    expect(log).to_contain_text("谢谢您的评价")
    shot("4-rated")
    with reading() as conn:
        row = conn.execute(select(tickets).where(tickets.c.number == number)).one()
        rating = conn.execute(select(ratings).where(ratings.c.kind == "ticket", ratings.c.ref == row.id)).one()
    assert (row.state, rating.score) == ("closed", 4)
    agent.go("tickets")
    page.locator("#ticket-list-closed").click()
    page.locator(".ticket-list .item").filter(has_text=number).click()
    expect(page.locator(".ticket-detail")).to_contain_text("4分")
    agent.shot("rated")
    agent.close()
    assert bubbles(patient, "patient")[0] == "我要投诉，今天上午在心内科候诊等了三个小时没人管"
    context.close()
    expect.set_options(timeout=5000)
