"""A dispute and a new positive of one person, said by one and the same message."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.outcomes import FindingOutcome
from lims.tables import Finding
from lims.work.cases import follow_findings
from lims.work.findings import Change
from lims.work.review import release_positive
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench

POSITIVE, DISCORDANT = FindingOutcome.POSITIVE, FindingOutcome.DISCORDANT


def test_a_disputed_case_is_doubted_though_another_swab_turns_positive_with_it(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    bench.subscribe(HOME)
    first = bench.swab()
    bench.run({first.barcode: 24.0})
    signed = session.scalars(select(Finding.id).where(Finding.outcome == "positive")).one()
    release_positive(session, signed, site_id=bench.site_id, by="user:lan", now=bench.now)
    second = bench.swab(person_id=first.person_id)
    session.execute(text("UPDATE finding SET current = false"))
    disputed = _found(bench, first, DISCORDANT, like=signed)
    other = _found(bench, second, POSITIVE, like=signed)
    follow_findings(session, [disputed, other], site_id=bench.site_id, now=bench.now)
    session.flush()
    assert [case.state for case in seen.cases(session)] == ["presumptive"]
    told = text("SELECT kind FROM notice WHERE case_id IS NOT NULL ORDER BY sequence DESC LIMIT 1")
    assert session.scalar(told) == "case.corrected"


def _found(bench: Bench, swab: Swab, outcome: FindingOutcome, *, like: UUID) -> Change:
    made = uuid7()
    bench.session.execute(
        text(
            "INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule,"
            " evidence, ct_cycles, holds, current, created_at)"
            " SELECT :id, site_id, :specimen, person_id, :outcome, 'P', rule, evidence, ct_cycles,"
            " holds, true, :now FROM finding WHERE id = :like"
        ),
        {
            "id": made,
            "specimen": swab.specimen_id,
            "outcome": str(outcome),
            "now": bench.now,
            "like": like,
        },
    )
    before = POSITIVE if outcome is DISCORDANT else None
    return Change(swab.specimen_id, swab.person_id, made, before, outcome)
