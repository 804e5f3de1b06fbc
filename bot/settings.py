"""Settings: one typed list with default and help, read once from the environment (`DAOYI_…`)."""

import os
import secrets
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path

from bot.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent


def _setting(default, help: str):
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Settings:
    """What an operator may set. Field `x_y` is read from the variable `DAOYI_X_Y`."""

    database: str = _setting(f"sqlite:///{ROOT}/var/daoyi.db", "SQLAlchemy address; postgresql://… for several hosts")
    hospital: str = _setting(str(ROOT / "bot/hospital/sample"), "folder with the hospital's CSV and YAML files")
    city: str = _setting("示范市", "whose insurance plans are used")
    host: str = _setting("127.0.0.1", "address the web process listens on")
    port: int = _setting(8080, "port the web process listens on")
    workers: int = _setting(1, "worker processes that `daoyi serve` keeps running")
    secret_file: str = _setting(
        str(ROOT / "var/secret.key"), "file with the key for encryption and sessions; made at first start"
    )
    origins: str = _setting("", "comma-separated origins that may embed the chat besides our own")
    secure_cookies: bool = _setting(False, "set the Secure flag on cookies (behind HTTPS)")
    merge_ms: int = _setting(300, "milliseconds of quiet after a short message, then what waits becomes one turn")
    turn_seconds: int = _setting(20, "a turn that takes longer counts as failed")
    session_days: int = _setting(30, "days a browser keeps its conversation")
    rate_per_minute: int = _setting(40, "messages a chat session may send in a minute")
    retention_days: int = _setting(1095, "days after its last line that a conversation's words are kept (PIPL art. 19)")
    sms_url: str = _setting(
        "", "address that gets {phone, text} as JSON by POST to send an SMS; needed when demo is off"
    )
    wechat_app_id: str = _setting("", "AppID of the Official Account (服务号); empty switches WeChat off")
    wechat_original_id: str = _setting("", "the account's original id (原始ID), gh_…")
    wechat_token: str = _setting("", "Token of the console's server configuration (服务器配置)")
    wechat_aes_key: str = _setting("", "EncodingAESKey, 43 characters; needed except in plain mode")
    wechat_aes_key_old: str = _setting("", "the EncodingAESKey before the last change, while both are in use")
    wechat_secret: str = _setting("", "AppSecret, for the access token")
    wechat_mode: str = _setting("safe", "safe, compatible or plain; plain is for trials only")
    wechat_verified: bool = _setting(True, "the account is verified (认证) and may push; otherwise 回复1查看 is used")
    wechat_passive_ms: int = _setting(0, "milliseconds to wait for an answer within the acknowledgement, 0 to 4000")
    wechat_ips: str = _setting("", "comma-separated addresses or networks that may call; empty admits all")
    wechat_api: str = _setting("https://api.weixin.qq.com", "base address of WeChat's API")
    wechat_file: str = _setting(str(ROOT / "channels/wechat/sample.yml"), "YAML with the menu and the notices")
    demo: bool = _setting(True, "sample hospital: the SMS code is shown in the chat, marked as a demo")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR; message texts are never logged")


WECHAT_MODES = ("safe", "compatible", "plain")


def check_wechat(given: Settings) -> bool:
    """Tell whether WeChat is switched on. Raises SettingsError naming every field that is missing or malformed."""
    names = ("app_id", "original_id", "token", "secret")
    if not any(getattr(given, f"wechat_{name}") for name in (*names, "aes_key")):
        return False
    wrong = [f"DAOYI_WECHAT_{name.upper()} is missing" for name in names if not getattr(given, f"wechat_{name}")]
    if given.wechat_mode not in WECHAT_MODES:
        wrong.append(f"DAOYI_WECHAT_MODE must be one of {', '.join(WECHAT_MODES)}")
    elif given.wechat_mode != "plain" and not given.wechat_aes_key:
        wrong.append("DAOYI_WECHAT_AES_KEY is missing")
    for name in ("aes_key", "aes_key_old"):
        key = getattr(given, f"wechat_{name}")
        if key and not (len(key) == 43 and key.isascii() and key.isalnum()):
            wrong.append(f"DAOYI_WECHAT_{name.upper()} must be the 43 letters and digits of EncodingAESKey")
    if not 0 <= given.wechat_passive_ms <= 4000:
        wrong.append("DAOYI_WECHAT_PASSIVE_MS must be between 0 and 4000")
    if wrong:
        raise SettingsError("WeChat cannot start: " + "; ".join(wrong) + ". See docs/guides/wechat.md")
    return True


def _read(name: str, kind: type, raw: str):
    if kind is bool:
        if raw.lower() in ("1", "true", "yes", "on"):
            return True
        if raw.lower() in ("0", "false", "no", "off", ""):
            return False
        raise SettingsError(f"{name} must be true or false, not {raw!r}")
    try:
        return kind(raw)
    except ValueError as error:
        raise SettingsError(f"{name} must be a whole number, not {raw!r}") from error


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Give the settings of this process. Raises SettingsError naming the variable that is wrong."""
    given = {}
    for item in fields(Settings):
        raw = os.environ.get(f"DAOYI_{item.name.upper()}")
        if raw is not None:
            given[item.name] = _read(f"DAOYI_{item.name.upper()}", type(item.default), raw)
    return Settings(**given)


@lru_cache(maxsize=4)
def secret_key(path: str) -> bytes:
    """Give the installation's 32 random bytes, made (readable by the owner only) at first use."""
    file = Path(path)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(32))
        try:
            os.link(draft, file)  # the key is there whole or not at all, and the first process wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    try:
        key = bytes.fromhex(file.read_text().strip())
    except ValueError as error:
        raise SettingsError(f"{path} must hold 64 hexadecimal digits; restore it from backup") from error
    if len(key) != 32:
        raise SettingsError(f"{path} must hold 64 hexadecimal digits; restore it from backup")
    return key
