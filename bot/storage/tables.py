"""Every table of the house, imported for migrations and for tests that make a database."""

from bot.appointments import tables as appointments  # noqa: F401
from bot.conversations import tables as conversations  # noqa: F401
from bot.desk import tables as desk  # noqa: F401
from bot.patients import tables as patients  # noqa: F401
from bot.staff import tables as staff  # noqa: F401
from bot.storage import due, heartbeat  # noqa: F401
from bot.storage.engine import metadata  # noqa: F401
from bot.tickets import tables as tickets  # noqa: F401
from bot.workbench import tables as workbench  # noqa: F401
from channels.wechat import tables as wechat  # noqa: F401
