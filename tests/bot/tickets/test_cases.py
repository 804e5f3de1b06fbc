"""What the staff do with a ticket: the table of states, rights, the patient who is told (R1, R48-R73, R87, B4)."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.conversations import inbound
from bot.conversations.tables import buttons, ratings
from bot.language.lint import lint
from bot.storage.engine import reading, writing
from bot.tickets import cases, departments, model, service, store, telling
from bot.tickets.cases import Entry
from bot.tickets.model import NotAllowed
from bot.tickets.tables import events, tasks, tickets
from tests.builders import MONDAY, at, conversation, lines_of, spoken, together

CONTENT = {"event": "打电话一直没人接", "complainant": "陈女士", "contact": {"phone": "13800000002"}}
FULL = {
    "to": None,
    "investigator": None,
    "findings": "窗口当天少开一个。",
    "result": "当天窗口人手不足，已增加一个窗口。",
    "lesson": "高峰时段增开窗口。",
    "reason": "患者要求",
}


def filed(chat: str | None = None, type_: str = "waiting", **content) -> service.Ticket:
    """A complaint that the patient has told the bot and confirmed."""
    chat = chat or conversation()
    with writing() as conn:
        draft = service.draft(conn, chat, "complaint", type_, {"event": "等了三个小时", **content}, MONDAY, "web")
        return service.confirm(conn, draft.id, MONDAY)


def enter(who, **changes):
    given = dict(kind="complaint", channel="phone", content=CONTENT, type="attitude") | changes
    with writing() as conn:
        return cases.enter(conn, who, Entry(**given), MONDAY)


def take(who, ticket, name, now=MONDAY, **given):
    with writing() as conn:
        return cases.step(conn, who, ticket.id, name, given, now)


def refused(who, ticket, name, **given) -> str:
    with pytest.raises(NotAllowed) as error:
        take(who, ticket, name, **given)
    return error.value.code


def row(ticket):
    with reading() as conn:
        return conn.execute(select(tickets).where(tickets.c.id == ticket.id)).one()


def history(ticket) -> list[str]:
    with reading() as conn:
        return [each.what for each in store.history(conn, ticket.id)]


def walk(who, ticket, *names, **changes):
    given = {**FULL, "to": who.id, "investigator": who.id, **changes}
    for name in names:
        take(who, ticket, name, **given)


# ---- the machine


def test_a_complaint_goes_from_its_receipt_to_a_lesson_and_the_patient_hears_of_each_change(house):
    chat = conversation()
    ticket = filed(chat)
    walk(house.agent, ticket, "assign", "investigate", "answer", "feedback", "close")
    done = row(ticket)
    assert (done.state, done.lesson, done.result_sent_at) == ("closed", FULL["lesson"], MONDAY)
    told = [text for who, text in spoken(chat) if who == "system"]
    assert [
        bool(part in text) for part, text in zip(("专人负责", "调查核实", "处理意见", FULL["result"], "办结"), told)
    ] == [True] * 5
    assert "满意吗" in told[5]


@pytest.mark.parametrize("state", model.STATES)
@pytest.mark.parametrize("name", model.STEPS)
def test_a_step_is_taken_only_from_the_states_of_the_table(name, state):
    if state in model.STEPS[name].starts:
        assert model.require_step(name, state) is model.STEPS[name]
    else:
        with pytest.raises(NotAllowed):
            model.require_step(name, state)


def test_every_state_but_the_drafts_is_reached_and_none_is_a_dead_end_but_the_withdrawn():
    reached = {step.ends for step in model.STEPS.values() if step.ends} | {"confirmed"}
    assert reached == set(model.STATES) - {"draft"}
    left = {state for step in model.STEPS.values() for state in step.starts}
    assert set(model.STATES) - left == {"draft", "withdrawn"}


def test_nothing_is_closed_before_the_patient_has_the_result_nor_without_a_lesson(house):
    ticket = filed()
    walk(house.agent, ticket, "assign", "answer")
    assert refused(house.agent, ticket, "close", lesson="x") == "not_now"
    walk(house.agent, ticket, "feedback")
    assert refused(house.agent, ticket, "close") == "missing"
    assert row(ticket).state == "feedback"


def test_the_first_owner_stays_answerable_when_the_ticket_goes_to_a_colleague(house):
    ticket = filed()
    take(house.agent, ticket, "assign", to=house.agent.id)
    take(house.agent, ticket, "assign", to=house.second.id)
    assert (row(ticket).first_owner, row(ticket).assignee) == (house.agent.id, house.second.id)


def test_a_reopened_ticket_keeps_its_history_and_goes_to_nobody_who_may_be_absent(house):
    ticket = filed()
    walk(house.agent, ticket, "assign", "answer", "feedback", "close")
    before = history(ticket)
    take(house.supervisor, ticket, "reopen", MONDAY + timedelta(days=30), reason="患者不满意")
    again = row(ticket)
    assert (again.state, again.assignee, again.first_owner) == ("confirmed", None, house.agent.id)
    assert again.due_at == at("2026-12-30 17:30")
    assert history(ticket)[: len(before)] == before


def test_two_who_take_the_same_step_at_once_take_it_once(house):
    ticket = filed()
    walk(house.agent, ticket, "assign")

    def answer():
        return take(house.agent, ticket, "answer", findings="核实")

    results = together([answer] * 4)
    assert sum(isinstance(each, NotAllowed) for each in results) == 3
    assert history(ticket).count("answer") == 1


# ---- who may


@pytest.mark.parametrize(
    ("type_", "severity", "amount", "level"),
    [
        ("attitude", "normal", None, "service"),
        ("quality", "normal", None, "supervisor"),
        ("privacy", "normal", None, "supervisor"),
        ("ethics", "normal", None, "director"),
        ("attitude", "serious", None, "supervisor"),
        ("attitude", "major", None, "director"),
        ("fee", "normal", 1, "supervisor"),
        ("fee", "normal", 500_00, "supervisor"),
        ("fee", "normal", 500_01, "director"),
    ],
)
def test_type_severity_and_sum_say_which_level_decides(type_, severity, amount, level):
    assert model.level_of("complaint", type_, severity, amount) == level


def test_a_step_above_ones_level_is_refused(house):
    ticket = enter(house.agent, severity="serious")
    assert ticket.level == "supervisor"
    assert refused(house.agent, ticket, "assign", to=house.supervisor.id) == "needs_level"
    assert refused(house.supervisor, ticket, "assign", to=house.second.id) == "needs_level"
    take(house.supervisor, ticket, "assign", to=house.supervisor.id)
    assert row(ticket).state == "assigned"


def test_a_compensation_is_agreed_only_by_the_level_for_its_sum(house):
    ticket = filed()
    walk(house.agent, ticket, "assign", "answer")
    assert refused(house.agent, ticket, "feedback", result="补偿", compensation=1) == "needs_level"
    assert refused(house.supervisor, ticket, "feedback", result="补偿", compensation=500_01) == "needs_level"
    take(house.director, ticket, "feedback", result="已与您商定补偿。", compensation=500_01)
    assert row(ticket).compensation == 500_01


def test_what_is_too_much_for_an_agent_goes_up_with_a_reason(house):
    chat = conversation()
    ticket = filed(chat)
    assert refused(house.agent, ticket, "escalate") == "missing"
    take(house.agent, ticket, "escalate", reason="涉及退费")
    assert row(ticket).level == "supervisor"
    assert "已上报主管" in spoken(chat)[-1][1]


def test_who_is_complained_of_may_not_investigate(house):
    ticket = enter(house.agent, accused=["1002"])
    walk(house.agent, ticket, "assign")
    assert refused(house.agent, ticket, "investigate", investigator=house.second.id) == "conflict"
    named = filed(staff="赵客服")
    walk(house.agent, named, "assign")
    assert refused(house.agent, named, "investigate", investigator=house.second.id) == "conflict"
    take(house.agent, named, "investigate", investigator=house.agent.id)


def test_each_sees_what_is_his(house):
    waiting, ethics = filed(), filed(type_="ethics")
    quality = filed(type_="quality")
    with writing() as conn:
        departments.ask(conn, house.supervisor, waiting.id, "cardiology", "investigate", "请说明情况", MONDAY)

    def seen(who):
        with reading() as conn:
            return {each.id for each in store.listed(conn, who, "all", "", "", "", 0)}

    assert seen(house.agent) == {waiting.id}
    assert seen(house.quality) == {quality.id}
    assert seen(house.liaison) == {waiting.id}
    assert seen(house.supervisor) == seen(house.director) == {waiting.id, ethics.id, quality.id}
    assert refused(house.agent, ethics, "escalate", reason="x") == "unknown"


# ---- entered by the staff


@pytest.mark.parametrize("channel", model.ENTERED_BY)
def test_whatever_channel_it_comes_by_the_same_clock_runs(house, channel):
    ticket = enter(house.agent, channel=channel)
    assert (ticket.channel, ticket.due_at) == (channel, at("2026-11-30 17:30"))
    assert (row(ticket).first_owner, row(ticket).entered_by) == (house.agent.id, house.agent.id)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "death"},
        {"channel": "pigeon"},
        {"content": {**CONTENT, "event": " "}},
        {"content": {**CONTENT, "complainant": ""}},
        {"content": {**CONTENT, "contact": {}}},
        {"type": None},
        {"subtype": "gift"},
        {"severity": "huge"},
        {"urgency": "now"},
        {"amount": -1},
    ],
)
def test_a_ticket_that_lacks_what_is_needed_is_not_written(house, changes):
    with pytest.raises(NotAllowed, match="请"):
        enter(house.agent, **changes)
    with reading() as conn:
        assert conn.execute(select(tickets.c.id)).first() is None


def test_an_anonymous_ticket_keeps_nobodys_name(house):
    ticket = enter(house.agent, anonymous=True)
    assert ticket.content == {"event": CONTENT["event"]}


def test_words_of_medical_quality_go_to_quality_control_whatever_was_ticked(house):
    ticket = enter(house.agent, type="attitude", subtype="rude", content={**CONTENT, "event": "护士给我妈打错了针"})
    assert (ticket.type, ticket.route, ticket.urgency) == ("quality", "quality", "high")
    assert row(ticket).assignee is None
    with reading() as conn:
        assert [(task.kind, task.due_at) for task in store.inbox(conn, "quality")] == [
            ("meeting", at("2026-11-24 17:30"))
        ]
        assert store.counts(conn, house.quality)["tasks"] == 1


def test_several_departments_have_ten_working_days_from_receipt(house):
    two = enter(house.agent, content={**CONTENT, "departments": ["心内科", "骨科"]})
    assert row(two).departments == ["cardiology", "orthopedics"]
    assert two.due_at == at("2026-12-07 17:30")
    one = filed()
    with pytest.raises(NotAllowed, match="主管"):
        take(house.agent, one, "extend", reason="涉及检验科")
    later = MONDAY + timedelta(days=2)
    take(house.supervisor, one, "extend", later, reason="涉及检验科")
    assert row(one).due_at == at("2026-12-07 17:30")
    assert refused(house.supervisor, one, "extend", reason="x") == "not_now"


def test_an_incident_stands_with_the_director_at_once(house):
    ticket = enter(house.agent, kind="incident", type=None, content={"event": "门诊大厅停电"})
    assert (ticket.level, ticket.urgency, ticket.number[:2]) == ("director", "high", "SJ")
    assert "leader_notified" in history(ticket)


def test_words_of_dispute_are_marked_so_that_the_lawful_ways_are_told(house):
    assert row(enter(house.agent, content={**CONTENT, "event": "我要找律师起诉"})).dispute
    assert not row(filed()).dispute
    assert not lint(model.DISPUTE_WAYS)


def test_what_was_ticked_wrongly_is_set_right_and_route_and_level_follow(house):
    ticket = filed()
    with writing() as conn:
        cases.set_facts(conn, house.supervisor, ticket.id, {"type": "quality", "subtype": "nursing"}, MONDAY)
    assert (row(ticket).route, row(ticket).level, row(ticket).subtype) == ("quality", "supervisor", "nursing")
    with writing() as conn:
        cases.set_facts(conn, house.supervisor, ticket.id, {"type": "waiting"}, MONDAY)
        assert len(store.inbox(conn, "quality")) == 1
    assert (row(ticket).route, row(ticket).level, row(ticket).subtype) == ("service", "supervisor", None)
    with writing() as conn, pytest.raises(NotAllowed):
        cases.set_facts(conn, house.supervisor, ticket.id, {"type": "weather"}, MONDAY)


# ---- what belongs to it


def test_a_department_acknowledges_and_answers_its_task_once(house):
    ticket = filed()
    with writing() as conn:
        task = departments.ask(conn, house.agent, ticket.id, "cardiology", "investigate", "请说明当天排班", MONDAY)
        departments.acknowledge(conn, house.liaison, task, MONDAY)
        departments.acknowledge(conn, house.liaison, task, MONDAY + timedelta(hours=1))
        departments.answer(conn, house.liaison, task, "当天一位医生请假。", MONDAY)
        with pytest.raises(NotAllowed):
            departments.answer(conn, house.liaison, task, "再说一次", MONDAY)
        with pytest.raises(NotAllowed):
            departments.acknowledge(conn, house.quality, task, MONDAY)
        done = conn.execute(select(tasks)).one()
    assert (done.acknowledged_at, done.answer) == (MONDAY, "当天一位医生请假。")
    assert history(ticket)[-3:] == ["task", "task_acknowledged", "task_answered"]


def test_notes_links_and_files_are_kept_encrypted_with_the_ticket(house):
    first, second = filed(), filed()
    with writing() as conn:
        cases.note(conn, house.agent, first.id, "患者情绪激动", MONDAY)
        for _ in range(2):
            cases.link(conn, house.agent, first.id, second.number.lower(), "related", MONDAY)
        file = cases.attach(conn, house.agent, first.id, "截图.png", "image/png", b"\x89PNG", MONDAY)
        assert cases.file_of(conn, house.agent, first.id, file) == ("image/png", b"\x89PNG")
        assert [each.number for each in store.links_of(conn, second.id)] == [first.number]
        assert [each.name for each in store.files_of(conn, first.id)] == ["截图.png"]
        with pytest.raises(NotAllowed):
            cases.link(conn, house.agent, first.id, first.number, "related", MONDAY)
        raw = conn.exec_driver_sql("SELECT text FROM ticket_events WHERE what = 'note'").scalar()
    assert "情绪".encode() not in bytes(raw)
    assert history(first)[-3:] == ["note", "linked", "attached"]


def test_who_has_no_talk_here_is_noted_to_be_called(house):
    ticket = enter(house.agent)
    with writing() as conn:
        assert cases.tell_patient(conn, house.agent, ticket.id, "还在核实。", MONDAY) is False
    assert history(ticket)[-1] == "to_be_called"


def test_a_traditional_writer_is_told_in_traditional_characters(house):
    chat = conversation()
    ticket = filed(chat)
    with writing() as conn:
        from bot.conversations.tables import conversations

        conn.execute(conversations.update().values(tracker={"slots": {"memory": {"script": "hant"}}}))
    take(house.agent, ticket, "assign", to=house.agent.id)
    assert "投訴" in spoken(chat)[-1][1]


def test_a_word_in_what_was_told_is_found_in_either_script(house):
    ticket = filed(event="挂号机吞了我的卡")
    with reading() as conn:
        for words in ("吞了", "掛號機", ticket.number.lower()):
            assert [each.id for each in store.listed(conn, house.agent, "all", "", "", words, 0)] == [ticket.id]
        assert store.listed(conn, house.agent, "all", "", "", "停车", 0) == []


# ---- satisfaction


def test_the_patient_rates_the_handling_once_by_a_button(house):
    chat = conversation()
    ticket = filed(chat)
    walk(house.agent, ticket, "assign", "answer", "feedback", "close")
    shown = lines_of(chat)[-1].data["buttons"]
    assert [button["title"] for button in shown] == ["很满意", "满意", "一般", "不满意", "很不满意"]
    inbound.accept_button(chat, "c1", shown[3]["token"], MONDAY)
    inbound.accept_button(chat, "c2", shown[0]["token"], MONDAY)
    with reading() as conn:
        rated = conn.execute(select(ratings)).one()
        assert conn.execute(select(buttons).where(buttons.c.used_at.is_(None))).first() is None
    assert (rated.kind, rated.ref, rated.score) == ("ticket", ticket.id, 2)
    assert sum("抱歉" in text for _, text in spoken(chat)) == 1


@pytest.mark.parametrize("name", telling.PROGRESS)
def test_what_the_patient_is_told_keeps_the_language_rules(name):
    text = telling.PROGRESS[name].format(
        subject="投诉",
        number="TS20261123-0001",
        due="11月30日周一17:30",
        level="主管",
        next="12月2日",
        result="已改进。",
    )
    assert not lint(text, bereaved_or_complaint=True)


def test_the_history_holds_no_patients_words_in_the_open(house):
    walk(house.agent, filed(), "assign", "answer", "feedback", "close")
    with reading() as conn:
        open_text = json.dumps([each.detail for each in conn.execute(select(events))], ensure_ascii=False)
    assert FULL["findings"] not in open_text and FULL["lesson"] not in open_text
