"""Kill -9 at any point loses nothing and doubles nothing, on SQLite and on PostgreSQL (see lives.py for what a life is)."""

import os
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.appointments.tables import bookings, openings
from bot.clock import now
from bot.conversations.tables import conversations, inbox, incidents, lines
from bot.settings import ROOT
from bot.storage.engine import engine, reading
from tests import builders
from tests.conftest import KINDS, configured
from tests.proofs.lives import POINTS

DEATHS = {"sqlite": 200, "postgresql": 40}  # at each point


@dataclass
class Aftermath:
    """What stands in a database after its worker has died so often at one point."""

    deaths: int
    served: int  # one patient more: the rehearsal is answered in peace
    talks: list
    inbox: list
    said: dict[str, list]  # by conversation
    bookings: list
    openings: dict[int, str]
    incidents: list


@pytest.fixture(scope="module", params=KINDS)
def aftermaths(request, migrated, tmp_path_factory):
    """Let the worker die at each point in a database of its own, all five at the same time."""
    key = tmp_path_factory.mktemp("kill") / "secret.key"
    deaths = DEATHS[request.param]
    places = {point: migrated(request.param) for point in POINTS}
    begun = {}
    for point, url in places.items():
        with configured(url, key):
            builders.session(day=now().date() + timedelta(days=7), places=deaths + 1)
            builders.patient(count=deaths + 1)
            engine().dispose()
            begun[point] = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "tests.proofs.lives", point, str(deaths)],
                cwd=ROOT,
                env={**os.environ, "DAOYI_MERGE_MS": "0"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
    found = {}
    for point, process in begun.items():
        said, _ = process.communicate(timeout=240)
        assert process.returncode == 0, f"{point}: {said}"
        with configured(places[point], key):
            found[point] = _look(deaths)
            engine().dispose()
    return found


@pytest.fixture(params=POINTS)
def aftermath(request, aftermaths) -> Aftermath:
    return aftermaths[request.param]


def _look(deaths: int) -> Aftermath:
    with reading() as conn:
        said = defaultdict(list)
        for line in conn.execute(select(lines).order_by(lines.c.conversation_id, lines.c.seq)):
            said[line.conversation_id].append(line)
        return Aftermath(
            deaths,
            deaths + 1,
            conn.execute(select(conversations)).all(),
            conn.execute(select(inbox)).all(),
            said,
            conn.execute(select(bookings)).all(),
            dict(conn.execute(select(openings.c.id, openings.c.state)).all()),
            conn.execute(select(incidents)).all(),
        )


def test_every_message_is_stored_once_and_has_been_answered(aftermath):
    assert len(aftermath.talks) == len(aftermath.inbox) == aftermath.served
    assert Counter(row.state for row in aftermath.inbox) == {"done": aftermath.served}
    assert aftermath.incidents == []


def test_each_talk_is_one_message_one_receipt_one_answer_in_this_order(aftermath):
    wrong = {
        talk.id: [line.sender for line in aftermath.said[talk.id]]
        for talk in aftermath.talks
        if [(line.seq, line.sender) for line in aftermath.said[talk.id]] != [(1, "patient"), (2, "system"), (3, "bot")]
    }
    assert wrong == {}


def test_every_opening_is_booked_once_and_is_the_one_that_receipt_and_answer_name(aftermath):
    assert len({booking.opening_id for booking in aftermath.bookings}) == aftermath.served
    assert len({booking.patient_id for booking in aftermath.bookings}) == aftermath.served
    assert Counter(booking.state for booking in aftermath.bookings) == {"booked": aftermath.served}
    assert set(aftermath.openings.values()) == {"booked"}
    for booking in aftermath.bookings:
        _, receipt, answer = aftermath.said[booking.conversation_id]
        assert booking.number in receipt.text
        assert booking.number in answer.text


def test_the_deaths_were_real_and_no_lease_is_left(aftermath, request):
    tried = Counter(row.attempts for row in aftermath.inbox)
    point = request.node.callspec.params["aftermath"]
    # Killed inside the turn, it was tried twice; before the claim or after the commit, once.
    assert tried == ({2: aftermath.deaths, 1: 1} if point in ("nlu", "action", "turn") else {1: aftermath.served})
    assert {talk.lease_owner for talk in aftermath.talks} == {None}
