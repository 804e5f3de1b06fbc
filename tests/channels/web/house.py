"""A real web process over a fresh database, and a hand that plays the bot through the real turns."""

import base64
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from bot.clock import now
from bot.conversations import transcript, turns
from bot.conversations.transcript import Line
from bot.conversations.turns import Outcome
from bot.settings import ROOT, settings
from bot.storage.engine import engine, metadata, writing
from channels.web import sessions, store

SERVE = "from bot.web.app import run; from channels.web.blueprint import blueprint; run(blueprint)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class House:
    """The server, and what tests do around it. `database` is shared with the server process."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = int(environment["DAOYI_PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._log = folder / "web.log"
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=ROOT,
            env={**os.environ, **self._environment, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.DEVNULL,
            stderr=self._log.open("ab"),
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/healthz", timeout=2).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"the web process did not start:\n{self.log()}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    # ---- playing patient and bot

    def session(self) -> str:
        answer = httpx.post(f"{self.url}/chat/session")
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    def send(self, token: str, text: str, client_id: str | None = None) -> httpx.Response:
        body = {"client_id": client_id or secrets.token_hex(8), "text": text}
        return httpx.post(f"{self.url}/chat/messages", json=body, headers=bearer(token))

    def lines(self, token: str, **query) -> list[dict]:
        answer = httpx.get(f"{self.url}/chat/lines", params=query, headers=bearer(token), timeout=40)
        assert answer.status_code == 200, answer.text
        return answer.json()["lines"]

    def conversation(self, token: str) -> str:
        return store.conversation_of(sessions.visitor_of(token, now()))

    def say(self, token: str, *lines: Line) -> None:
        """Write lines as another process does."""
        with writing() as conn:
            transcript.append(conn, self.conversation(token), list(lines), now())

    def answer(self, token: str, *texts: str, titles: tuple[str, ...] = (), image: bytes | None = None) -> list[dict]:
        """Take the turn that waits and answer it as the worker does; gives the buttons with their tokens."""
        conversation_id = self.conversation(token)
        until = time.monotonic() + 10
        while (turn := turns.claim("test", now(), timedelta(0))) is None or turn.conversation_id != conversation_id:
            assert time.monotonic() < until, "no turn waits"
            if turn is not None:  # left over from another test
                turns.commit(turn, Outcome({}, []), now())
            else:
                time.sleep(0.02)
        shown = [{"title": title, "token": secrets.token_urlsafe(12)} for title in titles]
        data: dict = {"buttons": shown} if shown else {}
        pictures = []
        if image is not None:
            picture = {"token": secrets.token_urlsafe(24), "content": base64.b64encode(image).decode()}
            pictures.append(picture)
            data["image"] = {"token": picture["token"], "alt": "住院费用构成图"}
        lines = [Line("bot", text) for text in texts[:-1]] + [Line("bot", texts[-1], data or None)]
        kept = [{**one, "payload": {"payload": "/choose"}} for one in shown]
        assert turns.commit(turn, Outcome({}, lines, buttons=kept, images=pictures), now())
        return shown


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@contextmanager
def running_house(folder: Path, **changes: str):
    """Give a running House over its own database; settings of this process point there, too, until the end."""
    given = {
        "DAOYI_DATABASE": f"sqlite:///{folder}/daoyi.db",
        "DAOYI_SECRET_FILE": str(folder / "secret.key"),
        "DAOYI_HOST": "127.0.0.1",
        "DAOYI_PORT": str(free_port()),
        **changes,
    }
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    settings.cache_clear()
    import bot.storage.tables  # noqa: F401 - every room's tables belong to the house

    metadata.create_all(engine())
    house = House(folder, given)
    try:
        house.start()
        yield house
    finally:
        house.stop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        settings.cache_clear()
