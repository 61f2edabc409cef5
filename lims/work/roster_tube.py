"""The PCR tube of a positive of a roster: of the number that was said, never of a guessed one.

A label names nobody. With one positive that owes its tube it can only be theirs; with two it is
refused until somebody says the number, for a tube under another name makes two wrong results.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain import barcodes
from lims.domain.refusals import Conflict, NotABarcode, NotFound
from lims.work.rapid_pcr import take_pcr_tube
from lims.work.roster import locked
from lims.work.views.rosters import PositiveSeen, roster_sheet


class WhoseTube(Conflict):
    slug = "whose-tube"
    expected = "the number of the positive before its label"
    todo = "type the number, a space, then scan the label; or scan into the field beside the name"


@dataclass(frozen=True, slots=True)
class TubeTaken:
    """The receipt: whose tube it is."""

    position: int
    name: str
    barcode: str


def take_roster_tube(
    session: Session,
    roster_id: UUID,
    barcode: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    position: int | None = None,
    specimen_id: UUID | None = None,
) -> TubeTaken:
    """Give the label to this number, or to this strip, or to the only one that owes a tube.

    Raises WhoseTube when several owe one and none is named, NotFound, NotABarcode when nobody
    owes one, and what ``take_pcr_tube`` raises.
    """
    locked(session, roster_id, site_id=site_id)
    sheet = roster_sheet(session, roster_id, site_id=site_id)
    positives = sheet.positives if sheet else ()
    if position is None and specimen_id is None:
        whose = _only_one_owing(positives, barcode)
    else:
        whose = _named(positives, position, specimen_id)
    take_pcr_tube(session, whose.specimen_id, barcode, site_id=site_id, by=by, now=now)
    return TubeTaken(whose.position, whose.name, barcode)


def _only_one_owing(positives: tuple[PositiveSeen, ...], barcode: str) -> PositiveSeen:
    owing = [one for one in positives if one.owes_tube]
    if not owing:
        raise NotABarcode(
            came=barcodes.shown(barcode),
            expected="a label while a positive waits for its PCR tube",
            todo="confirm the strips first; a positive then asks for its tube",
        )
    if len(owing) > 1:
        raise WhoseTube(came=", ".join(str(one.position) for one in owing), where="position")
    return owing[0]


def _named(
    positives: tuple[PositiveSeen, ...], position: int | None, specimen_id: UUID | None
) -> PositiveSeen:
    for one in positives:
        if specimen_id == one.specimen_id or (specimen_id is None and position == one.position):
            return one
    raise NotFound(
        expected="a positive of this roster",
        came=str(position or specimen_id),
        where="position",
        todo="look at the number beside the positive's name",
    )
