"""The desk's page on a bad line: cut sockets, a proxy that lets none through, a sign-in that ends elsewhere."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from bot.conversations import transcript
from bot.conversations.tables import conversations
from bot.storage.engine import reading, writing

BROKEN = "连接中断，正在重新连接……"
WIRE = "**/desk/api/wire*"


@pytest.fixture(autouse=True)
def empty_desk(hospital):
    """Nobody waits and nobody is served when a test begins."""
    with writing() as conn:
        conn.execute(update(conversations).values(holder="bot", agent_id=None, queued_at=None))


def _patient_lines(chat: str) -> list[str]:
    with reading() as conn:
        return [line.text for line in transcript.since(conn, chat, 0) if line.sender == "patient"]


def _shown(page) -> list[str]:
    return page.locator(".said.patient .bubble").all_text_contents()


def test_a_wire_that_is_cut_again_and_again_shows_every_line_once(hospital, seat):
    chat = hospital.waits("请问发票怎么开")
    agent = seat()
    page = agent.page
    sockets = []

    def through(socket) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket(WIRE, through)
    page.reload()  # from now on our hand is on the wire
    agent.take_next()
    for number in range(6):
        hospital.writes(chat, f"第{number}句")
        if number % 2:
            page.wait_for_timeout(100)
            sockets[-1].close(code=1001)
            expect(page.locator("#link")).to_have_text(BROKEN)
            if number == 1:
                agent.shot("cut")
        expect(page.locator(".said.patient").last).to_contain_text(f"第{number}句")
    expect(page.locator("#link")).to_be_empty()
    assert _shown(page) == _patient_lines(chat)
    assert len(sockets) == 4


def test_where_no_socket_gets_through_the_news_come_all_the_same(hospital, seat):
    chat = hospital.waits("请问发票怎么开")
    agent = seat()
    page, tries = agent.page, []

    def refuse(socket) -> None:
        tries.append(socket)
        socket.close()

    page.route_web_socket(WIRE, refuse)
    page.reload()
    agent.take_next()
    expect(page.locator("#link")).to_be_empty()
    hospital.writes(chat, "在吗")
    expect(page.locator(".said.patient").last).to_contain_text("在吗")
    other = hospital.waits("我也要人工")
    page.locator("#tab-queue").click()
    expect(page.locator("#queue li")).to_have_count(1)
    assert other != chat and tries


def test_signing_out_in_one_window_shows_the_gate_in_the_other(hospital, seat):
    hospital.waits("请问发票怎么开")
    agent = seat()
    agent.take_next()
    other = agent.context.new_page()
    other.goto(f"{agent.address}/desk")
    expect(other.locator("#mine li")).to_have_count(1)
    other.locator("#sign-out").click()
    other.get_by_role("dialog").get_by_role("button", name="退出").click()
    expect(agent.page.locator("#gate-error")).to_contain_text("请重新登录", timeout=5000)
    expect(agent.page.locator("#log li")).to_have_count(0)
