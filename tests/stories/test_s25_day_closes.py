"""S25: the day closes, and it adds up."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.registration import AreaRef
from lims.work.reject import reject
from lims.work.review import close_discordance
from lims.work.review_run import invalidate_run
from lims.work.views.reconcile import Reconciliation, reconcile
from lims.work.views.reconcile_parts import Difference, Part
from tests.builders import FAR_WARD, HOME, PROVINCE, WORK, Bench, Swab, open_bench
from tests.captures import Blank, plate_capture


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now, pools_of_pools=True)


def _closed(bench: Bench) -> Reconciliation:
    start = datetime(2021, 9, 1, tzinfo=bench.now.tzinfo)
    return reconcile(
        bench.session, site_id=bench.site_id, since=start, until=bench.now + timedelta(days=1)
    )


def _quiet_pool(bench: Bench) -> None:
    bench.lab_pool(bench.swabs(10))
    bench.run()


def _one_positive(bench: Bench) -> None:
    people = bench.swabs(10)
    bench.run({bench.lab_pool(people): 27.0})
    bench.run({people[3].barcode: 23.7})


def _pool_not_yet_resolved(bench: Bench) -> None:
    bench.run({bench.lab_pool(bench.swabs(10)): 27.0})


def _family_tube(bench: Bench) -> None:
    family = bench.field_pool(5)
    bench.run({family.barcode: 24.0})
    again = [bench.swab(person_id=person) for person in family.person_ids[:3]]
    bench.run({again[0].barcode: 22.0})


def _discordant_pool(bench: Bench) -> None:
    people = bench.swabs(5)
    pool = bench.lab_pool(people)
    bench.run({pool: 33.0})
    bench.run()
    bench.run()
    close_discordance(
        bench.session, pool, "splash", site_id=bench.site_id, by="bs.lan", now=bench.now
    )


def _discordant_pool_left_open(bench: Bench) -> None:
    bench.run({bench.lab_pool(bench.swabs(5)): 33.0})
    bench.run()


def _invalid_twice(bench: Bench) -> None:
    pool = bench.lab_pool(bench.swabs(5))
    alone = bench.swab()
    bench.run({pool: Blank.INVALID, alone.barcode: Blank.INVALID})
    bench.run({pool: Blank.INVALID, alone.barcode: Blank.INVALID})


def _pool_of_pools(bench: Bench) -> None:
    low, high = bench.lab_pool(bench.swabs(3)), bench.lab_pool(bench.swabs(3))
    whole = bench.lab_pool([low, high, bench.field_pool(4).barcode])
    bench.run({whole: 28.0})
    bench.run({high: 27.0})


def _broken_tubes(bench: Bench) -> None:
    people = bench.swabs(5)
    pool = bench.lab_pool(people)
    reject(bench.session, people[0].barcode, "leaking", by="door", now=bench.now)
    bench.run({pool: 26.0})
    late = bench.swab(received=False)
    reject(bench.session, late.barcode, "broken", by="door", now=bench.now)
    waiting = bench.swabs(4)
    bench.lab_pool(waiting)
    reject(bench.session, waiting[1].barcode, "leaking", by="door", now=bench.now)


def _contaminated_run(bench: Bench) -> None:
    bench.lab_pool(bench.swabs(5))
    bench.run({bench.swab().barcode: 20.0}, ntc=33.0)


def _late_positive_control(bench: Bench) -> None:
    bench.lab_pool(bench.swabs(5))
    bench.run({bench.swab().barcode: 20.0}, pc=36.5)


def _half_a_run(bench: Bench) -> None:
    for _ in range(20):
        bench.swab()
    layout = bench.plate()
    bench.take(plate_capture(layout, {}, complete=False, only=["A01", "B01", "C01"]))


def _weak_twice(bench: Bench) -> None:
    weak = bench.swab()
    bench.run({weak.barcode: 39.0})
    bench.run({weak.barcode: 39.0})


def _invalidated_run(bench: Bench) -> None:
    bench.lab_pool(bench.swabs(5))
    bench.run({bench.swab().barcode: 22.0})
    run = bench.session.execute(text("SELECT id FROM run ORDER BY plate DESC LIMIT 1"))
    invalidate_run(bench.session, run.scalar_one(), "lid open", by="bs.lan", now=bench.now)


def _cases_far_and_near(bench: Bench) -> None:
    bench.subscribe(HOME)
    bench.subscribe(WORK)
    bench.subscribe(PROVINCE)
    areas: list[tuple[AreaRef | None, AreaRef | None]] = [
        (HOME, WORK),
        (HOME, HOME),
        (FAR_WARD, None),
        (None, WORK),
        (PROVINCE, None),
        (WORK, None),
    ]
    people = [bench.swab(area=area, work_area=work) for area, work in areas]
    bench.run({p.barcode: 24.0 for p in people})


def _nothing_done_yet(bench: Bench) -> None:
    bench.swabs(4)
    bench.swab(received=False)
    bench.lab_pool(bench.swabs(3))


STORIES = (
    _quiet_pool,
    _one_positive,
    _pool_not_yet_resolved,
    _family_tube,
    _discordant_pool,
    _discordant_pool_left_open,
    _invalid_twice,
    _pool_of_pools,
    _broken_tubes,
    _weak_twice,
    _invalidated_run,
    _cases_far_and_near,
    _nothing_done_yet,
    _contaminated_run,
    _late_positive_control,
    _half_a_run,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__.strip("_"))
def test_after_a_story_everybody_is_accounted_for(bench: Bench, story: object) -> None:
    assert callable(story)
    story(bench)

    day = _closed(bench)

    assert day.differences == ()
    assert day.clean, day


def test_after_a_whole_day_of_them_it_still_adds_up(bench: Bench) -> None:
    for story in STORIES:
        story(bench)
        bench.later(1)

    day = _closed(bench)

    assert day.clean, day
    assert day.swabs.registered > 100
    assert min(day.swabs.received, day.swabs.rejected, day.swabs.outstanding, day.told.cases) > 0


def test_the_day_in_numbers(bench: Bench) -> None:
    _one_positive(bench)
    _nothing_done_yet(bench)

    day = _closed(bench)

    swabs, told = day.swabs, day.told
    assert (swabs.registered, swabs.received, swabs.rejected, swabs.outstanding) == (18, 17, 0, 1)
    assert swabs.found == {"negative": 9, "positive": 1}
    assert {step: one.swabs for step, one in swabs.waiting.items()} == {"pool": 4, "queue": 3}
    assert (told.cases, told.due, told.owed) == (1, 1, 1)


def test_another_day_is_another_day(bench: Bench) -> None:
    _one_positive(bench)

    day = reconcile(
        bench.session,
        site_id=bench.site_id,
        since=bench.now + timedelta(hours=1),
        until=bench.now + timedelta(hours=2),
    )

    assert (day.swabs.registered, day.told.cases, day.clean) == (0, 0, True)


def _difference_after(bench: Bench, harm: str) -> tuple[Difference, ...]:
    bench.session.flush()
    bench.session.execute(text(harm))
    day = _closed(bench)
    assert not day.clean
    return day.differences


@pytest.mark.harms("on purpose")
def test_a_test_that_vanished_is_listed_by_barcode(bench: Bench) -> None:
    alone: Swab = bench.swab()

    assert _difference_after(bench, "DELETE FROM test_order") == (
        Difference(Part.SWABS, alone.barcode, "received, nothing is known and nothing is wanted"),
    )


@pytest.mark.harms("on purpose")
def test_a_preliminary_that_nobody_resolves_is_listed(bench: Bench) -> None:
    people = bench.swabs(3)
    bench.run({bench.lab_pool(people): 27.0})

    listed = _difference_after(bench, "DELETE FROM test_order WHERE state = 'queued'")

    assert listed == tuple(
        Difference(Part.SWABS, barcode, "preliminary, and nothing is wanted")
        for barcode in sorted(p.barcode for p in people)
    )


@pytest.mark.harms("on purpose")
def test_a_notice_that_was_never_owed_is_listed_by_case(bench: Bench) -> None:
    bench.run({bench.swab().barcode: 24.0})

    listed = _difference_after(bench, "DELETE FROM notice")

    assert [d.why for d in listed] == ["told to nobody"]


HARMS = (
    ("UPDATE finding SET current = false", Part.ANSWERS, "measured, and nothing is known"),
    ("UPDATE result SET held = true", Part.ANSWERS, "a finding without a result"),
    (
        "UPDATE result SET current = false WHERE outcome = 'detected'",
        Part.ANSWERS,
        "rests on a result that no longer counts",
    ),
    ("UPDATE f0_case SET state = 'withdrawn'", Part.CASES, "positive, and no case stands"),
    (
        "UPDATE finding SET outcome = 'negative' WHERE outcome = 'positive'",
        Part.CASES,
        "a case stands without evidence",
    ),
    ("UPDATE notice SET state = 'dead'", Part.NOTICES, "a notice could not be delivered"),
    (
        "UPDATE notice SET state = 'delivered', delivered_at = created_at",
        Part.NOTICES,
        "delivered, and no attempt is kept",
    ),
    (
        "UPDATE f0_case SET sequence = 2",
        Part.NOTICES,
        "somebody who was told did not hear of the last change",
    ),
)


@pytest.mark.harms("on purpose")
@pytest.mark.parametrize(("harm", "part", "why"), HARMS, ids=[why for _, _, why in HARMS])
def test_what_does_not_add_up_is_named(bench: Bench, harm: str, part: Part, why: str) -> None:
    alone = bench.swab()
    bench.run({alone.barcode: 24.0})

    listed = _difference_after(bench, harm)

    named = {alone.barcode} if part is Part.ANSWERS or "no case" in why else _cases(bench)
    assert {one.subject for one in listed if (one.part, one.why) == (part, why)} == named


def _cases(bench: Bench) -> set[str]:
    return {str(id) for id in bench.session.execute(text("SELECT id FROM f0_case")).scalars()}


def test_what_waits_says_since_when_and_what_has_not_come_is_listed(bench: Bench) -> None:
    first = bench.swab()
    began = bench.now
    bench.later(30)
    bench.swab()
    late = bench.swab(received=False)

    swabs = _closed(bench).swabs

    assert {step: (one.swabs, one.oldest_at) for step, one in swabs.waiting.items()} == {
        "queue": (2, began)
    }
    assert [(one.barcode, one.since) for one in swabs.on_the_way] == [(late.barcode, bench.now)]
    assert first.barcode != late.barcode
