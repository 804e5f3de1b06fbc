"""Staff sign in with 工号 and password; five failures lock, an idle hour signs out (R9, R10)."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from bot.errors import DaoyiError
from bot.patients.tables import audit
from bot.staff import service
from bot.staff.service import SignInRefused
from bot.staff.tables import staff
from bot.storage.engine import reading, writing
from tests.builders import MONDAY, together

MINUTE = timedelta(minutes=1)
PASSWORD = "long-enough-1001"


@pytest.fixture
def wang(database) -> int:
    with writing() as conn:
        return service.add(conn, "1001", "王客服", "agent", PASSWORD)


def sign_in(password: str = PASSWORD, number: str = "1001", now=MONDAY):
    with writing() as conn:
        try:
            return service.sign_in(conn, number, password, now)
        except SignInRefused as error:
            return error


def who(token, now=MONDAY):
    with reading() as conn:
        return service.signed_in(conn, token, now)


def test_the_right_password_signs_in(wang):
    signed = who(sign_in())
    assert (signed.id, signed.number, signed.name, signed.role_name) == (wang, "1001", "王客服", "客服")
    assert signed.csrf


def test_neither_password_nor_token_stands_in_the_database(wang):
    token = sign_in()
    with reading() as conn:
        stored = str(
            conn.execute(text("SELECT * FROM staff")).all() + conn.execute(text("SELECT * FROM staff_signins")).all()
        )
    assert PASSWORD not in stored
    assert token not in stored


@pytest.mark.parametrize(("number", "password"), [("1001", "wrong"), ("1001", ""), ("4711", PASSWORD)])
def test_a_wrong_password_or_number_is_refused_and_noted(wang, number, password):
    assert sign_in(password, number) is None
    with reading() as conn:
        assert conn.execute(select(audit.c.action)).scalars().all() == ["sign_in_refused"]


def test_five_failures_lock_for_a_quarter_of_an_hour_even_for_the_right_password(wang):
    assert [sign_in("wrong") for _ in range(5)] == [None] * 5
    assert sign_in().locked
    assert sign_in(now=MONDAY + 14 * MINUTE).locked
    assert isinstance(sign_in(now=MONDAY + 15 * MINUTE), str)


def test_a_success_forgets_the_failures_before_it(wang):
    for _ in range(2):
        for _ in range(4):
            assert sign_in("wrong") is None
        assert isinstance(sign_in(), str)


def test_twenty_guesses_at_once_count_as_twenty(wang):
    results = together([lambda: sign_in("wrong")] * 20)
    assert results.count(None) == 5
    assert sum(isinstance(result, SignInRefused) for result in results) == 15


def test_an_idle_hour_signs_out_and_use_keeps_signed_in(wang):
    token = sign_in()
    hour = timedelta(hours=1)
    assert who(token, MONDAY + hour)
    assert who(token, MONDAY + hour + MINUTE) is None
    with writing() as conn:
        service.touch(conn, token, wang, MONDAY + 50 * MINUTE)
    assert who(token, MONDAY + hour + MINUTE)


def test_signing_out_ends_this_sign_in_and_no_other(wang):
    here, there = sign_in(), sign_in()
    with writing() as conn:
        service.sign_out(conn, here, MONDAY)
    assert who(here) is None
    assert who(there)


@pytest.mark.parametrize("token", [None, "", "invented"])
def test_without_a_good_token_nobody_is_signed_in(wang, token):
    assert who(token) is None


def test_an_account_that_was_closed_is_out_at_once_and_cannot_come_back(wang):
    token = sign_in()
    with writing() as conn:
        conn.execute(update(staff).values(active=False))
    assert who(token) is None
    assert sign_in() is None


def test_an_account_needs_a_role_that_exists(database):
    with writing() as conn, pytest.raises(DaoyiError, match="role"):
        service.add(conn, "1002", "赵客服", "doctor", PASSWORD)


def test_on_duty_is_whose_desk_was_open_in_the_last_two_minutes(wang):
    token = sign_in()
    with writing() as conn:
        service.touch(conn, token, wang, MONDAY)
        assert service.on_duty(conn, MONDAY + 2 * MINUTE) == 1
        assert service.on_duty(conn, MONDAY + 3 * MINUTE) == 0


def test_a_colleague_is_named_with_his_number(wang):
    with reading() as conn:
        assert service.name_of(conn, wang) == "王客服（工号1001）"
        assert service.name_of(conn, None) == "同事"
