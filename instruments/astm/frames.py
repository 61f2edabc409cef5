"""The receiving end of the CLSI LIS1-A (ASTM E1381) link layer: bytes and a clock in, actions out.

The contract is the order of the actions: every `Keep` comes before the `Reply` that acknowledges
it, and the receiver will not go on until the caller has said with `kept()` whether the bytes are
on disk. If they are not, the reply is a NAK and the analyser keeps its result (section 6.3.4.2,
not received). No reply depends on what a frame means.

    state      event                 action                                     LIS1-A
    ---------  --------------------  -----------------------------------------  --------------
    neutral    ENQ                   keep the start, ACK: waiting               6.2.3
    neutral    ENQ, disk refuses     NAK, and the sender asks again in 10 s     6.2.5
    neutral    anything else         nothing                                    6.2
    waiting    STX                   take a frame                               6.3.1
    waiting    EOT                   end the session: neutral                   6.4.1
    waiting    ENQ                   end what came as cut short, start afresh   6.2.3
    waiting    anything else         nothing (noise, the LF of a trailer)       6.3.1.2
    text       ETX or ETB            the text is whole: check 1                 6.3.1.2
    text       beyond the longest    NAK: waiting                               6.3.1.1, 6.5.1.1
    text       anything else         text                                       6.3.1
    check 1,2  hexadecimal digit     the next place                             6.3.3
    check 1,2  anything else         NAK: waiting                               6.5.1.1
    trailer    CR, and all is well   keep the frame, ACK: waiting               6.3.4.1
    trailer    the same, asked for   keep the frame, EOT: waiting               6.3.4.3, 6.3.5
    trailer    CR, sum is wrong      NAK: waiting                               6.3.3, 6.5.1.1
    trailer    CR, number repeated   same bytes: ACK, drop; others: NAK, keep   6.3.2, 6.5.1.1
    trailer    CR, number otherwise  NAK: waiting                               6.3.2, 6.5.1.1
    trailer    anything else         NAK: waiting                               6.5.1.1
    any        30 s of silence       end the session as cut short: neutral      6.5.2.4

Inside a frame ENQ, EOT and STX are data that the checksum will judge: to answer a corrupted byte
as if it were an ENQ would acknowledge the frame it stands in. Only after a pause of
`LEFT_OFF_S` do they mean that the sender left the frame and speaks anew.

The standard's 30 s run from the last reply. Here they also start again with each byte of a frame
under way, because 63,993 characters at 9600 baud take 67 s; noise between frames does not stop
them. A frame is the only thing held in memory, so a line can hold no more than the longest one.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

from instruments import line

LONGEST_TEXT = 63_993  # characters of text in a frame, LIS01-A2 6.3.1.1 (240 in E1381-95)
IDLE_TIMEOUT_S = 30.0  # LIS1-A 6.5.2.4
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


@dataclass(slots=True)
class Keep(line.Keep):
    """Put this on disk, then call `Receiver.kept()`."""

    kind: Kind
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply(line.Reply):
    """Send these bytes: a receiver's reply is one, a sender's turn may be a frame. `refusal` says
    why when it is a NAK; `repeated` when an ACK is for a frame that had been kept before."""

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


_IN_FRAME = (State.TEXT, State.CHECK_1, State.CHECK_2, State.TRAILER)  # a set would hash by Python
_SPOKEN = re.compile(rb"[\x02\x04\x05]")  # STX, EOT, ENQ: all that is no noise between frames
_HEX = frozenset(b"0123456789ABCDEFabcdef")
_LEFT_BEFORE = frozenset(b"\0\r\n")  # what may come of the line itself before a sender speaks anew
_END_OF_TEXT = re.compile(rb"[\x03\x17]")
_WHOLE_FRAME = re.compile(rb"[^\x02\x04\x05]*\x02([^\x03\x17]*[\x03\x17])([0-9A-Fa-f]{2})\r")
_ZERO = ord("0")


_DIGITS = tuple(b"%02X" % value for value in range(256))
_SUMMED_AT_ONCE = 256  # bytes
_ACCEPTED = Reply(bytes([Control.ACK]))
_REPEATED = Reply(bytes([Control.ACK]), repeated=True)


def checksum(body: bytes | bytearray) -> bytes:
    """Two hexadecimal digits over FN through ETX or ETB (LIS1-A 6.3.3).

    Adler-32 carries the plain sum of its bytes, plus one, in its lower half as long as that stays
    below 65,521: 256 bytes do. It is ten times as fast as adding them up here.
    """
    if len(body) <= _SUMMED_AT_ONCE:
        return _DIGITS[(zlib.adler32(body) - 1) & 0xFF]
    return _DIGITS[sum(body) & 0xFF]


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
        self._paused = False
        self._turn_wanted = False
        self._kept: bool | None = None

    @property
    def in_session(self) -> bool:
        return self._state is not State.NEUTRAL

    @property
    def state(self) -> State:
        return self._state

    def resume(self, last_frame: bytes | None, now_s: float) -> None:
        """Take up a session told from the journal: the analyser may not know we were away."""
        self._heard_s = now_s
        self._open()
        if last_frame is not None:
            self._last = last_frame
            self._number = last_frame[0] - ord("0")

    def ask_for_turn(self) -> None:
        """Until this session ends, accept frames with EOT in place of ACK: a request to the
        sender to make room, which it may pass over (LIS1-A 6.3.5)."""
        self._turn_wanted = self.in_session

    def kept(self, on_disk: bool) -> None:
        """Answer a `Keep`."""
        self._kept = on_disk

    def feed(self, data: bytes, now_s: float) -> Iterator[Action]:
        """What to do about these bytes, in order. `now_s` is a monotonic clock."""
        if not data:
            return
        if now_s - self._heard_s >= LEFT_OFF_S:
            self._paused = self._state in _IN_FRAME
        self._heard_s = now_s
        at = 0
        while at < len(data):
            waiting = self._state is State.WAITING and not self._paused
            if waiting and (whole := self._whole_frame(data, at)):
                at = whole.end()
                body, check = whole.groups()
                yield from self._answer(self._judge(body, check, ends_well=True), body)
                continue
            if self._paused and self._left_off(data[at]):
                continue
            if self._state is State.TEXT:
                at = self._take_text(data, at)
                if len(self._body) > self._longest_body:
                    yield self._refuse(Refusal.TOO_LONG)
            elif self._state in _IN_FRAME:
                yield from self._step(data[at])
                at += 1
            elif spoken := _SPOKEN.search(data, at):
                at = spoken.end()
                yield from self._step(spoken[0][0])
            else:
                break
        if self._state in _IN_FRAME:
            self._restart_timer()

    def tick(self, now_s: float) -> Iterator[Action]:
        """Let the receiver's timer run: call at least every few seconds (LIS1-A 6.5.2.4)."""
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
                whole, check = bytes(self._body), bytes(self._check)
                judged = self._judge(whole, check, ends_well=byte == Control.CR)
                yield from self._answer(judged, whole)

    def _left_off(self, byte: int) -> bool:
        """Whether the sender, silent in mid-frame, speaks anew with this byte."""
        if byte in _LEFT_BEFORE:
            return False
        self._paused = False
        if byte in (Control.STX, Control.ENQ, Control.EOT):
            self._state = State.WAITING
            return True
        return False

    def _whole_frame(self, data: bytes, at: int) -> re.Match[bytes] | None:
        """The short way for a frame that is there from STX to CR, as most are, after what may
        stand before it: what it does is what `_step` does with each of these bytes."""
        whole = _WHOLE_FRAME.match(data, at)
        return whole if whole and len(whole[1]) <= self._longest_body else None

    def _take_text(self, data: bytes, at: int) -> int:
        room = self._longest_body + 1 - len(self._body)
        until = min(len(data), at + (1 if self._paused else room))
        end = _END_OF_TEXT.search(data, at, until)
        stop = end.end() if end else until
        self._body += data[at:stop]
        if end:
            self._state = State.CHECK_1
        return stop

    def _judge(self, body: bytes, check: bytes, *, ends_well: bool) -> Kind | Reply:
        """A whole frame is in: as what it is to be kept, or the reply to what is not. LIS1-A 6.3.2
        (numbers), 6.3.3 (checksum), 6.3.4 (replies)."""
        if not ends_well:
            return self._refuse(Refusal.TRAILER)
        if check != (right := checksum(body)) and check.upper() != right:
            return self._refuse(Refusal.CHECKSUM)
        number = body[0] - _ZERO
        if number == (self._number + 1) % 8:
            return Kind.FRAME
        if self._last is None or number != self._number:
            return self._refuse(Refusal.FRAME_NUMBER)
        return self._acknowledge(repeated=True) if body == self._last else Kind.CONFLICT

    def _answer(self, judged: Kind | Reply, body: bytes) -> Iterator[Action]:
        if isinstance(judged, Reply):
            yield judged
            return
        self._kept = None
        yield Keep(judged, body)
        kept = self._whether_kept(judged)
        if judged is Kind.CONFLICT:
            yield self._refuse(Refusal.CONFLICT)
        elif not kept:
            yield self._refuse(Refusal.NOT_KEPT)
        else:
            self._number, self._last = body[0] - _ZERO, body
            yield self._acknowledge()

    def _start(self) -> Iterator[Action]:
        yield from self._keep(Kind.START)
        if not self._kept:
            yield Reply(bytes([Control.NAK]), Refusal.NOT_KEPT)
            return
        self._open()
        yield _ACCEPTED

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
        self._turn_wanted = False
        yield from self._keep(Kind.END, how.value.encode("ascii"))

    def _keep(self, kind: Kind, data: bytes = b"") -> Iterator[Action]:
        self._kept = None
        yield Keep(kind, data)
        self._whether_kept(kind)

    def _whether_kept(self, kind: Kind) -> bool:
        if self._kept is None:
            raise NotToldWhetherKept(f"{kind.name} was neither kept nor refused")
        return self._kept

    def _acknowledge(self, *, repeated: bool = False) -> Reply:
        self._state = State.WAITING
        self._restart_timer()
        if self._turn_wanted:
            return Reply(bytes([Control.EOT]), repeated=repeated)
        return _REPEATED if repeated else _ACCEPTED

    def _refuse(self, why: Refusal) -> Reply:
        self._state = State.WAITING
        self._restart_timer()
        return Reply(bytes([Control.NAK]), why)
