"""A line that receives and, when it has something to say, sends: the host's end of LIS1-A.

The line is half-duplex: one end speaks, the other replies, and between sessions it is neutral and
free for either (section 6.1). This is the order of turns; what a turn consists of is in the tables
of `frames` (receiving) and `sender` (sending).

    turn       event                           action                                LIS1-A
    ---------  ------------------------------  ------------------------------------  ------------
    neutral    ENQ                             receive                               6.2.3
    neutral    something owed, at its time     ENQ: asking                           6.2.2
    receiving  any byte, 30 s of silence       as `frames`; at its end neutral, and  6.3 to 6.5
                                               what is owed may go at once, but after
                                               silence in 15 s: a sender that waits yet
                                               would take our EOT for an ACK
    receiving  something owed, if allowed      ask for the turn (EOT for ACK)        6.3.5
    asking     ENQ: both ask                   the instrument goes first: neutral,   6.2.7.2,
                                               not asking for 20 s or until its      6.5.2.2
                                               session is over; that ENQ is not
                                               answered, the next one is
    asking     NAK                             neutral, not asking for 10 s, or      6.2.5
                                               until a session of theirs is over
    asking     ACK, else, 15 s of silence      as `sender`                           6.2.4, 6.2.6
    sending    any byte, 15 s of silence       as `sender`                           6.3.4, 6.5
    sending    EOT for ACK: they want the turn EOT, neutral, not asking for 15 s or  6.3.5.3
                                               until their session is over
    sending    finished                        neutral; the message is sent
    sending    given up                        neutral; owed whole, again in 15 s    6.5.1.2

A message that is not gone by its time is let go: an analyser that asked has stopped waiting.
`feed` and `tick` have the shape of `frames.Receiver`, so whoever drives one can drive the other.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from instruments.astm.frames import (
    IDLE_TIMEOUT_S,
    LONGEST_TEXT,
    Action,
    End,
    Keep,
    Kind,
    Receiver,
    Reply,
)
from instruments.astm.sender import (
    FRAME_TEXT,
    HOST_YIELD_S,
    INTERRUPTED_S,
    Failure,
    Finished,
    GaveUp,
    Send,
    Sender,
    State,
    cut,
)

AGAIN_S = 15.0  # after a session that was given up; the standard leaves it to the sender
MOST_OWED = 64  # messages waiting for one line


class Turn(Enum):
    NEUTRAL = "neutral"
    RECEIVING = "receiving"
    ASKING = "asking"
    SENDING = "sending"


class Fate(Enum):
    OWED = "owed"
    SENT = "sent"  # to its last frame, which was acknowledged
    LAPSED = "lapsed"  # its time was over first


class TooMuchOwed(RuntimeError):
    """`MOST_OWED` messages wait for a line that takes none."""


@dataclass(slots=True)
class Errand:
    """A message to send, and what became of it."""

    frames: Sequence[bytes]
    until_s: float
    fate: Fate = Fate.OWED


class Line:
    """One analyser's line. Drive each iterator it returns to its end."""

    def __init__(
        self,
        *,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        longest_text: int = LONGEST_TEXT,
        asks_for_turn: bool = False,
    ) -> None:
        """`asks_for_turn`: whether a session of theirs is interrupted for what is owed. Many
        analysers take an EOT in place of ACK for a refusal, so this is for those known not to."""
        self._receiver = Receiver(idle_timeout_s=idle_timeout_s, longest_text=longest_text)
        self._asks_for_turn = asks_for_turn
        self._sender: Sender | None = None
        self._owed: deque[Errand] = deque()
        self._free_at_s = float("-inf")

    @property
    def turn(self) -> Turn:
        if self._sender is not None:
            return Turn.ASKING if self._sender.state is State.ASKING else Turn.SENDING
        return Turn.RECEIVING if self._receiver.in_session else Turn.NEUTRAL

    @property
    def in_session(self) -> bool:
        return self.turn is not Turn.NEUTRAL

    def owe(
        self, records: Sequence[bytes], *, until_s: float = float("inf"), packed: bool = True
    ) -> Errand:
        """Send this message when the line is free, if that is before `until_s` (of the monotonic
        clock). May be called from another thread. `packed`: the records run on through the frames
        (GeneXpert); otherwise each begins a frame. Raises `TooMuchOwed`."""
        if len(self._owed) >= MOST_OWED:
            raise TooMuchOwed(f"{MOST_OWED} messages wait for the line already")
        errand = Errand(cut([b"".join(records)] if packed else records, FRAME_TEXT), until_s)
        self._owed.append(errand)
        return errand

    def resume(self, last_frame: bytes | None, now_s: float) -> None:
        """Take up a session of theirs told from the journal."""
        self._receiver.resume(last_frame, now_s)

    def kept(self, on_disk: bool) -> None:
        """Answer a `Keep`."""
        self._receiver.kept(on_disk)

    def feed(self, data: bytes, now_s: float) -> Iterator[Action]:
        """What to do about these bytes, in order. `now_s` is a monotonic clock. With nothing to say
        the line is a receiver, and as fast."""
        if self._sender is None and not self._owed:
            return self._receiver.feed(data, now_s)
        return self._feed(data, now_s)

    def _feed(self, data: bytes, now_s: float) -> Iterator[Action]:
        at = 0
        while self._sender is not None and at < len(data):
            yield from self._speak(self._sender.hear(data[at : at + 1], now_s), now_s)
            at += 1
        yield from self._receive(self._receiver.feed(data[at:], now_s), now_s)

    def tick(self, now_s: float) -> Iterator[Action]:
        """Let the timers run, and begin to send what is owed where the line is free."""
        if self._sender is not None:
            yield from self._speak(self._sender.tick(now_s), now_s)
            return
        yield from self._receive(self._receiver.tick(now_s), now_s)
        while self._owed and now_s >= self._owed[0].until_s:
            self._owed.popleft().fate = Fate.LAPSED
        if not self._owed:
            return
        if self._receiver.in_session:
            if self._asks_for_turn:
                self._receiver.ask_for_turn()
        elif now_s >= self._free_at_s:
            self._sender = Sender(self._owed[0].frames, yield_s=HOST_YIELD_S, heeds_interrupt=True)
            yield from self._speak(self._sender.begin(now_s), now_s)

    def _receive(self, actions: Iterator[Action], now_s: float) -> Iterator[Action]:
        for action in actions:
            if isinstance(action, Keep) and action.kind is Kind.END:
                silent = action.data == End.SILENCE.value.encode("ascii")
                self._free_at_s = now_s + (AGAIN_S if silent else 0.0)
            yield action

    def _speak(self, actions: Sequence[Send | Finished | GaveUp], now_s: float) -> Iterator[Action]:
        for action in actions:
            match action:
                case Send(data):
                    yield Reply(data)
                case Finished():
                    self._owed.popleft().fate = Fate.SENT
                    self._rest(now_s)
                case GaveUp(Failure.INTERRUPTED):
                    self._rest(now_s + INTERRUPTED_S)
                case GaveUp():
                    self._rest(now_s + AGAIN_S)
        if self._sender is not None and self._sender.pauses_until_s is not None:
            self._rest(self._sender.pauses_until_s)

    def _rest(self, until_s: float) -> None:
        """Be a receiver again."""
        self._sender = None
        self._free_at_s = until_s
