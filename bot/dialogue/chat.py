"""`daoyi chat`: a talk in the terminal through the real path, inbox → worker → transcript, without a browser."""

import asyncio
import json
import uuid
from pathlib import Path

from bot.clock import now
from bot.conversations import inbound, transcript
from bot.conversations.inbound import Empty, TooLong
from bot.dialogue.engine import Engine
from bot.dialogue.worker import Worker
from bot.nlu.reader import Reader
from bot.storage.engine import reading

KIND = {
    TooLong: "您发的内容有点长，请分成几段发给我，每段不超过4000字，好吗？",
    Empty: "我还没有看到文字内容，麻烦您再发一次，好吗？",
}


class Terminal:
    """Conversations with one worker in this process."""

    def __init__(self, model: Path) -> None:
        engine = Engine(model)
        self.worker = Worker(engine, Reader.of_agent(engine), name=f"chat-{uuid.uuid4().hex[:8]}")

    async def say(self, visitor: str, text: str | None = None, button: str | None = None) -> list[dict]:
        """Send a text or a button's token; give the lines that came back (all but the patient's own)."""
        conversation = inbound.open_conversation("terminal", visitor[:80], now())
        try:
            if button is not None:
                accepted = inbound.accept_button(conversation, uuid.uuid4().hex, button, now())
            else:
                accepted = inbound.accept_text(conversation, uuid.uuid4().hex, text or "", now())
        except (TooLong, Empty) as error:
            return [{"sender": "system", "text": KIND[type(error)], "buttons": []}]
        await self.worker.run_until_idle()
        with reading() as conn:
            rows = transcript.since(conn, conversation, accepted.seq)
        return [_reply(row) for row in rows if row.sender != "patient"]

    async def run_json(self, lines, out) -> None:
        """Read {"conversation", "text" | "button"} a line, write {"conversation", "replies"} a line."""
        for line in lines:
            if not line.strip():
                continue
            try:
                given = json.loads(line)
                if not isinstance(given, dict):
                    raise ValueError("a JSON object is expected")
                visitor = str(given.get("conversation") or "default")
                text, button = given.get("text"), given.get("button")
                if text is None and button is None:
                    raise ValueError('"text" or "button" is missing')
            except ValueError as error:
                print(json.dumps({"error": f"not understood: {error}"}, ensure_ascii=False), file=out, flush=True)
                continue
            replies = await self.say(
                visitor, None if text is None else str(text), None if button is None else str(button)
            )
            print(json.dumps({"conversation": visitor, "replies": replies}, ensure_ascii=False), file=out, flush=True)

    async def run(self, lines, out) -> None:
        """Talk with a person: numbers in brackets choose a button."""
        print("示范医院智能客服（输入内容后回车；输入 [1] 选择按钮；Ctrl-D 结束）", file=out)
        shown: list[dict] = []
        visitor = uuid.uuid4().hex
        while line := await asyncio.get_running_loop().run_in_executor(None, lines.readline):
            text = line.rstrip("\n")
            chosen = text.strip("[] 　")
            if text.strip().startswith("[") and chosen.isdigit() and 1 <= int(chosen) <= len(shown):
                replies = await self.say(visitor, button=shown[int(chosen) - 1]["token"])
            else:
                replies = await self.say(visitor, text)
            shown = [b for reply in replies for b in reply["buttons"] if "token" in b]
            for reply in replies:
                print(f"{reply['sender']}: {reply['text']}", file=out)
            for index, button in enumerate(shown, 1):
                print(f"  [{index}] {button['title']}", file=out)


def _reply(row) -> dict:
    data = row.data or {}
    reply = {"sender": row.sender, "text": row.text, "buttons": data.get("buttons", [])}
    if "image" in data:
        reply["image"] = data["image"]
    return reply
