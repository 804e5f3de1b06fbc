"""Elder mode (R45): short sentences, one step per message, nothing cut where it hurts."""

import re

LIMIT = 40
_SENTENCE = re.compile(r".+?(?:[。！？；!?;…]+[”」’）)]*|$)", re.S)
_STEP = re.compile(
    r"(?<=[。；，：;:！\n])\s*(?=(?:\d{1,2}[.、．)）](?!\d)|[（(]\d{1,2}[)）]|[①-⑳]|第[一二三四五六七八九十]+步))"
)
# What must stay whole: numbers with their unit, times, phone and ticket numbers, web addresses, latin words.
_UNITS = r"(?:%|元|块|号|楼|层|点|分钟?|小时|天|岁|次|个|位|年|月|日|周|人|张|米|公里)"
_WHOLE = re.compile(
    r"https?://[\w./?=&%#:@+~-]+"
    rf"|(?:[A-Za-z0-9]+(?:[-–—~/.:：,@_][A-Za-z0-9]+)*{_UNITS}*)+"
    rf"|(?:[零一二两三四五六七八九十百千万〇]+{_UNITS}*)+"
)
_BREAK_AFTER = "，,；;：:、。！？）)」”"
_NICE, _POOR = "，,；;：:。！？", "、）)」”"


def simple_lines(text: str, limit: int = LIMIT) -> list[str]:
    """Give the text as short messages of at most `limit` characters, one sentence or one step each.

    Cuts fall after sentences, then after commas, then between the entries of a list, and only where no mark is left
    between two words; never inside a number, a time, a web address, brackets that fit on a line, or a word. A single
    such piece that is longer than `limit` stays whole. Nothing but blanks is lost; a cut comma becomes a full stop.
    """
    lines: list[str] = []
    for paragraph in text.splitlines():
        for step in _STEP.split(paragraph):
            for sentence in _SENTENCE.findall(step):
                if sentence.strip():
                    lines += _shorten(sentence.strip(), limit)
    return lines


def _shorten(sentence: str, limit: int) -> list[str]:
    lines = []
    while len(sentence) > limit:
        cut = _cut(sentence, limit)
        if cut >= len(sentence):
            break
        head, sentence = sentence[:cut].rstrip(), sentence[cut:].lstrip()
        lines.append(head[:-1] + "。" if head.endswith(("，", ",", "；")) else head)
    return [*lines, sentence] if sentence else lines


def _cut(sentence: str, limit: int) -> int:
    """Give the best place to cut at or before `limit`; later than that only where a whole piece reaches over it."""
    whole = _whole_places(sentence, limit)
    for marks in (_NICE, _POOR):
        places = [at for at in range(1, limit + 1) if sentence[at - 1] in marks and at not in whole]
        if marks is _POOR:
            places = [at for at in places if at < len(sentence) and sentence[at] not in _BREAK_AFTER]
        if places and places[-1] >= limit // 4:
            return places[-1]
    return _word_cut(sentence, limit, whole)


def _whole_places(sentence: str, limit: int) -> set[int]:
    """Give the places that lie inside something that must stay whole."""
    pieces = [match.span() for match in _WHOLE.finditer(sentence)]
    for opening, closing in ("（）", "()", "「」", "“”", "《》", "〔〕"):
        pattern = re.compile(f"{re.escape(opening)}[^{re.escape(closing)}]*{re.escape(closing)}")
        pieces += [match.span() for match in pattern.finditer(sentence) if match.end() - match.start() <= limit]
    return {at for start, end in pieces for at in range(start + 1, end)}


def _word_cut(sentence: str, limit: int, whole: set[int]) -> int:
    """Cut between two words; jieba is asked only here, because its dictionary takes a second to load."""
    import jieba

    jieba.setLogLevel("ERROR")
    places, at = [], 0
    for word in jieba.cut(sentence):
        at += len(word)
        if at not in whole and (at >= len(sentence) or sentence[at] not in _BREAK_AFTER):
            places.append(at)
    within = [place for place in places if place <= limit]
    return within[-1] if within else next((place for place in places if place > limit), len(sentence))
