"""The account as the settings and the hospital's file describe it."""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bot.conversations.outbox import Allowance
from bot.errors import DataError, SettingsError
from bot.settings import check_wechat, settings
from channels.wechat.crypto import Envelope
from channels.wechat.menu import Menu, read_menu
from channels.wechat.notices import Notice, read_notices

CHANNEL = "wechat"
# 客服消息: what a user's act allows (developers.weixin.qq.com …/guide/product/kf/intro.md).
MESSAGE = Allowance(5, timedelta(hours=48))
EVENT = Allowance(3, timedelta(minutes=1))


@dataclass(frozen=True)
class Account:
    """One Official Account."""

    app_id: str
    original_id: str
    token: str
    secret: str
    api: str
    plain: bool  # the console's plain mode (明文模式)
    verified: bool
    passive_ms: int
    envelope: Envelope
    menu: Menu
    notices: dict[str, Notice]


def account() -> Account:
    """Give the account. Raises SettingsError or DataError naming what is missing or wrong."""
    given = settings()
    if not check_wechat(given):
        raise SettingsError(
            "no WeChat account is set: DAOYI_WECHAT_APP_ID and what docs/guides/wechat.md names beside it"
        )
    menu, notices = read_file(Path(given.wechat_file))
    return Account(
        given.wechat_app_id,
        given.wechat_original_id,
        given.wechat_token,
        given.wechat_secret,
        given.wechat_api.rstrip("/"),
        given.wechat_mode == "plain",
        given.wechat_verified,
        given.wechat_passive_ms,
        Envelope(given.wechat_app_id, given.wechat_token, (given.wechat_aes_key, given.wechat_aes_key_old)),
        menu,
        notices,
    )


@lru_cache(maxsize=2)
def read_file(path: Path) -> tuple[Menu, dict[str, Notice]]:
    """Give menu and notices. Raises DataError naming file and place."""
    try:
        given = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not isinstance(given, dict):
        raise DataError(f"{path} needs the parts menu and notices")
    return read_menu(given.get("menu"), path.name), read_notices(given.get("notices") or {}, path.name)
