"""One written form for what patients type: simplified, half width, without stretched letters, with the way back.

請問１３號還有冇號啊啊啊啊  ->  请问13号还有冇号啊啊, and every character knows where it stood in the text as typed.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import opencc

# NFKC already makes ，；：？！（） half width.
_PUNCTUATION = str.maketrans(
    {
        "。": ".",
        "、": ",",
        "“": '"',
        "”": '"',
        "「": '"',
        "」": '"',
        "『": '"',
        "』": '"',
        "‘": "'",
        "’": "'",
        "【": "(",
        "】": ")",
        "〔": "(",
        "〕": ")",
        "—": "-",
        "–": "-",
        "−": "-",
        "～": "~",
        "〜": "~",
        "×": "x",
        "•": "·",
        "・": "·",
    }
)
# 13800000000, 110***********0015 and 三三三 are not stretched.
_NEVER_STRETCHED = frozenset("0123456789*.零〇一二三四五六七八九十百千万亿幺两")
_DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"}


@dataclass(frozen=True)
class Normalised:
    """A normalised text; `offsets[i]` is the [start, end) of its character i in the text as typed."""

    text: str
    offsets: tuple[tuple[int, int], ...]

    def as_typed(self, start: int, end: int) -> tuple[int, int]:
        """Give the [start, end) as typed of the normalised characters start to end."""
        if start >= end:
            at = self.offsets[start][0] if start < len(self.offsets) else (self.offsets[-1][1] if self.offsets else 0)
            return at, at
        return self.offsets[start][0], self.offsets[end - 1][1]

    def normalised(self, start: int, end: int) -> tuple[int, int]:
        """Give the [start, end) of the normalised characters that come from characters start to end as typed."""
        inside = [i for i, (left, right) in enumerate(self.offsets) if left < end and right > start]
        return (inside[0], inside[-1] + 1) if inside else (0, 0)


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def to_simplified(text: str) -> str:
    """Give a text in simplified characters, the same number of characters as before."""
    converted = _converter().convert(text)
    if len(converted) == len(text):
        return converted
    # A phrase changed its length: go character by character, so that offsets hold.
    single = (_converter().convert(char) for char in text)
    return "".join(new if len(new) == 1 else old for new, old in zip(single, text, strict=True))


def normalise(text: str) -> Normalised:
    """Give the normalised text with offsets; any string is allowed, control characters and broken surrogates go."""
    chars: list[str] = []
    offsets: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        for char in unicodedata.normalize("NFKC", text[at:end]):
            char = " " if char.isspace() else char.translate(_PUNCTUATION)
            if char == " ":
                if chars and chars[-1] != " ":
                    chars.append(char)
                    offsets.append((at, end))
            elif unicodedata.category(char) not in _DROPPED:
                chars.append(char)
                offsets.append((at, end))
        at = end
    while chars and chars[-1] == " ":
        chars.pop()
        offsets.pop()
    simple = to_simplified("".join(chars))
    return _without_stretching(simple, offsets)


def _without_stretching(text: str, offsets: list[tuple[int, int]]) -> Normalised:
    kept: list[str] = []
    places: list[tuple[int, int]] = []
    for char, place in zip(text, offsets, strict=True):
        if char not in _NEVER_STRETCHED and kept[-2:] == [char, char]:
            places[-1] = (places[-1][0], place[1])
        else:
            kept.append(char)
            places.append(place)
    return Normalised("".join(kept), tuple(places))
