"""S3: a field pool, one tube for a family of five, is positive."""

from datetime import datetime

from sqlalchemy.orm import Session

from tests import seen
from tests.builders import Bench, Swab, open_bench
from tests.seen import SeenFinding


def _positive_family(bench: Bench) -> tuple[str, list[Swab]]:
    """The family's tube, and the five re-swabs of the next day."""
    family = bench.field_pool(5)
    bench.run({family.barcode: 24.0})
    bench.later(24 * 60)
    return family.barcode, [bench.swab(person_id=person) for person in family.person_ids]


def test_the_five_are_to_be_swabbed_again_and_no_tube_is_queued(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    family = bench.field_pool(5)

    bench.run({family.barcode: 24.0})

    found = seen.findings(session)
    assert len(found) == 5
    said = SeenFinding("preliminary", "P", frozenset({family.barcode}))
    assert set(found.values()) == {said}
    assert seen.recollections(session) == dict.fromkeys(found, "field pool detected")
    assert seen.waiting(session) == set()
    assert set(seen.alert_members(session).values()) == {"provisional"}


def test_two_of_the_re_swabs_are_positive_and_the_negatives_do_not_cancel_the_pool(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    tube, again = _positive_family(bench)
    assert seen.recollections(session) == {}  # each re-swab has answered its recollection
    assert len(seen.recollections(session, "done")) == 5

    bench.run({again[0].barcode: 22.0, again[3].barcode: 31.0})

    found = seen.findings(session)
    outcomes = [found[swab.specimen_id].outcome for swab in again]
    assert outcomes == ["positive", "negative", "negative", "positive", "negative"]
    assert {c.person_id for c in seen.cases(session)} == {again[0].person_id, again[3].person_id}
    of_the_tube = [f for f in found.values() if f.evidence == {tube}]
    assert [f.outcome for f in of_the_tube] == ["preliminary"] * 5
    assert seen.recollections(session) == {}


def test_a_negative_family_tube_clears_all_five(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    family = bench.field_pool(5)

    bench.run()

    said = SeenFinding("negative", "F", frozenset({family.barcode}))
    assert list(seen.findings(session).values()) == [said] * 5


def test_the_early_warning_ends_with_the_re_swabs(session: Session, now: datetime) -> None:
    bench = open_bench(session, now)
    _tube, again = _positive_family(bench)

    bench.run({again[0].barcode: 22.0, again[3].barcode: 31.0})

    states = sorted(seen.alert_members(session).values())
    assert states == ["confirmed"] * 2 + ["withdrawn"] * 3
