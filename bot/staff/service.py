"""Staff sign in with 工号 and password; five failures lock for a quarter of an hour, an idle hour signs out (R9, R10)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from bot.errors import DaoyiError
from bot.patients.access import record
from bot.staff.tables import signins, staff

ROLES = {"agent": "客服", "supervisor": "主管"}
FAILURES = 5
LOCK = timedelta(minutes=15)
IDLE = timedelta(minutes=60)
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_nobody = _hasher.hash(secrets.token_hex(8))


class SignInRefused(DaoyiError):
    """工号 or password is wrong, or the account is locked; `locked` tells which may be told."""

    def __init__(self, locked: bool = False):
        super().__init__("sign-in refused")
        self.locked = locked


@dataclass(frozen=True)
class Staff:
    """Who is signed in."""

    id: int
    number: str
    name: str
    role: str
    csrf: str = ""

    @property
    def role_name(self) -> str:
        """Give the role in Chinese."""
        return ROLES[self.role]


def add(conn: Connection, number: str, name: str, role: str, password: str) -> int:
    """Create an account and give its id."""
    if role not in ROLES:
        raise DaoyiError(f"role must be one of {', '.join(ROLES)}, not {role!r}")
    return conn.execute(
        insert(staff).values(number=number, name=name, role=role, password=_hasher.hash(password))
    ).inserted_primary_key[0]


def sign_in(conn: Connection, number: str, password: str, now: datetime) -> str | None:
    """Give a new token, or None when it is refused; failures are counted, so the caller must commit either way.

    Raises SignInRefused while the account is locked.
    """
    # Guesses of one account wait for each other: twenty at once count as twenty.
    wanted = select(staff).where(staff.c.number == number, staff.c.active.is_(True)).with_for_update()
    row = conn.execute(wanted).first()
    if row is None:
        _matches(_nobody, password)  # the same time for unknown numbers
        record(conn, "staff:unknown", "sign_in_refused", now)
        return None
    if row.locked_until and row.locked_until > now:
        raise SignInRefused(locked=True)
    if not _matches(row.password, password):
        failures = row.failures + 1
        locked = failures >= FAILURES
        conn.execute(
            update(staff)
            .where(staff.c.id == row.id)
            .values(failures=0 if locked else failures, locked_until=now + LOCK if locked else None)
        )
        record(conn, f"staff:{row.number}", "sign_in_refused", now)
        return None
    token = secrets.token_urlsafe(32)
    conn.execute(update(staff).where(staff.c.id == row.id).values(failures=0, locked_until=None, seen_at=now))
    conn.execute(
        insert(signins).values(
            token=_hash(token), staff_id=row.id, started_at=now, used_at=now, csrf=secrets.token_urlsafe(24)
        )
    )
    record(conn, f"staff:{row.number}", "sign_in", now)
    return token


def signed_in(conn: Connection, token: str | None, now: datetime) -> Staff | None:
    """Give who holds the token, None when it is unknown or has been idle for an hour."""
    if not token:
        return None
    row = conn.execute(
        select(staff, signins.c.csrf, signins.c.used_at)
        .select_from(signins.join(staff, signins.c.staff_id == staff.c.id))
        .where(signins.c.token == _hash(token), staff.c.active.is_(True))
    ).first()
    if row is None or row.used_at < now - IDLE:
        return None
    return Staff(row.id, row.number, row.name, row.role, row.csrf)


def touch(conn: Connection, token: str, staff_id: int, now: datetime) -> None:
    """Note that the sign-in is in use."""
    conn.execute(update(signins).where(signins.c.token == _hash(token)).values(used_at=now))
    conn.execute(update(staff).where(staff.c.id == staff_id).values(seen_at=now))


def sign_out(conn: Connection, token: str, now: datetime) -> None:
    """End a sign-in."""
    conn.execute(delete(signins).where(signins.c.token == _hash(token)))


def on_duty(conn: Connection, now: datetime) -> int:
    """Give how many agents have their desk open now."""
    return conn.execute(
        select(func.count()).where(staff.c.active.is_(True), staff.c.seen_at >= now - timedelta(minutes=2))
    ).scalar_one()


def name_of(conn: Connection, staff_id: int | None) -> str:
    """Give a colleague's name and 工号 for a notice."""
    row = conn.execute(select(staff.c.name, staff.c.number).where(staff.c.id == staff_id)).first()
    return f"{row.name}（工号{row.number}）" if row else "同事"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
