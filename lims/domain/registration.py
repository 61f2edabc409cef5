"""What a desk says when it registers: one person, one swab, one tube. Already parsed."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from uuid import UUID

from lims.domain.zones import Tie


@dataclass(frozen=True, slots=True)
class AreaRef:
    """An administrative unit. A code means nothing without its scheme (S18)."""

    scheme: str
    code: str


class AddressKind(StrEnum):
    """Which of a person's two addresses: the team of the first is told, that of the second too."""

    HOME = "home"
    WORK = "work"


@dataclass(frozen=True, slots=True)
class ZoneGiven:
    """A zone that somebody is said to belong to, and why."""

    zone_id: UUID
    tie: Tie


@dataclass(frozen=True, slots=True)
class PersonGiven:
    """A person as the card or the mouth said. ``name`` is NFC, ``name_key`` unaccented.

    ``zones`` stand beside the registration: they change nothing of what it is (``digest``).
    """

    name: str
    name_key: str
    birth_year: int | None = None
    birth_date: date | None = None
    sex: str | None = None
    phone: str | None = None
    national_id: str | None = None
    old_id: str | None = None
    household_id: UUID | None = None
    address: str | None = None
    area: AreaRef | None = None
    work_area: AreaRef | None = None
    zones: tuple[ZoneGiven, ...] | None = None


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

    def digest(self) -> str:
        """As ``digest`` below, written out: ten thousand rows of a batch are digested at once.

        Fields stand in a fixed order between unit separators, absent ones as
        NUL, which no text may hold.
        """
        person = self.person or _NOBODY
        home, work = person.area or _NOWHERE, person.work_area or _NOWHERE
        said = (
            *(self.specimen_id, self.barcode, self.collected_at.astimezone(UTC).isoformat()),
            *(self.person_id, self.campaign_id, self.assay, person.name, person.birth_year),
            *(person.birth_date, person.sex, person.phone, person.national_id, person.address),
            *(person.household_id, home.scheme, home.code, work.scheme, work.code),
            *((person.old_id,) if person.old_id else ()),
        )
        written = "\x1f".join(["\x00" if part is None else str(part) for part in said])
        return hashlib.sha256(written.encode()).hexdigest()


_NOWHERE = AreaRef("\x00", "\x00")
_NOBODY = PersonGiven("\x00", "\x00")


def digest(value: object) -> str:
    """SHA-256 of a request's meaning, to tell a replay from another body under the same id.

    The order of keys, absent against null, and the zone a time is written in
    do not matter. Values are the domain's own: frozen dataclasses with slots,
    UUIDs, dates, aware times, enumerations.
    """
    return hashlib.sha256(_WRITER.encode(value).encode()).hexdigest()


def _plain(value: object) -> object:
    """One level of what JSON does not know; the encoder comes back for the next."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, UUID | date):
        return str(value)
    names: tuple[str, ...] = value.__slots__  # type: ignore[attr-defined]  # a TypeError is right for anything else
    return {name: item for name in names if (item := getattr(value, name)) is not None}


_WRITER = json.JSONEncoder(
    default=_plain, sort_keys=True, ensure_ascii=False, separators=(",", ":")
)
