"""Answers within the acknowledgement: for accounts that may not push (回复 1 查看), and as a fast path that costs no quota.

Whoever leases the batch sends it: an answer leaves this way or by the outbox's sender, never both.
"""

import asyncio

from bot.clock import now
from bot.conversations import outbox
from bot.conversations.outbox import Batch
from bot.storage.engine import writing
from bot.web.threads import in_thread
from channels.wechat import replies, service, words
from channels.wechat.account import Account
from channels.wechat.delivery import Delivery
from channels.wechat.intake import Intake
from channels.wechat.messages import Incoming

UNVERIFIED_SECONDS = 4.0  # of the five that WeChat waits
LOOK_EVERY = 0.1
OWNER = "passive"
ASKING = ("1", "１", "查看", "回复1", "回复 1")


def seconds(account: Account) -> float:
    """Give how long an acknowledgement may wait for the answer; 0: not at all."""
    if account.verified:
        return account.passive_ms / 1000
    return UNVERIFIED_SECONDS


async def asks_for_more(message: Incoming) -> bool:
    """Tell whether a patient was told to answer 1 and does: something is waiting for him."""
    return message.text.strip() in ASKING and await in_thread(_waits, message.openid)


async def rest(message: Incoming) -> str | None:
    """Give what is waiting, None while it is still being thought about."""
    conversation_id = await in_thread(service.conversation_of, message.openid)
    return await in_thread(_take, conversation_id, False) if conversation_id else None


async def answer(intake: Intake, delivery: Delivery, account: Account, message: Incoming, wait: float) -> str | None:
    """Store a callback and wait for its answer. None: it will be pushed. Raises NotStored."""
    until = asyncio.get_running_loop().time() + wait
    known = await in_thread(service.conversation_of, message.openid)
    if known:
        delivery.answering.add(known)
    try:
        await intake.put(message, answered=False)
        while asyncio.get_running_loop().time() < until:
            conversation_id = known or await in_thread(service.conversation_of, message.openid)
            if conversation_id and (said := await in_thread(_take, conversation_id, account.verified)):
                return said
            await asyncio.sleep(LOOK_EVERY)
    finally:
        delivery.answering.discard(known)
        delivery.hint()
    return None if account.verified else words.WAITING


def _waits(openid: str) -> bool:
    conversation_id = service.conversation_of(openid)
    return conversation_id is not None and outbox.unsent(conversation_id)


def _take(conversation_id: str, may_push: bool) -> str | None:
    """Give the next text that waits; what does not fit into it waits on."""
    batch = outbox.claim_of(conversation_id, OWNER, now(), lambda lines: replies.compose(lines, menus=False))
    if batch is None:
        return None
    said, done = _text(batch, may_push)
    with writing() as conn:
        outbox.arrived(conn, batch, done, now())
        if done < len(batch.parcels):
            outbox.put_off(conn, batch, "passive", now())
    return said


def _text(batch: Batch, may_push: bool) -> tuple[str | None, int]:
    """Give the first text and how many parcels are done with it. Pictures need a push: without it they are left out."""
    done = batch.done
    while done < len(batch.parcels) and batch.parcels[done]["type"] != "text":
        if may_push:
            return None, done
        done += 1
    if done == len(batch.parcels):
        return None, done
    said, done = batch.parcels[done]["text"], done + 1
    if may_push:
        return said, done
    left = any(parcel["type"] == "text" for parcel in batch.parcels[done:])
    return said + (words.MORE if left else ""), done if left else len(batch.parcels)
