"""What to know of an example before it is saved: conflicts, repeats, near-repeats, entities that others mark."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from bot.language.script import to_simplified
from bot.workbench import files
from bot.workbench.annotation import Span, parse
from bot.workbench.files import Example
from bot.workbench.project import Project

NEAR = 0.72  # share of character pairs in common from which two lines say the same in almost the same words
SAME_WORDS = 0.9
SURE = 0.9  # a live model that is this sure of the right label learns little from the line
LONGEST_WORD = 12  # characters of a word that others mark
KNOWN_WORD = 3  # lines that mark a word make it a habit
_NOISE = re.compile(r"[\W_]+", re.UNICODE)


@dataclass(frozen=True)
class Finding:
    """kind: conflict · same · near · near_other · nothing · unmarked · marked_otherwise. `text` says it in Chinese."""

    kind: str
    text: str
    stops: bool = False
    example: Example | None = None


def fold(text: str) -> str:
    """Give what two lines must share to count as one: simplified, narrow, without case, blanks and punctuation."""
    text = unicodedata.normalize("NFKC", text).lower()
    return _NOISE.sub("", to_simplified(text)) or text.strip()


def pairs(folded: str) -> frozenset[str]:
    """Give the character pairs of a folded text."""
    return frozenset(folded[at : at + 2] for at in range(len(folded) - 1)) or frozenset((folded,))


class Lines:
    """All training lines, ready to be searched."""

    def __init__(self, given: Iterable[Example]) -> None:
        self.given = list(given)
        self.folded = [fold(parse(example.text)[0]) for example in self.given]
        self.same: dict[str, list[int]] = defaultdict(list)
        self.by_pair: dict[str, list[int]] = defaultdict(list)
        self.marks: dict[str, Counter] = defaultdict(Counter)
        self.pairs = [pairs(folded) for folded in self.folded]
        for at, example in enumerate(self.given):
            self.same[self.folded[at]].append(at)
            for pair in self.pairs[at]:
                self.by_pair[pair].append(at)
            plain, spans = parse(example.text)
            for span in spans:
                self.marks[plain[span.start : span.end]][span.entity] += 1

    def near(self, text: str, least: float = NEAR) -> list[tuple[float, Example]]:
        """Give the lines that share most character pairs with a text, the nearest first; the same text is left out."""
        folded = fold(text)
        mine, hits = pairs(folded), Counter()
        for pair in mine:
            hits.update(self.by_pair.get(pair, ()))
        found = [
            (common / (len(mine) + len(self.pairs[at]) - common), self.given[at])
            for at, common in hits.items()
            if self.folded[at] != folded
        ]
        return sorted((each for each in found if each[0] >= least), key=lambda each: -each[0])

    def findings(self, text: str, label: str, sure: float | None, spans: Iterable, besides: str = "") -> list[Finding]:
        """Give what speaks against a line, the gravest first.

        sure: the live model's confidence where it already gives this label. besides: an example being replaced.
        """
        out: list[Finding] = []
        twins = [self.given[at] for at in self.same.get(fold(text), ()) if self.given[at].text != besides]
        for twin in twins:
            if twin.label != label:
                out.append(Finding("conflict", "同一句话已经标成了别的意图，先决定哪一个对", True, twin))
            else:
                out.append(Finding("same", "这句话已经在训练数据里了，不用再存", True, twin))
        near = [each for each in self.near(text) if each[1].text != besides][:3]
        for share, example in near:
            if example.label != label:
                out.append(Finding("near_other", f"与这一句有{share:.0%}相同，意图却不同", False, example))
        own = [(share, example) for share, example in near if example.label == label]
        if own and (own[0][0] >= SAME_WORDS or (sure or 0) >= SURE):
            out.append(Finding("nothing", "几乎一样的句子已有，存了也学不到新东西", False, own[0][1]))
        elif own:
            out.append(Finding("near", f"与这一句有{own[0][0]:.0%}相同", False, own[0][1]))
        elif (sure or 0) >= SURE:
            out.append(Finding("nothing", f"现在的模型已有{sure:.0%}把握认对，存了也学不到多少"))
        return out + self._habits(text, list(spans))

    def _habits(self, text: str, spans: list) -> list[Finding]:
        """Words that other lines mark and this one does not, or marks as something else."""
        marked = {(span.start, span.end): span.entity for span in spans}
        out = []
        for (start, end), entity in marked.items():
            word = text[start:end]
            usual = self.marks.get(word)
            if usual and usual.most_common(1)[0][1] >= KNOWN_WORD and not usual[entity]:
                out.append(Finding("marked_otherwise", f"“{word}”通常标为{_name(usual)}"))
        covered = {at for start, end in marked for at in range(start, end)}
        for span in self.usual(text):
            if not covered & set(range(span.start, span.end)):
                word = text[span.start : span.end]
                out.append(Finding("unmarked", f"“{word}”在其他句子里标为{_name(self.marks[word])}，这里没有标"))
        return out

    def usual(self, text: str) -> list[Span]:
        """Give the words that other lines mark out of habit, the longest at each place."""
        found, at = [], 0
        while at < len(text):
            for size in range(min(LONGEST_WORD, len(text) - at), 1, -1):
                usual = self.marks.get(text[at : at + size])
                if usual and usual.most_common(1)[0][1] >= KNOWN_WORD:
                    found.append(Span(at, at + size, usual.most_common(1)[0][0]))
                    at += size - 1
                    break
            at += 1
        return found


def _name(usual: Counter) -> str:
    from bot.workbench.labels import entities

    kind = usual.most_common(1)[0][0]
    return entities().get(kind, kind)


_held: dict[Project, tuple[tuple, Lines]] = {}
_making = Lock()


def lines_of(project: Project) -> Lines:
    """Give the project's lines; they are read again when a file has changed."""
    with _making:
        stamp = tuple((str(path), path.stat().st_mtime_ns) for path in sorted(project.data.rglob("*.yml")))
        if project not in _held or _held[project][0] != stamp:
            _held[project] = stamp, Lines(files.examples(project))
        return _held[project][1]
