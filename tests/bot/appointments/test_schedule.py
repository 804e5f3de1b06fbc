"""The rolling schedule: what is made, when it is released, what stops (R76)."""

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from bot.appointments import schedule, service
from bot.appointments.tables import openings, sessions
from bot.cli import main
from bot.hospital.hours import is_working_day
from bot.hospital.load import load_hospital
from bot.settings import ROOT
from bot.storage import due
from bot.storage.engine import engine, reading, writing
from tests.builders import MONDAY, at, session, together


@pytest.fixture
def hospital(monkeypatch):
    """The sample hospital with the clinics of one department; gives a function that changes its data for the test."""
    whole = load_hospital()
    held = [s for s in whole.sessions if s.department == whole.sessions[0].department]

    def change(**changes):
        monkeypatch.setattr(schedule, "load_hospital", lambda: replace(whole, **changes))

    change(sessions=tuple(held), stops=())
    change.sessions = held
    change.stop = whole.stops[0]
    return change


def top_up(now=MONDAY) -> int:
    with writing() as conn:
        return schedule.top_up(conn, now)


def made() -> list:
    with reading() as conn:
        return conn.execute(select(sessions).order_by(sessions.c.day, sessions.c.period, sessions.c.doctor)).all()


def test_the_window_is_filled_once_however_often(database, hospital):
    assert top_up() == len(made()) > 0
    with reading() as conn:
        count = conn.execute(select(func.count()).select_from(openings)).scalar_one()
    assert top_up() == 0
    with reading() as conn:
        assert conn.execute(select(func.count()).select_from(openings)).scalar_one() == count


def test_each_session_has_the_openings_of_its_quota(database, hospital):
    top_up()
    quota = {(s.weekday, s.period, s.doctor): s.quota for s in hospital.sessions}
    with reading() as conn:
        rows = conn.execute(
            select(sessions.c.day, sessions.c.period, sessions.c.doctor, func.count(openings.c.id))
            .join(openings, openings.c.session_id == sessions.c.id)
            .group_by(sessions.c.id)
        ).all()
    assert {(day.isoweekday(), period, doctor): n for day, period, doctor, n in rows}.items() <= quota.items()


def test_eight_threads_that_fill_the_window_at_once_make_every_session_once(database, hospital):
    assert sum(together([top_up] * 8)) == len(made()) > 0


FILL = (
    "import sys; from datetime import datetime; from bot.appointments import schedule; from bot.storage.engine import writing\n"
    "schedule.rules(); print('ready', flush=True); sys.stdin.readline()\n"
    "with writing() as conn: print(schedule.top_up(conn, datetime.fromisoformat(sys.argv[1])))"
)


def test_two_processes_that_fill_the_window_at_once_make_every_session_once(database):
    engine().dispose()
    begun = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", FILL, MONDAY.isoformat()],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in begun:
        assert process.stdout.readline() == "ready\n"
    for process in begun:
        process.stdin.write("go\n")
        process.stdin.flush()
    counts = [int(process.communicate(timeout=120)[0]) for process in begun]
    assert [process.returncode for process in begun] == [0, 0]
    assert sum(counts) == len(made())
    with reading() as conn:
        per_session = select(func.count().label("n")).select_from(openings).group_by(openings.c.session_id).subquery()
        assert conn.execute(select(func.count()).select_from(per_session)).scalar_one() == len(made())


@pytest.mark.parametrize(
    ("now", "last"),
    [("2026-11-23 06:59", "2026-12-06"), ("2026-11-23 07:00", "2026-12-07"), ("2026-11-23 23:00", "2026-12-07")],
)
def test_the_last_day_of_the_window_is_released_at_seven(database, hospital, now, last):
    whole = replace(hospital.sessions[0], weekday=1)
    hospital(sessions=tuple(replace(whole, weekday=n) for n in range(1, 8)), stops=())
    top_up(at(now))
    assert made()[-1].day == date.fromisoformat(last)


def test_the_daily_fill_comes_back_at_the_next_release(database, hospital):
    with writing() as conn:
        assert schedule.top_up_daily(conn, {}, at("2026-11-23 05:00")) == at("2026-11-23 07:00")
        assert schedule.top_up_daily(conn, {}, at("2026-11-23 07:00")) == at("2026-11-24 07:00")


def test_on_public_holidays_only_sundays_clinics_run(database, hospital):
    weekdays = [replace(hospital.sessions[0], weekday=n) for n in (1, 2, 3, 4, 5)]
    sunday = replace(hospital.sessions[1], weekday=7, doctor="d-sunday", period="am")
    hospital(sessions=(*weekdays, sunday), stops=())
    top_up(at("2026-09-28 10:00"))
    for row in made():
        free = not is_working_day(row.day)
        assert (row.doctor == "d-sunday") is (free and row.day.isoweekday() != 6), row.day
    days = {row.day for row in made()}
    assert date(2026, 10, 1) in days
    assert date(2026, 10, 10) not in days  # worked in exchange, but nobody sits on Saturdays here


def test_a_full_template_makes_openings_that_other_channels_have_taken(database, hospital):
    hospital(sessions=(replace(hospital.sessions[0], full=True, weekday=3),), stops=())
    top_up()
    with reading() as conn:
        assert {clinic.free for clinic in service.clinics(conn, MONDAY)} == {0}
        assert set(conn.execute(select(openings.c.state)).scalars()) == {"taken"}


# ---- stops


def a_clinic(hospital):
    hospital(sessions=(replace(hospital.sessions[0], full=False, weekday=3),), stops=())
    top_up()
    return made()[0]


def stop(hospital, row, reason="外出参会"):
    covering = replace(hospital.stop, doctor=row.doctor, period=None, reason=reason)
    covering = replace(covering, first=type(covering.first)("+0"), last=type(covering.last)("+14"))
    hospital(sessions=(replace(hospital.sessions[0], full=False, weekday=3),), stops=(covering,))
    top_up()


def test_a_stopped_session_shows_why_and_has_nothing_free(database, hospital):
    row = a_clinic(hospital)
    stop(hospital, row)
    with reading() as conn:
        clinic = next(c for c in service.clinics(conn, MONDAY) if c.id == row.id)
        assert service.free_openings(conn, row.id, MONDAY) == []
    assert (clinic.stopped, clinic.stop_reason, clinic.free, clinic.next_at) == (True, "外出参会", 0, None)


def test_a_new_reason_replaces_the_old_one(database, hospital):
    row = a_clinic(hospital)
    stop(hospital, row, "外出参会")
    stop(hospital, row, "手术安排")
    assert made()[0].stop_reason == "手术安排"


def test_what_a_clerk_takes_back_opens_again(database, hospital):
    row = a_clinic(hospital)
    stop(hospital, row)
    hospital(sessions=(replace(hospital.sessions[0], full=False, weekday=3),), stops=())
    top_up()
    assert (made()[0].stopped, made()[0].stop_reason) == (False, None)


def test_what_a_person_has_decided_is_not_undone_by_the_files(database, hospital):
    row = a_clinic(hospital)
    with writing() as conn:
        assert schedule.stop_session(conn, row.id, "临时会诊", MONDAY)
        assert not schedule.stop_session(conn, row.id, "临时会诊", MONDAY)
    top_up()
    assert (made()[0].stopped, made()[0].stop_reason) == (True, "临时会诊")
    stop(hospital, row)
    with writing() as conn:
        assert schedule.resume_session(conn, row.id, MONDAY)
    top_up()
    assert (made()[0].stopped, made()[0].stop_reason) == (False, None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["stop", "2026-11-25", "d001", "am"], "--reason"),
        (["stop", "25.11.", "d001", "am", "--reason", "会诊"], "2026-12-01"),
        (["stop", "2026-11-25", "谁也不是", "am", "--reason", "会诊"], "doctors.csv"),
        (["stop", "2026-11-25", "d001", "pm", "--reason", "会诊"], "schedule.csv"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_to_do(database, capsys, given, said):
    session("2026-11-25", doctor="d001")
    assert main(["clinic", *given]) == 1
    assert said in capsys.readouterr().err


def test_a_clinic_is_stopped_and_resumed_by_command(database, capsys):
    session("2026-11-25", doctor="d001")
    for what, stopped in (("stop", True), ("stop", True), ("resume", False)):
        assert main(["clinic", what, "2026-11-25", "d001", "am", "--reason", "会诊"]) == 0
        assert made()[0].stopped is stopped
    assert [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "stopped; its patients are being told",
        "stopped already",
        "takes place; its patients are being told",
    ]


def test_a_quota_that_is_raised_adds_openings_and_a_lower_one_takes_none_away(database, hospital):
    a_clinic(hospital)

    def count() -> int:
        with reading() as conn:
            return conn.execute(
                select(func.count()).select_from(openings).where(openings.c.session_id == made()[0].id)
            ).scalar_one()

    before = count()
    for quota, wanted in ((before + 4, before + 4), (2, before + 4)):
        hospital(
            sessions=(replace(hospital.sessions[0], full=False, weekday=3, quota=quota),),
            stops=(),
        )
        top_up()
        top_up()
        assert count() == wanted


def test_a_session_that_leaves_the_schedule_is_stopped(database, hospital):
    a_clinic(hospital)
    hospital(sessions=(), stops=())
    top_up()
    assert {row.stopped for row in made()} == {True}


def test_what_lies_behind_the_window_is_left_alone(database, hospital):
    a_clinic(hospital)
    with writing() as conn:
        conn.execute(
            update(sessions).values(day=MONDAY.date() + timedelta(days=40)).where(sessions.c.id == made()[0].id)
        )
    hospital(sessions=(), stops=())
    top_up()
    assert [row.stopped for row in made() if row.day > MONDAY.date() + timedelta(days=14)] == [False]


# ---- what is shown


def test_a_session_of_today_is_shown_until_its_half_day_ends(database, hospital):
    hospital(
        sessions=tuple(replace(hospital.sessions[0], weekday=1, period=p, full=False) for p in ("am", "pm")), stops=()
    )
    top_up(at("2026-11-23 07:00"))

    def shown(clock: str) -> list[str]:
        with reading() as conn:
            day = date(2026, 11, 23)
            return [c.period for c in service.clinics(conn, at(f"2026-11-23 {clock}"), first=day, last=day)]

    assert shown("11:59") == ["am", "pm"]
    assert shown("12:00") == ["pm"]
    assert shown("18:00") == []


def test_openings_of_the_next_half_hour_are_given_out_at_the_window_only(database, hospital):
    hospital(sessions=(replace(hospital.sessions[0], weekday=1, period="am", full=False),), stops=())
    top_up(at("2026-11-23 07:00"))
    with reading() as conn:
        free = service.free_openings(conn, made()[0].id, at("2026-11-23 09:00"))
        (clinic,) = service.clinics(conn, at("2026-11-23 09:00"), last=date(2026, 11, 23))
    assert min(opening.starts_at for opening in free) == clinic.next_at == at("2026-11-23 09:40")
    assert clinic.late == 3  # 09:10, 09:20, 09:30
    assert clinic.free == len(free)


def test_the_fill_is_due_again_after_a_sweep(database, hospital):
    from bot.dialogue.sweeper import sweep

    with writing() as conn:
        due.schedule(conn, "top_up", "daily", at("2026-11-23 07:00"))
    assert sweep(at("2026-11-23 07:00")) == 1
    with reading() as conn:
        assert conn.execute(select(due.due.c.at)).scalar_one() == at("2026-11-24 07:00")
