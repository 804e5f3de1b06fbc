"""Pictures that patients send: looked at by people only, made anew without what the camera wrote into them, kept encrypted."""

import base64
import io
import secrets
from datetime import datetime

from PIL import Image, ImageOps
from sqlalchemy import insert

from bot.conversations import inbound, transcript
from bot.conversations.inbound import Accepted
from bot.conversations.tables import images, inbox
from bot.conversations.transcript import Line
from bot.errors import DaoyiError
from bot.storage.engine import writing

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 30_000_000  # 1 MB of PNG may unfold to gigabytes
EDGE = 2000  # pixels of the longer side that are kept: a photographed report stays legible
BEGINNINGS = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "GIF": b"GIF8", "WEBP": b"RIFF"}

SAID = "（图片）"
SENT = "患者发来的图片"
KEPT = "图片已经收到，为您保存好了，人工客服可以看到。"
ASKED = KEPT + "我暂时只能看懂文字，麻烦您用文字告诉我想办的事情，好吗？您也可以转人工，请工作人员为您看图。"
PERSON = {"title": "转人工"}


class BadPicture(DaoyiError):
    """The bytes are no JPEG, PNG, WebP or GIF that can be read, or unfold to too many pixels."""


def made_anew(content: bytes) -> bytes:
    """Give the picture as a JPEG with nothing of the file but what is seen: no place, no camera, no hidden parts.

    Turned upright, at most EDGE pixels; of a moving picture the first frame. Raises BadPicture.
    """
    kinds = [kind for kind, beginning in BEGINNINGS.items() if content.startswith(beginning)]
    if not kinds:
        raise BadPicture("not one of our kinds")
    try:
        with Image.open(io.BytesIO(content), formats=kinds) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise BadPicture("too many pixels")
            picture.draft("RGB", (EDGE, EDGE))  # a JPEG is unfolded no larger than it is kept
            picture = ImageOps.exif_transpose(picture).convert("RGBA")
            picture.thumbnail((EDGE, EDGE))
            seen = Image.new("RGB", picture.size, "white")
            seen.paste(picture, mask=picture.getchannel("A"))
            out = io.BytesIO()
            seen.save(out, "JPEG", quality=85, optimize=True)
    except BadPicture:
        raise
    except Exception as error:  # Pillow raises whatever a broken file leads it to
        raise BadPicture(type(error).__name__) from error
    return out.getvalue()


def kind_of(content: bytes) -> str:
    """Give the content type of a picture that we keep."""
    return "image/jpeg" if content.startswith(BEGINNINGS["JPEG"]) else "image/png"


def accept(conversation_id: str, client_id: str, content: bytes, now: datetime) -> Accepted:
    """Store a patient's picture as one line, once per `client_id`; who is not served by a person is told who can see it.

    No turn waits for it: the bot interprets no picture. Raises BadPicture, UnknownConversation.
    """
    content = made_anew(content)
    with writing() as conn:
        conversation = inbound.locked(conn, conversation_id)
        known = inbound.known(conn, conversation_id, client_id)
        if known is not None:
            return Accepted(known, True, None)
        token = secrets.token_urlsafe(24)
        kept = {"token": token, "conversation_id": conversation_id, "content": base64.b64encode(content).decode()}
        conn.execute(insert(images).values(**kept, at=now))
        new = [Line("patient", SAID, {"image": {"token": token, "alt": SENT}}, client_id=client_id)]
        if conversation.holder != "agent":
            waits = conversation.holder == "queue"
            new.append(Line("system", KEPT) if waits else Line("system", ASKED, {"buttons": [PERSON]}))
        seq = transcript.append(conn, conversation_id, new, now) - len(new) + 1
        conn.execute(
            insert(inbox).values(
                conversation_id=conversation_id, client_id=client_id, seq=seq, kind="picture", text=SAID, received_at=now,
                state="done",
            )
        )  # fmt: skip
        return Accepted(seq, False, None)
