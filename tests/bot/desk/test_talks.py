"""What an agent has beside the talk itself: hand on, marks, pictures, notes, search, unmasking, canned replies, the shift."""

import secrets
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from bot.clock import now
from bot.conversations import marks
from bot.conversations.tables import conversations, images, lines, ratings
from bot.desk import aids, serving
from bot.language.lint import lint
from bot.patients.tables import audit, links, patients
from bot.staff.tables import staff as accounts
from bot.storage.engine import reading, writing

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40


def audited(action: str, **wanted) -> list:
    with reading() as conn:
        rows = conn.execute(select(audit).where(audit.c.action == action)).all()
    return [row for row in rows if wanted.items() <= (row.detail or {}).items()]


def row_of(chat: str):
    with reading() as conn:
        return conn.execute(select(conversations).where(conversations.c.id == chat)).one()


def last_line(chat: str):
    with reading() as conn:
        return conn.execute(
            select(lines).where(lines.c.conversation_id == chat).order_by(lines.c.seq.desc()).limit(1)
        ).one()


@pytest.fixture
def agent(house):
    return house.staff("1001")


@pytest.fixture
def held(house, agent) -> str:
    """A talk that agent 1001 serves; nobody else of the module's talks is in his hands."""
    with writing() as conn:
        conn.execute(update(conversations).values(holder="bot", agent_id=None))
        conn.execute(update(accounts).values(duty="manual"))
    chat = house.waits("我的电话是13800000001，报告什么时候出来")
    assert agent.post(f"chats/{chat}/take").status_code == 200
    return chat


# ---- handing on


def test_a_colleague_gets_the_talk_with_a_note_and_the_first_falls_silent(house, agent, held):
    colleague = house.staff("1002")
    to = house.id_of("1002")
    assert agent.post(f"chats/{held}/transfer", {"to": to, "note": "患者在等报告"}).status_code == 200
    assert (row_of(held).holder, row_of(held).agent_id) == ("agent", to)
    assert "赵客服（工号1002）继续为您服务" in last_line(held).text
    assert colleague.get(f"chats/{held}/notes").json()["notes"][0]["text"] == "患者在等报告"
    late = agent.post(f"chats/{held}/say", {"text": "您好。", "client_id": secrets.token_hex(8)})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "not_held")
    assert audited("transferred", conversation=held, to=to)


def test_a_skill_group_gets_it_at_its_old_place(house, agent, held):
    before = row_of(held).queued_at
    assert agent.post(f"chats/{held}/transfer", {"skill": "insurance"}).status_code == 200
    assert (row_of(held).holder, row_of(held).skill, row_of(held).queued_at) == ("queue", "insurance", before)
    item = next(each for each in agent.get("news").json()["desk"]["queue"] if each["id"] == held)
    assert (item["skill_name"], item["wait"] >= 1) == ("费用与医保", True)


@pytest.mark.parametrize("body", [{}, {"to": 1, "skill": "general"}, {"skill": "magic"}, {"to": 1}])
def test_a_transfer_to_nobody_or_to_himself_is_refused(agent, held, body):
    assert agent.post(f"chats/{held}/transfer", body).status_code == 400


def test_a_colleague_who_is_away_or_full_gets_nothing(house, agent, held):
    to = house.id_of("1002")
    with writing() as conn:
        conn.execute(update(accounts).where(accounts.c.id == to).values(seen_at=None))
    assert agent.post(f"chats/{held}/transfer", {"to": to}).status_code == 409
    assert row_of(held).agent_id == house.id_of("1001")


def test_signing_out_puts_what_one_holds_back_into_the_queue(house, held):
    with writing() as conn:
        from bot.staff.tables import signins

        conn.execute(signins.delete())
    client = house.staff("1001")
    assert client.post("sign-out").status_code == 200
    assert row_of(held).holder == "queue"
    assert "暂时离开" in last_line(held).text


def test_duty_is_set_and_shown(house, agent, held):
    assert agent.post("duty", {"duty": "break"}).json() == {"duty": "break"}
    assert agent.get("me").json()["duty"] == "break"
    me = next(each for each in agent.get("colleagues").json()["colleagues"] if each["number"] == "1001")
    assert (me["duty"], me["talks"]) == ("break", 1)
    assert agent.post("duty", {"duty": "asleep"}).status_code == 400


# ---- marks, typing, pictures


def test_what_each_side_has_seen_and_typing_come_with_the_news(agent, held):
    version = agent.get("news", chat=held, since=99).json()["version"]
    with writing() as conn:
        marks.move(conn, held, patient_got=2, patient_read=2)
        marks.typing(conn, held, "patient", now() + timedelta(days=400))
    found = agent.get("news", chat=held, since=99, version=version).json()
    assert found["changed"] is True and found["chat"]["typing"] is True
    assert found["chat"]["read"] == {"agent_read": 0, "patient_got": 2, "patient_read": 2}
    assert agent.post(f"chats/{held}/read", {"seq": 1}).status_code == 200
    assert agent.get(f"chats/{held}").json()["read"]["agent_read"] == 1
    assert agent.post(f"chats/{held}/typing", {"typing": True}).json() == {"typing": True}
    with reading() as conn:
        assert conn.execute(select(marks.marks.c.agent_typing_at)).scalars().first()


def test_a_mark_never_goes_back_nor_beyond_the_last_line(held):
    with writing() as conn:
        marks.move(conn, held, agent_read=2)
        marks.move(conn, held, agent_read=1)
        assert marks.of(conn, held, now())["agent_read"] == 2
        marks.move(conn, held, agent_read=10_000)
        assert marks.of(conn, held, now())["agent_read"] == row_of(held).last_seq


def test_a_picture_is_sent_once_and_seen_by_both(agent, held):
    client_id = secrets.token_hex(8)
    for _ in range(2):
        sent = agent.send(f"chats/{held}/picture", PNG, "image/png", client_id=client_id, alt="楼层图")
        assert sent.json() == {"seq": row_of(held).last_seq}
    line = last_line(held)
    assert line.data["image"]["alt"] == "楼层图"
    shown = agent.http.get(f"/desk/api/chats/{held}/pictures/{line.data['image']['token']}")
    assert (shown.content, shown.headers["content-type"]) == (PNG, "image/png")
    with reading() as conn:
        assert len(conn.execute(select(images).where(images.c.conversation_id == held)).all()) == 1


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [(b"<svg/>", "image/svg+xml", 400), (b"<html>", "image/png", 400), (PNG + b"0" * 250_000, "image/png", 413)],
)
def test_what_is_no_picture_or_too_large_is_refused(agent, held, content, kind, status):
    answer = agent.send(f"chats/{held}/picture", content, kind, client_id="p1")
    assert answer.status_code == status


# ---- closing


def test_the_return_keeps_outcome_and_summary_and_asks_the_patient(agent, held):
    body = {"outcome": "solved", "summary": "已告知报告时间，电话13800000001", "ask_rating": True}
    assert agent.post(f"chats/{held}/give-back", body).status_code == 200
    person = row_of(held).tracker["slots"]["memory"]["person"]
    assert (person["outcome"], person["summary"]) == ("solved", "已告知报告时间，电话138****0001")
    assert len(last_line(held).data["buttons"]) == 5
    with reading() as conn:
        assert conn.execute(select(ratings.c.score).where(ratings.c.conversation_id == held)).scalar() is None


def test_a_draft_is_checked_without_being_sent(agent, held):
    before = row_of(held).last_seq
    found = agent.post(f"chats/{held}/check", {"text": "这是医院规定的，你不知道吗"}).json()["warnings"]
    assert found and row_of(held).last_seq == before


def test_the_notices_of_handing_on_keep_the_language_rules():
    for text in (serving.NOTICE_OF_TRANSFER, serving.NOTICE_OF_GROUP):
        assert not lint(text.format(name="王", number="1", place=2))


# ---- notes, tags, search, unmasking


def test_notes_and_tags_stay_with_the_house_and_wake_nobody(agent, held):
    before = row_of(held)
    assert agent.post(f"chats/{held}/notes", {"text": "家属代问"}).json()["notes"][0]["by"] == "王客服（工号1001）"
    assert agent.post(f"chats/{held}/tags", {"tags": ["报告", "报告", "家属"]}).json() == {"tags": ["报告", "家属"]}
    panel = agent.get(f"chats/{held}/panel").json()
    assert ([note["text"] for note in panel["notes"]], panel["tags"]) == (["家属代问"], ["家属", "报告"])
    after = row_of(held)
    assert (after.holder, after.epoch, after.last_seq) == (before.holder, before.epoch, before.last_seq)
    assert agent.get("search", tag="家属").json()["found"][0]["chat"] == held


@pytest.mark.parametrize("q", ["报告", "報告什麼時候", "138****0001"])
def test_words_are_found_in_either_script_and_stay_masked(agent, held, q):
    found = agent.get("search", q=q).json()["found"]
    assert [each["chat"] for each in found][:1] == [held]
    assert "13800000001" not in str(found)


def test_nobody_finds_what_he_may_not_read(house, held):
    other = house.staff("1002").get("search", q="报告").json()["found"]
    assert held not in [each["chat"] for each in other]
    assert held in [each["chat"] for each in house.staff("9001").get("search", q="报告").json()["found"]]
    assert house.staff("8001").get("search", q="报告").json()["found"] == []
    assert house.staff("1002").get("search").status_code == 400


def test_percent_and_underline_are_letters_in_a_search(agent, held):
    assert agent.get("search", q="%").json()["found"] == []


def test_a_number_is_shown_by_right_for_a_reason_and_the_audit_knows(house, agent, held):
    assert agent.post(f"chats/{held}/unmask", {"seq": 1, "reason": "看"}).json()["error"]["code"] == "reason"
    found = agent.post(f"chats/{held}/unmask", {"seq": 1, "reason": "回电告知结果"}).json()["found"]
    assert found == [{"name": "手机号", "value": "13800000001"}]
    assert audited("unmasked", conversation=held, reason="回电告知结果")
    assert agent.post(f"chats/{held}/unmask", {"seq": 2, "reason": "回电告知结果"}).status_code == 404
    waiting = house.waits("我的电话是13900000002")
    refused = agent.post(f"chats/{waiting}/unmask", {"seq": 1, "reason": "回电告知结果"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_yours")


def test_a_verified_patient_is_shown_by_right_for_a_reason(house, agent, held):
    with writing() as conn:
        made = conn.execute(
            insert(patients).values(name="王建国", phone="13800000001", created_at=house.now())
        ).inserted_primary_key[0]
        until = house.now() + timedelta(hours=1)
        conn.execute(
            insert(links).values(conversation_id=held, patient_id=made, verified_at=house.now(), expires_at=until)
        )
    found = agent.post(f"chats/{held}/unmask", {"patient": made, "reason": "核对身份"}).json()["found"]
    assert {"name": "姓名", "value": "王建国"} in found
    assert agent.post(f"chats/{held}/unmask", {"patient": made + 1, "reason": "核对身份"}).status_code == 404


# ---- canned replies and drafts


def test_the_houses_replies_keep_the_rules_and_use_only_known_variables():
    for _, _, text in aids.HOUSE:
        assert set(aids.VARIABLE.findall(text)) <= set(aids.VARIABLES)
        assert not [each for each in lint(aids.fill(text, dict.fromkeys(aids.VARIABLES, "甲")))], text


def test_a_canned_reply_has_its_variables_filled_and_shows_the_ones_that_are_not_known(agent, held):
    shown = {each["shortcut"]: each for each in agent.get("canned", chat=held).json()["canned"]}
    assert "王客服，工号1001" in shown["hello"]["filled"]
    assert "{受理编号}" in shown["ticket"]["filled"]


def test_a_supervisor_keeps_canned_replies_and_bad_wording_is_not_kept(house, agent):
    lead = house.staff("9001")
    body = {"shortcut": "lab", "title": "报告时间", "text": "您的报告一般当天出，{姓名}为您查询。"}
    made = next(each for each in lead.post("canned", body).json()["canned"] if each["shortcut"] == "lab")
    changed = lead.post("canned", {**body, "id": made["id"], "title": "出报告"}).json()["canned"]
    assert next(each["title"] for each in changed if each["id"] == made["id"]) == "出报告"
    assert lead.post("canned", {**body, "shortcut": "bad", "text": "你不知道吗"}).json()["error"]["code"] == "wording"
    assert lead.post("canned", {**body, "shortcut": "bad", "text": "{密码}"}).json()["error"]["code"] == "bad_canned"
    left = lead.post(f"canned/{made['id']}/remove").json()["canned"]
    assert "lab" not in [each["shortcut"] for each in left]
    assert agent.post("canned", body).status_code == 403


def test_a_draft_is_the_answer_of_the_label_that_was_stored_and_changes_no_slot(house, agent, held):
    assert agent.get(f"chats/{held}/suggestion").json() == {"suggestion": None}
    house.bot_says(held, "…", intent="faq/parking", confidence=0.91)
    before = row_of(held)
    draft = agent.get(f"chats/{held}/suggestion").json()["suggestion"]
    assert (draft["label"], draft["label_name"], draft["confidence"]) == ("faq/parking", "常见问题·停车", 0.91)
    assert "停车" in draft["text"] and "{" not in draft["text"]
    assert (row_of(held).tracker, row_of(held).epoch) == (before.tracker, before.epoch)
    house.bot_says(held, "…", intent="book_appointment", confidence=0.9)
    assert agent.get(f"chats/{held}/suggestion").json() == {"suggestion": None}


# ---- the shift


def test_the_shift_is_handed_over_with_what_is_still_open(house, agent, held):
    facts = agent.get("shift").json()
    assert held in [each["id"] for each in facts["talks"]] and facts["served"] >= 1
    assert "王客服（工号1001）" in facts["text"]
    report = agent.post("shift", {"note": "请跟进报告", "to": house.id_of("1002")}).json()["report"]
    kept = next(each for each in house.staff("1002").get("shifts").json()["reports"] if each["id"] == report)
    assert (kept["note"], kept["by"], kept["to"]) == ("请跟进报告", "王客服（工号1001）", "赵客服（工号1002）")
    assert agent.post("shift", {"to": 999}).status_code == 404
