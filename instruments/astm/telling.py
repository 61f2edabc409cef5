"""An ASTM line's journal told in order, live or again after a crash."""

from dataclasses import dataclass, field

from instruments.astm.frames import Kind
from instruments.astm.session import Assembly
from instruments.journal import Entry
from instruments.line import Received


@dataclass(slots=True)
class Telling:
    """Sessions, their frames, and the messages that these make."""

    assembly: Assembly = field(default_factory=Assembly)
    session: int = 0
    last: bytes | None = None

    def begins_session(self, kind: bytes) -> bool:
        return kind == Kind.START.value

    def holds_without_disk(self, kind: bytes) -> bool:
        """An end is not repeated: the session is over, kept or not. Nor need a conflict be: the
        next repeat may agree, and still nobody knows which of the two was meant."""
        return kind in (Kind.END.value, Kind.CONFLICT.value)

    def tell(self, entry: Entry) -> list[Received]:
        """The messages that this entry made whole or broke off."""
        match entry.kind:
            case Kind.START.value:
                broken_off = self.assembly.end()
                self.session, self.last = entry.sequence, None
                return broken_off
            case Kind.FRAME.value:
                self.last = entry.data
                return self.assembly.frame(entry.data)
            case Kind.CONFLICT.value:
                return self.assembly.conflict(entry.data)
            case Kind.END.value:
                self.session, self.last = 0, None
                return self.assembly.end()
        return []
