"""`daoyi wechat simulate`: what the operator types reaches the real web process, what it answers is shown."""

import asyncio
import base64
import io

from aiohttp.test_utils import TestServer
from sqlalchemy import select

from bot.conversations.tables import images
from channels.wechat import words
from channels.wechat.simulate import PICTURE, Phone
from tests.builders import spoken
from tests.channels.wechat.house import rows, running_house
from tests.channels.wechat.inside import until


async def test_the_follower_writes_taps_and_sends_a_picture(migrated, tmp_path):
    shown = io.StringIO()
    phone = Phone(shown)
    server = TestServer(phone.app())
    await server.start_server()
    with running_house(tmp_path, migrated("sqlite"), **phone.settings(str(server.make_url("")).rstrip("/"))) as house:
        phone.url = f"{house.url}/wechat"

        async def types(line: str, answer: str) -> None:
            await phone.types(line, [])
            await until(lambda: answer in shown.getvalue())

        await types("/关注", words.greeting())
        await types("/选 1", "还没有收到带选项的消息")
        await types("/图片", words.asked("image"))
        assert base64.b64decode(rows(select(images.c.content))[0].content) == PICTURE
        await types("/图片 /no/such/file", "读不到这个文件")
        await types("我胸口疼得厉害，喘不上气", "120")
        await phone.types("我想预约挂号", [])
        await asyncio.to_thread(house.lines, phone.openid, 6)
        await asyncio.to_thread(house.answer, phone.openid, "请问挂哪个科？", titles=("心内科", "骨科"))
        await until(lambda: "[2] 骨科" in shown.getvalue())
        await types("/选 3", "1 到 2 可选")
        await phone.types("/选 2", [])
        await asyncio.to_thread(house.lines, phone.openid, 8)
        assert spoken(house.conversation(phone.openid))[-1] == ("patient", "骨科")
        assert not await phone.types("/退出", [])
    await server.close()
