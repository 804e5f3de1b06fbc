"""Everything a patient can read keeps the hospital's language rules (R14-R22, R41, R54, R84, A10): no finding."""

import ast
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.clock import SHANGHAI
from bot.hospital.facts import answer_facts
from bot.hospital.load import load_hospital
from bot.insurance.calculator import estimate
from bot.insurance.commercial import checklist_text, claim_kinds
from bot.insurance.explain import Inquiry, case_of, policy_facts, steps_text
from bot.insurance.model import LEVELS
from bot.insurance.plans import OLD_NAME_NOTICE, load_plans
from bot.language.lint import lint
from bot.language.plain import explain_terms
from bot.safety.signs import Finding, notice
from bot.safety.table import load as load_signs
from bot.settings import ROOT
from bot.web.errors import BUSY, BY_STATUS, FAILED
from channels.web.welcome import welcome

SAD = (
    "utter_complaint",
    "utter_ask_complaint",
    "utter_confirm_complaint",
    "utter_goodbye_complaint",
    "utter_report_death",
)
# Calls of actions/ and bot/ whose words a patient reads as they stand: name → which arguments.
SPOKEN_CALLS = {"receipt": (1,), "Line": (1,), "post": (2,)}
SPOKEN_KEYWORDS = ("note", "more", "until", "notice")
TITLE_CALLS = {"flow": (1,), "button": (0,), "_button": (0,)}
TITLE_KEYWORDS = ("yes", "no")
DAY = datetime(2026, 12, 1, 9, tzinfo=SHANGHAI)


def _yaml(path: Path) -> dict:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}


def _filled(text: str) -> str:
    """Put the hospital's facts in; what a turn fills in ({rows}) stays in braces, which the rules pass over."""
    for name, value in {**answer_facts(), "ask": load_plans()[0].ask}.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _findings(text: str, **how) -> list[str]:
    """Give what is wrong with a text as it leaves: bot/dialogue/outgoing.py explains terms on the way out."""
    leaving, _ = explain_terms(_filled(text), set())
    return [f"{found.rule} {found.fragment} → {found.advice}" for found in lint(leaving, **how)]


def _title_findings(title: str) -> list[str]:
    """Give what is wrong with a button. A tap is the patient's own word: 确认退号 asks him for nothing (R17)."""
    return [found for found in _findings(title) if not found.startswith("R17 ")]


# ---- answers of nlu_data


@lru_cache(maxsize=1)
def _responses() -> dict[str, list[dict]]:
    found = {}
    for path in sorted((ROOT / "nlu_data").rglob("*.yml")):
        found |= _yaml(path).get("responses", {})
    return found


@pytest.mark.parametrize("name", sorted(_responses()))
def test_an_answer_keeps_the_language_rules(name):
    for variant in _responses()[name]:
        assert _findings(variant["text"], bereaved_or_complaint=name.startswith(SAD)) == []
        for button in variant.get("buttons", []):
            assert _title_findings(button["title"]) == []


# ---- words that stand in the code: receipts, titles of buttons and tasks


def _words(node: ast.AST) -> str | None:
    """Give a string of the source, with {} where an f-string puts a value; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def _called(tree: ast.AST, calls: dict[str, tuple[int, ...]], keywords: tuple[str, ...]) -> Iterator[str]:
    """Give the words handed to these calls and under these keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            shown = [node.args[place] for place in calls.get(name, ()) if place < len(node.args)]
            shown += [keyword.value for keyword in node.keywords if keyword.arg in keywords]
            yield from filter(None, map(_words, shown))


def _titles(tree: ast.AST) -> Iterator[str]:
    yield from _called(tree, TITLE_CALLS, TITLE_KEYWORDS)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            shown = [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "title"]
            yield from filter(None, map(_words, shown))


@lru_cache(maxsize=1)
def _in_code() -> tuple[list[str], list[str]]:
    """Give (receipts and notices, titles) written in the code."""
    folders = (
        "actions",
        "bot/dialogue",
        "bot/conversations",
        "bot/appointments",
        "bot/outreach",
        "bot/tickets",
        "bot/desk",
    )
    trees = [ast.parse(path.read_text("utf-8")) for folder in folders for path in sorted((ROOT / folder).glob("*.py"))]
    receipts = {text for tree in trees for text in _called(tree, SPOKEN_CALLS, SPOKEN_KEYWORDS)}
    titles = {text for tree in trees for text in _titles(tree)}
    return tuple(sorted(filter(_chinese, found)) for found in (receipts, titles))


def _chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize("text", _in_code()[0])
def test_a_receipt_of_the_code_keeps_the_language_rules(text):
    assert _findings(text) == []


@pytest.mark.parametrize("title", _in_code()[1])
def test_a_title_of_the_code_keeps_the_language_rules(title):
    assert _title_findings(title) == []


def test_titles_and_receipts_were_found():
    receipts, titles = _in_code()
    assert len(receipts) >= 5
    assert len(titles) >= 30
    assert {"转人工", "预约挂号", "继续"} <= set(titles)


# ---- danger


def _notices() -> dict[str, str]:
    info = load_hospital().info
    signs = [(code, definite) for code in (group.code for group in load_signs().groups) for definite in (True, False)]
    return {
        f"{code}-{'definite' if definite else 'doubtful'}": notice(
            Finding(code, definite, (), ""), info.name, info.phones["emergency"]
        ).text
        for code, definite in signs
    }


def test_every_danger_text_keeps_the_language_rules():
    assert {code: found for code, text in _notices().items() if (found := _findings(text))} == {}


def test_every_button_under_a_danger_text_keeps_the_language_rules():
    raw = _yaml(ROOT / "bot/safety/signs.yml")
    assert [found for button in raw["按钮"] if (found := _title_findings(button["title"]))] == []
    assert [found for text in raw["文本"].values() if (found := _findings(text))] == []


# ---- insurance


@pytest.mark.parametrize("plan", load_plans(), ids=lambda plan: f"{plan.city}-{plan.scheme}-{plan.setting}")
def test_what_is_said_about_a_plan_keeps_the_language_rules(plan):
    for level in (None, *LEVELS):
        assert _findings(policy_facts(plan, level)) == []
    for status in ("in_service", "retired") if plan.scheme == "employee" else (None,):
        case, assumed = case_of(Inquiry(plan.scheme, plan.setting, Decimal(30000), status=status, age=65))
        assert _findings(steps_text(estimate(plan, case), assumed)) == []
    assert _findings(plan.ask) == []


@pytest.mark.parametrize("kind", sorted(claim_kinds()))
def test_a_checklist_for_a_claim_keeps_the_language_rules(kind):
    assert _findings(checklist_text(kind, load_hospital().info.phones["insurance"])) == []


def test_the_notice_about_old_schemes_keeps_the_language_rules():
    assert _findings(OLD_NAME_NOTICE) == []


# ---- the hospital's own files


def _hospital_words() -> dict[str, str]:
    sample = ROOT / "bot/hospital/sample"
    info, catalogue, guide = (_yaml(sample / name) for name in ("hospital.yml", "catalogue.yml", "guide.yml"))
    words = {f"hospital.{name}": info[name] for name in ("address", "transit", "site")}
    words |= {f"hours.{name}": hours["note"] for name, hours in info["hours"].items() if "note" in hours}
    for service in catalogue["services"]:
        words |= {f"{service['code']}.{name}": service[name] for name in ("name", "place", "how")}
    words |= {f"locker.{rule['code']}": rule["answer"] for rule in catalogue["locker_rules"]}
    for number, row in enumerate(guide["rows"]):
        # Shown as in actions/guide.py: 产科：确认怀孕后到产科建档.
        words |= {f"guide.{number}.{department}": f"科室：{reason}" for department, reason in row["to"].items()}
    for name in ("child", "pregnant", "elder", "unsure"):
        words |= {f"guide.{name}.{key}": text for key, text in guide[name].items() if key.endswith("reason")}
    return words


def test_every_word_of_the_hospitals_files_that_is_shown_keeps_the_language_rules():
    words = _hospital_words()
    assert len(words) > 250
    assert {name: found for name, text in words.items() if (found := _findings(text))} == {}


def test_every_introduction_of_a_doctor_keeps_the_language_rules():
    template = _responses()["utter_doctor"][0]["text"]
    found = {}
    for code, doctor in load_hospital().doctors.items():
        name = f"{doctor.name}{doctor.title_name}"
        department = load_hospital().departments[doctor.department].name
        text = template.format(doctor=name, department=department, speciality=doctor.speciality, intro=doctor.intro)
        if broken := _findings(text):
            found[code] = broken
    assert found == {}


# ---- the page


@pytest.mark.parametrize("hour", [9, 23])
def test_the_welcome_of_the_page_keeps_the_language_rules(hour):
    page = welcome(DAY.replace(hour=hour))
    shown = [page["greeting"], page["notice"], page["banner"] or "", *(s["title"] for s in page["suggestions"])]
    assert [found for text in shown if (found := _findings(text))] == []


@pytest.mark.parametrize("text", sorted({message for _, message in [*BY_STATUS.values(), FAILED, BUSY]}))
def test_an_error_of_the_page_keeps_the_language_rules(text):
    assert _findings(text) == []
