"""The addresses of talks: look, take, say, hand on, give back, notes, search, canned replies."""

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

from bot.desk import aids, finding, pictures, service, serving
from bot.desk.door import guard
from bot.desk.reading import (
    answer,
    body_of,
    chat_id,
    client_id_of,
    count_of,
    file_of,
    number_of,
    text_of,
    word_of,
    words_of,
)
from bot.staff.service import Staff
from bot.web.threads import in_thread


def add(desk: Blueprint) -> None:
    """Mount the addresses."""
    _add_looking(desk)
    _add_serving(desk)
    _add_aids(desk)


def _add_looking(desk: Blueprint) -> None:
    @desk.get("/desk/api/chats")
    @guard("see_all")
    async def chats(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(service.all_chats, who))

    @desk.get("/desk/api/chats/<chat:str>")
    @guard("read_chats")
    async def open_chat(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(service.open_chat, who, chat_id(chat)))

    @desk.get("/desk/api/chats/<chat:str>/lines")
    @guard("read_chats")
    async def lines(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(service.earlier_lines, who, chat_id(chat), count_of(request, "before")))

    @desk.get("/desk/api/chats/<chat:str>/panel")
    @guard("read_chats")
    async def panel(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(service.panel, who, chat_id(chat)))

    @desk.get("/desk/api/chats/<chat:str>/pictures/<token:str>")
    @guard("read_chats")
    async def picture(request: Request, who: Staff, chat: str, token: str) -> HTTPResponse:
        kind, content = await in_thread(pictures.shown, who, chat_id(chat), token[:64])
        return raw(content, content_type=kind)

    @desk.get("/desk/api/search")
    @guard("read_chats")
    async def search(request: Request, who: Staff) -> HTTPResponse:
        return answer(await in_thread(finding.search, who, word_of(request, "q"), word_of(request, "tag", 20)))

    @desk.post("/desk/api/chats/<chat:str>/unmask")
    @guard("unmask")
    async def unmask(request: Request, who: Staff, chat: str) -> HTTPResponse:
        body = body_of(request)
        given = (number_of(body, "seq"), number_of(body, "patient"), text_of(body, "reason", 200))
        return answer(await in_thread(finding.unmask, who, chat_id(chat), *given))


def _add_serving(desk: Blueprint) -> None:
    @desk.post("/desk/api/chats/<chat:str>/take")
    @guard("serve")
    async def take(request: Request, who: Staff, chat: str) -> HTTPResponse:
        await in_thread(serving.take, who, chat_id(chat))
        request.app.ctx.live.hint(chat)
        return answer({"chat": chat})

    @desk.post("/desk/api/chats/<chat:str>/take-over")
    @guard("see_all")
    async def take_over(request: Request, who: Staff, chat: str) -> HTTPResponse:
        await in_thread(serving.take, who, chat_id(chat), over=True)
        request.app.ctx.live.hint(chat)
        return answer({"chat": chat})

    @desk.post("/desk/api/take-next")
    @guard("serve")
    async def take_next(request: Request, who: Staff) -> HTTPResponse:
        chat = await in_thread(serving.take_next, who)
        request.app.ctx.live.hint(chat)
        return answer({"chat": chat})

    @desk.post("/desk/api/chats/<chat:str>/say")
    @guard("serve")
    async def say(request: Request, who: Staff, chat: str) -> HTTPResponse:
        body = body_of(request)
        client_id, text = client_id_of(body.get("client_id")), text_of(body, "text", 64 * 1024)
        said = await in_thread(serving.say, who, chat_id(chat), text, client_id, body.get("despite") is True)
        request.app.ctx.live.hint(chat)
        return answer(said)

    @desk.post("/desk/api/chats/<chat:str>/check")
    @guard("serve")
    async def check(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(serving.check, who, chat_id(chat), text_of(body_of(request), "text", 64 * 1024)))

    @desk.post("/desk/api/chats/<chat:str>/picture")
    @guard("serve")
    async def show_picture(request: Request, who: Staff, chat: str) -> HTTPResponse:
        _kind, content = file_of(request, "image/png", "image/jpeg")
        client_id = client_id_of(request.args.get("client_id"))
        said = await in_thread(pictures.show, who, chat_id(chat), content, word_of(request, "alt", 80), client_id)
        request.app.ctx.live.hint(chat)
        return answer(said)

    @desk.post("/desk/api/chats/<chat:str>/typing")
    @guard("serve")
    async def typing(request: Request, who: Staff, chat: str) -> HTTPResponse:
        now_typing = body_of(request).get("typing") is True
        await in_thread(serving.set_typing, who, chat_id(chat), now_typing)
        request.app.ctx.live.hint(chat, lists=False)
        return answer({"typing": now_typing})

    @desk.post("/desk/api/chats/<chat:str>/read")
    @guard("serve")
    async def read(request: Request, who: Staff, chat: str) -> HTTPResponse:
        seq = number_of(body_of(request), "seq") or 0
        await in_thread(serving.set_read, who, chat_id(chat), seq)
        request.app.ctx.live.hint(chat, lists=False)
        return answer({"seq": seq})

    @desk.post("/desk/api/chats/<chat:str>/give-back")
    @guard("serve")
    async def give_back(request: Request, who: Staff, chat: str) -> HTTPResponse:
        body = body_of(request)
        given = (text_of(body, "outcome", 20), text_of(body, "summary", 500, ""), body.get("ask_rating") is True)
        await in_thread(serving.give_back, who, chat_id(chat), *given)
        request.app.ctx.live.hint(chat)
        return answer({"chat": chat})

    @desk.post("/desk/api/chats/<chat:str>/transfer")
    @guard("serve")
    async def transfer(request: Request, who: Staff, chat: str) -> HTTPResponse:
        body = body_of(request)
        given = (text_of(body, "note", 500, ""), number_of(body, "to"), text_of(body, "skill", 16, ""))
        await in_thread(serving.transfer, who, chat_id(chat), *given)
        request.app.ctx.live.hint(chat)
        return answer({"chat": chat})

    @desk.post("/desk/api/alerts/<alert:int>/seen")
    @guard("serve")
    async def seen(request: Request, who: Staff, alert: int) -> HTTPResponse:
        await in_thread(serving.see_alert, who, alert)
        request.app.ctx.live.hint()
        return answer({"alert": alert})


def _add_aids(desk: Blueprint) -> None:
    @desk.get("/desk/api/chats/<chat:str>/notes")
    @guard("read_chats")
    async def notes(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(aids.notes_of, who, chat_id(chat)))

    @desk.post("/desk/api/chats/<chat:str>/notes")
    @guard("serve")
    async def add_note(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(aids.add_note, who, chat_id(chat), text_of(body_of(request), "text", 2000)))

    @desk.post("/desk/api/chats/<chat:str>/tags")
    @guard("serve")
    async def set_tags(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(aids.set_tags, who, chat_id(chat), words_of(body_of(request), "tags", 10, 20)))

    @desk.get("/desk/api/chats/<chat:str>/suggestion")
    @guard("serve")
    async def suggestion(request: Request, who: Staff, chat: str) -> HTTPResponse:
        return answer(await in_thread(aids.suggestion, who, chat_id(chat)))

    @desk.get("/desk/api/canned")
    @guard("serve")
    async def canned(request: Request, who: Staff) -> HTTPResponse:
        chat = word_of(request, "chat")
        return answer(await in_thread(aids.canned_replies, who, chat_id(chat) if chat else None))

    @desk.post("/desk/api/canned")
    @guard("see_all")
    async def keep_canned(request: Request, who: Staff) -> HTTPResponse:
        body = body_of(request)
        given = [text_of(body, name, longest) for name, longest in (("shortcut", 20), ("title", 40), ("text", 2000))]
        return answer(await in_thread(aids.keep_canned, who, number_of(body, "id"), *given))

    @desk.post("/desk/api/canned/<canned:int>/remove")
    @guard("see_all")
    async def remove_canned(request: Request, who: Staff, canned: int) -> HTTPResponse:
        return answer(await in_thread(aids.remove_canned, who, canned))
