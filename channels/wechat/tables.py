"""What only this channel keeps: callbacks stored before they are acknowledged, the access token, results of notices."""

from sqlalchemy import Column, Integer, String, Table

from bot.storage.engine import metadata
from bot.storage.types import Encrypted, UtcDateTime

intake = Table(  # WeChat delivers a callback up to four times: the key makes them one
    "wechat_intake",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("content", Encrypted),  # the message as JSON; None once it has been worked on
    Column("attempts", Integer, nullable=False, default=0),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("done_at", UtcDateTime),
)

tokens = Table(  # one access token for all processes, and who is fetching the next
    "wechat_tokens",
    metadata,
    Column("app_id", String(40), primary_key=True),
    Column("token", Encrypted),
    Column("expires_at", UtcDateTime),
    Column("forced_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
)

notices = Table(  # template and subscription messages with what became of them
    "wechat_notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", String(32), index=True),  # as WeChat names it in its report
    Column("conversation_id", String(32), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("result", String(40), nullable=False),  # sent · success · failed:user block · … · an error code
    Column("at", UtcDateTime, nullable=False),
)
