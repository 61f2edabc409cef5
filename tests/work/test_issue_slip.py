"""A slip speaks for one release: printed again it is the same, corrected it is another."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import slip_codes
from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import NotFound
from lims.domain.result_slips import NotReleased, Worth
from lims.work.issue_slip import IssuedSlip, issue_slip, issue_slips
from lims.work.views.slip_check import check_slip, initials
from lims.work.views.slip_paper import slips_on_paper
from reports.slip import Derived, Slip
from tests.builders import Bench, open_bench
from tests.captures import Told
from tests.corrections import corrected, finding_of, measured, released


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def issue(bench: Bench, finding_id: UUID) -> IssuedSlip:
    return issue_slip(
        bench.session,
        finding_id,
        site_id=bench.site_id,
        language="vi",
        by="user:lan",
        now=bench.now,
    )


def paper(bench: Bench, slip: IssuedSlip) -> Slip:
    [drawn] = slips_on_paper(
        bench.session,
        [slip.slip_id],
        site_id=bench.site_id,
        public_url="https://lab.example",
        timezone="Asia/Ho_Chi_Minh",
    )
    return drawn


def worth(bench: Bench, slip: IssuedSlip) -> Worth:
    return check_slip(bench.session, slip.code).worth


def test_a_cleared_member_of_a_pool_has_a_slip_that_says_so(bench: Bench) -> None:
    people = bench.swabs(10)
    bench.lab_pool(people)
    bench.run()
    slip = issue(bench, finding_of(bench, people[3]))
    drawn = paper(bench, slip)
    assert (drawn.outcome, drawn.derived, drawn.pool_people) == (
        FindingOutcome.NEGATIVE,
        Derived.LAB_POOL,
        10,
    )
    assert (drawn.barcode, drawn.rule, drawn.released_by) == (
        people[3].barcode,
        "sars-cov-2-av/1",
        None,
    )
    assert drawn.verify_url == f"https://lab.example/verify/{slip.code}"
    assert drawn.collected_at.isoformat() == "2021-09-11T08:00:00+07:00"
    assert drawn.replaces is None


def test_the_same_finding_is_the_same_slip_however_often_and_whoever_asks(bench: Bench) -> None:
    swab = bench.swab()
    bench.run()
    finding_id = finding_of(bench, swab)
    first = issue(bench, finding_id)
    bench.later(60)
    assert issue(bench, finding_id) == first
    assert slip_codes.parse(slip_codes.shown(first.code).lower()) == first.code
    english = issue_slip(
        bench.session, finding_id, site_id=bench.site_id, language="en", by="x", now=bench.now
    )
    assert english.code != first.code


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (27.0, "a positive that a reviewer has not released"),
        (39.0, "a member of a positive pool|an inconclusive result"),
    ],
)
def test_nothing_unreleased_is_printed_and_the_refusal_says_whom_it_waits_for(
    bench: Bench, told: Told, what: str
) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: told})
    if told == 39.0:
        bench.run({swab.barcode: told})
    with pytest.raises(NotReleased, match=what):
        issue(bench, finding_of(bench, swab))
    with pytest.raises(NotFound):
        issue(bench, uuid7())
    assert bench.session.scalar(text("SELECT count(*) FROM slip")) == 0


def test_a_member_of_a_positive_pool_waits_for_the_own_test(bench: Bench) -> None:
    people = bench.swabs(3)
    pool = bench.lab_pool(people)
    bench.run({pool: 27.0})
    with pytest.raises(NotReleased, match="whose own test is to come"):
        issue(bench, finding_of(bench, people[0]))


def test_no_statement_can_store_a_slip_of_an_unreleased_finding(bench: Bench) -> None:
    swab = bench.swab()
    bench.run({swab.barcode: 25.0})
    with pytest.raises(DBAPIError, match="a slip is of a released finding"):
        bench.session.execute(
            text(
                "INSERT INTO slip SELECT gen_random_uuid(), site_id, '7K3F9QXM2ABC4DEF5GHJ', id,"
                " 'vi', now(), 'x' FROM finding"
            )
        )


def test_a_corrected_and_recorrected_result_leaves_only_its_last_slip_valid(bench: Bench) -> None:
    swab = bench.swab()
    layout = measured(bench, swab, None)
    slips = [issue(bench, finding_of(bench, swab))]
    corrected(bench, layout, swab, 24.0)
    slips.append(issue(bench, released(bench, swab)))
    corrected(bench, layout, swab, None)
    slips.append(issue(bench, finding_of(bench, swab)))
    assert len({slip.code for slip in slips}) == 3
    assert [worth(bench, slip) for slip in slips] == [
        Worth.REPLACED,
        Worth.REPLACED,
        Worth.VALID,
    ]
    first, second, third = (paper(bench, slip) for slip in slips)
    assert first.replaces is None
    assert second.replaces and second.replaces.outcome is FindingOutcome.NEGATIVE
    assert second.replaces.slip_at == first.issued_at
    assert third.replaces and third.replaces.outcome is FindingOutcome.POSITIVE
    assert third.replaces.slip_at == second.issued_at


def test_a_withdrawn_slip_tells_a_stranger_nothing_of_the_person_or_the_result(
    bench: Bench,
) -> None:
    swab = bench.swab()
    layout = measured(bench, swab, None)
    old = issue(bench, finding_of(bench, swab))
    corrected(bench, layout, swab, 24.0)
    new = issue(bench, released(bench, swab))
    withdrawn = check_slip(bench.session, old.code)
    assert withdrawn.on_paper is None and withdrawn.issued_at == old.issued_at
    valid = check_slip(bench.session, new.code)
    assert valid.on_paper and valid.on_paper.outcome is FindingOutcome.POSITIVE
    assert valid.on_paper.initials == "N. T. M." == initials("Nguyễn Thị Mai")


def test_a_slip_is_being_checked_while_the_correction_waits_for_its_release(bench: Bench) -> None:
    swab = bench.swab()
    layout = measured(bench, swab, None)
    slip = issue(bench, finding_of(bench, swab))
    corrected(bench, layout, swab, 24.0)
    assert worth(bench, slip) is Worth.CHECKED
    with pytest.raises(NotReleased, match="a newer one has replaced"):
        issue(bench, slip.finding_id)


def test_more_evidence_for_the_same_word_keeps_the_slip(bench: Bench) -> None:
    swab = bench.swab()
    bench.run()
    first = finding_of(bench, swab)
    slip = issue(bench, first)
    bench.session.execute(text("UPDATE finding SET current = false WHERE id = :id"), {"id": first})
    bench.session.execute(
        text(
            "INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule,"
            " evidence, current, supersedes_id, created_at, released_at, released_by)"
            " SELECT gen_random_uuid(), site_id, specimen_id, person_id, outcome, status, rule,"
            " evidence, true, id, created_at, released_at, released_by FROM finding"
        )
    )
    assert worth(bench, slip) is Worth.VALID
    assert issue(bench, finding_of(bench, swab)).code == slip.code


def test_a_class_is_issued_in_one_statement_without_those_that_wait(bench: Bench) -> None:
    swabs = [bench.swab() for _ in range(5)]
    bench.run({swabs[2].barcode: 24.0})
    findings = [finding_of(bench, swab) for swab in swabs]
    issued = issue_slips(
        bench.session,
        findings[::-1],
        site_id=bench.site_id,
        language="vi",
        by="user:lan",
        now=bench.now,
    )
    assert [slip.finding_id for slip in issued] == [*findings[:2], *findings[3:]][::-1]
    assert len({slip.code for slip in issued}) == 4
