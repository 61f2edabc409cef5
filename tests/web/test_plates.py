"""Plates on the page: filled under the scanner, drawn in 96 and 384 wells, said in words."""

from __future__ import annotations

import csv
import re
from io import StringIO

from lims.db.ids import uuid7
from lims.domain.plates import PlateSize
from lims.work.access import Role
from lims.work.plate import RunRequest, lay_out
from lims.work.run_layout import Layout
from tests import seen
from tests.builders import Bench
from tests.captures import Blank, Told, plate_capture
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn
from tests.web.test_collect import carried

MOST_BYTES = 150_000


def laid_out(bench: Bench, plate: str, size: PlateSize, most: int | None = None) -> Layout:
    request = RunRequest(uuid7(), plate, format=size, most=most)
    return lay_out(bench.session, request, site_id=bench.site_id, by="x", now=bench.now)[0]


def scanned(browser: Browser, plate: str, scan: str) -> str:
    """What the page says after the scanner's line, as the scan form sends it."""
    page = browser.get(f"/runs/{plate}").text
    answer = browser.post(f"/runs/{plate}/scan", {**carried(page), "text": scan})
    return browser.get(answer.location).text if answer.location else answer.text


def test_a_plate_is_filled_by_the_scanner_alone(signed_in: SignIn, bench: Bench) -> None:
    tubes = [bench.swab().barcode for _ in range(3)]
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    form = {"run_id": str(uuid7()), "plate": "PL-0007", "fill": "scan"}
    assert browser.post("/runs", form).location == "/runs/PL-0007"
    page = words(browser.get("/runs/PL-0007"))
    assert "94 free" in page and "Scan the tube for A01" in page
    for tube, following in zip(tubes, ("B01", "C01", "D01"), strict=True):
        page = scanned(browser, "PL-0007", tube)
        assert f"Scan the tube for {following}" in page
        assert 'class="well filled just"' in page
    assert seen.waiting(bench.session) == set()
    out = browser.post("/runs/PL-0007/out", {"barcode": tubes[1]})
    assert "Scan the tube for B01" in words(browser.get(out.location))
    assert seen.waiting(bench.session) == {tubes[1]}


def test_a_well_pointed_at_is_the_next_to_be_filled(signed_in: SignIn, bench: Bench) -> None:
    tube = bench.swab().barcode
    laid_out(bench, "PL-0384", PlateSize.WELLS_384, most=0)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = browser.get("/runs/PL-0384?at=p22").text
    assert 'aria-label="P22: empty, the next scan goes here"' in page
    answer = browser.post("/runs/PL-0384/scan", {**carried(page), "text": tube})
    page = browser.get(answer.location).text
    assert re.search(r'href="\?at=P22" aria-label="P22 ' + tube[:4], page)
    chosen = browser.get("/runs/PL-0384?at=P22").text
    assert 'name="to" value="A01"' in chosen
    moved = browser.post("/runs/PL-0384/move", {"barcode": tube, "to": "A01", "at": "P22"})
    assert re.search(
        r'href="\?at=A01" aria-label="A01 ' + tube[:4], browser.get(moved.location).text
    )


def test_a_tube_that_does_not_belong_is_refused_and_the_well_stays_lit(
    signed_in: SignIn, bench: Bench
) -> None:
    pooled = bench.swabs(2)
    bench.lab_pool(pooled)
    laid_out(bench, "PL-0001", PlateSize.WELLS_96, most=0)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    answer = browser.post("/runs/PL-0001/scan", {"text": pooled[0].barcode, "at": "C05"})
    assert answer.status_code == 409
    assert "Tube has no test" in words(answer) and "plate its pool" in words(answer).lower()
    assert 'aria-label="C05: empty, the next scan goes here"' in answer.text


def test_the_rest_of_a_plate_is_filled_from_the_queue(signed_in: SignIn, bench: Bench) -> None:
    for _ in range(5):
        bench.swab()
    laid_out(bench, "PL-0001", PlateSize.WELLS_96, most=2)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    assert "Fill 3 free wells" in words(browser.get("/runs/PL-0001"))
    answer = browser.post("/runs/PL-0001/fill")
    page = words(browser.get(answer.location))
    assert "Fill" not in page and "Nothing is queued." in page and "· 5 tubes" in page
    assert "89 free" in words(browser.get(answer.location))
    empty = browser.post("/runs/PL-0001/fill")
    assert empty.status_code == 409 and "receive tubes or make pools first" in words(empty).lower()


def test_whoever_may_not_fill_a_plate_sees_it_without_the_ways_to(
    signed_in: SignIn, bench: Bench
) -> None:
    bench.swab()
    laid_out(bench, "PL-0001", PlateSize.WELLS_96)
    bench.session.commit()
    page = signed_in(Role.REVIEWER).get("/runs/PL-0001").text
    assert "/runs/PL-0001/scan" not in page and "?at=" not in page


def test_a_full_plate_of_384_wells_is_one_light_page(signed_in: SignIn, bench: Bench) -> None:
    tubes = [bench.swab(name="Công Tằng Tôn Nữ " * 4).barcode for _ in range(380)]
    layout = laid_out(bench, "PL-0384", PlateSize.WELLS_384)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN, Role.REVIEWER)
    planned = browser.get("/runs/PL-0384")
    assert "380 wait · 0 free" in words(planned)
    assert len(planned.data) < MOST_BYTES
    cts: dict[str, Told] = {tubes[0]: 23.6, tubes[1]: 38.6, tubes[2]: Blank.INVALID}
    bench.later(90).take(plate_capture(layout, cts, instrument=bench.instrument))
    bench.session.commit()
    page = browser.get("/runs/PL-0384")
    assert len(page.data) < MOST_BYTES
    assert "377 negative · 1 positive · 1 invalid · 1 weak" in words(page)
    assert (
        len(re.findall(r'<a class="well (?:negative|positive|invalid|inconclusive)', page.text))
        == 380
    )
    assert "NTC O23, P23: no amplification" in words(page)
    assert "PC O24, P24: Ct 25.0, at most 35" in words(page)
    assert re.search(r'aria-label="A01 [^"]*: positive, Ct 23.6, single tube \(', page.text)


def test_a_failed_control_is_said_with_its_value_and_its_limit(
    signed_in: SignIn, bench: Bench
) -> None:
    bench.swab()
    layout = bench.plate()
    bench.later(90).take(plate_capture(layout, {}, pc=36.4, instrument=bench.instrument))
    bench.session.commit()
    page = words(signed_in(Role.REVIEWER).get(f"/runs/{layout.plate}"))
    assert "✗ PC H12: Ct 36.4, at most 35" in page
    assert "✓ NTC H11: no amplification" in page
    assert "positive control H12 is late: 36.4, limit 35" in page


def test_the_positive_control_of_the_last_twenty_runs_is_drawn_and_this_run_marked(
    signed_in: SignIn, bench: Bench
) -> None:
    for number in range(22):
        bench.swab()
        bench.run(pc=24.0 + number % 5 / 10)
    bench.session.commit()
    page = signed_in(Role.REVIEWER).get("/runs/PLATE-0015").text
    assert "Positive control, last 20 runs" in page
    assert len(re.findall(r'<circle class="point', page)) == 20
    [here] = re.findall(r'<circle class="point[^"]* here"[^>]*><title>([^<]*)', page)
    assert here == "PLATE-0015: 24.4"


def test_the_worklist_says_what_stands_in_each_well_and_why(
    signed_in: SignIn, bench: Bench
) -> None:
    pool = bench.lab_pool(bench.swabs(3))
    bench.run({pool: 25.0})
    layout = laid_out(bench, "-PL-1", PlateSize.WELLS_96)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    answer = browser.get(f"/runs/{layout.plate}/worklist.csv")
    rows = list(csv.DictReader(StringIO(answer.text, newline="")))
    assert [row["well"] for row in rows] == ["A01", "B01", "C01", "H11", "H12"]
    assert {row["plate"] for row in rows} == {"'-PL-1"}  # no formula of a spreadsheet
    first, ntc = rows[0], rows[3]
    assert (first["kind"], first["people"], first["priority"], first["why"], first["control"]) == (
        "individual",
        "1",
        "9",
        "resolve",
        "",
    )
    assert (ntc["barcode"], ntc["kind"], ntc["control"]) == ("NTC", "control", "negative_control")


def test_a_control_template_is_added_chosen_and_retired(signed_in: SignIn, bench: Bench) -> None:
    bench.swab()
    bench.session.commit()
    operator = signed_in(Role.OPERATOR)
    form = {
        "template_id": str(uuid7()),
        "name": "Có chứng tách chiết",
        "format": "384",
        "negative": "O23, p23",
        "positive": "O24",
        "extraction": "P24",
    }
    for _ in range(2):
        assert operator.post("/admin/control-templates", form).status_code == 303
    listed = words(operator.get("/admin/control-templates"))
    assert "Có chứng tách chiết/1 384 NTC O23, P23 · PC O24 · EC P24" in listed
    choice = re.search(r'<option value="([^"]+)">384 · Có chứng', operator.get("/runs").text)
    assert choice is not None
    laid = {"run_id": str(uuid7()), "plate": "PL-EC", "controls": choice[1]}
    page = words(operator.get(operator.post("/runs", laid).location))
    assert "384-well plate" in page and "controls by Có chứng tách chiết/1" in page
    retire = f"/admin/control-templates/{form['template_id']}/retire"
    assert operator.post(retire).status_code == 303
    assert "Có chứng" not in operator.get("/runs").text


def test_a_template_without_a_positive_control_or_off_the_plate_says_so_beside_the_field(
    signed_in: SignIn,
) -> None:
    operator = signed_in(Role.OPERATOR)
    form = {"name": "Ours", "format": "96", "negative": "H11", "positive": "", "extraction": ""}
    answer = operator.post("/admin/control-templates", form)
    assert answer.status_code == 422 and "no run on it could pass" in words(answer)
    answer = operator.post("/admin/control-templates", {**form, "positive": "P24"})
    assert answer.status_code == 422 and "a well that the plate has" in words(answer)


def test_the_last_template_of_a_plate_stays(signed_in: SignIn, bench: Bench) -> None:
    operator = signed_in(Role.OPERATOR)
    page = operator.get("/admin/control-templates").text
    [first, *_] = re.findall(r'action="(/admin/control-templates/[^"]+/retire)"', page)
    answer = operator.post(first)
    assert "It is the last one for this plate" in words(operator.get(answer.location))
