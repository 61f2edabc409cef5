"""S30: a release test ends a case, a wrong one does not, and what comes soon after is the same."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.policy import Setting
from lims.domain.signing import Asked
from lims.tables import F0Case, Finding, Specimen
from lims.work.policy import change_policy
from lims.work.release import release
from lims.work.review_run import invalidate_run
from tests import seen
from tests.builders import Bench, Swab, open_bench

DAY = 24 * 60


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


@pytest.fixture
def ill(bench: Bench) -> Swab:
    """Found and confirmed this morning."""
    swab = bench.swab()
    bench.run({swab.barcode: 22.0})
    _sign(bench, swab)
    assert _states(bench) == ["confirmed"]
    return swab


def _sign(bench: Bench, swab: Swab) -> None:
    bench.later(3)
    finding = bench.session.scalars(
        select(Finding.id).where(Finding.specimen_id == swab.specimen_id, Finding.current)
    ).one()
    release(bench.session, [Asked(finding)], site_id=bench.site_id, by="bs.lan", now=bench.now)


def _states(bench: Bench) -> list[str]:
    return [case.state for case in seen.cases(bench.session)]


def _kinds(bench: Bench) -> list[str]:
    return [notice.kind for notice in seen.notices(bench.session)]


def _again(bench: Bench, ill: Swab, day: float, ct_cycles: float | None = None) -> Swab:
    bench.later(int(day * DAY))
    swab = bench.swab(person_id=ill.person_id)
    bench.run({swab.barcode: ct_cycles} if ct_cycles else {})
    return swab


def test_a_negative_after_a_week_ends_isolation_and_everyone_told_hears(
    bench: Bench, ill: Swab
) -> None:
    _again(bench, ill, 7)
    assert _states(bench) == ["closed"]
    assert _kinds(bench) == ["case.opened", "case.confirmed", "case.closed"]


def test_one_in_a_pool_goes_the_same_way(bench: Bench, ill: Swab) -> None:
    bench.later(8 * DAY)
    campaign = bench.campaign(pool_size=5)
    others = [bench.swab(campaign_id=campaign) for _ in range(4)]
    bench.lab_pool([bench.swab(person_id=ill.person_id, campaign_id=campaign), *others])
    bench.run()
    assert _states(bench) == ["closed"]


@pytest.mark.parametrize(("hours", "state"), [(-8, "closed"), (-9, "confirmed"), (15, "closed")])
def test_days_are_of_the_calendar_and_not_of_the_hour(
    bench: Bench, ill: Swab, hours: int, state: str
) -> None:
    """The first swab was taken at eight in the morning; the seventh day begins at midnight."""
    taken = bench.session.get_one(Specimen, ill.specimen_id).collected_at
    bench.now = taken + timedelta(days=7, hours=hours)
    _again(bench, ill, 0)
    assert _states(bench) == [state]


def test_a_negative_too_soon_ends_nothing(bench: Bench, ill: Swab) -> None:
    _again(bench, ill, 6)
    assert _states(bench) == ["confirmed"]


def test_a_late_ct_ends_it_once_a_reviewer_has_said_so(bench: Bench, ill: Swab) -> None:
    weak = _again(bench, ill, 9, ct_cycles=33.0)
    assert _states(bench) == ["confirmed"]
    _sign(bench, weak)
    assert _states(bench) == ["closed"]


def test_an_early_ct_does_not(bench: Bench, ill: Swab) -> None:
    _sign(bench, _again(bench, ill, 9, ct_cycles=25.0))
    assert _states(bench) == ["confirmed"]


def test_the_laboratory_chooses_the_day(bench: Bench, ill: Swab) -> None:
    change_policy(
        bench.session,
        Setting.RELEASE_FROM_DAY,
        14,
        shown=7,
        reason="3416/QĐ-BYT",
        site_id=bench.site_id,
        by="admin",
        now=bench.now,
    )
    _again(bench, ill, 9)
    assert _states(bench) == ["confirmed"]
    _again(bench, ill, 5)
    assert _states(bench) == ["closed"]


def test_a_release_test_that_no_longer_counts_puts_the_person_back(bench: Bench, ill: Swab) -> None:
    _again(bench, ill, 8)
    _invalidate_newest(bench)
    assert _states(bench) == ["confirmed"]
    assert _kinds(bench)[-1] == "case.corrected"
    assert list(bench.session.scalars(select(F0Case.reopened_at))) == [bench.now]
    bench.run()
    assert _states(bench) == ["closed"], "its repeat says the same"


def test_another_test_that_released_the_person_still_does(bench: Bench, ill: Swab) -> None:
    _again(bench, ill, 8)
    kept = bench.session.scalars(select(F0Case.ended_by_id)).one()
    second = _again(bench, ill, 1)
    bench.session.expire_all()
    assert bench.session.scalars(select(F0Case.ended_by_id)).one() == kept
    _invalidate(bench, 1)
    assert _states(bench) == ["closed"]
    word = bench.session.scalars(
        select(Finding.id).where(Finding.specimen_id == second.specimen_id, Finding.current)
    ).one()
    bench.session.expire_all()
    assert bench.session.scalars(select(F0Case.ended_by_id)).one() == word


def test_a_positive_soon_after_is_the_same_infection_and_no_second_case(
    bench: Bench, ill: Swab
) -> None:
    _again(bench, ill, 8)
    _sign(bench, _again(bench, ill, 20, ct_cycles=34.0))
    assert _states(bench) == ["closed"]
    assert _kinds(bench)[3:] == ["case.corrected"]


def test_one_long_after_is_a_new_infection(bench: Bench, ill: Swab) -> None:
    _again(bench, ill, 8)
    _again(bench, ill, 90, ct_cycles=21.0)
    assert sorted(_states(bench)) == ["closed", "presumptive"]
    assert _kinds(bench)[-1] == "case.opened"


def _invalidate_newest(bench: Bench) -> None:
    _invalidate(bench, 0)


def _invalidate(bench: Bench, back: int) -> None:
    runs = bench.session.execute(text("SELECT id FROM run ORDER BY plate")).scalars().all()
    run = runs[-1 - back]
    bench.later(5)
    invalidate_run(bench.session, run, "lid open", by="bs.lan", now=bench.now)
