"""What is due is done once, by one of many sweepers, and comes back when it failed."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.conversations.tables import incidents
from bot.dialogue import sweeper
from bot.storage import due
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, together

MINUTE = timedelta(minutes=1)


def schedule(key: str = "1", at=MONDAY, kind: str = "test", payload: dict | None = None) -> None:
    with writing() as conn:
        due.schedule(conn, kind, key, at, payload)


def rows() -> list:
    with reading() as conn:
        return conn.execute(select(due.due).order_by(due.due.c.key)).all()


def claim(now=MONDAY) -> list:
    with writing() as conn:
        return due.claim(conn, now)


@pytest.fixture
def done(monkeypatch) -> list:
    """A handler for rows of the kind "test": it notes what it did, fails or comes again as the payload says."""
    noted = []

    def handler(conn, payload, now):
        noted.append(payload)
        if payload.get("moves"):
            due.schedule(conn, "test", "1", MONDAY + 60 * MINUTE)
        if payload.get("fails"):
            due.schedule(conn, "test", "left-by-a-failure", MONDAY)
            raise KeyError("a patient's words")
        return MONDAY + 30 * MINUTE if payload.get("again") else None

    monkeypatch.setitem(sweeper.HANDLERS, "test", handler)
    return noted


def test_nothing_is_done_before_its_time(database, done):
    schedule(at=MONDAY + MINUTE)
    assert sweeper.sweep(MONDAY) == 0
    assert sweeper.sweep(MONDAY + MINUTE) == 1


def test_setting_it_again_moves_it(database):
    schedule(at=MONDAY)
    schedule(at=MONDAY + MINUTE, payload={"n": 2})
    assert [(row.at, row.payload) for row in rows()] == [(MONDAY + MINUTE, {"n": 2})]


def test_eight_processes_may_set_the_same_thing_at_once(database):
    assert together([schedule] * 8) == [None] * 8
    assert len(rows()) == 1


def test_what_is_done_is_forgotten(database, done):
    schedule()
    sweeper.sweep(MONDAY)
    assert rows() == []


def test_what_comes_again_is_set_for_its_next_time(database, done):
    schedule(payload={"again": True})
    sweeper.sweep(MONDAY)
    assert [(row.at, row.attempts) for row in rows()] == [(MONDAY + 30 * MINUTE, 0)]


def test_of_eight_sweepers_one_does_each_thing(database, done):
    for n in range(20):
        schedule(str(n), payload={"n": n})
    assert sum(together([lambda: sweeper.sweep(MONDAY)] * 8)) == 20
    assert sorted(each["n"] for each in done) == list(range(20))


def test_a_sweeper_that_died_leaves_its_things_to_the_next_after_a_minute(database, done):
    schedule()
    assert len(claim()) == 1
    assert sweeper.sweep(MONDAY + MINUTE / 2) == 0
    assert sweeper.sweep(MONDAY + MINUTE) == 1


def test_what_fails_leaves_nothing_behind_and_comes_back_less_and_less_often(database, done):
    schedule(payload={"fails": True})
    now, pauses = MONDAY, []
    for _ in range(12):
        assert sweeper.sweep(now) == 0
        (row,) = rows()
        pauses.append((row.at - now) / MINUTE)
        now = row.at
    assert pauses == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10]


def test_the_third_failure_is_told_to_the_technical_department_without_words_of_a_patient(database, done):
    schedule(payload={"fails": True})
    now = MONDAY
    for _ in range(5):
        sweeper.sweep(now)
        now = rows()[0].at
    with reading() as conn:
        (row,) = conn.execute(select(incidents)).all()
    assert row.kind == "due_failed"
    assert row.detail.endswith("KeyError")


def test_one_that_fails_does_not_keep_the_others_waiting(database, done):
    schedule("a", payload={"fails": True})
    schedule("b", payload={"n": 1})
    assert sweeper.sweep(MONDAY) == 1


def test_an_unknown_kind_is_a_failure_and_not_lost(database):
    schedule(kind="of-a-newer-version")
    assert sweeper.sweep(MONDAY) == 0
    assert len(rows()) == 1


def test_what_is_moved_while_it_is_being_done_stays_due(database, done):
    schedule(payload={"moves": True})
    sweeper.sweep(MONDAY)
    assert [(row.at, row.attempts) for row in rows()] == [(MONDAY + 60 * MINUTE, 0)]
