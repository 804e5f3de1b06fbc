"""Makes the sample hospital ready to be tried: schedule for the coming days, accounts of the desk and the workbench."""

from sqlalchemy import select

from bot.appointments import schedule
from bot.clock import now
from bot.hospital.load import load_hospital
from bot.settings import settings
from bot.staff import service as staff
from bot.staff.tables import staff as accounts
from bot.storage import due
from bot.storage.engine import writing

DEMO_ACCOUNTS = (
    ("1001", "王客服", "agent", "demo-agent-1001"),
    ("9001", "李主管", "supervisor", "demo-lead-9001"),
    ("5001", "周训练", "trainer", "demo-train-5001"),
)


def prepare_demo() -> list[str]:
    """Fill the schedule and, with the setting `demo`, make the accounts; give lines that say what was done."""
    moment = now()
    said = []
    with writing() as conn:
        made = schedule.top_up(conn, moment)
        due.schedule(conn, "top_up", "daily", schedule.top_up_daily(conn, {}, moment))
        due.schedule(conn, "retention", "daily", moment)
        said.append(f"{load_hospital().info.name}: {made} clinic sessions added")
        if settings().demo:
            for number, name, role, password in DEMO_ACCOUNTS:
                if conn.execute(select(accounts.c.id).where(accounts.c.number == number)).first() is None:
                    staff.add(conn, number, name, role, password)
                    said.append(f"desk account {number} ({role}), password {password}")
    return said
