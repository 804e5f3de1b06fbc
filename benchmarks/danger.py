"""From receipt of a danger message to its stored fixed text, while other patients write and workers answer them.

python -m benchmarks.danger            # prints p50, p95, p99 in ms, idle and under load

As in the running house: this process plays the web process and its threads, the workers are processes of lower priority
that lease, think (15 ms of processor time) and commit.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta

from benchmarks.machine import ROOT, load

TEXTS = ("我爸胸口疼得直冒汗", "喘不上气嘴唇发紫", "突然说话不清楚半边身子动不了", "我不想活了")
ROUNDS = 400
PATIENTS = 4
WORKERS = 2
THINKING_SECONDS = 0.015


def main() -> None:
    """Measure on a fresh SQLite database in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DAOYI_DATABASE"] = f"sqlite:///{folder}/bench.db"
        os.environ["DAOYI_SECRET_FILE"] = f"{folder}/secret.key"
        from bot.storage.migrate import migrate

        migrate()
        _measure(1)  # warm up: the table of signs, the converter
        _show("nobody else writes", _measure(ROUNDS))
        command = [sys.executable, "-m", "benchmarks.danger", "worker"]
        workers = [subprocess.Popen(command, cwd=ROOT) for _ in range(WORKERS)]
        stop = threading.Event()
        patients = [threading.Thread(target=_write, args=(n, stop)) for n in range(PATIENTS)]
        for patient in patients:
            patient.start()
        try:
            time.sleep(3)  # until the workers have started
            _show(f"{PATIENTS} patients and {WORKERS} workers write", _measure(ROUNDS))
        finally:
            stop.set()
            for patient in patients:
                patient.join()
            for worker in workers:
                worker.terminate()
                worker.wait()


def _measure(rounds: int) -> list[float]:
    from bot.clock import now
    from bot.conversations import inbound

    times = []
    for n in range(rounds):
        conversation = inbound.open_conversation("bench", f"danger-{rounds}-{n % 40}-{time.monotonic_ns()}", now())
        started = time.perf_counter()
        accepted = inbound.accept_text(conversation, f"c{n}", TEXTS[n % len(TEXTS)], now())
        times.append((time.perf_counter() - started) * 1000)
        assert accepted.danger
        time.sleep(0.002)
    return times


def _write(number: int, stop: threading.Event) -> None:
    """Write ordinary messages, ten a second."""
    from bot.clock import now
    from bot.conversations import inbound

    count = 0
    while not stop.is_set():
        conversation = inbound.open_conversation("bench", f"patient-{number}-{count % 20}", now())
        inbound.accept_text(conversation, f"t{number}-{count}", "我想挂明天上午心内科的号", now())
        count += 1
        time.sleep(0.1)


def work() -> None:
    """Answer what waits as a worker does, until the process is ended."""
    from bot.clock import now
    from bot.conversations import turns
    from bot.conversations.transcript import Line
    from bot.conversations.turns import Outcome
    from bot.serve import WORKER_NICENESS

    os.nice(WORKER_NICENESS)
    while True:
        turn = turns.claim(f"bench-{os.getpid()}", now(), timedelta(0))
        if turn is None:
            time.sleep(0.005)
            continue
        until = time.process_time() + THINKING_SECONDS
        while time.process_time() < until:
            pass
        turns.commit(turn, Outcome({"slots": {}}, [Line("bot", "好的，请您选择。")]), now())


def _show(title: str, times: list[float]) -> None:
    cuts = statistics.quantiles(times, n=100)
    print(
        f"{title}: p50 {statistics.median(times):.1f} ms   p95 {cuts[94]:.1f} ms   p99 {cuts[98]:.1f} ms   "
        f"({len(times)} messages, load {load()})"
    )


if __name__ == "__main__":
    work() if sys.argv[1:] == ["worker"] else main()
