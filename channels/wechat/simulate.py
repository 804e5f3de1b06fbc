"""WeChat played in the terminal: a made-up account, a follower who types, an API that shows what would reach the phone.

It starts this installation's own processes (`daoyi serve`) on free ports with the made-up account, over the configured
database and hospital. Replies within the acknowledgement and pushed messages are shown as they would come.
"""

import asyncio
import base64
import json
import os
import secrets
import socket
import sys
import tempfile
import time
from pathlib import Path
from xml.etree.ElementTree import fromstring

import aiohttp
from aiohttp import web

from bot.settings import settings
from channels.wechat.account import read_file
from channels.wechat.crypto import Envelope, signature
from channels.wechat.messages import cdata

HELP = (
    "直接输入文字就是发消息；/关注 /取关 /语音 /位置 发送对应的消息；/图片 或 /图片 文件 发一张图片；/菜单 列出菜单；"
    "/菜单 键 点击菜单；/选 1 点选上一条消息里的选项；/扫码 场景 扫描带参数的二维码；/退出 结束。"
)
PICTURE = base64.b64decode(  # one grey point
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
START_SECONDS = 180
LAST_LINES = 15
RETRIES = 3
SOON = 5.0  # seconds: WeChat's own patience


class Phone:
    """The follower, and the API that his phone hangs on."""

    def __init__(self, out) -> None:
        self._out = out
        self.app_id, self.original_id = f"wx{secrets.token_hex(8)}", f"gh_{secrets.token_hex(6)}"
        self.token, self.secret = secrets.token_hex(8), secrets.token_hex(16)
        self.key = base64.b64encode(secrets.token_bytes(32)).decode()[:42].replace("+", "a").replace("/", "b") + "A"
        self.openid = f"o{secrets.token_hex(13)}"
        self.url = ""
        self._envelope = Envelope(self.app_id, self.token, (self.key,))
        self._access = secrets.token_hex(64)
        self._choices: list[dict] = []
        self._media: dict[str, bytes] = {}

    def settings(self, api: str) -> dict[str, str]:
        """Give the settings that make an installation this account's."""
        return {
            "DAOYI_WECHAT_APP_ID": self.app_id,
            "DAOYI_WECHAT_ORIGINAL_ID": self.original_id,
            "DAOYI_WECHAT_TOKEN": self.token,
            "DAOYI_WECHAT_AES_KEY": self.key,
            "DAOYI_WECHAT_SECRET": self.secret,
            "DAOYI_WECHAT_MODE": "safe",
            "DAOYI_WECHAT_IPS": "",
            "DAOYI_WECHAT_API": api,
        }

    # ---- the API

    def app(self) -> web.Application:
        """Give the played api.weixin.qq.com."""
        made = web.Application(client_max_size=2**22)
        made.add_routes(
            [
                web.post("/cgi-bin/stable_token", self._give_token),
                web.post("/cgi-bin/message/custom/send", self._receive),
                web.post("/cgi-bin/message/custom/typing", self._typing),
                web.post("/cgi-bin/media/upload", self._upload),
                web.get("/cgi-bin/media/get", self._download),
                web.post("/cgi-bin/message/template/send", self._receive),
                web.post("/cgi-bin/message/subscribe/bizsend", self._receive),
                web.post("/cgi-bin/menu/create", self._fine),
            ]
        )
        return made

    async def _give_token(self, _request: web.Request) -> web.Response:
        return web.json_response({"access_token": self._access, "expires_in": 7200})

    async def _fine(self, _request: web.Request) -> web.Response:
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _typing(self, request: web.Request) -> web.Response:
        self._show("（对方正在输入…）")
        return await self._fine(request)

    async def _upload(self, request: web.Request) -> web.Response:
        content = (await request.post())["media"].file.read()
        return web.json_response({"type": "image", "media_id": f"图片，{len(content) // 1024} KB", "created_at": 0})

    async def _download(self, request: web.Request) -> web.Response:
        content = self._media.get(request.query.get("media_id", ""))
        return web.json_response({"errcode": 40007}) if content is None else web.Response(body=content)

    async def _receive(self, request: web.Request) -> web.Response:
        given = json.loads(await request.read())
        kind = given.get("msgtype")
        if kind == "text":
            self._show(f"公众号：{given['text']['content']}")
        elif kind == "msgmenu":
            self._choices = given["msgmenu"]["list"]
            listed = [f"  [{place}] {one['content']}" for place, one in enumerate(self._choices, 1)]
            self._show("\n".join([f"公众号：{given['msgmenu']['head_content']}", *listed, "  （/选 1 点选）"]))
        elif kind == "image":
            self._show(f"公众号：[{given['image']['media_id']}]")
        else:
            self._show(f"服务通知：{json.dumps(given.get('data'), ensure_ascii=False)}")
        return await self._fine(request)

    def _show(self, said: str) -> None:
        print(said, file=self._out, flush=True)

    # ---- the follower

    async def push(self, kind: str, **fields: str) -> None:
        """Deliver a callback as WeChat does, three times at most, and show what it is answered with."""
        common = {"ToUserName": self.original_id, "FromUserName": self.openid, "CreateTime": str(int(time.time()))}
        given = {
            **common,
            "MsgType": kind,
            **({} if kind == "event" else {"MsgId": str(secrets.randbits(60))}),
            **fields,
        }
        plain = f"<xml>{''.join(f'<{name}>{cdata(value)}</{name}>' for name, value in given.items())}</xml>"
        stamp, nonce = str(int(time.time())), str(secrets.randbits(32))
        encrypted, signed = self._envelope.seal(plain.encode(), stamp, nonce)
        query = {
            "timestamp": stamp,
            "nonce": nonce,
            "signature": signature(self.token, stamp, nonce),
            "openid": self.openid,
            "encrypt_type": "aes",
            "msg_signature": signed,
        }
        body = f"<xml><ToUserName>{cdata(self.original_id)}</ToUserName><Encrypt>{cdata(encrypted)}</Encrypt></xml>"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SOON)) as http:
            for _ in range(RETRIES):
                try:
                    async with http.post(self.url, params=query, data=body.encode()) as answer:
                        if answer.status == 200:
                            self._answered(await answer.text())
                            return
                except (aiohttp.ClientError, asyncio.TimeoutError):
                    continue
        self._show("（微信提示：该公众号暂时无法提供服务，请稍后再试）")

    def _answered(self, body: str) -> None:
        if body in ("", "success"):
            return
        outer = {child.tag: child.text or "" for child in fromstring(body)}
        plain, _ = self._envelope.open(outer["Encrypt"], outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
        self._show(f"公众号：{fromstring(plain).findtext('Content')}")

    async def _send_picture(self, path: str) -> None:
        media = secrets.token_hex(16)
        try:
            self._media[media] = Path(path).expanduser().read_bytes() if path else PICTURE
        except OSError as error:
            self._show(f"（读不到这个文件：{error.strerror}）")
            return
        await self.push("image", PicUrl="https://example.invalid/1.jpg", MediaId=media)

    async def _tap(self, number: str) -> None:
        if not self._choices:
            self._show("（还没有收到带选项的消息）")
        elif not (number.isascii() and number.isdigit()) or not 1 <= int(number) <= len(self._choices):
            self._show(f"（最近一条带选项的消息里有 1 到 {len(self._choices)} 可选）")
        else:
            one = self._choices[int(number) - 1]
            await self.push("text", Content=one["content"], bizmsgmenuid=one["id"])

    async def types(self, line: str, keys: list[str]) -> bool:
        """Do what a line of the terminal asks for; False: the end."""
        word, _, rest = line.strip().partition(" ")
        if word == "/退出":
            return False
        if word == "/关注":
            await self.push("event", Event="subscribe", EventKey="")
        elif word == "/取关":
            await self.push("event", Event="unsubscribe", EventKey="")
        elif word == "/图片":
            await self._send_picture(rest.strip())
        elif word == "/语音":
            await self.push("voice", MediaId="simulated", Format="amr")
        elif word == "/位置":
            await self.push("location", Location_X="32.0", Location_Y="118.0", Scale="15", Label=rest or "健康路")
        elif word == "/扫码":
            await self.push("event", Event="SCAN", EventKey=rest.strip())
        elif word == "/菜单" and rest.strip():
            await self.push("event", Event="CLICK", EventKey=rest.strip())
        elif word == "/菜单":
            self._show("  ".join(keys))
        elif word == "/选":
            await self._tap(rest.strip())
        elif word.startswith("/"):
            self._show(HELP)
        elif line.strip():
            await self.push("text", Content=line.rstrip("\n"))
        return True


async def simulate(lines, out) -> int:
    """Start the installation with a made-up account and talk until the input ends."""
    phone = Phone(out)
    api_port, web_port = _free_port(), _free_port()
    runner = web.AppRunner(phone.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", api_port).start()
    phone.url = f"http://127.0.0.1:{web_port}/wechat"
    environment = {**os.environ, **phone.settings(f"http://127.0.0.1:{api_port}")}
    environment |= {"DAOYI_HOST": "127.0.0.1", "DAOYI_PORT": str(web_port), "DAOYI_LOG_LEVEL": "ERROR"}
    print("正在启动本机的导医台（第一次约半分钟）……", file=out, flush=True)
    log = tempfile.TemporaryFile("w+", errors="replace")  # what libraries say about themselves is not for the terminal
    serve = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "serve", env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=log
    )
    try:
        if not await _ready(f"http://127.0.0.1:{web_port}/readyz", serve):
            log.seek(0)
            print("".join(log.readlines()[-LAST_LINES:]), file=out)
            print("没有启动成功，请看上面的提示；还没有模型时先运行 daoyi train。", file=out)
            return 1
        menu, _ = read_file(Path(settings().wechat_file))
        keys = [f"say:{key}" for key in menu.says] + ["do:bind", "do:persons"]
        print(f"{HELP}\n坐席工作台：http://127.0.0.1:{web_port}/desk\n", file=out, flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, lines.readline):
            if not await phone.types(line, keys):
                break
        await asyncio.sleep(0 if lines.isatty() else SOON)  # a piped talk waits for its last answers
        return 0
    finally:
        if serve.returncode is None:
            serve.terminate()
            await serve.wait()
        await runner.cleanup()


async def _ready(url: str, serve) -> bool:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as http:
        for _ in range(START_SECONDS * 2):
            if serve.returncode is not None:
                return False
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return True
            except (aiohttp.ClientError, asyncio.TimeoutError):
                pass
            await asyncio.sleep(0.5)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
