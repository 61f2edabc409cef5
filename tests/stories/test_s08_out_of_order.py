"""S8: results that come late, twice, out of order, or are corrected."""

from dataclasses import replace
from datetime import datetime
from itertools import permutations
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.work.correct import accept_correction
from lims.work.review import close_discordance, release_positive
from lims.work.views.review_queue import ReviewQueue, counts, disputed
from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.captures import cartridge_capture, plate_capture


def _ordered_alone(bench: Bench, swab: Swab) -> None:
    """A doctor asks for this pooled tube on its own, before its pool has an answer."""
    bench.session.execute(
        text(
            "INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why,"
            " state, created_at) SELECT gen_random_uuid(), site_id, id, assay_code, 1, 9,"
            " 'primary', 'queued', :now FROM tube WHERE barcode = :barcode"
        ),
        {"barcode": swab.barcode, "now": bench.now},
    )


@pytest.mark.parametrize("order", list(permutations(["pool", "tube 4", "pool again"])))
def test_the_end_does_not_depend_on_the_order(
    session: Session, now: datetime, order: tuple[str, ...]
) -> None:
    bench = open_bench(session, now)
    people = bench.swabs(10)
    pool = bench.lab_pool(people)
    _ordered_alone(bench, people[3])
    at = bench.now
    said = {
        "pool": cartridge_capture(pool, 27.0, at=at, instrument=bench.instrument),
        "pool again": cartridge_capture(pool, 27.0, at=at, instrument=bench.instrument),
        "tube 4": cartridge_capture(people[3].barcode, 23.7, at=at, instrument=bench.instrument),
    }

    for what in order:
        bench.take(said[what])
    bench.run()  # the other nine, each alone

    found = seen.findings(session)
    outcomes = [found[p.specimen_id].outcome for p in people]
    assert outcomes == [*["negative"] * 3, "positive", *["negative"] * 6]
    assert all(found[p.specimen_id].evidence == {p.barcode} for p in people)
    assert [(c.person_id, c.state) for c in seen.cases(session)] == [
        (people[3].person_id, "presumptive")
    ]
    assert len(seen.notices(session, "case.opened")) == 1
    assert seen.waiting(session) == set()


def _pool_corrected_to_negative(bench: Bench, people: list[Swab]) -> tuple[str, Bench]:
    pool = bench.lab_pool(people)
    layout = bench.plate()
    first = plate_capture(layout, {pool: 27.0})
    bench.later(90).take(first)
    bench.run({people[3].barcode: 23.7})
    second = plate_capture(layout, {})
    corrected = replace(
        second, measurements=tuple(m for m in second.measurements if m.specimen == pool)
    )
    assert bench.later(30).take(corrected).corrections == 1
    return pool, bench


def test_a_corrected_pool_leaves_the_confirmed_case_and_is_marked_discordant(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    people = bench.swabs(10)
    pool, _ = _pool_corrected_to_negative(bench, people)
    finding = session.execute(
        text("SELECT id FROM finding WHERE current AND outcome = 'positive'")
    ).scalar_one()
    release_positive(session, finding, site_id=bench.site_id, by="bs.lan", now=bench.now)

    correction = session.execute(
        text("SELECT id FROM measurement WHERE standing = 'correction'")
    ).scalar_one()
    accept_correction(session, correction, by="bs.lan", now=bench.now)

    assert [(c.person_id, c.state) for c in seen.cases(session)] == [
        (people[3].person_id, "confirmed")
    ]
    outcomes = [seen.findings(session)[p.specimen_id].outcome for p in people]
    assert outcomes == [*["negative"] * 3, "positive", *["negative"] * 6]
    (listed,) = disputed(session, site_id=bench.site_id)
    assert listed.barcode == pool
    assert counts(session, site_id=bench.site_id, since=now)[ReviewQueue.DISCORDANT] == 1

    close_discordance(
        session, pool, "weak, diluted below the limit", site_id=bench.site_id, by="bs.lan", now=now
    )
    assert disputed(session, site_id=bench.site_id) == []
    assert [c.state for c in seen.cases(session)] == ["confirmed"]


def test_a_positive_taken_back_and_found_again_is_the_same_case(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    person = bench.swab()
    layout = bench.plate()
    for told in (24.0, None, 25.0):
        bench.later(30)
        bench.take(plate_capture(layout, {person.barcode: told}))
        for measurement in _corrections(session):
            accept_correction(session, measurement, by="bs.lan", now=bench.now)

    (case,) = seen.cases(session)
    assert (case.state, case.sequence) == ("presumptive", 3)
    kinds = [n.kind for n in seen.notices(session)]
    assert kinds == ["case.opened", "case.corrected", "case.corrected"]


def _corrections(session: Session) -> list[UUID]:
    return list(
        session.execute(text("SELECT id FROM measurement WHERE standing = 'correction'")).scalars()
    )


def test_a_person_detected_and_then_not_is_listed_for_a_reviewer(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    person = bench.swab()
    bench.run({person.barcode: 30.0})
    asked_again = text(
        "INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state,"
        " created_at) SELECT gen_random_uuid(), site_id, id, assay_code, 2, 9, 'confirm',"
        " 'queued', :now FROM tube"
    )
    session.execute(asked_again, {"now": bench.now})

    bench.run()

    assert seen.findings(session)[person.specimen_id].outcome == "discordant"
    assert [c.state for c in seen.cases(session)] == ["presumptive"]  # for a reviewer to decide
    assert [d.barcode for d in disputed(session, site_id=bench.site_id)] == [person.barcode]

    close_discordance(
        session, person.barcode, "carry-over", site_id=bench.site_id, by="bs.lan", now=bench.now
    )
    assert seen.findings(session)[person.specimen_id].outcome == "negative"
    assert [c.state for c in seen.cases(session)] == ["withdrawn"]
