"""Training and judging in the background: a process of its own, seen through one file; `python -m bot.workbench.jobs`.

The web process may come and go meanwhile. Whether a job runs is told by a lock that its process holds.
"""

import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from bot.clock import now
from bot.errors import DaoyiError
from bot.workbench import files, history, judge, models
from bot.workbench.checks import Lines
from bot.workbench.project import Project

STEPS = {
    "check": "检查训练数据",
    "train": "训练模型",
    "measure": "用没见过的句子评测新模型",
    "compare": "评测现用模型并比较",
    "talks": "运行对话与危险信号测试",
}
SET_SHOWN, SET_HIDDEN = "tuning", "test"  # sentences of the test set are never shown: nobody shall train on them
TESTS = ("tests/bot/safety", "tests/conversations")
KEPT_LINES = 40
STARTING = 20.0  # seconds in which a new process may come up
STOPPING = 15.0  # seconds in which children may put away what they have begun
_SHARE = re.compile(r"\[\s*(\d{1,3})%\]")  # as pytest tells how far it is
_MADE = re.compile(r"model (?:is up to date|trained): (daoyi-[0-9a-f]{16})")


class Busy(DaoyiError):
    """A training is already under way."""


class Failed(DaoyiError):
    """A step failed; the text is for the trainer."""


def state(project: Project) -> dict:
    """Give the last job: state (running · done · failed · cancelled), step, steps, lines, result; {} before the first."""
    path = project.own / "job.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        quiet = time.time() - path.stat().st_mtime
    except (OSError, ValueError):
        return {}
    if found.get("state") == "running" and quiet > STARTING and not _held(project):
        found.update(state="failed", error="训练进程意外结束，请再试一次。")
    return found


def start(project: Project, by: str) -> None:
    """Start training and judging in the trainer's name. Raises Busy."""
    if _held(project):
        raise Busy("已经有一次训练在进行，请等它结束。")
    _keep(project, _fresh(by))
    with open(project.own / "job.log", "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot.workbench.jobs", by],
            cwd=project.root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, daemon=True).start()
    until = time.monotonic() + STARTING
    while "group" not in state(project) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)


def cancel(project: Project) -> bool:
    """Stop the job with all its children; False when none runs. A model half made is never left behind.

    The children are interrupted, as by Ctrl-C: then they take away their temporary files and databases. Who does not is killed.
    """
    found = state(project)
    if found.get("state") != "running" or "group" not in found or not _signal(found["group"], signal.SIGINT):
        return False
    until = time.monotonic() + STOPPING
    while _signal(found["group"], 0) and time.monotonic() < until:
        time.sleep(0.05)
    _signal(found["group"], signal.SIGKILL)
    for draft in (*project.own.glob("job.*.draft"), *project.own.glob("results/*.draft")):
        draft.unlink(missing_ok=True)
    if not _locked(project.models / ".training"):  # nobody else trains from the command line
        for draft in project.models.glob("unfinished/*.tar.gz"):
            draft.unlink(missing_ok=True)
    steps = [{**each, "state": "waiting"} if each["state"] == "running" else each for each in found["steps"]]
    _keep(project, {**found, "steps": steps, "state": "cancelled", "ended": now().isoformat()})
    return True


def _signal(group: int, number: int) -> bool:
    """Send a signal to the job's processes; False when none is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def _fresh(by: str) -> dict:
    steps = [{"step": step, "title": title, "state": "waiting"} for step, title in STEPS.items()]
    return {"state": "running", "by": by, "started": now().isoformat(), "steps": steps, "lines": [], "result": None}


def _held(project: Project) -> bool:
    return _locked(project.own / "job.lock")


def _locked(path: Path) -> bool:
    path.parent.mkdir(exist_ok=True)
    with open(path, "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _keep(project: Project, facts: dict) -> None:
    draft = project.own / f"job.{os.getpid()}.draft"
    draft.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, project.own / "job.json")


class Job:
    """One run through the steps."""

    def __init__(self, project: Project, by: str) -> None:
        self.project = project
        self.facts = {**_fresh(by), "group": os.getpgid(0)}
        self.began = time.monotonic()

    def run(self) -> None:
        """Train, measure, compare, test; what is found stands in the job's file and on the model's card."""
        _keep(self.project, self.facts)
        try:
            self.facts["result"] = self._steps()
            self.facts["state"] = "done"
        except Failed as error:
            self.facts.update(state="failed", error=str(error))
        except Exception as error:
            self.facts.update(state="failed", error=f"训练没有完成（{type(error).__name__}），请把日志交给信息科。")
            raise
        finally:
            self.facts["ended"] = now().isoformat()
            _keep(self.project, self.facts)

    def _steps(self) -> dict:
        project = self.project
        commit, dirty = history.head(project), history.dirty(project)
        with self._step("check"):
            given = files.examples(project)
            self._refuse_conflicts(given)
        with self._step("train"):
            name = self._train()
        facts = {
            "by": self.facts["by"],
            "at": now().isoformat(),
            "commit": commit,
            "dirty": dirty,
            "examples": len(given),
        }
        models.keep_card(project, name, facts)
        with self._step("measure"):
            new, hidden = self._measure(name, SET_SHOWN), self._measure(name, SET_HIDDEN)
        live = models.serving(project, now())["model"]
        with self._step("compare"):
            old = self._measure(live, SET_SHOWN) if live and live != name else new
            old_hidden = self._measure(live, SET_HIDDEN) if live and live != name else hidden
            found = judge.compare(old["each"], new["each"])
        with self._step("talks"):
            talks = self._talks()
        rows = judge.gate(found, talks)
        scores = {SET_SHOWN: _figures(new), SET_HIDDEN: _figures(hidden)}
        seconds = round(time.monotonic() - self.began)
        models.keep_card(project, name, {"scores": scores, "gate": rows, "against": live, "seconds": seconds})
        before = {SET_SHOWN: _figures(old), SET_HIDDEN: _figures(old_hidden)}
        return {"model": name, "against": live, "scores": scores, "before": before, "gate": rows, **found}

    def _refuse_conflicts(self, given: list) -> None:
        lines = Lines(given)
        for places in lines.same.values():
            labels = {given[at].label for at in places}
            if len(labels) > 1:
                one = given[places[0]]
                raise Failed(f"同一句话标了不同的意图，请先决定一个：{one.text}（{'、'.join(sorted(labels))}）")

    def _train(self) -> str:
        output = self._child("train")
        if not (made := _MADE.search(output)):
            raise Failed("没有训练出模型，请查看下面的记录。")
        return made[1]

    def _measure(self, name: str, which: str) -> dict:
        lines = self.project.root / "benchmarks" / "nlu" / f"{which}.yml"
        version = hashlib.sha256(lines.read_bytes()).hexdigest()[:8]
        kept = self.project.own / "results" / f"{name}.{which}.{version}.json"
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            path = models.path_of(self.project, name)
            draft = kept.with_suffix(".draft")
            self._child(
                "evaluate",
                "--set",
                which,
                "--model",
                str(path),
                "--json",
                str(draft),
                "--html",
                str(kept.with_suffix(".html")),
            )
            draft.replace(kept)
        return json.loads(kept.read_text(encoding="utf-8"))

    def _talks(self) -> dict | None:
        given = [place for place in TESTS if (self.project.root / place).is_dir()]
        if not given:
            return None
        quiet = ["-q", "--no-header", "-p", "no:cacheprovider", "--tb=no", "--disable-warnings"]
        # Tests never meet the patients' database or key, nor a model or a clock that was set for serving.
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("DAOYI_") or name.startswith("DAOYI_TEST_")
        }
        own = {
            "DAOYI_DATABASE": f"sqlite:///{self.project.own}/tests.db",
            "DAOYI_SECRET_FILE": f"{self.project.own}/tests.key",
        }
        code, output = self._run([sys.executable, "-m", "pytest", *given, *quiet], {**kept, **own})
        if "No module named pytest" in output or code not in (0, 1):
            return None
        names = re.findall(r"^FAILED (\S+)", output, re.MULTILINE)
        passed = re.search(r"(\d+) passed", output)
        return {"passed": int(passed[1]) if passed else 0, "failed": len(names), "names": names}

    def _child(self, *arguments: str) -> str:
        code, output = self._run([sys.executable, "-m", "bot.cli", *arguments])
        if code:
            last = next((line for line in reversed(output.splitlines()) if line.strip()), "")
            raise Failed(f"daoyi {arguments[0]} 没有成功：{last[:300]}")
        return output

    def _run(self, command: list[str], environment: dict | None = None) -> tuple[int, str]:
        """Run a child and give its exit code and output; each line shows up in the job's file as it comes."""
        environment = {**(environment or os.environ), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
        process = subprocess.Popen(
            command,
            cwd=self.project.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        output = []
        for line in process.stdout:
            output.append(line)
            if share := _SHARE.search(line):
                step = next(each for each in self.facts["steps"] if each["state"] == "running")
                step["share"] = int(share[1])
            if line.strip():
                self.facts["lines"] = [*self.facts["lines"], line.rstrip()[:300]][-KEPT_LINES:]
                _keep(self.project, self.facts)
        return process.wait(), "".join(output)

    def _step(self, name: str) -> "_Step":
        return _Step(self, next(each for each in self.facts["steps"] if each["step"] == name))


class _Step:
    def __init__(self, job: Job, facts: dict) -> None:
        self.job, self.facts = job, facts

    def __enter__(self) -> None:
        self.began = time.monotonic()
        self.facts.update(state="running", since=now().isoformat())
        _keep(self.job.project, self.job.facts)

    def __exit__(self, kind, *_) -> None:
        self.facts.update(state="failed" if kind else "done", seconds=round(time.monotonic() - self.began, 1))
        _keep(self.job.project, self.job.facts)


def _figures(result: dict) -> dict:
    wanted = ("lines", "accuracy", "macro_f1", "intent_accuracy", "out_of_scope_recall", "false_rejection")
    entities = (result.get("entities") or {}).get("all") or {}
    return {**{name: result[name] for name in wanted if name in result}, "entity_f1": entities.get("f1")}


def report(project: Project, name: str) -> Path | None:
    """Give the page that `daoyi evaluate --html` has made of a model, None when there is none. Only of the sentences that
    may be shown."""
    models.path_of(project, name)
    found = sorted((project.own / "results").glob(f"{name}.{SET_SHOWN}.*.html"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def typical_seconds(project: Project) -> int | None:
    """Give how long the last training with judging took."""
    cards = [models.card(project, name) for name in models.names(project)]
    return next((each["seconds"] for each in cards if each.get("seconds")), None)


def main(by: str) -> int:
    """Run one job; a second one started at the same moment ends at once."""
    project = Project(Path.cwd())
    os.nice(10)  # patients come first
    with open(project.own / "job.lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 1
        for sign in (signal.SIGTERM, signal.SIGINT):  # a signal that is ignored here would be ignored by the children
            signal.signal(sign, lambda *_: sys.exit(143))
        Job(project, by).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
