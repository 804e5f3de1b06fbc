"""A hospital of its own for a test: fresh database, somebody of each role, the web process serving the desk."""

import os
import secrets
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from bot.conversations import holding, inbound, outbox, transcript
from bot.conversations.outbox import Allowance
from bot.conversations.transcript import Line
from bot.settings import settings
from bot.staff import service as staff
from bot.storage.engine import engine, reading, writing
from bot.storage.tables import metadata

ROOT = Path(__file__).resolve().parents[3]
MORNING = datetime.fromisoformat("2026-11-23T10:00:00+08:00")  # a Monday; the agents' hours
ACCOUNTS = (
    ("1001", "王客服", "agent", "demo-agent-1001"),
    ("1002", "赵客服", "agent", "demo-agent-1002"),
    ("9001", "李主管", "supervisor", "demo-lead-9001"),
    ("8001", "孙质控", "quality", "demo-quality-8001"),
    ("3001", "钱联络", "liaison", "demo-liaison-3001"),
    ("5001", "周院办", "director", "demo-director-5001"),
    ("6001", "吴训练", "trainer", "demo-trainer-6001"),
    ("7001", "郑管理", "admin", "demo-admin-7001"),
)
PASSWORDS = {number: password for number, _, _, password in ACCOUNTS}
SERVER = (
    "from bot.desk.routes import blueprint as desk; from channels.web.blueprint import blueprint as chat;"
    "from bot.web.app import create_app; import sys;"
    "create_app({rooms}).run('127.0.0.1', int(sys.argv[1]), access_log=False, motd=False)"
)


def build(monkeypatch, folder: Path, database: str = "") -> None:
    """Point this process at an empty database with the tables and an account of each role."""
    monkeypatch.setenv("DAOYI_DATABASE", database or f"sqlite:///{folder}/desk.db")
    monkeypatch.setenv("DAOYI_SECRET_FILE", str(folder / "secret.key"))
    settings.cache_clear()
    metadata.create_all(engine())
    with writing() as conn:
        for number, name, role, password in ACCOUNTS:
            staff.add(conn, number, name, role, password)
        staff.set_work(conn, staff.id_of(conn, "3001"), 5, [], "cardiology")


@dataclass
class Client:
    """Somebody's browser, without the page."""

    http: httpx.Client
    csrf: str = ""

    def get(self, path: str, **params) -> httpx.Response:
        return self.http.get(f"/desk/api/{path}", params=params)

    def send(self, path: str, content: bytes, kind: str, **params) -> httpx.Response:
        headers = {"x-csrf-token": self.csrf, "content-type": kind}
        return self.http.post(f"/desk/api/{path}", content=content, params=params, headers=headers)

    def post(self, path: str, body: dict | None = None, csrf: str | None = None) -> httpx.Response:
        headers = {"x-csrf-token": self.csrf if csrf is None else csrf}
        return self.http.post(f"/desk/api/{path}", json=body or {}, headers=headers)

    def sign_in(self, number: str, password: str) -> httpx.Response:
        answer = self.post("sign-in", {"number": number, "password": password})
        if answer.status_code == 200:
            self.csrf = self.get("me").json()["csrf"]
        return answer


class House:
    """The running server and the patients who write to it: with the desk alone, or with the chat's page, too."""

    def __init__(self, chat: bool = False) -> None:
        self._rooms = "desk(), chat()" if chat else "desk()"
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None
        self._begun = time.monotonic()
        self._clients: list[httpx.Client] = []

    def now(self) -> datetime:
        """Give the server's present moment."""
        return MORNING + timedelta(seconds=time.monotonic() - self._begun)

    def start(self) -> None:
        environment = {**os.environ, "DAOYI_NOW": self.now().isoformat()}
        command = [sys.executable, "-W", "ignore", "-c", SERVER.format(rooms=self._rooms), str(self.port)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment)
        for _ in range(200):
            try:
                if httpx.get(f"{self.address}/healthz", timeout=2).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the web process did not start")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(15)
            self.process = None

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.stop()

    def visitor(self) -> Client:
        """Give a browser that nobody has signed in with."""
        client = httpx.Client(base_url=self.address, timeout=40)
        self._clients.append(client)
        return Client(client)

    def staff(self, number: str) -> Client:
        """Give a browser that is signed in."""
        client = self.visitor()
        assert client.sign_in(number, PASSWORDS[number]).status_code == 200
        return client

    def id_of(self, number: str) -> int:
        """Give the id of an account."""
        with reading() as conn:
            return staff.id_of(conn, number)

    # ---- the patients' side

    def patient(self, *texts: str) -> str:
        """Open a conversation and let the patient write."""
        chat = inbound.open_conversation("web", secrets.token_hex(8), self.now())
        for text in texts:
            self.writes(chat, text)
        return chat

    def follower(self, *texts: str) -> str:
        """Let a patient write on WeChat; how often he may be written to counts from his last message."""
        chat = inbound.open_conversation("wechat", secrets.token_hex(8), self.now())
        with writing() as conn:
            outbox.meet(conn, chat, f"openid-{chat[:8]}")
        for text in texts:
            self.writes(chat, text)
            with writing() as conn:
                outbox.heard(conn, chat, Allowance(5, timedelta(hours=48)), True, self.now())
        return chat

    def writes(self, chat: str, text: str) -> int:
        return inbound.accept_text(chat, secrets.token_hex(8), text, self.now()).seq

    def bot_says(self, chat: str, text: str, **meta) -> None:
        with writing() as conn:
            transcript.append(conn, chat, [Line("bot", text, meta=meta or None)], self.now())

    def waits(self, *texts: str, reason: str = "患者要求人工", priority: int = 0) -> str:
        """Give a conversation that waits for a person."""
        chat = self.patient(*(texts or ("转人工",)))
        with writing() as conn:
            holding.enqueue(conn, chat, reason, self.now(), priority)
        return chat


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
