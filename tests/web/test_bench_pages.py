"""The bench: tubes are received, pooled and plated by scanning; pages say what is next."""

from __future__ import annotations

import re

from sqlalchemy import select

from lims.db.ids import uuid7
from lims.tables import AuditEvent, Tube
from lims.work.access import Role
from tests import seen
from tests.builders import Bench
from tests.captures import Blank, Told, plate_capture
from tests.web.browsing import words
from tests.web.conftest import SignIn
from tests.web.test_collect import CARD, carried

MOST_BYTES = 150_000


def test_a_scan_receives_and_says_where_the_tube_goes(signed_in: SignIn, bench: Bench) -> None:
    pooled = bench.swab(campaign_id=bench.campaign(), received=False)
    alone = bench.swab(received=False)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    for swab, where in ((pooled, "To the pooling rack"), (alone, "To the plate queue")):
        page = browser.get(browser.post("/receive", {"text": swab.barcode}).location)
        assert where in words(page)
    again = browser.get(browser.post("/receive", {"text": alone.barcode.lower()}).location)
    assert "It was received before; nothing changed." in words(again)


def test_an_unknown_tube_at_the_door_can_be_registered_there(
    signed_in: SignIn, bench: Bench
) -> None:
    answer = signed_in(Role.TECHNICIAN).post("/receive", {"text": next(bench.labels)})
    assert answer.status_code == 404
    assert "Register this tube" in words(answer)


def test_a_card_at_the_door_is_told_where_cards_go(signed_in: SignIn) -> None:
    answer = signed_in(Role.TECHNICIAN).post("/receive", {"text": CARD})
    assert answer.status_code == 422 and "the card at Collect" in words(answer)
    assert "Nhung" not in answer.text and "001189001234" not in answer.text


def test_a_broken_tube_is_rejected_with_a_reason(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab(received=False)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    form = {"barcode": swab.barcode, "reason": "Vỡ"}
    page = browser.get(browser.post("/receive/reject", form).location)
    assert "Rejected · Vỡ" in words(page)
    sheet = words(browser.get("/collect/again"))
    assert "Nguyễn Thị Mai" in sheet and "the tube was rejected" in sheet


def test_a_pool_is_made_by_scanning_its_label_and_its_tubes(
    signed_in: SignIn, bench: Bench
) -> None:
    swabs, label = bench.swabs(3), next(bench.labels)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = browser.get("/pools/new").text
    for scan in (label, *(swab.barcode for swab in swabs)):
        page = browser.post("/pools/new/scan", {**carried(page), "text": scan}).text
    assert "3 of 10" in page
    made = browser.post("/pools/new", carried(page))
    again = browser.post("/pools/new", carried(page))
    assert made.status_code == again.status_code == 303
    assert "3 people" in words(browser.get(made.location))
    pool = bench.session.scalars(select(Tube).where(Tube.kind == "lab_pool")).one()
    assert pool.barcode == label


def test_what_cannot_be_pooled_is_said_at_the_scan(signed_in: SignIn, bench: Bench) -> None:
    campaign = bench.campaign()
    outside = bench.swab(campaign_id=campaign, received=False)
    alone = bench.swab()
    used = bench.swabs(2)
    bench.lab_pool(used)
    free = bench.swab(campaign_id=campaign)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    for barcode, said in (
        (outside.barcode, "Illegal move"),
        (alone.barcode, "Tube has own test"),
        (used[0].barcode, "Already in pool"),
        (free.barcode, "Tube twice in pool"),
    ):
        answer = browser.post("/pools/new/scan", {"text": barcode, "source": free.barcode})
        assert answer.status_code == 409
        assert said in words(answer)


def test_a_positive_pool_shows_its_members_and_what_it_waits_for(
    signed_in: SignIn, bench: Bench
) -> None:
    swabs = bench.swabs(10)
    pool = bench.lab_pool(swabs)
    bench.run({pool: 27.1})
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert "Positive, being resolved" in words(browser.get("/pools"))
    page = words(browser.get(f"/pools/{pool}"))
    assert "Ct 27.1" in page
    assert "Every tube in it is tested alone" in page
    assert page.count("alone, in the queue: member of a positive pool") == 10
    bench.run({swabs[3].barcode: 23.7})
    bench.session.commit()
    page = words(browser.get(f"/pools/{pool}"))
    assert "+ 1 · − 9 · 0 without an answer" in page
    assert "F0, waits for a reviewer" in page


def test_a_positive_field_pool_sends_its_people_to_the_reswab_sheet(
    signed_in: SignIn, bench: Bench
) -> None:
    home = bench.field_pool(5)
    bench.run({home.barcode: 22.0})
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert words(browser.get(f"/pools/{home.barcode}")).count("swab again") >= 5
    sheet = words(browser.get("/collect/again"))
    assert "5 people behind 1 doors" in sheet
    assert "All of them in one tube" in sheet


def test_a_plate_is_laid_out_once_however_often_the_form_is_sent(
    signed_in: SignIn, bench: Bench
) -> None:
    for _ in range(4):
        bench.swab()
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    form = {"run_id": str(uuid7()), "plate": "pl-0001", "most": "3"}
    for written in ("pl-0001", "PL 0001"):
        answer = browser.post("/runs", {**form, "plate": written})
        assert answer.location == "/runs/PL-0001"
    assert "· 3 tubes" in words(browser.get("/runs/PL-0001"))
    page = words(browser.get("/runs"))
    assert "a space becomes a hyphen" in page
    refused = browser.post("/runs", {**form, "run_id": str(uuid7()), "plate": "Đĩa số 1"})
    assert "4 to 24 letters A-Z" in words(refused)
    lines = browser.get("/runs/PL-0001/worklist.csv").text.splitlines()
    assert lines[0] == "plate,well,barcode,kind,people,priority,why,assay,control"
    assert len(lines) == 1 + 3 + 2
    assert lines[-1] == "PL-0001,H12,PC,control,,,,sars-cov-2,positive_control"
    marked = browser.get("/runs/PL-0001/worklist.csv?bom=1").data
    assert marked.decode("utf-8-sig").splitlines() == lines


def test_a_full_plate_shows_every_well_in_colour_sign_and_words(
    signed_in: SignIn, bench: Bench
) -> None:
    barcodes = [bench.swab(name="Công Tằng Tôn Nữ " * 4).barcode for _ in range(94)]
    layout = bench.plate()
    cts: dict[str, Told] = {barcodes[0]: 23.6, barcodes[1]: 38.6, barcodes[2]: Blank.INVALID}
    bench.later(90).take(plate_capture(layout, cts, instrument=bench.instrument))
    bench.session.commit()
    page = signed_in(Role.REVIEWER).get(f"/runs/{layout.plate}")
    assert "91 negative · 1 positive · 1 invalid · 1 weak" in words(page)
    assert (
        len(re.findall(r'<a class="well (?:negative|positive|invalid|inconclusive)', page.text))
        == 94
    )
    assert re.search(r'<a class="well positive[^>]*>\s*<b>24</b>', page.text)
    assert len(page.data) < MOST_BYTES


def test_a_contaminated_run_says_so_and_asks_for_nothing(signed_in: SignIn, bench: Bench) -> None:
    bench.swab()
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {}, ntc=33.0, instrument=bench.instrument))
    bench.session.commit()
    page = words(signed_in(Role.REVIEWER).get(f"/runs/{layout.plate}"))
    assert "Run invalid" in page
    assert "negative control H11 amplified" in page
    assert "Every well was settled by the rules." in page


def test_a_judged_run_in_the_list_carries_one_sign(signed_in: SignIn, bench: Bench) -> None:
    bench.swab()
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {}, instrument=bench.instrument))
    bench.session.commit()
    page = signed_in(Role.REVIEWER).get("/runs").text
    (pill,) = re.findall(r'<span class="state[^>]*>.*?controls passed</span>', page)
    assert re.findall(r"[−✓+◐?✗]", pill) == ["✓"]


def test_a_tube_tells_its_whole_story(signed_in: SignIn, bench: Bench) -> None:
    swabs = bench.swabs(2)
    pool = bench.lab_pool(swabs)
    bench.run({pool: 24.0})
    bench.run({swabs[0].barcode: 23.0})
    bench.session.commit()
    page = words(signed_in(Role.TECHNICIAN).get(f"/tubes/{swabs[0].barcode.lower()}"))
    for step in (
        "Registered",
        "Received at",
        "Drawn into the pool",
        "Its pool was measured",
        "member of a positive pool",
        "On plate PLATE-0002",
        "Measured + Ct 23.0",
        "Concluded + Positive",
        "F0 case",
        "National desk",
    ):
        assert step in page, step


def test_reading_a_person_is_recorded(signed_in: SignIn, bench: Bench) -> None:
    swab = bench.swab()
    bench.session.commit()
    page = signed_in(Role.TECHNICIAN).get(f"/people/{swab.person_id}")
    assert "Nguyễn Thị Mai" in words(page)
    read = bench.session.scalars(
        select(AuditEvent).where(AuditEvent.subject == str(swab.person_id))
    ).all()
    assert [(event.verb, event.actor) for event in read] == [("read_person", "user:technician")]


def test_a_household_swabbed_again_no_longer_waits(signed_in: SignIn, bench: Bench) -> None:
    home = bench.field_pool(2)
    bench.run({home.barcode: 22.0})
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert "Positive, being resolved" in words(browser.get("/pools"))
    for person_id in home.person_ids:
        bench.swab(person_id=person_id)
    bench.session.commit()
    page = words(browser.get("/pools"))
    assert "No pool waits." in page and "Resolved" in page
    assert "Nobody is to be swabbed again." in words(browser.get("/collect/again"))


def test_a_long_reswab_sheet_comes_in_pages(signed_in: SignIn, bench: Bench) -> None:
    homes = [bench.field_pool(2) for _ in range(45)]
    bench.run({home.barcode: 22.0 for home in homes})
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    first = browser.get("/collect/again")
    assert "90 people behind 45 doors" in words(first) and "Page 1 of 2" in words(first)
    assert len(first.data) < MOST_BYTES
    assert words(browser.get("/collect/again?page=2")).count("All of them in one tube") == 5


def test_a_plate_that_was_dropped_is_abandoned_with_a_reason_and_its_tubes_wait_again(
    signed_in: SignIn, bench: Bench
) -> None:
    tubes = [bench.swab().barcode for _ in range(3)]
    layout = bench.plate()
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert "Abandon this plate" in words(browser.get(f"/runs/{layout.plate}"))
    unsaid = browser.post(f"/runs/{layout.plate}/abandon", {"reason": " "})
    assert unsaid.status_code == 422
    assert "say why" in words(unsaid).lower()
    for _ in range(2):
        done = browser.post(f"/runs/{layout.plate}/abandon", {"reason": "dropped"})
        assert done.status_code == 303
    page = words(browser.get(f"/runs/{layout.plate}"))
    assert "dropped" in page and "Abandon this plate" not in page
    assert seen.waiting(bench.session) == set(tubes)
    assert len(seen.audited(bench.session, "invalidate_run")) == 1


def test_a_measured_run_is_not_the_benchs_to_abandon(signed_in: SignIn, bench: Bench) -> None:
    bench.swab()
    layout = bench.plate()
    bench.take(plate_capture(layout, {}))
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert "Abandon this plate" not in words(browser.get(f"/runs/{layout.plate}"))
    refused = browser.post(f"/runs/{layout.plate}/abandon", {"reason": "dropped"})
    assert refused.status_code == 409
    assert seen.findings(bench.session)
    assert seen.audited(bench.session, "invalidate_run") == []
