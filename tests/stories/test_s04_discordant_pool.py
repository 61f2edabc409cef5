"""S4: a positive pool, and every member negative."""

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from lims.domain.refusals import IllegalMove, InvalidBody
from lims.work.review import close_discordance
from lims.work.views.review_queue import disputed
from tests import seen
from tests.builders import Bench, Swab, open_bench

LATE_CT = 41.0  # amplified, but past what the rule calls even weak


def _discordant(bench: Bench) -> tuple[str, list[Swab]]:
    """A pool whose ten members are negative; the third amplified late."""
    people = bench.swabs(10)
    pool = bench.lab_pool(people)
    bench.run({pool: 33.0})
    bench.run({people[2].barcode: LATE_CT})
    return pool, people


def _outcomes(session: Session) -> set[str]:
    return {f.outcome for f in seen.findings(session).values()}


def test_nobody_is_cleared_and_the_pool_and_its_suspect_are_repeated(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    pool, people = _discordant(bench)

    found = seen.findings(session)
    assert {(f.outcome, f.status) for f in found.values()} == {("discordant", "P")}
    assert found[people[0].specimen_id].evidence == {pool, people[0].barcode}
    queued = seen.orders(session, "queued")
    assert {o.barcode for o in queued} == {pool, people[2].barcode}
    assert {(o.why, o.priority) for o in queued} == {("discordant", 9)}
    assert set(seen.alert_members(session).values()) == {"provisional"}
    (listed,) = disputed(session, site_id=bench.site_id)
    assert (listed.barcode, listed.people, listed.repeats_waiting) == (pool, 10, 2)
    plates = {plate for barcode, _, _, plate in listed.answers if barcode == pool}
    assert plates == {"PLATE-0001"}  # where to look for contamination


def test_after_negative_repeats_a_reviewer_closes_it_with_a_reason(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    pool, _ = _discordant(bench)
    bench.run()
    assert _outcomes(session) == {"discordant"}  # no machine decides it
    assert seen.waiting(session) == set()

    with pytest.raises(InvalidBody):
        close_discordance(session, pool, " ", site_id=bench.site_id, by="bs.lan", now=bench.now)
    for _ in range(2):  # the second time changes nothing
        close_discordance(
            session, pool, "splash at A03", site_id=bench.site_id, by="bs.lan", now=bench.now
        )

    assert {(f.outcome, f.status) for f in seen.findings(session).values()} == {("negative", "F")}
    assert disputed(session, site_id=bench.site_id) == []
    assert seen.audited(session, "close_discordance") == [{"reason": "splash at A03"}]
    assert set(seen.alert_members(session).values()) == {"withdrawn"}
    assert seen.cases(session) == []


def test_it_cannot_be_closed_while_a_repeat_may_still_settle_it(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    pool, _ = _discordant(bench)

    with pytest.raises(IllegalMove):
        close_discordance(
            session, pool, "in a hurry", site_id=bench.site_id, by="bs.lan", now=bench.now
        )


def test_a_pool_that_agrees_with_its_members_has_nothing_to_close(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    pool = bench.lab_pool(bench.swabs(4))
    bench.run()

    with pytest.raises(IllegalMove):
        close_discordance(
            session, pool, "why not", site_id=bench.site_id, by="bs.lan", now=bench.now
        )


def test_a_suspect_that_repeats_positive_is_named_and_clears_the_others(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    _, people = _discordant(bench)

    bench.run({people[2].barcode: 36.5})

    outcomes = [seen.findings(session)[p.specimen_id].outcome for p in people]
    assert outcomes == ["negative", "negative", "positive", *["negative"] * 7]
    assert [c.person_id for c in seen.cases(session)] == [people[2].person_id]
