"""No overselling (R76): two hundred patients from four processes want twenty openings, on SQLite and on PostgreSQL."""

import json
import subprocess
import sys
from collections import Counter

from sqlalchemy import func, select

from bot.appointments.tables import bookings, openings
from bot.settings import ROOT
from bot.storage.engine import engine, reading
from tests import builders

PROCESSES, THREADS, PLACES = 4, 50, 20


def rush(session: int, crowds: list[list[int]], threads: int) -> Counter:
    """Let each crowd go from its own process at the same moment; give how the patients fared."""
    engine().dispose()
    begun = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.proofs.crowd", str(session), str(threads), *map(str, crowd)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for crowd in crowds
    ]
    try:
        for process in begun:
            assert process.stdout.readline() == "ready\n"
        for process in begun:
            process.stdin.write("go\n")
            process.stdin.flush()
        fared = Counter()
        for process in begun:
            fared.update(json.loads(process.stdout.readline()))
            assert process.wait(30) == 0
        return fared
    finally:
        for process in begun:
            process.kill()
            process.communicate()


def test_two_hundred_patients_get_exactly_the_twenty_openings(database):
    session, places = builders.session(places=PLACES)
    everybody = builders.patient(count=PROCESSES * THREADS)
    crowds = [everybody[n * THREADS : (n + 1) * THREADS] for n in range(PROCESSES)]

    fared = rush(session, crowds, THREADS)

    assert fared == {"booked": PLACES, "Taken": PROCESSES * THREADS - PLACES}
    with reading() as conn:
        sold = conn.execute(select(bookings.c.opening_id, bookings.c.patient_id, bookings.c.number)).all()
        states = conn.execute(select(openings.c.state, func.count()).group_by(openings.c.state)).all()
    assert sorted(row.opening_id for row in sold) == sorted(places)
    assert len({row.patient_id for row in sold}) == PLACES
    assert len({row.number for row in sold}) == PLACES
    assert states == [("booked", PLACES)]


def test_a_patient_who_asks_from_twenty_places_at_once_gets_one_booking(database):
    session, _ = builders.session(places=PLACES)
    patient = builders.patient()

    fared = rush(session, [[patient]] * 2, threads=10)

    assert fared == {"booked": 1, "Duplicate": 19}
    with reading() as conn:
        assert conn.execute(select(func.count()).select_from(bookings)).scalar_one() == 1
        assert conn.execute(select(func.count()).where(openings.c.state == "booked")).scalar_one() == 1
