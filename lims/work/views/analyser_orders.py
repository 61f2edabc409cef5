"""What an analyser is to measure, for one that asks: tubes and assays, and no person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.barcodes import normalise
from lims.domain.interpretation import rule_in_force
from lims.domain.pooling.evidence import USUAL_PRIORITY
from lims.domain.refusals import UnknownInstrument
from lims.tables import Instrument

MOST_TOLD = 50  # tubes of a worklist: an analyser with 16 modules is busy with them for hours


@dataclass(frozen=True, slots=True)
class Ordered:
    """One tube with the assays that wait on it, and the number of each one's order. ``specimen`` as
    the analyser wrote it."""

    specimen: str
    assays: list[str]
    numbers: list[str]
    urgent: bool


def ordered_on(
    session: Session,
    instrument: str,
    specimens: Sequence[str],
    assays: Sequence[str],
    *,
    site_id: UUID,
) -> list[Ordered]:
    """What waits on these tubes; one that nothing waits on, or that nobody knows, is left out.

    Raises UnknownInstrument, and NotFound for an assay that no rule reads.
    """
    _require(session, instrument, assays)
    asked = {normalise(specimen): specimen for specimen in specimens}
    rows = session.execute(_ON_TUBES, {"barcodes": [*asked], "assays": [*assays], "site": site_id})
    return _by_tube((asked[row.barcode], row) for row in rows)


def worklist(
    session: Session, instrument: str, assays: Sequence[str], *, site_id: UUID
) -> list[Ordered]:
    """The tubes that wait for these assays, the most urgent first, then the oldest.

    Raises UnknownInstrument, and NotFound for an assay that no rule reads.
    """
    _require(session, instrument, assays)
    rows = session.execute(_WAITING, {"assays": [*assays], "site": site_id, "most": MOST_TOLD})
    return _by_tube((row.barcode, row) for row in rows)


def _require(session: Session, instrument: str, assays: Sequence[str]) -> None:
    """A name that is mistyped has no empty worklist."""
    known = session.scalar(
        select(Instrument.id).where(Instrument.name == instrument, Instrument.active)
    )
    if known is None:
        raise UnknownInstrument(came=instrument, where="instrument")
    for assay in assays:
        rule_in_force(assay)


def _by_tube(rows: Iterable[tuple[str, Any]]) -> list[Ordered]:
    found: dict[str, Ordered] = {}
    for specimen, row in rows:
        urgent = row.priority > USUAL_PRIORITY
        before = found.get(specimen, Ordered(specimen, [], [], urgent=False))
        assays, numbers = [*before.assays, row.assay_code], [*before.numbers, str(row.id)]
        found[specimen] = Ordered(specimen, assays, numbers, urgent=before.urgent or urgent)
    return [*found.values()]


_ON_TUBES = text("""
SELECT t.barcode, o.assay_code, o.priority, o.id
FROM tube t JOIN test_order o ON o.tube_id = t.id AND o.state = 'queued'
WHERE t.barcode = ANY(:barcodes) AND t.state = 'received'
  AND o.site_id = :site AND o.assay_code = ANY(:assays)
ORDER BY o.priority DESC, o.created_at, o.id
""")

# Each assay's queue is walked along its index; together they are few.
_WAITING = text("""
SELECT q.barcode, q.assay_code, q.priority, q.id
FROM unnest(cast(:assays AS text[])) AS a (code) CROSS JOIN LATERAL (
    SELECT t.barcode, o.assay_code, o.priority, o.created_at, o.id
    FROM test_order o JOIN tube t ON t.id = o.tube_id AND t.state = 'received'
    WHERE o.site_id = :site AND o.assay_code = a.code AND o.state = 'queued'
    ORDER BY o.priority DESC, o.created_at, o.id LIMIT :most
) q
ORDER BY q.priority DESC, q.created_at, q.id LIMIT :most
""")
