"""What the NLU knows about a line before any learning: its characters' syllables and jieba's words."""

import logging
from functools import lru_cache

import jieba
from pypinyin import Style, lazy_pinyin

from bot.nlu.words import dictionary

jieba.setLogLevel(logging.WARNING)


@lru_cache(maxsize=20_000)
def syllable(char: str) -> str:
    """Give the toneless pinyin of one character, or the character itself where there is none."""
    return lazy_pinyin(char, style=Style.NORMAL, errors="default")[0] if "一" <= char <= "鿿" else char


@lru_cache(maxsize=1)
def segmenter() -> jieba.Tokenizer:
    """Give our own jieba with the hospital's words; the process-wide one is left alone."""
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    for word in dictionary():
        tokenizer.add_word(word, freq=max(tokenizer.FREQ.get(word, 0), 2000))
    return tokenizer


def cut(text: str) -> list[tuple[int, int]]:
    """Give the [start, end) of jieba's words in a normalised text, spaces left out."""
    spans, at = [], 0
    for word in segmenter().cut(text, HMM=True):
        if not word.isspace():
            spans.append((at, at + len(word)))
        at += len(word)
    return spans


def is_word(text: str) -> bool:
    """Tell whether jieba's dictionary, the hospital's words included, has this word."""
    return segmenter().FREQ.get(text, 0) > 0
