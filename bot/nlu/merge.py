"""Which entities a line has in the end: numbers by form, what the field found, clear sums, known words."""

from collections.abc import Collection, Sequence

from bot.nlu.line import Line
from bot.nlu.patterns import COUNTED, SUM, identifiers
from bot.nlu.tagger import Span


def merged(line: Line, found: Sequence[Span], closed: Collection[str]) -> list[tuple[Span, str]]:
    """Give the entities of a line with who found each (form, field, lexicon), left to right, none overlapping."""
    kept: list[tuple[Span, str]] = []

    def add(span: Span, source: str) -> None:
        if all(span.end <= other.start or other.end <= span.start for other, _ in kept):
            kept.append((span, source))

    for number in identifiers(line.text):
        add(Span(number.kind, number.start, number.end), "form")
    for span in found:
        if span.entity != "amount" or not COUNTED.match(line.text, span.end):
            add(span, "field")
    for money in SUM.finditer(line.text):
        add(Span("amount", *money.span()), "form")
    for match in sorted(line.known, key=lambda one: one.start - one.end):
        if match.kind in closed and match.end - match.start > 1:
            add(Span(match.kind, match.start, match.end), "lexicon")
    return sorted(kept, key=lambda one: one[0].start)
