"""Signing a finding: what the reviewer saw, and what may become of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from uuid import UUID


class Came(StrEnum):
    """What became of one finding that a reviewer meant to release."""

    RELEASED = "released"
    SIGNED = "signed"
    ALREADY = "already"
    CHANGED = "changed"
    SAME_PERSON = "same_person"
    IDENTITY = "identity_conflict"
    NOT_SIGNABLE = "not_signable"
    UNKNOWN = "unknown"


DONE = frozenset({Came.RELEASED, Came.SIGNED})


@dataclass(frozen=True, slots=True)
class Asked:
    """A finding, and what it looked like when the reviewer decided; None: not said."""

    finding_id: UUID
    seen: str | None = None


def seen_of(*, signed_by: str | None, holds: Iterable[str], identity_open: bool) -> str:
    """What a reviewer was shown of a finding, beyond its words, which never change."""
    shown = [signed_by or "", *sorted(holds), str(identity_open)]
    return sha256("|".join(shown).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Signed:
    """One finding after the act: as it stands now, and who last did what to it."""

    finding_id: UUID
    came: Came
    status: str | None = None
    outcome: str | None = None
    person_id: UUID | None = None
    by: str | None = None
    at: datetime | None = None
    case_id: UUID | None = None
