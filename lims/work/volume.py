"""Say how much a tube held when it came; what was drawn since is reckoned from there (S10)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.refusals import InvalidBody
from lims.work.audit import record
from lims.work.evidence import lock_components
from lims.work.settle import settle
from lims.work.tubes import scanned

MOST_UL = 100_000


@dataclass(frozen=True, slots=True)
class Volume:
    """The receipt: what it held, and what is left now, µl."""

    tube_id: UUID
    barcode: str
    volume_ul: int
    left_ul: int
    replayed: bool


def say_volume(
    session: Session, scan: str, volume_ul: int, *, site_id: UUID, by: str, now: datetime
) -> Volume:
    """Keep it, and conclude again: a test that was wanted may have become the last, or impossible.

    The same number again changes nothing. Raises the refusals of ``scanned``, and InvalidBody for
    less than nothing or more than a tube holds.
    """
    if not 0 <= volume_ul <= MOST_UL:
        raise InvalidBody(
            errors=[{"pointer": "#/volume_ul", "detail": "from 0 to 100,000 µl"}],
            where="volume_ul",
            came=str(volume_ul),
        )
    tube = scanned(session, scan, lock=False)
    lock_components(session, [tube.id])
    session.refresh(tube)
    before = tube.volume_ul
    if before != volume_ul:
        tube.volume_ul = volume_ul
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="say_volume",
            subject=tube.barcode,
            now=now,
            was=before,
            became=volume_ul,
        )
        session.flush()
        settle(session, [tube.id], site_id=site_id, now=now)
    left = session.execute(_LEFT, {"tube": tube.id}).scalar_one()
    return Volume(tube.id, tube.barcode, volume_ul, max(0, left), before == volume_ul)


@dataclass(frozen=True, slots=True)
class Left:
    """What a tube held when it came and what is left, µl, with how many tests that gives."""

    volume_ul: int
    left_ul: int
    tests: int


def left_in(session: Session, tube_id: UUID) -> Left | None:
    """None while nobody has said how much it held."""
    row = session.execute(_KNOWN, {"tube": tube_id}).one()
    if row.volume_ul is None:
        return None
    left = max(0, row.left_ul)
    return Left(row.volume_ul, left, left // row.test_draw_ul)


_KNOWN = text("""
SELECT t.volume_ul, t.volume_ul - tube_drawn_ul(t.id, s.test_draw_ul) AS left_ul, s.test_draw_ul
FROM tube t JOIN site s ON s.id = t.site_id WHERE t.id = :tube
""")

_LEFT = text("""
SELECT t.volume_ul - tube_drawn_ul(t.id, s.test_draw_ul)
FROM tube t JOIN site s ON s.id = t.site_id WHERE t.id = :tube
""")
