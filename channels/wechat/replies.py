"""A batch of lines as WeChat shows it: one or two texts, a menu message for choices, pictures. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from bot.conversations.outbox import LONGEST as LIMIT

MENU_LIMIT = 10  # choices; more are a numbered list
BREAKS = ("\n\n", "\n", "。！？!?…", "；;", "，、,： ")  # where a long text is divided, the best first
NUMBER = re.compile(r"(?:请?(?:回复|选择?))?\s*[\[(【]?\s*([0-9]{1,2})\s*[\])】.。、]?", re.ASCII)
_ATOM = re.compile(r"https?://[\x21-\x7e]+|.[\u0300-\u036f\ufe0f\u200d\U0001f3fb-\U0001f3ff]*", re.DOTALL)
_TAG = re.compile(r"<(?=/?[a-zA-Z])")
_MARKDOWN = re.compile(r"\*\*([^*\n]+)\*\*|^#{1,6} +", re.MULTILINE)


def size(text: str) -> int:
    """Give the bytes that WeChat counts."""
    return len(text.encode("utf-8", "replace"))


def plain(text: str) -> str:
    """Take out Markdown, which WeChat shows as it is, and keep what a patient wrote from becoming a link."""
    return _TAG.sub("＜", _MARKDOWN.sub(lambda found: found[1] or "", text)).strip()


def divide(text: str, limit: int = LIMIT) -> list[str]:
    """Divide at the ends of sentences into pieces of at most `limit` bytes; addresses and emoji stay whole."""
    pieces, rest = [], [(atom, size(atom)) for atom in _ATOM.findall(text)]
    while rest:
        taken, used = 0, 0
        while taken < len(rest) and used + rest[taken][1] <= limit:
            used += rest[taken][1]
            taken += 1
        if taken < len(rest):
            taken = _best_break([atom for atom, _ in rest[: max(taken, 1)]])
        piece = "".join(atom for atom, _ in rest[:taken]).strip()
        if piece:
            pieces.append(piece)
        rest = rest[taken:]
    return pieces


def _best_break(atoms: list[str]) -> int:
    """Give how many atoms the piece takes: up to the last good break in its second half, else all."""
    least = len(atoms) // 2
    for ends in BREAKS:
        for place in range(len(atoms) - 1, least, -1):
            if ends == "\n\n":
                if atoms[place] == atoms[place - 1] == "\n":
                    return place + 1
            elif atoms[place] in ends:
                return place + 1
    return len(atoms)


def compose(lines: list, menus: bool = True) -> list[dict]:
    """Give the parcels of a batch: {type: text|menu|image, …}. `menus` False: choices become a numbered list."""
    return list(_parcels(lines, menus))


def _parcels(lines: list, menus: bool) -> Iterator[dict]:
    generated = any(line.sender == "bot" for line in lines)
    choices = next((line for line in reversed(lines) if tokens(line)), None)
    texts: list[str] = []
    for line in lines:
        if line.text.strip():
            said = plain(line.text)
            first_of_agent = line.sender == "agent" and not any(t.startswith("人工客服：") for t in texts)
            texts.append(f"人工客服：{said}" if first_of_agent else said)
        texts += addresses(line.text, (line.data or {}).get("buttons") or [])
        if image := (line.data or {}).get("image"):
            for piece in divide("\n\n".join(texts)):
                yield {"type": "text", "text": piece, "ai": generated}
            texts = []
            yield {"type": "image", "token": image["token"]}
    text = "\n\n".join(texts)
    if choices is None:
        for piece in divide(text):
            yield {"type": "text", "text": piece, "ai": generated}
        return
    items = [(choices.seq * 100 + place, one["title"]) for place, one in enumerate(tokens(choices), 1)]
    if not menus or len(items) > MENU_LIMIT:
        listed = "\n".join(f"{place}. {plain(title)}" for place, (_, title) in enumerate(items, 1))
        for piece in divide(f"{text}\n\n请回复数字选择：\n{listed}"):
            yield {"type": "text", "text": piece, "ai": generated}
        return
    room = LIMIT - sum(size(title) + 16 for _, title in items)
    *before, head = divide(text, max(room, 200)) or ["请您选择："]
    for piece in before:
        yield {"type": "text", "text": piece, "ai": generated}
    yield {"type": "menu", "head": head, "items": [[number, plain(title)] for number, title in items], "ai": generated}


def tokens(line) -> list[dict]:
    """Give the choices that a line offers."""
    return [one for one in (line.data or {}).get("buttons") or [] if one.get("token")]


def addresses(text: str, buttons: Iterable[dict]) -> list[str]:
    """Give the numbers to call and the pages that buttons lead to, except those that stand in the text already."""
    links = [
        (one["title"], one["uri"].removeprefix("tel:")) for one in buttons if one.get("uri") and not one.get("token")
    ]
    return [f"{title}：{address}" for title, address in links if address not in text]


def numbered(parcel: dict) -> dict:
    """Give a menu as the text that stands in for it where the account may not send menus (40200)."""
    listed = "\n".join(f"{place}. {title}" for place, (_, title) in enumerate(parcel["items"], 1))
    return {"type": "text", "text": f"{parcel['head']}\n\n请回复数字选择：\n{listed}", "ai": parcel.get("ai", False)}


def body(parcel: dict, openid: str, media_id: str = "") -> dict:
    """Give what /cgi-bin/message/custom/send gets."""
    if parcel["type"] == "image":
        return {"touser": openid, "msgtype": "image", "image": {"media_id": media_id}}
    if parcel["type"] == "menu":
        items = [{"id": str(number), "content": title} for number, title in parcel["items"]]
        sent = {
            "touser": openid,
            "msgtype": "msgmenu",
            "msgmenu": {"head_content": parcel["head"], "list": items, "tail_content": ""},
        }
    else:
        sent = {"touser": openid, "msgtype": "text", "text": {"content": parcel["text"]}}
    if parcel.get("ai"):
        sent["aimsgcontext"] = {"is_ai_msg": 1}  # the label that the law asks of generated answers
    return sent


def chosen(text: str, menu_id: str, lines: list) -> str | None:
    """Give the button's token that a message stands for: a tapped menu entry, "1", "回复 1", or the title itself.

    `lines` are the last ones said to the patient since he last wrote; for a tapped entry those of its own line, too.
    """
    if re.fullmatch(r"\d{3,11}", menu_id, re.ASCII):
        seq, place = divmod(int(menu_id), 100)
        offered = next((tokens(line) for line in lines if line.seq == seq), [])
        return offered[place - 1]["token"] if 1 <= place <= len(offered) else None
    offered = next((tokens(line) for line in reversed(lines) if tokens(line)), [])
    said = text.strip()
    for one in offered:
        if said in (one["title"].strip(), plain(one["title"])):
            return one["token"]
    number = NUMBER.fullmatch(unicodedata.normalize("NFKC", said))  # １ and ① are 1
    if number is None:
        return None
    place = int(number[1])
    return offered[place - 1]["token"] if 1 <= place <= len(offered) else None
