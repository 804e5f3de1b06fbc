"""Which department for these complaints (导诊, B8): advice from the clerk's table, never a diagnosis."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from bot.hospital.load import load_hospital
from bot.hospital.matching import normalise
from bot.hospital.model import GuideRow, Hospital

MOST = 3
NEAR = 8  # characters between a part of the body and its trouble
_RANK_WEIGHT = (1.0, 0.7, 0.4)  # first, second, third department of a row
_COMBINATION, _CONDITION, _PLAIN = 3.0, 2.0, 1.0
# Said around a complaint without changing where to go: 肚子有点疼 = 肚子疼, 头一直很晕 = 头晕.
_FILLERS = re.compile(
    r"有一?点点?儿?|有些|一直|老是|总是|总|老(?=[是觉想])|经常|时不时|偶尔|隐隐|很|特别|非常|十分|感觉|觉得|这两天|最近|近来"
    r"|这几天|那里|那儿|那块|这里|这块|里面|得厉害|得不行|得要命|好几天|一阵一阵地?|还|又|也|都|好(?=[疼痒晕累酸麻肿困闷])"
)
_CLAUSE = re.compile(r"[，。；！？,.;!?\n]+")
_AND = re.compile(r"[、和或跟]")
_NOT = re.compile(r"(?:没有?|无|不|未|不是|并非|否认)(?:再|怎么|太|什么|啥)?$")
_YEARS = re.compile(r"(\d{1,3}|[一二三四五六七八九十两]{1,3})周?岁")
_HAN_YEARS = dict(zip("一 二 两 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五".split(), (1, 2, *range(2, 16))))
_MONTHS = re.compile(r"[\d一二三四五六七八九十两]{1,3}个?多?月大?的?(?=[宝娃孩婴大])")


@dataclass(frozen=True)
class Suggestion:
    """One department with a reason for the patient. `check_first`: look for danger signs before showing it."""

    department: str
    reason: str
    check_first: bool = False


@dataclass(frozen=True)
class _Hit:
    row: GuideRow
    weight: float


def suggest(
    symptoms: list[str],
    text: str,
    *,
    age: int | None = None,
    sex: str | None = None,
    pregnant: bool | None = None,
    hospital: Hospital | None = None,
) -> list[Suggestion]:
    """Give one to three departments, best first, for the complaints in `symptoms` and in the message `text`.

    `age` in full years, `sex` male or female; what is None is read from the text where it says so. A combination
    (头晕 + 手麻) outweighs its parts; a negated complaint (不发烧) counts for nothing. Where nothing fits:
    general_practice, whose reason names the information desk, too. Reasons name no disease; the caller adds that
    the desk nurse and the doctor decide.
    """
    hospital = hospital or load_hospital()
    rules, departments = hospital.guide, hospital.departments
    said = "|".join(_even(part) for part in (*_CLAUSE.split(text), *symptoms) if part)
    if age is None and (years := _YEARS.search(normalise(text))):
        age = int(years[1]) if years[1].isdecimal() else _HAN_YEARS.get(years[1])  # 七十岁 is no child: that is all
    child = age < rules.child_under if age is not None else _about_child(said, hospital)
    if pregnant is None:
        pregnant = sex != "male" and not child and _about_pregnant(said, hospital)
    if pregnant:
        sex = sex or "female"
    hits = _hits(hospital, said, _traits(hospital, age, sex, child, pregnant)) or _by_part(hospital, said)
    found = [item for item in _rank(hits, sex) if departments[item.department].sees(sex=sex)]
    if child:
        found = [_for_child(item, hospital, age) for item in found]
        found = found or [Suggestion("pediatrics", rules.child_reason)]
    else:
        found = [item for item in found if departments[item.department].sees(age=age)]
    if pregnant:
        found = _with_obstetrics(found, hospital)
    elif found and not child and len(hits) >= 3 and age is not None and age >= rules.elder_from:
        found = [*found[: MOST - 1], Suggestion("geriatrics", rules.elder_reason, found[0].check_first)]
    elif found and not child and _torn(hits):
        found = [*found[: MOST - 1], Suggestion("general_practice", rules.unsure_reason, found[0].check_first)]
    unique = {item.department: item for item in reversed(found)}
    best = [unique[code] for code in dict.fromkeys(item.department for item in found)][:MOST]
    return best or [Suggestion("general_practice", rules.unsure_reason)]


@lru_cache(maxsize=4096)
def _even(text: str) -> str:
    """Give a text without what does not matter: fillers, 痛 for 疼, Traditional forms, punctuation except lists."""
    listed = "、".join(normalise(part) for part in _AND.split(text))
    return _FILLERS.sub("", listed).replace("痛", "疼")


def _about_child(said: str, hospital: Hospital) -> bool:
    said = _without(said, hospital.guide.child_except)  # 要不上孩子, 生完孩子: the patient is the mother
    return bool(_MONTHS.search(said)) or any(_even(word) in said for word in hospital.guide.child_words)


def _about_pregnant(said: str, hospital: Hospital) -> bool:
    said = _without(said, hospital.guide.pregnant_except)
    return bool(_spans(said, tuple(_even(word) for word in hospital.guide.pregnant_words)))


def _without(said: str, words: tuple[str, ...]) -> str:
    for word in words:
        said = said.replace(_even(word), "")
    return said


def _traits(hospital: Hospital, age: int | None, sex: str | None, child: bool, pregnant: bool) -> dict[str, bool]:
    """Tell which `when` conditions hold; an unknown sex excludes neither."""
    return {
        "child": child,
        "adult": not child,
        "elder": age is not None and age >= hospital.guide.elder_from,
        "pregnant": pregnant,
        "female": sex != "male",
        "male": sex != "female",
    }


def _hits(hospital: Hospital, said: str, traits: dict[str, bool]) -> list[_Hit]:
    """Give the rows that speak: combinations first; a complaint that a combination explains does not speak again."""
    spans = _spans(said, _phrases(hospital))
    hits, explained = [], []
    for row in hospital.guide.rows:
        if not row.also or not (row.when is None or traits[row.when]):
            continue
        used = [_first_span(spans, group) for group in (row.words, *row.also)]
        if all(used):
            hits.append(_Hit(row, _COMBINATION))
            explained += used
    chosen: list[tuple[int, int]] = []
    for words in sorted(spans, key=len, reverse=True):
        for span in spans[words]:
            if not any(_overlap(span, other) for other in (*chosen, *explained)):
                chosen.append(span)
    spoken = {said[start:end] for start, end in chosen}
    for word in sorted(spoken, key=said.find):
        rows = [row for row in _plain_rows(hospital).get(word, ()) if row.when is None or traits[row.when]]
        special = [row for row in rows if row.when is not None]
        for row in special or rows:
            hit = _Hit(row, _CONDITION if special else _PLAIN)
            if hit not in hits:
                hits.append(hit)
    return hits


def _by_part(hospital: Hospital, said: str) -> list[_Hit]:
    """Give the row of a part of the body with a trouble near it (膝盖一弯就疼), where the patient's words stand in no row."""
    parts, troubles = _parts_and_troubles(hospital)
    found = []
    for clause in said.split("|"):
        pains = [match for match in troubles.finditer(clause) if not _NOT.search(clause[: match.start()])]
        for part in parts.finditer(clause):
            if any(-NEAR <= pain.start() - part.end() <= NEAR for pain in pains):
                row = next(row for row in hospital.guide.parts if part.group() in row.words)
                if all(hit.row is not row for hit in found):
                    found.append(_Hit(row, _PLAIN))
    return found


@lru_cache(maxsize=8)
def _parts_and_troubles(hospital: Hospital) -> tuple[re.Pattern[str], re.Pattern[str]]:
    parts = sorted((word for row in hospital.guide.parts for word in row.words), key=len, reverse=True)
    troubles = sorted(hospital.guide.troubles, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, parts))), re.compile("|".join(map(re.escape, troubles)))


def _spans(said: str, phrases: tuple[str, ...]) -> dict[str, list[tuple[int, int]]]:
    """Find every phrase that is said and not denied; 没有发烧、咳嗽 denies both."""
    denied: set[int] = set()  # ends of denied phrases
    found: dict[str, list[tuple[int, int]]] = {}
    places = sorted(
        (match.start(), match.end(), phrase)
        for phrase in phrases
        if phrase in said
        for match in re.finditer(re.escape(phrase), said)
    )
    for start, end, phrase in places:
        before = said[said.rfind("|", 0, start) + 1 : start]
        if _NOT.search(before) or (before.endswith("、") and start - 1 in denied):
            denied.add(end)
        else:
            found.setdefault(phrase, []).append((start, end))
    return found


def _first_span(spans: dict[str, list[tuple[int, int]]], words: tuple[str, ...]) -> tuple[int, int] | None:
    return next((spans[word][0] for word in sorted(map(_even, words), key=len, reverse=True) if word in spans), None)


def _overlap(left: tuple[int, int], right: tuple[int, int]) -> bool:
    return left[0] < right[1] and right[0] < left[1]


def _rank(hits: list[_Hit], sex: str | None) -> list[Suggestion]:
    """Add up what the rows say for each department; the strongest voice gives the reason."""
    scores: dict[str, float] = {}
    voices: dict[str, tuple[float, str]] = {}
    for hit in hits:
        either = sex is None and hit.row.when in ("female", "male")  # rows for both sexes speak: do not count twice
        for place, (code, reason) in enumerate(hit.row.to):
            if either and place == 0:
                reason = f"如果是{'女性' if hit.row.when == 'female' else '男性'}：{reason}"
            voice = hit.weight * _RANK_WEIGHT[place]
            scores[code] = max(scores.get(code, 0), voice) if either else scores.get(code, 0) + voice
            if voice > voices.get(code, (0, ""))[0]:
                voices[code] = (voice, reason)
    check = any(hit.row.check_first for hit in hits)
    order = sorted(scores, key=lambda code: (code != "emergency" or not _urgent(hits), -scores[code]))
    return [Suggestion(code, voices[code][1], check) for code in order]


def _urgent(hits: list[_Hit]) -> bool:
    """Tell whether a row sends to 急诊 first: then nothing else may stand before it."""
    return any(hit.row.to[0][0] == "emergency" for hit in hits)


def _torn(hits: list[_Hit]) -> bool:
    """Tell whether four or more complaints point to as many departments: somebody should look at the whole."""
    return len(hits) >= 4 and len({hit.row.to[0][0] for hit in hits}) >= 4


def _for_child(item: Suggestion, hospital: Hospital, age: int | None) -> Suggestion:
    """Send a child to 儿科 or 小儿外科 unless the department sees children itself."""
    rules = hospital.guide
    if item.department in rules.child_surgical:
        return replace(item, department="pediatric_surgery", reason=rules.child_surgery_reason)
    if item.department in rules.child_keep and hospital.departments[item.department].sees(age=age):
        return item
    return replace(item, department="pediatrics", reason=rules.child_reason)


def _with_obstetrics(found: list[Suggestion], hospital: Hospital) -> list[Suggestion]:
    """Put 产科 in front, but behind 急诊, 发热门诊 and 肠道门诊."""
    if found and found[0].department == "obstetrics":
        return found
    first = [item for item in found if item.department in hospital.guide.pregnant_first]
    rest = [item for item in found if item not in first and item.department != "obstetrics"]
    return [*first[: MOST - 1], Suggestion("obstetrics", hospital.guide.pregnant_reason, True), *rest]


@lru_cache(maxsize=8)
def _phrases(hospital: Hospital) -> tuple[str, ...]:
    rows = hospital.guide.rows
    words = (word for row in rows for word in (*row.words, *(extra for group in row.also for extra in group)))
    return tuple(dict.fromkeys(_even(word) for word in words))


@lru_cache(maxsize=8)
def _plain_rows(hospital: Hospital) -> dict[str, list[GuideRow]]:
    table: dict[str, list[GuideRow]] = {}
    for row in hospital.guide.rows:
        if not row.also:
            for word in dict.fromkeys(map(_even, row.words)):
                table.setdefault(word, []).append(row)
    return table
