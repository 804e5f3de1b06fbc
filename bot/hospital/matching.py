"""Finds what a patient means by a word: exact, short form, homophone, typo, Traditional characters, typed pinyin.

An `Index` is built from names and asked with a span. Its rules go from sure to doubtful; the first that answers wins.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import opencc
from pypinyin import lazy_pinyin

# Scores of the rules, best first. Below 0.8 a read-back is due: the word was not written as the hospital writes it.
EXACT, STEM, GROUP, INSIDE, PART, SOUND, DIALECT, TYPO, SOUND_TYPO = 1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6
MOST = 12
_NOISE = re.compile(r"[\s\W_]+")
_LATIN = re.compile(r"[a-z]{4,}")
# Sounds that southern speakers and speech recognition mix up: zh/z, ch/c, sh/s, -ng/-n, n-/l-.
_FOLD = ((re.compile(r"^([zcs])h"), r"\1"), (re.compile(r"ng$"), "n"), (re.compile(r"^n"), "l"))


@dataclass(frozen=True)
class Match:
    """One meaning of a span. `kind` is "item" unless said otherwise (a fee category is "category")."""

    code: str
    name: str
    score: float  # 1.0 sure … 0.6 doubtful
    kind: str = "item"


@dataclass(frozen=True)
class Entry:
    """What an index knows: names mean this entry alone, groups are shared."""

    code: str
    name: str
    names: tuple[str, ...]
    groups: tuple[str, ...] = ()
    kind: str = "item"


class Index:
    """Names of one kind (departments, price items), searchable. Immutable after construction."""

    def __init__(self, entries: Iterable[Entry], noise: re.Pattern, stem: re.Pattern, stop: frozenset[str]) -> None:
        """Take the entries, endings that carry no meaning (门诊), endings that may be dropped (科), words too vague."""
        self._entries = list(entries)
        self._noise, self._stem, self._stop = noise, stem, stop
        self._own: dict[str, list[Entry]] = {}
        self._shared: dict[str, list[Entry]] = {}
        for entry in self._entries:
            for word in entry.names:
                _add(self._own, normalise(word), entry)
            for word in entry.groups:
                _add(self._shared, normalise(word), entry)
        self._stems: dict[str, list[Entry]] = {}
        for table in (self._own, self._shared):
            for word, owners in table.items():
                if len(short := self._cut(word)) >= 2:
                    for owner in owners:
                        _add(self._stems, short, owner)

    def best(self, span: str) -> list[Match]:
        """Give the matches of the surest rule that answers; several are an ambiguity, none means unknown."""
        return next((found for found in self._rules(span) if found), [])

    def named(self, word: str) -> list[Match]:
        """Give the matches by an exact own or shared name only."""
        text = normalise(word)
        return _matches(self._own.get(text, ()), EXACT) or _matches(self._shared.get(text, ()), GROUP)

    def ranked(self, span: str) -> list[Match]:
        """Give the matches of all rules, best first, each entry once, at most twelve."""
        found: dict[tuple[str, str], Match] = {}
        for matches in self._rules(span):
            for match in matches:
                found.setdefault((match.kind, match.code), match)
        return list(found.values())[:MOST]

    def _rules(self, span: str):
        text = normalise(span)
        if not text:
            return
        bare = self._noise.sub("", text) or text
        for word in dict.fromkeys((text, bare)):
            yield _matches(self._own.get(word, ()), EXACT)
            yield _matches(self._shared.get(word, ()), GROUP)
        yield _matches(self._stems.get(self._cut(bare), ()), STEM)
        yield self._inside(text)
        yield self._part(self._cut(bare))
        if _LATIN.fullmatch(bare):
            yield _matches(_written_alike(bare, self._sounds.get(bare, {})), SOUND)
            return
        if len(bare) < 2:
            return
        yield _matches(_written_alike(bare, self._sounds.get("".join(sound(bare)), {})), SOUND)
        yield _matches(_written_alike(bare, self._folded.get("".join(fold(sound(bare))), {})), DIALECT)
        if len(bare) >= 3:
            yield self._typo(bare)
            yield self._sound_typo(bare)

    def _cut(self, word: str) -> str:
        return self._stem.sub("", self._noise.sub("", word) or word)

    def _inside(self, text: str) -> list[Match]:
        """Find the longest own name that stands inside a longer span (做个心脏彩超)."""
        inside = [word for word in self._own if len(word) >= 2 and word in text and len(word) < len(text)]
        longest = max(map(len, inside), default=0)
        owners = [entry for word in inside if len(word) == longest for entry in self._own[word]]
        return _matches(owners, INSIDE)

    def _part(self, short: str) -> list[Match]:
        """Find names that the span begins, if it covers more than half of them (神经 → 神经内科, 神经外科)."""
        if len(short) < 2 or short in self._stop:
            return []
        owners = [
            entry
            for word, entries in self._stems.items()
            if word.startswith(short) and len(short) * 2 > len(word)
            for entry in entries
        ]
        return _matches(owners, PART)

    @cached_property
    def _sounds(self) -> dict[str, dict[str, list[Entry]]]:
        return self._spoken(lambda word: "".join(sound(word)))

    @cached_property
    def _folded(self) -> dict[str, dict[str, list[Entry]]]:
        return self._spoken(lambda word: "".join(fold(sound(word))))

    def _spoken(self, say: Callable[[str], str]) -> dict[str, dict[str, list[Entry]]]:
        """Give the words with their owners by how they sound."""
        table: dict[str, dict[str, list[Entry]]] = {}
        for word, owners in [*self._own.items(), *self._shared.items()]:
            if len(word) >= 2:
                table.setdefault(say(word), {})[word] = owners
        return table

    def _typo(self, text: str) -> list[Match]:
        near = [
            (alike(text, word), entry)
            for word, owners in self._own.items()
            if len(word) >= 3 and one_edit(text, word)
            for entry in owners
        ]
        near.sort(key=lambda pair: -pair[0])
        return _matches([entry for _, entry in near], TYPO)

    def _sound_typo(self, text: str) -> list[Match]:
        spoken = "".join(sound(text))
        owners = [
            entry
            for word, entries in self._own.items()
            if len(word) >= 3 and abs(len(word) - len(text)) <= 1 and one_edit(spoken, "".join(sound(word)))
            for entry in entries
        ]
        return _matches(owners, SOUND_TYPO)


@lru_cache(maxsize=1)
def _traditional() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@lru_cache(maxsize=8192)
def normalise(text: str) -> str:
    """Give the comparable form: simplified, half-width, lower case, without blanks and punctuation."""
    return _NOISE.sub("", _traditional().convert(unicodedata.normalize("NFKC", text)).lower())


@lru_cache(maxsize=16384)
def sound(text: str) -> tuple[str, ...]:
    """Give the pinyin syllables without tones; what is no Chinese character stays as it is."""
    return tuple(lazy_pinyin(text))


def fold(syllables: Sequence[str]) -> tuple[str, ...]:
    """Give the syllables with easily confused sounds made equal."""
    folded = []
    for syllable in syllables:
        for pattern, plain in _FOLD:
            syllable = pattern.sub(plain, syllable)
        folded.append(syllable)
    return tuple(folded)


def one_edit(left: str, right: str) -> bool:
    """Tell whether one insertion, deletion, replacement or swap of neighbours turns one text into the other."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    a, b = left[start:], right[start:]
    if len(a) == len(b):
        return a[1:] == b[1:] or (len(a) > 1 and a[0] == b[1] and a[1] == b[0] and a[2:] == b[2:])
    return a[1:] == b if len(a) > len(b) else a == b[1:]


def alike(left: str, right: str) -> float:
    """Give the share of common leading and trailing pinyin letters, to put the likeliest typo first."""
    a, b = "".join(sound(left)), "".join(sound(right))
    head = next((i for i, pair in enumerate(zip(a, b, strict=False)) if pair[0] != pair[1]), min(len(a), len(b)))
    tail = next((i for i, pair in enumerate(zip(a[::-1], b[::-1], strict=False)) if pair[0] != pair[1]), 0)
    return (head + tail) / max(len(a), len(b))


def _written_alike(text: str, words: dict[str, list[Entry]]) -> list[Entry]:
    """Keep the owners of the homophones that share most characters with the text (儿课: 儿科, not 耳科)."""
    shared = {word: sum(char in word for char in text) for word in words}
    most = max(shared.values(), default=0)
    return [entry for word, owners in words.items() if shared[word] == most for entry in owners]


def _add(table: dict[str, list[Entry]], word: str, entry: Entry) -> None:
    owners = table.setdefault(word, [])
    if word and entry not in owners:
        owners.append(entry)


def _matches(entries: Iterable[Entry], score: float) -> list[Match]:
    unique = dict.fromkeys(entries)
    return [Match(entry.code, entry.name, score, entry.kind) for entry in list(unique)[:MOST]]
