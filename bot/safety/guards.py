"""The guards: when words of danger are no present danger (没有胸痛, 去年中风过, 胸痛中心在哪, 气得吐血).

A guard takes a sign away and never raises one. Each guard is a rule of signs.yml under 护栏; the first that applies
decides:

    位置  where its words must stand      紧前   right before a part of the sign, in the same clause (没有|胸痛)
                                         主语   before it in the same clause, with nobody named in between (手机|掉水里)
                                         近前   at most twelve characters before its end
                                         前     anywhere before its end in the sentence
                                         紧后   right behind it (胸痛|中心)
                                         后     at most fourteen characters behind it
                                         近旁   at most twelve characters on either side
                                         小句   in the clauses in which the sign stands
                                         本身  the sign is no more than these words, in a sentence of more than six characters
                                         全句   anywhere in the sentence
    除非  what lifts the guard            see `_lifted`

A sign is lowered to the short notice and no further where it is mild or old (轻微, 久病), where it is of the past and
said to go on, and of self-harm always, except by a plain no and where a thing or the staff is spoken of: in the past,
in a film or with a bill, these words still deserve the number of the hotline.
A doubtful sign is told only where the sentence speaks of now or asks for haste: a mere mention says nothing. What is
passed by here has its second check in the intent `emergency` (B5).
"""

import re
from typing import NamedTuple

NOTHING, DOUBTFUL, DEFINITE = 0, 1, 2
SELF_HARM = "self_harm"
PAST = "过去"
STILL_GOES_ON = ("infection",)  # 去过疫区, 接触过
PLAIN_NO = ("否定", "物件", "院方")
STILL_THERE = ("轻微", "久病")  # the trouble is real, but mild or old
CLAUSE_END = re.compile(r"[，,。！？!?\s;；:：]")
BETWEEN = "(?:明显|什么|再|出现|过|任何|感到|觉得|发生|有|被|想|很|太|怎么|得|误|热){0,3}"  # 没有|再出现|胸痛
NEVER = "(?!没|从没|从来没|都没)"  # 以前没这样过 speaks of now
NEGATED_LIST = re.compile("(?:没有|无|未见|否认|未出现)[^，,但却就]{1,8}[、和或及跟][^，,但却就]{0,8}$")
DONE = re.compile("^.{0,3}(?:了|着|啦|咧|喽|咯)")  # told as something that has happened
WAS = re.compile("^(?:下来|下去|倒)?过(?!去|来|敏|程|期|不|了|量)")  # 晕倒过
GOES_ON = re.compile("现在还(?!想|要|需|能|可)|[仍又]犯|仍然")  # 前两天疼过，现在还有一点闷
NEAR_BEFORE, NEAR_BEHIND, NEAR_SUBJECT = 12, 14, 8
BARE, SHORT = 4, 6


class Place(NamedTuple):
    """A sign in its sentence: what the rules ask about."""

    sentence: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    start: int
    end: int
    clause_start: int
    clause_end: int

    @classmethod
    def of(cls, sentence: str, spans: tuple[tuple[int, int], ...]) -> "Place":
        """Find the clauses around the parts of a sign."""
        start, end = min(span[0] for span in spans), max(span[1] for span in spans)
        breaks = [match.start() for match in CLAUSE_END.finditer(sentence)]
        before = max((at + 1 for at in breaks if at < start), default=0)
        behind = min((at for at in breaks if at >= end), default=len(sentence))
        return cls(
            sentence, tuple(span[0] for span in spans), tuple(span[1] for span in spans), start, end, before, behind
        )

    def clause(self, until: int | None = None) -> str:
        """Give the clauses of the sign, up to `until` where given."""
        return self.sentence[self.clause_start : self.clause_end if until is None else until]


class Rule(NamedTuple):
    """One guard."""

    name: str
    where: str
    unless: str
    not_for: tuple[str, ...]
    words: re.Pattern[str]


class Guards:
    """The rules with the words for who and when (情境)."""

    def __init__(self, about: dict[str, str], rules: list[dict]) -> None:
        """Compile them; what is missing is a KeyError that names it."""
        self._now = _words(about["此刻"])
        self._urgent = _words(about["紧急"])
        self._other = _words(f"{about['亲人']} {about['旁人']}")
        self._close = _words(about["亲人"])
        self._person = _words(f"{about['亲人']} {about['旁人']} 我 本人")
        self.rules = tuple(
            Rule(
                raw["名"], raw["位置"], raw.get("除非", ""), tuple(raw.get("不用于", "").split()),
                _words(raw["词"], ending=f"{BETWEEN}$" if raw["位置"] == "紧前" else NEVER if raw["名"] == PAST else ""),
            )
            for raw in rules
        )  # fmt: skip

    def level(self, sentence: str, spans: tuple[tuple[int, int], ...], code: str, definite: bool) -> tuple[int, str]:
        """Say how much of a sign is left: (DEFINITE, DOUBTFUL or NOTHING; the name of the guard that lowered it, or "").

        Args:
            sentence: in plain characters.
            spans: where the parts of the sign stand in it.
            code: the group of the sign.
            definite: what the table says of the sign.
        """
        place = Place.of(sentence, spans)
        guard = self._guard(place, code)
        if guard:
            deserves = definite and (guard in STILL_THERE or (code == SELF_HARM and guard not in PLAIN_NO))
            deserves = deserves or (guard == PAST and bool(GOES_ON.search(sentence)))
            return (DOUBTFUL if deserves else NOTHING), guard
        if definite:
            return DEFINITE, ""
        pressing = code == SELF_HARM or self._now.search(sentence) or self._urgent.search(sentence)
        return (DOUBTFUL if pressing else NOTHING), ""

    def _guard(self, place: Place, code: str) -> str:
        """Give the name of the first guard that applies, or ""."""
        if code not in STILL_GOES_ON and self._was(place):
            return PAST
        applies = (
            rule.name
            for rule in self.rules
            if code not in rule.not_for and self._applies(rule, place) and not self._lifted(rule, place)
        )
        return next(applies, "")

    def _was(self, place: Place) -> bool:
        """Say whether a part is told with 过 (晕倒过) and nothing before it speaks of now; 从没这么疼过 is no past."""
        return any(
            WAS.match(place.sentence[end:])
            and "没" not in place.sentence[max(0, end - NEAR_BEHIND) : end]
            and not self._now.search(place.sentence, 0, end)
            for end in place.ends
        )

    def _applies(self, rule: Rule, place: Place) -> bool:
        text, words = place.sentence, rule.words
        if rule.where == "紧前":
            clauses = [CLAUSE_END.split(text[:at])[-1] for at in place.starts]
            return any(words.search(clause) or NEGATED_LIST.search(clause) for clause in clauses)
        if rule.where == "紧后":
            return any(words.match(text[end:].removeprefix("的")) for end in place.ends)
        if rule.where == "主语":
            clause = place.clause(place.start + 1)
            found = [match.end() for match in words.finditer(clause) if match.end() >= len(clause) - NEAR_SUBJECT]
            return bool(found) and not (
                self._person.search(clause, found[-1]) or self._other.search(text, place.start, place.end)
            )
        if rule.where == "本身":
            return len(text) > SHORT and bool(words.fullmatch(text[place.start : place.end]))
        low, high = {
            "近前": (max(0, place.start - NEAR_BEFORE), place.end),
            "前": (0, place.end),
            "后": (place.end, place.end + NEAR_BEHIND),
            "近旁": (max(0, place.start - NEAR_BEFORE), place.end + NEAR_BEFORE),
            "小句": (place.clause_start, place.clause_end),
            "全句": (0, len(text)),
        }[rule.where]
        return bool(words.search(text, low, high))

    def _lifted(self, rule: Rule, place: Place) -> bool:
        """Say whether the exception of a rule holds.

        此刻 a word for now in the clauses of the sign; 急 a word of urgency in the sentence; 急或此刻 either; 当事急 that, or now, and
        somebody named; 亲人急 urgent, and somebody close in the sign's clauses; 别人 another person before the sign in
        its clauses; 其间此刻 a word for now between the guard's word and the end of the sign; 实情 a person, now, or
        told as done; 描述 more than a bare word of up to four characters (晕厥挂神经内科), or a clause with 不 (血一直止不住).
        """
        text, clause = place.sentence, place.clause()
        if rule.unless == "其间此刻":
            last = [match.end() for match in rule.words.finditer(text, 0, place.end)][-1]
            return bool(self._now.search(text, last, place.end))
        urgent, now = bool(self._urgent.search(text)), bool(self._now.search(clause))
        person = bool(self._person.search(text))
        return {
            "": False,
            "此刻": now,
            "急": urgent,
            "急或此刻": urgent or now,
            "当事急": person and (urgent or now),
            "亲人急": urgent and bool(self._close.search(clause)),
            "别人": bool(self._other.search(place.clause(place.end))) or now,
            "描述": len(place.starts) > 1 or place.end - place.start > BARE or "不" in clause,
            "实情": person or urgent or now or bool(DONE.match(text[place.end :])),
        }[rule.unless]


def _words(some: str, ending: str = "") -> re.Pattern[str]:
    longest_first = sorted(some.split(), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){ending}")
