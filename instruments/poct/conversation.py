"""The observation reviewer of POCT01-A2 (section 4, device messaging layer): bytes and a clock in,
actions out.

    state       message                     said, in order
    ----------  --------------------------  ------------------------------------------------------
    any         HEL.R01 hello               AA; the conversation begins anew
    greeted     DST.R01, takes              AA, DTV.R01 START_CONTINUOUS; then continuous
                START_CONTINUOUS
    greeted     DST.R01, has observations   AA, REQ.R01 ROBS; then asked
    greeted     DST.R01, has none           AA, END.R01; then over
    asked       EOT.R01 end of topic        AA, END.R01; then over
    continuous  DST.R01                     AA
    any         OBS.R01, OBS.R02, and what  keep it, then AA; AE where the disk refused it
                is not named here
    any         EVS.R01 events              keep it, then AA; no capture is made of it
    any         KPA, ESC, other DST, EOT    AA
    any         END.R01                     AA; then over
    any         ACK.R01                     nothing; one that is not AA to our directive: asked
                                            with REQ.R01 instead
    any         no message, a document      keep it, then AE with the reason
                type, over the limit
    any         30 s of silence inside one  keep what came as broken off; nothing is said

What is sent where (the tables of the second edition) is from memory, laid beside Quidel's list of
messages of the Sofia and PixCell's of the HemoScreen: a reader that knows START_CONTINUOUS is
never asked with REQ.R01 first, since the Sofia answers what it does not know with an escape and
leaves. Neither its clock nor its operators are set from here.

An observation is acknowledged only when it is on disk; whether a driver can read it never decides
the acknowledgement. A control id that comes again is a message that comes again: it is kept again,
its digest is the same. The conversation belongs to a connection; HEL.R01 tells a new one.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

import structlog

from instruments.line import Action, AwaitsDisk, EachForItself, Reply
from instruments.poct import answers
from instruments.poct.answers import Code, Detail
from instruments.poct.documents import (
    KEPT_OF_ENDLESS,
    LONGEST_DOCUMENT,
    Cut,
    Documents,
    Piece,
)
from instruments.poct.message import Message, NotPoct1, read

IDLE_TIMEOUT_S: Final = 30.0
LONGEST_CONTROL_ID: Final = 64  # characters that are echoed
CONTINUOUS: Final = "START_CONTINUOUS"

_CONTROL_ID: Final = re.compile(rb"<HDR\.control_id\s[^<>]{0,200}?\bV\s*=\s*[\"']([^<>\"']{1,64})")
_log = structlog.get_logger()


class Kind(Enum):
    """What is kept. Each entry is a session of its own."""

    MESSAGE = b"M"
    EVENT = b"V"  # an event of the reader: in the journal, in no capture
    UNREADABLE = b"U"  # answered AE
    BROKEN_OFF = b"P"  # a part: nothing was answered, so the reader sends it again
    ENDLESS = b"Q"  # the head of a document beyond the limit


class Refusal(StrEnum):
    """Why no AA went out."""

    NOT_KEPT = "not-kept"
    NOT_POCT1 = "not-poct1"
    TOO_LONG = "too-long"


class Talk(Enum):
    """Where the conversation stands."""

    NONE = "none"
    GREETED = "greeted"
    ASKED = "asked"
    CONTINUOUS = "continuous"
    OVER = "over"


class Reviewer(AwaitsDisk):
    """One line's state: at most one document. `now` is the wall clock, for HDR.creation_dttm."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        longest_document: int = LONGEST_DOCUMENT,
    ) -> None:
        super().__init__()
        self._now = now
        self._idle_timeout_s = idle_timeout_s
        self._documents = Documents(longest_document)
        self._deadline_s = float("inf")
        self._own = 0
        self._talk = Talk.NONE
        self._takes_continuous = False
        self._directive = ""  # the control id of ours that waits for its ACK

    @property
    def in_session(self) -> bool:
        return self._documents.inside

    def resume(self, last: bytes | None, now_s: float) -> None:
        """Nothing to take up: a message is kept whole or was never acknowledged."""

    def feed(self, data: bytes, now_s: float) -> Iterator[Action]:
        """What to do about these bytes, in order. `now_s` is a monotonic clock."""
        if data:
            self._deadline_s = now_s + self._idle_timeout_s
        for piece in self._documents.feed(data):
            yield from self._hear(piece)

    def tick(self, now_s: float) -> Iterator[Action]:
        """Call at least every few seconds: a message that nobody goes on with is over."""
        if now_s >= self._deadline_s:
            self._deadline_s = float("inf")
            yield from self._break_off(self._documents.give_up())

    def _hear(self, piece: Piece) -> Iterator[Action]:
        match piece.cut:
            case Cut.WHOLE:
                yield from self._whole(piece.data)
            case Cut.BROKEN_OFF:
                yield from self._break_off(piece.data)
            case Cut.ENDLESS:
                yield from self._keep(Kind.ENDLESS, piece.data)
                why = "a message without an end, beyond what is taken"
                yield self._refuse(control_id_in(piece.data), why, Refusal.TOO_LONG)

    def _whole(self, data: bytes) -> Iterator[Action]:
        try:
            message = read(data)
        except NotPoct1 as bad:
            yield from self._keep(Kind.UNREADABLE, data)
            yield self._refuse(control_id_in(data), bad.detail, Refusal.NOT_POCT1)
            return
        match message.kind:
            case "ACK.R01":
                yield from self._acknowledged(message)
            case "HEL.R01" | "DST.R01" | "EOT.R01" | "END.R01" | "KPA.R01" | "ESC.R01":
                yield self._accept(message)
                yield from self._go_on(message)
            case "EVS.R01":
                yield from self._take(Kind.EVENT, message, data)
            case _:
                yield from self._take(Kind.MESSAGE, message, data)

    def _take(self, kind: Kind, message: Message, data: bytes) -> Iterator[Action]:
        yield from self._keep(kind, data)
        if self._kept:
            yield self._accept(message)
            return
        note = "not stored, the disk refused: keep it and send it again"
        why = (Detail.INTERNAL, note)
        yield Reply(self._answer(message.control_id, Code.ERROR, why), Refusal.NOT_KEPT)

    def _go_on(self, message: Message) -> Iterator[Action]:
        """What a message that carries no result moves, after its AA."""
        match message.kind, self._talk:
            case "HEL.R01", _:
                told = message.root.below("DSC.directives_supported_cd")
                self._takes_continuous = any(each.v == CONTINUOUS for each in told)
                self._talk, self._directive = Talk.GREETED, ""
            case "DST.R01", Talk.GREETED if self._takes_continuous:
                self._talk = Talk.CONTINUOUS
                yield Reply(answers.continuous_mode(self._next(), self._now()))
                self._directive = str(self._own)
            case "DST.R01", Talk.GREETED if _has_observations(message):
                yield self._ask()
            case ("DST.R01", Talk.GREETED) | ("EOT.R01", Talk.ASKED):
                self._talk = Talk.OVER
                yield Reply(answers.goodbye(self._next(), self._now()))
            case "END.R01", _:
                self._talk = Talk.OVER
            case "ESC.R01", _:
                _log.warning("escaped", talk=self._talk.value)
            case _:
                pass

    def _acknowledged(self, message: Message) -> Iterator[Action]:
        """A reader's ACK is answered by nobody."""
        code = message.root.value("ACK.type_cd")
        about = message.root.value("ACK.ack_control_id") or message.root.value("ACK.control_id")
        ours, self._directive = self._directive, ""
        if code in ("", Code.ACCEPT):
            return
        _log.warning("reader refused", code=code[:2], talk=self._talk.value)
        if ours and about == ours:
            yield self._ask()

    def _ask(self) -> Reply:
        self._talk = Talk.ASKED
        return Reply(answers.observations_wanted(self._next(), self._now()))

    def _break_off(self, part: bytes) -> Iterator[Action]:
        """Nothing is answered, so nothing is lost if the disk refuses this."""
        if part:
            yield from self._keep(Kind.BROKEN_OFF, part[:KEPT_OF_ENDLESS])

    def _accept(self, message: Message) -> Reply:
        return Reply(self._answer(message.control_id, Code.ACCEPT))

    def _refuse(self, control_id: str, note: str, refusal: Refusal) -> Reply:
        """AE: the reader keeps it; the journal has it too, if the disk took it."""
        why = (Detail.SEQUENCE, note)
        return Reply(self._answer(control_id, Code.ERROR, why), refusal)

    def _answer(self, about: str, code: Code, why: tuple[Detail, str] | None = None) -> bytes:
        echoed = about[:LONGEST_CONTROL_ID]
        return answers.acknowledgement(echoed, code, self._next(), self._now(), why=why)

    def _next(self) -> int:
        self._own += 1
        return self._own


TELLING: Final = EachForItself(
    {
        Kind.MESSAGE.value: None,
        Kind.UNREADABLE.value: None,
        Kind.BROKEN_OFF.value: "the message broke off before its end; it was not acknowledged",
        Kind.ENDLESS.value: "the message had no end and was refused; this is its beginning",
    },
    besides=(Kind.EVENT.value,),
)
"""A POCT1 line's journal told in order."""


def messages_in(content: bytes) -> list[bytes]:
    """The messages of a capture that could carry results, in order."""
    texts = []
    for piece in Documents().feed(content):
        try:
            quiet = read(piece.data).kind in _NO_RESULTS
        except NotPoct1:
            quiet = False
        if not quiet:
            texts.append(piece.data)
    return texts


_NO_RESULTS: Final = frozenset(
    ("ACK.R01", "HEL.R01", "DST.R01", "EOT.R01", "END.R01", "KPA.R01", "ESC.R01", "EVS.R01")
)


def control_id_in(data: bytes) -> str:
    """Of bytes that are no message; "" where none can be told."""
    found = _CONTROL_ID.search(data)
    told = found[1].decode("ascii", errors="replace") if found else ""
    return told if told.isprintable() and told.isascii() else ""


def _has_observations(message: Message) -> bool:
    """A quantity that is no number is asked about: an END in its place would lose results."""
    told = message.root.value("DST.new_observations_qty")
    return not told.isdigit() or int(told[:9]) > 0
