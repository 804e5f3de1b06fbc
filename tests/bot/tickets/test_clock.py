"""Deadlines that come near and pass: warned, told, one level up (R3, R55, R56, R58)."""

from datetime import timedelta

from sqlalchemy import select

from bot.dialogue.sweeper import sweep
from bot.storage.engine import reading, writing
from bot.tickets import cases, departments, service, store
from bot.tickets.tables import tickets
from tests.builders import MONDAY, at, conversation, spoken

DUE = at("2026-11-30 17:30")


def filed(chat: str) -> int:
    with writing() as conn:
        draft = service.draft(conn, chat, "complaint", "waiting", {"event": "等了三个小时"}, MONDAY, "web")
        return service.confirm(conn, draft.id, MONDAY).id


def row(ticket: int):
    with reading() as conn:
        return conn.execute(select(tickets).where(tickets.c.id == ticket)).one()


def history(ticket: int) -> list[str]:
    with reading() as conn:
        return [each.what for each in store.history(conn, ticket)]


def test_the_patient_is_told_a_working_day_before_the_deadline_and_once(database):
    chat = conversation()
    ticket = filed(chat)
    sweep(at("2026-11-27 17:29"))
    assert spoken(chat) == []
    for _ in range(2):
        sweep(at("2026-11-27 17:30"))
    assert [who for who, _ in spoken(chat)] == ["system"]
    assert "还在处理，我们最迟11月30日周一17:30前答复您" in spoken(chat)[0][1]
    assert row(ticket).warned and not row(ticket).overdue


def test_a_breach_goes_up_a_level_then_to_the_director_and_the_patient_hears_of_it(database):
    chat = conversation()
    ticket = filed(chat)
    sweep(DUE)
    assert (row(ticket).overdue, row(ticket).level) == (True, "supervisor")
    assert "已上报主管督办。我们会在12月2日周三17:30前告诉您进展" in spoken(chat)[-1][1]
    sweep(at("2026-12-02 17:29"))
    assert row(ticket).level == "supervisor"
    sweep(at("2026-12-02 17:30"))
    assert row(ticket).level == "director"
    assert history(ticket).count("overdue") == 2
    sweep(at("2026-12-10 17:30"))
    assert history(ticket).count("overdue") == 2


def test_an_answer_stops_the_clock(house):
    chat = conversation()
    ticket = filed(chat)
    with writing() as conn:
        cases.step(conn, house.agent, ticket, "assign", {"to": house.agent.id}, MONDAY)
        cases.step(conn, house.agent, ticket, "answer", {"findings": "核实"}, MONDAY)
    sweep(DUE + timedelta(days=10))
    assert not {"warned", "overdue"} & set(history(ticket))


def test_a_withdrawn_ticket_is_left_alone(database):
    ticket = filed(conversation())
    with writing() as conn:
        assert service.withdraw_sent(conn, ticket, MONDAY)
    sweep(DUE)
    assert not row(ticket).overdue


def test_a_task_that_a_department_does_not_acknowledge_is_noted_each_working_day(house):
    ticket = filed(conversation())
    with writing() as conn:
        task = departments.ask(conn, house.agent, ticket, "cardiology", "investigate", "请说明", MONDAY)
    sweep(at("2026-11-24 17:30"))
    sweep(at("2026-11-25 17:30"))
    assert history(ticket).count("task_unacknowledged") == 2
    with writing() as conn:
        departments.acknowledge(conn, house.liaison, task, at("2026-11-25 18:00"))
    sweep(at("2026-11-26 17:30"))
    assert history(ticket).count("task_unacknowledged") == 2
