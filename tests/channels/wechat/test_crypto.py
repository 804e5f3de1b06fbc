"""Signatures and encryption: WeChat's own examples, two other implementations in both directions, damaged input."""

import base64
import os
import struct
import xml.etree.ElementTree as ET

import pytest
from Crypto.Cipher import AES
from wechatpy.crypto import WeChatCrypto

from channels.wechat.crypto import BadMessage, Envelope, require_signature, signature
from tests.channels.wechat import vectors
from tests.channels.wechat.simulator import OLD_KEY

STAMP, NONCE = "1714112445", "415670741"
PAYLOADS = (
    "<xml><Content>您好，我想挂号😀</Content></xml>",
    "<xml></xml>",
    "<xml>" + "啊" * 5000 + "</xml>",
    *(f"<xml>{'x' * length}</xml>" for length in range(30)),  # every padding
)


def envelope(*keys: str) -> Envelope:
    return Envelope(vectors.APP_ID, vectors.TOKEN, keys or (vectors.KEY,))


def by_hand(message: bytes, app_id: str = vectors.APP_ID, key: str = vectors.KEY, pad: int | None = None) -> str:
    """Encrypt with pycryptodome, by the letter of the page; `pad` plants a wrong padding."""
    secret = base64.b64decode(key + "=")
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + app_id.encode()
    fill = 32 - len(plain) % 32
    plain += bytes([fill if pad is None else pad]) * fill
    return base64.b64encode(AES.new(secret, AES.MODE_CBC, secret[:16]).encrypt(plain)).decode()


def opened(encrypted: str, *keys: str) -> tuple[bytes, int]:
    return envelope(*keys).open(encrypted, signature(vectors.TOKEN, STAMP, NONCE, encrypted), STAMP, NONCE)


@pytest.mark.parametrize("vector", [vectors.GET, vectors.PLAIN_POST], ids=["get", "post"])
def test_the_published_signatures_hold(vector):
    stamp, nonce, signed = vector
    assert signature(vectors.TOKEN, stamp, nonce) == signed
    with pytest.raises(BadMessage):
        require_signature(signed[:-1] + "0", vectors.TOKEN, stamp, nonce)


def test_the_published_message_opens():
    stamp, nonce, signed, encrypted = vectors.IN
    message, key = envelope().open(encrypted, signed, stamp, nonce)
    assert b'"Event":"debug_demo"' in message
    assert key == 0


def test_the_published_reply_is_sealed_to_the_letter():
    stamp, nonce, encrypted, signed = vectors.OUT
    assert envelope().seal(vectors.OUT_MESSAGE, stamp, nonce, 0, vectors.OUT_RANDOM) == (encrypted, signed)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_what_we_seal_others_open_and_the_other_way_round(payload):
    encrypted, signed = envelope().seal(payload.encode(), STAMP, NONCE)
    outer = f"<xml><ToUserName>a</ToUserName><Encrypt>{encrypted}</Encrypt></xml>"
    wechatpy = WeChatCrypto(vectors.TOKEN, vectors.KEY, vectors.APP_ID)
    assert wechatpy.decrypt_message(outer, signed, STAMP, NONCE) == payload
    secret = base64.b64decode(vectors.KEY + "=")
    plain = AES.new(secret, AES.MODE_CBC, secret[:16]).decrypt(base64.b64decode(encrypted))
    assert len(plain) % 32 == 0
    assert plain[20 : 20 + len(payload.encode())] == payload.encode()
    theirs = ET.fromstring(wechatpy.encrypt_message(payload, NONCE, STAMP)).find("Encrypt").text
    assert opened(theirs)[0] == payload.encode()
    assert opened(by_hand(payload.encode()))[0] == payload.encode()


def test_case_08_damaged_input_is_one_and_the_same_error():
    cut = base64.b64encode(os.urandom(40)).decode()[:-3]
    long = os.urandom(16) + struct.pack(">I", 10**6) + b"x" * 12
    secret = base64.b64decode(vectors.KEY + "=")
    too_long = base64.b64encode(AES.new(secret, AES.MODE_CBC, secret[:16]).encrypt(long)).decode()
    damaged = [
        cut,
        "中文",
        "=",
        *(base64.b64encode(os.urandom(length)).decode() for length in (15, 16, 32, 64)),
        by_hand(b"<xml/>", pad=0),
        by_hand(b"<xml/>", pad=33),
        too_long,
        by_hand(b"<xml/>", app_id="wxforeign000000000"),
    ]
    said = set()
    for one in damaged:
        with pytest.raises(BadMessage) as error:
            opened(one)
        said.add(str(error.value))
    assert said == {"unreadable"}


def test_case_09_the_old_key_still_opens_and_its_reply_is_sealed_with_it():
    encrypted = by_hand(b"<xml>old</xml>", key=OLD_KEY)
    message, key = opened(encrypted, vectors.KEY, OLD_KEY)
    assert (message, key) == (b"<xml>old</xml>", 1)
    sealed, signed = envelope(vectors.KEY, OLD_KEY).seal(b"<xml>reply</xml>", STAMP, NONCE, key)
    outer = f"<xml><Encrypt>{sealed}</Encrypt></xml>"
    old = WeChatCrypto(vectors.TOKEN, OLD_KEY, vectors.APP_ID)
    assert old.decrypt_message(outer, signed, STAMP, NONCE) == "<xml>reply</xml>"
    with pytest.raises(BadMessage):
        opened(encrypted, vectors.KEY)
