"""Who may embed and call us, and the headers that hold browsers to it: the origin list, CORS, a strict CSP."""

from functools import lru_cache

from sanic import Request, Sanic
from sanic.response import HTTPResponse, empty

from bot.settings import settings
from bot.web.errors import Refused, answer

OPEN_PREFIX = "/chat/"  # what a listed origin may call; everything else is for our own pages only
METHODS = "GET, POST, OPTIONS"


@lru_cache(maxsize=4)
def _listed(setting: str) -> tuple[str, ...]:
    return tuple(one.strip().rstrip("/").lower() for one in setting.split(",") if one.strip())


def listed_origins() -> tuple[str, ...]:
    """Give the origins of the setting `origins`, such as https://www.example.org."""
    return _listed(settings().origins)


def is_own(request: Request, origin: str) -> bool:
    """Tell whether an Origin header names this very host."""
    return origin.lower().partition("://")[2] == (request.headers.get("host") or "").lower()


def require_origin(request: Request) -> None:
    """Refuse a browser that runs a page of an unknown site. Without an Origin header no browser page is asking."""
    origin = request.headers.get("origin")
    if origin is None or is_own(request, origin):
        return
    if origin.lower() in listed_origins() and request.path.startswith(OPEN_PREFIX):
        return
    raise Refused(403, "bad_origin")


def security_headers(request: Request) -> dict[str, str]:
    """Give the headers of every answer. No inline script or style, nothing from other hosts."""
    host = request.headers.get("host") or ""
    sockets = f" ws://{host} wss://{host}" if _plain_host(host) else ""  # older Safari: 'self' leaves sockets out
    frames = " ".join(["'self'", *listed_origins()])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' blob:; "
        f"connect-src 'self'{sockets}; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
        f"frame-ancestors {frames}"
    )
    return {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "cross-origin" if request.path.startswith(OPEN_PREFIX) else "same-origin",
    }


def _plain_host(host: str) -> bool:
    return bool(host) and all(c.isalnum() or c in ".-:[]" for c in host)


async def _check(request: Request) -> HTTPResponse | None:
    # Runs before a WebSocket's handshake, too: an unknown page gets no socket.
    if request.method not in ("GET", "HEAD") or request.headers.get("upgrade"):
        try:
            require_origin(request)
        except Refused as refused:
            return answer(request, refused)
    if request.method == "OPTIONS":
        return empty()
    return None


async def _add(request: Request, response: HTTPResponse) -> None:
    if response is None or request is None:
        return
    for name, value in security_headers(request).items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("cache-control", "no-store")
    origin = request.headers.get("origin")
    if origin and origin.lower() in listed_origins() and request.path.startswith(OPEN_PREFIX):
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-allow-methods"] = METHODS
        response.headers["access-control-allow-headers"] = "authorization, content-type"
        response.headers["access-control-max-age"] = "600"
        response.headers["vary"] = "origin"


def install(app: Sanic) -> None:
    """Check origins before and add headers after every request of `app`."""
    app.register_middleware(_check, "request")
    app.register_middleware(_add, "response")
