"""One line as every component sees it: normalised, lower case, with known words, syllables and jieba's words."""

from functools import cached_property

from bot.language.normalise import Normalised, normalise
from bot.nlu.characters import cut, syllable
from bot.nlu.lexicon import Lexicon, Match


class Line:
    """A text as typed with all that is known about it before learning; the parts are worked out when asked for."""

    def __init__(self, typed: str, normal: Normalised, lexicon: Lexicon | None = None) -> None:
        self.typed, self.normal, self.lexicon = typed, normal, lexicon

    @cached_property
    def text(self) -> str:
        """The normalised text in lower case, character for character as long as `normal.text`."""
        return "".join(low if len(low := char.lower()) == 1 else char for char in self.normal.text)

    @cached_property
    def syllables(self) -> list[str]:
        """The toneless pinyin of each character."""
        return [syllable(char) for char in self.text]

    @cached_property
    def words(self) -> list[tuple[int, int]]:
        """The [start, end) of jieba's words."""
        return cut(self.text)

    @cached_property
    def known(self) -> list[Match]:
        """The lexicon's matches; none without a lexicon."""
        return self.lexicon.matches(self.text) if self.lexicon else []

    def fingerprint(self) -> str:
        """Give what Rasa's training cache compares: the text, since the rest follows from it and from the lexicon."""
        return self.typed


def read_line(text: str, lexicon: Lexicon | None) -> Line:
    """Give the line of a text as typed."""
    return Line(text, normalise(text), lexicon)
