"""The docs are true: every setting, command, chore and room appears in them, links lead somewhere, tables match the code."""

import re
from dataclasses import fields

import pytest

from bot.cli import COMMANDS
from bot.demo import DEMO_ACCOUNTS
from bot.hospital.load import load_hospital
from bot.settings import ROOT, Settings

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def _text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


GUIDE = _text("docs/guides/operator.md")
MAP = _text("docs/architecture.md")


def _row(variable: str) -> str:
    return next(line for line in GUIDE.splitlines() if line.startswith(f"| `{variable}` |"))


@pytest.mark.parametrize("setting", fields(Settings), ids=lambda setting: setting.name)
def test_a_setting_has_its_row_with_its_default_in_the_operators_guide(setting):
    row = _row(f"DAOYI_{setting.name.upper()}")
    default = str(setting.default).replace(f"{ROOT}/", "").removeprefix("sqlite:///")
    if isinstance(setting.default, bool):
        default = default.lower()
    assert (default or "empty") in row


def test_the_table_of_settings_names_none_that_is_gone():
    named = set(re.findall(r"^\| `(DAOYI_\w+)` \|", GUIDE, re.MULTILINE))
    assert named == {f"DAOYI_{setting.name.upper()}" for setting in fields(Settings)}


def test_every_variable_that_the_code_reads_is_in_the_operators_guide():
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py")]
    read = {name for text in sources for name in re.findall(r"[\"'](DAOYI_[A-Z_]*[A-Z])[\"']", text)}
    assert {"DAOYI_NOW", "DAOYI_WORKER"} <= read
    assert sorted(name for name in read if f"`{name}`" not in GUIDE) == []


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_is_in_the_operators_guide(command):
    assert f"| `daoyi {command}` |" in GUIDE


def test_every_option_of_a_command_is_in_the_operators_guide():
    options = set(re.findall(r"add_argument\(\"(--[a-z-]+)\"", _text("bot/cli.py")))
    assert options
    assert sorted(option for option in options if option not in GUIDE) == []


def test_every_chore_of_the_makefile_is_in_the_operators_guide_and_no_other():
    chores = set(re.findall(r"^([a-z-]+):.*##", _text("Makefile"), re.MULTILINE))
    assert {"run", "test", "check"} <= chores
    assert set(re.findall(r"^\| `make ([a-z-]+)` \|", GUIDE, re.MULTILINE)) == chores


def _rooms() -> list[str]:
    packages = [path.parent for root in ("bot", "channels") for path in (ROOT / root).glob("*/__init__.py")]
    return sorted(package.name for package in packages)


@pytest.mark.parametrize("room", _rooms())
def test_a_room_is_on_the_map_and_in_the_import_contract(room):
    assert re.search(rf"^ +{room}/ ", MAP, re.MULTILINE), f"docs/architecture.md does not show {room}/"
    layers = re.search(r"^layers = \[(.*?)^\]", _text("pyproject.toml"), re.MULTILINE | re.DOTALL)[1]
    assert f"bot.{room}" in layers or (ROOT / "channels" / room).is_dir()


def test_the_map_and_the_contract_draw_the_same_layers():
    layers = re.search(r"^layers = \[(.*?)^\]", _text("pyproject.toml"), re.MULTILINE | re.DOTALL)[1]
    contract = [set(re.findall(r"[a-z]+", line.replace("bot.", ""))) for line in re.findall(r'"([^"]+)"', layers)]
    drawn = MAP.partition("## Who may import whom")[2].split("```")[1]
    assert [set(re.findall(r"[a-z]+", line)) for line in drawn.strip().splitlines()] == contract


def test_every_top_level_folder_is_on_the_map():
    kept = ("actions", "bot", "channels", "nlu_data", "tests", "docs")
    assert [folder for folder in kept if not re.search(rf"^{folder}/(?: |$)", MAP, re.MULTILINE)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere_and_no_page_names_a_machine(page):
    text = page.read_text(encoding="utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert [link for link in links if link and not (page.parent / link).exists()] == []
    assert not re.search(r"/work/|/home/|/root/|/Users/", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_decisions_and_files_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"(?<![\w/.])((?:bot|actions|channels|tests|docs)/[\w/.-]+\.(?:py|yml|md|js))", text)
    assert [name for name in named if not (ROOT / name).is_file()] == []
    for number in re.findall(r"decisions/(\d{4})", text):
        assert list((ROOT / "docs/decisions").glob(f"{number}-*.md")), number


@pytest.mark.parametrize("readme", READMES, ids=lambda page: page.name)
def test_a_readme_gives_the_demo_accounts_and_patients_of_the_code(readme):
    text = readme.read_text(encoding="utf-8")
    for number, name, _role, password in DEMO_ACCOUNTS:
        assert re.search(rf"^\| {number} \| {name} \|.*\| {password} \|$", text, re.MULTILINE)
    rows = re.findall(r"^\| (\S+) \| (\d{17}[\dX]) \| (\d{11}) \|", text, re.MULTILINE)
    known = {(p.name, p.id_number, p.phone) for p in load_hospital().patients.values()}
    assert len(rows) == 3
    assert set(rows) <= known


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_says_context_decision_status_and_consequences(page):
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem[:4]} ")
    assert "**Status:**" in text
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_the_glossary_gives_each_chinese_term_once():
    terms = re.findall(r"^\| ([^|]*[\u4e00-\u9fff][^|]*) \| [^|]+ \|", _text("docs/glossary.md"), re.MULTILINE)
    terms = [term for term in terms if term != "中文"]
    assert len(terms) >= 60
    assert sorted({term for term in terms if terms.count(term) > 1}) == []
