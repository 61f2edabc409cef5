"""Find what a recall is about: its runs, their results, cartridges and strips that still count.

What an earlier recall took back is not in it, so that an overlapping one does only the rest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from lims.domain.recall import RecallKind, RecallScope
from lims.domain.refusals import NotFound
from lims.work.kit_names import lot_called

_CLOCKS: Final = timedelta(days=1)
"""How far a gateway's clock may be ahead of ours, for its messages to be found by index."""


@dataclass(frozen=True, slots=True)
class Covered:
    """Ids in id order. ``results`` are the current ones of ``runs`` and of cartridges; ``strips``
    are the swabs of rapid tests."""

    runs: tuple[UUID, ...] = ()
    results: tuple[UUID, ...] = ()
    strips: tuple[UUID, ...] = ()


def subject_of(session: Session, scope: RecallScope, *, site_id: UUID, lock: bool = False) -> str:
    """The plate, lot or analyser by the name that people use.

    Locked, nothing new can be said under it by anybody else: a message locks its analyser, a
    reading its kit lot, a plate its lots. Raises NotFound.
    """
    query = _LOCKED[scope.kind] if lock else _SUBJECT[scope.kind]
    name = session.execute(query, {"id": scope.subject_id, "site": site_id}).scalar_one_or_none()
    if name is None:
        raise NotFound(came=str(scope.subject_id), where=str(scope.kind))
    return str(name)


def covered(session: Session, scope: RecallScope, *, site_id: UUID, lock: bool = False) -> Covered:
    """What of it still counts. ``lock``: the runs are locked, in id order."""
    about = {
        "id": scope.subject_id,
        "site": site_id,
        "from_at": scope.from_at,
        "to_at": scope.to_at,
        "since": scope.from_at - _CLOCKS if scope.from_at else None,
    }
    runs = _runs(session, scope.kind, about, lock=lock)
    alone = _ids(session, _CARTRIDGES, about) if scope.kind is RecallKind.INSTRUMENT else []
    of_runs = _ids(session, _RESULTS, {"runs": runs}) if runs else []
    strips = _ids(session, _STRIPS[scope.kind], about) if scope.kind in _STRIPS else []
    return Covered(tuple(runs), tuple(sorted({*of_runs, *alone})), tuple(strips))


def _runs(
    session: Session, kind: RecallKind, about: Mapping[str, Any], *, lock: bool
) -> list[UUID]:
    if kind not in _RUNS:
        return []
    found = _ids(session, _RUNS[kind], about)
    # Looked at again under the lock: somebody may have ended one meanwhile.
    return _ids(session, _LOCK_RUNS, {"runs": found}) if lock and found else found


def _ids(session: Session, query: TextClause, about: Mapping[str, Any]) -> list[UUID]:
    return list(session.execute(query, about).scalars())


_NAMES: Final = {
    RecallKind.RUN: "SELECT plate FROM run s WHERE id = :id AND site_id = :site",
    RecallKind.REAGENT_LOT: "SELECT lot FROM reagent_lot s WHERE id = :id AND site_id = :site",
    RecallKind.KIT_LOT: (
        f"SELECT {lot_called('k.name', 's.lot')} FROM kit_lot s JOIN kit k ON k.id = s.kit_id"  # noqa: S608 - columns
        " WHERE s.id = :id AND s.site_id = :site"
    ),
    RecallKind.INSTRUMENT: "SELECT name FROM instrument s WHERE id = :id AND site_id = :site",
}
_SUBJECT: Final = {kind: text(query) for kind, query in _NAMES.items()}
# FOR UPDATE, since a foreign key to a lot takes KEY SHARE of it; a run is locked with the others.
_LOCKED: Final = {
    kind: text(query if kind is RecallKind.RUN else f"{query} FOR UPDATE OF s")
    for kind, query in _NAMES.items()
}

_RUNS: Final = {
    RecallKind.RUN: text("SELECT id FROM run WHERE id = :id AND state <> 'invalid'"),
    RecallKind.REAGENT_LOT: text("""
SELECT r.id FROM run_lot l JOIN run r ON r.id = l.run_id AND r.state <> 'invalid'
WHERE l.lot_id = :id ORDER BY r.id
"""),
    RecallKind.INSTRUMENT: text("""
SELECT r.id FROM run r
WHERE r.site_id = :site AND r.state <> 'invalid' AND r.id IN (
    SELECT m.run_id FROM raw_message q JOIN measurement m ON m.message_id = q.id
    WHERE q.site_id = :site AND q.stored_at >= :since AND q.instrument_id = :id
      AND q.captured_at >= :from_at
      AND (cast(:to_at AS timestamptz) IS NULL OR q.captured_at < :to_at))
ORDER BY r.id
"""),
}

_LOCK_RUNS = text("""
SELECT id FROM run WHERE id = ANY(:runs) AND state <> 'invalid' ORDER BY id FOR NO KEY UPDATE
""")

_RESULTS = text("SELECT id FROM result WHERE run_id = ANY(:runs) AND current ORDER BY id")

_CARTRIDGES = text("""
SELECT r.id FROM raw_message q
JOIN measurement m ON m.message_id = q.id AND m.run_id IS NULL AND m.order_id IS NOT NULL
JOIN result r ON r.order_id = m.order_id AND r.measurement_id = m.id AND r.current
WHERE q.site_id = :site AND q.stored_at >= :since AND q.instrument_id = :id
  AND q.captured_at >= :from_at
  AND (cast(:to_at AS timestamptz) IS NULL OR q.captured_at < :to_at)
ORDER BY r.id
""")

_STRIPS: Final = {
    RecallKind.KIT_LOT: text("""
SELECT t.specimen_id FROM rapid_test t WHERE t.kit_lot_id = :id
  AND NOT EXISTS (SELECT FROM recall_strip s WHERE s.rapid_test_id = t.id)
ORDER BY t.specimen_id
"""),
    RecallKind.INSTRUMENT: text("""
SELECT t.specimen_id FROM raw_message q
JOIN measurement m ON m.message_id = q.id AND m.strip_id IS NOT NULL AND m.standing = 'matched'
JOIN rapid_test t ON t.specimen_id = m.strip_id
WHERE q.site_id = :site AND q.stored_at >= :since AND q.instrument_id = :id
  AND q.captured_at >= :from_at
  AND (cast(:to_at AS timestamptz) IS NULL OR q.captured_at < :to_at)
  AND NOT EXISTS (SELECT FROM recall_strip s WHERE s.rapid_test_id = t.id)
ORDER BY t.specimen_id
"""),
}
