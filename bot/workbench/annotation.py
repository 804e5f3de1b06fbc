"""Entities in an example: `[心内科](department)` ⇄ plain text and spans. Offsets are Unicode code points, end exclusive."""

import json
import re
from dataclasses import dataclass

from bot.workbench.project import NotSaved

_MARK = re.compile(r"\[(?P<text>[^\[\]]+)\](?:\((?P<entity>[^():]+)(?::(?P<value>[^()]+))?\)|\{(?P<json>[^{}]+)\})")
_BREAKS = re.compile(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
LONGEST = 500  # characters of an example


@dataclass(frozen=True)
class Span:
    """An entity in a plain text; `more` is what else Rasa keeps with it (value, role, group)."""

    start: int
    end: int
    entity: str
    more: tuple[tuple[str, str], ...] = ()


def parse(example: str) -> tuple[str, tuple[Span, ...]]:
    """Take an example apart into its plain text and its entities, as Rasa's reader does."""
    plain, spans, at = "", [], 0
    for mark in _MARK.finditer(example):
        plain += example[at : mark.start()]
        given = {"entity": mark["entity"], "value": mark["value"]} if mark["entity"] else _fields(mark["json"])
        more = tuple((name, given[name]) for name in ("value", "role", "group") if given.get(name))
        spans.append(Span(len(plain), len(plain) + len(mark["text"]), given["entity"], more))
        plain += mark["text"]
        at = mark.end()
    return plain + example[at:], tuple(spans)


def _fields(text: str) -> dict:
    try:
        found = json.loads("{" + text + "}")
    except ValueError:
        found = {}
    return {"entity": "", **found}


def annotate(plain: str, spans: list[Span] | tuple[Span, ...]) -> str:
    """Write an example as it stands in a file. Raises NotSaved for spans that overlap, are empty or cannot be written."""
    out, at = "", 0
    for span in sorted(spans, key=lambda each: each.start):
        if not at <= span.start < span.end <= len(plain):
            raise NotSaved("两处标注重叠了，或者超出了句子，请重新选择。")
        words = plain[span.start : span.end]
        given = {"entity": span.entity, **dict(span.more)}
        mark = f"({span.entity})" if not span.more else json.dumps(given, ensure_ascii=False)
        out += f"{plain[at : span.start]}[{words}]{mark}"
        at = span.end
    out += plain[at:]
    if parse(out) != (plain, tuple(sorted(spans, key=lambda each: each.start))):
        raise NotSaved("句子里的方括号会被误认为标注，请改用全角【】或删去后再保存。")
    return out


def clean(text: str) -> str:
    """Give a text fit for one line of a file: line breaks become a blank, control characters go, all else stays.

    Raises NotSaved for an empty or a very long text.
    """
    text = _CONTROL.sub("", _BREAKS.sub(" ", text)).strip(" \t")
    if not text:
        raise NotSaved("句子是空的，请填写后再保存。")
    if len(text) > LONGEST:
        raise NotSaved(f"句子太长，请控制在{LONGEST}字以内。")
    return text
