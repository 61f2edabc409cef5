"""What a line's protocol is to the gateway: bytes and a clock in, actions out.

The contract is the order of the actions: every `Keep` comes before the `Reply` that acknowledges
it, and the protocol goes no further until the caller has said with `kept()` whether the bytes are
on disk. ASTM frames (`astm.frames`), MLLP blocks (`hl7.mllp`) and the XML conversation of readers
(`poct.conversation`) are this.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Protocol

from instruments.journal import Entry

NOT_KEPT = "not-kept"  # the refusal of what the disk did not take


@dataclass(slots=True)
class Keep:
    """Put this on disk, then call `kept()`. The kind's value is the journal entry's. Not frozen:
    one is made for each frame, and frozen it costs three times as much."""

    kind: Enum
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this (`byte` may be several). `refusal` says why when it is no acknowledgement;
    `repeated` when it acknowledges what had been kept before."""

    byte: bytes
    refusal: StrEnum | None = None
    repeated: bool = False


Action = Keep | Reply


class NotToldWhetherKept(RuntimeError):
    """The caller asked for the next action without `kept()`: a fault in the caller."""


class AwaitsDisk:
    """The half of a protocol that goes no further before it was told whether its bytes are kept."""

    def __init__(self) -> None:
        self._kept: bool | None = None

    def kept(self, on_disk: bool) -> None:
        """Answer a `Keep`."""
        self._kept = on_disk

    def _keep(self, kind: Enum, data: bytes) -> Iterator[Action]:
        """Afterwards `_kept` is the answer. Raises `NotToldWhetherKept`."""
        self._kept = None
        yield Keep(kind, data)
        if self._kept is None:
            raise NotToldWhetherKept(f"{kind.name} was neither kept nor refused")


class LineProtocol(Protocol):
    """Drive each iterator it returns to its end. `now_s` is a monotonic clock."""

    @property
    def in_session(self) -> bool: ...

    def feed(self, data: bytes, now_s: float) -> Iterator[Action]: ...

    def tick(self, now_s: float) -> Iterator[Action]: ...

    def kept(self, on_disk: bool) -> None: ...

    def resume(self, last: bytes | None, now_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Received:
    """A message's bytes, whole or broken off, ready for its driver.

    conflict: what came twice with different bytes, so that which one was meant is unknown.
    broken_off: why it is known not to be whole, where its own protocol can tell.
    """

    text: bytes
    conflict: str | None = None
    broken_off: str | None = None


class Telling(Protocol):
    """A line's journal told in order, live or again after a crash."""

    @property
    def session(self) -> int:
        """The journal's number of the session that is open; 0 when none is."""
        ...

    @property
    def last(self) -> bytes | None:
        """What the open session was last acknowledged for, to resume it."""
        ...

    def begins_session(self, kind: bytes) -> bool: ...

    def holds_without_disk(self, kind: bytes) -> bool:
        """Whether an entry that the disk refused must be told all the same: nobody repeats it."""
        ...

    def tell(self, entry: Entry) -> list[Received]:
        """The messages that this entry made whole or broke off."""
        ...


class EachForItself:
    """The `Telling` of a line whose every entry is a message of its own: nothing needs resuming,
    and what the disk refused was never acknowledged, so that it is sent again."""

    session = 0
    last: bytes | None = None

    def __init__(
        self, broken_off: Mapping[bytes, str | None], besides: Collection[bytes] = ()
    ) -> None:
        """`broken_off`: by kind of entry, why its message is not whole; None where it is.
        `besides`: kinds that are kept, and are no message."""
        self._broken_off = broken_off
        self._begins = {*broken_off, *besides}

    def begins_session(self, kind: bytes) -> bool:
        return kind in self._begins

    def holds_without_disk(self, kind: bytes) -> bool:  # noqa: ARG002 - all of it is sent again
        return False

    def tell(self, entry: Entry) -> list[Received]:
        if entry.kind not in self._broken_off:
            return []
        return [Received(entry.data, broken_off=self._broken_off[entry.kind])]
