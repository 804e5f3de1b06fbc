"""Calls to the database are synchronous: they run here, so that the event loop serves others meanwhile."""

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="database")


async def in_thread(call: Callable[..., T], *args, **kwargs) -> T:
    """Give what `call` gives, run in the pool. Transactions open and close inside `call`, never across an await."""
    return await asyncio.get_running_loop().run_in_executor(_pool, partial(call, *args, **kwargs))


class Together(Generic[T]):
    """One call for all who ask meanwhile. What each of them gets was begun after he asked.

    Two calls begin at least `pause` seconds apart; who asks after a longer silence is answered at once.
    """

    def __init__(self, call: Callable[[], T], pause: float) -> None:
        self._call = call
        self._pause = pause
        self._begun = -math.inf
        self._running: asyncio.Task | None = None
        self._next: asyncio.Task | None = None

    async def __call__(self) -> T:
        """Give what the call gives; it runs in the pool."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._after(self._running))
        return await asyncio.shield(self._next)

    async def _after(self, earlier: asyncio.Task | None) -> T:
        if earlier is not None:
            await asyncio.wait([earlier])
        await asyncio.sleep(self._begun + self._pause - monotonic())
        self._begun = monotonic()
        self._running, self._next = self._next, None
        return await in_thread(self._call)
