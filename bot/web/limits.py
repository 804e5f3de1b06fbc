"""How often somebody may ask: by signed session first; by address only far higher, hospital wifi shares one address."""

import ipaddress
import time
from collections import OrderedDict, deque

from sanic import Request

from bot.web.errors import Refused

KEPT = 20_000  # names remembered per limit; the oldest are forgotten


class Limit:
    """At most `count` in `seconds` for each name, counted in this process."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count = count
        self.seconds = seconds
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, name: str, now: float) -> float:
        """Count one and give 0, or give the seconds to wait (and count nothing)."""
        times = self._seen.setdefault(name, deque())
        self._seen.move_to_end(name)
        while times and times[0] <= now - self.seconds:
            times.popleft()
        if len(times) >= self.count:
            return times[0] + self.seconds - now
        times.append(now)
        while len(self._seen) > KEPT:
            self._seen.popitem(last=False)
        return 0.0

    def require(self, name: str) -> None:
        """Count one. Raises Refused (429) with the seconds to wait."""
        seconds = self.wait(name, time.monotonic())
        if seconds > 0:
            raise Refused(429, retry_after=max(1, round(seconds + 0.5)))


def address(request: Request) -> str | None:
    """Give the caller's address; None for a program on this very machine, which no limit by address holds.

    Behind a proxy on this machine it is the last one of X-Forwarded-For, the only one that the proxy itself wrote.
    """
    peer = request.ip or ""
    try:
        local = ipaddress.ip_address(peer).is_loopback
    except ValueError:
        local = peer == ""  # a Unix socket
    if not local:
        return peer
    forwarded = (request.headers.get("x-forwarded-for") or "").rpartition(",")[2].strip()
    return forwarded[:64] or None
