"""The custom action of the stock bot: the same look-up in the same tables as Daoyi's 出诊查询, served by rasa_sdk."""

from rasa_sdk import Action

from actions.phrasing import clinic_title, span_of, span_text, week_ahead
from bot.appointments import service
from bot.clock import local, now
from bot.hospital.load import load_hospital
from bot.nlu.values import entity_value
from bot.storage.engine import reading

SHOWN = 12
ELSE_DEPARTMENT = "cardiology"  # where no department was understood, so that the database is asked all the same


class QuerySchedule(Action):
    """Who sits when, and what is free."""

    def name(self) -> str:
        return "action_query_schedule"

    async def run(self, dispatcher, tracker, domain):
        moment = now()
        today = local(moment).date()
        said = {
            e["entity"]: entity_value(e["entity"], str(e["value"]), moment) for e in tracker.latest_message["entities"]
        }
        hospital = load_hospital()
        department = said.get("department")
        if department not in hospital.departments:
            department = (
                ELSE_DEPARTMENT if ELSE_DEPARTMENT in hospital.departments else next(iter(hospital.departments))
            )
        day = said.get("date")
        span = span_of(day) if isinstance(day, str) else week_ahead(today, 7)
        with reading() as conn:
            found = service.clinics(conn, moment, department=department, first=span[0], last=span[1])
        if not found:
            wide = week_ahead(today, service.rules().window_days)
            with reading() as conn:
                found = service.clinics(conn, moment, department=department, first=wide[0], last=wide[1])
        rows = [f"{i}. {clinic_title(c, today, span[0] != span[1])}" for i, c in enumerate(found[:SHOWN], 1)]
        buttons = [{"title": "帮我挂号", "payload": "/book_appointment"}] if any(c.free for c in found) else []
        name, days = hospital.departments[department].name, span_text(*span, today)
        dispatcher.utter_message(text=f"{name}{days}的出诊情况：\n" + "\n".join(rows), buttons=buttons)
        return []
