"""Calls to the database are synchronous: they run here, so that the event loop serves others meanwhile."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

T = TypeVar("T")
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="database")


async def in_thread(call: Callable[..., T], *args, **kwargs) -> T:
    """Give what `call` gives, run in the pool. Transactions open and close inside `call`, never across an await."""
    return await asyncio.get_running_loop().run_in_executor(_pool, partial(call, *args, **kwargs))
