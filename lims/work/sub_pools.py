"""The sub-pools that positive pools ask for: wanted, and cancelled when nothing asks any more."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.pooling.evidence import Conclusion
from lims.work.evidence import Known

Wanted = tuple[UUID, int, str, tuple[UUID, ...]]


def keep_sub_pools(
    session: Session, known: Known, conclusion: Conclusion, *, site_id: UUID, now: datetime
) -> None:
    """Write the difference between the sub-pools that are asked for and those that are wanted.

    One that is prepared already stays as it is; whether its test is still wanted is the queue's
    matter. The rows of a component are written by whoever has locked it.
    """
    if not known.choices:
        return
    standing = _standing(session, known)
    asked: dict[Wanted, None] = {
        (one.master_id, one.stage, one.position, one.sources): None
        for one in conclusion.sub_pools
        if one.tube_id is None
    }
    gone = [row for wanted, row in standing.items() if wanted not in asked]
    if gone:
        session.execute(
            text(
                "UPDATE sub_pool SET state = 'cancelled', ended_at = :now"
                " WHERE id = ANY(:ids) AND state = 'wanted'"
            ),
            {"ids": gone, "now": now},
        )
    fresh = {uuid7(): wanted for wanted in asked if wanted not in standing}
    if fresh:
        _insert(session, known, fresh, site_id=site_id, now=now)


def _standing(session: Session, known: Known) -> dict[Wanted, UUID]:
    rows = session.execute(_STANDING, {"masters": list(known.choices)})
    return {(row.master_id, row.stage, row.position, tuple(row.sources)): row.id for row in rows}


def _insert(
    session: Session, known: Known, fresh: dict[UUID, Wanted], *, site_id: UUID, now: datetime
) -> None:
    rows = [
        {
            "id": id,
            "master_id": master,
            "resolution_id": known.choices[master].id,
            "stage": stage,
            "position": position,
            "sources": sources,
        }
        for id, (master, stage, position, sources) in fresh.items()
    ]
    session.execute(_INSERT, {"rows": rows_as_json(rows), "site": site_id, "now": now})


_STANDING = text("""
SELECT p.id, p.master_id, p.stage, p.position,
       array(SELECT s.source_id FROM sub_pool_source s WHERE s.sub_pool_id = p.id ORDER BY s.place)
         AS sources
FROM sub_pool p WHERE p.master_id = ANY(:masters) AND p.state = 'wanted'
""")

_INSERT = text("""
WITH given AS (
    SELECT * FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
        id uuid, master_id uuid, resolution_id uuid, stage int, position text, sources uuid[])
), made AS (
    INSERT INTO sub_pool (id, site_id, master_id, resolution_id, stage, position, state, wanted_at)
    SELECT id, :site, master_id, resolution_id, stage, position, 'wanted', :now FROM given
    ORDER BY id
)
INSERT INTO sub_pool_source (sub_pool_id, source_id, master_id, place, volume_ul)
SELECT g.id, s.source_id, g.master_id, s.place,
       (SELECT pool_draw_ul FROM site WHERE id = :site)
FROM given g CROSS JOIN LATERAL unnest(g.sources) WITH ORDINALITY s(source_id, place)
""")
