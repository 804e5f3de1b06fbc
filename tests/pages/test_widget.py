"""The chat in a real browser, against the real web process; the test plays the bot."""

import base64
import http.server
import re
import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.conversations.transcript import Line
from tests.channels.web.test_chat_http import EXACT
from tests.pages.browser import bubbles, open_chat, picture, token_of, write

PHONE = {"width": 375, "height": 740}
DESK = {"width": 1280, "height": 800}
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
NO_SOCKETS = "delete window.WebSocket"
FITS = """document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"""


def delivered(page: Page) -> None:
    expect(page.locator(".pending")).to_have_count(0)
    expect(page.locator(".state", has_text="已送达")).to_have_count(1)


def patient_texts(house, token: str) -> list[str]:
    return [line["text"] for line in house.lines(token) if line["sender"] == "patient"]


# ---- writing


def test_enter_that_takes_an_input_methods_candidate_sends_nothing(page, house):
    open_chat(page, house.url)
    page.get_by_role("textbox").focus()
    keyboard = page.context.new_cdp_session(page)
    keyboard.send("Input.imeSetComposition", {"text": "xin'nei'ke", "selectionStart": 10, "selectionEnd": 10})
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Process", "windowsVirtualKeyCode": 229})
    keyboard.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Enter", "windowsVirtualKeyCode": 13})
    keyboard.send("Input.insertText", {"text": "心内科"})
    # Safari ends the composition first and then reports the same Enter, with 229 as its only mark.
    page.get_by_role("textbox").evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"
    )
    page.wait_for_timeout(300)
    assert bubbles(page, "patient") == []
    expect(page.get_by_role("textbox")).to_have_value("心内科")
    page.get_by_role("textbox").press("Enter")
    delivered(page)
    assert bubbles(page, "patient") == ["心内科"]


def test_every_character_survives_the_way_there_and_back(page, house):
    open_chat(page, house.url)
    write(page, EXACT)
    delivered(page)
    house.answer(token_of(page), EXACT)
    expect(page.locator(".line.bot:not(.welcome) .bubble:not(.dots)")).to_have_count(1)
    assert bubbles(page, "patient") == [EXACT] and bubbles(page, "bot") == [EXACT]
    assert patient_texts(house, token_of(page)) == [EXACT]
    look = page.locator(".line.patient .bubble").evaluate("node => getComputedStyle(node).whiteSpace")
    assert look in ("pre-wrap", "break-spaces")


def test_shift_enter_makes_a_new_line_and_a_blank_message_stays(page, house):
    open_chat(page, house.url)
    write(page, "   ")
    box = page.get_by_role("textbox")
    box.fill("第一行")
    box.press("Shift+Enter")
    box.type("第二行")
    page.get_by_role("button", name="发送").click()
    delivered(page)
    assert bubbles(page, "patient") == ["第一行\n第二行"]


def test_near_4000_characters_a_counter_shows_and_beyond_nothing_is_cut_or_sent(page, house):
    open_chat(page, house.url)
    box = page.get_by_role("textbox")
    box.fill("字" * 3000)
    expect(page.locator("#count")).to_have_text("")
    box.fill("𠮷" * 3990)
    expect(page.locator("#count")).to_have_text("3990 / 4000")
    box.fill("字" * 4001)
    expect(page.locator("#count")).to_have_text("4001 / 4000")
    box.press("Enter")
    expect(box).to_have_value("字" * 4001)
    assert bubbles(page, "patient") == []


def test_first_steps_are_sent_as_plain_text(page, house):
    open_chat(page, house.url)
    assert page.evaluate("localStorage.getItem('daoyi-chat:session')") is None  # nothing is kept before a word is said
    page.get_by_role("button", name="预约挂号").click()
    delivered(page)
    assert patient_texts(house, token_of(page)) == ["我想预约挂号"]


# ---- nothing lost, nothing twice


def test_what_is_written_offline_waits_in_sight_and_is_sent_once_in_order(page, context, house):
    open_chat(page, house.url)
    write(page, "第一条")
    delivered(page)
    context.set_offline(True)
    write(page, "第二条")
    write(page, "第三条")
    expect(page.locator(".pending .state")).to_have_text(["等待网络，恢复后自动发送"] * 2)
    expect(page.get_by_text("网络恢复后会自动发送")).to_be_visible()
    context.set_offline(False)
    delivered(page)
    assert bubbles(page, "patient") == ["第一条", "第二条", "第三条"]
    assert patient_texts(house, token_of(page)) == ["第一条", "第二条", "第三条"]


def test_what_waits_survives_a_reload(page, context, house):
    open_chat(page, house.url)
    write(page, "第一条")
    delivered(page)
    page.route("**/chat/messages", lambda route: route.abort())
    page.evaluate("() => { WebSocket.prototype.send = () => { throw new Error('cut'); }; }")
    write(page, "第二条")
    page.unroute("**/chat/messages")
    page.reload()
    expect(page.locator(".line.patient .bubble")).to_have_text(["第一条", "第二条"])
    expect(page.locator(".pending")).to_have_count(0)
    assert patient_texts(house, token_of(page)) == ["第一条", "第二条"]


def test_an_answer_that_was_lost_leads_to_a_resend_and_to_one_message(page, house):
    page.add_init_script(NO_SOCKETS)
    open_chat(page, house.url)
    tries = []

    def lose_first(route):
        tries.append(route.request.post_data_json["client_id"])
        if len(tries) == 1:
            route.fetch()  # the desk has it, but nobody is told
            route.abort()
        else:
            route.continue_()

    page.route("**/chat/messages", lose_first)
    write(page, "只说一次")
    expect(page.locator(".line.patient .bubble")).to_have_text(["只说一次"])
    page.wait_for_timeout(2500)
    expect(page.locator(".line.patient .bubble")).to_have_text(["只说一次"])
    expect(page.locator(".pending")).to_have_count(0)
    assert len(set(tries)) == 1
    assert patient_texts(house, token_of(page)) == ["只说一次"]


def test_a_message_that_cannot_be_sent_says_so_and_can_be_sent_again(page, house):
    page.add_init_script(NO_SOCKETS)
    open_chat(page, house.url)
    page.route("**/chat/messages", lambda route: route.abort())
    write(page, "请帮我挂号")
    again = page.get_by_role("button", name="重试")
    expect(again).to_be_visible(timeout=20_000)
    expect(page.locator(".state.bad")).to_contain_text("未送达")
    picture(page, "widget-not-delivered")
    page.unroute("**/chat/messages")
    again.click()
    expect(page.locator(".pending")).to_have_count(0)
    assert patient_texts(house, token_of(page)) == ["请帮我挂号"]


def test_lines_missed_while_the_desk_was_down_appear_in_order_after_it_is_back(page, house):
    open_chat(page, house.url)
    write(page, "您好")
    delivered(page)
    token = token_of(page)
    house.process.kill()
    house.process.wait()
    house.say(token, Line("bot", "第一句"), Line("bot", "第二句"))
    write(page, "还在吗")
    house.start()
    expect(page.locator(".pending")).to_have_count(0, timeout=30_000)
    expect(page.locator(".line .bubble:not(.dots)")).to_have_text(
        [re.compile("请问有什么"), "您好", "第一句", "第二句", "还在吗"], timeout=30_000
    )
    house.say(token, Line("bot", "第三句"))
    expect(page.locator(".line.bot .bubble:not(.dots)").last).to_have_text("第三句")


def test_a_gap_in_the_numbers_is_filled_before_anything_after_it_is_shown(page, house):
    page.add_init_script(
        """const Real = window.WebSocket;
        window.WebSocket = class extends Real {
          set onmessage(hear) {
            super.onmessage = event => { if (!event.data.includes('丢失的一句') || !window.lost) hear(event); };
          }
        };"""
    )
    open_chat(page, house.url)
    write(page, "您好")
    delivered(page)
    page.evaluate("window.lost = true")
    house.say(token_of(page), Line("bot", "丢失的一句"))
    page.wait_for_timeout(300)
    assert bubbles(page, "bot") == []
    house.say(token_of(page), Line("bot", "后面一句"))
    expect(page.locator(".line.bot:not(.welcome) .bubble:not(.dots)")).to_have_text(["丢失的一句", "后面一句"])


def test_without_websockets_the_talk_goes_on_by_long_poll(page, house):
    page.add_init_script(NO_SOCKETS)
    open_chat(page, house.url)
    write(page, "您好")
    expect(page.locator(".pending")).to_have_count(0)
    house.answer(token_of(page), "您好，请讲")
    expect(page.locator(".line.bot:not(.welcome) .bubble:not(.dots)")).to_have_text(["您好，请讲"])


def test_two_tabs_of_one_browser_show_one_talk(page, context, house):
    open_chat(page, house.url)
    second = context.new_page()
    open_chat(second, house.url)
    write(page, "我在第一个窗口")
    expect(second.locator(".line.patient .bubble")).to_have_text(["我在第一个窗口"])
    write(second, "我在第二个窗口")
    expect(page.locator(".line.patient .bubble")).to_have_text(["我在第一个窗口", "我在第二个窗口"])


def test_a_void_session_starts_anew_and_shows_nothing_of_the_old(page, house):
    open_chat(page, house.url)
    write(page, "以前的话")
    delivered(page)
    page.evaluate("localStorage.setItem('daoyi-chat:session', JSON.stringify({token: 'x.y.z', expires: 9e15}))")
    page.reload()
    expect(page.get_by_text("您上次的对话已经结束")).to_be_visible()
    assert bubbles(page, "patient") == []
    write(page, "新的话")
    delivered(page)
    assert patient_texts(house, token_of(page)) == ["新的话"]


def test_ending_the_talk_leaves_nothing_in_the_browser(page, house):
    open_chat(page, house.url)
    write(page, "我在公用电脑上")
    delivered(page)
    page.get_by_role("button", name="设置").click()
    page.get_by_role("button", name="结束对话").click()
    page.get_by_role("button", name="确定结束").click()
    assert bubbles(page, "patient") == []
    assert "session" not in str(page.evaluate("Object.keys(localStorage)"))
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    assert bubbles(page, "patient") == []


def test_a_long_talk_opens_at_its_end_and_earlier_lines_are_a_button_away(page, house):
    open_chat(page, house.url)
    write(page, "您好")
    delivered(page)
    house.say(token_of(page), *[Line("bot", f"第{n}句") for n in range(2, 101)])
    expect(page.locator(".line.bot .bubble:not(.dots)").last).to_have_text("第100句")
    page.reload()
    expect(page.locator(".line.bot .bubble:not(.dots)").last).to_be_in_viewport()
    assert bubbles(page, "bot") == [f"第{n}句" for n in range(41, 101)]
    page.get_by_role("button", name="查看更早的消息").click()
    expect(page.get_by_role("button", name="查看更早的消息")).to_be_hidden()
    assert bubbles(page, "bot") == [f"第{n}句" for n in range(2, 101)]


# ---- what is shown


def test_a_tap_sends_its_token_and_ends_the_choice(page, house):
    open_chat(page, house.url)
    write(page, "挂号")
    delivered(page)
    token = token_of(page)
    house.answer(token, "请选择院区", titles=("东院", "西院"))
    page.get_by_role("button", name="东院").click()
    expect(page.locator(".choice", has_text="东院")).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".choice", has_text="西院")).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".choice.chosen")).to_have_text("东院")
    page.locator(".choice", has_text="西院").click(force=True)
    delivered(page)
    assert patient_texts(house, token) == ["挂号", "东院"]
    house.answer(token, "请选择时间", titles=("上午", "下午"))
    write(page, "下午吧")
    delivered(page)
    expect(page.locator(".choice", has_text="上午")).not_to_have_attribute("aria-disabled", "true")
    house.answer(token, "好的")
    expect(page.locator(".choice", has_text="上午")).to_have_attribute("aria-disabled", "true")
    page.reload()
    expect(page.locator(".choice")).to_have_count(4)
    expect(page.locator(".choice[aria-disabled=true]")).to_have_count(4)


def test_choices_stay_open_while_later_lines_of_the_same_answer_arrive(page, house):
    open_chat(page, house.url)
    write(page, "您好")
    delivered(page)
    buttons = {"buttons": [{"title": "确认", "token": "abc"}]}
    house.say(token_of(page), Line("bot", "请您确认", buttons), Line("bot", "确认后为您办理"))
    expect(page.get_by_text("确认后为您办理")).to_be_visible()
    expect(page.get_by_role("button", name="确认", exact=True)).to_be_enabled()


def test_danger_shows_a_large_button_that_calls_120_and_is_read_out(page, house):
    open_chat(page, house.url)
    write(page, "我爸胸口疼得直冒汗")
    call = page.locator(".card.danger a", has_text="拨打120")
    expect(call).to_be_in_viewport()
    assert call.get_attribute("href") == "tel:120"
    assert call.bounding_box()["height"] >= 44 and call.bounding_box()["width"] >= 200
    expect(page.locator("[role=alert]")).to_contain_text("120")


def test_an_address_that_is_no_telephone_or_web_page_becomes_no_link(page, house):
    open_chat(page, house.url)
    write(page, "您好")
    delivered(page)
    script = {"title": "点我", "url": "javascript:document.title='x'"}
    house.say(token_of(page), Line("bot", "<img src=x onerror=alert(1)>", {"buttons": [script]}))
    expect(page.get_by_role("button", name="点我")).to_be_visible()
    assert page.locator("a[href^=javascript]").count() == 0
    assert page.locator(".line.bot img").count() == 0
    assert bubbles(page, "bot") == ["<img src=x onerror=alert(1)>"]


def test_a_picture_is_fetched_with_the_session_and_has_words_for_the_blind(page, house):
    open_chat(page, house.url)
    write(page, "住院费用")
    delivered(page)
    house.answer(token_of(page), "您的费用构成如下", image=DOT)
    shown = page.get_by_role("img", name="住院费用构成图")
    expect(shown).to_have_js_property("naturalWidth", 1)


def test_typing_shows_while_the_bot_thinks(page, house):
    open_chat(page, house.url)
    write(page, "您好")
    expect(page.locator(".dots")).to_be_visible()
    house.answer(token_of(page), "您好，请讲")
    expect(page.locator(".dots")).to_be_hidden()


def test_the_hospitals_own_telephones_can_be_tapped(page, house):
    open_chat(page, house.url)
    write(page, "您好")
    delivered(page)
    house.say(token_of(page), Line("bot", "请拨打0550-8800000咨询，或0550-8800120。"))
    expect(page.locator(".line.bot .bubble a")).to_have_text(["0550-8800000", "0550-8800120"])
    assert bubbles(page, "bot") == ["请拨打0550-8800000咨询，或0550-8800120。"]


def test_large_type_and_high_contrast_are_remembered(page, house):
    open_chat(page, house.url)
    size = "node => parseFloat(getComputedStyle(node).fontSize)"
    assert page.locator(".welcome .bubble").evaluate(size) == 16
    page.get_by_role("button", name="大字").click()
    page.get_by_role("button", name="设置").click()
    page.get_by_role("button", name="高对比显示").click()
    page.reload()
    expect(page.get_by_role("button", name="大字")).to_have_attribute("aria-pressed", "true")
    assert page.locator(".welcome .bubble").evaluate(size) >= 20
    expect(page.locator(".panel.contrast")).to_be_visible()


def test_motion_stops_for_those_who_ask_for_it(page, house):
    page.emulate_media(reduced_motion="reduce")
    open_chat(page, house.url)
    assert page.locator(".dots i").first.evaluate("node => getComputedStyle(node).animationName") == "none"


def test_a_browser_without_constructed_style_sheets_looks_the_same(page, house):
    page.add_init_script("delete Document.prototype.adoptedStyleSheets; delete ShadowRoot.prototype.adoptedStyleSheets")
    open_chat(page, house.url)
    expect(page.locator(".bar")).to_have_css("display", "flex")


# ---- for everybody


def full_talk(page: Page, house) -> None:
    """One line of every kind."""
    write(page, "明天上午心内科有号吗")
    delivered(page)
    token = token_of(page)
    house.answer(token, "明天上午有两位医生出诊，请选择：", titles=("张建华主任医师", "李敏副主任医师"))
    page.get_by_role("button", name="张建华主任医师").click()
    house.answer(token, "费用构成如下", titles=("确认", "取消"), image=DOT)
    house.say(
        token,
        Line("system", "预约成功\n预约号：GH20261202-0012\n时间：12月2日 周三 09:10", meta={"turn": "t"}),
        Line("system", "您前面还有1位，请稍候。"),
        Line("system", "若症状加重，请拨打120。", {"buttons": [{"title": "拨打120", "uri": "tel:120"}]},
             {"danger": "chest", "definite": False}),
        Line("agent", "您好，我是客服，请问有什么可以帮您？", meta={"staff": 1}),
    )  # fmt: skip
    write(page, "我爸胸口疼得直冒汗")
    expect(page.locator(".card.danger")).to_be_visible()
    delivered(page)


@pytest.mark.parametrize(("name", "size"), [("375", PHONE), ("1280", DESK)])
@pytest.mark.parametrize("look", ["plain", "large and contrast"])
def test_axe_finds_nothing_to_object_to(page, house, name, size, look):
    page.set_viewport_size(size)
    open_chat(page, house.url)
    if look != "plain":
        page.get_by_role("button", name="大字").click()
        page.get_by_role("button", name="设置").click()
        page.get_by_role("button", name="高对比显示").click()
    first = Axe().run(page)
    assert first.violations_count == 0, first.generate_report()
    picture(page, f"widget-first-{look.split()[0]}-{name}")
    full_talk(page, house)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    picture(page, f"widget-talk-{look.split()[0]}-{name}")
    assert page.evaluate(FITS)


@pytest.mark.parametrize("size", [{"width": 320, "height": 640}, PHONE, DESK])
def test_everything_to_press_is_at_least_44_pixels_high(page, house, size):
    page.set_viewport_size(size)
    open_chat(page, house.url)
    page.get_by_role("button", name="设置").click()
    full_talk(page, house)
    small = page.evaluate(
        """() => Array.from(document.querySelector('daoyi-chat').shadowRoot.querySelectorAll('button, a, textarea'))
            .filter(node => node.offsetParent && !node.closest('.bubble, .body') && !node.classList.contains('picture'))
            .map(node => [node.textContent, node.getBoundingClientRect()])
            .filter(([_, box]) => box.height < 43.9 || box.width < 43.9).map(([text, box]) => text + box.width)"""
    )
    assert small == []
    assert page.evaluate(FITS)


def focused(page: Page) -> str:
    return page.evaluate(
        """() => { const at = document.querySelector('daoyi-chat').shadowRoot.activeElement;
            return at ? at.textContent || at.getAttribute('aria-label') || '' : ''; }"""
    )


def test_a_talk_needs_no_mouse(page, house):
    page.set_viewport_size(PHONE)
    open_chat(page, house.url)
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if seen[-1] == "请输入您的问题":
            break
    assert seen[:4] == ["大字", "设置", "120", "急诊 0550-8800120"]
    assert "预约挂号" in seen and seen[-1] == "请输入您的问题"
    outline = page.get_by_role("textbox").evaluate("node => getComputedStyle(node).outlineStyle")
    assert outline == "solid"
    page.keyboard.type("挂号")
    page.keyboard.press("Enter")
    delivered(page)
    house.answer(token_of(page), "请选择院区", titles=("东院", "西院"))
    expect(page.get_by_role("button", name="西院")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "西院"
    page.keyboard.press("Space")
    delivered(page)
    assert focused(page) == "西院"  # the focus is not lost with the choice
    assert patient_texts(house, token_of(page)) == ["挂号", "西院"]


# ---- embedded in another site


@pytest.fixture
def embedder(embedder_port, house):
    """A page of another origin that embeds the chat with one script tag."""
    body = f"""<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>医院首页</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <script src="{house.url}/chat/daoyi-chat.js" defer></script></head>
        <body><main><h1>医院首页</h1><a href="#x">新闻</a></main><daoyi-chat></daoyi-chat></body></html>""".encode()

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", embedder_port), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{embedder_port}/"
    server.shutdown()
    server.server_close()


def test_an_embedded_chat_opens_minimises_with_escape_and_counts_what_was_missed(page, house, embedder):
    page.goto(embedder)
    launcher = page.locator(".launch")
    expect(page.get_by_role("log")).to_be_hidden()
    launcher.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox")).to_be_focused()
    write(page, "您好")
    delivered(page)
    picture(page, "widget-embedded-1280")
    assert Axe().run(page).violations_count == 0
    page.keyboard.press("Escape")
    expect(page.get_by_role("log")).to_be_hidden()
    expect(launcher).to_be_focused()
    house.say(token_of(page), Line("bot", "第一句"), Line("agent", "第二句"))
    expect(page.locator(".badge")).to_have_text("2")
    expect(page.get_by_role("button", name="2条新消息")).to_be_visible()
    picture(page, "widget-launcher-1280")
    assert Axe().run(page).violations_count == 0
    launcher.click()
    expect(page.locator(".badge")).to_be_hidden()
    expect(page.get_by_text("第二句")).to_be_in_viewport()


def test_on_a_telephone_the_embedded_chat_fills_the_screen(page, house, embedder):
    page.set_viewport_size(PHONE)
    page.goto(embedder)
    picture(page, "widget-launcher-375")
    page.locator(".launch").click()
    page.wait_for_timeout(300)
    box = page.locator(".panel").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 375, 740)
    picture(page, "widget-embedded-375")
    assert Axe().run(page).violations_count == 0


def _answer_of(turn: str, *texts: str, intent: str = "faq/parking") -> list[Line]:
    return [Line("bot", text, meta={"turn": turn, "intent": intent, "confidence": 0.9}) for text in texts]


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_an_answer_that_did_not_help_is_one_tap_kept_with_its_line_and_a_person_is_offered(page, house, size):
    page.set_viewport_size(size)
    open_chat(page, house.url)
    write(page, "轮子放哪儿")
    delivered(page)
    house.say(token_of(page), *_answer_of("a", "轮椅在服务台借。", "有疑问请拨0550-8800000。"))
    house.say(token_of(page), *_answer_of("b", "您好", intent="greet"))
    expect(page.locator(".line.bot", has_text="您好")).to_have_count(2)
    press = page.get_by_role("button", name="没有帮助")
    expect(press).to_have_count(1)  # below the last line of the answer; a greeting is not asked about
    assert press.bounding_box()["height"] >= 44
    picture(page, f"widget-unhelpful-{size['width']}")
    press.focus()
    page.keyboard.press("Enter")
    thanks = page.locator(".rate")
    expect(thanks).to_contain_text("谢谢，我们会改进")
    expect(page.get_by_role("button", name="转人工")).to_be_focused()
    picture(page, f"widget-unhelpful-thanks-{size['width']}")
    assert Axe().run(page).response["violations"] == []
    assert [line.get("unhelpful") for line in house.lines(token_of(page))] == [None, False, True, None]
    page.get_by_role("button", name="转人工").click()
    delivered(page)
    assert patient_texts(house, token_of(page)) == ["轮子放哪儿", "转人工"]
    page.reload()
    expect(page.locator(".rate")).to_have_text(["谢谢，我们会改进。"])
