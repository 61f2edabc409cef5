"""What a desk says when it registers: one person, one swab, one tube. Already parsed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class AreaRef:
    """An administrative unit. A code means nothing without its scheme (S18)."""

    scheme: str
    code: str


@dataclass(frozen=True, slots=True)
class PersonGiven:
    """A person as the card or the mouth said. ``name`` is NFC, ``name_key`` unaccented."""

    name: str
    name_key: str
    birth_year: int | None = None
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None
    national_id: str | None = None
    household_id: UUID | None = None
    address: str | None = None
    area: AreaRef | None = None
    work_area: AreaRef | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """One swab in one tube. ``specimen_id`` is minted by the client, so that it may retry.

    Exactly one of ``person`` and ``person_id`` (somebody already known) is given.
    """

    specimen_id: UUID
    barcode: str
    collected_at: datetime
    person: PersonGiven | None = None
    person_id: UUID | None = None
    campaign_id: UUID | None = None
    assay: str = "sars-cov-2"


def digest(value: object) -> str:
    """SHA-256 of a request's meaning: the same under any order of its keys.

    Used to tell an identical replay (answer the same) from another body under
    the same id (refuse).
    """
    written = json.dumps(
        asdict(value) if hasattr(value, "__dataclass_fields__") else value,  # type: ignore[call-overload]  # asdict wants to know it is an instance
        sort_keys=True,
        default=str,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(written.encode()).hexdigest()
