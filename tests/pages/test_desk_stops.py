"""停诊 in a real browser: choose, see how many are told, confirm, watch who is reached, take it back."""

from playwright.sync_api import expect

from tests.bot.outreach.house import book, cancel, clinic, person, swept
from tests.bot.outreach.house import wrote as wrote_at
from tests.pages.desk import PHONE

DAY = "2026-11-26"


def test_a_supervisor_stops_a_half_day_and_sees_who_could_not_be_reached(hospital, seat):
    _, places = clinic(places=3, day=DAY)
    clinic(places=2, day=DAY, doctor="d001", slot_class="expert")
    people = [person(now=hospital.now()) for _ in places]
    bookings = [book(place, *one, hospital.now()) for place, one in zip(places, people)]
    for chat, _ in people[:2]:
        wrote_at(chat, hospital.now())  # the third has not been here: he is to be called at once
    lead = seat("9001")
    page = lead.page
    lead.go("stops")
    page.get_by_label("日期").fill(DAY)
    row = page.get_by_role("row").filter(has_text="刘桂芳")
    expect(row).to_contain_text("3位")
    page.get_by_label("医生或科室").fill("刘")
    expect(page.get_by_role("row").filter(has_text="出诊")).to_have_count(1)
    assert lead.sound() == []

    row.get_by_role("button", name="停诊").click()
    box = lead.dialog("停诊：11月26日周四上午 刘桂芳主任医师")
    expect(box).to_contain_text("3位约了号的患者会马上收到通知")
    box.get_by_role("button", name="停诊并通知3位").click()
    expect(box).to_be_visible()  # a reason is needed
    box.get_by_label("原因").fill("医生临时会诊")
    lead.shot("stop-ask")
    box.get_by_role("button", name="停诊并通知3位").click()
    expect(row).to_contain_text("已停诊：医生临时会诊")
    expect(page.locator(".stop")).to_contain_text("通知 3")

    swept(hospital.now())
    expect(page.locator(".stop")).to_contain_text("请电话联系 1")
    cancel(bookings[0], hospital.now())
    expect(page.locator(".stop")).to_contain_text("已改约或退号 1")
    assert lead.sound() == []
    lead.shot("stops")
    page.set_viewport_size(PHONE)
    assert lead.sound() == []
    page.set_viewport_size({"width": 1440, "height": 900})

    page.locator(".stop").get_by_role("button").first.click()
    expect(page.locator("#place")).to_contain_text("停诊后请电话联系患者改约或退号")
    lead.go("stops")
    page.get_by_label("日期").fill(DAY)
    page.get_by_role("button", name="恢复出诊").click()
    box = lead.dialog("恢复出诊：11月26日周四上午 刘桂芳主任医师")
    expect(box).to_contain_text("2位还保留着预约的患者")
    box.get_by_role("button", name="恢复出诊").click()
    expect(page.get_by_role("row").filter(has_text="刘桂芳")).to_contain_text("出诊")
    expect(page.locator("#place")).to_contain_text("今天以后没有停诊")


def test_an_agent_has_no_such_page(seat):
    agent = seat("1001")
    expect(agent.page.locator("#rail [data-place=stops]")).to_have_count(0)
