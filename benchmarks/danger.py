"""From receipt of a danger message to its stored fixed text, while other conversations' turns are written.

python -m benchmarks.danger            # prints p50, p95, p99 in ms, idle and under load
"""

import os
import statistics
import tempfile
import threading
import time
from datetime import timedelta

TEXTS = ("我爸胸口疼得直冒汗", "喘不上气嘴唇发紫", "突然说话不清楚半边身子动不了", "我不想活了")
ROUNDS = 400
WRITERS = 4


def main() -> None:
    """Measure on a fresh SQLite database in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DAOYI_DATABASE"] = f"sqlite:///{folder}/bench.db"
        os.environ["DAOYI_SECRET_FILE"] = f"{folder}/secret.key"
        from bot.storage.migrate import migrate

        migrate()
        _measure(1)  # warm up: the table of signs, the converter
        print("idle     ", _shown(_measure(ROUNDS)))
        stop = threading.Event()
        writers = [threading.Thread(target=_turns, args=(n, stop)) for n in range(WRITERS)]
        for writer in writers:
            writer.start()
        try:
            print(f"{WRITERS} writers", _shown(_measure(ROUNDS)))
        finally:
            stop.set()
            for writer in writers:
                writer.join()


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


def _turns(number: int, stop: threading.Event) -> None:
    """Write turns as a worker does: message in, lease, commit."""
    from bot.clock import now
    from bot.conversations import inbound, turns
    from bot.conversations.transcript import Line
    from bot.conversations.turns import Outcome

    count = 0
    while not stop.is_set():
        conversation = inbound.open_conversation("bench", f"turns-{number}-{count % 20}", now())
        inbound.accept_text(conversation, f"t{number}-{count}", "我想挂明天上午心内科的号", now())
        turn = turns.claim(f"bench-{number}", now(), timedelta(0))
        if turn is not None:
            turns.commit(turn, Outcome({"slots": {}}, [Line("bot", "好的，请您选择。")]), now())
        count += 1
        time.sleep(0.005)


def _shown(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"p50 {statistics.median(times):.1f} ms   p95 {cuts[94]:.1f} ms   p99 {cuts[98]:.1f} ms   ({len(times)} messages)"


if __name__ == "__main__":
    main()
