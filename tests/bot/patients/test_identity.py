"""Who is asking: consent, pieces, code, lock (R7, R78, R79; PIPL art. 29)."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from bot.patients import access, identity
from bot.patients.access import NotVerified
from bot.patients.identity import Conflict, Locked, NoConsent, Rules, TooManyCodes, WrongCode
from bot.patients.tables import audit, checks, patients
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, conversation, together

RULES = Rules()
MINUTE = timedelta(minutes=1)
KNOWN = ("李秀英", "110101198507200022", "13800000002")  # P002 of the sample hospital


def stranger_number() -> str:
    """Give a valid ID number that the sample hospital does not have."""
    from bot.patients.masking import valid_id_number

    digits = "11010119900307002"
    return next(number for check in "0123456789X" if valid_id_number(number := digits + check))


STRANGER = ("欧阳明", stranger_number(), "13900000099")


def give(chat: str, person=KNOWN, consent: bool = True) -> None:
    """Consent and tell name, ID number and phone."""
    with writing() as conn:
        if consent:
            identity.give_consent(conn, chat, "预约挂号", MONDAY)
        for kind, value in zip(("person_name", "id_number", "phone"), person, strict=True):
            assert identity.note(conn, chat, kind, value)


def send(chat: str, turn: str = "send", now=MONDAY) -> str | None:
    with writing() as conn:
        return identity.new_code(conn, chat, turn, now, RULES)


def verify(chat: str, code: str, turn: str = "turn", now=MONDAY, relation: str = ""):
    """Give the code and check it as the action does: what it raises is caught inside the transaction."""
    with writing() as conn:
        identity.note(conn, chat, "code", code)
        try:
            return identity.verify(conn, chat, relation, turn, now, RULES)
        except (WrongCode, Locked, Conflict, NoConsent) as error:
            return error


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def verified(person=KNOWN, chat: str = "", now=MONDAY, relation: str = "") -> tuple[str, int]:
    chat = chat or conversation()
    give(chat, person)
    return chat, verify(chat, send(chat, f"send-{relation}", now), f"turn-{relation}", now, relation)


def row(chat: str):
    with reading() as conn:
        return conn.execute(select(checks).where(checks.c.conversation_id == chat)).one()


def linked(chat: str, now=MONDAY) -> dict:
    with reading() as conn:
        return access.linked(conn, chat, now)


# ---- pieces


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        ("id_number", "110101198507200022", True),
        ("id_number", "11010119850720002", False),  # a digit is missing
        ("id_number", "110101198507200023", False),  # the last place does not fit
        ("id_number", "１１０１０１１９８５０７２０００２２", True),  # full-width
        ("phone", "13800000002", True),
        ("phone", "1380000000", False),
        ("person_name", "李秀英", True),
    ],
)
def test_a_piece_that_cannot_be_right_is_not_kept(database, kind, value, good):
    chat = conversation()
    with writing() as conn:
        assert identity.note(conn, chat, kind, value) is good
        kept = conn.execute(select(checks.c.pieces)).scalar()
    assert (kind in json.loads(kept or "{}")) is good


def test_pieces_are_encrypted_in_the_database_and_gone_after_the_check(database):
    chat = conversation()
    give(chat)
    with reading() as conn:
        raw = str([bytes(each) for each in conn.execute(text("SELECT pieces FROM identity_checks")).scalars()])
    assert "13800000002" not in raw
    verify(chat, send(chat))
    assert (row(chat).pieces, row(chat).code_hash, row(chat).given_code) == (None, None, None)


def test_without_consent_nobody_is_verified(database):
    chat = conversation()
    give(chat, consent=False)
    assert isinstance(verify(chat, send(chat)), NoConsent)
    assert linked(chat) == {}


def test_consent_is_asked_once_and_ends_when_it_is_withdrawn(database):
    from bot.patients.erasure import withdraw_consent

    chat = conversation()
    with writing() as conn:
        assert not identity.has_consent(conn, chat)
        identity.give_consent(conn, chat, "预约挂号", MONDAY)
        identity.give_consent(conn, chat, "账单查询", MONDAY)
        assert identity.has_consent(conn, chat)
        withdraw_consent(conn, chat, MONDAY)
        assert not identity.has_consent(conn, chat)


# ---- the code


def test_a_turn_sends_one_code_however_often_it_is_replayed(database):
    chat = conversation()
    give(chat)
    code = send(chat, "turn-1")
    assert send(chat, "turn-1") is None
    assert isinstance(verify(chat, code), int)


def test_a_phone_is_sent_five_codes_an_hour_whatever_the_conversation(database):
    chats = [conversation() for _ in range(12)]
    for chat in chats:
        give(chat)
    results = together([lambda chat=chat: send(chat) for chat in chats])
    assert sum(isinstance(result, str) for result in results) == RULES.codes_per_hour == 5
    refused = [result for result in results if not isinstance(result, str)]
    assert {type(result) for result in refused} == {TooManyCodes}
    assert {result.until for result in refused} == {MONDAY + 60 * MINUTE}
    other = conversation()
    give(other, STRANGER)
    assert send(other)
    assert send(chats[0], "later", MONDAY + 60 * MINUTE)


def test_a_new_code_ends_the_old_one(database):
    chat = conversation()
    give(chat)
    old = send(chat, "turn-1")
    new = send(chat, "turn-2")
    if old != new:
        assert isinstance(verify(chat, old, "turn-3"), WrongCode)
    assert isinstance(verify(chat, new, "turn-4"), int)


def test_a_code_is_good_for_five_minutes(database):
    chat = conversation()
    give(chat)
    code = send(chat)
    assert isinstance(verify(chat, code, "late", MONDAY + 5 * MINUTE), WrongCode)
    assert isinstance(verify(chat, code, "in time", MONDAY + 5 * MINUTE - timedelta(seconds=1)), int)


def test_a_code_is_good_for_the_phone_it_was_sent_to(database):
    chat = conversation()
    give(chat, STRANGER)
    code = send(chat)
    with writing() as conn:
        identity.note(conn, chat, "phone", KNOWN[2])
    assert isinstance(verify(chat, code), WrongCode)


def test_a_code_of_another_conversation_is_wrong(database):
    mine, other = conversation(), conversation()
    give(mine)
    give(other)
    code = send(mine)
    send(other)
    with reading() as conn:
        assert conn.execute(select(checks.c.code_hash)).scalars().all() != [None, None]
    assert row(mine).code_hash != row(other).code_hash
    if isinstance(verify(other, code), int):
        assert send(other, "again") == code  # one in a million: the same digits


def test_a_wrong_code_is_counted_although_it_raised(database):
    chat = conversation()
    give(chat)
    code = send(chat)
    error = verify(chat, wrong(code), "turn-1")
    assert (type(error), error.left) == (WrongCode, 4)
    assert row(chat).failures == 1


def test_a_replayed_turn_counts_once(database):
    chat = conversation()
    give(chat)
    code = send(chat)
    assert [verify(chat, wrong(code), "turn-1").left for _ in range(3)] == [4, 4, 4]
    assert row(chat).failures == 1


def test_five_failures_lock_for_half_an_hour_and_the_right_code_does_not_help(database):
    chat = conversation()
    give(chat)
    code = send(chat)
    assert [verify(chat, wrong(code), f"turn-{n}").left for n in range(5)] == [4, 3, 2, 1, 0]
    locked = verify(chat, code, "turn-5")
    assert isinstance(locked, Locked)
    assert locked.until == MONDAY + 30 * MINUTE
    assert row(chat).pieces is None
    with reading() as conn:
        assert "identity_locked" in conn.execute(select(audit.c.action)).scalars().all()


def test_after_the_lock_the_check_starts_again_with_five_tries(database):
    chat = conversation()
    give(chat)
    code = send(chat)
    for n in range(5):
        verify(chat, wrong(code), f"turn-{n}")
    later = MONDAY + 31 * MINUTE
    give(chat)
    code = send(chat, "send-2", later)
    assert verify(chat, wrong(code), "turn-6", later).left == 4
    assert isinstance(verify(chat, code, "turn-7", later), int)


def test_success_forgets_the_failures_before_it(database):
    chat = conversation()
    give(chat)
    code = send(chat)
    verify(chat, wrong(code), "turn-1")
    verify(chat, code, "turn-2")
    assert row(chat).failures == 0


# ---- who it is


def test_a_patient_of_the_hospitals_records_is_recognised(database):
    chat, patient_id = verified()
    with reading() as conn:
        patient = access.load(conn, patient_id)
    assert (patient.code, patient.name, patient.insurance_type) == ("P002", "李秀英", "resident")
    assert patient.birth == date(1985, 7, 20)
    assert linked(chat) == {"": patient_id}


def test_an_unknown_id_number_is_a_new_patient_with_what_the_number_says(database):
    _, patient_id = verified(STRANGER)
    with reading() as conn:
        patient = access.load(conn, patient_id)
    assert (patient.code, patient.name, patient.sex, patient.birth) == (None, "欧阳明", "female", date(1990, 3, 7))


def test_the_same_person_is_one_patient_in_every_conversation(database):
    assert verified(STRANGER)[1] == verified(STRANGER)[1]


def test_the_same_new_person_verified_from_five_conversations_at_once_is_one_patient(database):
    chats = [conversation() for _ in range(RULES.codes_per_hour)]
    codes = {}
    for chat in chats:
        give(chat, STRANGER)
        codes[chat] = send(chat)
    found = together([lambda chat=chat: verify(chat, codes[chat]) for chat in chats])
    assert len(set(found)) == 1
    with reading() as conn:
        assert conn.execute(select(patients.c.id)).scalars().all() == [found[0]]


@pytest.mark.parametrize("first_known", [True, False])
@pytest.mark.parametrize("changed", [("李秀", *KNOWN[1:]), (*KNOWN[:2], "13900000077")])
def test_name_number_and_phone_that_do_not_belong_together_are_a_conflict_and_change_nothing(
    database, first_known, changed
):
    if first_known:
        verified()
    with reading() as conn:
        before = conn.execute(select(patients.c.name, patients.c.phone)).all()
    chat = conversation()
    give(chat, changed)
    assert isinstance(verify(chat, send(chat)), Conflict)
    assert linked(chat) == {}
    with reading() as conn:
        assert conn.execute(select(patients.c.name, patients.c.phone)).all() == before


def test_a_check_ends_after_a_day(database):
    chat, patient_id = verified()
    day = timedelta(hours=24)
    assert linked(chat, MONDAY + day - MINUTE) == {"": patient_id}
    assert linked(chat, MONDAY + day) == {}


def test_one_conversation_may_speak_for_himself_and_for_his_mother(database):
    chat, own = verified()
    _, mother = verified(STRANGER, chat, relation="我妈")
    assert linked(chat) == {"": own, "我妈": mother}


def test_a_relation_in_many_words_is_kept(database):
    relation = "我妈妈的表姐家里最小的那个今年刚上小学的女儿"
    chat, patient_id = verified(relation=relation)
    assert linked(chat) == {relation: patient_id}


# ---- the door


def test_who_has_not_verified_a_patient_is_refused_and_nothing_is_read(database):
    _, patient_id = verified()
    stranger = conversation()
    with writing() as conn, pytest.raises(NotVerified):
        access.access_patient(conn, stranger, patient_id, "费用查询", MONDAY)


def test_every_reading_leaves_a_line_in_the_audit(database):
    chat, patient_id = verified()
    with writing() as conn:
        access.access_patient(conn, chat, patient_id, "费用查询", MONDAY)
    with reading() as conn:
        line = conn.execute(select(audit).where(audit.c.action == "read")).one()
    assert (line.actor, line.patient_id, line.detail) == (f"conversation:{chat}", patient_id, {"purpose": "费用查询"})


@pytest.mark.parametrize(("name", "shown"), [("王建国", "王*国"), ("李英", "李*"), ("欧阳建国", "欧*国"), ("王", "王")])
def test_a_name_is_shown_with_its_middle_hidden(name, shown):
    assert access.Patient(1, None, name, None, None, None, False).shown_name == shown


@pytest.mark.parametrize(("today", "age"), [("2026-07-19", 40), ("2026-07-20", 41)])
def test_age_is_in_full_years(today, age):
    patient = access.Patient(1, None, "李秀英", None, date(1985, 7, 20), None, False)
    assert patient.age(date.fromisoformat(today)) == age
