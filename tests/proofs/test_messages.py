"""Nothing is lost, nothing is doubled, the order stays: killed processes, cut sockets, messages sent twice; on both databases.

Patients write over the chat's socket; a bot answers some talks, people at the desk the others. Meanwhile web process and
worker are killed again and again (nursery.py), and everybody's network is bad (people.py). `make test` sends a few
hundred messages a database; DAOYI_TEST_MESSAGES=10000 the number that the project promises.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from sqlalchemy import select

from bot.clock import now
from bot.conversations import holding, inbound
from bot.conversations.tables import inbox, incidents, lines
from bot.desk.door import COOKIE
from bot.settings import ROOT
from bot.staff import service as staff
from bot.storage.engine import engine, reading, writing
from channels.web import sessions
from tests.channels.web.house import free_port
from tests.conftest import KINDS, configured
from tests.proofs.apart import run_apart
from tests.proofs.people import Agent, Patient

MESSAGES = int(os.environ.get("DAOYI_TEST_MESSAGES", "600"))  # 10000 were run on each database, all there
TALKS = 30
HELD = 10  # of the talks are in the hands of a person
SECONDS = 120 + MESSAGES / 5  # for one database, on a busy machine

pytestmark = pytest.mark.timeout(2 * SECONDS + 60)


@dataclass
class Aftermath:
    """What stands in the database after the storm, and what everybody's page shows."""

    patients: list[Patient]
    agents: list[Agent]
    said: dict[str, list[tuple[int, str, str]]]  # by conversation: seq, sender, text
    inbox: list
    incidents: list
    killed: dict[str, int]


@pytest.fixture(scope="module", params=KINDS)
def aftermath(request, migrated, tmp_path_factory) -> Aftermath:
    port = free_port()
    more = {"DAOYI_PORT": str(port), "DAOYI_MERGE_MS": "0", "DAOYI_RATE_PER_MINUTE": "1000000"}
    with configured(migrated(request.param), tmp_path_factory.mktemp("messages") / "secret.key"):
        patients, agents = _people(f"http://127.0.0.1:{port}")
        engine().dispose()
        with _nursery("web", more) as web, _nursery("worker", more) as worker:
            run_apart(_storm(patients, agents, (web, worker)))
            killed = {"web": _end(web), "worker": _end(worker)}
        found = _look(patients, agents, killed)
        engine().dispose()
    happened = sum((page.happened for page in [*patients, *agents]), Counter())
    print(f"\n{request.param}: {len(found.inbox)} messages, killed {killed}, {dict(happened)}")
    return found


def _people(url: str) -> tuple[list[Patient], list[Agent]]:
    """Open the talks; give the patients, and an agent for each talk that is held."""
    with writing() as conn:
        number = staff.add(conn, "1001", "王客服", "agent", "long-enough-1")
        token = staff.sign_in(conn, "1001", "long-enough-1", now())
        csrf = staff.signed_in(conn, token, now()).csrf
    patients, agents = [], []
    for talk in range(TALKS):
        visitor = sessions.new_visitor()
        chat = inbound.open_conversation(sessions.CHANNEL, visitor, now())
        texts = [f"请问第{talk}-{n}件事怎么办理？" for n in range(talk, MESSAGES, TALKS)]
        patients.append(Patient(chat, url, sessions.issue(visitor, now()).token, texts))
        if talk < HELD:
            holding.take(chat, number, "人工客服为您服务。", now(), supervisor=True)
            agents.append(Agent(chat, url, f"{COOKIE}={token}", csrf))
    return patients, agents


@contextmanager
def _nursery(role: str, more: dict[str, str]):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.proofs.nursery", role],
        cwd=ROOT,
        env={**os.environ, **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)  # with the life under way
            process.communicate()


async def _storm(patients: list[Patient], agents: list[Agent], nurseries: tuple) -> None:
    """Let everybody write and read while the processes die; then, in peace, let every page catch up."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        serving = [asyncio.create_task(agent.live(http)) for agent in agents]
        writing_ = asyncio.gather(*(patient.live() for patient in patients))
        await asyncio.wait([writing_, *serving], timeout=SECONDS, return_when=asyncio.FIRST_COMPLETED)
        assert writing_.done() or any(task.done() for task in serving), (
            f"without an answer: {[(page.chat, page.open) for page in patients if page.open]}"
        )
        for task in [*serving, writing_]:
            if task.done():
                task.result()  # what an agent or a patient could not bear
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for nursery in nurseries:
            nursery.stdin.write("live on\n")
            nursery.stdin.flush()
        for page in patients:
            await _until_there(page.catch_up)
        for page in agents:
            await _until_there(lambda page=page: page.look(http))


async def _until_there(deed) -> None:
    """Do it as soon as the web process has opened its door."""
    while True:
        try:
            return await deed()
        except OSError:
            await asyncio.sleep(0.1)


def _end(nursery) -> int:
    said, _ = nursery.communicate(timeout=30)
    assert nursery.returncode == 0, said
    return int(said.splitlines()[-1])


def _look(patients: list[Patient], agents: list[Agent], killed: dict[str, int]) -> Aftermath:
    said = defaultdict(list)
    with reading() as conn:
        for line in conn.execute(select(lines).order_by(lines.c.conversation_id, lines.c.seq)):
            said[line.conversation_id].append((line.seq, line.sender, line.text))
        waiting = conn.execute(select(inbox.c.state, inbox.c.attempts)).all()
        failed = conn.execute(select(incidents.c.kind, incidents.c.detail)).all()
    return Aftermath(patients, agents, said, waiting, failed, killed)


def test_the_storm_was_real(aftermath):
    patients = sum((page.happened for page in aftermath.patients), Counter())
    agents = sum((page.happened for page in aftermath.agents), Counter())
    assert min(aftermath.killed.values()) >= 2
    assert min(patients["cut"], patients["again"], patients["absent"]) >= 5
    assert min(agents["cut"], agents["again"], agents["absent"]) >= 1


def test_each_message_is_stored_once_and_in_the_order_in_which_it_was_written(aftermath):
    for patient in aftermath.patients:
        stored = [text for _, sender, text in aftermath.said[patient.chat] if sender == "patient"]
        assert stored == patient.texts
    assert len(aftermath.inbox) == MESSAGES


def test_each_message_is_answered_once_and_in_order(aftermath):
    for patient in aftermath.patients:
        answers = [text for _, sender, text in aftermath.said[patient.chat] if sender in ("bot", "agent")]
        assert "".join(answers).replace("收到：", "").replace("答复：", "") == "".join(patient.texts)
    assert {row.state for row in aftermath.inbox} == {"done", "person"}
    assert aftermath.incidents == []


def test_a_talk_held_by_a_person_has_only_her_answers(aftermath):
    for agent in aftermath.agents:
        assert {sender for _, sender, _ in aftermath.said[agent.chat]} == {"patient", "system", "agent"}


def test_every_page_shows_the_whole_talk_once_and_without_a_gap(aftermath):
    for page in [*aftermath.patients, *aftermath.agents]:
        assert page.seen == aftermath.said[page.chat]
        assert [seq for seq, _, _ in page.seen] == list(range(1, len(page.seen) + 1))
