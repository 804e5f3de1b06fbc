"""Chinese words to click on: jieba's cut, with the hospital's words kept whole."""

import logging
from functools import lru_cache

from bot.workbench.checks import lines_of
from bot.workbench.project import Project


@lru_cache(maxsize=1)
def _tokenizer(root: Project):
    import jieba  # 0.3 s that the start of the web process does not wait for: patients come first

    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    for path in sorted((root.data / "userdict").glob("*.txt")) + sorted((root.data / "lookups").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            word = line.split("#", 1)[0].strip().split(" ")[0]
            if 1 < len(word) <= 12:
                tokenizer.add_word(word)
    for word in lines_of(root).marks:
        if 1 < len(word) <= 6:
            tokenizer.add_word(word)
    return tokenizer


def words(project: Project, text: str) -> list[tuple[int, int]]:
    """Give the words of a text as (start, end) in code points; together they cover it."""
    return [(start, end) for _, start, end in _tokenizer(project).tokenize(text)]
