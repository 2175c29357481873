"""The finder's one ranking: what a search finds, in which order, and what of it is marked.

A search is folded (no case, no accents) and split into words at its spaces. A program is found if
each word occurs in its text, which is its name, " / " and its code. What is found comes by rank,
and within a rank in the order of the list:

    EXACT_CODE      the search is the code
    CODE_PREFIX     the code begins with the search
    NAME_START      the text begins with the search, so a whole tag finds its program
    WORD_START      each word begins a word of the text: no letter or digit stands before it
    ANYWHERE        the rest

An empty search finds everything and marks nothing. In the name and the code each word is marked
wherever it occurs; where words overlap, the one that begins first, and then the longer one.

`handlers/pages/ranking.js` is this rule for the browser, and one table of cases holds for both.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from itertools import accumulate

# Letters that Unicode does not take apart, and the sigma that only ends words.
_PLAIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ς": "σ"}  # noqa: RUF001
_MOST_FOLDINGS = 4096


class Rank(IntEnum):
    """How well a program fits a search, the best first."""

    EXACT_CODE = 0
    CODE_PREFIX = 1
    NAME_START = 2
    WORD_START = 3
    ANYWHERE = 4


class Search:
    """What is searched for, made ready to be compared with many programs."""

    def __init__(self, text: str) -> None:
        words = fold(text).split()
        longest_first = sorted(words, key=len, reverse=True)
        self._words = words
        self._phrase = " ".join(words)
        self._starts = [re.compile(rf"(?<![^\W_]){re.escape(word)}") for word in words]
        self._marks = re.compile("|".join(map(re.escape, longest_first))) if words else None

    def rank(self, name: str, code: str) -> Rank | None:
        """Return a program's rank; None if it is not found."""
        text, code = " ".join(fold(f"{name} / {code}").split()), fold(code)
        if not all(word in text for word in self._words):
            return None
        if code.startswith(self._phrase):
            return Rank.EXACT_CODE if code == self._phrase else Rank.CODE_PREFIX
        if text.startswith(self._phrase):
            return Rank.NAME_START
        begins_words = all(start.search(text) for start in self._starts)
        return Rank.WORD_START if begins_words else Rank.ANYWHERE

    def marked(self, text: str) -> Iterator[tuple[str, bool]]:
        """Cut a text, which is a name or a code, into parts that are marked or not."""
        at = 0
        for start, end in self._matches(text):
            if start > at:
                yield text[at:start], False
            if end > at:
                yield text[max(start, at) : end], True
                at = end
        if at < len(text):
            yield text[at:], False

    def _matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where a text matches: it is searched folded, and a character can fold to several.

        One that folds to nothing, such as an accent of its own, goes with the letter before it.
        """
        if self._marks is None:
            return
        units = [fold(character) for character in text]
        ends = list(accumulate(map(len, units)))
        for match in self._marks.finditer("".join(units)):
            last = bisect_left(ends, match.end())
            yield (
                bisect_right(ends, match.start()),
                max(last + 1, bisect_right(ends, match.end())),
            )


class _Foldings(dict[int, str]):
    """What each character folds to. Searches come from anywhere: not every one is kept."""

    def __missing__(self, ordinal: int) -> str:
        apart = unicodedata.normalize("NFKD", chr(ordinal))
        letters = "".join(map(_visible, apart)).lower()
        folded = "".join(_PLAIN.get(letter, letter) for letter in letters)
        if len(self) < _MOST_FOLDINGS:
            self[ordinal] = folded
        return folded


_FOLDINGS = _Foldings()


def fold(text: str) -> str:
    """Return a text without case, accents and invisible characters; any space is a plain one.

    Each character is folded for itself, so the parts of a text fold to the parts of its folding.
    """
    return text.translate(_FOLDINGS)


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return ""
    return " " if category[0] == "Z" or category in ("Cc", "Cs") else character
