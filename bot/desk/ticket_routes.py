"""The addresses of tickets and of the departments' tasks."""

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from bot.desk import cases
from bot.desk.door import guard
from bot.desk.reading import answer, body_of, count_of, file_of, text_of, word_of
from bot.staff.service import Staff
from bot.web.threads import in_thread


def add(desk: Blueprint) -> None:
    """Mount the addresses."""
    _add_tickets(desk)
    _add_papers(desk)
    _add_tasks(desk)


def _add_tickets(desk: Blueprint) -> None:
    @desk.get("/desk/api/ticket-words")
    @guard("tickets")
    async def words(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(cases.vocabulary, who))

    @desk.get("/desk/api/tickets")
    @guard("tickets")
    async def tickets(request: Request, who: Staff) -> HTTPResponse:
        asked = [word_of(request, name) for name in ("view", "kind", "type", "q")]
        return answer(await in_thread(cases.listed, who, *asked, count_of(request, "page")))

    @desk.post("/desk/api/tickets")
    @guard("enter_tickets")
    async def enter(request: Request, who: Staff) -> HTTPResponse:
        made = await in_thread(cases.enter, who, body_of(request))
        return answer(made)

    @desk.get("/desk/api/tickets/<ticket:int>")
    @guard("tickets")
    async def show(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        return answer(await in_thread(cases.show, who, ticket))

    @desk.post("/desk/api/tickets/<ticket:int>/steps/<step:str>")
    @guard("tickets")
    async def take_step(request: Request, who: Staff, ticket: int, step: str) -> HTTPResponse:
        return answer(await in_thread(cases.take_step, who, ticket, step, body_of(request)))

    @desk.post("/desk/api/tickets/<ticket:int>/facts")
    @guard("enter_tickets")
    async def set_facts(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        return answer(await in_thread(cases.set_facts, who, ticket, body_of(request)))

    @desk.post("/desk/api/tickets/<ticket:int>/tell")
    @guard("enter_tickets")
    async def tell(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        body = body_of(request)
        given = (text_of(body, "text", 2000), body.get("despite") is True)
        return answer(await in_thread(cases.tell, who, ticket, *given))

    @desk.post("/desk/api/tickets/<ticket:int>/unmask")
    @guard("unmask")
    async def unmask(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        return answer(await in_thread(cases.unmask, who, ticket, text_of(body_of(request), "reason", 200)))


def _add_papers(desk: Blueprint) -> None:
    @desk.post("/desk/api/tickets/<ticket:int>/notes")
    @guard("tickets")
    async def add_note(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        return answer(await in_thread(cases.add_note, who, ticket, text_of(body_of(request), "text", 2000)))

    @desk.post("/desk/api/tickets/<ticket:int>/links")
    @guard("enter_tickets")
    async def link(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        body = body_of(request)
        return answer(await in_thread(cases.link, who, ticket, text_of(body, "number", 20), text_of(body, "kind", 12)))

    @desk.post("/desk/api/tickets/<ticket:int>/files")
    @guard("enter_tickets")
    async def attach(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        kind, content = file_of(request, "image/png", "image/jpeg", "application/pdf")
        return answer(await in_thread(cases.attach, who, ticket, word_of(request, "name", 80), kind, content))

    @desk.get("/desk/api/tickets/<ticket:int>/files/<file:int>")
    @guard("tickets")
    async def file(request: Request, who: Staff, ticket: int, file: int) -> HTTPResponse:
        kind, content = await in_thread(cases.file_of, who, ticket, file)
        return raw(content, content_type=kind, headers={"content-disposition": "inline"})


def _add_tasks(desk: Blueprint) -> None:
    @desk.post("/desk/api/tickets/<ticket:int>/tasks")
    @guard("enter_tickets")
    async def ask(request: Request, who: Staff, ticket: int) -> HTTPResponse:
        body = body_of(request)
        given = (text_of(body, "department", 40), text_of(body, "kind", 12), text_of(body, "text", 2000))
        return answer(await in_thread(cases.ask, who, ticket, *given))

    @desk.get("/desk/api/tasks")
    @guard("answer_tasks")
    async def tasks(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(cases.tasks, who))

    @desk.post("/desk/api/tasks/<task:int>/acknowledge")
    @guard("answer_tasks")
    async def acknowledge(request: Request, who: Staff, task: int) -> HTTPResponse:
        return answer(await in_thread(cases.acknowledge, who, task))

    @desk.post("/desk/api/tasks/<task:int>/answer")
    @guard("answer_tasks")
    async def answer_task(request: Request, who: Staff, task: int) -> HTTPResponse:
        return answer(await in_thread(cases.answer_task, who, task, text_of(body_of(request), "text", 2000)))
