"""The Sanic shell that channels, desk and workbench share: limits, headers, errors, health. It knows none of them."""

import gc
import logging
from collections.abc import Callable

from sanic import Blueprint, Request, Sanic
from sanic.response import HTTPResponse, json
from sqlalchemy import text

from bot.clock import now
from bot.settings import settings
from bot.storage import heartbeat
from bot.storage.engine import reading
from bot.web import errors, headers
from bot.web.live import Live
from bot.web.threads import in_thread

log = logging.getLogger("daoyi.web")

BODY_LIMIT = 256 * 1024  # bytes; the longest message is 4000 characters


Room = Blueprint | Callable[[], Blueprint]


def create_app(*rooms: Room, name: str = "daoyi") -> Sanic:
    """Give the web process's app with the rooms' blueprints (or what makes them) mounted.

    `name` must be new in this process: Sanic keeps a list.

    `app.ctx.live` is the tail that wakes sockets (bot/web/live.py).
    """
    app = Sanic(name, configure_logging=False)
    app.config.REQUEST_MAX_SIZE = BODY_LIMIT
    app.config.WEBSOCKET_MAX_SIZE = BODY_LIMIT
    app.config.RESPONSE_TIMEOUT = 60  # a long poll waits 25 s
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 3.0
    app.config.ACCESS_LOG = False  # addresses carry session tokens
    app.config.FALLBACK_ERROR_FORMAT = "json"
    errors.install(app)
    headers.install(app)
    app.register_listener(_start, "before_server_start")
    app.register_listener(_set_aside, "after_server_start")
    app.register_listener(_stop, "before_server_stop")
    app.add_route(healthz, "/healthz", methods=["GET"])
    app.add_route(readyz, "/readyz", methods=["GET"])
    for room in rooms:
        app.blueprint(room if isinstance(room, Blueprint) else room())
    return app


def run(*rooms: Room) -> None:
    """Serve at the address of the settings until SIGTERM or SIGINT."""
    app = create_app(*rooms)
    log.info("web process at http://%s:%s/", settings().host, settings().port)
    # A crowd that comes at once must not wait for a second SYN: the listen queue is longer than the 100 of old.
    app.run(settings().host, settings().port, access_log=False, motd=False, backlog=1024)


async def _start(app: Sanic, _loop) -> None:
    app.ctx.live = Live()
    app.ctx.live.start()


async def _set_aside(_app: Sanic, _loop) -> None:
    """What was loaded stays: a full look of the garbage collector over it would halt all for 150 ms, in a rush first."""
    gc.collect()
    gc.freeze()


async def _stop(app: Sanic, _loop) -> None:
    await app.ctx.live.stop()


def _database_answers() -> bool:
    try:
        with reading() as conn:
            conn.execute(text("SELECT 1"))
    except Exception as error:  # whatever it is, the answer is no
        log.warning("the database does not answer: %s", type(error).__name__)
        return False
    return True


def _worker_seen() -> bool:
    try:
        return heartbeat.fresh("worker", now())
    except Exception as error:
        log.warning("the heartbeats cannot be read: %s", type(error).__name__)
        return False


async def healthz(request: Request) -> HTTPResponse:
    """Say whether this process lives and reaches the database: 200 or 503."""
    database = await in_thread(_database_answers)
    return json({"database": database}, status=200 if database else 503)


async def readyz(request: Request) -> HTTPResponse:
    """Say whether patients will be answered: database, and a ready worker seen within 15 s. 200 or 503."""
    database = await in_thread(_database_answers)
    worker = database and await in_thread(_worker_seen)
    return json({"database": database, "worker": worker}, status=200 if worker else 503)
