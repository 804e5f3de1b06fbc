"""The desk's promises over HTTP, against a running server."""

import re
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.conversations import holding, transcript
from bot.conversations.danger import raise_alert
from bot.conversations.tables import alerts, conversations, lines
from bot.conversations.transcript import Line
from bot.desk import serving
from bot.language.lint import lint
from bot.patients.tables import audit, links, patients
from bot.staff import service as staff
from bot.staff.service import Staff
from bot.staff.tables import signins
from bot.staff.tables import staff as accounts
from bot.storage.engine import reading, writing
from bot.tickets import service as tickets

KIND = re.compile(r"[一-鿿]{3}")
PAIN = "我爸胸口疼得直冒冷汗"
TRACKER = {
    "slots": {
        "task": {
            "name": "book_appointment",
            "asked": "date",
            "facts": {
                "person_name": True,
                "phone": True,
                "department": "cardiology",
                "date": "2026-11-24",
                "period": "am",
                "doctor_title": "expert",
                "symptom": ["心慌", "王建国说胸闷"],
                "opening": 12,
            },
        },
        "suspended": [{"name": "complaint", "facts": {"event": "电话13800000001没人接"}}],
        "memory": {"complained": True},
    },
    "last": {"intent": "book_appointment", "confidence": 0.93},
}


def _audited(action: str, **wanted) -> list:
    with reading() as conn:
        rows = conn.execute(select(audit).where(audit.c.action == action)).all()
    return [row for row in rows if wanted.items() <= (row.detail or {}).items()]


def _lines(chat: str) -> list:
    with reading() as conn:
        return transcript.since(conn, chat, 0)


def _holder(chat: str) -> tuple:
    with reading() as conn:
        row = conn.execute(select(conversations).where(conversations.c.id == chat)).one()
    return row.holder, row.agent_id


def _id() -> str:
    return secrets.token_hex(8)


@pytest.fixture
def agent(house):
    return house.staff("1001")


@pytest.fixture
def colleague(house):
    return house.staff("1002")


@pytest.fixture
def lead(house):
    return house.staff("9001")


# ---- the door


def test_a_write_needs_the_pages_own_token(house, agent):
    chat = house.waits()
    for given in ("", "wrong", house.staff("1002").csrf):
        answer = agent.post(f"chats/{chat}/take", csrf=given)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "stale_page")
    assert _holder(chat) == ("queue", None)


def test_a_page_of_another_site_is_refused_even_with_the_cookie(house, agent):
    chat = house.waits()
    headers = {"origin": "https://elsewhere.example", "x-csrf-token": agent.csrf}
    assert agent.http.post(f"/desk/api/chats/{chat}/take", json={}, headers=headers).status_code == 403
    assert _holder(chat) == ("queue", None)


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(house):
    answer = house.visitor().sign_in("1001", "demo-agent-1001")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/desk" in cookie
    assert "secure" not in cookie  # the setting secure_cookies is off here


def test_the_cookie_is_secure_where_the_setting_says_so(monkeypatch):
    from sanic.response import json

    from bot.desk.door import hand_cookie
    from bot.settings import settings

    monkeypatch.setenv("DAOYI_SECURE_COOKIES", "true")
    settings.cache_clear()
    try:
        assert "; Secure" in hand_cookie(json({}), "token").cookies["daoyi_desk"].encode("utf-8").decode()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_the_page_may_not_be_framed_and_runs_only_its_own_scripts(house):
    answer = house.visitor().http.get("/desk")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200 and "frame-ancestors 'none'" in policy and "script-src 'self'" in policy
    assert "unsafe" not in policy and "style=" not in answer.text and "<script>" not in answer.text
    assert "/desk/staff.css" in answer.text and house.visitor().http.get("/desk/staff.css").status_code == 200


def test_a_wrong_password_and_an_unknown_number_sound_the_same(house):
    wrong, unknown = (house.visitor().sign_in(number, "nonsense") for number in ("1002", "7777"))
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


def test_five_failures_lock_the_account_and_it_is_told_kindly_with_a_way_forward(house):
    with writing() as conn:
        staff.add(conn, "1555", "试客服", "agent", "right-password")
    for _ in range(5):
        assert house.visitor().sign_in("1555", "wrong").status_code == 401
    answer = house.visitor().sign_in("1555", "right-password")
    assert answer.status_code == 423 and "主管" in answer.json()["error"]["message"]
    assert [row.actor for row in _audited("sign_in_locked")] == ["staff:1555"]


def test_an_hour_without_a_key_or_click_signs_out_though_the_page_stays_open(house):
    client = house.staff("1002")
    with writing() as conn:
        conn.execute(update(signins).values(used_at=house.now() - timedelta(minutes=59)))
    assert client.post("heartbeat", {"active": False}).status_code == 200
    with writing() as conn:
        conn.execute(update(signins).values(used_at=signins.c.used_at))
        conn.execute(update(signins).values(used_at=house.now() - timedelta(minutes=61)))
    assert client.get("me").json()["error"]["code"] == "signed_out"


def test_a_key_or_click_puts_the_idle_hour_off(house):
    client = house.staff("1002")
    with writing() as conn:
        conn.execute(update(signins).values(used_at=house.now() - timedelta(minutes=59)))
    client.post("heartbeat", {"active": True})
    with reading() as conn:
        assert max(conn.execute(select(signins.c.used_at)).scalars()) > house.now() - timedelta(minutes=1)


def test_the_open_page_counts_as_on_duty_and_signing_out_ends_it(house):
    client = house.staff("1002")
    with writing() as conn:
        conn.execute(signins.delete().where(signins.c.csrf != client.csrf))
        conn.execute(update(accounts).values(seen_at=None))
    client.post("heartbeat", {"active": False})
    with reading() as conn:
        assert staff.on_duty(conn, house.now()) == 1
    assert client.post("sign-out").status_code == 200
    with reading() as conn:
        assert staff.on_duty(conn, house.now()) == 0
    assert client.get("me").status_code == 401


# ---- the lists


def test_the_queue_stands_by_urgency_and_then_by_age(house, agent):
    first = house.waits("我想问个事")
    angry = house.waits("太慢了", priority=5)
    second = house.waits("转人工")
    hurt = house.patient(PAIN)
    state = agent.get("news").json()["desk"]
    order = [item["id"] for item in state["queue"] if item["id"] in {first, angry, second, hurt}]
    assert order == [hurt, angry, first, second]
    item = next(item for item in state["queue"] if item["id"] == hurt)
    assert (item["urgency"], item["reason"], item["preview"]) == ("danger", "危险信号：胸痛", PAIN)


def test_an_alert_stands_on_top_until_somebody_has_seen_it(house, agent):
    chat = house.patient(PAIN)
    alert = next(a for a in agent.get("news").json()["desk"]["alerts"] if a["conversation"] == chat)
    assert (alert["name"], alert["definite"], alert["holder"]) == ("胸痛", True, "queue")
    assert agent.post(f"alerts/{alert['id']}/seen").status_code == 200
    assert chat not in [a["conversation"] for a in agent.get("news").json()["desk"]["alerts"]]
    with reading() as conn:
        assert conn.execute(select(alerts.c.seen_by).where(alerts.c.id == alert["id"])).scalar() == 1
    assert _audited("alert_seen", alert=alert["id"])


def test_an_alert_of_a_talk_the_bot_holds_can_be_read_and_taken_by_an_agent(house, agent):
    chat = house.patient("您好")
    with writing() as conn:
        raise_alert(conn, chat, "stroke", False, house.now())
    assert _holder(chat) == ("bot", None)
    assert agent.get(f"chats/{chat}").status_code == 200
    assert agent.post(f"chats/{chat}/take").status_code == 200
    assert _holder(chat) == ("agent", 1)


def test_a_danger_sign_is_seen_with_the_take(house, agent):
    chat = house.patient(PAIN)
    agent.post(f"chats/{chat}/take")
    assert chat not in [a["conversation"] for a in agent.get("news").json()["desk"]["alerts"]]
    assert agent.get(f"chats/{chat}/panel").json()["alerts"][0]["seen_by"] == "王客服（工号1001）"


def test_a_danger_sign_in_a_talk_one_holds_rings_again(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    house.writes(chat, PAIN)
    found = next(a for a in agent.get("news").json()["desk"]["alerts"] if a["conversation"] == chat)
    assert found["mine"] is True


def test_what_nobody_has_answered_is_marked_unread(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    seqs = [house.writes(chat, "在吗"), house.writes(chat, "有人吗")]

    def mine():
        return next(item for item in agent.get("news").json()["desk"]["mine"] if item["id"] == chat)

    assert mine()["unanswered"] == seqs and mine()["preview"] == "有人吗"
    agent.post(f"chats/{chat}/say", {"text": "您好，我在的。", "client_id": _id()})
    assert mine()["unanswered"] == [] and mine()["waits_since"] is None


# ---- taking


def test_taking_tells_the_patient_who_serves_him(house, agent):
    chat = house.waits()
    assert agent.post(f"chats/{chat}/take").status_code == 200
    last = _lines(chat)[-1]
    assert (last.sender, last.text) == ("system", "您好，让您久等了。人工客服王客服（工号1001）为您服务。")
    assert _audited("taken", conversation=chat)


def test_two_agents_press_at_once_and_the_loser_is_told_who_won(house, agent, colleague):
    for _ in range(10):
        chat = house.waits()
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda client, chat=chat: client.post(f"chats/{chat}/take"), (agent, colleague)))
        assert sorted(each.status_code for each in answers) == [200, 409]
        lost = next(each for each in answers if each.status_code == 409).json()["error"]
        winner = "王客服（工号1001）" if _holder(chat)[1] == 1 else "赵客服（工号1002）"
        assert lost["code"] == "taken" and winner in lost["message"]
        assert [line.sender for line in _lines(chat)].count("system") == 1


def test_pressing_twice_takes_once(house, agent):
    chat = house.waits()
    assert [agent.post(f"chats/{chat}/take").status_code for _ in range(2)] == [200, 200]
    assert [line.sender for line in _lines(chat)].count("system") == 1


def test_take_next_gives_the_most_urgent_then_the_oldest_until_nobody_waits(house, agent):
    while agent.post("take-next").status_code == 200:
        pass
    first, second, hurt = house.waits(), house.waits(), house.patient(PAIN)
    assert [agent.post("take-next").json()["chat"] for _ in range(3)] == [hurt, first, second]
    answer = agent.post("take-next")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "nobody_waits")


def test_an_agent_takes_neither_from_the_bot_nor_from_a_colleague(house, agent, colleague):
    chat = house.patient("您好")
    assert agent.post(f"chats/{chat}/take").status_code == 409
    held = house.waits()
    colleague.post(f"chats/{held}/take")
    assert "赵客服（工号1002）" in agent.post(f"chats/{held}/take").json()["error"]["message"]
    assert _holder(held)[1] == 2


def test_a_supervisor_sees_all_chats_and_takes_over_and_the_colleague_falls_silent(house, agent, lead):
    bots, held = house.patient("您好"), house.waits()
    agent.post(f"chats/{held}/take")
    shown = {item["id"]: item for item in lead.get("chats").json()["chats"]}
    assert shown[bots]["holder"] == "bot" and shown[held]["holder_name"] == "王客服（工号1001）"
    for chat in (bots, held):
        assert lead.post(f"chats/{chat}/take-over").status_code == 200
        assert _holder(chat) == ("agent", 3)
    refused = agent.post(f"chats/{held}/say", {"text": "您好，请稍等。", "client_id": _id()})
    assert refused.status_code == 409 and "agent" not in [line.sender for line in _lines(held)]
    gone = agent.get("news", chat=held, since=0).json()["chat"]
    assert gone["gone"] and gone["lines"] == [] and gone["holder_name"] == "李主管（工号9001）"


# ---- reading


def test_the_whole_talk_of_the_bot_is_shown_with_what_it_understood(house, agent):
    chat = house.patient("我想挂心内科")
    house.bot_says(chat, "请问您想挂哪一天？", intent="book_appointment", confidence=0.97, turn="t")
    house.writes(chat, "停车怎么收费")
    house.bot_says(chat, "门诊停车场按小时收费。", intent="faq/parking", confidence=0.91)
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", house.now())
    shown = agent.get(f"chats/{chat}").json()
    assert [line["sender"] for line in shown["lines"]] == ["patient", "bot", "patient", "bot"]
    assert [line["intent"] for line in shown["lines"]] == [None, "预约挂号", None, "常见问题·停车"]
    assert shown["lines"][1]["confidence"] == 0.97


def test_what_was_heard_in_a_message_stands_with_the_answer_masked_like_the_text(house, agent):
    chat = house.patient("挂明天心内科，我叫王建国")
    heard = [
        {"entity": "department", "text": "心内科", "value": "cardiology"},
        {"entity": "person_name", "text": "王**"},
        {"entity": "relation", "text": "我爸", "value": "我爸"},
    ]
    house.bot_says(chat, "好的。", intent="book_appointment", confidence=0.97, entities=heard)
    with writing() as conn:
        holding.enqueue(conn, chat, "患者要求人工", house.now())
    patient, bot = agent.get(f"chats/{chat}").json()["lines"]
    assert patient["entities"] == []
    assert bot["entities"] == [
        {"name": "科室", "text": "心内科", "read": "心血管内科"},
        {"name": "姓名", "text": "王**", "read": ""},
        {"name": "为谁办理", "text": "我爸", "read": ""},
    ]


def test_reading_is_audited_with_the_lines_that_were_shown(house, agent):
    chat = house.waits("第一句", "第二句")
    agent.get(f"chats/{chat}")
    house.writes(chat, "第三句")
    assert [line["text"] for line in agent.get("news", chat=chat, since=2).json()["chat"]["lines"]] == ["第三句"]
    agent.get("news", chat=chat, since=3)
    rows = _audited("transcript_read", conversation=chat)
    assert [(row.actor, row.detail["from"], row.detail["to"]) for row in rows] == [
        ("staff:1001", 1, 2),
        ("staff:1001", 3, 3),
    ]


def test_an_agent_may_not_read_what_the_bot_or_a_colleague_holds(house, agent, colleague):
    bots, held = house.patient("您好"), house.waits()
    colleague.post(f"chats/{held}/take")
    for chat in (bots, held):
        for path in (f"chats/{chat}", f"chats/{chat}/lines", f"chats/{chat}/panel"):
            assert agent.get(path).json()["error"]["code"] == "not_yours", path
        assert agent.get("news", chat=chat).json()["chat"]["lines"] == []
        assert not [row for row in _audited("transcript_read", conversation=chat) if row.actor == "staff:1001"]


def test_long_talks_are_read_page_by_page_without_a_gap(house, agent):
    chat = house.waits()
    with writing() as conn:
        transcript.append(conn, chat, [Line("bot", f"第{n}条") for n in range(450)], house.now())
    shown = agent.get(f"chats/{chat}").json()
    seqs, more = [line["seq"] for line in shown["lines"]], shown["more"]
    while more:
        page = agent.get(f"chats/{chat}/lines", before=seqs[0]).json()
        seqs, more = [line["seq"] for line in page["lines"]] + seqs, page["more"]
    assert seqs == list(range(1, 452))


def test_names_and_numbers_stay_masked_everywhere(house, agent):
    chat = house.waits("我叫王建国，身份证110101195803120015，电话13800000001")
    house.bot_says(chat, "王建国您好，请问您要挂哪个科室？")
    with writing() as conn:
        known = dict(name="王建国", phone="13800000001", id_number="110101195803120015", sex="male", retired=True)
        known |= dict(birth=date(1958, 3, 12), insurance_type="employee", created_at=house.now())
        patient = conn.execute(insert(patients).values(**known)).inserted_primary_key[0]
        until = house.now() + timedelta(hours=1)
        conn.execute(
            insert(links).values(conversation_id=chat, patient_id=patient, verified_at=house.now(), expires_at=until)
        )
        conn.execute(update(conversations).where(conversations.c.id == chat).values(tracker=TRACKER))
        tickets.draft(conn, chat, "complaint", "waiting", {"event": "等了三个小时"}, house.now(), "web")
        filed = tickets.file(conn, chat, "suggestion", {"event": "多放几把椅子"}, house.now(), "web")
    answers = [agent.get(f"chats/{chat}"), agent.get("news"), agent.get(f"chats/{chat}/lines"),
               agent.get(f"chats/{chat}/panel")]  # fmt: skip
    for answer in answers:
        assert answer.status_code == 200
        for secret in ("王建国", "13800000001", "110101195803120015"):
            assert secret not in answer.text
    panel = answers[3].json()
    assert panel["patients"] == [
        {
            "id": patient,
            "relation": "本人",
            "name": "王*国",
            "sex": "男",
            "age": "68岁",
            "insurance": "职工医保（退休）",
        }
    ]
    shown = {fact["name"]: fact["value"] for fact in panel["task"]["facts"]}
    assert (panel["task"]["name"], panel["task"]["asked"]) == ("预约挂号", "日期")
    assert (shown["科室"], shown["日期"], shown["时段"], shown["号别"]) == (
        "心血管内科",
        "11月24日周二",
        "上午",
        "专家号",
    )
    assert shown["姓名"] == shown["手机号"] == "已提供" and shown["症状"] == "心慌、王*国说胸闷"
    assert panel["suspended"][0]["name"] == "投诉登记" and panel["flags"] == ["正在投诉"]
    assert [(t["number"], t["draft"]) for t in panel["tickets"]] == [(filed.number, False), (None, True)]
    assert panel["tickets"][0]["due"] == "11月30日周一 17:30" and panel["tickets"][1]["type"] == "等候与流程"
    with reading() as conn:
        rows = conn.execute(select(audit).where(audit.c.patient_id == patient, audit.c.actor == "staff:1001")).all()
    assert len(rows) == 2, "opening and the panel are two readings of the patient"


# ---- answering


def test_an_answer_is_written_once_however_often_it_is_sent(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    message = {"text": "您好，体温<37.3℃、剂量2*3片请以医生意见为准。", "client_id": _id()}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: agent.post(f"chats/{chat}/say", message), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["seq"] for answer in answers}) == 1
    said = [line for line in _lines(chat) if line.sender == "agent"]
    assert [line.text for line in said] == [message["text"]]


def test_a_retry_after_losing_the_talk_still_hears_that_the_line_was_written(house, agent, lead):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    message = {"text": "您好，请稍等。", "client_id": _id()}
    seq = agent.post(f"chats/{chat}/say", message).json()["seq"]
    lead.post(f"chats/{chat}/take-over")
    assert agent.post(f"chats/{chat}/say", message).json() == {"seq": seq}


def test_wording_is_advised_first_and_sent_on_the_second_press(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    message = {"text": "你好，这个不知道。", "client_id": _id()}
    found = agent.post(f"chats/{chat}/say", message).json()["warnings"]
    assert {each["rule"] for each in found} == {"R14", "R15"} and all(KIND.search(each["advice"]) for each in found)
    assert "agent" not in [line.sender for line in _lines(chat)]
    assert "seq" in agent.post(f"chats/{chat}/say", {**message, "despite": True}).json()
    assert _lines(chat)[-1].text == message["text"]
    assert _audited("wording_kept", conversation=chat)[0].detail["rules"] == ["R14", "R15"]


def test_a_full_number_in_an_answer_is_advised_against(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    said = agent.post(f"chats/{chat}/say", {"text": "请您联系13800000001。", "client_id": _id()}).json()
    assert [each["rule"] for each in said["warnings"]] == ["R5"] and "13800000001" not in str(said)


def test_the_patients_own_words_may_be_repeated(house, agent):
    chat = house.waits("护士说你自己看着办")
    agent.post(f"chats/{chat}/take")
    said = agent.post(f"chats/{chat}/say", {"text": "您说“护士说你自己看着办”，我记下了。", "client_id": _id()})
    assert "seq" in said.json()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": "  \n", "client_id": "a1"}, 400),
        ({"text": "好" * 4001, "client_id": "a1"}, 413),
        ({"text": "您好", "client_id": "a b"}, 400),
        ({"text": "您好"}, 400),
        ({"text": 5, "client_id": "a1"}, 400),
        ([], 400),
    ],
)
def test_what_cannot_be_sent_is_refused_in_kind_words(house, agent, body, status):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    headers = {"x-csrf-token": agent.csrf}
    answer = agent.http.post(f"/desk/api/chats/{chat}/say", json=body, headers=headers)
    assert answer.status_code == status and KIND.search(answer.json()["error"]["message"])


def test_the_patients_answer_comes_while_the_page_waits(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    known = agent.get("news", chat=chat, since=0).json()
    last = known["chat"]["lines"][-1]["seq"]
    with ThreadPoolExecutor(1) as pool:
        begun = house.now()
        waiting = pool.submit(agent.get, "news", chat=chat, since=last, version=known["version"], wait=20)
        house.writes(chat, "好的，谢谢")
        found = waiting.result().json()
    assert [line["text"] for line in found["chat"]["lines"]] == ["好的，谢谢"]
    assert house.now() - begun < timedelta(seconds=3)


def test_nothing_new_waits_and_then_says_so(house, agent):
    version = agent.get("news").json()["version"]
    begun = house.now()
    found = agent.get("news", version=version, wait=1).json()
    assert found["changed"] is False and found["desk"] is None
    assert house.now() - begun >= timedelta(seconds=1)


# ---- giving back


def test_giving_back_tells_the_patient_and_keeps_the_outcome(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    assert agent.post(f"chats/{chat}/give-back", {"outcome": "whatever"}).json()["error"]["code"] == "outcome"
    assert agent.post(f"chats/{chat}/give-back", {"outcome": "solved"}).status_code == 200
    assert _holder(chat) == ("bot", None)
    assert _lines(chat)[-1].text == serving.NOTICE_OF_RETURN
    assert _audited("given_back", conversation=chat)[0].detail["outcome"] == "solved"
    assert agent.post(f"chats/{chat}/give-back", {"outcome": "solved"}).status_code == 409


def test_what_the_desk_tells_patients_keeps_the_rules_of_language():
    for text in (serving.NOTICE_OF_RETURN, serving.notice_of_taking(Staff(1, "1001", "王客服", "agent"))):
        assert lint(text, bereaved_or_complaint=True) == []


def test_sign_in_talk_and_unread_marks_survive_a_restart_of_the_server(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    before = agent.get("news", chat=chat, since=0).json()
    house.stop()
    seq = house.writes(chat, "还在吗")
    house.start()
    after = agent.get("news", chat=chat, since=before["chat"]["last_seq"], version=before["version"]).json()
    assert [line["seq"] for line in after["chat"]["lines"]] == [seq]
    assert next(item for item in after["desk"]["mine"] if item["id"] == chat)["unanswered"] == [seq]


def test_lines_of_every_sender_stay_in_order_without_gaps(house, agent):
    chat = house.waits()
    agent.post(f"chats/{chat}/take")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: house.writes(chat, f"第{n}句"), range(20)))
        list(
            pool.map(
                lambda n: agent.post(f"chats/{chat}/say", {"text": f"收到第{n}句，谢谢您。", "client_id": _id()}),
                range(20),
            )
        )
    with reading() as conn:
        seqs = conn.execute(select(lines.c.seq).where(lines.c.conversation_id == chat).order_by(lines.c.seq)).scalars()
        assert list(seqs) == list(range(1, 43))
