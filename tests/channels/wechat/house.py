"""A real web process with WeChat switched on, the simulator beside it, and a hand that plays the bot."""

import base64
import itertools
import os
import secrets
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
from bot.settings import ROOT, secret_key, settings
from bot.storage.engine import engine, reading, writing
from channels.wechat import service
from tests.builders import lines_of
from tests.channels.web.house import free_port
from tests.channels.wechat import simulator

_numbers = itertools.count(23456789012345678)


def openid() -> str:
    return f"o9AgO5{secrets.token_urlsafe(16)}"[:28].replace("=", "A")


def text(sender: str, content: str, **more) -> dict:
    return fields(sender, "text", MsgId=next(_numbers), Content=content, **more)


def event(sender: str, name: str, **more) -> dict:
    return fields(sender, "event", Event=name, **more)


def fields(sender: str, kind: str, **more) -> dict:
    common = {"ToUserName": simulator.ORIGINAL, "FromUserName": sender, "CreateTime": int(time.time())}
    return {**common, "MsgType": kind, **more}


class House:
    """Web process and simulator."""

    def __init__(self, folder: Path, environment: dict[str, str], api_port: int) -> None:
        self.url = f"http://127.0.0.1:{environment['DAOYI_PORT']}"
        self.api = f"http://127.0.0.1:{api_port}"
        self._environment = {**os.environ, **environment, "PYTHONDONTWRITEBYTECODE": "1"}
        self._log = folder / "web.log"
        self._simulator = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.channels.wechat.simulator", str(api_port)], cwd=ROOT
        )
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve", "--role", "web"],
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=self._log.open("ab"),
        )
        wait_for(lambda: self._answers(f"{self.url}/healthz"), 60, self.log)
        wait_for(lambda: self._answers(f"{self.api}/sim/state"), 30)

    @staticmethod
    def _answers(url: str) -> bool:
        try:
            return httpx.get(url, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        for process in (self.process, self._simulator):
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    # ---- WeChat

    def push(self, given: dict, **how) -> dict:
        """Let WeChat push a callback; gives {attempts, reply}."""
        body = {"url": f"{self.url}/wechat", "fields": given, **how}
        return httpx.post(f"{self.api}/sim/push", json=body, timeout=60).json()

    def set(self, **values) -> None:
        httpx.post(f"{self.api}/sim/set", json=values)

    def state(self, who: str | None = None) -> dict:
        return httpx.get(f"{self.api}/sim/state", params={"openid": who} if who else {}).json()

    def sends(self, who: str, count: int = 1, seconds: float = 8) -> list[dict]:
        """Wait until `who` has got so many messages by the API."""
        return wait_for(lambda: len(found := self.state(who)["sends"]) >= count and found, seconds, self.log)

    # ---- the bot and the record

    def conversation(self, who: str) -> str:
        return wait_for(lambda: service.conversation_of(who), 8, self.log)

    def lines(self, who: str, count: int = 1) -> list:
        """Wait until so many lines stand in the talk."""
        chat = self.conversation(who)
        return wait_for(lambda: len(found := lines_of(chat)) >= count and found, 8, self.log)

    def turn(self, who: str):
        """Wait for the turn of this patient; those of others are answered with nothing."""
        chat = self.conversation(who)
        until = time.monotonic() + 8
        while (turn := turns.claim("test", now(), timedelta(0))) is None or turn.conversation_id != chat:
            assert time.monotonic() < until, f"no turn waits\n{self.log()}"
            if turn is not None:
                turns.commit(turn, Outcome({}, []), now())
            else:
                time.sleep(0.02)
        return turn

    def answer(self, who: str, *texts: str, titles: tuple[str, ...] = (), image: bytes | None = None) -> list[dict]:
        """Take the turn that waits and answer it as the worker does; gives the buttons."""
        turn = self.turn(who)
        shown = [{"title": title, "token": secrets.token_urlsafe(12)} for title in titles]
        data: dict = {"buttons": shown} if shown else {}
        pictures = []
        if image is not None:
            picture = {"token": secrets.token_urlsafe(24), "content": base64.b64encode(image).decode()}
            pictures.append(picture)
            data["image"] = {"token": picture["token"], "alt": "住院费用构成图"}
        said = [Line("bot", one) for one in texts[:-1]] + [Line("bot", texts[-1], data or None)]
        kept = [{**one, "payload": {"payload": "/choose"}} for one in shown]
        assert turns.commit(turn, Outcome({}, said, buttons=kept, images=pictures), now())
        return shown

    def say(self, who: str, *said: Line) -> None:
        with writing() as conn:
            transcript.append(conn, self.conversation(who), list(said), now())


def wait_for(found, seconds: float, log=lambda: ""):
    until = time.monotonic() + seconds
    while True:
        if value := found():
            return value
        assert time.monotonic() < until, f"it did not come\n{log()[-3000:]}"
        time.sleep(0.03)


def rows(statement) -> list:
    with reading() as conn:
        return conn.execute(statement).all()


def environment(folder: Path, url: str, api_port: int) -> dict[str, str]:
    return {
        "DAOYI_DATABASE": url,
        "DAOYI_SECRET_FILE": str(folder / "secret.key"),
        "DAOYI_HOST": "127.0.0.1",
        "DAOYI_PORT": str(free_port()),
        "DAOYI_WECHAT_APP_ID": simulator.APP_ID,
        "DAOYI_WECHAT_ORIGINAL_ID": simulator.ORIGINAL,
        "DAOYI_WECHAT_TOKEN": simulator.TOKEN,
        "DAOYI_WECHAT_AES_KEY": simulator.KEY,
        "DAOYI_WECHAT_AES_KEY_OLD": simulator.OLD_KEY,
        "DAOYI_WECHAT_SECRET": simulator.SECRET,
        "DAOYI_WECHAT_API": f"http://127.0.0.1:{api_port}",
        "DAOYI_RATE_PER_MINUTE": "100",
    }


@contextmanager
def running_house(folder: Path, url: str, **changes: str):
    """Give a running House; the settings of this process point at its database until the end."""
    api_port = free_port()
    given = environment(folder, url, api_port) | changes
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    settings.cache_clear()
    secret_key.cache_clear()
    house = House(folder, given, api_port)
    try:
        house.start()
        yield house
    finally:
        house.stop()
        engine().dispose()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        settings.cache_clear()
        secret_key.cache_clear()
