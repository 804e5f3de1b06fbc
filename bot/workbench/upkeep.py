"""Upkeep of the training lines from the command line: lint, dedupe, split."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import yaml

from bot.errors import DaoyiError
from bot.workbench import checks, files
from bot.workbench.annotation import parse
from bot.workbench.answers import FEWEST, answers
from bot.workbench.checks import SAME_WORDS, fold
from bot.workbench.labels import entities
from bot.workbench.project import Project

# docs/nlu-guideline.md; tests/nlu_data/ holds the house's own lines to it
FEWEST_OF_AN_INTENT = 40
OPENING = 4  # characters
SAME_OPENING = 0.15  # of a label's lines
_REMNANT = re.compile(r"[\[\]{}]")


def lint(project: Project) -> int:
    """Print what docs/nlu-guideline.md asks of training lines and they do not keep; 1 where one would be learnt wrongly.

    Faults: a line under two labels, a mark that is broken, overlaps another or names no entity, a label that the domain does
    not know, an intent of it without lines, a key without an answer. Advice: repeats, lines that differ only in their
    entities, few lines, too many that begin alike.
    """
    given = files.examples(project)
    by_label: dict[str, list[files.Example]] = defaultdict(list)
    for example in given:
        by_label[example.label].append(example)
    faults = [*_conflicts(given), *_marks(given), *_strangers(project, by_label)]
    advice = [*_repeats(given), *(each for label in sorted(by_label) for each in _variety(label, by_label[label]))]
    for line in faults + advice:
        print(line)
    print(f"{len(given)} lines, {len(by_label)} labels, {len(faults)} faults, {len(advice)} to look at")
    return 1 if faults else 0


def _place(example: files.Example) -> str:
    return f"{example.file}:{example.line + 1}\t{example.text}"


def _conflicts(given: list[files.Example]) -> Iterator[str]:
    for places in checks.Lines(given).same.values():
        labels = sorted({given[at].label for at in places})
        if len(labels) > 1:
            yield f"conflict\t{' '.join(labels)}\t{given[places[0]].text}"


def _marks(given: list[files.Example]) -> Iterator[str]:
    for example in given:
        plain, spans = parse(example.text)
        for span in spans:
            if span.entity not in entities():
                yield f"unknown entity {span.entity}\t{_place(example)}"
        if _REMNANT.search(plain):  # of a mark within a mark, or one that is not closed
            yield f"broken mark\t{_place(example)}"


def _strangers(project: Project, by_label: dict[str, list]) -> Iterator[str]:
    try:
        domain = yaml.safe_load((project.root / "domain.yml").read_text(encoding="utf-8"))
    except OSError as error:
        raise DaoyiError("domain.yml is missing: run this in the project's folder") from error
    known = {next(iter(intent)) if isinstance(intent, dict) else intent for intent in domain["intents"]}
    said = {each.name for each in answers(project)}
    for label in sorted(by_label):
        base, _, key = label.partition("/")
        if base not in known:
            yield f"label not in domain.yml\t{label}"
        if key and f"utter_{label}" not in said:
            yield f"no answer\t{label}"
    for intent in sorted(known - {label.partition("/")[0] for label in by_label}):
        yield f"no lines\t{intent}"


def _repeats(given: list[files.Example]) -> Iterator[str]:
    for places in checks.Lines(given).same.values():
        for at in places[1:]:
            if given[at].label == given[places[0]].label:
                yield f"repeat\t{_place(given[at])}"


def _variety(label: str, lines: list[files.Example]) -> Iterator[str]:
    fewest = FEWEST if "/" in label else FEWEST_OF_AN_INTENT
    if len(lines) < fewest:
        yield f"few lines\t{label}\t{len(lines)} of {fewest}"
    opening, count = Counter(parse(each.text)[0][:OPENING] for each in lines).most_common(1)[0]
    if count > max(2, SAME_OPENING * len(lines)):
        yield f"same opening\t{label}\t{opening} begins {count} of {len(lines)}"
    alike: dict[str, list[files.Example]] = defaultdict(list)
    for each in lines:
        alike[_masked(each.text)].append(each)
    for words, twins in alike.items():
        # What is nothing but its entities (心内科) must be said many times; the same words are a repeat.
        if re.sub("<[a-z_]*>", "", words) and len({fold(parse(each.text)[0]) for each in twins}) > 1:
            yield f"alike\t{label}\t{' | '.join(each.text for each in twins)}"


def _masked(example: str) -> str:
    """Give a line with entities for their words: two that differ only in 心内科 and 骨科 are one."""
    plain, spans = parse(example)
    for span in reversed(spans):
        plain = f"{plain[: span.start]}<{span.entity}>{plain[span.end :]}"
    return re.sub(r"[\s，。！？,.!?、；;：:]", "", plain)


def dedupe(project: Project, write: bool) -> int:
    """Print repeats and lines that almost repeat another; `write` takes the repeats out."""
    given = files.examples(project)
    lines, gone = checks.Lines(given), 0
    for places in lines.same.values():
        for at in places[1:]:
            if given[at].label == given[places[0]].label:
                gone += 1
                print(f"repeat\t{given[at].file}:{given[at].line + 1}\t{given[at].text}")
                if write:
                    files.remove(project, given[at].file, given[at].label, given[at].text)
    near = 0
    for at, example in enumerate(given):
        for share, other in lines.near(parse(example.text)[0], SAME_WORDS):
            if other.label == example.label and (other.file, other.line) > (example.file, example.line):
                near += 1
                print(f"near {share:.2f}\t{given[at].text}\t{other.text}")
    print(f"{gone} repeats{' taken out' if write else ''}, {near} pairs that almost repeat each other")
    return 0


def split(project: Project, folder: Path, share: float) -> int:
    """Part the lines into training and test, every label alike. Raises DaoyiError for a folder that exists."""
    if not 0 < share < 1:
        raise DaoyiError("--share must lie between 0 and 1")
    if folder.exists():
        raise DaoyiError(f"{folder} exists; name a new folder")
    by_label: dict[str, list] = defaultdict(list)
    for example in files.examples(project):
        by_label[example.label].append(example)
    train, test = [], []
    for label in sorted(by_label):
        # Lines of the same words stay together, or the test would be of what was learnt by heart.
        words = sorted({fold(parse(each.text)[0]) for each in by_label[label]})
        random.Random(label).shuffle(words)
        held = set(words[: round(len(words) * share)])
        for each in by_label[label]:
            (test if fold(parse(each.text)[0]) in held else train).append(each)
    (folder / "train").mkdir(parents=True)
    blocks = defaultdict(list)
    for each in train:
        blocks[each.label].append(each.text)
    out = ['version: "3.1"', "nlu:"]
    for label, texts in blocks.items():
        out += [f"- intent: {label}", "  examples: |", *(f"    - {text}" for text in texts)]
    (folder / "train" / "nlu.yml").write_text("\n".join(out) + "\n", encoding="utf-8")
    rows = [_case(each) for each in test]
    (folder / "test.yml").write_text(yaml.safe_dump(rows, allow_unicode=True, sort_keys=False), encoding="utf-8")
    print(f"{len(train)} lines to train on, {len(test)} to test with, in {folder}")
    return 0


def _case(example: files.Example) -> dict:
    plain, spans = parse(example.text)
    found = [{"entity": span.entity, "text": plain[span.start : span.end]} for span in spans]
    return {"intent": example.label, "voice": "own", "text": plain, "entities": found}
