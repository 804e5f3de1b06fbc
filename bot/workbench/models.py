"""Trained models with their cards, and which of them serves: models/live.json.

Without that file the model of today's files serves, as for a developer. A promotion writes it; from then on training data may
change and be trained as often as one likes, and patients meet the promoted model until the next promotion. `daoyi serve`
watches the file on every host: new workers warm up and take over (takeover.py). Which model a worker answers with stands
in its heartbeat.
"""

import json
import os
import re
from datetime import datetime
from pathlib import Path

from bot.errors import DaoyiError
from bot.storage import heartbeat
from bot.workbench.project import Project

_NAME = re.compile(r"daoyi-[0-9a-f]{16}", re.ASCII)
REMEMBERED = 20  # promotions that can be gone back


class NoModel(DaoyiError):
    """There is no such model, or none to go back to; the text says so in Chinese."""


def names(project: Project) -> list[str]:
    """Give the models that lie in models/, the newest first."""
    found = [path for path in project.models.glob("daoyi-*.tar.gz") if _NAME.fullmatch(_stem(path))]
    return [_stem(path) for path in sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))]


def _stem(path: Path) -> str:
    return path.name.removesuffix(".tar.gz")


def path_of(project: Project, name: str) -> Path:
    """Give a model's file. Raises NoModel."""
    path = project.models / f"{name}.tar.gz"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NoModel(f"没有找到模型 {name}。")
    return path


def card(project: Project, name: str) -> dict:
    """Give what is known of a model: by, at, commit, examples, scores, gate; {} for one that the workbench has not made."""
    return _read(project.models / f"{name}.json")


def keep_card(project: Project, name: str, facts: dict) -> None:
    """Keep what is known of a model beside it."""
    _write(project, project.models / f"{name}.json", {**card(project, name), **facts})


def live(project: Project) -> dict:
    """Give the promotion that holds: model, by, at, reason, before; {} when none does or its file is gone."""
    found = _read(project.models / "live.json")
    name = found.get("model", "")
    return found if _NAME.fullmatch(name) and (project.models / f"{name}.tar.gz").is_file() else {}


def live_path(project: Project | None = None) -> Path | None:
    """Give the file of the promoted model, None when the model of today's files is to serve."""
    project = project or Project()
    found = live(project)
    return project.models / f"{found['model']}.tar.gz" if found else None


def promote(project: Project, name: str, by: str, at: datetime, reason: str = "") -> None:
    """Let a model serve. Raises NoModel."""
    path_of(project, name)
    with project.writer():
        present = live(project)
        if present.get("model") == name:
            return
        before = (
            [{key: present.get(key) for key in ("model", "by", "at")}, *present.get("before", [])] if present else []
        )
        if not present and (running := _heard(at)) and running != name:
            before = [{"model": running, "by": "", "at": ""}]  # what served before the first promotion
        _set(project, {"model": name, "by": by, "at": at.isoformat(), "reason": reason, "before": before[:REMEMBERED]})


def rollback(project: Project, by: str, at: datetime) -> str:
    """Let the model before this one serve again and give its name. Raises NoModel when there is none."""
    with project.writer():
        return _rollback(project, by, at)


def _rollback(project: Project, by: str, at: datetime) -> str:
    present = live(project)
    before = [each for each in present.get("before", []) if (project.models / f"{each['model']}.tar.gz").is_file()]
    if not before:
        raise NoModel("没有可以退回的模型。")
    name = before[0]["model"]
    facts = {"model": name, "by": by, "at": at.isoformat(), "reason": f"从 {present['model']} 退回"}
    _set(project, {**facts, "before": before[1:]})
    return name


def give_up(project: Project, name: str, at: datetime) -> None:
    """Go back from a model that does not come up: to the one before, else to that of today's files."""
    with project.writer():
        if live(project).get("model") != name:
            return  # another host or a trainer has gone back meanwhile
        try:
            _rollback(project, "系统", at)
        except NoModel:
            _set(project, {})
        _set(project, {**_read(project.models / "live.json"), "failed": name})


def pin(project: Project, by: str, at: datetime) -> None:
    """Hold on to the serving model before training data change for the first time: a worker that starts anew must not
    train and serve what nobody has judged."""
    if not live(project) and (found := _heard(at) or next(iter(names(project)), None)):
        promote(project, found, by, at, "首次在工作台修改数据，保持现用模型")


def serving(project: Project, at: datetime) -> dict:
    """Give who answers patients: model ("" while nobody does) and state, one of live · changing · failed · "".

    It is "live" only when no worker of any host is heard with another model than the promoted one; such a worker takes
    no turn from then on (bot/dialogue/worker.py).
    """
    found = {model for model in heartbeat.heard("worker", at).values() if model}
    wanted = live(project).get("model")
    state = "changing" if len(found) > 1 or (found and wanted and found != {wanted}) else "live" if found else ""
    if state == "live" and _read(project.models / "live.json").get("failed"):
        state = "failed"
    return {"model": wanted or next(iter(sorted(found)), ""), "state": state}


def _heard(at: datetime) -> str | None:
    return next((model for model in heartbeat.heard("worker", at).values() if model), None)


def _set(project: Project, facts: dict) -> None:
    _write(project, project.models / "live.json", facts)


def _read(path: Path) -> dict:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(project: Project, path: Path, facts: dict) -> None:
    project.models.mkdir(exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)
