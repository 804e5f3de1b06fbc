"""Chat sessions: a signed token names the visitor, so nobody reads another's talk. No cookie is set."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from bot.settings import settings
from bot.storage.types import signing_key
from bot.web.errors import Refused

CHANNEL = "web"
AUDIENCE = "daoyi-chat"
LONGEST_TOKEN = 1024


@dataclass(frozen=True)
class Session:
    """A token and the moment (aware) after which it is void."""

    token: str
    visitor: str
    expires_at: datetime


def new_visitor() -> str:
    """Give a name that nobody can guess."""
    return secrets.token_hex(16)


def issue(visitor: str, now: datetime) -> Session:
    """Sign a token for `visitor`, good for the setting `session_days`."""
    expires = (now + timedelta(days=settings().session_days)).replace(microsecond=0)
    claims = {"sub": visitor, "aud": AUDIENCE, "iat": int(now.timestamp()), "exp": int(expires.timestamp())}
    return Session(jwt.encode(claims, signing_key(), algorithm="HS256"), visitor, expires)


def visitor_of(token: str | None, now: datetime) -> str:
    """Give the visitor that a token names. Raises Refused (401) when it is missing, forged or out of date."""
    if not token or len(token) > LONGEST_TOKEN:
        raise Refused(401)
    try:
        # The moment is ours (bot/clock.py), so the expiry is checked here and not against the machine's clock.
        claims = jwt.decode(
            token,
            signing_key(),
            algorithms=["HS256"],
            audience=AUDIENCE,
            options={"require": ["sub", "exp", "aud"], "verify_exp": False, "verify_iat": False},
        )
    except (jwt.InvalidTokenError, UnicodeError) as error:
        raise Refused(401) from error
    visitor, expires = claims["sub"], claims["exp"]
    if not isinstance(visitor, str) or not isinstance(expires, int) or expires <= now.timestamp():
        raise Refused(401)
    return visitor


def bearer(header: str | None) -> str | None:
    """Give the token of an Authorization header, None when there is none."""
    kind, _, token = (header or "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None
