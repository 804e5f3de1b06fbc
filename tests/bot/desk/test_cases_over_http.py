"""A complaint from the telephone to its lesson over HTTP, the liaison's inbox, the figures that come of it (R56, R71, R72)."""

import io
import zipfile

import pytest
from sqlalchemy import select, update

from bot.conversations import transcript
from bot.conversations.tables import conversations
from bot.patients.tables import audit
from bot.storage.engine import reading, writing
from bot.tickets.tables import tickets

BODY = {
    "kind": "complaint",
    "channel": "phone",
    "type": "waiting",
    "subtype": "queue",
    "content": {
        "complainant": "陈小明",
        "event": "等了三个小时，我的电话13800000002没人回",
        "contact": {"phone": "13800000002"},
    },
    "departments": ["心内科"],
}


def enter(client, **changes) -> dict:
    answer = client.post("tickets", {**BODY, **changes})
    assert answer.status_code == 200, answer.text
    return answer.json()["ticket"]


def step(client, ticket: dict, name: str, **body):
    return client.post(f"tickets/{ticket['id']}/steps/{name}", body)


def audited(action: str) -> list:
    with reading() as conn:
        return conn.execute(select(audit).where(audit.c.action == action)).all()


def closed(house, client, lesson: str = "高峰时段增开窗口。", **changes) -> dict:
    ticket = enter(client, **changes)
    me = house.id_of("9001")
    step(client, ticket, "assign", to=me)
    step(client, ticket, "answer", findings="当天少开一个窗口。")
    step(client, ticket, "feedback", result="当天人手不足，已增加一个窗口。")
    done = step(client, ticket, "close", lesson=lesson).json()["ticket"]
    assert done["state"] == "closed"
    return done


@pytest.fixture
def agent(house):
    return house.staff("1001")


@pytest.fixture
def lead(house):
    return house.staff("9001")


def test_a_complaint_by_telephone_is_worked_through_to_its_lesson(house, agent):
    ticket = enter(agent)
    assert (ticket["state_name"], ticket["departments"], ticket["first_owner"]) == (
        "待分派",
        ["心血管内科"],
        "王客服（工号1001）",
    )
    assert ticket["person"] == [{"name": "反映人", "value": "陈*明"}, {"name": "联系电话", "value": "138****0002"}]
    assert "13800000002" not in str(agent.get(f"tickets/{ticket['id']}").json())
    assert "assign" in ticket["steps"] and "close" not in ticket["steps"]
    assert step(agent, ticket, "close", lesson="x").json()["error"]["code"] == "not_now"
    step(agent, ticket, "assign", to=house.id_of("1001"))
    step(agent, ticket, "answer", findings="核实属实。")
    warned = step(agent, ticket, "feedback", result="这是医院规定的，你打13800000002").json()["warnings"]
    assert {"R5"} < {each["rule"] for each in warned}
    assert agent.get(f"tickets/{ticket['id']}").json()["ticket"]["state"] == "answered"
    step(agent, ticket, "feedback", result="当天人手不足，已增加一个窗口。")
    done = step(agent, ticket, "close", lesson="增开窗口。").json()["ticket"]
    assert [each["what"] for each in done["events"] if each["what"] != "to_be_called"] == [
        "entered",
        "assign",
        "answer",
        "feedback",
        "close",
    ]
    assert audited("ticket_close") and audited("ticket_read")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "death"},
        {"content": {"event": "x"}},
        {"content": "x"},
        {"amount": -1},
        {"channel": "fax"},
        {"chat": "0"},
    ],
)
def test_what_lacks_something_is_refused_with_what_to_do(agent, changes):
    answer = agent.post("tickets", {**BODY, **changes})
    assert answer.status_code in (400, 404) and answer.json()["error"]["message"]


def test_a_step_above_ones_level_says_so(agent):
    ticket = enter(agent, severity="major")
    answer = step(agent, ticket, "assign", to=1)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "needs_level")
    assert ticket["steps"] == ["withdraw", "escalate"]


def test_a_ticket_of_a_talk_tells_its_patient_and_stands_in_the_panel(house, lead):
    chat = house.waits()
    ticket = enter(lead, chat=chat)
    assert lead.post(f"tickets/{ticket['id']}/tell", {"text": "我们正在核实，请您放心。"}).status_code == 200
    with reading() as conn:
        assert transcript.since(conn, chat, 0)[-1].text == "我们正在核实，请您放心。"
    assert ticket["number"] in [each["number"] for each in lead.get(f"chats/{chat}/panel").json()["tickets"]]
    warned = lead.post(f"tickets/{ticket['id']}/tell", {"text": "你等着吧"}).json()
    assert warned["warnings"]


def test_lists_counts_and_search_hold_together(lead):
    ticket = enter(lead, content={**BODY["content"], "event": "电梯停了半天没人修"})
    assert ticket["id"] in [each["id"] for each in lead.get("tickets", view="open").json()["tickets"]]
    found = lead.get("tickets", view="all", q="電梯停了").json()["tickets"]
    assert [each["id"] for each in found] == [ticket["id"]]
    assert lead.get("tickets", view="everything").status_code == 400
    assert lead.get("news").json()["desk"]["tickets"]["mine"] >= 1
    assert "心血管内科" in lead.get("ticket-words").json()["departments"].values()


def test_a_department_answers_from_its_inbox_without_seeing_who_complained(house, lead):
    ticket = enter(lead)
    body = {"department": "cardiology", "kind": "investigate", "text": "请说明当天排班"}
    lead.post(f"tickets/{ticket['id']}/tasks", body)
    liaison = house.staff("3001")
    task = next(each for each in liaison.get("tasks").json()["tasks"] if each["ticket"] == ticket["id"])
    assert liaison.get("news").json()["desk"]["tickets"]["tasks"] >= 1
    assert liaison.get("news").json()["desk"]["queue"] == []
    seen = liaison.get(f"tickets/{ticket['id']}").json()["ticket"]
    assert (seen["person"], seen["chat"]) == ([], None)
    assert liaison.post(f"tasks/{task['id']}/acknowledge").status_code == 200
    assert liaison.post(f"tasks/{task['id']}/answer", {"text": "当天一位医生请假。"}).status_code == 200
    shown = lead.get(f"tickets/{ticket['id']}").json()["ticket"]["tasks"][0]
    assert (shown["acknowledged_by"], shown["answer"]) == ("钱联络（工号3001）", "当天一位医生请假。")
    assert liaison.post(f"tasks/{task['id']}/answer", {"text": "x"}).status_code == 409


def test_contact_is_shown_for_a_reason_that_the_audit_keeps(lead):
    ticket = enter(lead)
    assert lead.post(f"tickets/{ticket['id']}/unmask", {"reason": ""}).status_code == 400
    found = lead.post(f"tickets/{ticket['id']}/unmask", {"reason": "回电反馈结果"}).json()["found"]
    assert {"name": "联系电话", "value": "13800000002"} in found
    assert any(row.detail.get("ticket") == ticket["number"] for row in audited("unmasked"))


def test_papers_notes_and_links_are_kept(lead):
    first, second = enter(lead), enter(lead)
    pdf = b"%PDF-1.4 ..."
    kept = lead.send(f"tickets/{first['id']}/files", pdf, "application/pdf", name="告知书.pdf").json()["ticket"][
        "files"
    ]
    assert kept[0]["name"] == "告知书.pdf"
    assert lead.http.get(f"/desk/api/tickets/{first['id']}/files/{kept[0]['id']}").content == pdf
    lead.post(f"tickets/{first['id']}/notes", {"text": "已约面谈"})
    body = {"number": second["number"], "kind": "duplicate"}
    linked = lead.post(f"tickets/{first['id']}/links", body).json()["ticket"]
    assert linked["links"][0]["number"] == second["number"]
    assert [each["text"] for each in linked["events"] if each["what"] == "note"] == ["已约面谈"]
    fixed = lead.post(f"tickets/{first['id']}/facts", {"type": "fee", "subtype": "refund", "amount": 12.5}).json()
    assert (fixed["ticket"]["type_name"], fixed["ticket"]["amount"]) == ("收费", 12.5)


def test_the_monthly_figures_add_up_and_the_workbook_holds_them(house, lead):
    with writing() as conn:
        conn.execute(tickets.delete())
    for _ in range(3):
        enter(lead)
    enter(lead, type="attitude", subtype=None, departments=[])
    closed(house, lead, lesson="=高峰时段增开窗口。")
    told = lead.get("reports/complaints").json()
    assert (told["count"], [(each["type"], each["count"]) for each in told["types"]]) == (
        5,
        [("waiting", 4), ("attitude", 1)],
    )
    assert [each["cumulative"] for each in told["types"]] == [80.0, 100.0]
    assert [each["vital"] for each in told["types"]] == [True, False]
    assert told["departments"] == [{"department": "心血管内科", "count": 4, "repeat": True}]
    assert (told["sla"]["answered"], told["sla"]["in_time"], told["sla"]["open"]) == (1, 1, 4)
    assert sum(each["count"] for each in told["trend"]) == 5 and len(told["trend"]) == 30
    month = lead.get("reports/month", month="2026-11").json()
    assert (month["complaints"]["count"], len(month["lessons"])) == (5, 1)
    assert lead.get("reports/month", month="2026-10").json()["complaints"]["count"] == 0
    answer = lead.get("reports/month.xlsx", month="2026-11")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
        texts = book.read("xl/sharedStrings.xml").decode()
        sheets = "".join(book.read(name).decode() for name in book.namelist() if "worksheets/" in name)
    assert "心血管内科" in texts and "=高峰时段增开窗口。" in texts and "<f>" not in sheets
    assert lead.get("reports/month", month="soon").status_code == 400


def test_what_is_published_names_nobody(house, lead):
    with writing() as conn:
        conn.execute(tickets.delete())
    closed(house, lead, lesson="增开窗口，电话13800000002回访。")
    closed(house, lead, lesson="已与陈小明沟通。")
    closed(house, lead, lesson="请赵客服参加培训。")
    answer = lead.get("reports/rectification", month="2026-11")
    assert [each["lesson"] for each in answer.json()["entries"]] == ["增开窗口，电话138****0002回访。"]
    assert answer.json()["held_back"] == 2
    for secret in ("陈小明", "13800000002", "TS2026", "赵客服"):
        assert secret not in answer.text


def test_the_live_figures_and_those_of_the_service_are_this_houses(house, agent, lead):
    with writing() as conn:
        conn.execute(update(conversations).values(holder="bot", agent_id=None))
    before = lead.get("reports/service").json()
    chat, _waiting = house.waits(), house.waits()
    agent.post(f"chats/{chat}/take")
    agent.post(f"chats/{chat}/say", {"text": "您好，我来帮您查询。", "client_id": "s1"})
    live = lead.get("reports/live").json()
    assert (live["waiting"], live["held"]) == (1, 1) and live["here"] >= 2
    agent.post(f"chats/{chat}/give-back", {"outcome": "solved", "ask_rating": True})
    after = lead.get("reports/service").json()
    assert (after["talks"] - before["talks"], after["taken"] - before["taken"]) == (2, 1)
    assert after["first_response"]["count"] == before["first_response"]["count"] + 1
    assert after["rating"]["asked"] == before["rating"]["asked"] + 1
    assert after["outcomes"]["solved"] >= 1


def test_accounts_are_kept_by_the_administrator_and_never_his_own(house):
    admin = house.staff("7001")
    body = {"number": "1009", "name": "新同事", "role": "agent", "password": "long-enough-1009"}
    made = next(each for each in admin.post("staff", body).json()["staff"] if each["number"] == "1009")
    assert admin.post("staff", body).json()["error"]["code"] == "bad_account"
    work = {"capacity": 3, "skills": ["booking"], "department": ""}
    lead = house.staff("9001")
    kept = next(e for e in lead.post(f"staff/{made['id']}/work", work).json()["staff"] if e["id"] == made["id"])
    assert (kept["capacity"], kept["skills"]) == (3, ["booking"])
    assert lead.post(f"staff/{made['id']}/role", {"role": "admin"}).status_code == 403
    assert admin.post(f"staff/{made['id']}/role", {"role": "quality"}).status_code == 200
    assert admin.post(f"staff/{made['id']}/password", {"password": "short"}).status_code == 400
    assert admin.post(f"staff/{made['id']}/close").status_code == 200
    assert admin.post(f"staff/{house.id_of('7001')}/close").json()["error"]["code"] == "yourself"
    entries = admin.get("audit", action="account_close").json()["entries"]
    assert entries[0]["detail"]["account"] == made["id"]
    assert admin.get("audit", day="2026-11-23").json()["entries"]
    assert admin.get("audit", day="x").status_code == 400
    assert audited("audit_read")
