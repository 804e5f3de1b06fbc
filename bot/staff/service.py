"""Staff sign in with 工号 and password; five failures lock for a quarter of an hour, an idle hour signs out (R9, R10)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.engine import Connection

from bot.errors import DaoyiError
from bot.patients.access import record
from bot.staff.roles import DUTIES, RIGHTS, ROLES, SKILLS
from bot.staff.tables import signins, staff
from bot.storage.types import UtcDateTime

FAILURES = 5
LOCK = timedelta(minutes=15)
IDLE = timedelta(minutes=60)
HERE = timedelta(minutes=2)  # a desk that has not been heard of for longer is closed
SHORTEST_PASSWORD = 10
MOST_TALKS = 20
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_nobody = _hasher.hash(secrets.token_hex(8))

# Statements are built once: building one costs more than running it.
_SIGNED_IN = (
    select(signins.c.token, signins.c.csrf, staff.c.id, staff.c.number, staff.c.name, staff.c.role, staff.c.department)
    .select_from(signins.join(staff, signins.c.staff_id == staff.c.id))
    .where(staff.c.active.is_(True), signins.c.used_at >= bindparam("since", type_=UtcDateTime))
)
_THIS_SIGN_IN = _SIGNED_IN.where(signins.c.token == bindparam("key"))
_ON_DUTY = select(func.count()).where(
    staff.c.active.is_(True),
    staff.c.seen_at >= bindparam("since", type_=UtcDateTime),
    staff.c.role.in_(RIGHTS["serve"]),
    staff.c.duty != "break",
)


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
    department: str | None = None

    def may(self, right: str) -> bool:
        """Tell whether his role has a right of bot/staff/roles.py."""
        return self.role in RIGHTS[right]

    @property
    def role_name(self) -> str:
        """Give the role in Chinese."""
        return ROLES[self.role]


def add(conn: Connection, number: str, name: str, role: str, password: str) -> int:
    """Create an account and give its id. Raises DaoyiError: unknown role, 工号 that exists, password too short."""
    _require_role(role)
    _require_password(password)
    if conn.execute(select(staff.c.id).where(staff.c.number == number)).first():
        raise DaoyiError(f"工号 {number} exists already; choose another or change its password")
    return conn.execute(
        insert(staff).values(number=number, name=name, role=role, password=_hasher.hash(password))
    ).inserted_primary_key[0]


def everybody(conn: Connection) -> list:
    """Give every account, open ones first, by 工号."""
    return conn.execute(select(staff).order_by(staff.c.active.desc(), staff.c.number)).all()


def id_of(conn: Connection, number: str) -> int:
    """Give an account's id. Raises DaoyiError for an unknown 工号."""
    found = conn.execute(select(staff.c.id).where(staff.c.number == number)).scalar()
    if found is None:
        raise DaoyiError(f"there is no account {number}; `daoyi staff list` shows all")
    return found


def close(conn: Connection, staff_id: int) -> None:
    """Close an account at once: nobody can sign in with it and who is signed in is out. The row stays for the history."""
    conn.execute(update(staff).where(staff.c.id == staff_id).values(active=False, seen_at=None))
    conn.execute(delete(signins).where(signins.c.staff_id == staff_id))


def set_password(conn: Connection, staff_id: int, password: str) -> None:
    """Change a password, lift a lock and end every sign-in. Raises DaoyiError when it is too short."""
    _require_password(password)
    values = dict(password=_hasher.hash(password), failures=0, locked_until=None)
    conn.execute(update(staff).where(staff.c.id == staff_id).values(**values))
    conn.execute(delete(signins).where(signins.c.staff_id == staff_id))


def set_role(conn: Connection, staff_id: int, role: str) -> None:
    """Change a role; it holds from the next request. Raises DaoyiError for an unknown one."""
    _require_role(role)
    conn.execute(update(staff).where(staff.c.id == staff_id).values(role=role))


def set_duty(conn: Connection, staff_id: int, duty: str) -> None:
    """Say whether he takes talks himself, is given them, or has a break. Raises DaoyiError for another word."""
    if duty not in DUTIES:
        raise DaoyiError(f"duty must be one of {', '.join(DUTIES)}, not {duty!r}")
    conn.execute(update(staff).where(staff.c.id == staff_id).values(duty=duty))


def set_work(conn: Connection, staff_id: int, capacity: int, skills: list[str], department: str | None) -> None:
    """Set how many talks he serves at once (1 to 20), his skill groups, a liaison's department. Raises DaoyiError."""
    if not 1 <= capacity <= MOST_TALKS:
        raise DaoyiError(f"capacity must be 1 to {MOST_TALKS}")
    if unknown := [skill for skill in skills if skill not in SKILLS]:
        raise DaoyiError(f"skills must be of {', '.join(SKILLS)}, not {unknown[0]!r}")
    values = dict(capacity=capacity, skills=skills, department=department)
    conn.execute(update(staff).where(staff.c.id == staff_id).values(**values))


def _require_role(role: str) -> None:
    if role not in ROLES:
        raise DaoyiError(f"role must be one of {', '.join(ROLES)}, not {role!r}")


def _require_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise DaoyiError(f"the password needs at least {SHORTEST_PASSWORD} characters")


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
            token=key_of(token), staff_id=row.id, started_at=now, used_at=now, csrf=secrets.token_urlsafe(24)
        )
    )
    record(conn, f"staff:{row.number}", "sign_in", now)
    return token


def signed_in(conn: Connection, token: str | None, now: datetime) -> Staff | None:
    """Give who holds the token, None when it is unknown or has been idle for an hour."""
    if not token:
        return None
    row = conn.execute(_THIS_SIGN_IN, {"key": key_of(token), "since": now - IDLE}).first()
    return _staff(row) if row else None


def all_signed_in(conn: Connection, now: datetime) -> dict[str, Staff]:
    """Give everybody who is signed in by the key of his token."""
    return {row.token: _staff(row) for row in conn.execute(_SIGNED_IN, {"since": now - IDLE})}


def _staff(row) -> Staff:
    return Staff(row.id, row.number, row.name, row.role, row.csrf, row.department)


def touch(conn: Connection, token: str, staff_id: int, now: datetime) -> None:
    """Note that the sign-in is in use."""
    conn.execute(update(signins).where(signins.c.token == key_of(token)).values(used_at=now))
    conn.execute(update(staff).where(staff.c.id == staff_id).values(seen_at=now))


def sign_out(conn: Connection, token: str, now: datetime) -> None:
    """End a sign-in."""
    conn.execute(delete(signins).where(signins.c.token == key_of(token)))


def here(conn: Connection, now: datetime, right: str = "serve") -> list:
    """Give the accounts with a right whose desk is open now, breaks included, by 工号."""
    return conn.execute(
        select(staff)
        .where(staff.c.active.is_(True), staff.c.seen_at >= now - HERE, staff.c.role.in_(RIGHTS[right]))
        .order_by(staff.c.number)
    ).all()


def is_here(conn: Connection, staff_id: int, now: datetime) -> bool:
    """Tell whether somebody's desk is open now."""
    row = conn.execute(select(staff.c.active, staff.c.seen_at).where(staff.c.id == staff_id)).first()
    return row is not None and row.active and row.seen_at is not None and row.seen_at >= now - HERE


def on_duty(conn: Connection, now: datetime) -> int:
    """Give how many people have their desk open now and serve patients."""
    return conn.execute(_ON_DUTY, {"since": now - HERE}).scalar_one()


def name_of(conn: Connection, staff_id: int | None) -> str:
    """Give a colleague's name and 工号 for a notice."""
    row = conn.execute(select(staff.c.name, staff.c.number).where(staff.c.id == staff_id)).first()
    return f"{row.name}（工号{row.number}）" if row else "同事"


def key_of(token: str) -> str:
    """Give what stands for a token where it is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
