"""Upkeep of the training lines from the command line: lint, dedupe, split."""

import random
from collections import defaultdict
from pathlib import Path

import yaml

from bot.errors import DaoyiError
from bot.workbench import checks, files
from bot.workbench.annotation import parse
from bot.workbench.answers import FEWEST
from bot.workbench.checks import SAME_WORDS, fold
from bot.workbench.labels import entities
from bot.workbench.project import Project


def lint(project: Project) -> int:
    """Print conflicts, repeats, unknown entities and labels with few lines; 1 where a label or an entity is wrong."""
    given = files.examples(project)
    lines, wrong = checks.Lines(given), 0
    for places in lines.same.values():
        labels = sorted({given[at].label for at in places})
        if len(labels) > 1:
            wrong += 1
            print(f"conflict\t{' '.join(labels)}\t{given[places[0]].text}")
        for at in places[1:]:
            if given[at].label == given[places[0]].label:
                print(f"repeat\t{given[at].file}:{given[at].line + 1}\t{given[at].text}")
    counts: dict[str, int] = defaultdict(int)
    for example in given:
        counts[example.label] += 1
        for span in parse(example.text)[1]:
            if span.entity not in entities():
                wrong += 1
                print(f"unknown entity {span.entity}\t{example.file}:{example.line + 1}\t{example.text}")
    for label, count in sorted(counts.items()):
        if count < FEWEST:
            print(f"few lines\t{label}\t{count}")
    print(f"{len(given)} lines, {len(counts)} labels, {wrong} faults")
    return 1 if wrong else 0


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
