"""Make a laboratory pool: draws from several tubes into one, by scanning them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain import barcodes
from lims.domain.lifecycle import TubeKind, TubeState
from lims.domain.refusals import (
    AlreadyInPool,
    BarcodeTaken,
    DifferentBody,
    IllegalMove,
    MixedAssay,
    NoVolumeLeft,
    PersonTwiceInPool,
    PoolAboveValidated,
    PoolFull,
    PoolHasResults,
    PoolOfPools,
    TubeHasOwnTest,
    TubeRejected,
    TubeTwiceInPool,
)
from lims.domain.registration import digest
from lims.tables import Site, Tube
from lims.work.audit import record
from lims.work.once import one_at_a_time
from lims.work.receive import queue_first_test
from lims.work.tubes import scanned_all
from lims.work.validation_panel import validated_pool


@dataclass(frozen=True, slots=True)
class PoolRequest:
    """A new pool: its id minted by the client, its label, and its sources in pipetting order."""

    pool_id: UUID
    barcode: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pooled:
    """The receipt of a pool."""

    pool_id: UUID
    barcode: str
    sources: tuple[str, ...]
    people: int
    replayed: bool


def make_pool(
    session: Session, request: PoolRequest, *, site_id: UUID, by: str, now: datetime
) -> Pooled:
    """Make the pool and queue its test. The same request again answers the same.

    Raises UnknownBarcode, BarcodeTaken, DifferentBody, AlreadyInPool,
    TubeRejected, IllegalMove (not received yet), MixedAssay, PoolOfPools,
    TubeTwiceInPool, PersonTwiceInPool, PoolFull, PoolAboveValidated, TubeHasOwnTest,
    NoVolumeLeft, PoolHasResults (a source that is a pool has been measured already).
    """
    said = digest([request.barcode, *request.sources])
    one_at_a_time(session, request.pool_id)
    earlier = session.get(Tube, request.pool_id)
    if earlier is not None:
        if earlier.body_digest != said:
            raise DifferentBody(came=f"other sources under {request.pool_id}", where="pool_id")
        return _receipt(session, earlier, request, replayed=True)
    sources = scanned_all(session, request.sources)
    site = session.get_one(Site, site_id)
    _refuse_unfit(session, sources, site)
    _refuse_unvalidated(session, sources, site)
    refuse_taken(session, request.barcode)
    pool = Tube(
        id=request.pool_id,
        site_id=site_id,
        barcode=request.barcode,
        kind=TubeKind.LAB_POOL,
        state=TubeState.RECEIVED,
        campaign_id=sources[0].campaign_id,
        assay_code=sources[0].assay_code,
        capacity=site.max_pool_size,
        created_at=now,
        created_by=by,
        received_at=now,
        received_by=by,
        body_digest=said,
    )
    session.add(pool)
    session.flush()
    _fill(session, pool.id, sources, now)
    _take_off_queue(session, sources, pool.barcode, now)
    queue_first_test(session, pool, now=now)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="pool",
        subject=pool.barcode,
        now=now,
        sources=[s.barcode for s in sources],
    )
    return _receipt(session, pool, request, replayed=False)


def refuse_taken(session: Session, barcode: str) -> None:
    """Raise BarcodeTaken when a tube already carries this label."""
    taken = text("SELECT 1 FROM tube WHERE barcode = :barcode")
    if session.execute(taken, {"barcode": barcode}).first():
        raise BarcodeTaken(came=barcodes.shown(barcode), where="barcode")


def refuse_empty(session: Session, tubes: Sequence[UUID]) -> None:
    """Raise NoVolumeLeft when a tube whose volume is known gives no draw any more (S10)."""
    empty = session.execute(_EMPTY, {"tubes": list(tubes)}).first()
    if empty:
        raise NoVolumeLeft(
            came=f"{barcodes.shown(empty.barcode)} with {max(0, empty.left_ul)} µl",
            where="sources",
        )


_EMPTY = text("""
SELECT * FROM (
    SELECT t.barcode, s.pool_draw_ul, t.volume_ul - tube_drawn_ul(t.id, s.test_draw_ul) AS left_ul
    FROM tube t JOIN site s ON s.id = t.site_id
    WHERE t.id = ANY(:tubes) AND t.volume_ul IS NOT NULL
) known WHERE left_ul < pool_draw_ul ORDER BY barcode LIMIT 1
""")


def not_received(shown: str) -> IllegalMove:
    """A registered tube that nobody has scanned in at the door."""
    return IllegalMove(
        source=TubeState.COLLECTED,
        target="pooled",
        allowed=[TubeState.RECEIVED],
        came=f"{shown} is not received yet",
        where=f"tube {shown}",
        todo="scan the tube at the laboratory's door first; then it goes into a pool",
    )


def _refuse_unfit(session: Session, sources: Sequence[Tube], site: Site) -> None:
    if not 2 <= len(sources) <= site.max_pool_size:
        raise PoolFull(
            expected="two tubes at least, and no more than the site allows",
            came=f"{len(sources)} tubes, at most {site.max_pool_size}",
            where="sources",
            todo="take tubes out, or scan at least two",
        )
    seen: set[UUID] = set()
    for tube in sources:
        shown = barcodes.shown(tube.barcode)
        if tube.id in seen:
            raise TubeTwiceInPool(came=shown, where="sources")
        seen.add(tube.id)
        if tube.state == TubeState.REJECTED:
            raise TubeRejected(came=f"{shown}: {tube.reject_reason}", where="sources")
        if tube.state == TubeState.COLLECTED:
            raise not_received(shown)
        if tube.state != TubeState.RECEIVED:
            raise IllegalMove(
                source=tube.state,
                target="pooled",
                allowed=[TubeState.RECEIVED],
                where=f"tube {shown}",
            )
        if tube.master_id is not None:
            raise PoolOfPools(came=f"{shown} is a sub-pool", where="sources")
        if tube.kind != TubeKind.INDIVIDUAL and not site.pools_of_pools:
            raise PoolOfPools(came=f"{shown} is a {tube.kind}", where="sources")
        if tube.assay_code != sources[0].assay_code:
            raise MixedAssay(came=f"{shown} for {tube.assay_code}", where="sources")
    _refuse_used(session, sources)
    refuse_empty(session, [tube.id for tube in sources])


def _refuse_unvalidated(session: Session, sources: Sequence[Tube], site: Site) -> None:
    """Each tube gives the same volume, so that tubes are what dilutes, however many people."""
    largest = validated_pool(session, site_id=site.id, assay=sources[0].assay_code)
    if largest is not None and len(sources) > largest:
        raise PoolAboveValidated(came=f"{len(sources)} tubes, at most {largest}", where="sources")


def _refuse_used(session: Session, sources: Sequence[Tube]) -> None:
    ids = [t.id for t in sources]
    used = session.execute(
        text(
            "SELECT t.barcode, p.barcode AS pool FROM tube_source s JOIN tube t ON t.id ="
            " s.source_id JOIN tube p ON p.id = s.pool_id WHERE s.source_id = ANY(:ids) LIMIT 1"
        ),
        {"ids": ids},
    ).first()
    if used:
        raise AlreadyInPool(
            came=f"{barcodes.shown(used.barcode)} is in pool {barcodes.shown(used.pool)}",
            where="sources",
        )
    tested = session.execute(
        text(
            "SELECT t.barcode, t.kind FROM test_order o JOIN tube t ON t.id = o.tube_id"
            " WHERE o.tube_id = ANY(:ids)"
            " AND (t.kind = 'individual' OR o.state NOT IN ('queued', 'cancelled')) LIMIT 1"
        ),
        {"ids": ids},
    ).first()
    if tested:
        kind = TubeHasOwnTest if tested.kind == TubeKind.INDIVIDUAL else PoolHasResults
        raise kind(came=barcodes.shown(tested.barcode), where="sources")
    twice = session.execute(
        text(
            "SELECT min(t.barcode) AS one, max(t.barcode) AS other FROM tube_specimen ts"
            " JOIN specimen s ON s.id = ts.specimen_id JOIN tube t ON t.id = ts.tube_id"
            " WHERE ts.tube_id = ANY(:ids) GROUP BY s.person_id"
            " HAVING count(DISTINCT ts.tube_id) > 1 LIMIT 1"
        ),
        {"ids": ids},
    ).first()
    if twice:
        raise PersonTwiceInPool(
            came=f"{barcodes.shown(twice.one)} and {barcodes.shown(twice.other)}",
            where="sources",
        )


def _fill(session: Session, pool_id: UUID, sources: Sequence[Tube], now: datetime) -> None:
    ids = [t.id for t in sources]
    session.execute(
        text(
            "INSERT INTO tube_source (pool_id, source_id, position, drawn_at, volume_ul)"
            " SELECT :pool, g.id, g.nth, :now, s.pool_draw_ul FROM tube p JOIN site s"
            " ON s.id = p.site_id AND p.id = :pool CROSS JOIN"
            " unnest(cast(:ids AS uuid[])) WITH ORDINALITY g(id, nth)"
        ),
        {"pool": pool_id, "ids": ids, "now": now},
    )
    session.execute(
        text(
            "INSERT INTO tube_specimen (tube_id, specimen_id)"
            " SELECT :pool, specimen_id FROM tube_specimen WHERE tube_id = ANY(:ids)"
        ),
        {"pool": pool_id, "ids": ids},
    )


def _take_off_queue(session: Session, sources: Sequence[Tube], pool: str, now: datetime) -> None:
    """A pool that goes into a larger pool is not measured on its own first (S6)."""
    pools = [t.id for t in sources if t.kind != TubeKind.INDIVIDUAL]
    if not pools:
        return
    session.execute(
        text(
            "UPDATE test_order SET state = 'cancelled', closed_at = :now, because = :because"
            " WHERE tube_id = ANY(:ids) AND state = 'queued'"
        ),
        {
            "ids": pools,
            "because": f"drawn into pool {pool}",
            "now": now,
        },
    )


def _receipt(session: Session, pool: Tube, request: PoolRequest, *, replayed: bool) -> Pooled:
    people = session.execute(
        text("SELECT count(*) FROM tube_specimen WHERE tube_id = :id"), {"id": pool.id}
    ).scalar_one()
    return Pooled(pool.id, pool.barcode, request.sources, people, replayed)
