"""An analyser that misbehaves on request: bytes and a clock in, bytes out, and seeded.

It is an analyser with a result memory: it does not forget a message before it was acknowledged to
its end, and sends it again, whole and in a new session, each time the line breaks or is silent.
The simulator puts it on a pseudo-terminal; the tests drive it without any I/O.
"""

import itertools
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from instruments.analyser_messages import unsaved_tail
from instruments.astm.frames import Control, checksum, framed
from instruments.astm.sender import (
    BUSY_WAIT_S,
    REFUSALS,
    REPLY_TIMEOUT_S,
    Finished,
    GaveUp,
    Send,
    Sender,
    cut,
)
from instruments.mischief import Mischief

_NOISE = bytes(set(range(256)) - {Control.STX, Control.EOT, Control.ENQ})


class Fault(StrEnum):
    """What can go wrong. Each happens as often as it was asked for, by default once, in the first
    session it can or, with a chance below 1, at some later point."""

    BIT_FLIP = "bit-flip"
    BYTE_SWAP = "byte-swap"  # two neighbours change places: no sum can see it
    DROPPED_BYTE = "dropped-byte"
    DOUBLED_BYTE = "doubled-byte"
    SPLIT = "split"  # the frame comes in pieces
    NOISE = "noise"  # bytes between frames
    WRONG_NUMBER = "wrong-number"
    BAD_CHECKSUM = "bad-checksum"
    NAK_STORM = "nak-storm"  # hears NAK for six replies, whatever they were
    LOST_ACK = "lost-ack"  # hears no ACK, sends the frame again
    STUCK_LINE = "stuck-line"  # the frame's last byte over and over, then silence
    MISSING_EOT = "missing-eot"
    DROP_AND_RESUME = "drop-and-resume"  # falls silent, then sends only the unsaved tail
    DROP_AND_REPEAT = "drop-and-repeat"  # falls silent, then sends the whole message
    DUPLICATE = "duplicate"  # the whole message twice
    CLOCK_JUMP = "clock-jump"  # its clock is years off; see `simulated.playing`
    KILLED = "killed"  # kill -9 of the analyser's computer in mid-frame


_OF_THE_WIRE = (
    Fault.BIT_FLIP,
    Fault.BYTE_SWAP,
    Fault.DROPPED_BYTE,
    Fault.DOUBLED_BYTE,
    Fault.WRONG_NUMBER,
    Fault.BAD_CHECKSUM,
)


@dataclass(frozen=True, slots=True)
class Order:
    """A message to send. `packed`: its records run on through the frames (GeneXpert); otherwise
    each record begins a frame."""

    name: str
    records: tuple[bytes, ...]
    packed: bool

    def frames(self, records: Sequence[bytes]) -> list[bytes]:
        return cut([b"".join(records)] if self.packed else records)

    def tail(self, records: Sequence[bytes], acknowledged: int) -> Sequence[bytes]:
        """What a sender that heard `acknowledged` frames accepted may leave out is left out."""
        if self.packed:
            return self.records
        ends = itertools.accumulate(len(cut([record])) for record in records)
        return unsaved_tail(records, sum(end <= acknowledged for end in ends))


class Analyser:
    """Sends one message after another. What its methods return is for the line, piece by piece."""

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        seed: int = 0,
        chance: float = 1.0,
        reply_timeout_s: float = REPLY_TIMEOUT_S,
        drop_after: int = 1,
    ) -> None:
        """`chance`: of a fault at each point where it could happen. `drop_after`: so many frames
        are accepted before the line is dropped."""
        self._mischief = Mischief(faults, seed=seed, chance=chance)
        self._now = self._mischief.now
        self._reply_timeout_s = reply_timeout_s
        self._drop_after = drop_after
        self._order = Order("", (), packed=False)
        self._records: Sequence[bytes] = ()
        self._frames: Sequence[bytes] = ()
        self._sender: Sender | None = None
        self._again_at_s = float("inf")
        self._storm = 0
        self.dead = False
        self.hung_up = False  # never: a cable stays plugged in
        self.acknowledged: int | None = None

    @property
    def done(self) -> bool:
        """The message was acknowledged to its end, in a session of `acknowledged` frames."""
        return self.acknowledged is not None

    def send(self, order: Order, now_s: float) -> list[bytes]:
        self._order, self._records, self.acknowledged = order, order.records, None
        return self._begin(now_s)

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        if self._sender is None or self.dead:
            return []
        if self._sender.acknowledged > 0 and self._now(Fault.LOST_ACK):
            return self._spoiled(self._frames[self._sender.acknowledged], now_s)
        if self._sender.acknowledged > 0 and self._now(Fault.NAK_STORM):
            self._storm = REFUSALS
        if self._storm:
            self._storm = max(0, self._storm - len(data))
            data = bytes([Control.NAK]) * len(data)
        return self._do(self._sender.hear(data, now_s), now_s)

    def tick(self, now_s: float) -> list[bytes]:
        if self.dead:
            return []
        if self._sender is None:
            return self._begin(now_s) if now_s >= self._again_at_s else []
        return self._do(self._sender.tick(now_s), now_s)

    def restart(self, now_s: float) -> None:
        """After `dead`: what was in its memory of results is sent again, whole."""
        self.dead = False
        self._records = self._order.records
        self._again_at_s = now_s

    def _begin(self, now_s: float) -> list[bytes]:
        self._again_at_s = float("inf")
        self._frames = self._order.frames(self._records)
        self._sender = Sender(
            self._frames,
            reply_timeout_s=self._reply_timeout_s,
            busy_wait_s=min(BUSY_WAIT_S, self._reply_timeout_s),
        )
        return self._do(self._sender.begin(now_s), now_s)

    def _do(self, actions: Sequence[Send | Finished | GaveUp], now_s: float) -> list[bytes]:
        out: list[bytes] = []
        for action in actions:
            match action:
                case Send(data) if len(data) == 1:
                    left_out = data[0] == Control.EOT and self._now(Fault.MISSING_EOT)
                    out += [] if left_out else [data]
                case Send(data):
                    out += self._spoiled(data, now_s)
                case Finished(frames):
                    self._sender = None
                    if self._now(Fault.DUPLICATE):
                        self._wait(self._order.records, now_s)
                    else:
                        self.acknowledged = frames
                case GaveUp():
                    self._gave_up(action, now_s)
        if self._sender is not None and self._sender.acknowledged >= self._drop_after:
            self._maybe_drop(now_s)
        return out

    def _gave_up(self, ending: GaveUp, now_s: float) -> None:
        self._sender = None
        self._wait(self._order.records, now_s)
        if ending.acknowledged and self._now(Fault.DROP_AND_RESUME):
            self._wait(self._order.tail(self._records, ending.acknowledged), now_s)

    def _maybe_drop(self, now_s: float) -> None:
        """Fall silent with the last frame unanswered."""
        if self._sender is None or self._sender.over:
            return
        if self._now(Fault.DROP_AND_RESUME):
            saved = self._sender.break_off().acknowledged
            self._sender = None
            self._wait(self._order.tail(self._records, saved), now_s)
        elif self._now(Fault.DROP_AND_REPEAT):
            self._sender = None
            self._wait(self._order.records, now_s)

    def _wait(self, records: Sequence[bytes], now_s: float) -> None:
        """Half a reply's time, so that a late reply is not taken for a new one."""
        self._records = records
        self._again_at_s = now_s + self._reply_timeout_s / 2

    def _spoiled(self, frame: bytes, now_s: float) -> list[bytes]:
        """The frame as it comes out of the line's other end."""
        mischief = self._mischief
        for fault in _OF_THE_WIRE:
            if self._now(fault):
                frame = spoiled(frame, fault, mischief.rng)
        if self._now(Fault.NOISE):
            frame = mischief.noisy(frame, _NOISE)
        if self._now(Fault.STUCK_LINE):
            self._sender = None
            self._wait(self._order.records, now_s)
            return [mischief.stuck(frame)]
        if self._now(Fault.KILLED):
            self._sender, self.dead = None, True
            return [mischief.cut_short(frame)]
        if self._now(Fault.SPLIT):
            return mischief.in_pieces(frame)
        return [frame]


def spoiled(frame: bytes, fault: Fault, rng: random.Random) -> bytes:
    """One fault of the wire in one frame."""
    at = rng.randrange(len(frame))
    match fault:
        case Fault.BIT_FLIP:
            frame = frame[:at] + bytes([frame[at] ^ 1 << rng.randrange(8)]) + frame[at + 1 :]
        case Fault.BYTE_SWAP:
            at = rng.randrange(1, len(frame) - 6)
            frame = frame[:at] + frame[at + 1 : at + 2] + frame[at : at + 1] + frame[at + 2 :]
        case Fault.DROPPED_BYTE:
            frame = frame[:at] + frame[at + 1 :]
        case Fault.DOUBLED_BYTE:
            frame = frame[:at] + frame[at : at + 1] + frame[at:]
        case Fault.WRONG_NUMBER:
            number = (frame[1] - ord("0") + rng.randint(1, 7)) % 8
            frame = framed(number, frame[2:-5], last=frame[-5] == Control.ETX)
        case Fault.BAD_CHECKSUM:
            wrong = (int(checksum(frame[1:-4]), 16) + rng.randint(1, 255)) % 256
            frame = frame[:-4] + b"%02X" % wrong + frame[-2:]
    return frame
