"""The people who work on tickets."""

from dataclasses import dataclass

import pytest
from sqlalchemy import update

from bot.staff import service as staff
from bot.staff.service import Staff
from bot.staff.tables import staff as accounts
from bot.storage.engine import writing

PEOPLE = (
    ("1001", "王客服", "agent"),
    ("1002", "赵客服", "agent"),
    ("9001", "李主管", "supervisor"),
    ("8001", "孙质控", "quality"),
    ("5001", "周院办", "director"),
    ("3001", "钱联络", "liaison"),
)


@dataclass
class House:
    """Everybody by role; `second` is the other agent."""

    agent: Staff
    second: Staff
    supervisor: Staff
    quality: Staff
    director: Staff
    liaison: Staff


@pytest.fixture
def house(database) -> House:
    with writing() as conn:
        ids = [staff.add(conn, number, name, role, "long-enough-1") for number, name, role in PEOPLE]
        conn.execute(update(accounts).where(accounts.c.id == ids[-1]).values(department="cardiology"))
    made = [Staff(key, *person) for key, person in zip(ids, PEOPLE)]
    made[-1] = Staff(ids[-1], *PEOPLE[-1], department="cardiology")
    return House(*made)
