"""S19: a rapid positive isolates at once; its PCR confirms it or takes it back."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.rapid_test import RapidOutcome
from lims.domain.signing import Asked
from lims.tables import Finding
from lims.work.correct import accept_correction
from lims.work.rapid import RapidReading, read_rapid_test
from lims.work.receive import receive
from lims.work.release import release
from lims.work.review_run import invalidate_run
from lims.work.run_layout import Layout
from lims.work.unflagged import release_unflagged
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench
from tests.captures import Told, plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    opened = open_bench(session, now)
    opened.subscribe(HOME)
    return opened


def _rapid_positive(bench: Bench, known: UUID | None = None) -> tuple[UUID, str]:
    """Somebody with a positive strip, and the label of the PCR tube, which is received."""
    person = known or bench.swab(received=False).person_id
    label = next(bench.labels)
    reading = RapidReading(
        specimen_id=uuid7(),
        started_at=bench.now - timedelta(minutes=20),
        read_at=bench.now,
        outcome=RapidOutcome.POSITIVE,
        kit_lot="L-77",
        person_id=person,
        pcr_barcode=label,
    )
    read_rapid_test(bench.session, reading, site_id=bench.site_id, by="desk", now=bench.now)
    bench.session.flush()
    receive(bench.session, label, by="door", now=bench.now)
    return person, label


def _measured(bench: Bench, barcode: str, told: Told) -> Layout:
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {barcode: told}))
    return layout


def _invalidated(bench: Bench, layout: Layout) -> None:
    invalidate_run(bench.session, layout.run_id, "contaminated", by="bs.lan", now=bench.now)


def _signed(bench: Bench) -> None:
    """A reviewer says the final word on every positive that waits."""
    waiting = bench.session.scalars(
        select(Finding.id).where(
            Finding.current, Finding.status == "P", Finding.outcome == "positive"
        )
    )
    asked = [Asked(finding) for finding in waiting]
    release(bench.session, asked, site_id=bench.site_id, by="bs.lan", now=bench.now)


def _stands(bench: Bench) -> list[tuple[str, str]]:
    return [(case.state, case.basis) for case in seen.cases(bench.session)]


def _rests_on(bench: Bench) -> tuple[str, bool]:
    """The finding under the only case: its outcome, and whether it is current."""
    row = bench.session.execute(
        text("SELECT f.outcome, f.current FROM f0_case c JOIN finding f ON f.id = c.finding_id")
    ).one()
    return row.outcome, row.current


def test_a_case_whose_pcr_is_withdrawn_rests_on_its_rapid_test_again(bench: Bench) -> None:
    _, label = _rapid_positive(bench)
    layout = _measured(bench, label, 24.0)
    _signed(bench)
    assert _stands(bench) == [("confirmed", "pcr")]
    told = len(seen.notices(bench.session, "case.corrected"))

    _invalidated(bench, layout)

    assert _stands(bench) == [("presumptive", "antigen_presumptive")]
    assert _rests_on(bench) == ("presumptive", True)
    (notice,) = seen.notices(bench.session, "case.corrected")[told:]
    assert notice.facts == {"state": "presumptive", "basis": "antigen_presumptive"}


@pytest.mark.parametrize(
    ("told", "state", "basis"),
    [(25.0, "confirmed", "pcr"), (None, "not_confirmed", "antigen_presumptive")],
)
def test_the_pcr_that_is_run_again_has_the_last_word(
    bench: Bench, told: Told, state: str, basis: str
) -> None:
    _, label = _rapid_positive(bench)
    _invalidated(bench, _measured(bench, label, 24.0))

    _measured(bench, label, told)
    _signed(bench)

    assert _stands(bench) == [(state, basis)]


def test_the_pcr_of_a_rapid_positive_confirms_only_with_a_reviewers_word(bench: Bench) -> None:
    _, label = _rapid_positive(bench)

    _measured(bench, label, 24.0)

    assert _stands(bench) == [("presumptive", "antigen_presumptive")]
    assert [n.kind for n in seen.notices(bench.session)] == ["case.opened"]
    _signed(bench)
    assert _stands(bench) == [("confirmed", "pcr")]
    (_, confirmed) = seen.notices(bench.session)
    assert (confirmed.kind, confirmed.facts) == (
        "case.confirmed",
        {"state": "confirmed", "basis": "pcr"},
    )


def test_a_pcr_withdrawn_before_anybody_signed_leaves_the_rapid_test_as_it_was(
    bench: Bench,
) -> None:
    _, label = _rapid_positive(bench)
    layout = _measured(bench, label, 24.0)

    _invalidated(bench, layout)

    assert _stands(bench) == [("presumptive", "antigen_presumptive")]
    assert _rests_on(bench) == ("presumptive", True)
    assert [n.kind for n in seen.notices(bench.session)] == ["case.opened"]


def test_a_rapid_test_that_its_pcr_refuted_does_not_carry_a_later_case(bench: Bench) -> None:
    person, label = _rapid_positive(bench)
    _measured(bench, label, None)
    assert _stands(bench) == [("not_confirmed", "antigen_presumptive")]
    later: Swab = bench.later(60 * 24 * 10).swab(person_id=person)
    layout = _measured(bench, later.barcode, 24.0)
    assert _stands(bench)[1:] == [("presumptive", "pcr")]

    _invalidated(bench, layout)

    assert _stands(bench)[1:] == [("withdrawn", "pcr")]


def test_a_case_of_two_swabs_rests_on_the_one_that_is_left_and_its_team_hears_so(
    bench: Bench,
) -> None:
    first = bench.swab()
    layout = _measured(bench, first.barcode, 24.0)
    second = bench.swab(person_id=first.person_id)
    _measured(bench, second.barcode, 26.0)

    _invalidated(bench, layout)

    assert _stands(bench) == [("presumptive", "pcr")]
    assert _rests_on(bench) == ("positive", True)
    assert [n.kind for n in seen.notices(bench.session)] == ["case.opened", "case.corrected"]


def _flagged(bench: Bench, person: UUID, *, site_holds: bool = True) -> None:
    bench.session.execute(text("UPDATE site SET identity_holds = :on"), {"on": site_holds})
    bench.session.execute(
        text("UPDATE person SET identity_conflict = 'name' WHERE id = :id"), {"id": person}
    )
    bench.session.expire_all()


def _negative(bench: Bench) -> Finding:
    bench.session.expire_all()
    return bench.session.scalars(
        select(Finding).where(Finding.current, Finding.outcome == "negative")
    ).one()


def _case_stays(bench: Bench) -> bool:
    stays = _stands(bench) == [("presumptive", "antigen_presumptive")]
    return stays and [n.kind for n in seen.notices(bench.session)] == ["case.opened"]


def _closed_once(bench: Bench) -> bool:
    closed = _stands(bench) == [("not_confirmed", "antigen_presumptive")]
    told = [n.kind for n in seen.notices(bench.session)]
    return closed and told == ["case.opened", "case.corrected"]


def test_a_pcr_negative_that_is_held_closes_nothing_until_its_identity_is_decided(
    bench: Bench,
) -> None:
    person, label = _rapid_positive(bench)
    _flagged(bench, person)

    _measured(bench, label, None)

    assert (_negative(bench).status, _negative(bench).holds) == ("P", ["identity_conflict"])
    assert _case_stays(bench)
    bench.session.execute(text("UPDATE person SET identity_conflict = NULL"))
    for _ in range(2):
        release_unflagged(bench.session, now=bench.now, person_id=person)
    assert _negative(bench).status == "F"
    assert _closed_once(bench)


def test_a_pcr_negative_that_is_held_closes_the_case_when_a_reviewer_releases_it(
    bench: Bench,
) -> None:
    person, label = _rapid_positive(bench)
    _flagged(bench, person)
    _measured(bench, label, None)
    held = _negative(bench)
    bench.session.execute(
        text("UPDATE finding SET holds = '{delta_check}' WHERE id = :id"), {"id": held.id}
    )
    bench.session.execute(text("UPDATE person SET identity_conflict = NULL"))
    bench.session.expire_all()
    assert _case_stays(bench)

    asked = [Asked(held.id)]
    for _ in range(2):
        release(bench.session, asked, site_id=bench.site_id, by="bs.lan", now=bench.now)

    assert _negative(bench).status == "F"
    assert _closed_once(bench)


def test_a_held_negative_over_a_lost_positive_leaves_the_strip_its_case(bench: Bench) -> None:
    person, label = _rapid_positive(bench)
    layout = _measured(bench, label, 24.0)
    _signed(bench)
    _flagged(bench, person)
    bench.later(5).take(plate_capture(layout, {label: None}))
    second = bench.session.scalar(text("SELECT id FROM measurement WHERE standing = 'correction'"))

    accept_correction(bench.session, second, by="bs.lan", now=bench.now)

    assert _negative(bench).status == "P"
    assert _stands(bench) == [("presumptive", "antigen_presumptive")]
    bench.session.execute(text("UPDATE person SET identity_conflict = NULL"))
    asked = [Asked(_negative(bench).id)]
    release(bench.session, asked, site_id=bench.site_id, by="bs.lan", now=bench.now)
    assert _stands(bench) == [("not_confirmed", "antigen_presumptive")]


def test_the_pcr_of_another_strip_does_not_answer_for_the_one_the_case_rests_on(
    bench: Bench,
) -> None:
    person, first = _rapid_positive(bench)
    bench.later(60 * 24 * 20)
    _, second = _rapid_positive(bench, person)

    bench.take(plate_capture(bench.plate(second), {second: None}))
    assert _case_stays(bench)
    _measured(bench, first, None)
    assert _closed_once(bench)
