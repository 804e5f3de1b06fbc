"""A small hospital project of its own for the workbench: a copy of the house with few training lines, git, its own database.

Few lines make a training short; everything else is the true path: `daoyi serve`, `daoyi train`, `daoyi evaluate`.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

from bot.settings import ROOT
from tests.channels.web.house import free_port

PARTS = ("bot", "actions", "channels", "nlu_data", "config.yml", "domain.yml", "endpoints.yml", "pyproject.toml")
KEPT = 7  # training lines of a label
SETS = {
    "tuning": (
        ("book_appointment", "帮俺爹约个骨科的号"), ("faq/parking", "开车来的话车子停哪儿"), ("faq/wifi", "候诊的地方有无线网吗"),
        ("request_human", "换个真人来跟我说"), ("thanks", "多谢多谢"), ("complaint/waiting", "排了一上午队都没轮到我"),
        ("query_price", "做个核磁要花多少钱"), ("emergency", "我爸胸口疼得直冒冷汗喘不上气"), ("cancel_appointment", "明天的号我不要了退掉吧"),
        ("find_department", "老是头晕恶心该看哪个科"), ("out_of_scope", "帮我订张去北京的机票"), ("greet", "你好呀"),
    ),
    "test": (("faq/parking", "停车位还有没有"), ("goodbye", "再见啦"), ("query_schedule", "张主任星期几上班")),
}  # fmt: skip
TRAINER = ("5001", "周训练", "demo-train-5001")


class Bench:
    """The project and its running house."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.root = folder / "house"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None
        self.environment = {
            **os.environ,
            "DAOYI_DATABASE": f"sqlite:///{folder}/bench.db",
            "DAOYI_SECRET_FILE": str(folder / "secret.key"),
            "DAOYI_PORT": str(self.port),
            "DAOYI_RATE_PER_MINUTE": "600",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(self.root),
            "TMPDIR": str(folder / "temporary"),
            **environment,
        }
        self.log = folder / "serve.log"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self._copy()

    def _copy(self) -> None:
        self.root.mkdir()
        skip = shutil.ignore_patterns("__pycache__")
        for name in PARTS:
            source = ROOT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, self.root / name, **({"ignore": skip} if source.is_dir() else {}))
        (self.root / "build").symlink_to(ROOT / "build")
        (self.root / "docs").mkdir()
        shutil.copy(ROOT / "docs/nlu-guideline.md", self.root / "docs")
        for path in (self.root / "nlu_data").rglob("*.yml"):
            path.write_text(_few(path.read_text(encoding="utf-8")), encoding="utf-8")
        sets = self.root / "benchmarks" / "nlu"
        sets.mkdir(parents=True)
        for name, rows in SETS.items():
            lines = [f"- {{intent: {label}, voice: short, text: {text}, entities: []}}" for label, text in rows]
            (sets / f"{name}.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.root / ".gitignore").write_text("var/\nmodels/\nbuild\n.rasa/\n", encoding="utf-8")
        self.git("init", "--quiet")
        self.git("add", "-A")
        self.git("-c", "user.name=信息科", "-c", "user.email=it@example.org", "commit", "--quiet", "-m", "开始")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(self.root), *arguments], check=True, capture_output=True, text=True)
        return done.stdout

    def daoyi(self, *arguments: str, given: str = "") -> str:
        command = [sys.executable, "-m", "bot.cli", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.environment, input=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def prepare(self) -> None:
        """Make database and accounts."""
        self.daoyi("migrate")
        self.daoyi("demo")

    def start(self, role: str = "all") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve", "--role", role],
            cwd=self.root,
            env=self.environment,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
        )
        if role != "worker":
            self.wait("/readyz" if role == "all" else "/healthz", 240)

    def wait(self, path: str, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if httpx.get(self.url + path, timeout=3).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
            time.sleep(0.3)
        raise AssertionError(f"{path} did not answer:\n{self.log.read_text(errors='replace')[-4000:]}")

    def processes(self) -> list[str]:
        """Give the command lines of what runs in the project's folder."""
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            try:
                if each.joinpath("cwd").resolve() == self.root:
                    found.append(each.joinpath("cmdline").read_text().replace("\0", " "))
            except OSError:  # it has ended meanwhile
                continue
        return found

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()


class Patient:
    """Somebody who writes over HTTP."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=40)
        token = self.http.post("/chat/session").json()["token"]
        self.http.headers["authorization"] = f"Bearer {token}"
        self.seq = 0

    def ask(self, text: str, seconds: float = 60) -> str:
        """Write and give the first answer. Raises AssertionError when none comes."""
        sent = self.http.post("/chat/messages", json={"client_id": secrets.token_hex(8), "text": text})
        assert sent.status_code in (200, 202), sent.text
        seq, until = sent.json()["seq"], time.monotonic() + seconds
        while time.monotonic() < until:
            lines = self.http.get("/chat/lines", params={"since": seq, "wait": 5}).json()["lines"]
            said = [line["text"] for line in lines if line["sender"] == "bot"]
            if said:
                return said[0]
        raise AssertionError(f"no answer to {text}")


class Crowd:
    """Patients who write all the time: how long each answer took, and which messages got none."""

    def __init__(self, url: str, size: int = 3) -> None:
        self.took: list[tuple[float, float]] = []  # when it was written, seconds until the answer
        self.lost: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(Patient(url),)) for _ in range(size)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _write(self, patient: Patient) -> None:
        number = 0
        while not self._over.wait(0.4):
            number += 1
            began = time.monotonic()
            try:
                patient.ask(("你好", "医院有没有停车场", "谢谢")[number % 3])
            except (AssertionError, httpx.HTTPError) as error:
                self.lost.append(str(error))
            self.took.append((began, time.monotonic() - began))

    def between(self, start: float, end: float) -> dict:
        """Give the count and the percentiles, in milliseconds, of what was written in a span of time."""
        given = sorted(seconds * 1000 for at, seconds in self.took if start <= at < end)
        at = [given[min(int(len(given) * share), len(given) - 1)] for share in (0.5, 0.95)] if given else [0, 0]
        return {"turns": len(given), "p50_ms": round(at[0]), "p95_ms": round(at[1])}


def _few(text: str) -> str:
    """Keep the first lines of each label."""
    out, kept = [], 0
    for line in text.split("\n"):
        if re.match(r"\s*-\s+intent:", line):
            kept = 0
        if re.match(r"\s{4,}- \S", line) and "responses:" not in text and "rules:" not in text:
            kept += 1
            if kept > KEPT:
                continue
        out.append(line)
    return "\n".join(out)
