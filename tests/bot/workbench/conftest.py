"""A project of its own with git, an empty database, a trainer."""

import shutil
import subprocess

import pytest

from bot.clock import now
from bot.settings import settings
from bot.staff import service as staff
from bot.storage.engine import engine, reading, writing
from bot.storage.tables import metadata
from bot.workbench.project import Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give a copy of the training data as a git project of its own; the workbench's deeds go there."""
    root = tmp_path / "house"
    shutil.copytree(Project().data, root / "nlu_data")
    (root / "docs").mkdir()
    shutil.copy(Project().root / "docs/nlu-guideline.md", root / "docs")
    (root / ".gitignore").write_text("var/\nmodels/\n")
    for command in (
        ["init", "--quiet"],
        ["add", "-A"],
        ["-c", "user.name=it", "-c", "user.email=it@example.org", "commit", "--quiet", "-m", "start"],
    ):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    given = Project(root)
    for module in ("service", "publishing", "routes"):
        monkeypatch.setattr(
            f"bot.workbench.{module}.{'service.' if module == 'routes' else ''}the_project", lambda: given
        )
    return given


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """Give a signed-in trainer; the process's database is an empty one."""
    monkeypatch.setenv("DAOYI_DATABASE", f"sqlite:///{tmp_path}/bench.db")
    monkeypatch.setenv("DAOYI_SECRET_FILE", str(tmp_path / "secret.key"))
    settings.cache_clear()
    metadata.create_all(engine())
    with writing() as conn:
        staff.add(conn, "5001", "周训练", "trainer", "demo-train-5001")
        staff.add(conn, "1001", "王客服", "agent", "demo-agent-1001")
        token = staff.sign_in(conn, "5001", "demo-train-5001", now())
    with reading() as conn:
        who = staff.signed_in(conn, token, now())
    yield who
    settings.cache_clear()
