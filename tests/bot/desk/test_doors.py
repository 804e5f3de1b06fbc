"""Every address of the desk with and without each role: a new one without a rule fails here (R8, R9, R10)."""

import re
import secrets

import pytest
from sqlalchemy import select

from bot.desk.routes import blueprint
from bot.patients.tables import audit
from bot.settings import ROOT
from bot.staff.roles import RIGHTS, ROLES
from bot.storage.engine import reading
from bot.web.app import create_app
from tests.bot.desk.house import ACCOUNTS

OPEN = {("POST", "sign-in")}
PLACES = {"<chat:str>": "0" * 32, "<token:str>": "none", "<step:str>": "assign"}
NUMBER_OF = {role: number for number, _, role, _ in reversed(ACCOUNTS)}


def addresses() -> list[tuple[str, str, str, str | None]]:
    """Give (method, address as documented, address to call, right) of everything below /desk/api."""
    app = create_app(blueprint(), name=f"walk-{secrets.token_hex(4)}")
    found = []
    for route in app.router.routes:
        if not route.path.startswith("desk/api/"):
            continue
        path = route.path.removeprefix("desk/api/")
        called = path
        for place, value in PLACES.items():
            called = called.replace(place, value)
        called = re.sub(r"<\w+:int>", "999999", called)
        written = re.sub(r"<account:int>", "<staff>", path)
        written = re.sub(r"<(\w+):\w+>", r"<\1>", written)
        if route.ctx.websocket:
            found.append(("WS", written, called, route.handler.args[0].right))
            continue
        found += [(method, written, called, getattr(route.handler, "right", None)) for method in route.methods]
    return sorted(found)


ADDRESSES = addresses()
OVER_HTTP = [each for each in ADDRESSES if each[0] != "WS"]  # for the wire: test_wire.py


def ask(client, method: str, path: str):
    return client.get(path) if method == "GET" else client.post(path)


def test_every_address_but_the_sign_in_has_a_right_of_the_table():
    assert {(method, path) for method, path, _, right in ADDRESSES if right not in RIGHTS} == OPEN
    assert {right for *_, right in ADDRESSES if right} == set(RIGHTS) - {"train"}  # the workbench has its own walk


def test_the_guide_tells_every_address_with_its_right_and_no_other():
    guide = (ROOT / "docs/guides/desk-api.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (GET|POST|WS) \| `([^`]+)` \| (?:`(\w+)`)? ?\|", guide, re.MULTILINE)
    assert sorted(told) == [(method, path, right or "") for method, path, _, right in ADDRESSES]


def test_the_guide_shows_the_table_of_rights():
    guide = (ROOT / "docs/guides/desk-api.md").read_text(encoding="utf-8")
    for right, roles in RIGHTS.items():
        row = next(line for line in guide.splitlines() if line.startswith(f"| `{right}` |"))
        cells = [cell.strip() == "yes" for cell in row.split("|")[2:-1]]
        assert dict(zip(ROLES, cells)) == {role: role in roles for role in ROLES}, right


@pytest.mark.parametrize(("method", "path"), [(method, called) for method, _, called, right in OVER_HTTP if right])
def test_a_stranger_is_refused_everywhere(house, method, path):
    answer = ask(house.visitor(), method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signed_out")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_what_its_rights_open_and_nothing_else(house, role):
    client = house.staff(NUMBER_OF[role])
    for method, written, called, right in OVER_HTTP:
        if not right or written == "sign-out":
            continue
        answer = ask(client, method, called)
        body = answer.json() if "json" in answer.headers["content-type"] else {}
        refused = answer.status_code == 403 and body["error"]["code"] == "needs_right"
        assert refused == (role not in RIGHTS[right]), (method, written)
        assert answer.status_code != 401 and answer.status_code < 500, (method, written, answer.text)
        if refused:
            with reading() as conn:
                noted = conn.execute(select(audit).order_by(audit.c.id.desc()).limit(1)).one()
            assert (noted.action, noted.actor) == ("desk_refused", f"staff:{NUMBER_OF[role]}")
