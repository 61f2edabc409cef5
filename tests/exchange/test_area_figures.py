"""What is counted of a commune and a day, and that it is lowered when a case is taken back. The app
is a real server (platform.py)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from lims.domain.rapid_test import RapidOutcome
from lims.work.merge import merge_people, part_people
from lims.work.review_run import invalidate_run
from tests.builders import ELSEWHERE, FAR_WARD, HOME, WORK
from tests.exchange.feeds import TODAY, Feed, strip


def test_a_commune_is_told_in_numbers_and_nobody_is_named(feed: Feed) -> None:
    feed.positive(name="Nguyễn Thị Mai")
    feed.lab.negatives(3)
    (said,) = feed.send()
    assert said["area"] == {
        "scheme": HOME.scheme,
        "code": HOME.code,
        "name": "Tân Định",
        "level": "ward",
        "province": "79",
    }
    assert (said["day"], said["sequence"]) == (TODAY, 1)
    assert said["f0"] == {"opened": 1, "open": 1, "presumptive": 0, "closed": 0}
    assert said["pcr"] == {"answered": 4, "positive": 1}
    assert said["antigen"] == {"read": 0, "positive": 0}
    written = json.dumps(said, ensure_ascii=False)
    people = feed.lab.bench.session.execute(text("SELECT id, name FROM person")).all()
    swabs = feed.lab.bench.session.execute(text("SELECT id FROM specimen")).all()
    barcodes = feed.lab.bench.session.execute(text("SELECT barcode FROM tube")).all()
    for secret in (*people, *swabs, *barcodes):
        assert all(str(value) not in written for value in secret)


def test_what_waits_for_a_reviewer_is_no_answer_yet_and_its_case_is_presumptive(
    feed: Feed,
) -> None:
    swab = feed.lab.bench.swab()
    feed.lab.bench.run({swab.barcode: 24.5})
    (said,) = feed.send()
    assert said["f0"] == {"opened": 1, "open": 1, "presumptive": 1, "closed": 0}
    assert said["pcr"] == {"answered": 0, "positive": 0}
    feed.lab.release(swab)
    (said,) = feed.send()
    assert said["f0"]["presumptive"] == 0
    assert said["pcr"] == {"answered": 1, "positive": 1}


def test_strips_are_counted_beside_pcr(feed: Feed) -> None:
    people = [feed.lab.bench.swab(received=False).person_id for _ in range(3)]
    strip(feed.lab, people[0], RapidOutcome.POSITIVE)
    for person in people[1:]:
        strip(feed.lab, person, RapidOutcome.NEGATIVE)
    (said,) = feed.send()
    assert said["antigen"] == {"read": 3, "positive": 1}
    assert said["pcr"] == {"answered": 0, "positive": 0}
    assert said["f0"]["presumptive"] == 1


def test_only_communes_whose_figures_changed_are_told_again_with_a_later_sequence(
    feed: Feed,
) -> None:
    feed.positive(area=HOME)
    feed.positive(area=WORK)
    assert len(feed.send()) == 2
    assert feed.send() == []
    feed.positive(area=WORK)
    (said,) = feed.send()
    assert (said["area"]["code"], said["sequence"]) == (WORK.code, 2)
    assert feed.shown() == {
        (HOME.code, TODAY): (1, 1, 0, 1, 1),
        (WORK.code, TODAY): (2, 2, 0, 2, 2),
    }


def test_a_recalled_run_lowers_the_figure_and_the_last_one_of_a_commune_is_a_zero(
    feed: Feed,
) -> None:
    feed.positive(area=HOME)
    feed.positive(area=WORK)
    feed.send()
    run = feed.lab.bench.session.execute(
        text("SELECT id FROM run ORDER BY id DESC LIMIT 1")
    ).scalar_one()
    invalidate_run(
        feed.lab.bench.session,
        run,
        "chứng dương hỏng",
        by="user:r",
        now=feed.lab.bench.later(5).now,
    )
    (said,) = feed.send()
    assert (said["area"]["code"], said["sequence"]) == (WORK.code, 2)
    assert feed.shown()[(WORK.code, TODAY)] == (0, 0, 0, 0, 0)
    assert feed.shown()[(HOME.code, TODAY)] == (1, 1, 0, 1, 1)


def test_a_release_test_closes_one_of_the_day_on_which_it_was_opened(feed: Feed) -> None:
    swab = feed.positive()
    feed.send()
    feed.lab.bench.later(10 * 24 * 60)
    again = feed.lab.bench.swab(person_id=swab.person_id)
    feed.lab.bench.run()
    finding = feed.lab.bench.session.execute(
        text("SELECT status FROM finding WHERE specimen_id = :s AND current"),
        {"s": again.specimen_id},
    ).scalar_one()
    assert finding == "F"
    feed.send()
    assert feed.shown() == {
        (HOME.code, TODAY): (1, 0, 1, 1, 1),
        (HOME.code, "2021-09-21"): (0, 0, 0, 1, 0),
    }


def test_a_day_changes_at_the_sites_midnight(feed: Feed) -> None:
    feed.lab.bench.now = datetime(2021, 9, 11, 16, 59, tzinfo=UTC)
    late = feed.lab.bench.swab()
    feed.lab.bench.now = datetime(2021, 9, 11, 17, 1, tzinfo=UTC)
    early = feed.lab.bench.swab(name="Lê Văn Hùng")
    feed.lab.bench.run({late.barcode: 24.0})
    feed.lab.release(late)
    assert early.barcode
    feed.send()
    assert feed.shown() == {
        (HOME.code, "2021-09-11"): (0, 0, 0, 1, 1),  # swabbed before, found after midnight
        (HOME.code, "2021-09-12"): (1, 1, 0, 1, 0),
    }


def test_two_cards_of_one_person_are_one_f0_where_the_one_who_is_left_lives(feed: Feed) -> None:
    kept, card = feed.positive(area=HOME), feed.positive(area=WORK)
    feed.send()
    given: dict[str, Any] = {"site_id": feed.lab.bench.site_id, "by": "user:r"}
    session = feed.lab.bench.session
    merge_people(
        session,
        kept.person_id,
        card.person_id,
        "cùng thẻ",
        now=feed.lab.bench.later(5).now,
        **given,
    )
    feed.send()
    assert feed.shown() == {
        (HOME.code, TODAY): (1, 1, 0, 2, 2),
        (WORK.code, TODAY): (0, 0, 0, 0, 0),
    }
    part_people(session, card.person_id, now=feed.lab.bench.later(5).now, **given)
    feed.send()
    assert feed.shown() == {
        (HOME.code, TODAY): (1, 1, 0, 1, 1),
        (WORK.code, TODAY): (1, 1, 0, 1, 1),
    }


def test_who_lives_elsewhere_after_all_is_counted_there_and_the_first_commune_is_told(
    feed: Feed,
) -> None:
    swab = feed.positive(area=HOME)
    feed.send()
    feed.lab.bench.session.execute(
        text("UPDATE person SET area_code = :code WHERE id = :id"),
        {"code": ELSEWHERE.code, "id": swab.person_id},
    )
    assert len(feed.send()) == 2
    assert feed.shown() == {
        (HOME.code, TODAY): (0, 0, 0, 0, 0),
        (ELSEWHERE.code, TODAY): (1, 1, 0, 1, 1),
    }


def test_who_lives_nowhere_known_is_in_no_communes_figures(feed: Feed) -> None:
    feed.positive(area=None)
    assert feed.send() == []


def test_counted_bit_by_bit_the_figures_are_those_of_one_count(feed: Feed) -> None:
    bench, swabs = feed.lab.bench, []
    for n, area in enumerate((HOME, WORK, HOME, ELSEWHERE, FAR_WARD)):
        swabs.append(feed.positive(area=area))
        if n % 2:
            feed.look()
        feed.lab.negatives(n + 1)
        bench.later(7 * 60)
        feed.look()
    strip(feed.lab, swabs[0].person_id, RapidOutcome.NEGATIVE)
    bench.session.execute(
        text("UPDATE person SET area_code = :code WHERE id = :id"),
        {"code": WORK.code, "id": swabs[2].person_id},
    )
    merge_people(
        bench.session,
        swabs[1].person_id,
        swabs[3].person_id,
        "cùng thẻ",
        site_id=bench.site_id,
        by="user:r",
        now=bench.later(5).now,
    )
    feed.send()
    bit_by_bit = feed.stored()
    with feed.lab.laboratory.sessions.begin() as session:
        session.execute(text("DELETE FROM outbound"))
        session.execute(text("DELETE FROM area_day"))
    feed.restart()
    feed.look()
    assert feed.stored() == bit_by_bit
    assert len(bit_by_bit) > 3
