"""Staff sign in with 工号 and password; five failures lock, an idle hour signs out (R9, R10)."""

import io
import subprocess
import sys
from datetime import timedelta

import pytest
from argon2 import Type, extract_parameters
from sqlalchemy import select, text, update

from bot import cli
from bot.errors import DaoyiError
from bot.patients.tables import audit
from bot.settings import ROOT
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


def test_a_stored_password_costs_a_thief_at_least_what_owasp_asks_for():
    # The tests' own hashes are cheap (tests/conftest.py): ask a process of the house.
    made = "from bot.staff import service; print(service._hasher.hash('long-enough-1001'))"
    stored = subprocess.run([sys.executable, "-c", made], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    costs = extract_parameters(stored.strip())
    assert costs.type is Type.ID
    assert (costs.time_cost, costs.memory_cost, costs.parallelism) >= (2, 19 * 1024, 1)


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


def test_a_closed_account_is_out_at_once_and_its_row_stays(wang):
    token = sign_in()
    with writing() as conn:
        service.close(conn, wang)
        assert [(row.number, row.active) for row in service.everybody(conn)] == [("1001", False)]
    assert who(token) is None
    assert sign_in() is None


def test_a_new_password_ends_every_sign_in_and_lifts_the_lock(wang):
    token = sign_in()
    for _ in range(5):
        sign_in("wrong")
    with writing() as conn:
        service.set_password(conn, wang, "another-long-one")
    assert who(token) is None
    assert sign_in() is None
    assert who(sign_in("another-long-one"))


@pytest.mark.parametrize(
    ("deed", "match"),
    [
        (lambda conn, account: service.add(conn, "1001", "另一人", "agent", PASSWORD), "exists"),
        (lambda conn, account: service.add(conn, "1009", "新人", "agent", "short"), "10 characters"),
        (lambda conn, account: service.set_password(conn, account, "short"), "10 characters"),
        (lambda conn, account: service.set_role(conn, account, "king"), "role"),
        (lambda conn, account: service.set_duty(conn, account, "asleep"), "duty"),
        (lambda conn, account: service.set_work(conn, account, 0, [], None), "capacity"),
        (lambda conn, account: service.set_work(conn, account, 3, ["magic"], None), "skills"),
        (lambda conn, account: service.id_of(conn, "4711"), "staff list"),
    ],
)
def test_an_account_is_not_made_or_changed_wrongly(wang, deed, match):
    with writing() as conn, pytest.raises(DaoyiError, match=match):
        deed(conn, wang)


def test_a_break_is_no_duty_and_a_trainer_serves_nobody(wang):
    with writing() as conn:
        service.add(conn, "7001", "训练师", "trainer", PASSWORD)
    sign_in()
    sign_in(number="7001")
    with writing() as conn:
        assert [row.number for row in service.here(conn, MONDAY)] == ["1001"]
        assert service.on_duty(conn, MONDAY) == 1
        service.set_duty(conn, wang, "break")
        assert service.on_duty(conn, MONDAY) == 0


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("agent", "serve", "see_all"),
        ("supervisor", "reports", "accounts"),
        ("quality", "answer_tasks", "serve"),
        ("liaison", "answer_tasks", "unmask"),
        ("director", "audit", "serve"),
        ("trainer", "sign_in", "tickets"),
        ("admin", "accounts", "read_chats"),
    ],
)
def test_a_role_has_its_rights_and_no_others(role, may, may_not):
    someone = service.Staff(1, "1", "某", role)
    assert someone.may(may)
    assert not someone.may(may_not)


def test_the_command_makes_changes_and_closes_accounts(database, monkeypatch, capsys):
    def run(*given, typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return cli.main(["staff", *given])

    assert run("add", "3001", "钱联络", "liaison", typed=f"{PASSWORD}\n") == 0
    assert run("role", "3001", "quality") == 0
    assert run("password", "3001", typed="short\n") == 1
    assert run("password", "3001", typed="another-long-one\n") == 0
    assert isinstance(sign_in("another-long-one", "3001"), str)
    assert run("close", "3001") == 0
    assert run("close", "4711") == 1
    capsys.readouterr()
    assert run("list") == 0
    assert capsys.readouterr().out == "3001\t钱联络\tquality\tclosed\n"
    with reading() as conn:
        found = conn.execute(select(audit.c.action).where(audit.c.actor == "staff:console")).scalars().all()
    assert found == ["account_add", "account_role", "account_password", "account_close"]
