"""The receiving end of MLLP: bytes and a clock in, actions out (HL7 v2 Transport Specification:
MLLP, release 1; HL7 Implementation Guide, appendix C).

    state     byte                  action
    --------  --------------------  ------------------------------------------------------------
    between   VT                    take a block
    between   `MSH`                 take a block whose VT was left out
    between   anything else         nothing (noise, the CR of the block before, LF)
    block     FS                    the block is over: keep it, then answer it
    block     VT                    keep what came as broken off, take a new block
    block     beyond the limit      keep its head, refuse it, then wait for FS or VT
    any       30 s of silence       keep what came as broken off

FS alone ends a block, whether its CR came, comes late or never: no text may contain FS, and how
the bytes were chunked must be nothing to the receiver. In UTF-16, which the specification advises
against, FS and VT are halves of letters: there FS ends a block only before a CR and after a whole
letter, and VT means nothing.

The application's word (AA) goes out only for bytes that are on disk, so a message that no driver
can read is acknowledged too: it is in quarantine, not lost. AE says "send it again" (the disk
refused), AR "not like this" (no MSH, no end). A work-list query goes to the line's `desk`, which
answers it in a later `tick`; without a desk it is answered with AE. An answer to something of ours
(it carries MSA) is the desk's too, and answered by nobody.
"""

import re
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from enum import Enum, StrEnum

from instruments.hl7.acknowledgement import Code, acknowledgement, wants_answer
from instruments.hl7.charset import wide
from instruments.hl7.message import Message, NotHl7, read
from instruments.hl7.work_desk import WorkDesk
from instruments.hl7.worklist import query_of, worklist_answer
from instruments.line import Action, AwaitsDisk, EachForItself, Keep, Reply

LONGEST_BLOCK = 16 * 1024 * 1024  # bytes; a run of 384 specimens is a fiftieth of it
KEPT_OF_ENDLESS = 64 * 1024  # bytes of a block without end that are kept, to see what it was
IDLE_TIMEOUT_S = 30.0

VT, FS, CR = b"\x0b", b"\x1c", b"\r"
_MSH = b"MSH"
_NOISE = b"\0\r\n \t"
_START = re.compile(rb"\x0b|MSH")
_NEXT_MESSAGE = re.compile(rb"(?<=[\r\n])(?=MSH[^A-Za-z0-9])")


class Kind(Enum):
    """What is kept. Each entry is a session of its own."""

    BLOCK = b"B"
    BROKEN_OFF = b"P"  # a part: nothing was answered, so the analyser sends it again
    ENDLESS = b"Q"  # the head of a block beyond the limit


class Refusal(StrEnum):
    """Why no AA went out."""

    NOT_KEPT = "not-kept"
    NOT_HL7 = "not-hl7"
    TOO_LONG = "too-long"
    NOT_ASKED = "host-query"  # a question, on a line that answers none


class State(Enum):
    BETWEEN = "between"
    BLOCK = "block"
    ENDLESS = "endless"


def framed(message: bytes) -> bytes:
    """A block as it goes over the line."""
    return VT + message + FS + CR


class Receiver(AwaitsDisk):
    """One line's receiving state: at most one block. `now` is the wall clock, for MSH-7;
    `desk` answers what the analyser asks."""

    def __init__(
        self,
        now: Callable[[], datetime],
        desk: WorkDesk | None = None,
        *,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        longest_block: int = LONGEST_BLOCK,
    ) -> None:
        super().__init__()
        self._now = now
        self._desk = desk
        self._idle_timeout_s = idle_timeout_s
        self._longest_block = longest_block
        self._state = State.BETWEEN
        self._block = bytearray()
        self._looked_at = 0
        self._deadline_s = float("inf")

    @property
    def in_session(self) -> bool:
        return self._state is not State.BETWEEN

    def resume(self, last: bytes | None, now_s: float) -> None:
        """Nothing to take up: a block is kept whole or was never acknowledged."""

    def feed(self, data: bytes, now_s: float) -> Iterator[Action]:
        """What to do about these bytes, in order. `now_s` is a monotonic clock."""
        if data:
            self._deadline_s = now_s + self._idle_timeout_s
        while data:
            match self._state:
                case State.BETWEEN:
                    data = self._seek_start(data)
                case State.BLOCK:
                    data = yield from self._take(data)
                case State.ENDLESS:
                    data = self._seek_end(data)

    def tick(self, now_s: float) -> Iterator[Action]:
        """Call at least every few seconds: a block that nobody goes on with is over."""
        if now_s >= self._deadline_s:
            yield from self._break_off()
            self._begin(State.BETWEEN)
            self._deadline_s = float("inf")
        if self._desk:
            for message in self._desk.due():
                yield Reply(framed(message))

    def _begin(self, state: State) -> None:
        self._state = state
        self._block.clear()
        self._looked_at = 0

    def _seek_start(self, data: bytes) -> bytes:
        """What follows the start. Of a `MSH` without VT two letters may have come before."""
        text = bytes(self._block) + data
        starts = _START.search(text)
        if starts is None:
            held = next((n for n in (2, 1) if text.endswith(_MSH[:n])), 0)
            self._block[:] = text[len(text) - held :]
            return b""
        self._begin(State.BLOCK)
        return text[starts.start() :].removeprefix(VT)

    def _take(self, data: bytes) -> Generator[Action, None, bytes]:
        room = self._longest_block + 1 - len(self._block)
        self._block += data[:room]
        end = self._end_of_block()
        if end is None:
            if len(self._block) <= self._longest_block:
                return b""
            yield from self._refuse_endless()
            return data[room:]
        rest = bytes(self._block[end + 1 :]) + data[room:]
        if self._block[end] == VT[0]:
            del self._block[end:]
            yield from self._break_off()
            self._begin(State.BLOCK)
            return rest
        block = bytes(self._block[:end])
        self._begin(State.BETWEEN)
        for message in _messages_in(block):
            yield from self._hear(message)
        return rest

    def _end_of_block(self) -> int | None:
        """Where FS or a new VT stands; in UTF-16, FS and CR after a whole letter."""
        if not wide(self._block):
            end = _first_mark(self._block, self._looked_at)
            self._looked_at = len(self._block)
            return end
        at = self._block.find(FS + CR, max(self._looked_at - 1, 0))
        while at % 2 == 1 and at >= 0:
            at = self._block.find(FS + CR, at + 1)
        self._looked_at = len(self._block)
        return at if at >= 0 else None

    def _seek_end(self, data: bytes) -> bytes:
        end = _first_mark(data, 0)
        if end is None:
            return b""
        self._begin(State.BLOCK if data[end] == VT[0] else State.BETWEEN)
        return data[end + 1 :]

    def _hear(self, data: bytes) -> Iterator[Action]:
        header = header_of(data)
        if header is not None and header.first("MSA"):
            if self._desk:
                self._desk.hear(header)
            return
        if header is not None and (query := query_of(header)):
            if self._desk:
                self._desk.take(query)
            else:
                (refused,) = worklist_answer(query, None, self._now())
                yield Reply(framed(refused), Refusal.NOT_ASKED)
            return
        yield from self._keep(Kind.BLOCK, data)
        if not self._kept:
            text = "not stored, the disk refused: send it again"
            yield self._say(Code.ERROR, header, text, Refusal.NOT_KEPT)
        elif header is None:
            text = "not an HL7 v2 message: it does not begin with a readable MSH"
            yield self._say(Code.REJECT, header, text, Refusal.NOT_HL7)
        elif wants_answer(header):
            yield self._say(Code.ACCEPT, header)

    def _refuse_endless(self) -> Iterator[Action]:
        head = bytes(self._block[:KEPT_OF_ENDLESS])
        self._begin(State.ENDLESS)
        yield from self._keep(Kind.ENDLESS, head)
        text = f"a block of more than {self._longest_block} bytes without an end"
        header = header_of(head.split(CR, 1)[0])
        yield self._say(Code.REJECT, header, text, Refusal.TOO_LONG)

    def _break_off(self) -> Iterator[Action]:
        """Nothing is answered, so nothing is lost if the disk refuses this. What is kept begins
        with VT: a block that lacked nothing but its FS comes again with the same bytes, and whoever
        goes by their digest would take the whole message for this part of it, told twice."""
        part = bytes(self._block) if self._state is State.BLOCK else b""
        if part.strip(_NOISE):
            yield from self._keep(Kind.BROKEN_OFF, VT + part[:KEPT_OF_ENDLESS])

    def _say(
        self, code: Code, header: Message | None, text: str = "", why: Refusal | None = None
    ) -> Reply:
        return Reply(framed(acknowledgement(header, code, self._now(), text)), why)


TELLING = EachForItself(
    {
        Kind.BLOCK.value: None,
        Kind.BROKEN_OFF.value: "the block broke off before its FS; nothing of it was acknowledged",
        Kind.ENDLESS.value: "the block had no end and was refused; this is its beginning",
    }
)
"""An MLLP line's journal told in order."""


def messages_in(content: bytes) -> list[bytes]:
    """Of a capture, in order: the blocks that came over a line, or bare messages."""
    if VT not in content:
        return _messages_in(content)
    texts = []
    receiver = Receiver(lambda: datetime.min.replace(tzinfo=UTC))
    for action in receiver.feed(content, 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            texts += [action.data] if action.kind is Kind.BLOCK else []
    return texts


def header_of(data: bytes) -> Message | None:
    """The message, or as much of it as an answer must echo; None where there is no MSH. What else
    is wrong with a message is for its driver: it never decides the acknowledgement."""
    try:
        return read(data)
    except NotHl7:
        line = data.lstrip(_NOISE).split(CR, 1)[0]
        try:
            return read(line.decode("ascii", errors="replace").encode("ascii", errors="replace"))
        except NotHl7:
            return None


def _first_mark(data: bytes | bytearray, start: int) -> int | None:
    """Where the first VT or FS stands."""
    return min((at for mark in (VT, FS) if (at := data.find(mark, start)) >= 0), default=None)


def _messages_in(block: bytes) -> list[bytes]:
    """Some senders put several messages, each with its MSH, in one block."""
    messages = [block] if wide(block) else _NEXT_MESSAGE.split(block)
    return [message for message in messages if message.strip(_NOISE)]
