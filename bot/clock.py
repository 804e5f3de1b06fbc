"""The one clock. Times are aware, stored in UTC and shown in Asia/Shanghai.

`DAOYI_NOW` (ISO 8601) starts the clock at a given moment for tests and demos; it then runs on from there.
"""

import os
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from bot.errors import SettingsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
UTC = timezone.utc
_started = time.monotonic()


def now() -> datetime:
    """Give the present moment, aware, in UTC."""
    fixed = os.environ.get("DAOYI_NOW")
    if not fixed:
        return datetime.now(UTC)
    try:
        start = datetime.fromisoformat(fixed.replace("Z", "+00:00"))
    except ValueError as error:
        raise SettingsError(f"DAOYI_NOW must be ISO 8601 such as 2026-12-01T09:00:00+08:00, not {fixed!r}") from error
    if start.tzinfo is None:
        start = start.replace(tzinfo=SHANGHAI)
    return (start + timedelta(seconds=time.monotonic() - _started)).astimezone(UTC)


def local(moment: datetime) -> datetime:
    """Show a moment as the hospital's wall clock."""
    return moment.astimezone(SHANGHAI)


def moment_text(moment: datetime) -> str:
    """Give 12月8日周二17:30 in the hospital's time."""
    shown = local(moment)
    return f"{shown.month}月{shown.day}日周{'一二三四五六日'[shown.weekday()]}{shown:%H:%M}"
