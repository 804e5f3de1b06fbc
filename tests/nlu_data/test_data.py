"""docs/nlu-guideline.md as tests over every file of nlu_data/: what patients say, and what we answer."""

import ast
import re
from collections import Counter, defaultdict
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bot.clock import local, now
from bot.settings import ROOT

DATA = ROOT / "nlu_data"
GUIDELINE = (ROOT / "docs/nlu-guideline.md").read_text(encoding="utf-8")
RETRIEVAL = ("faq", "complaint", "chitchat")
ANNOTATION = re.compile(r"\[(?P<span>[^\[\]]*)\](?:\((?P<entity>[^()]*)\)|\{(?P<json>[^{}]*)\})")
FEWEST_OF_AN_INTENT = 40
FEWEST_OF_A_KEY = 12
OPENING = 4  # characters
SAME_OPENING = 0.15  # of a label's examples
RASA_FIELD = "utter_action"  # a field of Rasa's parse data, no response


# ---- reading


def _yaml(path: Path) -> dict:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}


@lru_cache(maxsize=1)
def files() -> dict[str, dict]:
    """Give every YAML file of nlu_data by its path below it."""
    return {str(path.relative_to(DATA)): _yaml(path) for path in sorted(DATA.rglob("*.yml"))}


@lru_cache(maxsize=1)
def examples() -> dict[str, list[str]]:
    """Give label → annotated examples, all files together."""
    found: dict[str, list[str]] = defaultdict(list)
    for content in files().values():
        for block in content.get("nlu", []):
            if "intent" in block:
                lines = [line.strip() for line in block["examples"].splitlines() if line.strip()]
                found[block["intent"]] += [line.removeprefix("-").strip() for line in lines]
    return dict(found)


@lru_cache(maxsize=1)
def responses() -> dict[str, list[dict]]:
    """Give response name → its variants."""
    return {name: variants for content in files().values() for name, variants in content.get("responses", {}).items()}


def plain(example: str) -> str:
    """Give what the patient typed: the example without its annotations."""
    return ANNOTATION.sub(lambda match: match["span"], example)


def masked(example: str) -> str:
    """Give the example with entities for their words: two lines that differ only in 心内科 and 骨科 are one."""
    text = ANNOTATION.sub(lambda match: f"<{match['entity'] or 'json'}>", example)
    return re.sub(r"[\s，。！？,.!?、；;：:]", "", text)


def base(label: str) -> str:
    """Give the intent without its key."""
    return label.partition("/")[0]


# ---- the guideline's own lists


def _guideline_intents() -> set[str]:
    table = GUIDELINE.partition("## Intents")[2].partition("### FAQ keys")[0]
    cells = [row.split("|")[2] for row in table.splitlines() if row.startswith("|")]
    names = {name for cell in cells for name in re.findall(r"`([a-z_/]+)`", cell)}
    return names - {"faq/"}


def _guideline_faq_keys() -> set[str]:
    listed = GUIDELINE.partition("### FAQ keys")[2].partition("\n")[2].partition("## Entities")[0]
    return set(re.findall(r"[a-z_]{3,}", re.sub(r"[（(][^（()）]*[)）]", "", listed)))


def _guideline_entities() -> set[str]:
    table = GUIDELINE.partition("## Entities")[2].partition("Conventions for spans")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("|")]
    return {name for cell in rows for name in re.findall(r"`([a-z_]+)`", cell)}


LABELS = sorted(examples())


# ---- labels


def test_every_label_of_the_guideline_has_examples_and_no_other_label_exists():
    expected = _guideline_intents() | {f"faq/{key}" for key in _guideline_faq_keys()}
    assert set(LABELS) == expected


def test_every_intent_of_the_domain_is_one_of_the_guideline():
    domain = _yaml(ROOT / "domain.yml")
    named = {next(iter(intent)) if isinstance(intent, dict) else intent for intent in domain["intents"]}
    assert named == {base(label) for label in _guideline_intents()} | {"faq"}


def test_every_entity_of_the_guideline_is_annotated_somewhere_and_no_other_is():
    found = {m["entity"] for lines in examples().values() for line in lines for m in ANNOTATION.finditer(line)}
    assert found == _guideline_entities()
    assert set(_yaml(ROOT / "domain.yml")["entities"]) == _guideline_entities()


def test_the_guideline_was_read_in_full():
    assert len(_guideline_intents()) >= 40
    assert len(_guideline_faq_keys()) >= 55
    assert len(_guideline_entities()) == 20


@pytest.mark.parametrize("label", LABELS)
def test_a_label_has_enough_examples(label):
    fewest = FEWEST_OF_A_KEY if base(label) in RETRIEVAL else FEWEST_OF_AN_INTENT
    assert len(examples()[label]) >= fewest


# ---- variety


@pytest.mark.parametrize("label", LABELS)
def test_no_two_examples_of_a_label_differ_only_in_their_entities(label):
    seen = Counter(masked(line) for line in examples()[label])
    bare = re.compile(r"(?:<\w+>了?)+")  # what is nothing but its entities (心内科, 羊水破了) must be said many times
    assert [text for text, count in seen.items() if count > 1 and not bare.fullmatch(text)] == []
    words = Counter(plain(line) for line in examples()[label])
    assert [text for text, count in words.items() if count > 1] == []


@pytest.mark.parametrize("label", LABELS)
def test_the_examples_of_a_label_begin_in_many_ways(label):
    lines = [plain(line) for line in examples()[label]]
    opening, count = Counter(line[:OPENING] for line in lines).most_common(1)[0]
    # Of a dozen examples two may begin alike.
    assert count <= max(2, SAME_OPENING * len(lines)), f"{opening!r} opens {count} of {len(lines)}"


def test_no_text_stands_under_two_labels():
    homes = defaultdict(set)
    for label, lines in examples().items():
        for line in lines:
            homes[plain(line)].add(label)
    assert {text: labels for text, labels in homes.items() if len(labels) > 1} == {}


# ---- annotations


@pytest.mark.parametrize("label", LABELS)
def test_annotations_are_well_formed(label):
    known = _guideline_entities()
    broken = re.compile(r"[\[\]{}]|\]\(|\((?:" + "|".join(known) + r")\)")
    for line in examples()[label]:
        for match in ANNOTATION.finditer(line):
            assert match["entity"] in known, line
            assert match["span"] and match["span"] == match["span"].strip(), line
            assert match["span"].strip("，。！？,.!?、；;：: ") == match["span"], line
        left = ANNOTATION.sub("", line)
        assert not broken.search(left), line


# ---- answers and rules


def test_a_response_name_has_one_home():
    homes = defaultdict(list)
    for path in sorted(DATA.rglob("*.yml")):
        inside = path.read_text(encoding="utf-8").partition("responses:")[2]
        for name in re.findall(r"^ {2}(utter_[\w/]+):", inside, re.MULTILINE):
            homes[name].append(str(path.relative_to(DATA)))
    assert set(homes) == set(responses())
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}
    assert not set(_yaml(ROOT / "domain.yml").get("responses", {}))


@pytest.mark.parametrize("name", sorted(files()))
def test_a_data_file_holds_only_what_rasa_reads_there(name):
    # Rasa drops `slots:` and `actions:` of these files without a word.
    assert set(files()[name]) <= {"version", "nlu", "rules", "responses"}


def test_every_rule_names_an_intent_and_actions_that_exist():
    domain = _yaml(ROOT / "domain.yml")
    intents = {base(label) for label in LABELS} | {"nlu_fallback"}
    actions = set(domain["actions"]) | set(responses()) | {f"utter_{name}" for name in RETRIEVAL}
    for name, content in files().items():
        for rule in content.get("rules", []):
            for step in rule["steps"]:
                assert step.get("intent", "nlu_fallback") in intents, (name, rule["rule"])
                assert step.get("action", "utter_faq") in actions, (name, rule["rule"])


def test_every_intent_has_exactly_one_rule():
    steps = [step for content in files().values() for rule in content.get("rules", []) for step in rule["steps"]]
    ruled = Counter(step["intent"] for step in steps if "intent" in step)
    assert ruled == {intent: 1 for intent in {base(label) for label in LABELS} | {"nlu_fallback"}}


# ---- what actions/ say


@lru_cache(maxsize=1)
def _said() -> tuple[set[str], tuple[str, ...]]:
    """Give the response names in actions/ and bot/, and the beginnings of names put together there (utter_ask_…)."""
    whole, beginnings = set(), set()
    for path in [*sorted((ROOT / "actions").glob("*.py")), *sorted((ROOT / "bot").rglob("*.py"))]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        formatted = [node.values[0] for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and node.values]
        beginnings |= {
            node.value for node in formatted if isinstance(node, ast.Constant) and node.value.startswith("utter_")
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in formatted:
                if re.fullmatch(r"utter_[a-z_/]+", node.value):
                    whole.add(node.value)
    # f"utter_{label}" says the answer of a retrieval label: test_every_key_has_an_answer.
    return whole - {RASA_FIELD}, tuple(sorted(beginnings - {"utter_"}))


def test_every_response_that_the_code_names_is_written():
    whole, beginnings = _said()
    assert sorted(whole - set(responses())) == []
    assert [one for one in beginnings if not any(name.startswith(one) for name in responses())] == []


def test_every_response_that_is_written_can_be_said():
    whole, beginnings = _said()
    ruled = {step.get("action") for c in files().values() for rule in c.get("rules", []) for step in rule["steps"]}
    keys = {f"utter_{label}" for label in LABELS if base(label) in RETRIEVAL}
    unused = set(responses()) - whole - ruled - keys
    assert sorted(name for name in unused if not name.startswith(beginnings)) == []


@pytest.mark.parametrize("label", [label for label in LABELS if base(label) in RETRIEVAL])
def test_every_key_has_an_answer(label):
    variants = responses()[f"utter_{label}"]
    assert all(variant["text"].strip() for variant in variants)


@pytest.mark.parametrize("label", [label for label in LABELS if base(label) == "faq"])
def test_a_standing_answer_has_an_owner_an_id_and_is_reviewed(label):
    today = local(now()).date()
    for variant in responses()[f"utter_{label}"]:
        entry = variant["metadata"]
        assert entry["owner"] and entry["id"] == label.replace("/", "-").replace("_", "-")
        assert date.fromisoformat(entry["valid_to"]) >= today, f"{label} must be reviewed by {entry['owner']} (R62)"
