"""Changes as commits in the trainer's name: made, shown, taken back. Without git everything else works, and this says so."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.workbench.project import NotSaved, Project

COMMITTER = (
    "-c",
    "user.name=daoyi workbench",
    "-c",
    "user.email=workbench@daoyi.invalid",
    "-c",
    "core.quotePath=false",
)
WATCHED = ("nlu_data", "docs/nlu-guideline.md")
_NOT_IN_A_NAME = re.compile(r"[<>\n]")
_SHA = re.compile(r"[0-9a-f]{7,40}", re.ASCII)


@dataclass(frozen=True)
class Commit:
    """One change: who made it, when (ISO 8601), what it is called."""

    sha: str
    author: str
    at: str
    title: str


def has_git(project: Project) -> bool:
    """Tell whether the project is a git work tree of its own, so that changes can be kept and taken back."""
    top = _git(project, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.strip()).resolve() == project.root.resolve()


def commit(project: Project, paths: list[Path], title: str, name: str, number: str) -> str | None:
    """Commit these files, and no other, in the trainer's name; gives the commit, None without git or without a change."""
    if not has_git(project):
        return None
    places = [path.relative_to(project.root).as_posix() for path in paths]
    author = f"{_NOT_IN_A_NAME.sub('', name)} <{number}@staff.daoyi.invalid>"
    with project.writer():
        if _git(project, "add", "--", *places) is None:
            return None
        # --only: what somebody else has staged stays staged and is not part of it.
        done = _git(
            project,
            *COMMITTER,
            "commit",
            "--quiet",
            "--no-verify",
            "--only",
            f"--author={author}",
            "-m",
            title,
            "--",
            *places,
        )
        return head(project) if done is not None else None


def head(project: Project) -> str | None:
    """Give the present commit in short, None without git."""
    found = _git(project, "rev-parse", "--short=10", "HEAD")
    return found.strip() if found else None


def dirty(project: Project) -> bool:
    """Tell whether training data stand on disk that no commit holds."""
    return bool((_git(project, "status", "--porcelain", "--", *WATCHED) or "").strip())


def log(project: Project, limit: int = 60) -> list[Commit]:
    """Give the last changes of training data and answers, newest first."""
    if not has_git(project):
        return []
    text = _git(project, "log", f"-{limit}", "--format=%h%x1f%an%x1f%aI%x1f%s", "--", *WATCHED) or ""
    return [Commit(*line.split("\x1f", 3)) for line in text.splitlines() if line.count("\x1f") == 3]


def diff(project: Project, sha: str) -> str:
    """Give what a commit changed in training data and answers."""
    return (
        _git(project, "-c", "core.quotePath=false", "show", "--format=", "--unified=1", _known(sha), "--", *WATCHED)
        or ""
    )


def revert(project: Project, sha: str, name: str, number: str) -> str:
    """Take a change back with a commit of its own. Raises NotSaved when later changes touch the same lines."""
    if not has_git(project):
        raise NotSaved("没有启用版本管理，不能按版本撤回。")
    before = _git(project, "-c", "core.quotePath=false", "show", "--format=", "--binary", _known(sha), "--", *WATCHED)
    if not before:
        raise NotSaved("这个版本没有改动训练数据，不用撤回。")
    title = (_git(project, "show", "-s", "--format=%s", sha) or sha).strip()
    with project.writer():
        if _git(project, "apply", "--reverse", "--whitespace=nowarn", "-", given=before) is None:
            raise NotSaved("这处后来又被改过，不能自动撤回，请在例句里手动修改。")
    touched = re.findall(r"^\+\+\+ b/(.+)$|^--- a/(.+)$", before, re.MULTILINE)
    paths = sorted({project.root / (new or old).strip('"') for new, old in touched})
    return commit(project, paths, f"撤回：{title}"[:150], name, number) or ""


def _known(sha: str) -> str:
    if not _SHA.fullmatch(sha):
        raise NotSaved("没有找到这个版本，请刷新页面。")
    return sha


def _git(project: Project, *arguments: str, given: str | None = None) -> str | None:
    """Give what git says, None when it fails or is not there."""
    command = ["git", "-C", str(project.root), *arguments]
    try:
        done = subprocess.run(command, input=given.encode() if given else None, capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
