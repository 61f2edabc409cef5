"""The reviewer's final word on a positive."""

from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.domain.refusals import IllegalMove, NotFound
from lims.tables import Finding, Measurement, Result
from lims.work.correct import accept_correction
from lims.work.review import release_positive
from lims.work.review_run import invalidate_run
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench
from tests.captures import plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _finding(session: Session, swab: Swab) -> UUID:
    return session.scalars(
        select(Finding.id).where(Finding.specimen_id == swab.specimen_id, Finding.current)
    ).one()


def test_release_makes_it_final_confirms_the_case_and_tells_once(bench: Bench) -> None:
    team = bench.subscribe(HOME)
    infected = bench.swab()
    bench.run({infected.barcode: 24.0})
    finding = _finding(bench.session, infected)

    first = release_positive(
        bench.session, finding, site_id=bench.site_id, by="bs.lan", now=bench.now
    )
    again = release_positive(
        bench.session, finding, site_id=bench.site_id, by="bs.minh", now=bench.later(5).now
    )

    assert (first.replayed, again.replayed) == (False, True)
    kept = bench.session.get_one(Finding, finding)
    assert (kept.status, kept.released_by) == ("F", "bs.lan")
    assert bench.session.scalars(select(Result.status)).all() == ["F"]
    assert [(c.state, c.sequence) for c in seen.cases(bench.session)] == [("confirmed", 2)]
    told = [(n.kind, n.subscription_id) for n in seen.notices(bench.session)]
    assert told == [("case.opened", team), ("case.confirmed", team)]
    assert len(seen.audited(bench.session, "release_positive")) == 1


def test_only_a_standing_positive_is_released(bench: Bench) -> None:
    negative, infected = bench.swab(), bench.swab()
    layout = bench.plate()
    bench.take(plate_capture(layout, {infected.barcode: 24.0}))
    cleared, positive = (_finding(bench.session, s) for s in (negative, infected))
    invalidate_run(bench.session, layout.run_id, "lid open", by="bs.lan", now=bench.now)

    for finding in (cleared, positive):
        with pytest.raises(IllegalMove):
            release_positive(
                bench.session, finding, site_id=bench.site_id, by="bs.lan", now=bench.now
            )
    with pytest.raises(NotFound):
        release_positive(bench.session, uuid4(), site_id=bench.site_id, by="bs.lan", now=bench.now)


def test_more_evidence_for_the_same_word_keeps_the_release(bench: Bench) -> None:
    infected = bench.swab()
    layout = bench.plate()
    bench.take(plate_capture(layout, {infected.barcode: 24.0}))
    first = _finding(bench.session, infected)
    release_positive(bench.session, first, site_id=bench.site_id, by="bs.lan", now=bench.now)
    bench.later(30).take(plate_capture(layout, {infected.barcode: 26.0}))
    correction = bench.session.scalars(
        select(Measurement.id).where(Measurement.standing == "correction")
    ).one()

    accept_correction(bench.session, correction, by="bs.minh", now=bench.now)

    now_stands = bench.session.get_one(Finding, _finding(bench.session, infected))
    assert now_stands.supersedes_id == first
    assert (now_stands.status, now_stands.released_by) == ("F", "bs.lan")
    assert [c.state for c in seen.cases(bench.session)] == ["confirmed"]


def test_a_second_positive_swab_is_the_same_case_and_waits_for_its_own_release(
    bench: Bench,
) -> None:
    infected = bench.swab()
    bench.run({infected.barcode: 24.0})
    release_positive(
        bench.session,
        _finding(bench.session, infected),
        site_id=bench.site_id,
        by="bs.lan",
        now=bench.now,
    )
    again = bench.swab(person_id=infected.person_id)

    bench.run({again.barcode: 28.0})

    assert len(seen.cases(bench.session)) == 1
    assert seen.findings(bench.session)[infected.specimen_id].status == "F"
    assert seen.findings(bench.session)[again.specimen_id].status == "P"


def test_a_person_positive_on_two_swabs_keeps_the_case_when_one_is_taken_back(
    bench: Bench,
) -> None:
    first = bench.swab()
    bench.run({first.barcode: 24.0})
    second = bench.swab(person_id=first.person_id)
    layout = bench.plate()
    bench.take(plate_capture(layout, {second.barcode: 28.0}))

    invalidate_run(bench.session, layout.run_id, "lid open", by="bs.lan", now=bench.now)

    assert [c.state for c in seen.cases(bench.session)] == ["presumptive"]
