"""The receiving end of the CLSI LIS1-A (ASTM E1381) link layer: bytes and a clock in, actions out.

The contract is the order of the actions: every `Keep` comes before the `Reply` that acknowledges
it, and the receiver will not go on until the caller has said with `kept()` whether the bytes are
on disk. If they are not, the reply is a NAK and the analyser keeps its result (section 6.3.5,
receiver not ready). No reply depends on what a frame means.

    state      byte                 action                                      LIS1-A
    ---------  -------------------  ------------------------------------------  -------------
    neutral    ENQ                  keep the start, ACK (NAK if disk refuses)   6.2.3
    neutral    anything else        nothing                                     6.2
    waiting    STX                  take a frame                                6.3.1
    waiting    ENQ                  end what came as cut short, start afresh    6.2.3, 6.5.2.3
    waiting    EOT                  end the session                             6.4.1
    waiting    anything else        nothing (noise, the LF of a trailer)        6.3.1.2
    frame      until ETX or ETB     text                                        6.3.1
    trailer    C1 C2 CR             ACK, or NAK and wait for the same again     6.3.1.2, 6.3.5
    any        30 s of silence      end the session as cut short                6.5.2.2

Inside a frame ENQ, EOT and STX are data that the checksum will judge: to answer a corrupted byte
as if it were an ENQ would acknowledge the frame it stands in. Only after a pause of
`LEFT_OFF_S` do they mean that the sender left the frame and speaks anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

from instruments import line

LONGEST_TEXT = 63_993  # characters of text in a frame, LIS01-A2 6.3.1.1 (240 in E1381-95)
IDLE_TIMEOUT_S = 30.0  # LIS1-A 6.5.2.2
LEFT_OFF_S = 0.5  # five hundred characters' time at 9600 baud: nobody is still sending that frame


class Control(IntEnum):
    """The transmission control characters of the line (LIS1-A table 1)."""

    STX = 0x02
    ETX = 0x03
    EOT = 0x04
    ENQ = 0x05
    ACK = 0x06
    CR = 0x0D
    NAK = 0x15
    ETB = 0x17


class Kind(Enum):
    """What is kept: the entries from which a session can be told again."""

    START = b"S"
    FRAME = b"F"  # FN, text and ETX or ETB: what the checksum covers
    CONFLICT = b"X"  # a second, different frame under an acknowledged number
    END = b"E"  # data is the `End` value


class End(StrEnum):
    EOT = "eot"
    SILENCE = "silence"
    RESTART = "restart"  # ENQ in mid-session


class Refusal(StrEnum):
    """Why a NAK went out."""

    CHECKSUM = "checksum"
    TRAILER = "trailer"
    FRAME_NUMBER = "frame-number"
    CONFLICT = "conflict"
    TOO_LONG = "too-long"
    NOT_KEPT = "not-kept"


@dataclass(frozen=True, slots=True)
class Keep(line.Keep):
    """Put this on disk, then call `Receiver.kept()`."""

    kind: Kind
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply(line.Reply):
    """Send this byte. `refusal` says why when it is a NAK; `repeated` when an ACK is for a frame
    that had been kept before."""

    byte: bytes
    refusal: Refusal | None = None
    repeated: bool = False


Action = Keep | Reply


class NotToldWhetherKept(line.NotToldWhetherKept):
    """The caller asked for the next action without `kept()`: a fault in the caller."""


class State(Enum):
    NEUTRAL = "neutral"
    WAITING = "waiting"
    TEXT = "text"
    CHECK_1 = "check 1"
    CHECK_2 = "check 2"
    TRAILER = "trailer"


_IN_FRAME = frozenset({State.TEXT, State.CHECK_1, State.CHECK_2, State.TRAILER})
_SPOKEN = re.compile(rb"[\x02\x04\x05]")  # STX, EOT, ENQ: all that is no noise between frames
_HEX = frozenset(b"0123456789ABCDEFabcdef")


def checksum(body: bytes | bytearray) -> bytes:
    """Two hexadecimal digits over FN through ETX or ETB (LIS1-A 6.3.3)."""
    return b"%02X" % (sum(body) & 0xFF)


def framed(number: int, text: bytes, *, last: bool) -> bytes:
    """A frame as it goes over the line; `last` closes with ETX, otherwise ETB (LIS1-A 6.3.1)."""
    body = b"%d%b%c" % (number % 8, text, Control.ETX if last else Control.ETB)
    return b"%c%b%b\r\n" % (Control.STX, body, checksum(body))


class Receiver:
    """One line's receiving state. Holds at most one frame; how the bytes were chunked is nothing
    to it. Drive each iterator it returns to its end."""

    def __init__(
        self, *, idle_timeout_s: float = IDLE_TIMEOUT_S, longest_text: int = LONGEST_TEXT
    ) -> None:
        self._idle_timeout_s = idle_timeout_s
        self._longest_body = longest_text + 2  # FN and ETX or ETB
        self._state = State.NEUTRAL
        self._body = bytearray()
        self._check = bytearray()
        self._number = 0
        self._last: bytes | None = None
        self._heard_s = float("-inf")
        self._deadline_s = float("inf")
        self._kept: bool | None = None

    @property
    def in_session(self) -> bool:
        return self._state is not State.NEUTRAL

    def resume(self, last_frame: bytes | None, now_s: float) -> None:
        """Take up a session told from the journal: the analyser may not know we were away."""
        self._heard_s = now_s
        self._open()
        if last_frame is not None:
            self._last = last_frame
            self._number = last_frame[0] - ord("0")

    def kept(self, on_disk: bool) -> None:
        """Answer a `Keep`."""
        self._kept = on_disk

    def feed(self, data: bytes, now_s: float) -> Iterator[Action]:
        """What to do about these bytes, in order. `now_s` is a monotonic clock."""
        if not data:
            return
        left_off = now_s - self._heard_s >= LEFT_OFF_S
        self._heard_s = now_s
        if left_off and self._state in _IN_FRAME and _SPOKEN.match(data.lstrip(b"\0\r\n")):
            self._state = State.WAITING
        at = 0
        while at < len(data):
            if self._state is State.TEXT:
                at = self._take_text(data, at)
                if len(self._body) > self._longest_body:
                    yield self._refuse(Refusal.TOO_LONG)
            elif self._state in _IN_FRAME:
                yield from self._step(data[at])
                at += 1
            else:
                spoken = _SPOKEN.search(data, at)
                at = spoken.end() if spoken else len(data)
                if spoken:
                    yield from self._step(spoken[0][0])
        if self._state in _IN_FRAME:
            self._restart_timer()

    def tick(self, now_s: float) -> Iterator[Action]:
        """Let the receiver's timer run: call at least every few seconds (LIS1-A 6.5.2.2)."""
        if now_s >= self._deadline_s:
            yield from self._end(End.SILENCE)

    def _step(self, byte: int) -> Iterator[Action]:
        match self._state, byte:
            case State.NEUTRAL, Control.ENQ:
                yield from self._start()
            case State.NEUTRAL, _:
                pass
            case State.WAITING, Control.STX:
                self._body.clear()
                self._check.clear()
                self._state = State.TEXT
            case State.WAITING, Control.ENQ:
                yield from self._end(End.RESTART)
                yield from self._start()
            case State.WAITING, Control.EOT:
                yield from self._end(End.EOT)
            case State.WAITING, _:
                pass
            case State.CHECK_1 | State.CHECK_2, _:
                if byte not in _HEX:
                    yield self._refuse(Refusal.TRAILER)
                else:
                    self._check.append(byte)
                    at_first = self._state is State.CHECK_1
                    self._state = State.CHECK_2 if at_first else State.TRAILER
            case State.TRAILER, _:
                yield from self._judge(ends_well=byte == Control.CR)

    def _take_text(self, data: bytes, at: int) -> int:
        ends = [end for end in (data.find(Control.ETX, at), data.find(Control.ETB, at)) if end >= 0]
        stop = min(ends) + 1 if ends else len(data)
        room = self._longest_body + 1 - len(self._body)
        taken = data[at : min(stop, at + room)]
        self._body += taken
        if ends and at + len(taken) == stop:
            self._state = State.CHECK_1
        return at + len(taken)

    def _judge(self, *, ends_well: bool) -> Iterator[Action]:
        """A whole frame is in: LIS1-A 6.3.1.2 (numbers), 6.3.3 (checksum), 6.3.5 (replies)."""
        body = bytes(self._body)
        number = body[0] - ord("0")
        if not ends_well:
            yield self._refuse(Refusal.TRAILER)
        elif bytes(self._check).upper() != checksum(body):
            yield self._refuse(Refusal.CHECKSUM)
        elif number == (self._number + 1) % 8:
            yield from self._accept(body, number)
        elif self._last is None or number != self._number:
            yield self._refuse(Refusal.FRAME_NUMBER)
        elif body == self._last:
            yield self._acknowledge(repeated=True)
        else:
            yield from self._keep(Kind.CONFLICT, body)
            yield self._refuse(Refusal.CONFLICT)

    def _accept(self, body: bytes, number: int) -> Iterator[Action]:
        yield from self._keep(Kind.FRAME, body)
        if not self._kept:
            yield self._refuse(Refusal.NOT_KEPT)
            return
        self._number, self._last = number, body
        yield self._acknowledge()

    def _start(self) -> Iterator[Action]:
        yield from self._keep(Kind.START)
        if not self._kept:
            yield Reply(bytes([Control.NAK]), Refusal.NOT_KEPT)
            return
        self._open()
        yield self._acknowledge()

    def _open(self) -> None:
        self._state = State.WAITING
        self._number, self._last = 0, None
        self._restart_timer()

    def _restart_timer(self) -> None:
        self._deadline_s = self._heard_s + self._idle_timeout_s

    def _end(self, how: End) -> Iterator[Action]:
        self._state = State.NEUTRAL
        self._last = None
        self._deadline_s = float("inf")
        yield from self._keep(Kind.END, how.value.encode("ascii"))

    def _keep(self, kind: Kind, data: bytes = b"") -> Iterator[Action]:
        self._kept = None
        yield Keep(kind, data)
        if self._kept is None:
            raise NotToldWhetherKept(f"{kind.name} was neither kept nor refused")

    def _acknowledge(self, *, repeated: bool = False) -> Reply:
        self._state = State.WAITING
        self._restart_timer()
        return Reply(bytes([Control.ACK]), repeated=repeated)

    def _refuse(self, why: Refusal) -> Reply:
        self._state = State.WAITING
        self._restart_timer()
        return Reply(bytes([Control.NAK]), why)
