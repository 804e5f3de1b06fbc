"""Column types: aware UTC times, JSON with Chinese kept readable, encrypted text."""

import hashlib
import hmac
import json
import os
from datetime import datetime, timezone

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import DateTime, LargeBinary, Text
from sqlalchemy.types import TypeDecorator

from bot.settings import secret_key, settings


class UtcDateTime(TypeDecorator):
    """An aware moment; naive values are refused."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment in the database must be aware")
        return value.astimezone(timezone.utc).replace(tzinfo=None)

    def process_result_value(self, value, dialect):
        return None if value is None else value.replace(tzinfo=timezone.utc)


class Json(TypeDecorator):
    """Plain data as compact JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value, dialect):
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def process_result_value(self, value, dialect):
        return None if value is None else json.loads(value)


def _key(purpose: bytes) -> bytes:
    return hmac.new(secret_key(settings().secret_file), purpose, hashlib.sha256).digest()


class Encrypted(TypeDecorator):
    """Text encrypted with AES-256-GCM under the installation's key (PIPL art. 51)."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect):
        if value is None:
            return None
        nonce = os.urandom(12)
        return nonce + AESGCM(_key(b"field")).encrypt(nonce, value.encode("utf-8", "surrogatepass"), None)

    def process_result_value(self, value, dialect):
        if value is None:
            return None
        value = bytes(value)
        return AESGCM(_key(b"field")).decrypt(value[:12], value[12:], None).decode("utf-8", "surrogatepass")


def fingerprint(value: str) -> str:
    """Give a keyed hash by which an encrypted value can be looked up."""
    return hmac.new(_key(b"lookup"), value.encode(), hashlib.sha256).hexdigest()


def signing_key() -> bytes:
    """Give the key that signs chat sessions."""
    return _key(b"session")
