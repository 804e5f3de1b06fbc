"""Slips of the pen: homophones, look-alikes, dialect characters and typed pinyin, put right in place.

Two ways, both of the same length as what was typed, so that every character keeps its place:
the pairs of 错字 in signs.yml, and the sound: a word of three or more characters of the table is also meant where one
of its characters is a homophone (喘不上汽, 叫不星) or typed in pinyin.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from pypinyin import lazy_pinyin

SHORTEST_BY_SOUND = 3
IN_OTHER_WORDS = "四私师是时事其话"  # stand for themselves: 说要四万 is not 说要死, 没有其他 not 没有气
SINGLE_BY_PINYIN = "疼痛喘血晕抽"  # a single word that is also read when typed in pinyin
FIRST_TYPED = 0xE000  # typed syllables stand in the text as characters of the private use area
LIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ing", "in"), ("eng", "en"), ("ang", "an"))
SYLLABLE = re.compile(
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|van|ai|ei|ao|ou|an|en|in|un|vn|"
    "ia|ie|iu|ua|ue|ve|ui|uo|a|o|e|i|u|v)|ang|eng|ai|ei|ao|ou|an|en|er|a|o|e"
)
LATIN = re.compile("[a-z]+")


class Node(NamedTuple):
    """A place in the tree of sounds: what follows, and the words that end here."""

    following: dict[str, "Node"]
    words: list[str]


class Slips:
    """The slips of one table."""

    def __init__(self, meant: dict[str, str]) -> None:
        """Take slip -> word, both of one length."""
        self._meant = meant
        self._pattern = re.compile("|".join(map(re.escape, sorted(meant, key=len, reverse=True))))
        self._tree = Node({}, [])

    def listen_for(self, words: Iterable[str]) -> None:
        """Take the table's words, to be found by their sound; of those that sound alike the first goes before."""
        for word in words:
            if re.fullmatch("[\u4e00-\u9fff]+", word) and (len(word) > 1 or word in SINGLE_BY_PINYIN):
                node = self._tree
                for char in word:
                    node = node.following.setdefault(sound(char), Node({}, []))
                node.words.append(word)

    def by_pairs(self, text: str) -> str:
        """Give `text` with the pairs of 错字 put right."""
        return self._pattern.sub(lambda match: self._meant[match.group()], text)

    def mend(self, text: str) -> str:
        """Give `text` with the pairs and then the words that sound like a word of the table put right."""
        chars = list(self.by_pairs(text))
        sounds = [sound(char) for char in chars]
        place = 0
        while place < len(chars):
            word = self._heard(chars, sounds, place)
            chars[place : place + len(word)] = word
            place += max(1, len(word))
        return "".join(chars)

    def _heard(self, chars: list[str], sounds: list[str], place: int) -> str:
        """Give the longest word that is written or meant here, or ""; what is written goes before what is meant."""
        node, best = self._tree, ""
        for at in range(place, len(chars)):
            node = node.following.get(sounds[at])
            if node is None:
                break
            typed = chars[place : at + 1]
            if "".join(typed) in node.words:
                best = "".join(typed)
            else:
                best = next((word for word in node.words if _meant(typed, word)), best)
        return best


def _meant(typed: list[str], word: str) -> bool:
    other = [char for char, right in zip(typed, word, strict=True) if char != right]
    latin = [char for char in other if char >= chr(FIRST_TYPED)]
    if len(latin) == len(other):
        return True
    return len(word) >= SHORTEST_BY_SOUND and len(other) == 1 and other[0] not in IN_OTHER_WORDS


@lru_cache(maxsize=20_000)
def sound(char: str) -> str:
    """Give the toneless sound of one character or typed syllable, with zh like z and ing like in; else itself."""
    if char >= chr(FIRST_TYPED) and ord(char) - FIRST_TYPED < len(_SYLLABLES):
        return _SYLLABLES[ord(char) - FIRST_TYPED]
    return _plain_sound(lazy_pinyin(char)[0]) if "\u4e00" <= char <= "\u9fff" else char


def _plain_sound(pinyin: str) -> str:
    for exact, like in LIKE:
        pinyin = pinyin.replace(exact, like)
    return pinyin


_SYLLABLES: list[str] = []
_PLACE_OF: dict[str, str] = {}


def typed_syllables(latin: str) -> list[tuple[str, int, int]]:
    """Give (character that stands for it, start, end) of each pinyin syllable of a Latin run; [] where it is none."""
    found = list(SYLLABLE.finditer(latin))
    if len(latin) < 2 or "".join(match.group() for match in found) != latin:
        return []
    return [(_standing_for(_plain_sound(match.group())), *match.span()) for match in found]


def _standing_for(syllable: str) -> str:
    if syllable not in _PLACE_OF:
        _PLACE_OF[syllable] = chr(FIRST_TYPED + len(_SYLLABLES))
        _SYLLABLES.append(syllable)
    return _PLACE_OF[syllable]
