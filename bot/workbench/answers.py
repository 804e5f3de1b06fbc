"""What we answer: nlu_data/*/responses.yml, changed in place. Only the words of the changed answer change in the file.

A changed answer needs a new worker and no training (bot/nlu/answers.py).
"""

import re
from dataclasses import dataclass, field
from datetime import date

import yaml

from bot.hospital.facts import answer_facts
from bot.language.lint import lint
from bot.workbench import files
from bot.workbench.annotation import annotate, clean, parse
from bot.workbench.labels import title as title_of
from bot.workbench.project import NotSaved, Project, Stale

ANSWERS = "responses.yml"
KEY = re.compile(r"[a-z][a-z0-9_]{2,39}", re.ASCII)
VARIABLE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
FEWEST = 12  # examples of a standing question (docs/nlu-guideline.md, tests/nlu_data)
LONGEST = 1200  # characters


@dataclass(frozen=True)
class Answer:
    """One variation of a response. `variables` are those that its code fills in, besides the hospital's facts."""

    name: str
    number: int
    file: str
    text: str
    owner: str = ""
    valid_to: str = ""
    title: str = ""
    variables: tuple[str, ...] = field(default=())


def answers(project: Project) -> list[Answer]:
    """Give every answer, by file and in the order of the files."""
    found = []
    for path in sorted(project.data.glob(f"*/{ANSWERS}")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or {}
        for name, variants in (content.get("responses") or {}).items():
            for number, variant in enumerate(variants):
                if isinstance(variant.get("text"), str):
                    found.append(_answer(project, path.relative_to(project.data).as_posix(), name, number, variant))
    return found


def _answer(project: Project, file: str, name: str, number: int, variant: dict) -> Answer:
    facts = variant.get("metadata") or {}
    text = variant["text"].rstrip("\n")
    own = tuple(dict.fromkeys(v for v in VARIABLE.findall(text) if v not in answer_facts()))
    label = name.removeprefix("utter_")
    title = facts.get("title") or (title_of(label, project) if label.startswith("faq/") else "")
    return Answer(name, number, file, text, facts.get("owner", ""), str(facts.get("valid_to", "")), title, own)


def problems(text: str, variables: tuple[str, ...] = ()) -> list[dict]:
    """Give what is wrong with an answer: [{rule, fragment, advice, stops}], the gravest first."""
    out = []
    known = {*answer_facts(), *variables}
    for name in dict.fromkeys(VARIABLE.findall(text)):
        if name not in known:
            usable = "、".join(f"{{{each}}}" for each in (*variables, *answer_facts()))
            out.append(_problem("变量", f"{{{name}}}", f"没有这个变量，可以用的有：{usable}", True))
    if re.search(r"[{}]", VARIABLE.sub("", text)):
        out.append(_problem("变量", "{ }", "花括号要成对，里面只写变量名。", True))
    for name in variables:
        if f"{{{name}}}" not in text:
            out.append(_problem("变量", f"{{{name}}}", "原来的回答里有这个变量，去掉后患者就看不到这项内容。", False))
    judged = _fill(text, dict.fromkeys(variables, "□□"))
    out += [_problem(each.rule, each.fragment, each.advice, False) for each in lint(judged)]
    if len(text) > LONGEST:
        out.append(_problem("长度", f"{len(text)}字", f"请控制在{LONGEST}字以内。", True))
    return out


def _problem(rule: str, fragment: str, advice: str, stops: bool) -> dict:
    return {"rule": rule, "fragment": fragment, "advice": advice, "stops": stops}


def filled(text: str, variables: tuple[str, ...] = ()) -> str:
    """Give an answer as a patient sees it: the hospital's facts in their places, a sign for what code fills in."""
    return _fill(text, {name: f"〔{name}〕" for name in variables})


def _fill(text: str, own: dict[str, str]) -> str:
    known = {**answer_facts(), **own}
    return VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def change(project: Project, before: Answer, text: str, owner: str, valid_to: str) -> None:
    """Write an answer anew. Raises NotSaved for faults, Stale when the file's answer is no longer the one shown."""
    text = tidy(text)
    _refuse(text, before.variables)
    _require_day(valid_to)
    path = project.inside(before.file)
    with project.writer():
        old = path.read_bytes().decode("utf-8")
        node = _variant(old, before)
        found = yaml.load(old, Loader=yaml.CSafeLoader)["responses"][before.name][before.number]
        now_there = _answer(project, before.file, before.name, before.number, found)
        if (now_there.text, now_there.owner, now_there.valid_to) != (before.text, before.owner, before.valid_to):
            raise Stale("这条回答刚刚被别人改过，请刷新后再改，您的修改没有写入。")
        new, wanted = old, {**found}
        facts = {**(found.get("metadata") or {})}
        if (owner, valid_to) != (before.owner, before.valid_to):
            facts.update({key: value for key, value in (("owner", owner), ("valid_to", valid_to)) if value})
            wanted["metadata"] = facts
            new = _with_metadata(new, node, facts)  # it stands behind the text: from the end to the front
        if text != before.text:
            wanted["text"] = text
            new = _with_text(new, node, text)
        content = yaml.load(new, Loader=yaml.CSafeLoader)
        expected = yaml.load(old, Loader=yaml.CSafeLoader)
        expected["responses"][before.name][before.number] = wanted
        if content != expected:
            raise NotSaved("这样保存会破坏回答文件，请检查特殊符号，或请信息科协助。")
        project.write(path, new)


def tidy(text: str) -> str:
    """Give a text without blanks at line ends and control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "\n".join(clean(line).rstrip() if line.strip() else "" for line in text.strip().split("\n"))


def _refuse(text: str, variables: tuple[str, ...]) -> None:
    if not text:
        raise NotSaved("回答是空的，请填写后再保存。")
    if stops := [each for each in problems(text, variables) if each["stops"]]:
        raise NotSaved(f"{stops[0]['fragment']}：{stops[0]['advice']}")


def _require_day(day: str) -> None:
    try:
        if day:
            date.fromisoformat(day)
    except ValueError:
        raise NotSaved("有效期请写成 2027-12-31 这样的日期。") from None


def _variant(text: str, answer: Answer):
    """Find the YAML node of a variation; its marks say where its words stand."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    responses = _child(root, "responses")
    variants = _child(responses, answer.name) if responses is not None else None
    if variants is None or answer.number >= len(variants.value):
        raise Stale("这条回答已经不在文件里了，请刷新页面。")
    return variants.value[answer.number]


def _child(node, key: str):
    return next((value for name, value in node.value if name.value == key), None)


def _with_text(text: str, node, new: str) -> str:
    value = _child(node, "text")
    indent = " " * (node.start_mark.column + 2)
    tail = text[value.start_mark.index : value.end_mark.index]
    if "\n" in new or value.style in ("|", ">"):
        block = "|-\n" + "\n".join(indent + line if line else "" for line in new.split("\n"))
        # A block ends behind its last line break; anything else ends where its words end.
        written = block + ("\n" if tail.endswith("\n") else "")
        gap = re.search(r"\n(\n*)\Z", tail)
        written += gap[1] if gap else ""
    else:
        written = _quoted(new)
    return text[: value.start_mark.index] + written + text[value.end_mark.index :]


def _with_metadata(text: str, node, facts: dict) -> str:
    fields = ", ".join(f"{name}: {_plain(str(value))}" for name, value in facts.items())
    value = _child(node, "metadata")
    if value is not None:
        return text[: value.start_mark.index] + f"{{{fields}}}" + text[value.end_mark.index :].lstrip(" ")
    words = _child(node, "text")
    head = text[: words.end_mark.index].rstrip("\n")
    indent = " " * (node.start_mark.column)
    return f"{head}\n{indent}metadata: {{{fields}}}\n" + text[words.end_mark.index :].removeprefix("\n")


def _plain(value: str) -> str:
    return (
        value
        if re.fullmatch(r"[A-Za-z一-鿿][\w一-鿿/-]*", value)
        and not re.fullmatch(r"(?i)true|false|yes|no|null|on|off", value)
        else _quoted(value)
    )


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def add_question(
    project: Project, key: str, title: str, examples: list[str], text: str, owner: str, valid_to: str
) -> list:
    """Make a standing question faq/KEY: its examples, its answer, its line in the guideline; gives the changed files.

    No code and no domain line is needed: `faq` is a retrieval intent. Raises NotSaved, and then nothing is written.
    """
    label = f"faq/{key}"
    if not KEY.fullmatch(key):
        raise NotSaved("代号请用小写英文字母、数字和下划线，3到40个字符，例如 night_clinic。")
    if not title.strip() or len(title) > 20:
        raise NotSaved("请填写20字以内的中文名称。")
    if not owner.strip():
        raise NotSaved("请填写负责核对这条回答的科室。")
    _require_day(valid_to)
    text = tidy(text)
    _refuse(text, ())
    lines = list(dict.fromkeys(annotate(*parse(clean(each))) for each in examples if each.strip()))
    if len(lines) < FEWEST:
        raise NotSaved(f"至少需要{FEWEST}条不同的例句，现在有{len(lines)}条。")
    known = {example.label for example in files.examples(project)}
    if label in known:
        raise NotSaved(f"代号 {key} 已经有了，请换一个。")
    nlu, responses = project.inside("faq/nlu.yml"), project.inside(f"faq/{ANSWERS}")
    facts = {
        "owner": owner.strip(),
        "valid_to": valid_to or "2027-12-31",
        "id": f"faq-{key.replace('_', '-')}",
        "title": title.strip(),
    }
    fields = ", ".join(f"{name}: {_plain(str(value))}" for name, value in facts.items())
    block = "\n".join(f"        {line}" if line else "" for line in text.split("\n"))
    with project.writer():
        old_nlu, old_responses = (path.read_bytes().decode("utf-8") for path in (nlu, responses))
        new_nlu = f"{old_nlu.rstrip()}\n- intent: {label}\n  examples: |\n" + "".join(
            f"    - {line}\n" for line in lines
        )
        new_responses = (
            f"{old_responses.rstrip()}\n  utter_{label}:\n    - text: |-\n{block}\n      metadata: {{{fields}}}\n"
        )
        answer = {"text": text, "metadata": {name: str(value) for name, value in facts.items()}}
        before = yaml.load(old_responses, Loader=yaml.CSafeLoader)["responses"]
        if yaml.load(new_responses, Loader=yaml.CSafeLoader)["responses"] != {**before, f"utter_{label}": [answer]}:
            raise NotSaved("这样保存会破坏回答文件，请检查特殊符号。")
        if files.seen(new_nlu) != [*files.seen(old_nlu), *((label, line) for line in lines)]:
            raise NotSaved("这样保存会破坏训练文件，请检查例句里的特殊符号。")
        project.write(nlu, new_nlu)
        project.write(responses, new_responses)
        changed = [nlu, responses]
        guide = project.root / "docs" / "nlu-guideline.md"
        if guide.is_file():
            words = guide.read_bytes().decode("utf-8")
            head, mark, rest = words.partition("### FAQ keys required\n")
            listed, end, tail = rest.partition("\n\n")
            if mark and end:
                project.write(guide, f"{head}{mark}{listed},\n{key} ({title.strip()}){end}{tail}")
                changed.append(guide)
    return changed
