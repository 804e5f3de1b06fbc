"""Numbers that identify a person are hidden at the edge; the original goes to an encrypted column (B6, R5, PIPL 28-30).

A masked text has the length of the original and differs from it only in digits, so every offset stays right. A mistyped
number is as private as a right one: hiding asks only for the shape. Landlines, amounts, days and our own ticket and
booking numbers stay readable.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["id_number", "phone", "card_number", "code"]

_CHINESE = {character: str(value) for value, word in enumerate("零一二三四五六七八九") for character in word} | {
    "〇": "0", "○": "0", "幺": "1", "壹": "1", "贰": "2", "貳": "2", "叁": "3", "參": "3", "肆": "4", "伍": "5",
    "陆": "6", "陸": "6", "柒": "7", "捌": "8", "玖": "9",
}  # fmt: skip
_PROVINCES = {
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44",
    "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83", "91",
}  # fmt: skip
_BETWEEN = "[ \t\u3000\xa0\u200b-\u200d\u2060\ufeff\ufe0f\u20e3\\-‐‑–—－_·]{1,3}"
_RUN = re.compile(rf"\d+(?:{_BETWEEN}\d+)*(?:{_BETWEEN})?[xX×叉]?")
_THREE_PARTS = re.compile(r"(?<!\d)1[3-9]\d([,，、./])\d{4}\1\d{4}(?!\d)")  # speech to text: 138，0000，8000
_LANDLINE = re.compile(r"(?<!\d)(?:\(?0\d{2,3}\)?[ -]|\(0\d{2,3}\))\d{7,8}(?:-\d{1,5})?(?!\d)")
_BARE_LANDLINE = re.compile(r"(?<!\d)(?:010\d{8}|02\d{9}|0[3-9]\d{9})(?!\d)")
_OWN_NUMBER = re.compile(r"(?<![A-Z])[A-Z]{2}20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])-\d{4}(?!\d)", re.I)
_BIRTH = re.compile(r"(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_SHORT_BIRTH = re.compile(r"\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEAR = re.compile(r"(?:19|20)\d\d")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"


@dataclass(frozen=True)
class Secret:
    """One hidden number. `original` is what the patient typed at start..end, `masked` what stands there now."""

    kind: Kind
    masked: str
    original: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """Give the number in plain digits, without blanks, dashes and country code: 幺三八 0000 8000 → 13800008000."""
        digits = "".join(character for character in _plain(self.original) if character.isdigit() or character == "X")
        return digits[-11:] if self.kind == "phone" else digits


@dataclass(frozen=True)
class Masked:
    """A text safe to store and show, and the numbers taken out of it, in order."""

    text: str
    secrets: tuple[Secret, ...]


@dataclass(frozen=True)
class IdFacts:
    """What an identity number says about its holder; sex is 'male' or 'female'."""

    birth: date
    sex: Literal["male", "female"]


def mask(text: str, *, code_expected: bool = False) -> Masked:
    """Hide ID, phone and card numbers, and any lone six digits where a verification code is awaited.

    A phone and an ID keep the first three and the last four digits, a card (12 to 19 digits, and longer ones) the last
    four, a code nothing. Blanks, dashes, full-width and Chinese digits do not help a number to stay visible.
    """
    plain = _plain(text)
    characters = list(text)
    secrets = []
    for start, end, kind in sorted(_find(plain, _groups(text), code_expected)):
        digits = [place for place in range(start, end) if plain[place].isdigit() or plain[place] == "X"]
        head, tail = {"phone": (3, 4), "id_number": (3, 4), "card_number": (0, 4), "code": (0, 0)}[kind]
        if kind == "phone":
            head = len(digits) - 8  # a country code 86 before the eleven digits stays
        for place in digits[head : len(digits) - tail]:
            characters[place] = "*"
        secrets.append(Secret(kind, "".join(characters[start:end]), text[start:end], start, end))
    return Masked("".join(characters), tuple(secrets))


def _plain(text: str) -> str:
    """Turn every digit of every script into 0-9 and a closing ×, x, 叉 into X; the length stays."""
    return "".join(_digit(character) for character in text)


def _digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    if value is not None:
        return str(value)
    if character in _CHINESE:
        return _CHINESE[character]
    folded = unicodedata.normalize("NFKC", character)
    return "X" if folded in {"x", "X", "×", "叉"} else folded if len(folded) == 1 else character


def _find(plain: str, scripts: str, code_expected: bool) -> Iterator[tuple[int, int, Kind]]:
    taken = [match.span() for pattern in (_OWN_NUMBER, _LANDLINE, _BARE_LANDLINE) for match in pattern.finditer(plain)]
    for match in _THREE_PARTS.finditer(plain):
        if not _overlaps(match.span(), taken):
            taken.append(match.span())
            yield (*match.span(), "phone")
    free = list(plain)
    for start, end in taken:
        free[start:end] = "\n" * (end - start)
    for run in _RUN.finditer("".join(free)):
        yield from _in_run(run.group(), scripts[run.start() : run.end()], run.start(), code_expected)


def _overlaps(span: tuple[int, int], others: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


def _groups(text: str) -> str:
    """Mark figures with f, Chinese digits with c: in 电话一13800000001 the 一 belongs to another group."""
    return "".join("c" if character in _CHINESE else "f" if character.isdecimal() else " " for character in text)


def _in_run(run: str, scripts: str, offset: int, code_expected: bool) -> Iterator[tuple[int, int, Kind]]:
    """Look at the groups of one run (138 0000 8000) from the left, the longest number first."""
    groups = list(re.finditer(r"f+|c+", scripts))
    cross = re.search(r"X$", run)
    at = 0
    while at < len(groups):
        for last in range(len(groups) - 1, at - 1, -1):
            parts = [run[group.start() : group.end()] for group in groups[at : last + 1]]
            with_x = bool(cross) and last == len(groups) - 1
            kind = _kind(parts, with_x)
            if kind:
                end = len(run) if with_x and len("".join(parts)) == 17 else groups[last].end()
                yield offset + groups[at].start(), offset + end, kind
                at = last
                break
        at += 1
    lengths = {len(group.group()) for group in groups}
    if code_expected and sum(len(group.group()) for group in groups) == 6 and len(lengths) == 1:
        yield offset + groups[0].start(), offset + groups[-1].end(), "code"


def _kind(parts: list[str], with_x: bool) -> Kind | None:
    """Say what the groups are together, or None. One group of eleven digits or more is always private."""
    digits = "".join(parts)
    length = len(digits)
    if with_x and length == 17:
        return "id_number"
    if re.fullmatch(r"(?:(?:00)?86|0)?1[3-9]\d{9}", digits) and (length == 11 or len(parts) < 5 or _singles(parts)):
        return "phone"
    id_shape = _BIRTH.match(digits, 6) or (len(parts) > 1 and len(parts[0]) == 6)
    if length == 18 and digits[:2] in _PROVINCES and id_shape:
        return "id_number"
    if len(parts) == 1:
        return _lone(digits)
    fours = all(len(part) == 4 for part in parts[:-1]) and len(parts[-1]) <= 4 and not all(map(_YEAR.match, parts))
    prefixed = len(parts) == 2 and len(parts[0]) in {4, 6} and len(parts[1]) >= 9
    return "card_number" if 12 <= length <= 19 and (fours or prefixed or _singles(parts)) else None


def _singles(parts: list[str]) -> bool:
    return all(len(part) == 1 for part in parts)


def _lone(digits: str) -> Kind | None:
    length = len(digits)
    if length < 11:
        return None
    if length == 11 and digits[0] == "1":
        return "phone"  # 12 or 10 at the front is a slip of the finger
    if length == 18 and digits[:2] in _PROVINCES and digits[:2] != "62":
        return "id_number"  # the day of birth may be mistyped; 62 is also how bank cards begin
    if length == 15 and digits[:2] in _PROVINCES and _SHORT_BIRTH.match(digits, 6):
        return "id_number"
    return "card_number"


def valid_phone(number: str) -> bool:
    """Say whether it is a mainland mobile number of eleven digits, with or without +86, blanks and dashes."""
    return bool(re.fullmatch(r"(?:\+?86|0086)?1[3-9]\d{9}", re.sub(rf"{_BETWEEN}", "", _plain(number).strip())))


def id_facts(number: str) -> IdFacts | None:
    """Give day of birth and sex from a valid ID number of 18 or 15 digits (GB 11643); None if it is not valid."""
    digits = re.sub(rf"{_BETWEEN}", "", _plain(number).strip())
    if re.fullmatch(r"\d{15}", digits):
        day, order = "19" + digits[6:12], digits[14]
    elif re.fullmatch(r"\d{17}[\dX]", digits):
        check = _CHECK[sum(int(digit) * weight for digit, weight in zip(digits[:17], _WEIGHTS, strict=True)) % 11]
        if check != digits[17]:
            return None
        day, order = digits[6:14], digits[16]
    else:
        return None
    if digits[:2] not in _PROVINCES or day < "1880":
        return None
    try:
        birth = date(int(day[:4]), int(day[4:6]), int(day[6:]))
    except ValueError:
        return None
    return IdFacts(birth, "male" if int(order) % 2 else "female")


def valid_id_number(number: str) -> bool:
    """Say whether an ID number has the right length, province, day of birth and check digit."""
    return id_facts(number) is not None
