"""Every page of the desk, for the roles that have it: figures, accounts, audit, hand-over; wide and on a phone; axe."""

import pytest
from playwright.sync_api import expect

from bot.patients.masking import mask
from tests.pages.desk import PHONE

PLACES = {
    "1001": ["talks", "tickets", "shift"],
    "9001": ["talks", "tickets", "stops", "live", "reports", "shift", "replies", "people"],
    "8001": ["tasks", "tickets", "live", "reports"],
    "3001": ["tasks", "tickets"],
    "5001": ["tickets", "stops", "live", "reports", "audit"],
    "7001": ["people", "audit"],
}


@pytest.fixture(scope="module", autouse=True)
def a_busy_morning(hospital):
    """Let some patients wait and write, one be in danger, and some complain."""
    for text in ("发票丢了怎么补开", "异地医保住院能直接结算吗", "报告什么时候出"):
        hospital.waits(text)
    hospital.patient("孩子抽风了口吐白沫")
    lead = hospital.staff("9001")
    for type_, event in (
        ("waiting", "候诊三个小时没有人说明"),
        ("waiting", "抽血排队一个半小时"),
        ("waiting", "取药窗口只开一个，排到下班"),
        ("fee", "同一天收了两次床位费"),
        ("attitude", "导诊台让老人自己去找科室"),
    ):
        content = {"event": event, "complainant": "刘桂兰", "contact": {"phone": "13900000002"}}
        body = {
            "kind": "complaint",
            "channel": "phone",
            "type": type_,
            "departments": ["cardiology"],
            "content": content,
        }
        answer = lead.post("tickets", body)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("number", PLACES)
def test_each_role_finds_its_pages_and_axe_finds_nothing(hospital, seat, number):
    one = seat(number)
    page = one.page
    links = page.locator("#rail a")
    expect(links).to_have_count(len(PLACES[number]))
    assert [link.get_attribute("data-place") for link in links.all()] == PLACES[number]
    if "talks" in PLACES[number]:
        expect(page.locator("#queue li")).to_have_count(4)
        expect(page.locator(".alert.definite")).to_contain_text("抽搐")
    for size in ({"width": 1440, "height": 900}, PHONE):
        page.set_viewport_size(size)
        for place in PLACES[number]:
            page.locator(f"#rail [data-place={place}]").click()
            expect(page.locator(f"body[data-place={place}]")).to_be_attached()
            if place != "talks":
                expect(page.locator("#place h2").first).to_be_visible()
            page.wait_for_timeout(300)
            one.shot(f"{'phone-' if size is PHONE else ''}{place}-{number}")
            assert one.sound() == [], place
    assert page.evaluate("location.pathname") == f"/desk/{PLACES[number][-1]}".replace("/talks", "")


def test_the_address_of_a_page_opens_it_and_a_page_without_the_right_is_not_shown(hospital, seat):
    admin = seat("7001")
    admin.page.goto(f"{hospital.address}/desk/audit")
    expect(admin.page.get_by_role("heading", name="审计")).to_be_visible()
    admin.page.goto(f"{hospital.address}/desk/reports")
    expect(admin.page.get_by_role("heading", name="人员")).to_be_visible()
    trainer = seat("6001")
    expect(trainer.page.locator("#place")).to_contain_text("训练工作台")


def test_reports_show_pareto_beside_its_table_and_give_the_workbook(hospital, seat):
    lead = seat("9001")
    page = lead.page
    lead.go("reports")
    expect(page.locator("#report .tile").first).to_contain_text("转人工会话")
    page.locator("#report-complaints").click()
    chart = page.get_by_role("img", name="投诉类型：")
    expect(chart).to_be_visible()
    assert "等候与流程3件" in chart.get_attribute("aria-label")
    expect(page.get_by_role("table", name="投诉类型")).to_contain_text("60.0%")
    expect(page.get_by_role("table", name="科室")).to_contain_text("重复反映")
    expect(page.get_by_role("img", name="投诉件数：")).to_be_visible()
    lead.shot("reports-complaints")
    assert lead.sound() == []
    page.locator("#report-month").click()
    expect(page.locator("#report")).to_contain_text("主要原因")
    assert lead.sound() == []
    page.locator("#report-rectification").click()
    expect(page.locator("#report")).to_contain_text("没有患者和员工的姓名")
    with page.expect_download() as book:
        page.get_by_role("link", name="下载月报").click()
    assert book.value.path().read_bytes().startswith(b"PK")
    page.get_by_role("button", name="上个月").click()
    expect(page.locator("#month")).to_have_value("2026-10")
    expect(page.locator("#report")).to_contain_text("没有办结的投诉")


def test_an_admin_opens_changes_and_closes_an_account_and_the_audit_tells(hospital, seat):
    admin = seat("7001")
    page = admin.page
    page.get_by_role("button", name="新建账号").click()
    box = admin.dialog("新建账号")
    box.get_by_label("工号").fill("1003")
    box.get_by_label("姓名").fill("冯客服")
    box.get_by_label("初始密码").fill("short")
    box.get_by_role("button", name="建立账号").click()
    expect(box).to_be_visible()  # ten characters at least
    box.get_by_label("初始密码").fill("long-enough-1003")
    box.get_by_role("button", name="建立账号").click()
    row = page.get_by_role("row").filter(has_text="冯客服")
    expect(row).to_be_visible()
    page.get_by_role("button", name="冯客服的工作安排").click()
    box = admin.dialog("冯客服的工作安排")
    box.get_by_label("同时接待上限").fill("3")
    box.get_by_label("预约挂号").check()
    box.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("预约挂号")
    page.get_by_role("button", name="改冯客服的岗位").click()
    box = admin.dialog("冯客服的岗位")
    box.get_by_label("岗位").select_option(label="主管")
    box.get_by_role("button", name="保存").click()
    expect(row).to_contain_text("主管")
    page.get_by_role("button", name="关闭冯客服的账号").click()
    box = admin.dialog("关闭账号")
    admin.shot("close-account")
    assert admin.sound() == []
    box.get_by_role("button", name="关闭账号").click()
    expect(row).to_contain_text("已关闭")
    admin.go("audit")
    page.get_by_label("做了什么").select_option(label="关闭账号")
    page.get_by_role("button", name="查询").click()
    expect(page.locator("#place tbody tr")).to_have_count(1)
    expect(page.locator("#place tbody")).to_contain_text("staff:7001")


def test_an_agent_changes_his_duty_and_hands_over_the_shift(hospital, seat):
    agent = seat("1001")
    page = agent.page
    page.get_by_label("接入方式").select_option(label="小休")
    expect(page.locator("#toast")).to_contain_text("小休中")
    agent.go("shift")
    page.get_by_label("交接说明").fill("患者要求今天下午三点前回电；二楼打印机缺纸已报修。")
    page.get_by_label("交给").select_option(label="赵客服（客服）")
    page.get_by_role("button", name="提交交接班").click()
    expect(page.locator("#place .note")).to_contain_text("下午三点前回电")
    expect(page.locator("#place .note")).to_contain_text("赵客服")
    agent.shot("shift-done")
    assert agent.sound() == []


def test_a_supervisor_keeps_canned_replies_and_the_rules_of_speech_hold_for_them(hospital, seat):
    lead = seat("9001")
    page = lead.page
    lead.go("replies")
    page.get_by_role("button", name="新增常用语").click()
    box = lead.dialog("新增常用语")
    box.get_by_label("快捷词").fill("card")
    box.get_by_label("标题").fill("补办就诊卡")
    box.get_by_label("内容").fill("你去一楼补办。")
    box.get_by_role("button", name="保存").click()
    expect(box.get_by_role("alert")).not_to_be_empty()
    box.get_by_label("内容").fill("请您带身份证到门诊一楼服务台补办就诊卡。")
    box.get_by_role("button", name="保存").click()
    expect(page.get_by_role("row").filter(has_text="补办就诊卡")).to_be_visible()
    page.get_by_role("button", name="删除补办就诊卡").click()
    lead.dialog("删除常用语").get_by_role("button", name="删除").click()
    expect(page.get_by_role("row").filter(has_text="补办就诊卡")).to_have_count(0)


def test_settings_are_kept_and_a_stranger_finds_nothing_after_the_sign_out(hospital, seat):
    agent = seat("1001")
    page = agent.page
    page.get_by_role("button", name="设置").click()
    box = agent.dialog("设置")
    box.get_by_label("高对比显示").check()
    agent.shot("settings")
    assert agent.sound() == []
    box.get_by_role("button", name="保存").click()
    expect(page.locator("body")).to_have_attribute("data-contrast", "more")
    assert agent.sound() == []
    page.locator("#queue .item").first.click()
    expect(page.locator("#log li").first).to_be_visible()
    page.get_by_role("button", name="退出").click()
    expect(page.locator("#gate")).to_be_visible()
    assert page.locator("#log li, #queue li, #panel-body section, #rail a").count() == 0
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert mask(kept).text == kept and "发票" not in kept
    page.go_back()
    expect(page.locator("#desk")).to_be_hidden()
