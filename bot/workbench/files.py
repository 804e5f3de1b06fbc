"""Training examples in nlu_data, changed line by line: comments, order and quoting of all other lines stay.

A change names the line it means by its words, not by its number. The file is read again right before it is written: what
others changed elsewhere in it meanwhile is kept, and when the line itself has changed the deed is refused (Stale).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.workbench.project import NotSaved, Project, Stale

_BLOCK = re.compile(
    r"^(?P<indent>\s*)-\s+(?P<kind>intent|synonym|regex|lookup):\s*(?P<quote>[\"']?)(?P<name>[^\"'#]+?)(?P=quote)\s*(#.*)?$"
)
_EXAMPLES = re.compile(r"^(?P<indent>\s*)(?:-\s+)?examples:\s*[|>][+-]?\d?\s*(#.*)?$")
_EXAMPLE = re.compile(r"^\s*-\s*(?P<text>.*?)\s*$")


@dataclass(frozen=True)
class Example:
    """A training line: `file` is relative to nlu_data, `line` counts from 0, `text` carries its annotations."""

    file: str
    line: int
    label: str
    text: str


def nlu_files(project: Project) -> list[Path]:
    """Give the YAML files that hold training lines."""
    return [path for path in sorted(project.data.rglob("*.yml")) if re.search(r"^nlu:", _read(path), re.MULTILINE)]


def examples(project: Project) -> list[Example]:
    """Give every training line, in the order of the files."""
    return [
        example
        for path in nlu_files(project)
        for example in find(_read(path), path.relative_to(project.data).as_posix())
    ]


def find(text: str, file: str) -> list[Example]:
    """Give the training lines of a file's text."""
    found: list[Example] = []
    label, block = None, None  # block: the indent of the line `examples: |`
    for number, line in enumerate(text.split("\n")):
        line = line.rstrip("\r")
        indent = len(line) - len(line.lstrip(" "))
        if block is not None:
            if not line.strip():
                continue
            if indent > block:
                if label and (match := _EXAMPLE.match(line)) and match["text"]:
                    found.append(Example(file, number, label, match["text"]))
                continue
            block = None
        if match := _BLOCK.match(line):
            label = match["name"] if match["kind"] == "intent" else None
        elif match := _EXAMPLES.match(line):
            block = indent
    return found


def change(project: Project, file: str, label: str, old: str, new: str) -> None:
    """Put `new` in the place of the line `old` of a label. Raises Stale when it is no longer there, NotSaved."""

    def edit(lines: list[str], given: list[Example]) -> None:
        place = _place(given, label, old)
        head, _, tail = lines[place].partition(old)
        lines[place] = head + new + tail

    _edit(project, file, edit, gone=(label, old), come=(label, new))


def add(project: Project, file: str, label: str, new: str) -> None:
    """Append a line to a label's examples in a file that has some. Raises NotSaved when it has none."""

    def edit(lines: list[str], given: list[Example]) -> None:
        last = max((each.line for each in given if each.label == label), default=None)
        if last is None:
            raise NotSaved(f"文件 {file} 里没有这个意图的例句，请换一个文件。")
        model = lines[last]
        indent = model[: len(model) - len(model.lstrip(" "))]
        lines.insert(last + 1, f"{indent}- {new}" + ("\r" if model.endswith("\r") else ""))

    _edit(project, file, edit, come=(label, new))


def remove(project: Project, file: str, label: str, old: str) -> None:
    """Take the line `old` of a label out. Raises Stale when it is no longer there, NotSaved for a label's last line."""

    def edit(lines: list[str], given: list[Example]) -> None:
        if sum(each.label == label for each in given) < 2:
            raise NotSaved("这是该意图在文件里的最后一条例句，不能删除。")
        del lines[_place(given, label, old)]

    _edit(project, file, edit, gone=(label, old))


def _place(given: list[Example], label: str, text: str) -> int:
    # The last of several equal lines: undoing an addition takes back what was added.
    for each in reversed(given):
        if (each.label, each.text) == (label, text):
            return each.line
    raise Stale("这条例句刚刚被别人改过或删除了，请刷新后再试，您的修改没有写入。")


def _edit(
    project: Project,
    file: str,
    deed: Callable[[list[str], list[Example]], None],
    gone: tuple[str, str] | None = None,
    come: tuple[str, str] | None = None,
) -> None:
    """Change one line of a file, and write it only when a YAML reader then sees just this one change."""
    path = project.inside(file)
    with project.writer():
        before = _read(path)
        lines = before.split("\n")
        deed(lines, find(before, file))
        after = "\n".join(lines)
        wanted = seen(before)
        if gone:
            wanted.remove(gone)
        if come:
            wanted.append(come)
        if sorted(seen(after)) != sorted(wanted):
            raise NotSaved("这样保存会破坏训练文件，请检查句子里的特殊符号。")
        if _read(path) != before:
            raise Stale("文件刚刚被别人修改，请再保存一次。")
        project.write(path, after)


def seen(text: str) -> list[tuple[str, str]]:
    """Give (label, example) as a YAML reader sees them, in order."""
    content = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    return [
        (block["intent"], line.strip()[1:].strip())
        for block in content.get("nlu", [])
        if "intent" in block
        for line in block["examples"].splitlines()
        if line.strip().startswith("-") and line.strip()[1:].strip()
    ]


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")
