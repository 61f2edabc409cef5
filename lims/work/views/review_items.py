"""What waits for a reviewer, as values: each says why it waits and what it is about."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class ReviewQueue(StrEnum):
    """The kinds of things that only a person may decide."""

    POSITIVES = "positives"
    RUNS = "runs"
    DISCORDANT = "discordant"
    CORRECTIONS = "corrections"
    UNMATCHED = "unmatched"
    INCONCLUSIVE = "inconclusive"
    IDENTITY = "identity"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Readings:
    """One measurement's targets: names and Ct in cycles, None for no amplification."""

    targets: tuple[tuple[str, float | None], ...]
    error: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Positive:
    """A positive that waits for its final word, or a person nobody can tell about yet."""

    finding_id: UUID
    person_id: UUID
    name: str
    birth_year: int | None
    area: str | None
    barcode: str
    ct_cycles: float | None
    since: datetime
    plate: str | None
    well: str | None
    why: str | None
    rule: str | None
    readings: Readings | None
    pool: str | None
    pool_ct: float | None
    case_id: UUID | None
    run_state: str | None
    conflict: str | None


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run whose controls were late, with what it detected."""

    run_id: UUID
    plate: str
    instrument: str | None
    verdict_why: str | None
    held: int
    samples: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Disputed:
    """A pool, or a tube alone, that disagrees with what is in it or with itself."""

    barcode: str
    kind: str
    people: int
    answers: tuple[tuple[str, str, float | None, str | None], ...]
    repeats_waiting: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """A second value for one test beside the first."""

    measurement_id: UUID
    barcode: str | None
    plate: str | None
    well: str | None
    instrument: str
    before: Readings | None
    after: Readings
    outcome: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Stray:
    """A measurement that belongs to no tube yet."""

    measurement_id: UUID
    said: str
    plate: str | None
    well: str | None
    instrument: str
    readings: Readings
    why: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """One card number, two names or two birth years."""

    person_id: UUID
    name: str
    birth_year: int | None
    about: str
    swabs: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Unread:
    """A message of which nothing could be read."""

    message_id: UUID
    instrument: str
    reason: str | None
    size_bytes: int
    captured_at: datetime
    since: datetime
