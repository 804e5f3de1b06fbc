"""The channel's one address. A callback is let in, looked through for danger, stored, acknowledged; the rest follows."""

import logging
from collections.abc import Callable
from time import monotonic

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, empty, text

from bot.clock import now
from bot.settings import settings
from bot.web.limits import Limit, address
from bot.web.threads import in_thread
from channels.wechat import door, messages, passive, service, words
from channels.wechat.account import Account, account
from channels.wechat.client import Client
from channels.wechat.crypto import BadMessage
from channels.wechat.delivery import Delivery
from channels.wechat.door import Visit
from channels.wechat.intake import Intake, NotStored
from channels.wechat.messages import Incoming

log = logging.getLogger("daoyi.wechat")
PATH = "/wechat"


class Channel:
    """What runs while the web process serves."""

    def __init__(self, given: Account) -> None:
        self.account = given
        self.client = Client(given)
        self.intake = Intake(given, self._worked, self.client.picture if given.verified else None)
        self.delivery = Delivery(given, self.client, self.intake.rush)
        self.limit = Limit(settings().rate_per_minute, 60)

    async def start(self) -> None:
        """Begin to store, to work and, where the account may push, to send."""
        await in_thread(service.warm_up)
        self.intake.start()
        if self.account.verified:
            self.delivery.start()

    async def stop(self) -> None:
        """End."""
        await self.intake.stop()
        await self.delivery.stop()
        await self.client.close()

    def _worked(self, conversation_id: str, message: Incoming) -> None:
        if message.kind != "text":  # a text is answered by its turn
            self.delivery.hint()
        if self.account.verified and message.kind == "text":
            self.delivery.typing_soon(conversation_id, message.openid)

    async def answer(self, message: Incoming) -> str | None:
        """Store a callback and give what it is answered with, None for plain `success`."""
        if not service.matters(message):
            return None
        finding = service.found_danger(message)
        fixed = words.danger(finding, message.text) if finding else None
        if message.kind == "event:subscribe":
            fixed = words.greeting()
        wait = passive.seconds(self.account)
        if wait and fixed is None and message.kind == "text" and await passive.asks_for_more(message):
            return await passive.rest(message) or words.WAITING
        if fixed is None and message.kind == "text" and self.limit.wait(message.openid, monotonic()) > 0:
            return words.TOO_FAST
        try:
            if wait and fixed is None:
                return await passive.answer(self.intake, self.delivery, self.account, message, wait)
            await self.intake.put(message, answered=fixed is not None)
        except NotStored:
            return fixed or words.NOT_TAKEN
        return fixed


def blueprint(make: Callable[[], Account] = account) -> Blueprint:
    """Give the channel. Raises SettingsError or DataError at once when the account is not described well."""
    given = make()
    allowed = door.networks(settings().wechat_ips)
    wechat = Blueprint("wechat")

    @wechat.listener("before_server_start")
    async def start(app, _loop) -> None:
        app.ctx.wechat = Channel(given)
        await app.ctx.wechat.start()

    @wechat.listener("before_server_stop")
    async def stop(app, _loop) -> None:
        await app.ctx.wechat.stop()

    @wechat.get(PATH)
    async def check(request: Request) -> HTTPResponse:
        try:
            _require_admitted(request, allowed)
            return text(door.verify(given, _query(request), now()))
        except BadMessage as error:
            return _refused(error)

    @wechat.post(PATH)
    async def receive(request: Request) -> HTTPResponse:
        channel: Channel = request.app.ctx.wechat
        if len(request.body) > door.BODY_LIMIT:
            return empty(status=413)
        try:
            _require_admitted(request, allowed)
            visit = door.enter(given, _query(request), request.body, now())
            return _reply(given, visit, await channel.answer(visit.message))
        except BadMessage as error:
            return _refused(error)

    return wechat


def _reply(given: Account, visit: Visit, said: str | None) -> HTTPResponse:
    if said is None:
        return text("success")  # never encrypted
    moment = now()
    reply = messages.text_reply(visit.message, said, int(moment.timestamp()))
    return text(door.seal(given, visit, reply, moment), content_type="application/xml; charset=utf-8")


def _query(request: Request) -> dict[str, list[str]]:
    return {name: list(values) for name, values in request.get_args(keep_blank_values=True).items()}


def _require_admitted(request: Request, allowed: tuple) -> None:
    if not door.admitted(address(request), allowed):
        raise BadMessage("address is not on the list")


def _refused(error: BadMessage) -> HTTPResponse:
    log.warning("a callback was refused: %s", error)
    return empty(status=403)
