"""A trainer's deeds with answers, models and past changes. Each one is committed in his name where it writes, and audited."""

from dataclasses import asdict
from datetime import datetime

from bot.clock import UTC, local, now
from bot.hospital.facts import answer_facts
from bot.staff.service import Staff
from bot.web.errors import Refused
from bot.workbench import answers, checks, history, jobs, judge, labels, models
from bot.workbench.annotation import clean
from bot.workbench.door import audit
from bot.workbench.project import Project
from bot.workbench.service import the_project


def all_answers() -> dict:
    """Give every answer as the patient would see it, with its faults counted."""
    rows = []
    for each in answers.answers(the_project()):
        faults = answers.problems(each.text, each.variables)
        rows.append({**asdict(each), "filled": answers.filled(each.text, each.variables), "faults": len(faults)})
    return {"answers": rows, "today": local(now()).date().isoformat(), "variables": list(answer_facts())}


def check_answer(text: str, variables: list[str]) -> dict:
    """Give an answer's faults and how it looks."""
    return {"problems": answers.problems(text, tuple(variables)), "filled": answers.filled(text, tuple(variables))}


def change_answer(who: Staff, given: dict) -> dict:
    """Write an answer anew. `before` is what the page showed."""
    place = the_project()
    found = next(
        (each for each in answers.answers(place) if (each.name, each.number) == (given["name"], given["number"])), None
    )
    if found is None:
        raise Refused(404, "gone", "这条回答已经不在了，请刷新页面。")
    if found.text != given["before"]:
        raise Refused(409, "changed", "这条回答刚刚被别人改过，请刷新后再改，您的修改没有写入。")
    answers.change(place, found, given["text"], given["owner"], given["valid_to"])
    title = found.title or found.name
    sha = history.commit(place, [place.data / found.file], f"修改回答：{title}", who.name, who.number)
    audit(who, "workbench_answer", {"name": found.name, "commit": sha})
    return {"commit": sha}


def add_question(who: Staff, given: dict) -> dict:
    """Make a new standing question."""
    place = the_project()
    models.pin(place, who.name, now())
    conflicts = []
    lines = checks.lines_of(place)
    for text in given["examples"]:
        if text.strip():
            conflicts += [each for each in lines.findings(clean(text), f"faq/{given['key']}", None, []) if each.stops]
    if conflicts:
        raise Refused(
            409,
            "conflict",
            f"有例句已经属于别的意图：{conflicts[0].example.text}（{labels.title(conflicts[0].example.label, place)}）",
        )
    changed = answers.add_question(
        place, **{name: given[name] for name in ("key", "title", "examples", "text", "owner", "valid_to")}
    )
    sha = history.commit(place, changed, f"新增常见问题：{given['title']}", who.name, who.number)
    audit(who, "workbench_question", {"key": given["key"], "commit": sha})
    return {"label": f"faq/{given['key']}", "commit": sha}


def all_models() -> dict:
    """Give every model with who, when, commit, scores and whether it may be promoted; which serves; what can be gone back to."""
    place = the_project()
    held = models.live(place)
    rows = []
    for name in models.names(place):
        facts = models.card(place, name)
        at = facts.get("at") or _file_time(place, name)
        keep = {
            key: facts.get(key) for key in ("by", "commit", "dirty", "examples", "scores", "gate", "against", "seconds")
        }
        report = jobs.report(place, name) is not None
        rows.append({"model": name, "at": at, **keep, "may": judge.may_promote(facts.get("gate")), "report": report})
    before = next(iter(held.get("before", [])), None)
    return {
        "models": rows,
        "live": held,
        "serving": models.serving(place, now()),
        "before": before,
        "git": history.has_git(place),
    }


def _file_time(place: Project, name: str) -> str:
    return datetime.fromtimestamp(models.path_of(place, name).stat().st_mtime, UTC).isoformat()


def report_page(name: str) -> str:
    """Give the evaluation's page of a model. Raises Refused (404) when it was not judged here."""
    path = jobs.report(the_project(), name)
    if path is None:
        raise Refused(404, "no_report", "这个模型还没有在这里评测过。")
    return path.read_text(encoding="utf-8")


def promote(who: Staff, name: str, reason: str) -> dict:
    """Let a model serve. Raises Refused when its verdict forbids it or asks for a reason."""
    place = the_project()
    rows = models.card(place, name).get("gate")
    may = judge.may_promote(rows)
    if may == "no":
        raise Refused(409, "gate", "这个模型在危险与急症上变差了，不能上线。")
    if may == "reason" and len(reason.strip()) < 5:
        raise Refused(409, "reason", "这个模型没有通过全部检查，请写明为什么仍要上线（至少5个字）。")
    models.promote(place, name, who.name, now(), reason.strip())
    audit(who, "workbench_promote", {"model": name, "reason": reason.strip()[:200]})
    return {"model": name}


def rollback(who: Staff) -> dict:
    """Let the model before this one serve again."""
    name = models.rollback(the_project(), who.name, now())
    audit(who, "workbench_rollback", {"model": name})
    return {"model": name}


def changes() -> dict:
    """Give the last commits of training data and answers."""
    place = the_project()
    return {
        "git": history.has_git(place),
        "dirty": history.dirty(place),
        "commits": [asdict(each) for each in history.log(place)],
    }


def change(sha: str) -> dict:
    """Give what a commit changed."""
    return {"diff": history.diff(the_project(), sha)}


def revert(who: Staff, sha: str) -> dict:
    """Take a commit back."""
    made = history.revert(the_project(), sha, who.name, who.number)
    audit(who, "workbench_revert", {"commit": sha})
    return {"commit": made}
