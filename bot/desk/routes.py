"""The desk's addresses, as docs/guides/desk-api.md tells them: who works here, and the page itself.

Talks, tickets and reports have files of their own. Each handler reads its input, calls one deed in the thread pool,
answers; none goes without `guard`, which a test walks.
"""

from pathlib import Path

from sanic import Blueprint, Request
from sanic.response import HTTPResponse

from bot.clock import local, now
from bot.desk import clinics, people, report_routes, service, shifts, talk_routes, ticket_routes, wire
from bot.desk.door import guard, hand_cookie, token_of
from bot.desk.reading import answer, body_of, count_of, day_of, number_of, text_of, words_of
from bot.safety import table as signs
from bot.staff.service import Staff
from bot.web.files import STAFF_STYLES, PageFile, add_file
from bot.web.headers import security_headers
from bot.web.limits import Limit, address
from bot.web.threads import in_thread

PAGE = Path(__file__).parent / "page"
PLACES = "tickets tasks stops live reports shift replies people audit".split()  # as places.js names them
SIGN_INS_PER_ADDRESS = 60  # a minute; a whole shift may share one address


def blueprint() -> Blueprint:
    """Give the agents' desk: the page at /desk and its API below /desk/api."""
    desk = Blueprint("desk")
    signs.load()  # takes seconds: not while the first alarm waits to be shown
    page = PageFile(PAGE / "index.html")
    add_file(desk, "/desk/staff.css", PageFile(STAFF_STYLES))
    for path in sorted(PAGE.iterdir()):
        if path.suffix in (".js", ".css", ".svg"):
            add_file(desk, f"/desk/{path.name}", PageFile(path))

    @desk.get("/desk")
    @desk.get(f"/desk/<place:({'|'.join(PLACES)})>", name="place")
    async def show(request: Request, place: str = "") -> HTTPResponse:
        response = page.respond(request)
        # Nobody may frame the desk, not even a page that may embed the chat.
        policy = security_headers(request)["content-security-policy"].partition("frame-ancestors")[0]
        response.headers["content-security-policy"] = policy + "frame-ancestors 'none'"
        return response

    _add_sign_in(desk)
    _add_work(desk)
    _add_accounts(desk)
    wire.add(desk)
    talk_routes.add(desk)
    ticket_routes.add(desk)
    report_routes.add(desk)
    return desk


def _add_sign_in(desk: Blueprint) -> None:
    sign_ins = Limit(SIGN_INS_PER_ADDRESS, 60)

    @desk.post("/desk/api/sign-in")
    async def sign_in(request: Request) -> HTTPResponse:
        if caller := address(request):
            sign_ins.require(caller)
        body = body_of(request)
        number, password = text_of(body, "number", 20).strip(), text_of(body, "password", 200)
        token = await in_thread(service.sign_in, number, password)
        return hand_cookie(answer({"signed_in": True}), token)

    @desk.post("/desk/api/sign-out")
    @guard("sign_in")
    async def sign_out(request: Request, who: Staff) -> HTTPResponse:
        await in_thread(service.sign_out, who, token_of(request))
        request.app.ctx.live.hint()  # his other pages close at once
        return hand_cookie(answer({"signed_in": False}), "")

    @desk.get("/desk/api/me")
    @guard("sign_in")
    async def me(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(service.me, who))

    @desk.post("/desk/api/heartbeat")
    @guard("sign_in")
    async def heartbeat(request: Request, who: Staff) -> HTTPResponse:
        await in_thread(service.beat, who, token_of(request), body_of(request).get("active") is True)
        return answer({"open": True})


def _add_work(desk: Blueprint) -> None:
    @desk.post("/desk/api/duty")
    @guard("serve")
    async def duty(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(people.set_duty, who, text_of(body_of(request), "duty", 10)))

    @desk.get("/desk/api/colleagues")
    @guard("colleagues")
    async def colleagues(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(people.colleagues, who))

    @desk.get("/desk/api/clinics")
    @guard("clinics")
    async def of_day(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(clinics.of_day, who, day_of(request, "day", local(now()).date())))

    @desk.get("/desk/api/clinics/stopped")
    @guard("clinics")
    async def stopped(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(clinics.stopped, who))

    @desk.post("/desk/api/clinics/stop")
    @guard("clinics")
    async def stop(request: Request, who: Staff) -> HTTPResponse:
        body = body_of(request)
        given = (*_half_day(body), text_of(body, "reason", 60).strip(), body.get("despite") is True)
        return answer(await in_thread(clinics.stop, who, *given))

    @desk.post("/desk/api/clinics/resume")
    @guard("clinics")
    async def resume(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(clinics.resume, who, *_half_day(body_of(request))))

    @desk.get("/desk/api/shift")
    @guard("serve")
    async def shift(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(shifts.draft, who))

    @desk.post("/desk/api/shift")
    @guard("serve")
    async def hand_over(request: Request, who: Staff) -> HTTPResponse:
        body = body_of(request)
        return answer(await in_thread(shifts.hand_over, who, text_of(body, "note", 2000, ""), number_of(body, "to")))

    @desk.get("/desk/api/shifts")
    @guard("serve")
    async def past_shifts(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(shifts.past, who))


def _half_day(body: dict) -> tuple[str, str, str]:
    return text_of(body, "doctor", 20), text_of(body, "day", 10), text_of(body, "period", 8)


def _add_accounts(desk: Blueprint) -> None:
    @desk.get("/desk/api/staff")
    @guard("people")
    async def accounts(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(people.accounts, who))

    @desk.post("/desk/api/staff")
    @guard("accounts")
    async def add_account(request: Request, who: Staff) -> HTTPResponse:
        body = body_of(request)
        given = [text_of(body, name, longest).strip() for name, longest in (("number", 20), ("name", 40), ("role", 20))]
        return answer(await in_thread(people.add, who, *given, text_of(body, "password", 200)))

    @desk.post("/desk/api/staff/<account:int>/work")
    @guard("people")
    async def work(request: Request, who: Staff, account: int) -> HTTPResponse:
        body = body_of(request)
        given = (
            number_of(body, "capacity") or 0,
            words_of(body, "skills", 10, 16),
            text_of(body, "department", 40, ""),
        )
        return answer(await in_thread(people.set_work, who, account, *given))

    @desk.post("/desk/api/staff/<account:int>/role")
    @guard("accounts")
    async def role(request: Request, who: Staff, account: int) -> HTTPResponse:
        return answer(await in_thread(people.set_role, who, account, text_of(body_of(request), "role", 20)))

    @desk.post("/desk/api/staff/<account:int>/password")
    @guard("accounts")
    async def password(request: Request, who: Staff, account: int) -> HTTPResponse:
        return answer(await in_thread(people.set_password, who, account, text_of(body_of(request), "password", 200)))

    @desk.post("/desk/api/staff/<account:int>/close")
    @guard("accounts")
    async def close(request: Request, who: Staff, account: int) -> HTTPResponse:
        return answer(await in_thread(people.close, who, account))

    @desk.get("/desk/api/audit")
    @guard("audit")
    async def audit(request: Request, who: Staff) -> HTTPResponse:
        asked = [(request.args.get(name) or "")[:60] for name in ("actor", "action", "day")]
        return answer(await in_thread(people.audit_entries, who, *asked, count_of(request, "before")))
