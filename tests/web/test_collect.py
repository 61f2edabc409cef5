"""The desk: two scans register, in either order, and nothing is registered twice (S15, S16)."""

from __future__ import annotations

import re

from sqlalchemy import select, text

from lims.tables import Area, Campaign, Person, Specimen, Tube
from lims.work.access import Role
from lims.work.areas import SCHEME, load_areas
from tests.builders import Bench
from tests.web.browsing import Browser, words
from tests.web.conftest import SignIn

CARD = "001189001234||Phạm Thị Hồng Nhung|05031989|Nữ|Tổ 5, Dịch Vọng, Hà Nội|01012021"
OTHER = "001089005678||Lê Văn Ước|1989|Nam|Tổ 6, Dịch Vọng, Hà Nội|01012021"
_CARRIED = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def carried(page: str) -> dict[str, list[str]]:
    """What the header's form takes along to the next scan."""
    header = page[page.index('<form class="scan"') : page.index("</form>")]
    fields: dict[str, list[str]] = {}
    for name, value in _CARRIED.findall(header):
        if name != "csrf_token":
            fields.setdefault(name, []).append(value.replace("&#34;", '"'))
    return fields


def scans(browser: Browser, *texts: str, path: str = "/collect") -> str:
    """Scan one after the other, each page carrying what was scanned before; the last page."""
    page = browser.get(path).text
    for said in texts:
        answer = browser.post(f"{path}/scan", {**carried(page), "text": said})
        page = (browser.get(answer.location) if answer.status_code == 303 else answer).text
    return page


def test_a_card_and_a_tube_register_in_either_order(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    one, two = next(bench.labels), next(bench.labels)
    assert "✓ Phạm Thị Hồng Nhung" in scans(browser, CARD, one)
    assert "✓ Phạm Thị Hồng Nhung" in scans(browser, two, CARD)
    assert len(bench.session.scalars(select(Person)).all()) == 1
    assert {tube.barcode for tube in bench.session.scalars(select(Tube))} == {one, two}


def test_the_same_two_scans_again_answer_the_same_and_add_nothing(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    scans(browser, CARD, barcode)
    assert "nothing changed" in scans(browser, CARD, barcode)
    assert len(bench.session.scalars(select(Specimen)).all()) == 1


def test_a_form_sent_twice_is_one_registration_even_when_time_passes(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    draft = {**carried(browser.get("/collect").text), "barcode": next(bench.labels), "name": "An"}
    first = browser.post("/collect", draft)
    again = browser.post("/collect", draft)
    assert first.status_code == again.status_code == 303
    assert again.location == f"{first.location}&again=1"


def test_another_persons_tube_is_refused(signed_in: SignIn, bench: Bench) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    scans(browser, CARD, barcode)
    assert "Barcode taken" in scans(browser, OTHER, barcode)


def test_a_tube_scanned_for_somebody_who_was_refused_goes_to_nobody_else(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, barcode, own = signed_in(Role.TECHNICIAN), next(bench.labels), next(bench.labels)
    heart = CARD.replace("Phạm Thị Hồng Nhung", "Lý ♥ Một")
    refused = scans(browser, heart, barcode)
    next_one = browser.post("/collect/scan", {**carried(refused), "text": OTHER})
    assert next_one.status_code == 200
    assert not bench.session.scalars(select(Specimen)).all()
    answer = browser.post("/collect/scan", {**carried(next_one.text), "text": own})
    assert "✓ Lê Văn Ước" in browser.get(answer.location).text
    assert bench.session.scalars(select(Tube.barcode)).all() == [own]


def test_the_same_card_again_keeps_the_tube_of_whoever_was_refused(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    refused = scans(browser, CARD.replace("Phạm Thị Hồng Nhung", "Phạm ♥ Nhung"), barcode)
    assert not bench.session.scalars(select(Specimen)).all()
    answer = browser.post("/collect/scan", {**carried(refused), "text": CARD})
    assert "✓ Phạm Thị Hồng Nhung" in browser.get(answer.location).text


def test_a_misread_tube_is_refused_with_the_likely_ones(signed_in: SignIn, bench: Bench) -> None:
    browser, barcode = signed_in(Role.TECHNICIAN), next(bench.labels)
    swapped = barcode[0:5] + barcode[6] + barcode[5] + barcode[7:]
    if swapped == barcode:
        swapped = barcode[:-1] + ("0" if barcode[-1] != "0" else "1")
    page = scans(browser, CARD, swapped)
    assert "Wrong check character" in page
    assert 'value="Phạm Thị Hồng Nhung"' in page, "the card is not lost"


def test_a_second_name_under_one_number_is_flagged(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    scans(browser, CARD, next(bench.labels))
    page = scans(browser, CARD.replace("Hồng Nhung", "Khác Hẳn"), next(bench.labels))
    assert "A clerk compares the cards" in page


def test_somebody_without_a_number_who_seems_known_is_offered_and_never_merged(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    typed = {"name": "Nguyễn Thị Mai", "birth": "1980", "phone": "0912345678"}
    for _ in range(2):
        draft = {**carried(browser.get("/collect").text), **typed, "barcode": next(bench.labels)}
        answer = browser.post("/collect", draft)
    assert "Perhaps somebody known?" in words(answer)
    browser.post("/collect", {**draft, "alike": "new"})
    assert len(bench.session.scalars(select(Person)).all()) == 2


def test_faults_stand_beside_their_fields_and_what_was_typed_stays(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    answer = browser.post(
        "/collect",
        {"barcode": next(bench.labels), "name": "An", "birth": "31/02/1990", "phone": "12"}
        | {"national_id": "12", "area": "nowhere at all"},
    )
    assert answer.status_code == 422
    said = words(answer)
    for fault in ("no such day", "telephone number", "12 digits", "no province or commune"):
        assert fault in said
    assert 'value="31/02/1990"' in answer.text


def test_every_fault_of_the_form_is_said_at_once(signed_in: SignIn, bench: Bench) -> None:
    answer = signed_in(Role.TECHNICIAN).post("/collect", {"phone": "12", "birth": "x"})
    assert answer.status_code == 422
    assert answer.text.count('class="fault"') == 4
    for field in ("barcode", "name", "birth", "phone"):
        assert f'id="{field}-says">' in answer.text
    summary = words(answer)[: words(answer).index("Person and tube")]
    assert "telephone number" in summary and "scan the tube" in summary.lower()


def test_a_card_brings_its_commune_and_the_only_campaign(signed_in: SignIn, bench: Bench) -> None:
    load_areas(bench.session)
    campaign = bench.campaign()
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    card = CARD.replace("Tổ 5, Dịch Vọng, Hà Nội", "Tổ 5, Phường Cầu Giấy, Thành phố Hà Nội")
    page = scans(browser, card)
    assert "00167 · Phường Cầu Giấy, Hà Nội" in page and "no commune yet" not in page
    assert "Phường Cầu Giấy" in scans(browser, card, next(bench.labels))
    bench.session.rollback()
    assert bench.session.scalars(select(Specimen.campaign_id)).one() == campaign


def test_an_address_that_many_communes_answer_to_is_left_to_the_clerk(
    signed_in: SignIn, bench: Bench
) -> None:
    load_areas(bench.session)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN, language="vi")
    for address in ("Xã Tân Phú", "Dịch Vọng, Hà Nội", ""):
        card = CARD.replace("Tổ 5, Dịch Vọng, Hà Nội", address)
        assert "chưa có phường/xã" in scans(browser, card)
    assert "chưa có phường/xã" in scans(browser, card, next(bench.labels))


def test_the_desks_commune_is_kept_and_a_known_persons_is_not(
    signed_in: SignIn, bench: Bench
) -> None:
    for code, name in (("00166", "Cầu Giấy"), ("00167", "Nghĩa Đô")):  # the bench has Hà Nội
        bench.session.add(
            Area(
                scheme=SCHEME,
                code=code,
                level="ward",
                parent_code="01",
                name=name,
                name_key=name.lower(),
                full_name=f"Phường {name}",
            )
        )
        bench.session.flush()
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    for barcode, card, area in (
        (next(bench.labels), OTHER, "00167"),
        (next(bench.labels), CARD, "00166"),
    ):
        draft = carried(browser.post("/collect/scan", {"text": card}).text)
        browser.post("/collect", {**draft, "area": area, "barcode": barcode})
    scans(browser, OTHER, next(bench.labels))
    assert 'name="area" list="area-list" value="00166"' in browser.get("/collect").text


def test_a_household_shares_a_tube_and_the_next_tube_closes_it(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, tube, following = signed_in(Role.TECHNICIAN), next(bench.labels), next(bench.labels)
    page = scans(browser, tube, CARD, OTHER, path="/collect/field-pool")
    assert "✓ Lê Văn Ước" in page and "2 of 20, 18 places left" in page
    answer = browser.post("/collect/field-pool/scan", {**carried(page), "text": following})
    assert following in browser.get(answer.location).text.replace("-", "")
    held = bench.session.execute(
        text(
            "SELECT count(*) FROM tube_specimen ts JOIN tube t ON t.id = ts.tube_id"
            " WHERE t.barcode = :barcode AND t.kind = 'field_pool'"
        ),
        {"barcode": tube},
    ).scalar_one()
    assert held == 2


def test_a_label_that_a_tube_carries_is_refused_when_it_is_scanned(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, taken = signed_in(Role.TECHNICIAN), bench.swab(received=False).barcode
    bench.session.commit()
    for before in ((), (next(bench.labels),), (next(bench.labels), CARD)):
        page = scans(browser, *before, path="/collect/field-pool")
        answer = browser.post("/collect/field-pool/scan", {**carried(page), "text": taken})
        assert answer.status_code == 409 and "Barcode taken" in words(answer)
        kept, still = carried(page), carried(answer.text)
        assert still.get("barcode") == kept.get("barcode"), "the tube in the hand stays open"
        assert still.get("member") == kept.get("member")
    assert len(bench.session.scalars(select(Tube)).all()) == 1


def test_the_scan_that_closed_a_tube_answers_again_after_the_next_is_closed(
    signed_in: SignIn, bench: Bench
) -> None:
    browser, first, second = signed_in(Role.TECHNICIAN), next(bench.labels), next(bench.labels)
    closing = {**carried(scans(browser, first, CARD, path="/collect/field-pool")), "text": second}
    following = browser.get(browser.post("/collect/field-pool/scan", closing).location).text
    page = browser.post("/collect/field-pool/scan", {**carried(following), "text": OTHER}).text
    assert browser.post("/collect/field-pool", carried(page)).status_code == 303

    again = browser.post("/collect/field-pool/scan", closing)

    assert again.status_code == 303
    assert "barcode" not in carried(browser.get(again.location).text), "that one is closed too"
    assert len(bench.session.scalars(select(Tube)).all()) == 2


def test_nobody_typed_and_not_added_is_left_out_of_a_closed_tube_silently(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    page = scans(browser, next(bench.labels), CARD, path="/collect/field-pool")
    typed = {**carried(page), "name": "Lê Văn Ước", "birth": "31/02/1990"}
    added = browser.post("/collect/field-pool/add", typed)
    assert added.status_code == 422 and "Invalid body" in words(added)
    assert "the calendar has no such day" in words(added).casefold()
    closed = browser.post("/collect/field-pool", typed)
    assert closed.status_code == 422 and "not in the tube yet" in words(closed)
    assert bench.session.scalars(select(Tube)).all() == []
    assert 'value="Lê Văn Ước"' in closed.text


def test_a_tube_closed_twice_is_one_tube(signed_in: SignIn, bench: Bench) -> None:
    browser = signed_in(Role.TECHNICIAN)
    page = scans(browser, next(bench.labels), CARD, path="/collect/field-pool")
    answers = [browser.post("/collect/field-pool", carried(page)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(bench.session.scalars(select(Tube)).all()) == 1


def test_nobody_is_twice_in_a_tube_and_the_last_can_be_taken_out(
    signed_in: SignIn, bench: Bench
) -> None:
    browser = signed_in(Role.TECHNICIAN)
    page = scans(browser, next(bench.labels), CARD, OTHER, OTHER, path="/collect/field-pool")
    assert "Person twice in pool" in page
    assert "person is in this tube already; scan the next card" in page
    left = browser.post("/collect/field-pool/undo", carried(page))
    assert "✓ Phạm Thị Hồng Nhung" in left.text


def test_a_campaign_gives_the_tube_as_many_boxes_as_its_pools_have(
    signed_in: SignIn, bench: Bench
) -> None:
    campaign = bench.campaign(pool_size=5)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    page = browser.post("/collect/field-pool/scan", {"campaign": str(campaign), "text": CARD})
    assert "1 of 5, 4 places left" in words(page)
    assert bench.session.get_one(Campaign, campaign).pool_size == 5


def test_every_desk_reads_the_commune_of_a_card(signed_in: SignIn, bench: Bench) -> None:
    load_areas(bench.session)
    bench.session.commit()
    browser = signed_in(Role.TECHNICIAN)
    card = CARD.replace("Tổ 5, Dịch Vọng, Hà Nội", "Tổ 5, Phường Cầu Giấy, Thành phố Hà Nội")
    for scan_at in ("/collect/rapid/scan", "/collect/field-pool/scan"):
        page = browser.post(scan_at, {"text": card}).text
        assert "00167 · Phường Cầu Giấy, Hà Nội" in page, scan_at
