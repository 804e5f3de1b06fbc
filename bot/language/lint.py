"""The hospital's language rules as a check of every line that goes out (R14-R22, R41, R54, R84).

A finding names its rule and says in Chinese what to write instead, so that a trainer can mend the line.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bot.language.lint_rules import BEREAVED, DIALECT, PHRASES, SAFETY, Rule
from bot.language.plain import find_terms, terms
from bot.language.script import is_traditional, to_simplified

LATIN_ALLOWED = frozenset(
    "ct mri app wifi id pet dr ecg icu nicu ccu picu b超 ai qq atm pos pdf csv gps hpv hiv dna rna vip eeg dsa spect "
    "kg cm mm km ml mmhg mg sim sms url html json daoyi".split()
)
_LATIN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_NOT_WORDS = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+|(?<![A-Za-z])[A-Z]{1,3}-?\d[\w-]*|\{[^{}]*\}|\*+")
_QUOTES = re.compile(r"「[^」]*」")
_SENTENCE = re.compile(r"[^。！？!?；\n]*[。！？!?；\n]*")
_SHORTEST_QUOTE = 4  # a patient who typed only 你 does not free the word for us

_OFFER = re.compile(
    r"(?<!不)(?<!都不)可以(?!理解)|建议您?|您也(?:可|能)|帮您|为您|替您|给您|转接?人工|转到|转给|换(?:一)?[个位种]|候补|改约|另约|其他(?:医生|时间|日期|办法|方式)"
    r"|(?:拨打|致电|咨询|联系|前往)(?!不)|如需|如有需要|或者|也能|麻烦您|请(?!问|您?(?:谅解|理解|原谅|见谅|体谅|知悉|悉知|注意|别|不要))"
)
_REFUSAL = re.compile(
    r"不能(?!自理|判断|确定)|不行|没办法|没法|无法(?!自理|恢复|判断)|不可以|不允许|办不了|做不到|做不了|帮不了|不支持|不提供|不予|不接受|不受理"
    r"|没有号了?|没号|挂不了|查不到|约满|已满|不给|退不了|改不了|报不了|恕难|不办理|不能报"
)
_UNSURE = re.compile(
    r"(?:不(?:太|是很|大|怎么)?|没)(?:清楚|了解)(?!地)|不(?:太|是很|大)?确定|说不(?:好|准|清)|搞不清|拿不准"
)
_HELP = re.compile(
    r"(?:我|我们)(?:来|这就|马上|可以|会|现在)*(?:帮|为|替|给)您|帮您|为您|核实|问一问|转(?:接)?人工|转(?:到|给)|请(?:您)?(?:拨打|联系|咨询|致电)|回复您"
)
_POLITE = re.compile(r"请|麻烦|劳驾|烦|您可以|可以|好吗|方便|谢谢|需要您|建议")
_REQUEST = re.compile(
    r"^[\s您好，。]*(?:您)?(?:先|再|把[^，。]{1,12}|将[^，。]{1,12})?"
    r"(?:输入|提供|填写|选择|选一|告诉我|告知|发送|发给我|发我|发来|发一下|说一下|说说|说明(?![：:])|上传|回复(?!由)|确认|报一下|报上|报给我|写下|出示|稍等|等一下|等一等|等会儿?|补充|核对|描述|携带|拨打|前往|重新|点击|留下|给我)(?!的)"
)


@dataclass(frozen=True)
class Violation:
    """A broken rule: its number, the words that break it, and what to write instead (in Chinese)."""

    rule: str
    fragment: str
    advice: str


def lint(
    text: str,
    *,
    quoted: Sequence[str] = (),
    known_terms: Collection[str] = (),
    bereaved_or_complaint: bool = False,
) -> list[Violation]:
    """Give what is wrong with a message to a patient, in order of its place; an empty list means it may go out.

    `quoted` are the patient's own words: where they are repeated to the letter, and inside 「」, nothing is judged.
    `known_terms` were explained earlier in the conversation. `bereaved_or_complaint` forbids cheerful wishes (A10-8).
    Traditional text is judged by its Simplified form. Takes well under a millisecond.
    """
    text = to_simplified(text) if is_traditional(text) else text
    text = _without_quotes(text, quoted)
    sentences = [match for match in _SENTENCE.finditer(text) if match.group()]
    found: list[tuple[int, Violation]] = []
    rules = [*PHRASES, *SAFETY, DIALECT, *([BEREAVED] if bereaved_or_complaint else [])]
    for rule in rules:
        found += _phrases(text, sentences, rule)
    found += _refusals(text)
    found += _requests(text, sentences)
    found += _terms(text, known_terms)
    found += _latin(text)
    return [violation for _, violation in sorted(found, key=lambda item: item[0])]


def _without_quotes(text: str, quoted: Sequence[str]) -> str:
    """Blank out what the patient said, keeping every place."""
    for words in sorted(quoted, key=len, reverse=True):
        if len(words) >= _SHORTEST_QUOTE:
            text = text.replace(words, "□" * len(words))
        elif words:
            text = text.replace(f"“{words}”", "“" + "□" * len(words) + "”")
    return _QUOTES.sub(lambda match: "「" + "□" * (len(match.group()) - 2) + "」", text)


def _phrases(text: str, sentences: list[re.Match[str]], rule: Rule) -> Iterator[tuple[int, Violation]]:
    for match in rule.pattern.finditer(text):
        sentence = next(each.group() for each in sentences if match.start() < each.end())
        innocent = (rule.unless and rule.unless.search(sentence)) or (rule.only and not rule.only.search(sentence))
        if not innocent:
            yield match.start(), Violation(rule.rule, match.group().strip("，。 ") or match.group(), rule.advice)


def _refusals(text: str) -> Iterator[tuple[int, Violation]]:
    """R16: a no needs a way forward in the same message. A10-1: 不清楚 alone is blocked, with an offer it is polite."""
    refusal = _REFUSAL.search(text)
    if refusal and not _OFFER.search(_REFUSAL.sub("□", text)):
        yield refusal.start(), Violation("R16", refusal.group(), "请接着说可以怎么办，例如：您可以……／我帮您……")
    unsure = _UNSURE.search(text)
    if unsure and not _HELP.search(text, unsure.end()):
        advice = "请接上帮助：这个我需要核实一下，我帮您问一问，再回复您。"
        yield unsure.start(), Violation("A10-1", unsure.group(), advice)


def _requests(text: str, sentences: list[re.Match[str]]) -> Iterator[tuple[int, Violation]]:
    """R17: a request wants 请 or 麻烦, in its own sentence or before it. Numbered steps are a description."""
    for sentence in sentences:
        request = _REQUEST.match(sentence.group())
        if request and not _POLITE.search(text, 0, sentence.end()):
            advice = "请加上“请……好吗”或“麻烦您……”。"
            yield sentence.start(), Violation("R17", sentence.group().strip("，。！？ \n"), advice)


def _terms(text: str, known: Collection[str]) -> Iterator[tuple[int, Violation]]:
    said = set(known)
    for each in find_terms(text):
        if each.term not in said and not each.explained:
            advice = f"第一次用到时请解释：{each.term}（{terms()[each.term]}）"
            yield each.start, Violation("R20", each.term, advice)
        said.add(each.term)


# A whole line in English is for a foreigner; a Latin word among Chinese ones is jargon.
_FOREIGN_LINE = re.compile(r"(?m)^[A-Z][^\u3400-\u9fff\n]{20,}[.!?]$")


def _latin(text: str) -> Iterator[tuple[int, Violation]]:
    words = _NOT_WORDS.sub(lambda match: "□" * len(match.group()), text)
    words = _FOREIGN_LINE.sub(lambda match: "□" * len(match.group()), words)
    for match in _LATIN.finditer(words):
        if len(match.group()) > 1 and match.group().lower() not in LATIN_ALLOWED:
            yield match.start(), Violation("R21", match.group(), "请改用中文；通用的 CT、MRI、APP 等除外。")
