"""The WebSocket: new lines and typing out, messages in. What a socket misses, the next one asks for by `since`."""

from sanic import Request
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.connection import OPEN

from bot.web.errors import Refused, refusal
from bot.web.limits import Limit, address
from bot.web.live import Watch
from bot.web.sockets import GONE, both_ways, parse, refuse, send
from bot.web.threads import in_thread
from channels.web import service, store
from channels.web.messages import read_count, read_message, read_seen, refusal_for

LOOK_AGAIN = 15.0  # seconds after which a socket reads by itself, should a wake have been lost


class Talk:
    """One open socket."""

    def __init__(self, ws: WebsocketImplProtocol, live, conversation_id: str, since: int) -> None:
        self._ws = ws
        self._live = live
        self._conversation = conversation_id
        self._seq = since

    async def send(self, **message) -> None:
        """Send one JSON frame."""
        await send(self._ws, message)

    async def push(self, watch: Watch) -> None:
        """Send what comes, for as long as the socket lives."""
        typing = None
        while self._ws.connection.state is OPEN:  # a telephone that lost its network says no goodbye
            more = True
            while more:
                page = await in_thread(store.lines_since, self._conversation, self._seq)
                for line in page:
                    await self.send(type="line", line=line)
                    self._seq = line["seq"]
                more = len(page) == store.PAGE
            if watch.typing != typing:
                typing = watch.typing
                await self.send(type="typing", on=typing)
            await watch.changed(LOOK_AGAIN)

    async def take(self, by_session: Limit, by_address: Limit, caller: str | None) -> None:
        """Read what comes, one message after another, so that their order stays."""
        while True:
            raw = await self._ws.recv()
            if raw is None:
                continue
            client_id = None
            try:
                payload = parse(raw)
                if payload.get("type") == "ping":
                    await self.send(type="pong")
                    continue
                if payload.get("type") == "seen":
                    await in_thread(service.note_seen, self._conversation, read_seen(payload))
                    self._live.hint(self._conversation, lists=False)
                    continue
                if payload.get("type") != "message":
                    raise Refused(400)
                client_id = payload.get("client_id") if isinstance(payload.get("client_id"), str) else None
                message = read_message(payload)
                by_session.require(self._conversation)
                if caller:
                    by_address.require(caller)
                accepted = await in_thread(service.accept, self._conversation, message)
            except GONE:
                raise
            except Exception as error:
                refused = refusal_for(error) or refusal(error)
                await self.send(type="error", client_id=client_id, status=refused.status, **refused.body()["error"])
                continue
            await self.send(type="ack", client_id=message.client_id, seq=accepted.seq, duplicate=accepted.duplicate)


async def serve_socket(request: Request, ws: WebsocketImplProtocol, by_session: Limit, by_address: Limit) -> None:
    """Run one socket to its end. A void token is told as {type: error} and closed with 4401."""
    try:
        since = read_count(request.args.get("since"), 10**9)
        conversation_id = await in_thread(service.conversation_for, request.args.get("token"))
    except Exception as error:
        await refuse(ws, error)
        return
    live = request.app.ctx.live
    talk = Talk(ws, live, conversation_id, since)
    with live.subscribe(conversation_id) as watch:
        error = await both_ways(ws, talk.push(watch), talk.take(by_session, by_address, address(request)))
    if error is not None:
        refusal(error)  # logged; the widget comes back by itself
