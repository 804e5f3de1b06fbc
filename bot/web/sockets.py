"""What every WebSocket of ours needs: one JSON object a frame, and two ways that end together."""

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress

from sanic.exceptions import WebsocketClosed
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.exceptions import ConnectionClosed

from bot.web.errors import Refused, refusal

SESSION_OVER = 4401  # close codes that our pages understand
REFUSED = 4400
GONE = (ConnectionClosed, WebsocketClosed)


async def send(ws: WebsocketImplProtocol, message: dict) -> None:
    """Send one JSON frame."""
    await ws.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")))


def parse(raw: str | bytes) -> dict:
    """Read a frame. Raises Refused (400) when it is no JSON object."""
    try:
        payload = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(400) from error
    if not isinstance(payload, dict):
        raise Refused(400)
    return payload


async def refuse(ws: WebsocketImplProtocol, error: BaseException) -> None:
    """Say {type: error} and close: 4401 when the session is over, else 4400."""
    refused = refusal(error)
    with suppress(*GONE):
        await send(ws, {"type": "error", **refused.body()["error"]})
    await ws.close(SESSION_OVER if refused.status == 401 else REFUSED)


async def both_ways(ws: WebsocketImplProtocol, push: Coroutine, take: Coroutine) -> BaseException | None:
    """Run what sends and what reads until one of them ends; give what ended it, None for a socket that has gone."""
    ways = [asyncio.create_task(push), asyncio.create_task(take)]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ways[0].cancel()
        if ws.recv_cancel:  # Sanic's own way out of recv(); cancelled from outside it leaves a task behind
            ws.recv_cancel.cancel()
        else:
            ways[1].cancel()
        await asyncio.gather(*ways, return_exceptions=True)
    errors = [way.exception() for way in done if not way.cancelled()]
    return next((error for error in errors if error is not None and not isinstance(error, GONE)), None)
