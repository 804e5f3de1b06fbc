"""Calls of WeChat's API: raw UTF-8, a time limit, few repetitions, errors as ApiError without address or token."""

import asyncio
import json
import logging

import aiohttp

from channels.wechat.account import Account
from channels.wechat.errors import UNREACHED, ApiError, needs_token, worth_repeating
from channels.wechat.tokens import Tokens

log = logging.getLogger("daoyi.wechat")

SECONDS = 5.0  # for one call
LARGEST_PICTURE = 2 * 1024 * 1024  # bytes
PICTURES = (b"\x89PNG", b"\xff\xd8\xff")
PAUSES = (0.3, 1.0)  # before the second and the third try


class Client:
    """The account's client; one for a process, made in its event loop."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS))
        self.tokens = Tokens(account.app_id, self._fetch_token)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()

    async def call(self, path: str, body: dict) -> dict:
        """Post JSON and give the answer. Raises ApiError."""
        # Escaped Chinese (ensure_ascii) is refused by WeChat (40033).
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return await self._with_token(path, lambda: {"data": raw, "headers": {"content-type": "application/json"}})

    async def upload_image(self, content: bytes) -> str:
        """Give the media id of a picture, good for three days. Raises ApiError."""

        def form() -> dict:
            data = aiohttp.FormData()
            data.add_field("media", content, filename="chart.png", content_type="image/png")
            return {"data": data}

        return str((await self._with_token("/cgi-bin/media/upload?type=image", form))["media_id"])

    async def picture(self, media_id: str) -> bytes | None:
        """Give a picture that a patient sent, None when it is none that can be shown; WeChat keeps it for three days.

        Raises ApiError.
        """
        bad = ""
        while True:
            token = await self.tokens.get(bad)
            content = await self._download(media_id, token)
            if content.startswith(PICTURES):
                return content if len(content) <= LARGEST_PICTURE else None
            code, rid = _refusal(content)
            if code == 0:
                return None
            if bad or not needs_token(code):
                raise ApiError(code, rid)
            bad = token

    async def _download(self, media_id: str, token: str) -> bytes:
        query = {"access_token": token, "media_id": media_id}
        content = b""
        try:
            async with self._http.get(f"{self._account.api}/cgi-bin/media/get", params=query) as answer:
                if answer.status >= 500:
                    raise ApiError(UNREACHED)
                async for piece in answer.content.iter_any():
                    content += piece
                    if len(content) > LARGEST_PICTURE:
                        break
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            raise ApiError(UNREACHED) from None
        return content

    async def typing(self, openid: str) -> None:
        """Show 正在输入 for some seconds; it matters to nobody whether it worked."""
        try:
            token = await self.tokens.get()
            body = json.dumps({"touser": openid, "command": "Typing"}).encode()
            await self._post(self._with(token, "/cgi-bin/message/custom/typing"), data=body)
        except ApiError as error:
            log.debug("typing: %s", error.code)

    async def _with_token(self, path: str, content) -> dict:
        bad, code, rid = "", 0, ""
        for pause in (*PAUSES, None):
            token = await self.tokens.get(bad)
            answer = await self._post(self._with(token, path), **content())
            code, rid = int(answer.get("errcode") or 0), _rid(answer)
            if code == 0:
                return answer
            if needs_token(code) and not bad:
                bad = token
            elif worth_repeating(code) and pause is not None:
                await asyncio.sleep(pause)
            else:
                break
        raise ApiError(code, rid)

    def _with(self, token: str, path: str) -> str:
        return f"{self._account.api}{path}{'&' if '?' in path else '?'}access_token={token}"

    async def _fetch_token(self, forced: bool) -> dict:
        body = json.dumps(
            {
                "grant_type": "client_credential",
                "appid": self._account.app_id,
                "secret": self._account.secret,
                "force_refresh": forced,
            }
        ).encode()
        answer: dict = {}
        for pause in (*PAUSES[:1], None):
            answer = await self._post(f"{self._account.api}/cgi-bin/stable_token", data=body)
            if "access_token" in answer and "expires_in" in answer:
                return answer
            if pause is None or not worth_repeating(int(answer.get("errcode") or UNREACHED)):
                break
            await asyncio.sleep(pause)
        raise ApiError(int(answer.get("errcode") or UNREACHED), _rid(answer))

    async def _post(self, url: str, **content) -> dict:
        """Give the answer's JSON; whatever else happened is errcode UNREACHED. No error leaves with the address in it."""
        try:
            async with self._http.post(url, **content) as answer:
                if answer.status >= 500:
                    return {"errcode": UNREACHED}
                found = json.loads(await answer.read())
                return found if isinstance(found, dict) else {"errcode": UNREACHED}
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError, OSError):
            return {"errcode": UNREACHED}


def _refusal(content: bytes) -> tuple[int, str]:
    """Give error code and number of a refusal, 0 for anything else."""
    try:
        answer = json.loads(content)
        return int(answer["errcode"]), _rid(answer)
    except (ValueError, KeyError, TypeError):
        return 0, ""


def _rid(answer: dict) -> str:
    """Give the request's number that WeChat's support asks for."""
    return str(answer.get("errmsg") or "").partition("rid:")[2].strip()[:60]
