"""Plain words: a term of the trade gets a short gloss where a conversation uses it for the first time (R20)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ruamel.yaml import YAML

from bot.errors import DataError

TERMS_FILE = Path(__file__).with_name("terms.yml")
_QUOTE = re.compile(r"「[^」]*」|“[^”]*”")
_BRACKETS = re.compile(r"[（(][^（()）]*[)）]")
_GLOSS = re.compile(r"[（(〔][^（()）〔〕]*[)）〕]")
_MEANS = re.compile(r"[”」]?(?:，|,)?(?:也)?(?:就是|即|是指|指的?是|意思是|指)")
_GLOSS_LETTERS = 6  # a bracket with fewer Chinese characters, （1300元）, explains nothing


@dataclass(frozen=True)
class Term:
    """A term found in a text at start..end, and whether the text itself explains it there."""

    term: str
    start: int
    end: int
    explained: bool


@lru_cache(maxsize=1)
def terms() -> dict[str, str]:
    """Give the glossary, term → gloss. Raises DataError if the file is no table of words."""
    loaded = YAML(typ="safe").load(TERMS_FILE.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict) or not all(isinstance(word, str) for pair in loaded.items() for word in pair):
        raise DataError(f"{TERMS_FILE.name}: each line must read 词: 解释")
    return loaded


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    return re.compile("|".join(sorted(map(re.escape, terms()), key=len, reverse=True)))


def find_terms(text: str) -> Iterator[Term]:
    """Give the terms of a text from left to right, the longest at each place; glosses and quotes are not searched."""
    quotes = [match.span() for match in _QUOTE.finditer(text)]
    past_gloss = 0
    for match in _pattern().finditer(text):
        start, end = match.span()
        if start < past_gloss or any(left < start and end < right for left, right in quotes):
            continue
        gloss_end = _gloss_end(text, match.group(), end)
        past_gloss = max(past_gloss, gloss_end)
        yield Term(match.group(), start, end, gloss_end > end)


def _gloss_end(text: str, term: str, end: int) -> int:
    """Give where the explanation behind a term ends, or `end` where there is none."""
    bracket = _GLOSS.match(text, end)
    if bracket:
        inside = bracket.group()[1:-1]
        if inside == terms()[term] or len(re.findall("[\u4e00-\u9fff]", inside)) >= _GLOSS_LETTERS:
            return bracket.end()
    means = _MEANS.match(text, end)
    return means.end() if means else end


def explain_terms(text: str, known: set[str]) -> tuple[str, set[str]]:
    """Put a gloss after each term at its first use, and give the text with all terms that are known from now on.

    Terms in `known` and terms that the text explains itself stay as they are, so a second run changes nothing. A term
    inside brackets waits for its next use; if there is none, its gloss stands in 〔〕 to avoid brackets in brackets.
    """
    found = list(find_terms(text))
    brackets = [match.span() for match in _BRACKETS.finditer(text)]
    learned = set(known) | {each.term for each in found if each.explained}
    insertions: dict[int, str] = {}
    for nested in (False, True):
        for each in found:
            inside = any(left < each.start < right for left, right in brackets)
            if each.term in learned or inside != nested:
                continue
            gloss = terms()[each.term]
            insertions[each.end] = f"〔{gloss}〕" if nested else f"（{gloss}）"
            learned.add(each.term)
    for place in sorted(insertions, reverse=True):
        text = text[:place] + insertions[place] + text[place:]
    return text, learned
