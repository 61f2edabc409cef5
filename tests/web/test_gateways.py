"""The gateways' page: who is well, who waits, who fell silent, and who may read a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from instruments.measurement import Capture, Quarantine, digest_of
from lims.domain.gateways import DOWN_AFTER, LineStanding, LineState
from lims.work.access import Role
from lims.work.gateways import hear
from tests.builders import Bench, add_instrument
from tests.captures import cartridge_capture
from tests.web.browsing import words
from tests.web.conftest import SignIn


def standing(bench: Bench, instrument: str, **changed: object) -> LineStanding:
    well = LineStanding(
        instrument=instrument,
        driver="plate96",
        link="/dev/serial/by-id/usb-FTDI",
        state=LineState.UP,
        since=bench.now,
        last_byte_at=bench.now,
        last_message_at=None,
        journal_bytes=1,
        waiting=0,
        dead=0,
        quarantined=0,
        trouble=None,
        detail="",
    )
    return replace(well, **changed)  # type: ignore[arg-type]  # fields of LineStanding


def heard(bench: Bench, *lines: LineStanding, gateway: str = "lab-1", before: timedelta) -> None:
    at = bench.now - before
    hear(bench.session, gateway, "0.1.0", lines, site_id=bench.site_id, now=at)
    bench.session.commit()


def test_an_empty_page_says_how_to_connect_one(signed_in: SignIn, bench: Bench) -> None:
    page = words(signed_in(Role.ADMIN).get("/gateways"))
    assert "No gateway has spoken yet." in page
    assert "lims-gateway run gateway.toml" in page
    assert "Add the analyser by name" in page
    assert "Ask an administrator" in words(signed_in(Role.TECHNICIAN).get("/gateways"))


@pytest.mark.parametrize(
    ("state", "trouble", "said"),
    [
        (LineState.UP, None, "Working"),
        (LineState.QUEUEING, "lims-away", "did not reach us"),
        (LineState.UNPLUGGED, "no-permission", "add its account to the group dialout"),
        (LineState.UNREADABLE, "disk-full", "disk is full"),
        (LineState.SILENT, None, "Silent"),
        (LineState.UNPLUGGED, "eaten-by-mice", "eaten-by-mice"),
    ],
)
def test_a_line_shows_its_state_and_what_to_do(
    signed_in: SignIn, bench: Bench, state: LineState, trouble: str | None, said: str
) -> None:
    line = standing(bench, bench.instrument, state=state, trouble=trouble, waiting=3)
    heard(bench, line, before=timedelta(seconds=44))
    page = words(signed_in(Role.TECHNICIAN).get("/gateways"))
    assert said in page
    assert "Gateway not answering" not in page
    assert "Not set up here" not in page


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"state": LineState.UNPLUGGED, "trouble": "no-device"}, "At the analyser"),
        ({"state": LineState.UNREADABLE, "trouble": "disk-full"}, "At the gateway's box"),
        ({"state": LineState.QUEUEING, "trouble": "scope-missing"}, "In this system"),
        ({"dead": 2}, "At the gateway's box"),
    ],
)
def test_what_needs_somebody_says_where_to_go(
    signed_in: SignIn, bench: Bench, changed: dict[str, object], place: str
) -> None:
    heard(bench, standing(bench, bench.instrument, **changed), before=timedelta(seconds=5))
    page = words(signed_in(Role.TECHNICIAN).get("/gateways"))
    assert "Somebody is needed 1 place" in page
    assert place in page


@pytest.mark.parametrize(
    ("state", "trouble"),
    [(LineState.UP, None), (LineState.SILENT, None), (LineState.QUEUEING, "lims-busy")],
)
def test_what_passes_by_itself_calls_nobody(
    signed_in: SignIn, bench: Bench, state: LineState, trouble: str | None
) -> None:
    line = standing(bench, bench.instrument, state=state, trouble=trouble)
    heard(bench, line, before=timedelta(seconds=5))
    page = words(signed_in(Role.TECHNICIAN).get("/gateways"))
    assert "Nobody is needed" in page
    assert "Somebody is needed" not in page


def test_the_worst_line_stands_first_and_only_an_administrator_is_led_to_the_tokens(
    signed_in: SignIn, bench: Bench
) -> None:
    lines = [
        standing(bench, "A-1"),
        standing(bench, "B-1", state=LineState.QUEUEING, trouble="scope-missing"),
        standing(bench, "C-1", state=LineState.UNREADABLE, trouble="spool-in-use"),
    ]
    heard(bench, *lines, before=timedelta(seconds=5))
    technician = signed_in(Role.TECHNICIAN).get("/gateways")
    table = technician.text[technician.text.index("<tbody>") :]
    assert table.index("C-1") < table.index("B-1") < table.index("A-1")
    assert "/admin/tokens" not in technician.text
    assert 'href="/admin/tokens"' in signed_in(Role.ADMIN).get("/gateways").text


def test_what_works_is_folded_away_where_it_is_much_and_what_is_odd_stays_in_sight(
    signed_in: SignIn, bench: Bench
) -> None:
    names = [f"GX-{n:02d}" for n in range(12)]
    for name in names:
        add_instrument(bench.session, bench.site_id, now=bench.now, name=name)
    lines = [standing(bench, name, last_message_at=bench.now) for name in names]
    lines[3] = replace(lines[3], waiting=2)
    heard(bench, *lines, before=timedelta(seconds=5))
    shown, _, folded = (
        signed_in(Role.TECHNICIAN).get("/gateways").text.partition('<details class="more"')
    )
    assert "11 lines work" in folded
    assert "GX-03" in shown and "GX-03" not in folded
    assert "GX-04" in folded and "GX-04" not in shown


def test_a_gateway_without_a_heartbeat_is_down_whatever_it_said_last(
    signed_in: SignIn, bench: Bench
) -> None:
    lines = [standing(bench, f"GX-{n}") for n in range(1, 6)]
    heard(bench, *lines, before=DOWN_AFTER)
    page = words(signed_in(Role.REVIEWER).get("/gateways"))
    assert "Gateway not answering" in page
    assert "GX-1, GX-2, GX-3 and 2 more" in page
    assert "Somebody is needed 1 place" in page
    assert "Working" not in page


def test_an_analyser_not_set_up_and_one_of_two_gateways_are_named(
    signed_in: SignIn, bench: Bench
) -> None:
    before = timedelta(seconds=1)
    heard(bench, standing(bench, "XX-9"), before=before)
    heard(bench, standing(bench, "XX-9"), gateway="lab-2", before=before)
    page = words(signed_in(Role.OPERATOR).get("/gateways"))
    assert "Not set up here" in page
    assert "Two gateways speak for an analyser of this name: rename one. lab-1, lab-2" in page


def test_a_gateway_whose_clock_is_ahead_is_told_to_set_it(signed_in: SignIn, bench: Bench) -> None:
    hours_off = standing(bench, bench.instrument, last_byte_at=bench.now + timedelta(hours=7))
    heard(bench, hours_off, before=timedelta(seconds=5))
    page = words(signed_in(Role.TECHNICIAN).get("/gateways"))
    assert "lab-1 At the gateway's box ! Its clock is ahead" in page

    heard(bench, standing(bench, bench.instrument), before=timedelta(seconds=5))
    assert "clock" not in words(signed_in(Role.REVIEWER).get("/gateways"))


def noise(bench: Bench) -> Capture:
    """A message that no driver could read."""
    raw, at = b"noise", bench.now.isoformat()
    why = Quarantine("not-a-plate", "no header")
    return Capture(digest_of(raw), bench.instrument, "plate96", "1", at, True, raw, (), why)


def test_an_unread_message_is_nobody_needed_no_longer(signed_in: SignIn, bench: Bench) -> None:
    bench.take(noise(bench))
    heard(bench, standing(bench, bench.instrument), before=timedelta(seconds=5))
    page = words(signed_in(Role.TECHNICIAN).get("/gateways"))
    assert "not every message could be read: see below what to do" in page
    assert "Nobody is needed" not in page


def test_only_a_reader_of_messages_is_led_to_the_bytes(signed_in: SignIn, bench: Bench) -> None:
    message_id = bench.take(noise(bench)).message_id
    bench.session.commit()
    link = f"/review/messages/{message_id}"
    reviewer = signed_in(Role.REVIEWER)
    page = reviewer.get("/gateways")
    assert link in page.text
    assert "nobody" in words(page)
    assert reviewer.get(link).data == b"noise"
    page = reviewer.get("/gateways")
    assert "nobody" not in words(page), "who opened the bytes is told from then on"
    assert "Reviewer" in words(page)
    for role in (Role.TECHNICIAN, Role.ADMIN):
        page = signed_in(role).get("/gateways")
        assert "not-a-plate" in words(page)
        assert link not in page.text


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (timedelta(days=-1096), "its clock is 3 years behind"),
        (timedelta(minutes=12), "its clock is 12 min ahead"),
        (timedelta(minutes=-9), None),
    ],
)
def test_an_analyser_whose_clock_is_wrong_is_to_be_set(
    signed_in: SignIn, bench: Bench, off: timedelta, said: str | None
) -> None:
    for gateway in ("lab-1", "lab-2"):
        line = standing(bench, bench.instrument)
        heard(bench, line, gateway=gateway, before=timedelta(seconds=5))
    capture = cartridge_capture(
        bench.swab().barcode, None, at=bench.now, instrument=bench.instrument
    )
    bench.take(replace(capture, sent_at=(bench.now + off).isoformat()))
    bench.session.commit()
    page = words(signed_in(Role.TECHNICIAN).get("/gateways"))
    if said is None:
        assert "clock" not in page
    else:
        assert f"{bench.instrument} At the analyser ! Its clock is wrong" in page
        assert page.count(said) == 3, "once where somebody is needed, and beside both lines"
