"""What a tube scanned out of a rack turned out to be."""

from enum import StrEnum


class RackVerdict(StrEnum):
    """``HERE`` is on the rack's list; all others are surplus, or cannot be received at all."""

    HERE = "here"
    UNLISTED = "unlisted"  # received, though no list names it
    OTHER_RACK = "other_rack"  # received; the list of another open rack names it
    RECEIVED_BEFORE = "received_before"  # not of this rack, and here already
    UNREGISTERED = "unregistered"  # not received: nobody knows whose it is
    REJECTED = "rejected"  # not received: it was set aside, or discarded


RECEIVED = frozenset({RackVerdict.HERE, RackVerdict.UNLISTED, RackVerdict.OTHER_RACK})
NOT_TAKEN = frozenset({RackVerdict.UNREGISTERED, RackVerdict.REJECTED})
