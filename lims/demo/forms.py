"""What a desk says to the API: one body for each way of being tested.

Every id is minted here, before the first attempt to say it, so that saying it again after a
broken connection is the same word.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from lims.db.ids import uuid7
from lims.demo.truth import Household, Villager, Ward
from lims.domain.barcodes import minted_from
from lims.domain.rapid_test import RapidOutcome

STRIP: Final = timedelta(minutes=20)  # from the drop to the reading
KIT_LOT: Final = "(01)08935212000017(17)491231(10)AG-2110-07"


def labels_of(site: str, batch: str) -> Iterator[str]:
    """The roll of labels that was printed for this desk."""
    return (barcode for _, barcode in minted_from(site, batch, 0))


def registration(
    household: Household, villager: Villager, label: str, campaign: UUID
) -> dict[str, Any]:
    """One swab in one tube, for ``POST /specimens`` or a row of a batch."""
    return {
        "specimen_id": str(uuid7()),
        "barcode": label,
        "collected_at": said_now(),
        "campaign_id": str(campaign),
        "person": person(household, villager),
    }


def family_tube(household: Household, label: str, campaign: UUID) -> dict[str, Any]:
    """Everybody's swab in one tube, for ``POST /field-pools``; members in the household's order."""
    return {
        "tube_id": str(uuid7()),
        "barcode": label,
        "collected_at": said_now(),
        "campaign_id": str(campaign),
        "household": {
            "household_id": str(uuid7()),
            "label": household.label,
            "address": household.address,
            "area": area(household.ward),
        },
        "members": [
            {"specimen_id": str(uuid7()), "person": person(household, villager)}
            for villager in household.villagers
        ],
    }


def strip_read(
    household: Household, villager: Villager, swab: UUID, outcome: RapidOutcome, label: str | None
) -> dict[str, Any]:
    """A strip read just now, for ``POST /rapid-tests``; ``label`` is on the PCR tube, if any."""
    read_at = datetime.now(UTC)
    return {
        "specimen_id": str(swab),
        "person": person(household, villager),
        "started_at": (read_at - STRIP).isoformat(),
        "read_at": read_at.isoformat(),
        "outcome": str(outcome),
        "kit_lot": KIT_LOT,
        "pcr_barcode": label,
    }


def second_swab(wanted: dict[str, Any], label: str) -> dict[str, Any]:
    """The swab that a recollection asks for, of somebody the laboratory knows."""
    return {
        "specimen_id": str(uuid7()),
        "barcode": label,
        "collected_at": said_now(),
        "person_id": wanted["person_id"],
    }


def person(household: Household, villager: Villager) -> dict[str, Any]:
    """What the card and the mouth say."""
    return {
        "name": villager.name,
        "birth_year": villager.birth_year,
        "sex": villager.sex,
        "phone": villager.phone,
        "national_id": villager.national_id,
        "address": household.address,
        "area": area(household.ward),
        "work_area": area(villager.work) if villager.work else None,
    }


def area(ward: Ward) -> dict[str, str]:
    """A code with its scheme."""
    return {"scheme": ward.scheme, "code": ward.code}


def said_now() -> str:
    """The moment of the swab, as JSON."""
    return datetime.now(UTC).isoformat()
