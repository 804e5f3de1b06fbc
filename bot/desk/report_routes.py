"""The addresses of reports."""

from datetime import timedelta

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from bot.clock import local, now
from bot.desk import reports, workbook
from bot.desk.door import guard
from bot.desk.reading import answer, day_of, month_of
from bot.staff.service import Staff
from bot.web.threads import in_thread

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add(desk: Blueprint) -> None:
    """Mount the addresses."""

    @desk.get("/desk/api/reports/live")
    @guard("reports")
    async def live(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(reports.live, now()))

    @desk.get("/desk/api/reports/service")
    @guard("reports")
    async def service(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(reports.service, *_span(request)))

    @desk.get("/desk/api/reports/complaints")
    @guard("reports")
    async def complaints(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(reports.complaints, *_span(request)))

    @desk.get("/desk/api/reports/month")
    @guard("reports")
    async def month(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(reports.month, month_of(request, local(now()).date())))

    @desk.get("/desk/api/reports/month.xlsx")
    @guard("reports")
    async def month_as_workbook(request: Request, who: Staff) -> HTTPResponse:
        first = month_of(request, local(now()).date())
        content = await in_thread(workbook.month, first)
        headers = {"content-disposition": f'attachment; filename="daoyi-{first:%Y-%m}.xlsx"'}
        return raw(content, content_type=XLSX, headers=headers)

    @desk.get("/desk/api/reports/rectification")
    @guard("reports")
    async def rectification(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(reports.rectification, month_of(request, local(now()).date())))


def _span(request: Request) -> tuple:
    """Give the days asked for, both included; the last thirty otherwise."""
    today = local(now()).date()
    return day_of(request, "from", today - timedelta(days=29)), day_of(request, "to", today)
