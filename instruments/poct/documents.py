"""Whole XML documents out of a stream in which they follow one another without any separator.

POCT01-A2 puts nothing between two messages on TCP: a document ends with the end tag of its root.
This only counts tags, past quotes, comments, CDATA and processing instructions, in bytes (UTF-8
and every set that has ASCII below 128); whether it is XML is for the parser. Where a message
begins inside another one (a declaration, or a tag that is named like a message), the sender was
cut off and speaks anew. What comes out does not depend on how the bytes were chunked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

LONGEST_DOCUMENT: Final = 1024 * 1024  # bytes; a reader's message is one or two thousand
KEPT_OF_ENDLESS: Final = 64 * 1024  # bytes of a document without end, to see what it was

_SLICE: Final = 4096
_LONGEST_MARK: Final = 80  # bytes in which a message's beginning can be told
_DECLARATION: Final = re.compile(rb"<\?xml\s")
_MESSAGE: Final = re.compile(rb"<[A-Za-z][\w.-]{0,60}\.[RZ]\d\d[\s/>]")
_BEGINS: Final = re.compile(rb"<\?xml\s|" + _MESSAGE.pattern)
_IN_TAG: Final = re.compile(rb"[<>\"']")
_OPENERS: Final = {b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_LONGEST_OPENER: Final = 9


class Cut(Enum):
    """How a piece ended."""

    WHOLE = "whole"
    BROKEN_OFF = "broken-off"  # another message began, or silence
    ENDLESS = "endless"  # its beginning; the rest is passed over


@dataclass(frozen=True, slots=True)
class Piece:
    cut: Cut
    data: bytes


class Documents:
    """What of the stream is not told yet: at most one document."""

    def __init__(self, longest: int = LONGEST_DOCUMENT) -> None:
        self._longest = longest
        self._text = bytearray()
        self._skipping = False
        self._at = self._token = self._depth = 0
        self._until = self._quote = b""
        self._prolog = False

    @property
    def inside(self) -> bool:
        """Whether something has begun and not ended."""
        return bool(self._text) or self._skipping

    def feed(self, data: bytes) -> Iterator[Piece]:
        """The pieces that these bytes complete. Drive it to its end."""
        for start in range(0, len(data), _SLICE):
            rest = data[start : start + _SLICE]
            while rest:
                room = self._longest - len(self._text)
                self._text += rest[:room]
                rest = rest[room:]
                yield from self._told()

    def give_up(self) -> bytes:
        """Nobody goes on: what was there of a document that had begun."""
        part = bytes(self._text) if self._depth else b""
        self._skipping = False
        self._drop(len(self._text))
        return part

    def _told(self) -> Iterator[Piece]:
        while self._text:
            if self._skipping and not self._found_again():
                return
            piece = self._next()
            if piece is not None:
                yield piece
            elif len(self._text) < self._longest:
                return
            else:
                yield Piece(Cut.ENDLESS, bytes(self._text[:KEPT_OF_ENDLESS]))
                self._skipping = True
                self._drop(len(self._text))

    def _found_again(self) -> bool:
        """After an endless one: where the next message begins."""
        begins = _BEGINS.search(self._text)
        if begins is None:
            del self._text[:-_LONGEST_MARK]
            return False
        self._skipping = False
        self._drop(begins.start())
        return True

    def _next(self) -> Piece | None:
        """Scan on; None when more bytes are needed. Noise between documents is dropped."""
        while True:
            step = self._close_token() if self._until else self._open_token()
            if step is None:
                return None
            if isinstance(step, Piece):
                return step

    def _open_token(self) -> Piece | bool | None:
        at = self._text.find(b"<", self._at)
        if at < 0:
            self._at = len(self._text)
            if not self._depth and not self._prolog:
                self._drop(self._at)
            return None
        if not self._depth and not self._prolog:
            self._drop(at)
            at = 0
        self._at = at
        return self._open_markup(at, bytes(self._text[at : at + _LONGEST_OPENER]))

    def _open_markup(self, at: int, head: bytes) -> Piece | bool | None:
        if head.startswith(b"<?"):
            return self._open_instruction(at)
        for opener, until in _OPENERS.items():
            if head.startswith(opener):
                return self._open(at, until)
            if opener.startswith(head):
                return None
        if head[1:2].isalpha() or head[1:2] in (b"_", b"/"):
            return self._open(at, b">")
        # A document type stays in what the parser is given, which refuses it; all else is no tag.
        self._prolog = self._prolog or head.startswith(b"<!")
        self._at = at + 1
        return True

    def _open(self, at: int, until: bytes) -> bool:
        self._token, self._until, self._quote = at, until, b""
        self._at = at + 2 if until == b">" else at + len(until) + 1
        return True

    def _open_instruction(self, at: int) -> Piece | bool | None:
        if len(self._text) < at + 6:
            return None
        if _DECLARATION.match(self._text, at) and at:
            return self._begin_anew(at)
        return self._open(at, b"?>")

    def _close_token(self) -> Piece | bool | None:
        if self._until == b">":
            return self._close_tag()
        end = self._text.find(self._until, self._at)
        if end < 0:
            self._at = max(self._at, len(self._text) - len(self._until) + 1)
            return None
        self._prolog = True
        self._at = end + len(self._until)
        self._until = b""
        return True

    def _close_tag(self) -> Piece | bool | None:
        while True:
            mark = _IN_TAG.search(self._text, self._at)
            if mark is None:
                self._at = len(self._text)
                return None
            self._at = mark.end()
            if mark[0] == b"<":  # nowhere inside a tag
                return self._begin_anew(mark.start())
            if self._quote:
                self._quote = b"" if mark[0] == self._quote else self._quote
            elif mark[0] == b">":
                return self._count(bytes(self._text[self._token : self._at]))
            else:
                self._quote = mark[0]

    def _count(self, tag: bytes) -> Piece | bool:
        self._until = b""
        if tag.startswith(b"</"):
            self._depth -= 1
            if self._depth < 0:
                self._drop(self._at)
                return True
        elif self._depth and _MESSAGE.match(tag):
            return self._begin_anew(self._token)
        elif not tag.endswith(b"/>"):
            self._depth += 1
        if self._depth:
            return True
        whole = Piece(Cut.WHOLE, bytes(self._text[: self._at]))
        self._drop(self._at)
        return whole

    def _begin_anew(self, at: int) -> Piece | bool:
        part = bytes(self._text[:at]) if self._depth else b""
        self._drop(at)
        return Piece(Cut.BROKEN_OFF, part) if part else True

    def _drop(self, until: int) -> None:
        del self._text[:until]
        self._forget()

    def _forget(self) -> None:
        """The state before a document."""
        self._at = self._token = self._depth = 0
        self._until = self._quote = b""
        self._prolog = False
