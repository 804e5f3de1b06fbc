"""What the house says to a patient by itself: system lines in his script, and the question how satisfied he is (R46, R58)."""

import secrets
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.conversations import transcript
from bot.conversations.tables import buttons, conversations, ratings
from bot.conversations.transcript import Line
from bot.hospital.load import load_hospital
from bot.language.script import to_traditional

SCORES = {5: "很满意", 4: "满意", 3: "一般", 2: "不满意", 1: "很不满意"}
QUESTION = {
    "episode": "请问您对刚才的人工服务满意吗？您的评价会帮助我们改进。",
    "ticket": "请问您对这件事的处理满意吗？您的评价会帮助我们改进。",
}
THANKS = "谢谢您的评价，我们已记录。"
SORRY = "谢谢您的评价，没能让您满意，我们很抱歉。主管会查看这次服务；您有具体的意见，可以直接写在这里。"


def tell(conn: Connection, conversation_id: str, text: str, now: datetime, meta: dict | None = None) -> int:
    """Write a system line in the script the patient writes and give its seq."""
    line = Line("system", in_his_script(conn, conversation_id, text), meta=meta)
    return transcript.append(conn, conversation_id, [line], now)


def in_his_script(conn: Connection, conversation_id: str, text: str) -> str:
    """Turn a text into Traditional characters for who writes them."""
    tracker = conn.execute(select(conversations.c.tracker).where(conversations.c.id == conversation_id)).scalar()
    memory = ((tracker or {}).get("slots") or {}).get("memory") or {}
    return to_traditional(text, (load_hospital().info.name,)) if memory.get("script") == "hant" else text


def ask_rating(
    conn: Connection, conversation_id: str, kind: str, ref: int, agent_id: int | None, now: datetime
) -> bool:
    """Ask once for each hand-over (`episode`) or ticket with five buttons; False when it has been asked before."""
    try:
        with conn.begin_nested():
            rating = conn.execute(
                insert(ratings).values(
                    kind=kind, ref=ref, conversation_id=conversation_id, agent_id=agent_id, asked_at=now
                )
            ).inserted_primary_key[0]
    except IntegrityError:
        return False
    step = conn.execute(select(conversations.c.step).where(conversations.c.id == conversation_id)).scalar_one()
    shown = []
    for score, title in SCORES.items():
        title = in_his_script(conn, conversation_id, title)
        token = secrets.token_urlsafe(12)
        payload = {"rating": rating, "score": score}
        conn.execute(
            insert(buttons).values(
                token=token, conversation_id=conversation_id, step=step, title=title, payload=payload
            )
        )
        shown.append({"title": title, "token": token})
    text = in_his_script(conn, conversation_id, QUESTION[kind])
    transcript.append(conn, conversation_id, [Line("system", text, {"buttons": shown})], now)
    return True


def rate(conn: Connection, conversation_id: str, rating: int, score: int, now: datetime) -> bool:
    """Keep the first answer to a question and thank for it; False when there is one already."""
    first = conn.execute(
        update(ratings)
        .where(ratings.c.id == rating, ratings.c.conversation_id == conversation_id, ratings.c.score.is_(None))
        .values(score=score, at=now)
    )
    if first.rowcount:
        tell(conn, conversation_id, SORRY if score <= 2 else THANKS, now)
    return bool(first.rowcount)
