"""The guards: when words of danger are no present danger (没有胸痛, 去年中风过, 胸痛中心在哪, 气得吐血).

A guard lowers a sign by the fixed rules of `level`; it never raises one. The words of each guard are data in
signs.yml under 护栏, so that a clinician reads the rules' words beside the signs.
"""

import re
from typing import NamedTuple

NOTHING, DOUBTFUL, DEFINITE = 0, 1, 2
CLAUSE_END = re.compile(r"[，,。！？!?\s;；:：]")
ABOUT_DEATH = "self_harm"  # in the past, in a film or with a bill, these words still deserve the number of the hotline
MILD_BEFORE, MILD_AFTER = 12, 12  # characters around a sign in which 偶尔 speaks of it
MONTHS_ARE_AN_AGE = ("maternal", "infant")  # 怀孕七个月了 is no old trouble


class Guards(NamedTuple):
    """The guards' words as patterns, each to be asked about one side of a sign."""

    negation: re.Pattern[str]
    negated_list: re.Pattern[str]
    better: re.Pattern[str]
    past: re.Pattern[str]
    once: re.Pattern[str]
    now: re.Pattern[str]
    urgent: re.Pattern[str]
    facility: re.Pattern[str]
    inpatient: re.Pattern[str]
    papers: re.Pattern[str]
    knowledge: re.Pattern[str]
    places: re.Pattern[str]
    fiction: re.Pattern[str]
    animal: re.Pattern[str]
    thing: re.Pattern[str]
    long_standing: re.Pattern[str]
    mild: re.Pattern[str]
    complaint: re.Pattern[str]
    everyday: re.Pattern[str]
    person: re.Pattern[str]
    close: re.Pattern[str]
    saying: re.Pattern[str]
    doubtful_saying: re.Pattern[str]


def build(words: dict[str, tuple[str, ...]]) -> Guards:
    """Compile the lists of 护栏; a missing list is a KeyError that names it."""
    either = {
        name: "(?:" + "|".join(map(re.escape, sorted(some, key=len, reverse=True))) + ")"
        for name, some in words.items()
    }
    person = either["当事人"]
    return Guards(
        negation=re.compile(f"{either['否定词']}{either['否定与信号之间']}{{0,3}}$"),
        negated_list=re.compile("(?:没有|无|未见|否认|未出现)[^，,但却就]{1,8}[、和或及跟][^，,但却就]{0,8}$"),
        better=re.compile(f"^.{{0,4}}(?<![写备买想]){either['好转词']}"),  # 遗书写好了 is no recovery
        past=re.compile(rf"(?:{either['过去词']}|(?:19|20)\d\d年)(?!没|从没|从来没)"),
        once=re.compile("^(?:下来|下去|倒)?过(?!去|来|敏|程|期|不|了)"),
        now=re.compile(either["此刻词"]),
        urgent=re.compile(either["紧急词"]),
        facility=re.compile(f"^的?{either['紧跟的场所']}"),
        inpatient=re.compile("^的?(?:病人|患者|住院|资料)"),
        papers=re.compile(either["钱与文书"]),
        knowledge=re.compile(either["求知"]),
        places=re.compile(either["地点时间"]),
        fiction=re.compile(either["虚构与转述"]),
        animal=re.compile(rf"(?<!被){either['动物']}(?!咬|抓|把)(?:(?!{person}).)*$"),
        thing=re.compile(rf"{either['物件']}[^被撞]{{0,3}}$"),
        long_standing=re.compile(f"^.{{0,14}}?{either['久病']}"),
        mild=re.compile(either["轻微"]),
        complaint=re.compile(either["投诉"]),
        everyday=re.compile(either["平常"]),
        person=re.compile(f"{person}.{{0,6}}$"),
        close=re.compile(f"{either['亲近的人']}.{{0,6}}$"),
        saying=re.compile(either["口头语"]),
        doubtful_saying=re.compile(either["口头语存疑"]),
    )


def level(
    sentence: str, spans: tuple[tuple[int, int], ...], code: str, definite: bool, guards: Guards
) -> tuple[int, str]:
    """Say how much of a sign is left: (DEFINITE, DOUBTFUL or NOTHING; the name of the guard that lowered it, or "").

    Args:
        sentence: in plain characters, sayings already blanked out.
        spans: where the parts of the sign stand in it.
        code: the group; self-harm is never guarded below DOUBTFUL except by a plain no.
        definite: what the row of the table says.

    The rules, in this order:
        a no right before any part                         nothing
        a facility right behind it (胸痛中心)               nothing
        said of a thing (手机掉水里了)                      nothing, unless a person is named
        told of a film, the news, an animal                nothing, unless somebody close is named and it is urgent
        past, no word for now in between, calm purpose     nothing; without a calm purpose: doubtful
        over (已经好了), a saying, an old trouble (两年了), an inpatient's papers,
        money, knowledge, places in the same clause        one step down, unless a word of urgency stands with it
        mild (偶尔、天一冷就), part of a complaint, with a     doubtful at most, unless it is said to be now
        request of every day (正常吗、想约、拍片)
    """
    full = DEFINITE if definite else DOUBTFUL
    floor = DOUBTFUL if code == ABOUT_DEATH else NOTHING
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    if any(_negated(sentence, part, guards) for part, _ in spans):
        return NOTHING, "否定"
    before, after = sentence[:start], sentence[end:]
    if guards.facility.match(after):
        return floor, "场所"
    own_clause = CLAUSE_END.split(before)[-1]
    person = bool(guards.person.search(own_clause))
    urgent = bool(guards.urgent.search(sentence))
    if guards.thing.search(own_clause) and not person:
        return NOTHING, "物件"
    if not (urgent and guards.close.search(own_clause)):
        if guards.fiction.search(sentence[:end]):  # 我家猫抽搐: the 我 of a sign may stand before the cat
            return floor, "转述"
        if guards.animal.search(own_clause + sentence[start:end]):
            return NOTHING, "动物"
    clause = own_clause + sentence[start:end] + CLAUSE_END.split(after)[0]  # 嘴唇发紫，停车怎么收费 stays a danger
    calm = guards.knowledge.search(sentence) or guards.papers.search(sentence)
    asked = guards.knowledge.search(clause) or guards.papers.search(clause)
    if _past(sentence, start, end, guards):
        return max(floor, NOTHING if calm else min(full, DOUBTFUL)), "过去"
    if guards.better.match(after):
        return min(full, DOUBTFUL), "好转"
    if any(match.start() <= start < match.end() for match in guards.doubtful_saying.finditer(sentence)):
        return min(full, DOUBTFUL), "口头语"
    old = guards.long_standing.match(after)
    if old and code not in MONTHS_ARE_AN_AGE and not urgent and not guards.now.search(old.group()):
        return max(floor, full - 1), "久病"
    if not urgent and (asked or guards.inpatient.match(after) or (guards.places.search(clause) and not person)):
        return max(floor, full - 1), "询问"
    if not urgent and not guards.now.search(sentence):
        if guards.mild.search(before[-MILD_BEFORE:] + sentence[start:end] + after[:MILD_AFTER]):
            return min(full, DOUBTFUL), "轻微"
        if guards.complaint.search(sentence):
            return min(full, DOUBTFUL), "投诉"
        if guards.everyday.search(sentence) or guards.past.search(after):
            return min(full, DOUBTFUL), "平常"
    return full, ""


def _negated(sentence: str, part: int, guards: Guards) -> bool:
    clause = CLAUSE_END.split(sentence[:part])[-1]
    return bool(guards.negation.search(clause) or guards.negated_list.search(clause))


def _past(sentence: str, start: int, end: int, guards: Guards) -> bool:
    """True when the sign belongs to a time gone by: a past word before it with no 现在 in between, or 过 behind it."""
    if guards.once.match(sentence[end:]):
        return not guards.now.search(sentence[:end])
    cues = list(guards.past.finditer(sentence, 0, start))
    return bool(cues) and not guards.now.search(sentence[cues[-1].end() : end])
