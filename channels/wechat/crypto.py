"""WeChat's signatures and message encryption (消息加解密), as developers.weixin.qq.com …/push/encryption.html has them.

AES-256-CBC under EncodingAESKey, IV = its first 16 bytes; inside: 16 random bytes, length, message, AppID; PKCS#7 to 32.
There is no MAC besides `msg_signature`: nothing is decrypted before that has been checked.
"""

import base64
import binascii
import hashlib
import hmac
import os
import struct
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.errors import DaoyiError

BLOCK = 32


class BadMessage(DaoyiError):
    """A callback that is not WeChat's, or not for us. One error for every cause: it tells an attacker nothing."""


def signature(*parts: str) -> str:
    """Give sha1 over the sorted parts, as WeChat signs."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def require_signature(given: str, *parts: str) -> None:
    """Raise BadMessage unless `given` signs the parts; the comparison takes the same time for each."""
    if not hmac.compare_digest(signature(*parts).encode(), given.encode("utf-8", "replace")):
        raise BadMessage("bad signature")


class Envelope:
    """Encrypts and decrypts for one account. `keys`: the present EncodingAESKey, then the one before it, if any."""

    def __init__(self, app_id: str, token: str, keys: Iterable[str]) -> None:
        self._app_id = app_id.encode()
        self._token = token
        self._keys = [base64.b64decode(key + "=") for key in keys if key]

    def open(self, encrypted: str, given: str, timestamp: str, nonce: str) -> tuple[bytes, int]:
        """Give the message and the number of the key that opened it. Raises BadMessage."""
        require_signature(given, self._token, timestamp, nonce, encrypted)
        try:
            sealed = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise BadMessage("unreadable") from None
        for number, key in enumerate(self._keys):
            message = self._opened(sealed, key)
            if message is not None:
                return message, number
        raise BadMessage("unreadable")

    def _opened(self, sealed: bytes, key: bytes) -> bytes | None:
        if not sealed or len(sealed) % 16:
            return None
        decryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = decryptor.update(sealed) + decryptor.finalize()
        pad = plain[-1]
        if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
            return None
        plain = plain[:-pad]
        if len(plain) < 20:
            return None
        (length,) = struct.unpack(">I", plain[16:20])
        if 20 + length > len(plain) or not hmac.compare_digest(plain[20 + length :], self._app_id):
            return None
        return plain[20 : 20 + length]

    def seal(self, message: bytes, timestamp: str, nonce: str, key: int = 0, random: bytes = b"") -> tuple[str, str]:
        """Give (Encrypt, MsgSignature). `key` is the number that `open` gave: an old key is answered with the old key."""
        plain = (random or os.urandom(16)) + struct.pack(">I", len(message)) + message + self._app_id
        pad = BLOCK - len(plain) % BLOCK
        secret = self._keys[key]
        encryptor = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
        encrypted = base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()
        return encrypted, signature(self._token, timestamp, nonce, encrypted)
