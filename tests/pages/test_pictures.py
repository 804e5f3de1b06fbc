"""A picture on its way from the patient's telephone to the agent's screen, in two real browsers."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from bot.clock import now
from bot.conversations import holding, pictures
from bot.settings import settings
from bot.storage.engine import writing
from channels.web import sessions, store
from tests.bot.desk.house import House, build
from tests.pages.browser import open_chat, picture, token_of, write
from tests.pages.desk import PHONE, Seat

PASTE = """(node, bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], 'image.png', {type: 'image/png'}));
    node.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """A hospital with desk and chat open on a Monday morning."""
    with pytest.MonkeyPatch.context() as patch:
        build(patch, tmp_path_factory.mktemp("pictures"))
        hospital = House(chat=True)
        hospital.start()
        yield hospital
        hospital.close()
    settings.cache_clear()


def report(size: tuple[int, int] = (900, 1200), kind: str = "JPEG") -> bytes:
    """Give what a patient photographs."""
    page = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(page)
    pen.rectangle((20, 20, size[0] - 20, size[1] - 20), outline="black", width=6)
    for place in range(120, size[1] - 120, 80):
        pen.rectangle((80, place, size[0] - 80 - place // 6, place + 24), fill=(60, 90, 160))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone"
    page.save(out, kind, **({"exif": exif.tobytes()} if kind == "JPEG" else {}))
    return out.getvalue()


def shown(place) -> int:
    """Give how wide a picture is, once the browser has it."""
    expect(place).to_be_visible()
    place.scroll_into_view_if_needed()
    place.page.wait_for_function("img => img.complete && img.naturalWidth > 0", arg=place.element_handle())
    return place.evaluate("img => img.naturalWidth")


def test_a_patient_sends_a_picture_and_the_agent_sees_it_in_the_talk(hospital, page, seat):
    page.set_viewport_size(PHONE)
    open_chat(page, hospital.address)
    expect(page.get_by_role("button", name="添加图片")).to_be_visible()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="添加图片").click()
    chooser.value.set_files({"name": "report.jpg", "mimeType": "image/jpeg", "buffer": report()})
    assert shown(page.locator(".line.patient .picture img")) == 900
    expect(page.locator(".card .body")).to_have_text(pictures.ASKED)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator(".card").scroll_into_view_if_needed()
    picture(page, "picture-sent")
    chat = _chat_of(page)
    page.get_by_role("button", name="转人工").click()  # its words are the patient's own
    expect(page.locator(".line.patient .bubble").last).to_have_text("转人工")
    _queue(hospital, chat)
    agent: Seat = seat()
    agent.take_next()
    assert shown(agent.page.locator(".said.patient .image img")) == 900
    agent.shot("picture")
    page.get_by_role("textbox").evaluate(PASTE, list(report((64, 64), "PNG")))
    second = agent.page.locator(".said.patient .image img").nth(1)
    assert shown(second) == 64
    expect(page.locator(".card .body")).to_have_count(1)  # who is served by a person is told nothing
    expect(page.locator(".pending")).to_have_count(0)
    with agent.page.expect_popup() as popup:
        second.click()
    assert popup.value.evaluate("document.contentType") == "image/jpeg"


def test_a_large_photograph_is_made_smaller_before_it_leaves_the_telephone(hospital, page, tmp_path):
    open_chat(page, hospital.address)
    photo = tmp_path / "photo.png"
    Image.effect_noise((2800, 2100), 90).convert("RGB").save(photo)
    assert photo.stat().st_size > pictures.MOST_BYTES
    with page.expect_request("**/chat/pictures*") as sent:
        page.locator("input[type=file]").set_input_files(photo)
    assert shown(page.locator(".line.patient .picture img")) == 2000
    assert sent.value.headers["content-type"] == "image/jpeg"


def test_what_is_no_picture_is_said_so_kindly_and_not_sent(hospital, page):
    open_chat(page, hospital.address)
    page.locator("input[type=file]").set_input_files(
        {"name": "notes.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"}
    )
    expect(page.locator(".notice")).to_contain_text("这张图片没有发出")
    expect(page.locator(".line.patient")).to_have_count(0)
    page.locator("input[type=file]").set_input_files(
        {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff broken"}
    )
    expect(page.locator(".state.bad")).to_contain_text("这张图片没有读出来")
    page.get_by_role("button", name="取消").click()
    expect(page.locator(".line.patient")).to_have_count(0)


def test_words_do_not_wait_behind_a_picture_that_takes_long(hospital, page):
    open_chat(page, hospital.address)
    held = []
    page.route("**/chat/pictures*", lambda route: held.append(route))
    page.locator("input[type=file]").set_input_files(
        {"name": "report.jpg", "mimeType": "image/jpeg", "buffer": report()}
    )
    expect(page.locator(".pending")).to_have_count(1)
    write(page, "我胸口疼得厉害，喘不上气")
    expect(page.locator(".card.danger")).to_be_visible()
    held[0].continue_()
    shown(page.locator(".line.patient .picture img"))
    expect(page.locator(".pending")).to_have_count(0)


def _chat_of(page) -> str:
    return store.conversation_of(sessions.visitor_of(token_of(page), now()))


def _queue(hospital, chat: str) -> None:
    """Do what the worker would: put the talk into the queue."""
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", hospital.now())
