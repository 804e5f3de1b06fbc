"""Two hosts on one PostgreSQL: a promotion and a rollback reach the workers of both, and no message is lost."""

import os
import time
from datetime import datetime, timedelta

import pytest

from bot import serve
from bot.clock import UTC, now
from bot.nlu.training import ready_model
from bot.storage import heartbeat
from tests.conftest import configured
from tests.pages.bench import Bench, Crowd

A, B = (f"daoyi-{letter * 16}" for letter in "ab")
CHANGED_OVER = 240  # seconds in which both hosts must have changed over on a busy machine


@pytest.fixture
def hosts(migrated, tmp_path):
    """Two hosts with one database, one key and one folder of models, both with the model A; then both stop."""
    url, key = migrated("postgresql"), tmp_path / "secret.key"
    given = {"DAOYI_DATABASE": url, "DAOYI_SECRET_FILE": str(key)}
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = Bench(tmp_path / "one", **given), Bench(tmp_path / "two", **given)
    (one.root / "models").mkdir()
    (two.root / "models").symlink_to(one.root / "models")
    for name in (A, B):
        os.link(ready_model(), one.root / "models" / f"{name}.tar.gz")
    one.daoyi("models", "promote", A, "--reason", "两台机器")
    with configured(url, key):
        one.start()
        two.start("worker")
        _until(lambda: _heard() == [A, A])
        yield one, two
        for each in (two, one):
            each.stop()
        assert _heard() == []  # who goes says so


def _heard() -> list[str]:
    return sorted(heartbeat.heard("worker", now()).values())


def _until(holds) -> None:
    until = time.monotonic() + CHANGED_OVER
    while not holds():
        assert time.monotonic() < until, _heard()
        time.sleep(0.2)


@pytest.mark.timeout(900)
def test_a_promotion_and_a_rollback_reach_every_host(hosts):
    one, two = hosts
    with Crowd(one.url) as crowd:
        two.daoyi("models", "promote", B, "--reason", "从另一台上线")
        _until(lambda: _heard() == [B, B])
        assert f"*\t{B}" in one.daoyi("models", "list")
        one.daoyi("models", "rollback")
        _until(lambda: _heard() == [A, A])
    assert crowd.lost == [] and crowd.took
    for host in hosts:
        said = host.log.read_text(errors="replace")
        assert said.count("takes over") == 2


def test_the_clock_of_a_trial_goes_on_in_each_process_and_does_not_start_again(monkeypatch):
    given = {}
    monkeypatch.setattr(serve.subprocess, "Popen", lambda command, env: given.update(env))
    monkeypatch.setenv("DAOYI_NOW", "2026-11-23T09:00:00+08:00")
    monkeypatch.setattr("bot.clock._started", time.monotonic() - 3600)  # an hour later
    serve._Child("host:worker-1", serve.CHILD).start()
    monkeypatch.setenv("DAOYI_NOW", given["DAOYI_NOW"])
    monkeypatch.setattr("bot.clock._started", time.monotonic())  # the child's own clock starts
    assert timedelta(0) <= now() - datetime(2026, 11, 23, 2, tzinfo=UTC) < timedelta(minutes=1)
