"""A machine that speaks HL7 over MLLP and misbehaves on request: bytes and a clock in, bytes out,
and seeded.

It has a memory of results: what was not answered with AA about its own MSH-10 it sends again,
whole, until it is. MLLP has no checksum, so what a fault of the wire alters in a value no receiver
can see; that is what TCP is for, and why a barcode carries a check character.
"""

from collections.abc import Iterable
from enum import StrEnum

from instruments.hl7.mllp import CR, FS, VT
from instruments.hl7.sender import (
    ANSWER_TIMEOUT_S,
    BUSY_WAIT_S,
    Accepted,
    Action,
    GaveUp,
    Send,
    Sender,
)
from instruments.misbehaviour import Fault, spoiled
from instruments.mischief import Mischief
from instruments.simulated.machines import Block

_NOISE = bytes(set(range(256)) - set(VT + FS + b"M"))
_STORM = 5  # refusals after which a sender gives up


class MllpFault(StrEnum):
    """What can go wrong. Each happens as often as it was asked for, by default once, in the first
    block it can or, with a chance below 1, in some later one."""

    BIT_FLIP = "bit-flip"
    BYTE_SWAP = "byte-swap"
    DROPPED_BYTE = "dropped-byte"
    DOUBLED_BYTE = "doubled-byte"
    SPLIT = "split"  # the block comes in pieces
    NOISE = "noise"  # bytes before the block
    MISSING_START = "missing-start"  # no VT
    MISSING_END = "missing-end"  # no FS, then silence
    NAK_STORM = "nak-storm"  # hears AE for five answers, whatever they were
    LOST_ACK = "lost-ack"  # hears no answer, sends the message again
    WRONG_ID = "wrong-id"  # the answer it hears is about another message
    SAME_ID = "same-id"  # every message has the same MSH-10: the machine counts anew
    STUCK_LINE = "stuck-line"  # a byte over and over, then silence
    DROP_AND_REPEAT = "drop-and-repeat"  # hangs up within the block, calls again, sends the whole
    DUPLICATE = "duplicate"  # the whole message twice
    CLOCK_JUMP = "clock-jump"  # its clock is years off; see `playing.CLOCK_JUMP`
    KILLED = "killed"  # kill -9 of the machine's computer within the block


_OF_THE_WIRE = (
    MllpFault.BIT_FLIP,
    MllpFault.BYTE_SWAP,
    MllpFault.DROPPED_BYTE,
    MllpFault.DOUBLED_BYTE,
)


class MllpMachine:
    """Sends one message after another. What its methods return is for the line, piece by piece.
    After each call: `hung_up` says that it closed the connection, `dead` that it was killed."""

    def __init__(
        self,
        faults: Iterable[MllpFault] = (),
        *,
        seed: int = 0,
        chance: float = 1.0,
        reply_timeout_s: float = ANSWER_TIMEOUT_S,
        hangs_up: bool = False,
    ) -> None:
        """`hangs_up`: after each message and its answer, as a rapid-test reader does."""
        self._mischief = Mischief(faults, seed=seed, chance=chance)
        self._now = self._mischief.now
        self._same_id = self._mischief.asked_for(MllpFault.SAME_ID)
        self._reply_timeout_s = reply_timeout_s
        self._hangs_up = hangs_up
        self._sender: Sender | None = None
        self._message = b""
        self._again_at_s = float("inf")
        self._storm = 0
        self._attempts = 0
        self.dead = False
        self.hung_up = False
        self.acknowledged: int | None = None

    @property
    def done(self) -> bool:
        """AA was heard, after `acknowledged` blocks."""
        return self.acknowledged is not None

    def send(self, block: Block, now_s: float) -> list[bytes]:
        """Raises `NotHl7` for what is no message."""
        self._message = _renumbered(block.message) if self._same_id else block.message
        self.acknowledged, self._attempts, self.hung_up = None, 0, False
        return self._begin(now_s)

    def hear(self, data: bytes, now_s: float) -> list[bytes]:
        self.hung_up = False
        if self._sender is None or self.dead:
            return []
        if self._now(MllpFault.LOST_ACK):
            return []
        if self._now(MllpFault.WRONG_ID):
            data = data.replace(b"|AA|", b"|AA|another-")
        if self._now(MllpFault.NAK_STORM):
            self._storm = _STORM
        if self._storm:
            self._storm -= 1
            data = data.replace(b"|AA|", b"|AE|")
        return self._do(self._sender.hear(data, now_s), now_s)

    def tick(self, now_s: float) -> list[bytes]:
        self.hung_up = False
        if self.dead:
            return []
        if self._sender is None:
            return self._begin(now_s) if now_s >= self._again_at_s else []
        return self._do(self._sender.tick(now_s), now_s)

    def restart(self, now_s: float) -> None:
        """After `dead`: what was in its memory of results is sent again, whole."""
        self.dead = False
        self._again_at_s = now_s

    def _begin(self, now_s: float) -> list[bytes]:
        self._again_at_s = float("inf")
        self._sender = Sender(
            answer_timeout_s=self._reply_timeout_s,
            busy_wait_s=min(BUSY_WAIT_S, self._reply_timeout_s),
        )
        return self._do(self._sender.begin(self._message, now_s), now_s)

    def _do(self, actions: Iterable[Action], now_s: float) -> list[bytes]:
        out: list[bytes] = []
        for action in actions:
            match action:
                case Send(data):
                    self._attempts += 1
                    out += self._spoiled(data, now_s)
                case Accepted():
                    self._sender = None
                    self.hung_up = self._hangs_up
                    if self._now(MllpFault.DUPLICATE):
                        self._wait(now_s)
                    else:
                        self.acknowledged = self._attempts
                case GaveUp():
                    self._wait(now_s)
        return out

    def _wait(self, now_s: float) -> None:
        """Half an answer's time, so that a late answer is not taken for a new one."""
        self._sender = None
        self._again_at_s = now_s + self._reply_timeout_s / 2

    def _spoiled(self, block: bytes, now_s: float) -> list[bytes]:
        """The block as it comes out of the line's other end."""
        mischief = self._mischief
        for fault in _OF_THE_WIRE:
            if self._now(fault):
                block = spoiled(block, Fault(fault.value), mischief.rng)
        if self._now(MllpFault.MISSING_START):
            block = block.removeprefix(VT)
        if self._now(MllpFault.MISSING_END):
            block = block.removesuffix(FS + CR)
        if self._now(MllpFault.NOISE):
            block = mischief.noisy(block, _NOISE)
        if self._now(MllpFault.STUCK_LINE):
            self._wait(now_s)
            return [mischief.stuck(block)]
        if self._now(MllpFault.DROP_AND_REPEAT):
            self._wait(now_s)
            self.hung_up = True
            return [mischief.cut_short(block)]
        if self._now(MllpFault.KILLED):
            self._sender, self.dead = None, True
            return [mischief.cut_short(block)]
        if self._now(MllpFault.SPLIT):
            return mischief.in_pieces(block)
        return [block]


def _renumbered(message: bytes) -> bytes:
    """MSH-10 as if this were the machine's first message ever."""
    header, mark, rest = message.partition(CR)
    fields = header.split(header[3:4])
    fields[9] = b"1"
    return header[3:4].join(fields) + mark + rest
