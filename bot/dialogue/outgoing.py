"""The last hand on what leaves: script of the patient, plain words, short lines for elders, buttons into tokens."""

import base64
import re
import secrets
from dataclasses import dataclass, field

from bot.conversations.transcript import Line
from bot.hospital.facts import proper_names
from bot.language.elder import simple_lines
from bot.language.plain import explain_terms
from bot.language.script import to_traditional


@dataclass
class Outgoing:
    """Lines ready to be stored, with the buttons and images that they point to."""

    lines: list[Line] = field(default_factory=list)
    buttons: list[dict] = field(default_factory=list)
    images: list[dict] = field(default_factory=list)


def prepare(replies: list, memory: dict, meta: dict) -> Outgoing:
    """Turn the engine's replies into lines. `memory` tells script and elder mode and keeps the terms explained."""
    out = Outgoing()
    known = set(memory.get("terms") or [])
    for reply in replies:
        text, known = explain_terms(reply.text.strip(), known)
        titles = [b["title"] for b in reply.buttons]
        if memory.get("script") == "hant":
            text = to_traditional(text, proper_names())
            titles = [to_traditional(t, proper_names()) for t in titles]
        parts = simple_lines(text) if memory.get("elder") else [text]
        data: dict = {}
        if reply.image:
            data["image"] = _image(reply.image, text, out)
        shown = []
        for button, title in zip(reply.buttons, titles):
            token = secrets.token_urlsafe(12)
            out.buttons.append({"token": token, "title": title, "payload": {"payload": button["payload"]}})
            shown.append({"title": title, "token": token})
        if shown:
            data["buttons"] = shown
        for part in parts[:-1]:
            out.lines.append(Line("bot", part, None, meta))
        out.lines.append(Line("bot", parts[-1], data or None, meta))
    memory["terms"] = sorted(known)
    return out


def _image(image: str, text: str, out: Outgoing) -> dict:
    """Keep a picture (data:image/png;base64,…) under a token; the text before it is its alternative."""
    content = re.sub(r"^data:image/png;base64,", "", image)
    base64.b64decode(content, validate=True)
    token = secrets.token_urlsafe(24)
    out.images.append({"token": token, "content": content})
    return {"token": token, "alt": text[:400]}
