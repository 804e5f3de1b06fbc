"""WeChat's XML ↔ our data. Pure: no SQL, no network, no clock.

Fields as in 接收普通消息, 接收事件推送 and 被动回复用户消息 of developers.weixin.qq.com.
"""

import hashlib
import re
from dataclasses import asdict, dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from channels.wechat.crypto import BadMessage

OPENID = re.compile(r"[A-Za-z0-9_-]{6,64}", re.ASCII)
ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0


@dataclass(frozen=True)
class Incoming:
    """One callback. `kind` is the message's type, or event:NAME; `key` is the same for each delivery of it."""

    account: str  # ToUserName, gh_…
    openid: str
    created: int  # seconds since 1970, WeChat's clock
    kind: str
    key: str
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Give what the patient wrote, "" for other kinds."""
        return self.fields.get("Content", "") if self.kind == "text" else ""

    def plain(self) -> dict:
        """Give it as JSON can hold it; `Incoming(**plain)` is the way back."""
        return asdict(self)


def read_xml(body: bytes) -> dict[str, str]:
    """Give the elements right under the root, nested ones as "outer.inner". Raises BadMessage: no XML, a DTD, entities."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, UnicodeError, LookupError):
        raise BadMessage("unreadable") from None
    return dict(_leaves(root, ""))


def _leaves(element: Element, prefix: str):
    for child in element:
        if len(child):
            yield from _leaves(child, f"{prefix}{child.tag}.")
        else:
            yield f"{prefix}{child.tag}", child.text or ""


def incoming(fields: dict[str, str]) -> Incoming:
    """Give the callback that the fields make. Raises BadMessage when what every callback has is missing."""
    sender, account, created = (fields.get(name, "") for name in ("FromUserName", "ToUserName", "CreateTime"))
    kind = fields.get("MsgType", "").strip().lower()
    if not OPENID.fullmatch(sender) or not account or not re.fullmatch(r"\d{1,12}", created, re.ASCII) or not kind:
        raise BadMessage("incomplete")
    if kind == "event":
        kind = f"event:{fields.get('Event', '').strip().lower()}"
    return Incoming(account, sender, int(created), kind, _key(sender, created, kind, fields), fields)


def _key(sender: str, created: str, kind: str, fields: dict[str, str]) -> str:
    """排重: MsgId where there is one; for events user, time, event and its key, so that two in one second stay two."""
    if fields.get("MsgId") and not kind.startswith("event"):
        parts = ("msg", sender, fields["MsgId"])
    else:
        # A template report has MsgID instead of MsgId.
        parts = (sender, created, kind, fields.get("EventKey", ""), fields.get("MsgID", ""))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def cdata(text: str) -> str:
    """Give text as CDATA that nothing breaks out of; what XML 1.0 cannot hold is left out."""
    return "<![CDATA[" + ILLEGAL.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def text_reply(message: Incoming, text: str, now: int) -> str:
    """Give the passive reply to a message. `now` in seconds since 1970."""
    return (
        f"<xml><ToUserName>{cdata(message.openid)}</ToUserName><FromUserName>{cdata(message.account)}</FromUserName>"
        f"<CreateTime>{now}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content>{cdata(text)}</Content></xml>"
    )


def sealed_reply(encrypted: str, signed: str, timestamp: str, nonce: str) -> str:
    """Give the outer XML of an encrypted reply."""
    return (
        f"<xml><Encrypt>{cdata(encrypted)}</Encrypt><MsgSignature>{cdata(signed)}</MsgSignature>"
        f"<TimeStamp>{timestamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
    )
