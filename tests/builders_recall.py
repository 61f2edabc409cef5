"""What a recall needs: plates with a lot, cases that are signed and claimed, slips in hands."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text

from lims.db.ids import uuid7
from lims.domain.recall import ReagentKind, RecallKind, RecallRequest, RecallScope
from lims.domain.signing import Asked
from lims.tables import F0Case, Instrument, Run, Subscription
from lims.work.claim import claim
from lims.work.issue_slip import issue_slips
from lims.work.reagent_lots import say_lot
from lims.work.recall import Recalled, recall
from lims.work.recall_scope import covered
from lims.work.release import release
from lims.work.views.recall_figures import RecallFigures, figures_of
from tests.builders import Bench, Swab

LOT = "VN-2198"


@dataclass
class LotDay:
    """The runs of one lot, everybody in them, and the slips that they carry home."""

    bench: Bench
    lot_id: UUID
    runs: list[UUID] = field(default_factory=list)
    positives: list[Swab] = field(default_factory=list)
    negatives: list[Swab] = field(default_factory=list)
    slips: dict[UUID, str] = field(default_factory=dict)


def said_lot(bench: Bench, run_id: UUID, lot: str = LOT) -> UUID:
    kind = ReagentKind.PCR
    said = say_lot(
        bench.session, run_id, kind, lot, site_id=bench.site_id, by="user:hoa", now=bench.now
    )
    return said.lot_id


def newest_run(bench: Bench) -> UUID:
    query = select(Run.id).order_by(Run.created_at.desc(), Run.id.desc()).limit(1)
    return bench.session.scalars(query).one()


def lot_day(
    bench: Bench, *, runs: int = 3, pools: int = 2, pool_size: int = 4, positives: int = 2
) -> LotDay:
    """So many runs of one lot, each of negative pools and positive single tubes, all released."""
    day: LotDay | None = None
    for _ in range(runs):
        found = [bench.swab() for _ in range(positives)]
        cleared = [swab for _ in range(pools) for swab in _pooled(bench, pool_size)]
        bench.run({swab.barcode: 22.0 for swab in found})
        run = newest_run(bench)
        lot = said_lot(bench, run)
        day = day or LotDay(bench, lot)
        day.runs.append(run)
        day.positives += found
        day.negatives += cleared
    assert day is not None
    sign(bench)
    day.slips = slips(bench)
    return day


def _pooled(bench: Bench, size: int) -> list[Swab]:
    swabs = bench.swabs(size)
    bench.lab_pool(swabs)
    return swabs


def sign(bench: Bench) -> None:
    """A reviewer's word on every positive that waits."""
    waiting = bench.session.execute(
        text("SELECT id FROM finding WHERE current AND outcome = 'positive' AND status = 'P'")
    ).scalars()
    asked = [Asked(finding) for finding in waiting]
    release(bench.session, asked, site_id=bench.site_id, by="user:lan", now=bench.now)


def slips(bench: Bench) -> dict[UUID, str]:
    """The code of everybody's slip, by specimen."""
    rows = bench.session.execute(
        text("SELECT id, specimen_id FROM finding WHERE current AND status IN ('F', 'C')")
    ).all()
    issued = issue_slips(
        bench.session,
        [row.id for row in rows],
        site_id=bench.site_id,
        language="vi",
        by="user:hoa",
        now=bench.now,
    )
    codes = {slip.finding_id: slip.code for slip in issued}
    return {row.specimen_id: codes[row.id] for row in rows if row.id in codes}


def claimed(bench: Bench, count: int) -> UUID:
    """The desk's team takes so many of the cases; returns the team."""
    team = bench.session.scalars(
        select(Subscription.team_id).where(Subscription.area_code.is_(None))
    ).one()
    cases = bench.session.scalars(select(F0Case.id).order_by(F0Case.id).limit(count))
    for case in cases.all():
        claim(bench.session, case, team, by="user:hanh", now=bench.now)
    return team


def of_lot(lot_id: UUID) -> RecallScope:
    return RecallScope(RecallKind.REAGENT_LOT, lot_id)


def of_run(run_id: UUID) -> RecallScope:
    return RecallScope(RecallKind.RUN, run_id)


def of_analyser(bench: Bench, *, hours: int = 24, ended: bool = False) -> RecallScope:
    """Its last hours; and what it says from now on, unless that is over."""
    found = bench.session.scalars(
        select(Instrument.id).where(Instrument.name == bench.instrument)
    ).one()
    return RecallScope(
        RecallKind.INSTRUMENT,
        found,
        bench.now - timedelta(hours=hours),
        bench.now if ended else None,
    )


def previewed(bench: Bench, scope: RecallScope) -> RecallFigures:
    return figures_of(bench.session, covered(bench.session, scope, site_id=bench.site_id))


def recalled(
    bench: Bench,
    scope: RecallScope,
    *,
    recall_id: UUID | None = None,
    reason: str = "wrong kit lot",
) -> Recalled:
    request = RecallRequest(recall_id or uuid7(), scope, reason)
    by = "user:lan"
    return recall(bench.session, request, site_id=bench.site_id, by=by, now=bench.now)
