"""Frames of a session joined to messages, each from its H to its L.

A record may be cut anywhere, in mid-field too, so texts are joined and frame numbers are not
(LIS1-A 6.3.1.1). One session may carry several messages. A message is whole when its L record is,
which is before EOT: what stands in the journal then needs nothing more from the line.
"""

import re

from instruments.astm.frames import Control
from instruments.line import Received

__all__ = ["Received"]

IN_TWO_VERSIONS = "a frame came twice under one number with different bytes"
AFTER_THE_LAST = (
    "after a message's last frame another came under its number: these are the bytes that were"
    " refused, the message before them stands as it was acknowledged"
)
LONGEST_MESSAGE = 16 * 1024 * 1024  # bytes; a plate is a hundredth of it. Beyond, it is cut here
_LINE_ENDS = b"\r\n\0 "
_LINE_BREAKS = b"\r\n"
_OPENS_OR_CLOSES = re.compile(rb"[\r\n\0 ]*[HL]")
_OPENS_OR_CLOSES_NEXT = re.compile(rb"[\r\n][\0 ]*[HL]")
_THE_SAME_AFTER_CR = re.compile(rb"\r[\0 ]*[HL]")  # where there is no LF: five times as fast
_END_OF_RECORD = re.compile(rb"[HL][^\r\n]*[\r\n]")


class Assembly:
    """Told of a line's sessions in order, gives the messages as they become whole."""

    def __init__(self, longest_message: int = LONGEST_MESSAGE) -> None:
        self._longest_message = longest_message
        self._text = bytearray()
        self._record_at = 0
        self._conflict: str | None = None

    def frame(self, body: bytes) -> list[Received]:
        """`body` is FN, text and ETX or ETB. ETX ends a record even where its CR was left out."""
        self._text += body[1:-1]
        if body[-1] == Control.ETX and self._text and self._text[-1] not in _LINE_BREAKS:
            self._text += b"\r"
        whole: list[Received] = []
        while (at := self._next_to_look_at()) >= 0:
            whole += self._looked_at(at)
        if len(self._text) > self._longest_message:
            whole += self._cut(len(self._text))
        return whole

    def conflict(self, body: bytes) -> list[Received]:
        """The frame before came again as `body`. Where a message that is not given yet has a part
        of that frame, it is in doubt; else the message that is whole keeps what was acknowledged,
        and nothing is said of the next one: the other version is given by itself."""
        if self._text.strip(_LINE_ENDS):
            self._conflict = IN_TWO_VERSIONS
            return []
        other = body[1:-1].lstrip(_LINE_ENDS)
        return [Received(other, AFTER_THE_LAST)] if other else []

    def end(self) -> list[Received]:
        """The session is over: what has no L is given as it is."""
        return self._cut(len(self._text))

    def _looked_at(self, at: int) -> list[Received]:
        self._record_at, stop = at, self._end_of_record(at)
        record = bytes(self._text[at:stop]).strip(_LINE_ENDS)
        if record[:1] == b"L" and record[1:2] in (b"", self._field_mark()):
            return self._cut(stop)
        if record[:1] == b"H" and self._text[:at].strip(_LINE_ENDS):
            return self._cut(at)
        self._record_at = stop
        return []

    def _next_to_look_at(self) -> int:
        """Where the next whole line begins that may open or close a message, as few do; -1 when
        there is none yet."""
        whole = max(self._text.rfind(b"\r"), self._text.rfind(b"\n")) + 1
        if whole <= self._record_at:
            return -1
        if self._record_at == 0 and _OPENS_OR_CLOSES.match(self._text):
            return 0
        from_ = max(self._record_at - 1, 0)
        has_lf = self._text.find(b"\n", from_) >= 0
        opens_or_closes = _OPENS_OR_CLOSES_NEXT if has_lf else _THE_SAME_AFTER_CR
        found = opens_or_closes.search(self._text, from_, whole)
        if found is None:
            self._record_at = whole
            return -1
        return found.start() + 1

    def _end_of_record(self, at: int) -> int:
        """After its line's end; a line end before the record's first letter is not it."""
        found = _END_OF_RECORD.search(self._text, at)
        return found.end() if found else len(self._text)

    def _field_mark(self) -> bytes:
        head = self._text.lstrip(_LINE_ENDS)
        return bytes(head[1:2]) if head[:1] == b"H" else b"|"

    def _cut(self, at: int) -> list[Received]:
        text = bytes(self._text[:at]).lstrip(_LINE_ENDS)
        del self._text[:at]
        self._record_at = 0
        conflict, self._conflict = self._conflict, None
        return [Received(text, conflict)] if text else []
