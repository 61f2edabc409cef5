"""Whether a message that broke off is the beginning of one that came whole."""

from typing import Final

BROKEN_OFF: Final = frozenset({"no-terminator", "broken-off"})
"""Under which a message is set aside for nothing but its missing end."""


def is_beginning(part: bytes, whole: bytes) -> bool:
    """A sender that resumes begins its last record anew (LIS2-A2 4.2): of a part that was cut in
    mid-record the records before it open the whole, and the cut one stands in it further on."""
    end = max(part.rfind(b"\r"), part.rfind(b"\n")) + 1
    records, cut = part[:end], part[end:]
    return bool(part) and whole.startswith(records) and whole.find(cut, end) >= 0
