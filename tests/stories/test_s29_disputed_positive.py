"""A confirmed F0 whose own result is corrected against its pool: the tracers hear of the doubt."""

from datetime import datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.outcomes import Outcome
from lims.tables import Finding, Result, Tube
from lims.work.amend import amend_result
from lims.work.review import release_positive
from tests import seen
from tests.builders import HOME, Bench, open_bench


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    opened = open_bench(session, now)
    opened.subscribe(HOME)
    return opened


def test_a_confirmed_case_in_dispute_is_presumptive_again_and_who_was_told_hears_it(
    bench: Bench,
) -> None:
    members = bench.swabs(5)
    pool = bench.lab_pool(members)
    bench.run({pool: 27.0})
    bench.later(60).run({members[3].barcode: 24.0})
    finding = bench.session.scalars(
        select(Finding.id).where(Finding.current, Finding.outcome == "positive")
    ).one()
    site = bench.site_id
    release_positive(bench.session, finding, site_id=site, by="user:lan", now=bench.now)
    assert [case.state for case in seen.cases(bench.session)] == ["confirmed"]
    result = bench.session.scalars(
        select(Result.id)
        .join(Tube, Tube.id == Result.tube_id)
        .where(Result.current, Tube.barcode == members[3].barcode)
    ).one()

    amend_result(
        bench.session,
        result,
        Outcome.NOT_DETECTED,
        "nhầm ống",
        site_id=site,
        by="user:lan",
        now=bench.later(10).now,
    )

    said = seen.findings(bench.session)[members[3].specimen_id]
    assert said.outcome == "discordant"
    assert [case.state for case in seen.cases(bench.session)] == ["presumptive"]
    told = bench.session.execute(
        text(
            "SELECT kind, facts ->> 'state' FROM notice WHERE case_id IS NOT NULL ORDER BY sequence"
        )
    ).all()
    assert [tuple(one) for one in told] == [
        ("case.opened", "presumptive"),
        ("case.confirmed", "confirmed"),
        ("case.corrected", "presumptive"),
    ]
