"""The patients bound to an OpenID: bind, show, unbind. Menu taps lead here; what is typed never does."""

import secrets
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from bot.conversations import transcript
from bot.conversations.tables import buttons, conversations
from bot.conversations.transcript import Line
from bot.patients import binding

NOBODY = (
    "您还没有绑定就诊人。请先办理一次需要核实身份的业务，例如“查询我的预约”；核实通过后再点菜单“绑定就诊人”就可以了。"
)
BOUND = "已为您绑定就诊人：{names}。有效期一年，您随时可以在菜单“就诊人管理”里解除。"
SHOWN = "您绑定的就诊人：{names}。需要解除时，请点选下面的名字。"
UNBOUND = "已为您解除绑定。以后需要时，重新核实身份就可以再次绑定。"
GONE = "这位就诊人已经解除绑定了。请问还有什么可以帮到您？"


def do(conn: Connection, conversation_id: str, deed: str, key: str, now: datetime) -> None:
    """Do what a menu tap asks for: bind or persons. `key` makes it happen once."""
    if not once(conn, conversation_id, key):
        return
    if deed == "bind":
        current = binding.bind(conn, conversation_id, now)
        said = (
            f"已为您绑定就诊人：{_listed(current)}。有效期一年，您随时可以在菜单“就诊人管理”里解除。"
            if current
            else NOBODY
        )
        _say(conn, conversation_id, said, key, now)
        return
    current = binding.bound(conn, conversation_id, now)
    if not current:
        _say(conn, conversation_id, NOBODY, key, now)
        return
    step = conn.execute(select(conversations.c.step).where(conversations.c.id == conversation_id)).scalar_one()
    shown = []
    for one in current:
        token, title = secrets.token_urlsafe(12), f"解除绑定 {one.name}{f'（{one.relation}）' if one.relation else ''}"
        conn.execute(
            insert(buttons).values(
                token=token,
                conversation_id=conversation_id,
                step=step,
                title=title,
                payload={"unbind": one.patient_id},
            )
        )
        shown.append({"title": title, "token": token})
    said = SHOWN.format(names=_listed(current))
    _say(conn, conversation_id, said, key, now, {"buttons": shown})


def unbound(conn: Connection, conversation_id: str, token: str, key: str, now: datetime) -> bool:
    """Unbind whom a tapped choice names; False when the choice is none of ours."""
    row = conn.execute(
        select(buttons).where(buttons.c.token == token, buttons.c.conversation_id == conversation_id)
    ).first()
    if row is None or "unbind" not in row.payload:
        return False
    if not once(conn, conversation_id, key):
        return True
    conn.execute(update(buttons).where(buttons.c.token == token).values(used_at=now))
    transcript.append(conn, conversation_id, [Line("patient", row.title, client_id=key)], now)
    said = UNBOUND if binding.unbind(conn, conversation_id, row.payload["unbind"], now) else GONE
    _say(conn, conversation_id, said, f"{key[:60]}:say", now)
    return True


def once(conn: Connection, conversation_id: str, key: str) -> bool:
    """Tell whether nothing has been written under `key` yet. The conversation's row is locked meanwhile."""
    conn.execute(select(conversations.c.id).where(conversations.c.id == conversation_id).with_for_update())
    known = select(transcript.lines.c.id).where(
        transcript.lines.c.conversation_id == conversation_id, transcript.lines.c.client_id == key
    )
    return conn.execute(known).first() is None


def _say(conn: Connection, conversation_id: str, text: str, key: str, now: datetime, data: dict | None = None) -> None:
    transcript.append(conn, conversation_id, [Line("system", text, data, client_id=key)], now)


def _listed(current: list[binding.Bound]) -> str:
    return "、".join(f"{one.name}（{one.relation or '本人'}）" for one in current)
