"""Who may come in: signature, time window, mode, account; then the message in the clear. Pure but for the settings."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.errors import SettingsError
from channels.wechat.account import Account
from channels.wechat.crypto import BadMessage, require_signature
from channels.wechat.messages import Incoming, incoming, read_xml, sealed_reply

WINDOW = 600  # seconds that a callback's timestamp may differ from our clock
BODY_LIMIT = 64 * 1024  # bytes


@dataclass(frozen=True)
class Visit:
    """One callback that has been let in, and how to answer it. `key`: number of the AES key it came under, or None."""

    message: Incoming
    key: int | None
    nonce: str


def verify(account: Account, query: Mapping[str, list[str]], moment: datetime) -> str:
    """Give the echostr of the console's check (服务器配置). Raises BadMessage."""
    _signed(account, query, moment)
    return _one(query, "echostr")


def enter(account: Account, query: Mapping[str, list[str]], body: bytes, moment: datetime) -> Visit:
    """Let a callback in. Raises BadMessage."""
    nonce = _one(query, "nonce")
    if account.plain and "encrypt_type" not in query:
        _signed(account, query, moment)
        message, key = incoming(read_xml(body)), None
    else:
        timestamp = _in_time(query, moment)
        given = _one(query, "msg_signature")
        outer = read_xml(body)
        if not outer.get("Encrypt"):  # its URL is signed, its body is not: anybody could have written it
            raise BadMessage("not encrypted")
        plain, key = account.envelope.open(outer["Encrypt"], given, timestamp, nonce)
        message = incoming(
            read_xml(plain)
        )  # in compatible mode a copy in the clear stands beside it: it proves nothing
    if message.account != account.original_id:
        raise BadMessage("for another account")
    return Visit(message, key, nonce)


def seal(account: Account, visit: Visit, reply: str, moment: datetime) -> str:
    """Give a reply as it has to leave: encrypted when the message came encrypted, under the same key."""
    if visit.key is None:
        return reply
    timestamp = str(int(moment.timestamp()))
    encrypted, signed = account.envelope.seal(reply.encode("utf-8", "replace"), timestamp, visit.nonce, visit.key)
    return sealed_reply(encrypted, signed, timestamp, visit.nonce)


def networks(setting: str) -> tuple:
    """Read DAOYI_WECHAT_IPS. Raises SettingsError naming what is no address."""
    found = []
    for one in filter(None, (part.strip() for part in setting.split(","))):
        try:
            found.append(ipaddress.ip_network(one, strict=False))
        except ValueError as error:
            raise SettingsError(f"DAOYI_WECHAT_IPS: {one!r} is no address or network") from error
    return tuple(found)


def admitted(caller: str | None, allowed: tuple) -> bool:
    """Tell whether an address may call; a program on this machine (None) may, and everybody where no list is set."""
    if caller is None or not allowed:
        return True
    try:
        return any(ipaddress.ip_address(caller) in network for network in allowed)
    except ValueError:
        return False


def _signed(account: Account, query: Mapping[str, list[str]], moment: datetime) -> None:
    timestamp = _in_time(query, moment)
    require_signature(_one(query, "signature"), account.token, timestamp, _one(query, "nonce"))


def _in_time(query: Mapping[str, list[str]], moment: datetime) -> str:
    timestamp = _one(query, "timestamp")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(moment.timestamp() - int(timestamp[:12])) > WINDOW:
        raise BadMessage("not in time")
    return timestamp


def _one(query: Mapping[str, list[str]], name: str) -> str:
    """Give a parameter that must stand there once."""
    values = query.get(name) or []
    if len(values) != 1 or not 1 <= len(values[0]) <= 512:
        raise BadMessage(f"{name} is needed once")
    return values[0]
