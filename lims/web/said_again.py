"""A rule's English sentence, known again by its pattern, and the facts that stand in it.

Two tables use it: `reasons.py` for what is kept in the record, `came_words.py` for what came.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Patterns = tuple[tuple[re.Pattern[str], str], ...]


@dataclass(frozen=True, slots=True)
class Known:
    """The sentence to say, a message id, and the values that it takes, as they were written."""

    said: str
    facts: Mapping[str, str]


def patterns(*sentences: tuple[str, str]) -> Patterns:
    """Of each pair the pattern (named groups are the facts) and the sentence to say."""
    return tuple((re.compile(pattern), said) for pattern, said in sentences)


def known(sentences: Patterns, text: str) -> Known | None:
    """The first whose pattern is the whole text; None when no rule of the table wrote it."""
    for pattern, said in sentences:
        if found := pattern.fullmatch(text):
            return Known(said, found.groupdict())
    return None
