"""Proving who one is: consent, name, ID number, phone code (R7, R78; PIPL art. 29).

The pieces live here, encrypted, until the check has ended; they never enter a slot.
"""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from bot.errors import DaoyiError
from bot.hospital.load import load_hospital
from bot.patients import access
from bot.patients.masking import id_facts, valid_id_number, valid_phone
from bot.patients.tables import checks, consents, links, patients, phone_codes
from bot.storage.types import fingerprint


class Locked(DaoyiError):
    """Too many failures; `until` says when it may be tried again."""

    def __init__(self, until: datetime):
        super().__init__(f"identity check is locked until {until}")
        self.until = until


class WrongCode(DaoyiError):
    """The code is wrong or has expired; `left` tries remain."""

    def __init__(self, left: int):
        super().__init__(f"{left} tries left")
        self.left = left


class NoConsent(DaoyiError):
    """The conversation has not consented to the processing of health data (PIPL art. 29), or has withdrawn it."""


class TooManyCodes(DaoyiError):
    """This phone has been sent as many codes as an hour allows, whatever the conversation; `until` says when it may go on."""

    def __init__(self, until: datetime):
        super().__init__(f"no further code for this phone until {until}")
        self.until = until


class Conflict(DaoyiError):
    """Name, ID number and phone do not belong together (R79); a person must look at it."""


@dataclass(frozen=True)
class Rules:
    """The hospital's numbers (hospital.yml, identity)."""

    code_minutes: int = 5
    failures: int = 5
    lock_minutes: int = 30
    verified_hours: int = 24
    codes_per_hour: int = 5


def _row(conn: Connection, conversation_id: str):
    row = conn.execute(select(checks).where(checks.c.conversation_id == conversation_id)).first()
    if row is None:
        conn.execute(insert(checks).values(conversation_id=conversation_id))
        row = conn.execute(select(checks).where(checks.c.conversation_id == conversation_id)).one()
    return row


def _change(conn: Connection, conversation_id: str, **values) -> None:
    conn.execute(update(checks).where(checks.c.conversation_id == conversation_id).values(**values))


def give_consent(conn: Connection, conversation_id: str, purpose: str, now: datetime) -> None:
    """Record the separate consent to process health data (PIPL art. 29), once."""
    if not has_consent(conn, conversation_id):
        conn.execute(insert(consents).values(conversation_id=conversation_id, purpose=purpose, given_at=now))


def has_consent(conn: Connection, conversation_id: str) -> bool:
    """Tell whether the conversation has consented and not withdrawn."""
    return bool(
        conn.execute(
            select(consents.c.id).where(
                consents.c.conversation_id == conversation_id, consents.c.withdrawn_at.is_(None)
            )
        ).first()
    )


def note(conn: Connection, conversation_id: str, kind: str, value: str) -> bool:
    """Keep a piece of the check; False when it cannot be what it should be (a digit is missing)."""
    value = value.strip().translate(str.maketrans("０１２３４５６７８９ｘＸ", "0123456789XX")).upper()
    if kind == "id_number" and not valid_id_number(value):
        return False
    if kind == "phone" and not valid_phone(value):
        return False
    row = _row(conn, conversation_id)
    if kind == "code":
        _change(conn, conversation_id, given_code=value)
        return True
    pieces = json.loads(row.pieces or "{}")
    pieces[kind] = value
    _change(conn, conversation_id, pieces=json.dumps(pieces, ensure_ascii=False))
    return True


def check_not_locked(conn: Connection, conversation_id: str, now: datetime) -> None:
    """Raise Locked while the conversation has failed too often."""
    row = _row(conn, conversation_id)
    if row.locked_until and row.locked_until > now:
        raise Locked(row.locked_until)


def new_code(conn: Connection, conversation_id: str, turn: str, now: datetime, rules: Rules) -> str | None:
    """Make a code for the phone that was given; None when this turn has sent one already. Raises TooManyCodes."""
    row = _row(conn, conversation_id)
    if row.code_turn == turn:
        return None
    phone = json.loads(row.pieces)["phone"]
    _count_code(conn, fingerprint(phone), now, rules)
    code = f"{secrets.randbelow(10**6):06d}"
    _change(
        conn,
        conversation_id,
        code_hash=_code_hash(conversation_id, code),
        code_phone=fingerprint(phone),
        code_until=now + timedelta(minutes=rules.code_minutes),
        code_turn=turn,
        given_code=None,
    )
    return code


def _count_code(conn: Connection, phone_print: str, now: datetime, rules: Rules) -> None:
    """Count a code for a phone; its row is the one lock, so that many conversations together send no more than one may."""
    ended = now - timedelta(hours=1)
    conn.execute(delete(phone_codes).where(phone_codes.c.since <= ended))
    this = phone_codes.c.phone_print == phone_print
    try:
        with conn.begin_nested():
            conn.execute(insert(phone_codes).values(phone_print=phone_print, since=now, sent=0))
    except IntegrityError:
        pass
    counted = conn.execute(
        update(phone_codes).where(this, phone_codes.c.sent < rules.codes_per_hour).values(sent=phone_codes.c.sent + 1)
    )
    if counted.rowcount == 0:
        since = conn.execute(select(phone_codes.c.since).where(this)).scalar_one()
        raise TooManyCodes(since + timedelta(hours=1))


def phone_given(conn: Connection, conversation_id: str) -> str:
    """Give the phone number that the code goes to."""
    return json.loads(_row(conn, conversation_id).pieces)["phone"]


def _code_hash(conversation_id: str, code: str) -> str:
    return hashlib.sha256(fingerprint(f"{conversation_id}:{code}").encode()).hexdigest()


def fail(conn: Connection, conversation_id: str, turn: str, now: datetime, rules: Rules) -> int:
    """Count a failure once per turn and give the tries that are left; at none the check is locked."""
    row = _row(conn, conversation_id)
    if row.locked_until and row.locked_until > now:
        return 0
    if row.tried_turn == turn:
        return rules.failures - row.failures
    failures = row.failures + 1
    values: dict = {"failures": failures, "tried_turn": turn, "given_code": None}
    if failures >= rules.failures:
        values |= {
            "locked_until": now + timedelta(minutes=rules.lock_minutes),
            "failures": 0,
            "pieces": None,
            "code_hash": None,
        }
        access.record(conn, f"conversation:{conversation_id}", "identity_locked", now)
    _change(conn, conversation_id, **values)
    return max(0, rules.failures - failures)


def verify(conn: Connection, conversation_id: str, relation: str, turn: str, now: datetime, rules: Rules) -> int:
    """Check code and pieces and link the patient, whose id comes back; an unknown ID number opens a new record.

    Raises WrongCode (none left: it is locked from now on), Locked, Conflict or NoConsent. The failure is counted although
    it raises: catch it inside the transaction, so that the count is committed.
    """
    if not has_consent(conn, conversation_id):
        raise NoConsent(conversation_id)
    check_not_locked(conn, conversation_id, now)
    row = _row(conn, conversation_id)
    given = _code_hash(conversation_id, row.given_code or "")
    in_time = bool(row.code_hash and row.code_until and row.code_until > now)
    if not (in_time and hmac.compare_digest(given, row.code_hash)):
        left = fail(conn, conversation_id, turn, now, rules)
        raise WrongCode(left)
    pieces = json.loads(row.pieces)
    if fingerprint(pieces["phone"]) != row.code_phone:
        raise WrongCode(fail(conn, conversation_id, turn, now, rules))
    patient_id = _patient_for(conn, pieces, now)
    conn.execute(delete(links).where(links.c.conversation_id == conversation_id, links.c.patient_id == patient_id))
    conn.execute(delete(links).where(links.c.conversation_id == conversation_id, links.c.relation == relation))
    conn.execute(
        insert(links).values(
            conversation_id=conversation_id,
            patient_id=patient_id,
            relation=relation,
            verified_at=now,
            expires_at=now + timedelta(hours=rules.verified_hours),
        )
    )
    _change(conn, conversation_id, pieces=None, code_hash=None, given_code=None, failures=0)
    access.record(conn, f"conversation:{conversation_id}", "identity_verified", now, patient_id)
    return patient_id


def _patient_for(conn: Connection, pieces: dict, now: datetime) -> int:
    """Find the patient in our table, then in the hospital's records; an unknown ID number is a new patient."""
    given = (pieces["person_name"], pieces["phone"])
    known = _known(conn, pieces["id_number"])
    if known is None:
        record = next((p for p in load_hospital().patients.values() if p.id_number == pieces["id_number"]), None)
        if record and (record.name, record.phone) != given:
            raise Conflict("name, ID number and phone do not belong together")
        try:
            with conn.begin_nested():
                return _new_patient(conn, pieces, record, now)
        except IntegrityError:  # another conversation has just verified the same person
            known = _known(conn, pieces["id_number"])
    if (known.name, known.phone) != given:
        raise Conflict("name, ID number and phone do not belong together")
    return known.id


def _known(conn: Connection, id_number: str):
    return conn.execute(select(patients).where(patients.c.id_print == fingerprint(id_number))).first()


def _new_patient(conn: Connection, pieces: dict, record, now: datetime) -> int:
    facts = record or id_facts(pieces["id_number"])
    return conn.execute(
        insert(patients).values(
            code=record.code if record else None,
            name=pieces["person_name"],
            id_number=pieces["id_number"],
            id_print=fingerprint(pieces["id_number"]),
            phone=pieces["phone"],
            birth=facts.birth,
            sex=facts.sex,
            insurance_type=record.insurance_type if record else None,
            retired=record.retired if record else None,
            created_at=now,
        )
    ).inserted_primary_key[0]


def drop_pieces(conn: Connection, conversation_id: str) -> None:
    """Forget what was given when a check is broken off."""
    _change(conn, conversation_id, pieces=None, code_hash=None, given_code=None)
