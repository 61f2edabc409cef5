"""The contract of whatever tells other systems: an ORU line, an adapter of a national platform.

A speaker composes payloads inside a transaction, with everything read for many at a time, and says
them on a line while no connection to the database is held. What became of each is the machinery's
to keep (deliver.py, work/outbound.py): order, retries, dead letters, who is away. The same row must
give the same payload while what it tells is unchanged, so that a receiver knows it again.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from lims.work.outbound import Came, Leased, Owing


class Away(Exception):
    """Nobody answers there, or nobody that we may talk to: nothing that is owed is to blame."""


@dataclass(frozen=True, slots=True)
class Payload:
    """What one owed row is told as. ``digest`` is its SHA-256; ``known_by`` what the receiver
    knows it again by."""

    outbound_id: UUID
    data: bytes
    digest: str
    known_by: str


Tell = Callable[[Sequence[Payload]], Sequence[tuple[Came, str]]]
"""Say these payloads, at most the speaker's ``at_once``, and wait for the answers: one of each, in
that order, with the other side's own word for a person. Raises Away: then none of them counts as
said."""


class Speaker(Protocol):
    """One kind of destination. ``at_once``: how many payloads one saying holds."""

    at_once: int

    def compose(
        self, session: Session, leased: Leased, owing: Sequence[Owing]
    ) -> Sequence[Payload]:
        """In the order given, every one of them."""

    def line(self, leased: Leased) -> AbstractContextManager[Tell]:
        """A connection, for one turn. Raises Away on entering."""
