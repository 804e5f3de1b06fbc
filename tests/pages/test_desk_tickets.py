"""Tickets in a real browser: entered for who telephoned, taken through every state, asked of a department."""

import base64

from playwright.sync_api import expect
from sqlalchemy import select

from bot.storage.engine import reading
from bot.tickets.tables import events, tickets
from tests.pages.desk import PHONE

EVENT = "出院结算清单里同一天收了两次床位费，问了护士站和收费处，都让我去找对方，来回跑了三趟。"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def _enter(seat, event: str = EVENT, kind: str = "收费") -> str:
    """Enter a complaint by telephone and give its number."""
    page = seat.page
    page.get_by_role("button", name="新建工单").click()
    box = seat.dialog("新建工单")
    box.get_by_label("来自").select_option(label="电话")
    box.get_by_label("类型", exact=True).select_option(label=kind)
    box.get_by_label("事情经过").fill(event)
    box.get_by_label("患者的诉求").fill("退回多收的床位费，并说明原因")
    box.get_by_label("反映人姓名").fill("刘桂兰")
    box.get_by_label("与患者关系").fill("女儿")
    box.get_by_label("患者姓名").fill("刘长福")
    box.get_by_label("联系电话").fill("13900000002")
    box.get_by_label("心血管内科").check()
    seat.shot("ticket-form")
    assert seat.sound() == []
    box.get_by_role("button", name="提交受理").click()
    expect(page.locator("#toast")).to_contain_text("已受理，编号")
    return page.locator(".ticket-detail .ticket-head .number").inner_text()


def _step(seat, name: str, **fields: str) -> None:
    seat.page.locator(f"[data-step={name}]").click()
    box = seat.page.get_by_role("dialog")
    for label, text in fields.items():
        field = box.get_by_label(label)
        if field.evaluate("node => node.tagName") == "SELECT":
            option = field.locator("option").filter(has_text=text).get_attribute("value")
            field.select_option(option)
        else:
            field.fill(text)
    box.locator("button[type=submit]").click()
    expect(box).to_have_count(0)


def _state(number: str) -> str:
    with reading() as conn:
        return conn.execute(select(tickets.c.state).where(tickets.c.number == number)).scalar_one()


def test_a_complaint_by_telephone_goes_through_every_state(hospital, seat):
    lead = seat("9001")
    page = lead.page
    lead.go("tickets")
    number = _enter(lead)
    detail = page.locator(".ticket-detail")
    expect(detail).to_contain_text("投诉·收费")
    expect(detail).to_contain_text("还剩5个工作日")
    expect(detail).to_contain_text("刘*兰")
    expect(detail).to_contain_text("139****0002")
    expect(detail).to_contain_text("心血管内科")
    assert "13900000002" not in detail.inner_text()
    lead.shot("ticket")
    assert lead.sound() == []

    # A paper, a note, a link that does not exist, and the number behind the mask.
    page.get_by_role("button", name="上传附件").click()
    box = lead.dialog("上传附件")
    box.get_by_label("图片或 PDF").set_input_files({"name": "结算清单.png", "mimeType": "image/png", "buffer": DOT})
    box.get_by_role("button", name="上传").click()
    expect(detail.get_by_role("link", name="结算清单.png")).to_be_visible()
    page.get_by_role("button", name="关联", exact=True).click()
    box = lead.dialog("关联工单")
    box.get_by_label("工单编号").fill("TS00000000000")
    box.get_by_role("button", name="关联").click()
    expect(box.get_by_role("alert")).to_contain_text("没有找到这个编号的工单")
    box.get_by_role("button", name="返回").click()
    page.get_by_role("button", name="查看联系方式").click()
    box = lead.dialog("查看完整信息")
    box.get_by_label("查看理由").fill("电话告知处理结果")
    box.get_by_role("button", name="查看", exact=True).click()
    expect(lead.dialog("完整信息")).to_contain_text("13900000002")
    page.get_by_role("button", name="知道了").click()

    _step(lead, "assign", 承办人="王客服")
    expect(detail.locator(".flags")).to_contain_text("已分派")
    _step(lead, "investigate", 调查人="赵客服")
    _step(lead, "answer", 处理意见="系统重复计费一天，财务科已确认。")
    # What the patient will read is checked; a second press keeps it.
    page.locator("[data-step=feedback]").click()
    box = page.get_by_role("dialog")
    box.get_by_label("告知患者的结果").fill("多收的床位费已退，这是医院规定的流程")
    box.locator("button[type=submit]").click()
    expect(box.locator(".warnings mark").first).to_be_visible()
    lead.shot("ticket-feedback")
    assert lead.sound() == []
    assert _state(number) == "answered"
    box.get_by_label("告知患者的结果").fill("非常抱歉让您来回跑。多收的一天床位费已经原路退回，请您留意到账短信。")
    box.locator("button[type=submit]").click()
    expect(box).to_have_count(0)
    assert _state(number) == "feedback"
    # Nobody closes without a lesson.
    page.locator("[data-step=close]").click()
    box = page.get_by_role("dialog")
    box.locator("button[type=submit]").click()
    expect(box).to_be_visible()
    box.get_by_label("改进措施").fill("出院结算前由系统核对重复计费，护士站接到疑问时当场联系收费处。")
    box.locator("button[type=submit]").click()
    expect(detail.locator(".flags")).to_contain_text("已办结")
    expect(detail.locator(".history")).to_contain_text("登记")
    lead.shot("ticket-closed")
    assert lead.sound() == []
    assert _state(number) == "closed"
    page.locator("#ticket-list-closed").click()
    expect(page.locator(".ticket-list")).to_contain_text(number)
    page.get_by_label("搜索工单").fill("床位费")
    page.get_by_role("button", name="查找").click()
    expect(page.locator(".ticket-list .item")).to_have_count(1)


def test_a_department_acknowledges_and_answers(hospital, seat):
    lead, liaison = seat("9001"), seat("3001")
    lead.go("tickets")
    number = _enter(lead, "心内科二诊室候诊三个小时没有人说明原因。", "等候与流程")
    lead.page.get_by_role("button", name="请科室协查").click()
    box = lead.dialog("请科室协查")
    box.get_by_label("科室", exact=False).first.select_option(label="心血管内科")
    box.get_by_label("需要科室做什么").fill("请说明当天二诊室叫号延误的原因。")
    box.get_by_role("button", name="发出").click()
    expect(lead.page.locator(".ticket-detail")).to_contain_text("待签收")

    page = liaison.page
    expect(page.locator(".task")).to_contain_text("叫号延误的原因")
    expect(page.locator(".task")).to_contain_text(number)
    liaison.shot("tasks")
    assert liaison.sound() == []
    page.get_by_role("button", name="签收").click()
    expect(page.locator(".task .tag")).to_have_text("已签收")
    page.get_by_role("button", name="查看工单").click()
    expect(page.locator(".ticket-detail")).to_contain_text("二诊室候诊三个小时")
    assert "刘" not in page.locator(".ticket-detail").inner_text()  # a liaison sees the case, not the person
    liaison.go("tasks")
    page.get_by_role("button", name="填写答复").click()
    box = liaison.dialog("科室答复")
    box.get_by_label("情况说明").fill("当天两位医生参加抢救，未及时在叫号屏说明。今后由分诊护士口头通报。")
    box.get_by_role("button", name="提交答复").click()
    expect(page.locator("#place")).to_contain_text("没有等待答复的任务")
    with reading() as conn:
        ticket = conn.execute(select(tickets.c.id).where(tickets.c.number == number)).scalar_one()
        done = conn.execute(select(events.c.what).where(events.c.ticket_id == ticket)).scalars().all()
    assert {"task", "task_acknowledged", "task_answered"} <= set(done)


def test_a_complaint_about_treatment_reaches_quality_control_at_once(hospital, seat):
    agent, quality = seat("1001"), seat("8001")
    agent.go("tickets")
    number = _enter(agent, "家属认为术后打错药，要求说明。", "其他")
    quality.go("tickets")
    quality.page.locator("#ticket-list-open").click()
    expect(quality.page.locator(".ticket-list")).to_contain_text(number)
    quality.page.locator(".ticket-list .item").filter(has_text=number).click()
    expect(quality.page.locator(".ticket-detail")).to_contain_text("投诉·医疗质量")
    quality.go("tasks")
    expect(quality.page.locator(".task").first).to_contain_text("联席会议")
    quality.shot("quality")
    assert quality.sound() == []


def test_tickets_can_be_used_on_a_phone(hospital, seat):
    agent = seat("9001", PHONE)
    page = agent.page
    agent.go("tickets")
    page.locator("#ticket-list-all").click()
    expect(page.locator(".ticket-list .item").first).to_be_visible()
    agent.shot("phone-tickets")
    assert agent.sound() == []
    page.locator(".ticket-list .item").first.click()
    expect(page.locator(".ticket-detail .ticket-head")).to_be_visible()
    agent.shot("phone-ticket")
    assert agent.sound() == []
    page.get_by_role("button", name="返回列表").click()
    expect(page.locator(".ticket-list")).to_be_visible()
    page.get_by_role("button", name="新建工单").click()
    agent.dialog("新建工单")
    agent.shot("phone-ticket-form")
    assert agent.sound() == []
