"""The labels a trainer chooses from: Chinese titles, groups, how many examples each has, and what it is found by."""

from collections import Counter
from functools import lru_cache
from pathlib import Path

import yaml
from pypinyin import Style, lazy_pinyin

from bot.workbench.checks import lines_of
from bot.workbench.project import Project

TITLES = Path(__file__).with_name("labels.yml")
GROUPS = (
    ("预约", "book_appointment query_schedule query_my_appointments cancel_appointment reschedule_appointment"),
    ("费用医保", "query_price query_bill estimate_reimbursement query_insurance_policy check_insurance_coverage"),
    ("就医", "emergency find_department ask_medical_advice request_referral query_doctor report_death"),
    ("投诉建议", "complaint track_ticket suggestion praise"),
    ("人工与隐私", "request_human privacy_request decline"),
    ("常见问题", "faq"),
)


@lru_cache(maxsize=1)
def _titles() -> dict[str, dict[str, str]]:
    return yaml.safe_load(TITLES.read_text(encoding="utf-8"))


def entities() -> dict[str, str]:
    """Give the kinds of entities with their Chinese names."""
    return dict(_titles()["entities"])


def title(label: str | None, project: Project | None = None) -> str:
    """Give a label's Chinese title; a key that has none of its own is shown by its name."""
    if not label:
        return "未识别"
    return _titles()["labels"].get(label) or _own_titles(project or Project()).get(label) or label


def _own_titles(project: Project) -> dict[str, str]:
    """Give the titles that came with answers made in the workbench."""
    path = project.data / "faq" / "responses.yml"
    return _read_titles(path, path.stat().st_mtime_ns) if path.exists() else {}


@lru_cache(maxsize=4)
def _read_titles(path: Path, _changed: int) -> dict[str, str]:
    found = (yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}).get("responses") or {}
    return {
        name.removeprefix("utter_"): variants[0]["metadata"]["title"]
        for name, variants in found.items()
        if (variants[0].get("metadata") or {}).get("title")
    }


def group_of(label: str) -> str:
    """Give the Chinese name of a label's group."""
    base = label.partition("/")[0]
    return next((name for name, members in GROUPS if base in members.split()), "对话")


def all_labels(project: Project) -> list[dict]:
    """Give every label of the training data: name, title, group, examples, the files it stands in, pinyin initials."""
    places: dict[str, Counter] = {}
    for example in lines_of(project).given:
        places.setdefault(example.label, Counter())[example.file] += 1
    order = [name for name, _ in GROUPS] + ["对话"]
    rows = [
        {
            "label": label,
            "title": title(label, project),
            "group": group_of(label),
            "examples": sum(counts.values()),
            "files": [file for file, _ in counts.most_common()],
            "initials": "".join(lazy_pinyin(title(label, project), style=Style.FIRST_LETTER)).lower(),
        }
        for label, counts in places.items()
    ]
    return sorted(rows, key=lambda row: (order.index(row["group"]), row["label"]))
