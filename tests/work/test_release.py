"""Many findings released at once, two reviewers on one result, and a second reviewer's word."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lims.domain.policy import Setting
from lims.domain.refusals import IllegalMove, InvalidBody, PolicyChanged, SameReviewer
from lims.domain.signing import Asked, Came, Signed, seen_of
from lims.tables import Finding, PolicyChange
from lims.work.correct import accept_correction
from lims.work.policy import change_policy
from lims.work.release import release, withdraw_signature
from lims.work.review import Released, release_positive
from tests import seen
from tests.builders import HOME, Bench, Swab, open_bench
from tests.captures import plate_capture

LAN, MINH = "user:lan", "user:minh"


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def _finding(bench: Bench, swab: Swab) -> Finding:
    return bench.session.scalars(
        select(Finding)
        .where(Finding.specimen_id == swab.specimen_id, Finding.current)
        .execution_options(populate_existing=True)
    ).one()


def _shown(bench: Bench, swab: Swab) -> Asked:
    one = _finding(bench, swab)
    return Asked(one.id, seen_of(signed_by=one.signed_by, holds=one.holds, identity_open=False))


def _release(bench: Bench, *asked: Asked, by: str = LAN) -> tuple[Signed, ...]:
    return release(bench.session, asked, site_id=bench.site_id, by=by, now=bench.now)


def _withdraw(bench: Bench, finding: UUID, *, by: str) -> None:
    withdraw_signature(bench.session, finding, site_id=bench.site_id, by=by, now=bench.now)


def _token_releases(bench: Bench, finding: UUID, by: str) -> Released:
    return release_positive(bench.session, finding, site_id=bench.site_id, by=by, now=bench.now)


def _choose(bench: Bench, setting: Setting, wanted: int, *, shown: int) -> None:
    change_policy(
        bench.session,
        setting,
        wanted,
        shown=shown,
        reason="quy trình mới",
        site_id=bench.site_id,
        by="user:admin",
        now=bench.now,
    )


def _positives(bench: Bench, many: int) -> list[Swab]:
    swabs = [bench.swab() for _ in range(many)]
    bench.run({swab.barcode: 24.0 for swab in swabs})
    return swabs


def test_a_plate_of_positives_is_released_at_once_and_each_is_told_once(bench: Bench) -> None:
    bench.subscribe(HOME)
    swabs = _positives(bench, 12)
    shown = [_shown(bench, swab) for swab in swabs]

    came = _release(bench, *shown)

    assert [one.came for one in came] == [Came.RELEASED] * 12
    assert [one.finding_id for one in came] == [one.finding_id for one in shown]
    assert {case.state for case in seen.cases(bench.session)} == {"confirmed"}
    assert len(seen.notices(bench.session, "case.confirmed")) == 12


def test_what_changed_since_it_was_shown_is_left_alone_and_the_rest_released(
    bench: Bench,
) -> None:
    quiet, corrected = bench.swab(), bench.swab()
    layout = bench.plate()
    bench.take(plate_capture(layout, {quiet.barcode: 24.0, corrected.barcode: 24.0}))
    shown = [_shown(bench, quiet), _shown(bench, corrected)]
    bench.later(5).take(plate_capture(layout, {quiet.barcode: 24.0, corrected.barcode: None}))
    second = bench.session.scalar(text("SELECT id FROM measurement WHERE standing = 'correction'"))
    accept_correction(bench.session, second, by=MINH, now=bench.now)

    released, changed = _release(bench, *shown)

    assert released.came is Came.RELEASED
    assert (changed.came, changed.outcome) == (Came.CHANGED, "negative")
    assert _finding(bench, corrected).outcome == "negative"


def test_the_second_of_two_reviewers_is_told_who_was_first_and_when(bench: Bench) -> None:
    (swab,) = _positives(bench, 1)
    shown = _shown(bench, swab)
    _release(bench, shown, by=MINH)
    when = bench.now

    (late,) = _release(bench.later(2), shown, by=LAN)

    assert (late.came, late.by, late.at) == (Came.ALREADY, MINH, when)
    assert len(seen.audited(bench.session, "release_positive")) == 1


def test_a_finding_of_nobody_here_is_said_to_be_unknown(bench: Bench) -> None:
    (swab,) = _positives(bench, 1)
    came = _release(bench, Asked(uuid4()), _shown(bench, swab))
    assert [one.came for one in came] == [Came.UNKNOWN, Came.RELEASED]


def test_where_two_must_sign_the_first_only_signs_and_nobody_is_told(bench: Bench) -> None:
    bench.subscribe(HOME)
    _choose(bench, Setting.SECOND_REVIEWER, 1, shown=0)
    (swab,) = _positives(bench, 1)

    (first,) = _release(bench, _shown(bench, swab))
    (again,) = _release(bench, _shown(bench, swab))

    assert (first.came, again.came) == (Came.SIGNED, Came.SAME_PERSON)
    waits = _finding(bench, swab)
    assert (waits.status, waits.signed_by, waits.released_by) == ("P", LAN, None)
    assert [case.state for case in seen.cases(bench.session)] == ["presumptive"]
    assert [n.kind for n in seen.notices(bench.session)] == ["case.opened"]

    (second,) = _release(bench.later(3), _shown(bench, swab), by=MINH)

    assert second.came is Came.RELEASED
    final = _finding(bench, swab)
    assert (final.status, final.signed_by, final.released_by) == ("F", LAN, MINH)
    assert [n.kind for n in seen.notices(bench.session)] == ["case.opened", "case.confirmed"]


def test_a_signature_that_came_meanwhile_is_shown_before_the_second_word_falls(
    bench: Bench,
) -> None:
    _choose(bench, Setting.SECOND_REVIEWER, 1, shown=0)
    (swab,) = _positives(bench, 1)
    shown = _shown(bench, swab)
    _release(bench, shown, by=MINH)

    (came,) = _release(bench, shown, by=LAN)

    assert (came.came, came.by) == (Came.CHANGED, MINH)
    assert _finding(bench, swab).status == "P"


def test_one_takes_back_ones_own_first_signature_and_no_other(bench: Bench) -> None:
    _choose(bench, Setting.SECOND_REVIEWER, 1, shown=0)
    (swab,) = _positives(bench, 1)
    _release(bench, _shown(bench, swab))
    finding = _finding(bench, swab).id

    with pytest.raises(IllegalMove):
        _withdraw(bench, finding, by=MINH)
    for _ in range(2):
        _withdraw(bench, finding, by=LAN)

    assert _finding(bench, swab).signed_by is None
    assert len(seen.audited(bench.session, "withdraw_signature")) == 1
    (came,) = _release(bench, _shown(bench, swab), by=MINH)
    assert came.came is Came.SIGNED


def test_one_person_cannot_be_stored_as_both_reviewers(bench: Bench) -> None:
    (swab,) = _positives(bench, 1)
    finding = _finding(bench, swab)
    finding.signed_by = finding.released_by = LAN
    finding.signed_at = finding.released_at = bench.now
    finding.status = "F"
    with pytest.raises(IntegrityError, match="two_reviewers"):
        bench.session.flush()


def test_the_api_act_takes_the_same_way(bench: Bench) -> None:
    _choose(bench, Setting.SECOND_REVIEWER, 1, shown=0)
    (swab,) = _positives(bench, 1)
    finding = _finding(bench, swab).id

    first = _token_releases(bench, finding, "token:a")
    with pytest.raises(SameReviewer):
        _token_releases(bench, finding, "token:a")
    second = _token_releases(bench, finding, "token:b")

    assert (first.status, first.signed_by, second.status) == ("P", "token:a", "F")


def test_when_the_site_asks_for_one_again_the_signer_may_finish(bench: Bench) -> None:
    _choose(bench, Setting.SECOND_REVIEWER, 1, shown=0)
    (swab,) = _positives(bench, 1)
    _release(bench, _shown(bench, swab))
    _choose(bench, Setting.SECOND_REVIEWER, 0, shown=1)

    (came,) = _release(bench, _shown(bench, swab))

    assert came.came is Came.RELEASED
    assert (_finding(bench, swab).signed_by, _finding(bench, swab).released_by) == (None, LAN)


def test_policy_keeps_who_when_why_and_refuses_what_was_not_seen(bench: Bench) -> None:
    _choose(bench, Setting.MAX_POOL_SIZE, 32, shown=20)
    with pytest.raises(PolicyChanged):
        _choose(bench, Setting.MAX_POOL_SIZE, 10, shown=20)
    with pytest.raises(InvalidBody):
        _choose(bench, Setting.MAX_POOL_SIZE, 1, shown=32)
    _choose(bench, Setting.MAX_POOL_SIZE, 32, shown=20)  # pressed twice

    (kept,) = bench.session.scalars(select(PolicyChange)).all()
    assert (kept.was, kept.became, kept.changed_by) == (20, 32, "user:admin")


def _flag(bench: Bench, person: UUID) -> None:
    bench.session.execute(
        text("UPDATE person SET identity_conflict = 'another name' WHERE id = :id"), {"id": person}
    )


@pytest.mark.parametrize("pooled", [True, False])
def test_results_wait_for_an_identity_flag_only_where_the_site_says_so(
    bench: Bench, pooled: bool
) -> None:
    _choose(bench, Setting.IDENTITY_HOLDS, 1, shown=0)
    flagged, neighbour = bench.swabs(2) if pooled else (bench.swab(), bench.swab())
    if pooled:
        bench.lab_pool([flagged, neighbour])
    _flag(bench, flagged.person_id)
    bench.run()

    held = _finding(bench, flagged)
    assert (held.status, held.holds) == ("P", ["identity_conflict"])
    assert _finding(bench, neighbour).status == "F"
    (came,) = _release(bench, Asked(held.id))
    assert came.came is Came.IDENTITY

    _choose(bench, Setting.IDENTITY_HOLDS, 0, shown=1)
    let_go = _finding(bench, flagged)
    assert (let_go.status, let_go.released_by, let_go.holds) == ("F", let_go.rule, [])


@pytest.mark.parametrize(("days", "status"), [(2, "P"), (9, "F")])
def test_a_negative_too_soon_after_a_positive_waits_for_a_reviewer(
    bench: Bench, days: int, status: str
) -> None:
    (positive,) = _positives(bench, 1)
    bench.now += timedelta(days=days)
    again = bench.swab(person_id=positive.person_id)
    bench.run()

    finding = _finding(bench, again)
    assert (finding.outcome, finding.status) == ("negative", status)
    assert finding.holds == (["delta_check"] if status == "P" else [])
    (came,) = _release(bench, Asked(finding.id))
    assert came.came is (Came.RELEASED if status == "P" else Came.ALREADY)
    assert [case.state for case in seen.cases(bench.session)] == ["presumptive"]


def test_a_weak_positive_of_somebody_positive_last_month_says_both(bench: Bench) -> None:
    (first,) = _positives(bench, 1)
    bench.now += timedelta(days=30)
    again = bench.swab(person_id=first.person_id)
    bench.run({again.barcode: 36.5})
    assert set(_finding(bench, again).holds) == {"positive", "delta_check", "near_cut_off"}
