"""What a scanned or typed text names here."""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind


class Place(StrEnum):
    """Where a tube's barcode leads."""

    TUBE = "tube"
    POOL = "pool"
    NOWHERE = "nowhere"


def place_of(session: Session, barcode: str, *, site_id: UUID) -> Place:
    """A pool has a page of its own; any other tube has its story."""
    kind = session.scalar(
        text("SELECT kind FROM tube WHERE barcode = :barcode AND site_id = :site"),
        {"barcode": barcode, "site": site_id},
    )
    if kind is None:
        return Place.NOWHERE
    return Place.TUBE if kind == TubeKind.INDIVIDUAL else Place.POOL


def those_here(session: Session, barcodes: Sequence[str], *, site_id: UUID) -> list[str]:
    """The barcodes that tubes of the site carry, in the order given."""
    rows = session.scalars(
        text("SELECT barcode FROM tube WHERE barcode = ANY(:barcodes) AND site_id = :site"),
        {"barcodes": list(barcodes), "site": site_id},
    )
    here = set(rows)
    return [barcode for barcode in barcodes if barcode in here]


def plate_named(session: Session, plate: str, *, site_id: UUID) -> str | None:
    """The plate, when a run was laid out on it."""
    found: str | None = session.scalar(
        text("SELECT plate FROM run WHERE plate = :plate AND site_id = :site"),
        {"plate": plate, "site": site_id},
    )
    return found


def person_of_number(session: Session, number: str, *, site_id: UUID) -> UUID | None:
    """Whose card carries these digits."""
    found: UUID | None = session.scalar(
        text("SELECT id FROM person WHERE national_id = :number AND site_id = :site"),
        {"number": number, "site": site_id},
    )
    return found
