"""Export and erasure (PIPL art. 45, 47): what may be forgotten is forgotten, what the law keeps has no person any more."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from bot.conversations import erasure as words
from bot.conversations import inbound, turns
from bot.conversations.tables import buttons, conversations, images
from bot.conversations.transcript import Line
from bot.conversations.turns import Outcome
from bot.patients import access, erasure, identity
from bot.patients.access import NotVerified
from bot.patients.tables import audit, links, patients
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, at, conversation, lines_of, row_of, says

RULES = identity.Rules()
PEOPLE = {
    "": ("李秀英", "110101198507200022", "13800000002"),
    "我爸": ("王建国", "110101195803120015", "13800000001"),
}


def verified(chat: str, relation: str = "") -> int:
    with writing() as conn:
        identity.give_consent(conn, chat, "预约挂号", MONDAY)
        for kind, value in zip(("person_name", "id_number", "phone"), PEOPLE[relation], strict=True):
            identity.note(conn, chat, kind, value)
        code = identity.new_code(conn, chat, f"send{relation}", MONDAY, RULES)
        identity.note(conn, chat, "code", code)
        return identity.verify(conn, chat, relation, f"turn{relation}", MONDAY, RULES)


def dump() -> str:
    """Give everything that stands in the tables of talks and patients, as an intruder would read it after decryption."""
    with reading() as conn:
        from bot.storage.tables import metadata

        names = (
            "lines",
            "inbox",
            "buttons",
            "images",
            "conversations",
            "patients",
            "identity_checks",
            "identity_links",
        )
        return "".join(str(conn.execute(select(metadata.tables[name])).all()) for name in names)


def test_an_export_shows_what_is_kept_with_masked_numbers(database):
    chat = conversation()
    who = verified(chat)
    with writing() as conn:
        conn.execute(update(patients).values(created_at=at("2026-11-24 07:00")))  # the 23rd in UTC
        shown = dict(erasure.export(conn, chat, who, MONDAY))
    assert shown == {
        "姓名": "李秀英",
        "证件号码": "110***********0022",
        "手机号": "138****0002",
        "出生日期": "1985-07-20",
        "建立时间": "2026-11-24",
    }


@pytest.mark.parametrize("deed", [erasure.export, erasure.erase])
def test_only_who_has_verified_the_patient_exports_and_erases(database, deed):
    who, stranger = verified(conversation()), conversation()
    with writing() as conn, pytest.raises(NotVerified):
        deed(conn, stranger, who, MONDAY)


def test_after_erasure_no_name_no_number_and_no_word_is_left(database):
    chat, other = conversation(), conversation()
    for each in (chat, other):
        who = verified(each)
        says(each, "我叫李秀英，身份证110101198507200022，我想投诉骨科的赵医生")
        kept = [{"token": f"t{each[:8]}", "title": "给李秀英挂号", "payload": {"payload": '/x{"name": "李秀英"}'}}]
        picture = [{"token": f"p{each[:8]}", "content": "cGljdHVyZQ=="}]
        turn = turns.claim("worker", MONDAY, timedelta(0))
        tracker = {"slots": {"task": {"facts": {"event": "骨科的赵医生"}}}}
        turns.commit(turn, Outcome(tracker, [Line("bot", "李秀英您好")], buttons=kept, images=picture), MONDAY)
        inbound.accept_button(each, "tap", f"t{each[:8]}", MONDAY)
        turns.commit(turns.claim("worker", MONDAY, timedelta(0)), Outcome(tracker, [Line("bot", "好")]), MONDAY)
    with writing() as conn:
        words.erase(conn, sorted({chat, *erasure.conversations_of(conn, who)}), MONDAY)
        erasure.erase(conn, chat, who, MONDAY)
    left = dump()
    for word in ("李秀英", "110101198507200022", "13800000002", "赵医生", "cGljdHVyZQ", "1985"):
        assert word not in left
    with reading() as conn:
        assert conn.execute(select(buttons)).all() == conn.execute(select(images)).all() == []
        assert {line.text for line in conn.execute(text("SELECT text FROM lines"))} == {words.GONE}


def test_lines_keep_their_places(database):
    chat = conversation()
    for n in range(3):
        says(chat, f"第{n}条")
    with writing() as conn:
        assert words.erase(conn, [chat], MONDAY) == 3
    assert [line.seq for line in lines_of(chat)] == [1, 2, 3]
    assert says(chat, "新的一条").seq == 4


def test_other_talks_are_not_touched(database):
    chat, other = conversation(), conversation()
    says(chat, "我的话")
    says(other, "别人的话")
    with writing() as conn:
        conn.execute(update(conversations).values(tracker={"slots": {}}))
        words.erase(conn, [chat], MONDAY)
    assert lines_of(other)[0].text == "别人的话"
    assert (row_of(chat).tracker, row_of(other).tracker) == (None, {"slots": {}})


def test_erasure_ends_every_link_and_the_consent_and_is_in_the_audit(database):
    chat, other = conversation(), conversation()
    who = verified(chat)
    verified(other)
    with writing() as conn:
        erasure.erase(conn, chat, who, MONDAY)
        assert access.linked(conn, chat, MONDAY) == access.linked(conn, other, MONDAY) == {}
        assert not identity.has_consent(conn, chat)
    with reading() as conn:
        assert conn.execute(select(audit.c.patient_id).where(audit.c.action == "erased")).scalars().all() == [who]


def test_an_erased_person_who_comes_back_is_a_new_patient(database):
    chat = conversation()
    who = verified(chat)
    with writing() as conn:
        erasure.erase(conn, chat, who, MONDAY)
    assert verified(conversation()) != who


def test_withdrawing_the_consent_ends_what_this_talk_may_see_and_keeps_the_patient(database):
    chat, other = conversation(), conversation()
    own = verified(chat)
    verified(chat, "我爸")
    verified(other)
    with writing() as conn:
        erasure.withdraw_consent(conn, chat, MONDAY)
        assert access.linked(conn, chat, MONDAY) == {}
        assert access.linked(conn, other, MONDAY) == {"": own}
        assert access.load(conn, own).name == "李秀英"
        assert len(conn.execute(select(links)).all()) == 1
