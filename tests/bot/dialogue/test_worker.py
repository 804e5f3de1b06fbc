"""The worker around its engine: retry once, apologise, give up on what kills it (R31, R81). No Rasa in here."""

import asyncio
import subprocess
import sys
import threading
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from bot.clock import now
from bot.conversations import holding, inbound, turns
from bot.conversations.tables import conversations, inbox, incidents
from bot.dialogue import worker as room
from bot.dialogue.replies import ActionFailed, Reply
from bot.dialogue.worker import MAX_ATTEMPTS, Worker
from bot.settings import ROOT
from bot.storage import heartbeat
from bot.storage.engine import reading, writing
from tests.builders import conversation, lines_of, row_of, spoken

APOLOGY = "非常抱歉，刚才的操作没有完成。"


class Engine:
    """Gives what the test says; an exception among the answers is raised."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.seen = []

    async def handle(self, conversation_id, state, parse_data, metadata):
        self.seen.append((parse_data["text"], metadata["turn"], state))
        answer = self.answers.pop(0)
        if callable(answer):
            answer = answer(conversation_id)
        if isinstance(answer, Exception):
            raise answer
        return answer, {"slots": {"memory": state["slots"].get("memory") or {}, "task": state["slots"].get("task")}}

    def words(self, response: str) -> str:
        assert response == "utter_failed_turn"
        return APOLOGY


class Reader:
    def read(self, text, received_at):
        return SimpleNamespace(label="greet", confidence=0.9, ranking=[], entities=[], danger=None, text=text)


def worker(*answers) -> Worker:
    return Worker(Engine(*answers), Reader(), name="worker-1")


def write(chat: str, text: str = "你好呀") -> None:
    inbound.accept_text(chat, f"{text}-{now().timestamp()}", text, now())


def work(one: Worker) -> None:
    asyncio.run(one.run_until_idle())


def noted() -> list[str]:
    with reading() as conn:
        return list(conn.execute(select(incidents.c.detail)).scalars())


def test_the_worker_starts_without_rasa_and_tensorflow():
    seen = "import sys, bot.dialogue.worker; print({m.split('.')[0] for m in sys.modules} & {'rasa', 'rasa_sdk', 'tensorflow'})"
    answer = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "set()"


def test_a_message_is_answered(database):
    chat = conversation()
    write(chat)
    work(worker([Reply("您好")]))
    assert spoken(chat) == [("patient", "你好呀"), ("bot", "您好")]


@pytest.mark.parametrize("failure", [[], ActionFailed("KeyError"), RuntimeError("x"), asyncio.TimeoutError()])
def test_a_failed_turn_is_tried_once_more_with_the_same_key(database, failure):
    chat = conversation()
    write(chat)
    one = worker(failure, [Reply("您好")])
    work(one)
    assert spoken(chat)[1:] == [("bot", "您好")]
    assert len({turn for _, turn, _ in one.engine.seen}) == 1
    assert noted() == []


def test_a_turn_that_fails_twice_is_apologised_for_with_an_offer_of_a_person_and_an_incident(database):
    chat = conversation()
    write(chat)
    work(worker(ActionFailed("KeyError"), ActionFailed("KeyError")))
    assert spoken(chat)[1:] == [("bot", APOLOGY)]
    with reading() as conn:
        from bot.conversations.tables import buttons

        assert conn.execute(select(buttons.c.payload)).scalars().all() == [{"payload": "/request_human"}]
    assert noted() == ["ActionFailed: KeyError"]


def test_an_incident_holds_no_words_of_a_patient(database):
    chat = conversation()
    write(chat, "我叫李秀英")
    work(worker(ValueError("我叫李秀英"), ValueError("我叫李秀英")))
    assert noted() == ["ValueError"]


def test_an_answer_that_cannot_be_stored_is_a_failed_turn_too(database):
    chat = conversation()
    write(chat)
    broken = [Reply("您好", image="data:image/png;base64,***")]
    work(worker(broken, broken))
    assert spoken(chat)[1:] == [("bot", APOLOGY)]


def test_a_commit_that_fails_is_apologised_for(database, monkeypatch):
    chat = conversation()
    write(chat)
    commit, failures = turns.commit, [RuntimeError("the disk is full")] * 2

    def failing(*given):
        if failures:
            raise failures.pop()
        return commit(*given)

    monkeypatch.setattr(turns, "commit", failing)
    work(worker([Reply("您好")], [Reply("您好")]))
    assert spoken(chat)[1:] == [("bot", APOLOGY)]
    assert row_of(chat).lease_owner is None


def test_a_message_that_has_killed_three_lives_is_not_tried_a_fourth_time(database):
    chat = conversation()
    write(chat)
    for _ in range(MAX_ATTEMPTS):
        assert turns.claim("worker-1", now(), timedelta(0)) is not None
        turns.void_leases("worker-1")
    one = worker()
    work(one)
    assert one.engine.seen == []
    assert spoken(chat)[1:] == [("bot", APOLOGY)]
    assert noted() == [f"DeadlyTurn: {MAX_ATTEMPTS} attempts"]


def test_an_apology_while_a_code_is_awaited_does_not_unmask_the_next_one(database):
    chat = conversation()
    tracker = {
        "slots": {"task": {"name": "book_appointment", "asked": "code", "facts": {}}, "memory": {"script": "hant"}}
    }
    with writing() as conn:
        conn.execute(update(conversations).values(tracker=tracker, code_expected=True))
    write(chat)
    work(worker(RuntimeError("x"), RuntimeError("x")))
    row = row_of(chat)
    assert (row.tracker, row.code_expected) == (tracker, True)
    assert spoken(chat)[1:] == [("bot", "非常抱歉，剛才的操作沒有完成。")]  # in the patient's script (R46)


def test_an_answer_after_a_person_has_come_is_thrown_away(database):
    chat = conversation()
    write(chat)

    def person_comes(conversation_id):
        holding.take(conversation_id, 9, "李主管为您服务。", now(), supervisor=True)
        return [Reply("您好")]

    work(worker(person_comes))
    assert spoken(chat)[1:] == [("system", "李主管为您服务。")]


def test_a_task_stopped_by_a_danger_sign_is_set_aside_for_the_next_turn(database):
    chat = conversation()
    task = {"name": "book_appointment", "asked": None, "facts": {}}
    with writing() as conn:
        conn.execute(update(conversations).values(tracker={"slots": {"task": task}}))
    write(chat, "我爸胸口疼得直冒汗，喘不上气")
    write(chat, "已经打了120")
    one = worker([Reply("好的")])
    work(one)
    ((text, _, state),) = one.engine.seen
    assert text == "已经打了120"
    assert "task" not in state["slots"]
    assert state["slots"]["suspended"] == [task]
    assert row_of(chat).suspended_by == "chest"  # no business until the patient clearly asks for some


def test_a_clear_request_after_a_danger_sign_is_served_again(database):
    chat = conversation()
    write(chat, "我爸胸口疼得直冒汗，喘不上气")
    write(chat, "继续挂号")
    with writing() as conn:
        conn.execute(update(conversations).values(tracker={"slots": {"suspended": [{"name": "book_appointment"}]}}))
    work(worker([Reply("好的")]))
    assert row_of(chat).suspended_by is None


def test_a_stopping_worker_finishes_what_is_under_way_and_leaves_no_lease(database, monkeypatch):
    monkeypatch.setenv("DAOYI_MERGE_MS", "0")
    chat = conversation()
    write(chat)
    one = worker([Reply("您好")])

    async def run() -> None:
        one.engine.answers[0] = lambda _: setattr(one, "stopping", True) or [Reply("您好")]
        await asyncio.wait_for(one.run_forever(), 20)

    asyncio.run(run())
    assert spoken(chat)[1:] == [("bot", "您好")]
    assert row_of(chat).lease_owner is None


def test_a_sweep_that_waits_for_an_sms_gateway_keeps_no_patient_waiting(database, monkeypatch):
    gateway = threading.Event()
    monkeypatch.setattr("bot.dialogue.worker.sweep", lambda _now: gateway.wait(20))
    chat, one = conversation(), worker([Reply("您好")])

    async def run():
        going = asyncio.get_running_loop().create_task(one.run_forever())
        write(chat)
        for _ in range(200):
            await asyncio.sleep(0.02)
            if spoken(chat)[-1] == ("bot", "您好"):
                break
        answered = spoken(chat)[-1]
        gateway.set()
        one.stopping = True
        await going
        return answered

    assert asyncio.run(run()) == ("bot", "您好")


def test_eight_talks_are_answered_by_one_worker_without_mixing(database, monkeypatch):
    chats = [conversation() for _ in range(8)]
    for n, chat in enumerate(chats):
        write(chat, f"我是第{n}位")
    answer = {chat: f"第{n}位您好" for n, chat in enumerate(chats)}
    one = worker(*[lambda chat: [Reply(answer[chat])]] * 8)

    async def run() -> None:
        task = asyncio.get_running_loop().create_task(one.run_forever())
        for _ in range(1000):
            await asyncio.sleep(0.01)
            with reading() as conn:
                if not conn.execute(select(inbox.c.id).where(inbox.c.state == "waiting")).first():
                    break
        one.stopping = True
        await task

    asyncio.run(run())
    assert [spoken(chat)[1:] for chat in chats] == [[("bot", answer[chat])] for chat in chats]


async def until(holds) -> None:
    async def look() -> None:
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.02)

    await asyncio.wait_for(look(), 20)


async def test_a_worker_with_nothing_to_do_is_woken_by_a_message(database, monkeypatch):
    monkeypatch.setattr(room, "SWEEP_SECONDS", 60.0)  # it looks by itself only once a minute
    chat = conversation()
    one = worker([Reply("您好")])
    running = asyncio.create_task(one.run_forever())
    await until(lambda: heartbeat.fresh("worker", now()))
    await asyncio.sleep(0.2)
    await asyncio.to_thread(write, chat, "请问几点上班？")
    await until(lambda: ("bot", "您好") in spoken(chat))
    one.stopping = True
    await asyncio.to_thread(write, chat, "谢谢")
    await asyncio.wait_for(running, 20)


async def test_a_worker_that_is_not_heard_takes_no_turn(database, monkeypatch):
    monkeypatch.setattr(room, "SWEEP_SECONDS", 0.05)
    monkeypatch.setattr(room, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(room, "CLAIM_SECONDS", 0.4)
    one = worker([Reply("您好")])
    running = asyncio.create_task(one.run_forever())
    await until(lambda: heartbeat.fresh("worker", now()))

    def fail(*_, **__):
        raise OSError("the database does not hear it")

    with monkeypatch.context() as patch:
        patch.setattr(heartbeat, "beat", fail)
        await asyncio.sleep(0.6)
        chat = conversation()
        await asyncio.to_thread(write, chat)
        await asyncio.sleep(0.4)
        assert spoken(chat) == [("patient", "你好呀")]  # another worker may say by now that it alone answers
    await until(lambda: ("bot", "您好") in spoken(chat))
    one.stopping = True
    await asyncio.wait_for(running, 20)
    assert not heartbeat.fresh("worker", now())  # it goes and says so


async def test_a_turn_that_was_waited_for_too_long_is_given_back(database, monkeypatch):
    chat = conversation()
    write(chat)
    one = worker()
    one._beaten = time.monotonic()
    claim = turns.claim

    def slow(*given):
        one._beaten -= room.CLAIM_SECONDS
        return claim(*given)

    monkeypatch.setattr(turns, "claim", slow)
    assert not one._start_one() and one.engine.seen == []
    monkeypatch.undo()
    assert claim("another", now() + timedelta(seconds=1), timedelta(0)).conversation_id == chat


def test_a_worker_stops_to_take_turns_before_others_stop_to_hear_it():
    assert room.CLAIM_SECONDS < heartbeat.FRESH.total_seconds()


def test_what_was_heard_is_kept_with_the_answer_and_never_a_name_or_a_number(database):
    given = [
        {"entity": "department", "text": "心内科", "value": "cardiology"},
        {"entity": "person_name", "text": "王建国", "value": "王建国"},
        {"entity": "phone", "text": "13800000001", "value": "13800000001"},
    ]
    assert room.heard_entities(given) == [
        {"entity": "department", "text": "心内科", "value": "cardiology"},
        {"entity": "person_name", "text": "王**"},
        {"entity": "phone", "text": "138****0001"},
    ]
    heard = SimpleNamespace(entity="department", start=0, end=3, text="心内科", value="cardiology")

    class Hears(Reader):
        def read(self, text, received_at):
            return SimpleNamespace(**{**vars(super().read(text, received_at)), "entities": [heard]})

    chat = conversation(now())
    write(chat, "心内科")
    one = worker([Reply("好的。")])
    one.reader = Hears()
    asyncio.run(one.run_until_idle())
    assert lines_of(chat)[-1].meta["entities"] == [{"entity": "department", "text": "心内科", "value": "cardiology"}]
    assert "entities" not in row_of(chat).tracker["last"]
