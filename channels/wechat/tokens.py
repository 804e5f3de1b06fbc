"""The access token: one for all processes, fetched by one of them (/cgi-bin/stable_token).

The row in the database carries token and lease. Who needs another token looks again after he has the lease: most often
somebody else has fetched it meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bot.clock import now
from bot.storage.engine import writing
from bot.web.threads import in_thread
from channels.wechat.errors import UNREACHED, ApiError
from channels.wechat.tables import tokens

EARLY = timedelta(seconds=200)  # WeChat gives the next token within 300 s of the end, and both are good then
LEASE = timedelta(seconds=15)
FORCED_EVERY = timedelta(seconds=30)  # and 20 a day
LOOK_EVERY = 0.1
PATIENCE = 12.0
AFTER_FAILURE = 2.0

Fetch = Callable[[bool], Awaitable[dict]]


class Tokens:
    """Gives the token. `fetch(forced)` asks WeChat and gives its answer."""

    def __init__(self, app_id: str, fetch: Fetch) -> None:
        self._app_id = app_id
        self._fetch = fetch
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = now()
        self._failed: tuple[float, ApiError] | None = None

    async def get(self, bad: str = "") -> str:
        """Give a token other than `bad`. Raises ApiError when there is none to be had."""
        if self._good(self._token, self._until, bad):
            return self._token
        async with self._lock:
            if self._good(self._token, self._until, bad):
                return self._token
            loop = asyncio.get_running_loop()
            if self._failed and loop.time() < self._failed[0]:  # who waits in line need not all be refused by WeChat
                raise ApiError(self._failed[1].code)
            try:
                self._token, self._until = await self._shared(bad, loop.time() + PATIENCE)
            except ApiError as error:
                self._failed = (loop.time() + AFTER_FAILURE, error)
                raise
            self._failed = None
            return self._token

    @staticmethod
    def _good(token: str, until: datetime, bad: str) -> bool:
        return bool(token) and token != bad and until > now() + EARLY

    async def _shared(self, bad: str, until: float) -> tuple[str, datetime]:
        while True:
            row, mine = await in_thread(self._look, bad)
            if row is not None:
                return row
            if mine:
                return await self._renewed(bad)
            if asyncio.get_running_loop().time() > until:
                raise ApiError(UNREACHED)
            await asyncio.sleep(LOOK_EVERY)

    def _look(self, bad: str) -> tuple[tuple[str, datetime] | None, bool]:
        """Give (token and its end, False) from the row, or (None, whether the lease is ours)."""
        moment = now()
        with writing() as conn:
            row = conn.execute(select(tokens).where(tokens.c.app_id == self._app_id).with_for_update()).first()
            if row is None:
                try:
                    with conn.begin_nested():
                        conn.execute(insert(tokens).values(app_id=self._app_id, lease_until=moment + LEASE))
                    return None, True
                except IntegrityError:
                    return None, False
            if row.token and self._good(row.token, row.expires_at, bad):
                return (row.token, row.expires_at), False
            taken = conn.execute(
                update(tokens)
                .where(
                    tokens.c.app_id == self._app_id,
                    or_(tokens.c.lease_until.is_(None), tokens.c.lease_until < moment),
                )
                .values(lease_until=moment + LEASE)
            )
            return None, bool(taken.rowcount)

    async def _renewed(self, bad: str) -> tuple[str, datetime]:
        try:
            answer = await self._fetch(False)
            if bad and answer["access_token"] == bad:
                # WeChat holds the refused token for good: only the rare forced way gives another.
                if not await in_thread(self._may_force):
                    raise ApiError(40001)
                answer = await self._fetch(True)
        except BaseException:
            await in_thread(self._save)
            raise
        token, until = answer["access_token"], now() + timedelta(seconds=int(answer["expires_in"]))
        await in_thread(self._save, token=token, expires_at=until)
        return token, until

    def _may_force(self) -> bool:
        moment = now()
        with writing() as conn:
            forced = update(tokens).where(
                tokens.c.app_id == self._app_id,
                or_(tokens.c.forced_at.is_(None), tokens.c.forced_at < moment - FORCED_EVERY),
            )
            return bool(conn.execute(forced.values(forced_at=moment)).rowcount)

    def _save(self, **values) -> None:
        with writing() as conn:
            conn.execute(update(tokens).where(tokens.c.app_id == self._app_id).values(lease_until=None, **values))
