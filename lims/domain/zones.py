"""Places that cut across communes: a factory estate, a hospital, a quarantine site, a dormitory."""

from datetime import timedelta
from enum import StrEnum
from typing import Final


class ZoneKind(StrEnum):
    """What the place is, as whoever is told of its cases speaks of it."""

    INDUSTRIAL = "industrial"
    HOSPITAL = "hospital"
    QUARANTINE = "quarantine"
    DORMITORY = "dormitory"
    SCHOOL = "school"
    MARKET = "market"
    OTHER = "other"


class Tie(StrEnum):
    """Why somebody belongs to a zone."""

    RESIDENT = "resident"
    WORKER = "worker"


# Who was swabbed in a campaign held at a zone belongs to it for so long. Ours: the 14 days that a
# contact is watched (Decision 879/QD-BYT, 2021) and a week for the answer and its confirmation.
SWAB_TIES: Final = timedelta(days=21)
