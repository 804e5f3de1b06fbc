"""Brings the database to the newest form with Alembic."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from bot.settings import settings
from bot.storage.engine import engine_for

FOLDER = Path(__file__).parent / "migrations"


def config() -> Config:
    """Give Alembic's settings for the configured database."""
    made = Config()
    made.set_main_option("script_location", str(FOLDER))
    made.attributes["url"] = settings().database
    return made


def migrate() -> None:
    """Run every migration that is missing; safe to run at each start and from several processes one after another."""
    engine_for(settings().database)
    command.upgrade(config(), "head")
