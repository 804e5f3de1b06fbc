"""The hospital's words: lexicons by entity kind, and the extra words that jieba should know.

Lexicons come from nlu_data/lookups/<kind>.txt, from the hospital's own data (departments, doctors, price list,
symptoms) and from the closed tables in values.py. All are kept as the NLU sees text: simplified, lower case.
"""

import hashlib
import json
from functools import lru_cache

from bot.hospital import names
from bot.language.normalise import normalise
from bot.nlu import values
from bot.nlu.files import NLU_DATA, read_lines

HOSPITAL_KINDS = ("department", "doctor", "fee_item", "symptom")


def seen(text: str) -> str:
    """Give a word as the NLU's matchers see it: normalised, lower case."""
    return normalise(text).text.lower()


@lru_cache(maxsize=1)
def lexicons() -> dict[str, list[str]]:
    """Give the words of each entity kind, longest first."""
    found: dict[str, set[str]] = {kind: set(words) for kind, words in values.CLOSED_WORDS.items()}
    for path in sorted((NLU_DATA / "lookups").glob("*.txt")):
        found.setdefault(path.stem, set()).update(read_lines(path))
    for kind in HOSPITAL_KINDS:
        found.setdefault(kind, set()).update(names.lexicon(kind))
    clean = {kind: {seen(word) for word in words} - {""} for kind, words in found.items()}
    return {kind: sorted(words, key=lambda word: (-len(word), word)) for kind, words in sorted(clean.items())}


@lru_cache(maxsize=1)
def dictionary() -> tuple[str, ...]:
    """Give the words of two characters and more that jieba must not cut."""
    words = {
        seen(line.split()[0]) for path in sorted((NLU_DATA / "userdict").glob("*.txt")) for line in read_lines(path)
    }
    for kind in lexicons():
        words.update(lexicons()[kind])
    return tuple(sorted(word for word in words if 1 < len(word) <= 12))


def lexicon_hash() -> str:
    """Give a hash of all words: a component that uses them puts it into its training fingerprint."""
    return hashlib.sha256(json.dumps([lexicons(), dictionary()], ensure_ascii=False).encode()).hexdigest()
