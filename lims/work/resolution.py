"""How each positive pool is resolved: chosen with its result, stored, overridden by a person."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.db.many import rows_as_json
from lims.domain.barcodes import shown
from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.bench_limits import WELLS_OF_A_RUN
from lims.domain.pooling.calls import SILENT, calls
from lims.domain.pooling.choice import (
    Because,
    Choice,
    PoolAtHand,
    Resolution,
    StrategyName,
    choose,
)
from lims.domain.pooling.evidence import TubeFacts
from lims.domain.pooling.prior import usual_risk
from lims.domain.pooling.strategies import STRATEGIES
from lims.domain.pooling.weighing import first_wells
from lims.domain.refusals import IllegalMove, InvalidBody, PoolOfPools
from lims.work.access import Fault
from lims.work.audit import record
from lims.work.evidence import Chosen, Known, lock_components, read_known
from lims.work.measurements import given_reason
from lims.work.resolution_facts import Gathered, with_facts
from lims.work.tubes import scanned

RULE: Final = "rule/resolution/1"


def choose_for(
    session: Session, known: Known, pools: Sequence[UUID], *, site_id: UUID, now: datetime
) -> Known:
    """Choose how these pools are resolved and keep it; the same knowledge with the choices in it.

    The pools are locked by whoever concludes about them, so that nobody else chooses meanwhile.
    """
    asked = _asked(session, pools)
    weighed = [pool for pool in pools if asked[pool] is Resolution.AUTO]
    queued = _queued(session, site_id) if weighed else 0
    gathered = Gathered(session, pools, site_id, now) if weighed else None
    said = calls(known.evidence)
    choices: dict[UUID, Choice] = {}
    for pool in pools:
        tube = known.composition.tubes[pool]
        call = said.get(pool, SILENT)
        drawable = _drawable(known, tube)
        risk = gathered.risk(pool) if gathered is not None and pool in weighed else None
        choices[pool] = choose(
            PoolAtHand(
                asked=asked[pool],
                sources=len(drawable),
                single_tubes=all(one.kind is TubeKind.INDIVIDUAL for one in drawable),
                outcome=call.outcome,
                ct_cycles=call.ct_cycles,
                wells_free=max(0, WELLS_OF_A_RUN - queued),
                queue_runs=queued / WELLS_OF_A_RUN,
                volume_short=any(
                    one.draws_left is not None and not one.draws_left.parted_and_alone
                    for one in drawable
                ),
                risk=risk,
            )
        )
        queued += _first_wells(choices[pool], len(drawable), risk)
    told = with_facts(session, known, choices, site_id=site_id, now=now, gathered=gathered)
    kept = _keep(session, told, site_id=site_id, by=RULE, now=now)
    return replace(known, choices={**known.choices, **kept})


def override(
    session: Session,
    scan: str,
    strategy: StrategyName,
    reason: str,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> UUID:
    """Resolve this pool another way from now on; returns the pool, for its knowledge to be settled.

    What was prepared stays evidence; what nobody measured yet is asked for no more. The strategy
    that the pool has already is no change. Raises the refusals of ``scanned``, InvalidBody (no
    reason, or a strategy that is not built in), IllegalMove when nothing of the pool is open, and
    PoolOfPools for sub-pools from tubes of several people, which nobody has validated.
    """
    said = given_reason(reason)
    if strategy not in STRATEGIES:
        raise InvalidBody(
            errors=[{"pointer": "#/strategy", "detail": Fault.RESOLUTION}],
            where="strategy",
            came=strategy,
        )
    tube = scanned(session, scan, lock=False)
    known = read_known(session, lock_components(session, [tube.id]))
    before = known.choices.get(tube.id)
    if before is None or not known.resolving(tube.id):
        raise IllegalMove(
            source="nothing to resolve",
            target=f"resolved by {strategy}",
            allowed=[],
            where=f"pool {shown(tube.barcode)}",
        )
    if before.strategy is strategy:
        return tube.id
    _refuse_sub_pools_of_pools(known, tube.id, strategy, where=f"pool {shown(tube.barcode)}")
    choice = {tube.id: Choice(strategy, Because.PERSON)}
    told = with_facts(session, known, choice, site_id=site_id, now=now)
    _keep(session, told, site_id=site_id, by=by, now=now, said=said)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="choose_resolution",
        subject=tube.barcode,
        now=now,
        was=before.strategy,
        became=strategy,
        reason=said,
    )
    session.flush()
    return tube.id


def _refuse_sub_pools_of_pools(
    known: Known, pool: UUID, strategy: StrategyName, *, where: str
) -> None:
    sources = _drawable(known, known.composition.tubes[pool])
    single = all(one.kind is TubeKind.INDIVIDUAL for one in sources)
    if strategy is not StrategyName.DORFMAN and not single:
        raise PoolOfPools(
            where=where,
            expected="a pool of single tubes, where sub-pools are to part it",
            todo="test each of its tubes alone",
        )


def _drawable(known: Known, pool: TubeFacts) -> list[TubeFacts]:
    tubes = (known.composition.tubes[source] for source in pool.sources)
    return [tube for tube in tubes if not tube.rejected]


def _asked(session: Session, pools: Sequence[UUID]) -> Mapping[UUID, Resolution]:
    rows = session.execute(
        text(
            "SELECT t.id, c.resolution FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id"
            " WHERE t.id = ANY(:pools)"
        ),
        {"pools": list(pools)},
    )
    return {row.id: Resolution(row.resolution or Resolution.DORFMAN) for row in rows}


def _queued(session: Session, site_id: UUID) -> int:
    """Wells that wait for a run, and those that sub-pools wait for which nobody has made yet.
    Counted to ten runs: a longer queue says nothing more."""
    waiting: int = session.execute(
        text(
            "SELECT count(*) FROM (SELECT FROM test_order WHERE site_id = :site"
            " AND state = 'queued' UNION ALL SELECT FROM sub_pool WHERE site_id = :site"
            " AND state = 'wanted' LIMIT :most) q"
        ),
        {"site": site_id, "most": 10 * WELLS_OF_A_RUN},
    ).scalar_one()
    return waiting


def _first_wells(choice: Choice, tubes: int, risk: float | None) -> int:
    """The next pool of the same message finds these taken."""
    return first_wells(choice.strategy, tubes, risk or usual_risk(tubes)) if tubes > 1 else tubes


def _keep(
    session: Session,
    choices: Mapping[UUID, Choice],
    *,
    site_id: UUID,
    by: str,
    now: datetime,
    said: str | None = None,
) -> dict[UUID, Chosen]:
    rows: list[dict[str, Any]] = [
        {
            "id": uuid7(),
            "pool_id": pool,
            "strategy": choice.strategy,
            "because": choice.because,
            "facts": choice.facts,
        }
        for pool, choice in choices.items()
    ]
    session.execute(
        text("UPDATE pool_resolution SET current = false WHERE pool_id = ANY(:pools) AND current"),
        {"pools": list(choices)},
    )
    values = {"rows": rows_as_json(rows), "site": site_id, "said": said, "by": by, "now": now}
    session.execute(_INSERT, values)
    return {row["pool_id"]: Chosen(row["id"], row["strategy"], row["facts"]) for row in rows}


_INSERT = text("""
INSERT INTO pool_resolution (id, site_id, pool_id, strategy, because, said, facts, chosen_by,
                             chosen_at, current)
SELECT g.id, :site, g.pool_id, g.strategy, g.because, :said, g.facts, :by, :now, true
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(
    id uuid, pool_id uuid, strategy text, because text, facts jsonb)
ORDER BY g.id
""")
