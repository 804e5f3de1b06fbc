"""Speak to a running system as its own widget does: send a text, wait for the first line that answers it."""

import json
import secrets

import aiohttp

ANSWER_SECONDS = 60


class DaoyiTalk:
    """One patient on Daoyi's WebSocket, as channels/web/widget speaks it."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._base = base
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def open(self) -> None:
        """Open a session and its socket."""
        async with self._http.post(f"{self._base}/chat/session", json={}) as answer:
            token = (await answer.json())["token"]
        self._socket = await self._http.ws_connect(f"{self._base}/chat/socket?token={token}&since=0")

    async def ask(self, text: str) -> str:
        """Send a text; give the first line that is not the patient's own."""
        client_id = secrets.token_hex(8)
        await self._socket.send_str(json.dumps({"type": "message", "client_id": client_id, "text": text}))
        accepted, lines = None, []
        while True:
            frame = json.loads((await self._socket.receive(ANSWER_SECONDS)).data)
            if frame["type"] == "error":
                raise RuntimeError(f"refused: {frame}")
            if frame["type"] == "ack" and frame["client_id"] == client_id:
                accepted = frame["seq"]
            elif frame["type"] == "line" and frame["line"]["sender"] != "patient":
                lines.append(frame["line"])
            for line in lines:
                if accepted is not None and line["seq"] > accepted:
                    return line["text"]

    async def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            await self._socket.close()


class StockTalk:
    """One patient on Rasa's REST channel."""

    def __init__(self, http: aiohttp.ClientSession, base: str) -> None:
        self._http = http
        self._url = f"{base}/webhooks/rest/webhook"
        self._sender = secrets.token_hex(8)

    async def open(self) -> None:
        """Nothing to open: the sender's name is the conversation."""

    async def ask(self, text: str) -> str:
        """Send a text; give the first answer, "" when Rasa says nothing."""
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with self._http.post(
            self._url, json={"sender": self._sender, "message": text}, timeout=timeout
        ) as answer:
            lines = await answer.json()
        return lines[0].get("text", "") if lines else ""

    async def close(self) -> None:
        """Nothing to close."""
