"""Wells that the analyser speaks of after their run was judged, its controls having come first.

A well that was silent then is void and its tube is queued again; a late value
answers that waiting test, so nothing is lost and nothing counts twice. Once the
tube is on another plate, or something else has answered it, the late value
waits for a person (S13).
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.evidence import lock_components
from lims.work.results import NOT_MEASURED

Well = tuple[UUID, str]
"""A run and a position in it."""

_SILENT = text("""
SELECT w.run_id, w.position, w.tube_id FROM well w
JOIN run r ON r.id = w.run_id AND r.state IN ('valid', 'held')
JOIN test_order o ON o.id = w.order_id AND o.state = 'void' AND o.because = :why
WHERE w.run_id = ANY(:runs)
""")

# Locked, for whoever lays out a plate takes orders without taking their tubes; one that is being
# laid out at this moment is on another plate.
_WAITING = text("""
SELECT o.tube_id, o.id FROM test_order o JOIN run r ON r.id = ANY(:runs)
WHERE o.tube_id = ANY(:tubes) AND o.state = 'queued' AND o.assay_code = r.assay_code
ORDER BY o.id FOR UPDATE OF o SKIP LOCKED
""")


def waiting_again(session: Session, named: Sequence[Well]) -> Mapping[Well, UUID]:
    """For each of these wells that was silent in its judged run: its tube's waiting test, locked.

    Locks the tubes' components first, as whoever concludes about them does.
    """
    runs = sorted({run for run, _ in named})
    wanted = set(named)
    silent = {
        (row.run_id, row.position): row.tube_id
        for row in session.execute(_SILENT, {"runs": runs, "why": NOT_MEASURED})
        if (row.run_id, row.position) in wanted
    }
    if not silent:
        return {}
    tubes = sorted(set(silent.values()))
    lock_components(session, tubes)
    waiting = {
        row.tube_id: row.id for row in session.execute(_WAITING, {"runs": runs, "tubes": tubes})
    }
    return {well: waiting[tube] for well, tube in silent.items() if tube in waiting}
