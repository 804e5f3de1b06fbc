"""The systems that are measured: how each is trained, started, asked and stopped. All files go below build/bench/."""

import asyncio
import json
import re
import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import yaml

from benchmarks.clients import DaoyiTalk, StockTalk
from benchmarks.machine import ROOT, NotReady, Process, free_port, load, run_timed
from benchmarks.messages import FIXED, LOOK_UPS
from benchmarks.stock.project import write_endpoints, write_project

READY_SECONDS = 300
QUIET = {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}


class System(ABC):
    """A system under measurement: `main` is the process with the model, `processes` all that answer patients."""

    name: str
    processes: dict[str, Process]
    base: str
    talk: type

    def __init__(self, folder: Path, cores: Iterable[int]) -> None:
        self.folder = folder
        self.cores = set(cores)
        self.processes = {}

    @abstractmethod
    def start(self) -> None:
        """Start the processes."""

    def turn_times(self, since: float, until: float) -> list[float]:
        """Give the ms of turns that ended in a span of wall-clock time; empty where a system does not write them down."""
        return []

    async def ready(self) -> float:
        """Start and give the seconds until the first message has been answered. Raises NotReady."""
        started = time.monotonic()
        self.start()
        async with aiohttp.ClientSession() as http:
            while True:
                for process in self.processes.values():
                    process.require_alive()
                if time.monotonic() - started > READY_SECONDS:
                    raise NotReady(f"{self.name} gave no answer within {READY_SECONDS} s")
                talk = self.talk(http, self.base)
                try:
                    if await self._serving(http):
                        await talk.open()
                        if await talk.ask(FIXED[0].text):
                            break
                except aiohttp.ClientError:
                    pass
                finally:
                    await talk.close()
                await asyncio.sleep(0.2)
            seconds = round(time.monotonic() - started, 1)
            talk = self.talk(http, self.base)
            await talk.open()
            for question in (*FIXED[:3], *LOOK_UPS[:3]):  # first uses of libraries and pools
                await talk.ask(question.text)
            await talk.close()
        return seconds

    @abstractmethod
    async def _serving(self, http: aiohttp.ClientSession) -> bool:
        """Tell whether the first message may be sent."""

    def cpu_seconds(self) -> float:
        """Give the processor time spent so far by all processes."""
        return sum(p.cpu_seconds() for p in self.processes.values())

    def rss(self) -> dict[str, float]:
        """Give the resident memory of each process in MB."""
        return {name: p.rss_mb() for name, p in self.processes.items()}

    def pause(self) -> None:
        """Freeze all processes."""
        for process in self.processes.values():
            process.pause()

    def resume(self) -> None:
        """Let all processes go on."""
        for process in self.processes.values():
            process.resume()

    def stop(self) -> None:
        """End all processes."""
        for process in self.processes.values():
            process.stop()


class Daoyi(System):
    """Web process and one worker on SQLite."""

    talk = DaoyiTalk

    def __init__(self, folder: Path, cores: Iterable[int], model: Path, merge_ms: int) -> None:
        super().__init__(folder, cores)
        self.name = "daoyi"
        self.model = model
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.times = folder / "turns.jsonl"
        self.env = {
            **QUIET,
            "DAOYI_DATABASE": f"sqlite:///{folder}/daoyi.db",
            "DAOYI_SECRET_FILE": str(folder / "secret.key"),
            "DAOYI_PORT": str(port),
            "DAOYI_HOST": "127.0.0.1",
            "DAOYI_MERGE_MS": str(merge_ms),
            "DAOYI_RATE_PER_MINUTE": "1000000",  # one machine plays all patients
        }

    def start(self) -> None:
        """Make a fresh sample database, then start web process and worker."""
        prepare_database(self.folder, self.env)
        self.processes = {
            "worker": self._run(
                "worker", [sys.executable, "-m", "benchmarks.worker", str(self.model), str(self.times)]
            ),
            "web": self._run("web", [sys.executable, "-m", "bot.cli", "serve", "--role", "web"]),
        }

    def _run(self, name: str, command: list[str]) -> Process:
        return Process(command, self.folder / f"{name}.log", self.cores, ROOT, self.env)

    async def _serving(self, http: aiohttp.ClientSession) -> bool:
        async with http.get(f"{self.base}/readyz") as answer:
            return answer.status == 200

    def turn_times(self, since: float, until: float) -> list[float]:
        """Give the ms from lease to commit of the turns that ended in the span."""
        rows = map(json.loads, self.times.read_text().splitlines())
        return [row["ms"] for row in rows if since <= row["at"] <= until]


class Stock(System):
    """`rasa run` and an action server, tracker store on SQLite; `patched` mends the validation of action answers."""

    talk = StockTalk

    def __init__(self, folder: Path, cores: Iterable[int], model: Path, patched: bool) -> None:
        super().__init__(folder, cores)
        self.name = "patched" if patched else "stock"
        self.model = model
        self.patched = patched
        self.port, self.action_port = free_port(), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.env = {
            **QUIET,
            "PYTHONPATH": str(ROOT),
            "DAOYI_DATABASE": f"sqlite:///{folder}/daoyi.db",
            "DAOYI_SECRET_FILE": str(folder / "secret.key"),
        }

    def start(self) -> None:
        """Make a fresh sample database for the look-ups, then start both servers."""
        prepare_database(self.folder, self.env)
        (self.folder / "tracker.db").unlink(missing_ok=True)
        write_endpoints(self.folder, self.action_port, self.folder / "tracker.db")
        rasa = "benchmarks.stock.patched" if self.patched else "rasa"
        serve = [
            sys.executable,
            "-m",
            rasa,
            "run",
            "--enable-api",
            "--interface",
            "127.0.0.1",
            "--port",
            str(self.port),
        ]
        serve += ["--model", str(self.model), "--endpoints", "endpoints.yml", "--credentials", "credentials.yml"]
        actions = [
            sys.executable,
            "-m",
            "rasa_sdk",
            "--actions",
            "benchmarks.stock.actions",
            "--port",
            str(self.action_port),
        ]
        self.processes = {
            "rasa": Process(serve, self.folder / "rasa.log", self.cores, self.folder, self.env),
            "actions": Process(actions, self.folder / "actions.log", self.cores, self.folder, self.env),
        }

    async def _serving(self, http: aiohttp.ClientSession) -> bool:
        async with http.get(f"http://127.0.0.1:{self.action_port}/health") as answer:
            if answer.status != 200:
                return False
        async with http.get(f"{self.base}/status") as answer:
            return answer.status == 200


def prepare_database(folder: Path, env: dict[str, str]) -> None:
    """Make the sample hospital's database anew."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("daoyi.db*"):
        if old.is_file():
            old.unlink()
    for command in ("migrate", "demo"):
        run_timed([sys.executable, "-m", "bot.cli", command], folder / f"{command}.log", ROOT, env)


def train_daoyi(folder: Path, keep: bool = False) -> tuple[Path, dict]:
    """Train Daoyi's model from nothing, or take the one trained here from the same files; give it and how it went.

    keep: take what was trained here before although the files have changed since.
    """
    from bot.nlu.training import model_fingerprint

    def train(into: Path) -> Path:
        command = [sys.executable, "-m", "benchmarks.train_daoyi", str(into)]
        run_timed(command, into / "train.log", ROOT, QUIET)
        return next((into / "models").glob("*.tar.gz"))

    return _trained(folder / "daoyi-model", model_fingerprint(), train, keep)


def train_stock(folder: Path, epochs: int, keep: bool = False) -> tuple[Path, dict]:
    """Train the stock model on nlu_data, or take the one trained here from the same files; give it and how it went.

    keep: take what was trained here before although the files have changed since.
    """
    project = folder / "stock-project"
    entities = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["entities"]
    fingerprint = write_project(project, ROOT / "nlu_data", entities, epochs)

    def train(into: Path) -> Path:
        command = [sys.executable, "-m", "rasa", "train", "--fixed-model-name", "stock", "--out", str(into)]
        env = {**QUIET, "RASA_CACHE_DIRECTORY": str(into / "cache")}
        run_timed(command, into / "train.log", project, env)
        return into / "stock.tar.gz"

    model, done = _trained(folder / f"stock-model-{epochs}", fingerprint, train, keep)
    if "epoch_s" not in done:
        done["epoch_s"] = epoch_seconds((model.parent / "train.log").read_text(errors="replace"))
        (model.parent / "trained.json").write_text(json.dumps(done))
    return model, done


def epoch_seconds(log: str) -> float | None:
    """Give the seconds of an epoch, all components together, from the progress bars of a training; None without any."""
    bars = re.findall(r"Epochs: 100%\|\S*\| (\d+)/\1 \[(?:(\d+):)?(\d+):(\d+)<", log)
    last = {}  # the bar is drawn again and again; a component's last one counts, and each has its own time
    for epochs, hours, minutes, seconds in bars:
        total = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
        last[total] = total / int(epochs)
    return round(sum(last.values()), 1) if last else None


def _trained(folder: Path, fingerprint: str, train, keep: bool) -> tuple[Path, dict]:
    note = folder / "trained.json"
    if note.exists():
        known = json.loads(note.read_text())
        known["stale"] = known["fingerprint"] != fingerprint
        if (keep or not known["stale"]) and Path(known["model"]).exists():
            return Path(known["model"]), known
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    before, started = load(), time.monotonic()
    model = train(folder)
    done = {
        "fingerprint": fingerprint,
        "model": str(model),
        "seconds": round(time.monotonic() - started, 1),
        "model_mb": round(model.stat().st_size / 1e6, 1),
        "at": time.strftime("%Y-%m-%d %H:%M"),
        "load_before": before,
        "stale": False,
    }
    note.write_text(json.dumps(done))
    return model, done
