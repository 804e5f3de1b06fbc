"""A process that plays WeChat: it pushes callbacks, serves the API, keeps its own quota and validates what it is told.

    python -m tests.channels.wechat.simulator PORT

Its crypto is wechatpy's and its signatures are its own: nothing here comes from channels/wechat. It is steered over
HTTP by the tests (/sim/…). `Credentials` are made up.
"""

import asyncio
import hashlib
import itertools
import json
import re
import secrets
import sys
import time
import xml.etree.ElementTree as ET

import aiohttp
from aiohttp import web
from wechatpy.crypto import WeChatCrypto

APP_ID, ORIGINAL, TOKEN = "wxba5fad812f8e6fb9", "gh_97417a04a28d", "AAAAA"
KEY, OLD_KEY = "A" * 43, "B" * 42 + "A"
SECRET = "5e884898da28047151d0e56f8dc62927"
MESSAGE, EVENT = (5, 48 * 3600), (3, 60)
FIELD_LIMITS = {"thing": 20, "phrase": 5, "character_string": 32, "time": 32, "number": 32}
MENU_EVENTS = ("CLICK", "subscribe", "SCAN")


PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 4000  # a million bytes


PLAYED = web.AppKey("played", object)


def sign(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


class WeChat:
    """The state of the played WeChat."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.token_fetches = 0
        self.token_answers: list[dict | str] = []  # injected, used up one after another
        self.grace = True  # the token before the last is good, too
        self.errors: dict[str, list] = {}  # path's last word → codes; "hang", "500", "html", "late"
        self.sends: list[dict] = []
        self.calls: list[dict] = []
        self.quota: dict[str, list[list[float]]] = {}
        self.enforce_quota = True
        self.media: dict[str, int] = {}
        self.notices: list[dict] = []
        self.menus: list[dict] = []
        self.faults: list[str] = []  # what a strict WeChat would have refused
        self.failures = 0
        self.mark_fail_after = 10**9
        self.silent_until = 0.0
        self.number = itertools.count(10**15)

    # ---- callbacks

    async def push(self, given: dict) -> dict:
        """Deliver one callback as WeChat does: cut off after five seconds, three times."""
        if time.monotonic() < self.silent_until:
            return {"attempts": [], "reply": None, "marked": True}
        attempts = []
        body, query = self.sealed(given)
        for _ in range(given.get("deliveries", 3)):
            if given.get("new_nonce") and attempts:
                body, query = self.sealed(given)
            attempts.append(await self.deliver(given["url"], query, body, given.get("headers") or {}))
            fine = attempts[-1]["status"] == 200
            if fine and not given.get("repeat"):
                break
        if attempts[-1]["status"] == 200:
            self.failures = 0
            self.allow(given["fields"])
        else:
            self.failures += 1
            if self.failures >= self.mark_fail_after:  # MarkFail
                self.silent_until = time.monotonic() + given.get("mark_seconds", 60)
                self.failures = 0
        last = attempts[-1]
        reply = self.read_reply(last["body"], given) if last["status"] == 200 else None
        return {"attempts": attempts, "reply": reply}

    async def deliver(self, url: str, query: dict, body: bytes, headers: dict) -> dict:
        started = time.perf_counter()
        try:
            timeout = aiohttp.ClientTimeout(total=5)
            async with aiohttp.ClientSession(timeout=timeout) as http:
                async with http.post(url, params=query, data=body, headers=headers) as answer:
                    text = (await answer.read()).decode()
                    return {"status": answer.status, "body": text, "ms": (time.perf_counter() - started) * 1000}
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            ms = (time.perf_counter() - started) * 1000
            return {"status": 0, "body": type(error).__name__, "ms": ms}

    def sealed(self, given: dict) -> tuple[bytes, dict]:
        stamp = str(given.get("timestamp") or int(time.time()))
        nonce = str(secrets.randbelow(10**10))
        plain = to_xml(given["fields"])
        query = {"timestamp": stamp, "nonce": nonce, "openid": given["fields"]["FromUserName"]}
        query["signature"] = sign(TOKEN, stamp, nonce)
        if given.get("mode", "safe") == "plain":
            return plain.encode(), query
        crypto = WeChatCrypto(TOKEN, given.get("key") or KEY, given.get("app_id") or APP_ID)
        sealed = ET.fromstring(crypto.encrypt_message(plain, nonce, stamp))
        encrypted = sealed.find("Encrypt").text
        query |= {"encrypt_type": "aes", "msg_signature": sign(TOKEN, stamp, nonce, encrypted)}
        outer = {"ToUserName": given["fields"]["ToUserName"], "Encrypt": encrypted}
        if given.get("mode") == "compatible":
            outer = {**given["fields"], **(given.get("shown") or {}), "Encrypt": encrypted}
        return to_xml(outer).encode(), query

    def read_reply(self, body: str, given: dict) -> dict | None:
        """Give the passive reply; what WeChat would call 服务出现故障 is a fault."""
        if body in ("", "success"):
            return None
        try:
            root = ET.fromstring(body)
            if given.get("mode", "safe") != "plain":
                parts = {child.tag: child.text for child in root}
                crypto = WeChatCrypto(TOKEN, given.get("key") or KEY, APP_ID)
                plain = crypto.decrypt_message(body, parts["MsgSignature"], parts["TimeStamp"], parts["Nonce"])
                root = ET.fromstring(plain)
            reply = {child.tag: child.text for child in root}
            assert reply["MsgType"] == "text", "type"
            assert reply["Content"], "empty content"
            assert len(reply["Content"].encode()) <= 2048, "too long"
            assert reply["ToUserName"] == given["fields"]["FromUserName"], "to"
            assert reply["FromUserName"] == given["fields"]["ToUserName"], "from"
            return reply
        except Exception as error:
            self.faults.append(f"passive reply: {type(error).__name__} {error}")
            return {"fault": str(error)}

    # ---- quota

    def allow(self, fields: dict) -> None:
        kind = EVENT if fields.get("MsgType") == "event" or fields.get("bizmsgmenuid") else MESSAGE
        if fields.get("MsgType") == "event" and fields.get("Event") not in MENU_EVENTS:
            return
        windows = self.quota.setdefault(fields["FromUserName"], [])
        windows[:] = [one for one in windows if one[2] != kind[1]]
        windows.append([kind[0], time.time() + kind[1], kind[1]])

    def take(self, openid: str) -> int:
        live = [one for one in self.quota.get(openid, []) if one[1] > time.time()]
        if not live:
            return 45015
        for one in sorted(live, key=lambda one: one[1]):
            if one[0] > 0:
                one[0] -= 1
                return 0
        return 45047

    # ---- API

    async def stable_token(self, request: web.Request) -> web.StreamResponse:
        self.token_fetches += 1
        given = await request.json()
        if self.token_answers:
            answer = self.token_answers.pop(0)
            if answer == "hang":
                await asyncio.sleep(30)
            if answer == "500":
                return web.Response(status=500, text="oops")
            return web.json_response(answer)
        if given.get("appid") != APP_ID or given.get("secret") != SECRET:
            return web.json_response({"errcode": 40125, "errmsg": "invalid appsecret rid: 1-2-3"})
        if not self.tokens or given.get("force_refresh"):
            self.tokens.append(f"T{len(self.tokens)}_{secrets.token_urlsafe(120)}")
        await asyncio.sleep(0.05)
        return web.json_response({"access_token": self.tokens[-1], "expires_in": 7200})

    def token_fault(self, request: web.Request) -> dict | None:
        given = request.query.get("access_token")
        good = self.tokens[-2:] if self.grace else self.tokens[-1:]
        return None if given in good else {"errcode": 40001, "errmsg": "invalid credential rid: 4-5-6"}

    async def injected(self, word: str, raw: bytes) -> web.StreamResponse | None:
        waiting = self.errors.get(word) or []
        if not waiting:
            return None
        fault = waiting.pop(0)
        if fault == "hang":
            await asyncio.sleep(30)
        if fault == "500":
            return web.Response(status=500)
        if fault == "html":
            return web.Response(text="<html>")
        if fault == "late":  # delivered, but the answer comes too late
            self.record(raw)
            await asyncio.sleep(30)
        if fault == 0:
            return None
        return web.json_response({"errcode": fault, "errmsg": "injected rid: 7-8-9"})

    def record(self, raw: bytes) -> None:
        self.sends.append({**json.loads(raw), "at": time.time()})

    async def custom_send(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        self.calls.append({"path": "send", "raw": raw.decode("utf-8", "replace")})
        if fault := self.token_fault(request):
            return web.json_response(fault)
        if (answer := await self.injected("send", raw)) is not None:
            return answer
        if code := self.refused(raw):
            return web.json_response({"errcode": code, "errmsg": "refused rid: 1-1-1"})
        body = json.loads(raw)
        if self.enforce_quota and (code := self.take(body["touser"])):
            return web.json_response({"errcode": code, "errmsg": "quota rid: 2-2-2"})
        self.record(raw)
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    def refused(self, raw: bytes) -> int:
        if re.search(rb"\\u[0-9a-fA-F]{4}", raw):
            self.faults.append("escaped JSON")
            return 40033
        body = json.loads(raw)
        kind = body.get("msgtype")
        if kind == "text":
            content = body["text"]["content"]
            if not content:
                self.faults.append("empty text")
                return 44004
            if len(content.encode()) > 2048:
                self.faults.append("too long")
                return 45002
        elif kind == "msgmenu":
            menu = body["msgmenu"]
            if not menu["list"] or not all(re.fullmatch(r"\d+", one["id"]) and one["content"] for one in menu["list"]):
                self.faults.append("bad menu")
                return 40035
        elif kind == "image":
            if body["image"]["media_id"] not in self.media:
                return 40007
        else:
            self.faults.append(f"type {kind}")
            return 40008
        return 0

    async def typing(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        self.calls.append({"path": "typing", "touser": body["touser"], "at": time.time()})
        return (await self.injected("typing", b"")) or web.json_response({"errcode": 45080, "errmsg": "no interaction"})

    async def upload(self, request: web.Request) -> web.StreamResponse:
        if fault := self.token_fault(request):
            return web.json_response(fault)
        form = await request.post()
        media = f"media_{len(self.media)}"
        content = form["media"].file.read()
        assert content.startswith(b"\x89PNG")
        self.media[media] = len(content)
        return web.json_response({"type": "image", "media_id": media, "created_at": int(time.time())})

    async def download(self, request: web.Request) -> web.StreamResponse:
        if fault := self.token_fault(request):
            return web.json_response(fault)
        if (answer := await self.injected("media", b"")) is not None:
            return answer
        media = request.query["media_id"]
        if media == "gone":
            return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
        content = {"gif": b"GIF89a" + b"0" * 99, "huge": PICTURE + b"0" * 2**21}.get(media, PICTURE)
        answer = web.StreamResponse(headers={"content-type": "image/jpeg"})
        await answer.prepare(request)
        for start in range(0, len(content), 2**16):  # as it comes over a real network: in pieces
            await answer.write(content[start : start + 2**16])
        await answer.write_eof()
        return answer

    async def notice(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        if fault := self.token_fault(request):
            return web.json_response(fault)
        if (answer := await self.injected("notice", b"")) is not None:
            return answer
        for name, one in body["data"].items():
            limit = FIELD_LIMITS.get(name.rstrip("0123456789"))
            wrong = limit is None or not 1 <= len(one["value"]) <= limit
            if name.startswith("character_string") and re.search(r"[\u4e00-\u9fff]", one["value"]):
                wrong = True
            if wrong:
                return web.json_response({"errcode": 47003, "errmsg": f"argument invalid! data.{name}.value invalid"})
        self.notices.append({**body, "path": request.path})
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": 9000 + len(self.notices)})

    async def menu(self, request: web.Request) -> web.StreamResponse:
        if fault := self.token_fault(request):
            return web.json_response(fault)
        self.menus.append(json.loads(await request.read()))
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    # ---- the tests' hand

    async def sim_push(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self.push(await request.json()))

    async def sim_set(self, request: web.Request) -> web.StreamResponse:
        for name, value in (await request.json()).items():
            setattr(self, name, value)
        return web.json_response({})

    async def sim_state(self, request: web.Request) -> web.StreamResponse:
        openid = request.query.get("openid")
        sends = [one for one in self.sends if openid in (None, one["touser"])]
        names = ("tokens", "token_fetches", "faults", "notices", "menus", "calls", "media", "quota")
        return web.json_response({"sends": sends, **{name: getattr(self, name) for name in names}})


def to_xml(fields: dict) -> str:
    def one(name: str, value) -> str:
        if isinstance(value, dict):
            return f"<{name}>{''.join(one(*each) for each in value.items())}</{name}>"
        if isinstance(value, int):
            return f"<{name}>{value}</{name}>"
        safe = str(value).replace("]]>", "]]]]><![CDATA[>")
        return f"<{name}><![CDATA[{safe}]]></{name}>"

    return f"<xml>{''.join(one(*each) for each in fields.items())}</xml>"


def app() -> web.Application:
    played = WeChat()
    made = web.Application(client_max_size=2**21)
    made[PLAYED] = played
    made.add_routes(
        [
            web.post("/cgi-bin/stable_token", played.stable_token),
            web.post("/cgi-bin/message/custom/send", played.custom_send),
            web.post("/cgi-bin/message/custom/typing", played.typing),
            web.post("/cgi-bin/media/upload", played.upload),
            web.get("/cgi-bin/media/get", played.download),
            web.post("/cgi-bin/message/template/send", played.notice),
            web.post("/cgi-bin/message/subscribe/bizsend", played.notice),
            web.post("/cgi-bin/menu/create", played.menu),
            web.post("/sim/push", played.sim_push),
            web.post("/sim/set", played.sim_set),
            web.get("/sim/state", played.sim_state),
        ]
    )
    return made


if __name__ == "__main__":
    web.run_app(app(), host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
