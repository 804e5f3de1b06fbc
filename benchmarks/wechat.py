"""WeChat under load and under kill -9: how long an acknowledgement takes, whether a message is lost, how many double.

    python -m benchmarks.wechat                     acknowledgements, then kills; figures into benchmarks/results/
    python -m benchmarks.wechat --database postgresql://…

The web process is the real one, the worker is the real one with an engine that takes a second (wechat_worker.py), WeChat is
tests/channels/wechat/simulator.py in this process. Every round all users write at the same moment. A message is *lost* when it
was acknowledged and never came back in an answer, *doubled* when it came back in two, *refused* when no delivery of it was
acknowledged: WeChat tells that user that the account is not available.
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from sqlalchemy import create_engine, text

from benchmarks import machine
from tests.channels.wechat import simulator

RESULTS = machine.ROOT / "benchmarks/results"
PATIENCE = 5.0  # seconds that WeChat waits, and between two deliveries
DELIVERIES = 4  # the page leaves open whether the first counts among the three
DRAIN_SECONDS = 300
DIGITS = str.maketrans("0123456789", "甲乙丙丁戊己庚辛壬癸")  # 120 in a message is a call for help
NAME = re.compile("编号[甲乙丙丁戊己庚辛壬癸]+号")


@dataclass
class Figures:
    """What one run gave. Times in milliseconds."""

    users: int
    messages: int
    turn_seconds: float
    kills: dict[str, int]
    acks: list[float] = field(default_factory=list)
    acknowledged: int = 0
    refused: int = 0
    redelivered: int = 0
    lost: int = 0
    doubled: int = 0
    sends: int = 0
    resent: int = 0  # parcels that the outbox itself says may have doubled
    seconds: float = 0.0
    processor: list[float] = field(default_factory=list)  # of the web process for one message, a burst each
    starved: list[float] = field(default_factory=list)  # how long its loop was ready and got no processor, a burst each

    def summary(self) -> dict:
        """Give the figures as the results file has them."""
        cuts = statistics.quantiles(self.acks, n=100) if len(self.acks) > 1 else [0.0] * 99
        counted = {name: value for name, value in vars(self).items() if not isinstance(value, list)}
        ack = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(self.acks, default=0.0)}
        bursts = {"processor_ms_a_message": self.processor, "starved_ms_a_burst": self.starved}
        return {
            **counted,
            "seconds": round(self.seconds, 1),
            "ack_ms": {k: round(v, 1) for k, v in ack.items()},
            **{name: [round(one, 2) for one in each] for name, each in bursts.items()},
        }


class Children:
    """Web process and workers, which may be killed and come back."""

    def __init__(self, environment: dict[str, str], turn_seconds: float, workers: int, log: Path) -> None:
        self._environment = {**os.environ, **environment}
        self._commands = {"web": ["-m", "bot.cli", "serve", "--role", "web"]}
        for number in range(workers):
            self._commands[f"worker-{number}"] = ["-m", "benchmarks.wechat_worker", str(turn_seconds)]
        self._log = log.open("ab")
        self._running: dict[str, subprocess.Popen] = {}

    def start(self, name: str) -> None:
        """Start one under its old name."""
        self._running[name] = subprocess.Popen(
            [sys.executable, "-W", "ignore", *self._commands[name]],
            cwd=machine.ROOT,
            env={**self._environment, "DAOYI_WORKER": f"bench:{name}"},
            stdout=self._log,
            stderr=self._log,
        )

    def start_all(self) -> None:
        for name in self._commands:
            self.start(name)

    def spent(self, name: str) -> tuple[float, float]:
        """Give the milliseconds that a process has computed, and those that its first thread waited for a processor."""
        pid = self._running[name].pid
        threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
        used = {one.parent.name: [int(ns) / 1e6 for ns in one.read_text().split()[:2]] for one in threads}
        return sum(on for on, _ in used.values()), used[str(pid)][1]

    def kill(self, name: str) -> None:
        """kill -9, then start it again as the supervisor would."""
        self._running[name].kill()
        self._running[name].wait()
        self.start(name)

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._log.close()


class Crowd:
    """Users who write to the account through the played WeChat."""

    def __init__(self, played: simulator.WeChat, port: int, users: int, figures: Figures) -> None:
        self._played = played
        self._host, self._port = "127.0.0.1", port
        self._openids = [f"oBench{number:05d}{'x' * 17}" for number in range(users)]
        self._figures = figures
        self._number = 0
        self.acknowledged: set[str] = set()

    def prepare(self) -> list[tuple[str, bytes, dict]]:
        """Give one message a user as (name, HTTP request, fields), encrypted before the clock starts."""
        made = []
        for openid in self._openids:
            self._number += 1
            name = f"编号{str(self._number).translate(DIGITS)}号"
            fields = {
                "ToUserName": simulator.ORIGINAL,
                "FromUserName": openid,
                "CreateTime": int(time.time()),
                "MsgType": "text",
                "Content": f"请记下{name}",
                "MsgId": 10**15 + self._number,
            }
            body, query = self._played.sealed({"fields": fields})
            head = f"POST /wechat?{urlencode(query)} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
            made.append((name, f"{head}Connection: close\r\n\r\n".encode() + body, fields))
        return made

    async def write(self, name: str, request: bytes, fields: dict) -> None:
        """Deliver one message as WeChat does."""
        for attempt in range(DELIVERIES):
            started = time.perf_counter()
            said = await self._deliver(request)
            took = time.perf_counter() - started
            if said == b"success":
                self._figures.acks.append(took * 1000)
                self._figures.redelivered += attempt
                self.acknowledged.add(name)
                self._played.allow(fields)
                return
            await asyncio.sleep(max(0.0, PATIENCE - took))
        self._figures.refused += 1

    async def _deliver(self, request: bytes) -> bytes:
        """Give the answer's body, b"" when there was none within WeChat's patience. A client that costs little: it shares
        the machine with what it measures."""
        try:
            return await asyncio.wait_for(self._exchange(request), PATIENCE)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            return b""

    async def _exchange(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            return body if b" 200 " in head.partition(b"\r\n")[0] else b""
        finally:
            writer.close()


async def run(
    folder: Path,
    database: str,
    users: int,
    rounds: int,
    turn_seconds: float,
    kills: dict[int, tuple[str, ...]],
    workers: int = 1,
    pause: float = 2.0,
) -> Figures:
    """Let `users` write `rounds` times at once; `kills` says who dies in which round. Gives the figures."""
    figures = Figures(
        users, users * rounds, turn_seconds, dict(Counter(name for row in kills.values() for name in row))
    )
    made = simulator.app()
    played: simulator.WeChat = made[simulator.PLAYED]
    api_port, web_port = machine.free_port(), machine.free_port()
    runner = web.AppRunner(made, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", api_port).start()
    environment = {
        "DAOYI_DATABASE": database,
        "DAOYI_SECRET_FILE": str(folder / "secret.key"),
        "DAOYI_PORT": str(web_port),
        "DAOYI_RATE_PER_MINUTE": "1000",
        "DAOYI_LOG_LEVEL": "WARNING",
        "DAOYI_WECHAT_APP_ID": simulator.APP_ID,
        "DAOYI_WECHAT_ORIGINAL_ID": simulator.ORIGINAL,
        "DAOYI_WECHAT_TOKEN": simulator.TOKEN,
        "DAOYI_WECHAT_AES_KEY": simulator.KEY,
        "DAOYI_WECHAT_SECRET": simulator.SECRET,
        "DAOYI_WECHAT_API": f"http://127.0.0.1:{api_port}",
    }
    migrating = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "bot.cli", "migrate", cwd=machine.ROOT,
        env={**os.environ, **environment}, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if await migrating.wait():
        raise machine.NotReady("the database could not be made")
    children = Children(environment, turn_seconds, workers, folder / "children.log")
    started = time.monotonic()
    try:
        children.start_all()
        await _ready(f"http://127.0.0.1:{web_port}/readyz")
        crowd = Crowd(played, web_port, users, figures)
        writing = []
        for number in range(rounds):
            made_ready = crowd.prepare()
            before = children.spent("web")
            burst = [asyncio.create_task(crowd.write(*message)) for message in made_ready]
            writing += burst
            if not kills:
                await asyncio.wait(burst)
                used, starved = (now - then for now, then in zip(children.spent("web"), before, strict=True))
                figures.processor.append(used / users)
                figures.starved.append(starved)
            for name in kills.get(number, ()):
                await asyncio.sleep(0.15)  # some are acknowledged, some are not yet
                await asyncio.get_running_loop().run_in_executor(None, children.kill, name)
            await asyncio.sleep(pause)
            if "web" in kills.get(number, ()):
                await _ready(f"http://127.0.0.1:{web_port}/healthz")
        await asyncio.gather(*writing)
        figures.acknowledged = len(crowd.acknowledged)
        await _drained(played, crowd.acknowledged)
        heard = Counter(name for sent in played.sends for name in NAME.findall(_said(sent)))
        figures.lost = sum(1 for name in crowd.acknowledged if not heard[name])
        figures.doubled = sum(1 for name in crowd.acknowledged if heard[name] > 1)
        figures.sends = len(played.sends)
        with create_engine(database, future=True).connect() as conn:
            figures.resent = conn.execute(text("SELECT COALESCE(SUM(resent), 0) FROM outbox")).scalar_one()
        figures.seconds = time.monotonic() - started
    finally:
        children.stop()
        await runner.cleanup()
    return figures


def _said(sent: dict) -> str:
    return sent.get("text", {}).get("content", "")


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(240):
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.5)
    raise machine.NotReady("the web process or the worker did not start")


async def _drained(played: simulator.WeChat, wanted: set[str]) -> None:
    """Wait until every acknowledged message has come back, and a little for what may double."""
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        heard = {name for sent in played.sends for name in NAME.findall(_said(sent))}
        if wanted <= heard:
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="", help="SQLAlchemy address of an empty database; default: fresh SQLite")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    kills = {2: ("web",), 3: ("worker-0",), 5: ("web", "worker-0"), 7: ("web",), 8: ("worker-0",)}
    found = {"machine": machine.facts(), "commit": machine.commit(), "load_before": machine.load()}
    for name, dying in (("acknowledgements", {}), ("kill_9", kills)):
        with tempfile.TemporaryDirectory(prefix="daoyi-wechat-") as folder:
            database = given.database or f"sqlite:///{folder}/wechat.db"
            figures = asyncio.run(run(Path(folder), database, given.users, given.rounds, 1.0, dying))
            found[name] = figures.summary()
            print(name, json.dumps(found[name], ensure_ascii=False), flush=True)
    found["load_after"] = machine.load()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "wechat.json").write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
