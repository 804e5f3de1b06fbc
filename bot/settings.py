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
    merge_ms: int = _setting(300, "milliseconds of quiet after which waiting messages become one turn")
    turn_seconds: int = _setting(20, "a turn that takes longer counts as failed")
    session_days: int = _setting(30, "days a browser keeps its conversation")
    rate_per_minute: int = _setting(40, "messages a chat session may send in a minute")
    retention_days: int = _setting(1095, "days after its last line that a conversation's words are kept (PIPL art. 19)")
    sms_url: str = _setting(
        "", "address that gets {phone, text} as JSON by POST to send an SMS; needed when demo is off"
    )
    demo: bool = _setting(True, "sample hospital: the SMS code is shown in the chat, marked as a demo")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR; message texts are never logged")


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
