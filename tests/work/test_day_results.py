"""The results of a day by pages: each once, in order, and by the index that was made for it."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import ResultStatus
from lims.domain.outcomes import FindingOutcome
from lims.work.reject import reject
from lims.work.situation import midnights
from lims.work.views import day_results as views
from lims.work.views.day_results import After, ResultPage, ResultsAsked, day_results
from tests.builders import HOME, NEW, WORK, Bench, open_bench

START, END = midnights(date(2021, 9, 11), "Asia/Ho_Chi_Minh")
DAY = ResultsAsked(start=START, end=END)


@pytest.fixture
def bench(session: Session, now: datetime) -> Bench:
    return open_bench(session, now)


def asked(**narrowed: object) -> ResultsAsked:
    return ResultsAsked(start=START, end=END, **narrowed)  # type: ignore[arg-type] # by keyword


def every_page(bench: Bench, first: ResultsAsked) -> list[ResultPage]:
    pages, ask = [], first
    while True:
        pages.append(day_results(bench.session, ask, site_id=bench.site_id))
        after = pages[-1].after
        if after is None:
            return pages
        ask = ResultsAsked(
            start=ask.start,
            end=ask.end,
            outcome=ask.outcome,
            status=ask.status,
            campaign_id=ask.campaign_id,
            area=ask.area,
            after=After.of(after.word()),
        )


def found(pages: list[ResultPage]) -> list[UUID]:
    return [row.finding_id for page in pages for row in page.rows]


@pytest.fixture
def plate_said(bench: Bench) -> Bench:
    """Twelve people of one moment, then three of a later one, one of them positive."""
    pool = bench.lab_pool(bench.swabs(7))
    other = bench.lab_pool(bench.swabs(5, area=WORK))
    bench.run({pool: None, other: None})
    late = [bench.swab(area=WORK) for _ in range(3)]
    bench.run({late[0].barcode: 22.0})
    return bench


def test_pages_hold_every_result_once_newest_first(
    plate_said: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE", 4)
    pages = every_page(plate_said, DAY)
    assert [len(page.rows) for page in pages] == [4, 4, 4, 3]
    assert len(set(found(pages))) == 15
    moments = [(row.found_at, row.finding_id) for page in pages for row in page.rows]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize("few", [0, 5_000])
def test_filters_narrow_alone_and_together(
    plate_said: Bench, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """A commune is found by its people, or by looking through the day: the same rows."""
    monkeypatch.setattr(views, "FEW_PEOPLE", few)
    monkeypatch.setattr(views, "PAGE", 3)
    work = (WORK.scheme, WORK.code)
    assert len(found(every_page(plate_said, asked(area=work)))) == 8
    assert len(found(every_page(plate_said, asked(area=(HOME.scheme, HOME.code))))) == 7
    positive = asked(area=work, outcome=FindingOutcome.POSITIVE)
    assert len(found(every_page(plate_said, positive))) == 1
    assert len(found(every_page(plate_said, asked(status=ResultStatus.PRELIMINARY)))) == 1
    campaign = plate_said.session.execute(text("SELECT id FROM campaign LIMIT 1")).scalar_one()
    assert len(found(every_page(plate_said, asked(campaign_id=campaign)))) in (5, 7)


def test_a_filter_that_matches_nothing_says_how_far_it_looked(
    plate_said: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "FEW_PEOPLE", -1)
    monkeypatch.setattr(views, "WINDOW", 6)
    pages = every_page(plate_said, asked(area=(NEW, "00004")))
    assert [len(page.rows) for page in pages] == [0, 0, 0]
    assert [page.looked_until is not None for page in pages] == [True, True, False]


def test_the_day_of_a_result_is_when_it_came(plate_said: Bench) -> None:
    plate_said.session.execute(
        text("UPDATE finding SET created_at = :at WHERE outcome = 'positive'"), {"at": END}
    )
    assert len(found(every_page(plate_said, DAY))) == 14
    tomorrow = ResultsAsked(start=END, end=END + timedelta(days=1))
    assert len(found(every_page(plate_said, tomorrow))) == 1


def test_a_second_swab_without_a_campaign_says_the_first_swabs(bench: Bench) -> None:
    first = bench.swab(campaign_id=bench.campaign())
    reject(bench.session, first.barcode, "Swab missing", by="door", now=bench.now)
    again = bench.later(60).swab(person_id=first.person_id)
    bench.run()
    rows = {row.barcode: row for page in every_page(bench, DAY) for row in page.rows}
    assert rows[again.barcode].campaign is None
    assert str(rows[again.barcode].first_campaign).startswith("Campaign ")
    assert rows[again.barcode].released_at is not None


@pytest.mark.parametrize("word", ["", "x", "2021-09-11~7", "2021-09-11T01:00:00~" + "0" * 32, "~"])
def test_a_place_we_did_not_write_is_no_place(word: str) -> None:
    assert After.of(word) is None


@pytest.mark.parametrize(
    ("narrowed", "index"),
    [
        (DAY, "ix_finding_day"),
        (asked(outcome=FindingOutcome.POSITIVE), "ix_finding_outcome"),
        (asked(status=ResultStatus.CORRECTED), "ix_finding_exceptions"),
    ],
)
def test_a_page_is_read_in_the_order_of_an_index(
    session: Session, bench: Bench, narrowed: ResultsAsked, index: str
) -> None:
    """On 20,000 findings of one day, so that the planner has something to choose between; planned
    for whatever values may come, as PostgreSQL does once a statement has run a few times."""
    session.execute(
        text(
            """
            WITH people AS (
                INSERT INTO person (id, site_id, name, name_key, created_at)
                SELECT mint_uuid7(:now), :site, 'A', 'a', :now FROM generate_series(1, 20000)
                RETURNING id),
            swabs AS (
                INSERT INTO specimen (id, site_id, person_id, collected_at, registered_at,
                                      registered_by, body_digest, material)
                SELECT mint_uuid7(:now), :site, id, :now, :now, 'test', '0', 'swab' FROM people
                RETURNING id, person_id)
            INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule,
                                 evidence, current, created_at, released_at, released_by)
            SELECT mint_uuid7(:now), :site, id, person_id,
                   CASE WHEN n % 200 = 0 THEN 'positive' ELSE 'negative' END,
                   CASE WHEN n % 300 = 0 THEN 'C' ELSE 'F' END, 'test', '{}', true,
                   CAST(:now AS timestamptz) + n * interval '1 second', :now, 'test'
            FROM (SELECT *, row_number() OVER () AS n FROM swabs) numbered
            """
        ),
        {"now": bench.now, "site": bench.site_id},
    )
    session.execute(text("ANALYZE finding"))
    names = iter(range(1, 9))
    query = re.sub(
        r"(?<!:):[a-z]+", lambda _: f"${next(names)}", views._by_day(narrowed, views.PAGE + 1)
    )
    explained = f"EXPLAIN (COSTS OFF, GENERIC_PLAN) {query}"
    plan = "\n".join(session.connection().exec_driver_sql(explained).scalars())
    assert index in plan, plan
    assert "Seq Scan on finding" not in plan
