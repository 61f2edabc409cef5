"""A gateway's heartbeat: the latest word of each line, and nothing of those it no longer has."""

from __future__ import annotations

from sqlalchemy import text

from instruments.line_health import LineState as Said
from instruments.troubles import Trouble
from lims.db.laboratory import Laboratory
from lims.domain.gateways import LineState
from lims.web.line_words import TROUBLES
from tests.api import bodies
from tests.api.caller import Caller, Clock, refused


def kept(laboratory: Laboratory) -> list[tuple[str, str, str, int]]:
    with laboratory.sessions() as session:
        rows = session.execute(
            text("SELECT gateway, instrument, state, waiting FROM gateway_line ORDER BY 1, 2")
        )
        return [(row.gateway, row.instrument, row.state, row.waiting) for row in rows]


def test_the_latest_word_replaces_the_one_before(api: Caller, laboratory: Laboratory) -> None:
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-1", "QS5-1"), status=200)
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-2", gateway="lab-2"), status=200)
    later = bodies.heartbeat("QS5-1", state="queueing", waiting=3, trouble="lims-away")
    assert api.done("/gateways/heartbeat", later, status=200) == {"lines": 1}
    assert kept(laboratory) == [("lab-1", "QS5-1", "queueing", 3), ("lab-2", "GX-2", "up", 0)]


def test_a_gateway_that_has_no_line_any_more_is_forgotten(
    api: Caller, laboratory: Laboratory
) -> None:
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-1"), status=200)
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-1") | {"lines": []}, status=200)
    assert kept(laboratory) == []


def test_one_instrument_twice_or_a_state_that_is_none_is_refused(
    api: Caller, laboratory: Laboratory
) -> None:
    for wrong in (
        bodies.heartbeat("GX-1", "GX-1"),
        bodies.heartbeat("GX-1", state="asleep"),
        bodies.heartbeat("GX-1", waiting=-1),
        bodies.heartbeat("GX-1", trouble="No slug!"),
    ):
        refused(api.post("/gateways/heartbeat", wrong), 422, "invalid-body")
    assert kept(laboratory) == []


def test_a_long_path_of_a_folder_is_taken(api: Caller, laboratory: Laboratory) -> None:
    api.done("/gateways/heartbeat", bodies.heartbeat("QS-1", link="/srv/" + "x" * 900), status=200)
    assert len(kept(laboratory)) == 1


def test_a_trouble_that_only_a_newer_gateway_knows_is_taken(
    api: Caller, laboratory: Laboratory
) -> None:
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-1", trouble="eaten-by-mice"), status=200)
    assert len(kept(laboratory)) == 1


def test_both_ends_mean_the_same_states_and_the_page_knows_every_trouble_of_a_line() -> None:
    assert [*map(str, LineState)] == [*map(str, Said)]
    of_letters = {
        Trouble.TUBE_UNKNOWN,
        Trouble.TOO_LARGE,
        Trouble.CONTENT_CONFLICT,
        Trouble.MALFORMED,
        Trouble.DAMAGED_FILE,
        Trouble.REFUSED,
    }
    assert set(TROUBLES) == {str(trouble) for trouble in set(Trouble) - of_letters}


def test_a_gateway_that_was_taken_away_is_forgotten_in_the_end(
    api: Caller, laboratory: Laboratory, clock: Clock
) -> None:
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-1", gateway="old"), status=200)
    clock.later(29 * 24 * 60)
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-2"), status=200)
    assert [gateway for gateway, *_line in kept(laboratory)] == ["lab-1", "old"]
    clock.later(2 * 24 * 60)
    api.done("/gateways/heartbeat", bodies.heartbeat("GX-2"), status=200)
    assert [gateway for gateway, *_line in kept(laboratory)] == ["lab-1"]
