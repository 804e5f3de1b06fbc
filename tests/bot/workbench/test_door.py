"""Nobody but a trainer gets an answer below /workbench/api, and no write without the page's token."""

import os
import re
import subprocess
import sys
import time

import httpx
import pytest

from bot.settings import ROOT
from bot.workbench.routes import blueprint
from tests.channels.web.house import free_port

SERVE = (
    "from bot.workbench.routes import blueprint; from bot.web.app import create_app; import sys;"
    "create_app(blueprint()).run('127.0.0.1', int(sys.argv[1]), access_log=False, motd=False)"
)
OPEN = {"/workbench/api/sign-in"}


def _addresses() -> list[tuple[str, str]]:
    routes = blueprint()._future_routes
    given = [(next(iter(route.methods)), route.uri) for route in routes if route.uri.startswith("/workbench/api/")]
    return sorted((method, uri) for method, uri in given if uri not in OPEN)


@pytest.fixture
def server(trainer):
    port = free_port()
    command = [sys.executable, "-c", SERVE, str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            httpx.get(f"{url}/healthz", timeout=2)
            break
        except httpx.TransportError:
            time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(15)


def _sign_in(client, number: str, password: str) -> httpx.Response:
    return client.post("/workbench/api/sign-in", json={"number": number, "password": password})


def test_every_address_asks_who_is_there(server):
    addresses = _addresses()
    assert len(addresses) > 20
    with httpx.Client(base_url=server, timeout=30) as nobody:
        for method, uri in addresses:
            place = uri.replace("<sha:str>", "abcdef1")
            assert nobody.request(method, place, json={}).status_code == 401, (method, uri)


def test_an_agent_is_told_whom_to_ask_and_a_wrong_password_tells_nothing(server):
    with httpx.Client(base_url=server, timeout=30) as agent:
        refused = _sign_in(agent, "1001", "demo-agent-1001")
        assert refused.status_code == 403 and "管理员" in refused.json()["error"]["message"]
        assert agent.get("/workbench/api/me").status_code == 401
        assert _sign_in(agent, "5001", "wrong").status_code == _sign_in(agent, "9999", "wrong").status_code == 401


def test_a_write_needs_the_token_of_the_page(server):
    with httpx.Client(base_url=server, timeout=30) as trainer:
        assert _sign_in(trainer, "5001", "demo-train-5001").status_code == 200
        me = trainer.get("/workbench/api/me").json()
        for method, uri in _addresses():
            if method != "POST":
                continue
            place = uri.replace("<sha:str>", "abcdef1")
            assert trainer.post(place, json={}).status_code == 403, uri
        skipped = trainer.post("/workbench/api/skip", json={"keys": ["a" * 64]}, headers={"x-csrf-token": me["csrf"]})
        assert skipped.status_code == 200 and me["name"] == "周训练"
        for bad in ({"keys": ["x"]}, {"keys": "a"}, {}, {"keys": []}):
            answer = trainer.post("/workbench/api/skip", json=bad, headers={"x-csrf-token": me["csrf"]})
            assert answer.status_code == 400


def test_the_page_may_be_framed_by_nobody_and_runs_only_its_own_scripts(server):
    policy = httpx.get(f"{server}/workbench", timeout=30).headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy


def test_every_file_that_the_page_names_is_served(server):
    page = httpx.get(f"{server}/workbench", timeout=30).text
    named = re.findall(r'(?:src|href)="(/workbench/[^"]+)"', page)
    assert "/workbench/staff.css" in named
    assert {each: httpx.get(server + each).status_code for each in named} == dict.fromkeys(named, 200)
