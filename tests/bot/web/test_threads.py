"""One look for all who ask at the same moment, and never an old one."""

import asyncio
import time
from itertools import count

from bot.web.threads import Together


async def test_who_asks_while_a_call_runs_shares_the_next_one_and_never_gets_what_was_begun_before():
    numbers = count()
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    def call() -> int:
        number = next(numbers)
        loop.call_soon_threadsafe(begun.set)
        time.sleep(0.05)
        return number

    together = Together(call, 0)
    first = asyncio.create_task(together())
    await begun.wait()
    assert await asyncio.gather(*(together() for _ in range(20))) == [1] * 20
    assert await first == 0


async def test_calls_keep_their_distance_and_after_a_silence_nobody_waits():
    together = Together(time.monotonic, 0.2)
    begun = [await together() for _ in range(3)]
    assert min(begun[1] - begun[0], begun[2] - begun[1]) >= 0.19
    await asyncio.sleep(0.25)
    asked = time.monotonic()
    assert await together() - asked < 0.15


async def test_a_failed_call_fails_for_who_asked_and_the_next_one_is_tried():
    answers = iter([ZeroDivisionError, None])

    def call() -> str:
        if error := next(answers):
            raise error
        return "answered"

    together = Together(call, 0)
    failed = await asyncio.gather(together(), together(), return_exceptions=True)
    assert [type(error) for error in failed] == [ZeroDivisionError] * 2
    assert await together() == "answered"
