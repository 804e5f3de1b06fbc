"""The workbench's addresses. Each handler reads its input, calls one deed in the thread pool, answers."""

import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, html, json

from bot.hospital.load import load_hospital
from bot.staff.service import Staff
from bot.web.errors import Refused
from bot.web.files import STAFF_STYLES, PageFile, add_file
from bot.web.headers import security_headers
from bot.web.limits import Limit, address
from bot.web.threads import in_thread
from bot.workbench import door, inbox, jobs, models, publishing, service
from bot.workbench.door import guard, hand_cookie
from bot.workbench.project import NotSaved, Stale

PAGE = Path(__file__).parent / "page"
SIGN_INS_PER_ADDRESS = 60  # a minute; a whole office may share one address
MOST_AT_ONCE = 200  # messages labelled or skipped by one press

_CHAT = re.compile(r"[0-9a-f]{32}", re.ASCII)
_KEY = re.compile(r"[0-9a-f]{64}", re.ASCII)
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


def blueprint() -> Blueprint:
    """Give the trainers' workbench: the page at /workbench and its API below /workbench/api."""
    bench = Blueprint("workbench")
    page = PageFile(PAGE / "index.html")
    sign_ins = Limit(SIGN_INS_PER_ADDRESS, 60)
    add_file(bench, "/workbench/staff.css", PageFile(STAFF_STYLES))
    for path in sorted(PAGE.iterdir()):
        if path.suffix in (".js", ".css", ".svg"):
            add_file(bench, f"/workbench/{path.name}", PageFile(path))

    @bench.get("/workbench")
    async def show(request: Request) -> HTTPResponse:
        response = page.respond(request)
        policy = security_headers(request)["content-security-policy"].partition("frame-ancestors")[0]
        response.headers["content-security-policy"] = policy + "frame-ancestors 'none'"
        return response

    @bench.post("/workbench/api/sign-in")
    async def sign_in(request: Request) -> HTTPResponse:
        if caller := address(request):
            sign_ins.require(caller)
        body = _body(request)
        token = await in_thread(door.sign_in, _text(body, "number", 20).strip(), _text(body, "password", 200))
        return hand_cookie(_json({"signed_in": True}), token)

    _messages(bench)
    _answers(bench)
    _models(bench)
    return bench


def _messages(bench: Blueprint) -> None:
    @bench.post("/workbench/api/sign-out")
    @guard
    async def sign_out(request: Request, who: Staff) -> HTTPResponse:
        await in_thread(door.sign_out, request.cookies.get(door.COOKIE))
        return hand_cookie(_json({"signed_in": False}), "")

    @bench.get("/workbench/api/me")
    @guard
    async def me(request: Request, who: Staff) -> HTTPResponse:
        hospital = load_hospital().info.name
        return _json(
            {"name": who.name, "number": who.number, "role_name": who.role_name, "csrf": who.csrf, "hospital": hospital}
        )

    @bench.get("/workbench/api/inbox")
    @guard
    async def messages(request: Request, who: Staff) -> HTTPResponse:
        given = request.args
        state, days = given.get("state") or "open", _count(request, "days") or 30
        if state not in service.STATES or days not in service.DAYS:
            raise Refused(400)
        reason = given.get("reason") or ""
        if reason and reason not in inbox.REASONS:
            raise Refused(400)
        found = (
            state,
            days,
            reason,
            (given.get("label") or "")[:80],
            (given.get("words") or "")[:80],
            _count(request, "start"),
        )
        return _json(await _do(service.inbox_page, *found))

    @bench.get("/workbench/api/context")
    @guard
    async def context(request: Request, who: Staff) -> HTTPResponse:
        chat = request.args.get("chat") or ""
        if not _CHAT.fullmatch(chat):
            raise Refused(404)
        return _json(await _do(service.context, who, chat, _count(request, "seq")))

    @bench.get("/workbench/api/labels")
    @guard
    async def labels(request: Request, who: Staff) -> HTTPResponse:
        return _json(await _do(service.all_labels))

    @bench.post("/workbench/api/cut")
    @guard
    async def cut(request: Request, who: Staff) -> HTTPResponse:
        return _json(await _do(service.cut, _text(_body(request), "text", 4000)))

    @bench.post("/workbench/api/check")
    @guard
    async def check(request: Request, who: Staff) -> HTTPResponse:
        body = _body(request)
        sure = body.get("confidence")
        sure = float(sure) if isinstance(sure, (int, float)) else None
        besides = _text(body, "besides", 4000) if "besides" in body else ""
        return _json(
            await _do(service.check, _text(body, "text", 4000), _text(body, "label", 80), _spans(body), sure, besides)
        )

    @bench.post("/workbench/api/save")
    @guard
    async def save(request: Request, who: Staff) -> HTTPResponse:
        given = _body(request).get("lines")
        if not isinstance(given, list) or not 1 <= len(given) <= MOST_AT_ONCE:
            raise Refused(400)
        rows = []
        for each in given:
            if not isinstance(each, dict):
                raise Refused(400)
            row = {"text": _text(each, "text", 4000), "label": _text(each, "label", 80), "spans": _spans(each)}
            rows.append(
                {
                    **row,
                    "key": _key(each) if each.get("key") else "",
                    "file": _text(each, "file", 120) if each.get("file") else "",
                }
            )
        return _json(await _do(service.save, who, rows))

    @bench.post("/workbench/api/skip")
    @guard
    async def skip(request: Request, who: Staff) -> HTTPResponse:
        keys = _body(request).get("keys")
        if not isinstance(keys, list) or not 1 <= len(keys) <= MOST_AT_ONCE:
            raise Refused(400)
        return _json(await _do(service.skip, who, [_key({"key": each}) for each in keys]))

    @bench.post("/workbench/api/undo")
    @guard
    async def undo(request: Request, who: Staff) -> HTTPResponse:
        return _json(await _do(service.undo, who))

    @bench.get("/workbench/api/examples")
    @guard
    async def examples(request: Request, who: Staff) -> HTTPResponse:
        given = (
            (request.args.get("label") or "")[:80],
            (request.args.get("words") or "")[:80],
            _count(request, "start"),
        )
        return _json(await _do(service.examples_of, *given))

    @bench.post("/workbench/api/examples")
    @guard
    async def change_example(request: Request, who: Staff) -> HTTPResponse:
        body = _body(request)
        place = (_text(body, "file", 120), _text(body, "label", 80), _text(body, "old", 4000))
        return _json(
            await _do(
                service.change_example,
                who,
                *place,
                _text(body, "new_label", 80),
                _text(body, "text", 4000),
                _spans(body),
            )
        )


def _answers(bench: Blueprint) -> None:
    @bench.get("/workbench/api/answers")
    @guard
    async def answers(request: Request, who: Staff) -> HTTPResponse:
        return _json(await _do(publishing.all_answers))

    @bench.post("/workbench/api/answers/check")
    @guard
    async def check_answer(request: Request, who: Staff) -> HTTPResponse:
        body = _body(request)
        return _json(await _do(publishing.check_answer, _text(body, "text", 8000), _words(body, "variables")))

    @bench.post("/workbench/api/answers")
    @guard
    async def change_answer(request: Request, who: Staff) -> HTTPResponse:
        body = _body(request)
        given = {name: _text(body, name, 8000) for name in ("name", "before", "text", "owner", "valid_to")}
        number = body.get("number")
        if not isinstance(number, int):
            raise Refused(400)
        return _json(await _do(publishing.change_answer, who, {**given, "number": number}))

    @bench.post("/workbench/api/questions")
    @guard
    async def add_question(request: Request, who: Staff) -> HTTPResponse:
        body = _body(request)
        given = {name: _text(body, name, 8000) for name in ("key", "title", "text", "owner", "valid_to")}
        return _json(await _do(publishing.add_question, who, {**given, "examples": _words(body, "examples")}))


def _models(bench: Blueprint) -> None:
    @bench.get("/workbench/api/models")
    @guard
    async def all_models(request: Request, who: Staff) -> HTTPResponse:
        found = await _do(publishing.all_models)
        place = service.the_project()
        return _json({**found, "job": jobs.state(place), "typical": jobs.typical_seconds(place)})

    @bench.post("/workbench/api/train")
    @guard
    async def train(request: Request, who: Staff) -> HTTPResponse:
        await _do(jobs.start, service.the_project(), who.name)
        await in_thread(door.audit, who, "workbench_train", {})
        return _json({"started": True})

    @bench.post("/workbench/api/train/cancel")
    @guard
    async def cancel(request: Request, who: Staff) -> HTTPResponse:
        stopped = await _do(jobs.cancel, service.the_project())
        await in_thread(door.audit, who, "workbench_cancel", {"stopped": stopped})
        return _json({"stopped": stopped})

    @bench.post("/workbench/api/promote")
    @guard
    async def promote(request: Request, who: Staff) -> HTTPResponse:
        body = _body(request)
        return _json(await _do(publishing.promote, who, _text(body, "model", 40), _text(body, "reason", 400)))

    @bench.get("/workbench/api/models/<name:str>/report")
    @guard
    async def report(request: Request, who: Staff, name: str) -> HTTPResponse:
        page = await _do(publishing.report_page, name)
        return html(page, headers={"content-security-policy": _only_styles_of(page)})

    @bench.post("/workbench/api/rollback")
    @guard
    async def rollback(request: Request, who: Staff) -> HTTPResponse:
        return _json(await _do(publishing.rollback, who))

    @bench.get("/workbench/api/changes")
    @guard
    async def changes(request: Request, who: Staff) -> HTTPResponse:
        return _json(await _do(publishing.changes))

    @bench.get("/workbench/api/changes/<sha:str>")
    @guard
    async def change(request: Request, who: Staff, sha: str) -> HTTPResponse:
        return _json(await _do(publishing.change, sha))

    @bench.post("/workbench/api/changes/<sha:str>/revert")
    @guard
    async def revert(request: Request, who: Staff, sha: str) -> HTTPResponse:
        return _json(await _do(publishing.revert, who, sha))


async def _do(deed: Callable, *given) -> dict:
    """Do a deed in the thread pool; what it refuses for the trainer's sake becomes a sentence for him."""
    try:
        return await in_thread(deed, *given)
    except Stale as error:
        raise Refused(409, "changed", str(error)) from error
    except (NotSaved, models.NoModel, jobs.Busy) as error:
        raise Refused(422, "not_saved", str(error)) from error


def _only_styles_of(page: str) -> str:
    """Give a policy under which a page is drawn with its own styles, known by their hash, and may do nothing else."""
    hashes = [f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" for style in _STYLE.findall(page)]
    return (
        f"default-src 'none'; style-src {' '.join(hashes)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _json(body) -> HTTPResponse:
    return json(body, ensure_ascii=False)


def _body(request: Request) -> dict:
    body = request.json
    if not isinstance(body, dict):
        raise Refused(400)
    return body


def _text(body: dict, name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise Refused(400)
    return value


def _words(body: dict, name: str) -> list[str]:
    value = body.get(name)
    if (
        not isinstance(value, list)
        or len(value) > 400
        or not all(isinstance(each, str) and len(each) <= 4000 for each in value)
    ):
        raise Refused(400)
    return value


def _key(body: dict) -> str:
    key = _text(body, "key", 64)
    if not _KEY.fullmatch(key):
        raise Refused(400)
    return key


def _spans(body: dict) -> list[dict]:
    given = body.get("spans") or []
    if not isinstance(given, list) or len(given) > 60:
        raise Refused(400)
    for each in given:
        if not isinstance(each, dict) or not all(isinstance(each.get(name), int) for name in ("start", "end")):
            raise Refused(400)
        more = each.get("more") or []
        pairs = isinstance(more, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in more)
        if not isinstance(each.get("entity"), str) or not pairs:
            raise Refused(400)
    return given


def _count(request: Request, name: str) -> int:
    value = request.args.get(name) or "0"
    if not re.fullmatch(r"\d{1,9}", value, re.ASCII):
        raise Refused(400)
    return int(value)
