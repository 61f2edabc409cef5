"""What closed systems call reaches a finding and a case, from the bytes of real messages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter
from sqlalchemy import Row, select, text

from instruments.drivers import DRIVERS
from instruments.hl7.message import read
from instruments.measurement import Capture, digest_of
from lims.db.laboratory import Laboratory
from lims.domain.called import CLOSED_SYSTEMS
from lims.domain.refusals import DriverDiffers
from lims.tables import Instrument
from lims.work.attach import attach
from lims.work.instruments import set_instrument_driver
from lims.work.run_layout import Layout
from tests.api import bodies
from tests.api.bodies import Json
from tests.api.caller import Caller, Clock
from tests.builders import set_up
from tests.captures import called_plate, cartridge_capture
from tests.instruments.hl7_messages import WIRE, alinity, captured, cobas5800

_LAYOUT = TypeAdapter(Layout)
ASSAY = (b"70241-5^HIV^LN", b"SARS-COV-2^SARS-COV-2^99ROC")
TARGET = (b"HIV^HIV^99ROC", b"TGT1^TGT1^99ROC")


@pytest.fixture(autouse=True)
def closed_systems(laboratory: Laboratory, api: Caller, clock: Clock) -> None:
    """Each set up as what it is."""
    with laboratory.sessions.begin() as session:
        for driver in CLOSED_SYSTEMS:
            set_up(session, laboratory.site_id, driver, now=clock.now)


def heard(driver: str, raw: bytes, instrument: str | None = None) -> Json:
    """As a gateway with this driver posts these bytes."""
    return Capture(
        digest=digest_of(raw),
        instrument=instrument or f"{driver}-1",
        driver=driver,
        driver_version="1",
        captured_at="2021-09-11T01:00:00Z",
        complete=True,
        raw=raw,
        measurements=DRIVERS[driver].measurements(read(raw)),
    ).to_json()


def cobas(barcode: str, call: str = "NEG") -> bytes:
    """The SARS-CoV-2 result of the 6800's log, of another tube, with another call."""
    raw = (WIRE / "udsm_cobas6800_sarscov2_escaped.txt").read_bytes()
    return raw.replace(b"TBY 7363", barcode.encode()).replace(b"|NEG|", f"|{call}|".encode())


def results(laboratory: Laboratory) -> dict[str, Row[Any]]:
    """By tube: what the result and the finding of it say."""
    with laboratory.sessions() as session:
        rows = session.execute(
            text(
                "SELECT t.barcode, r.outcome, r.ct_cycles, r.why, r.rule, f.outcome AS finding,"
                " f.status, m.targets, m.called, m.closed_system"
                " FROM result r JOIN tube t ON t.id = r.tube_id"
                " JOIN measurement m ON m.id = r.measurement_id"
                " JOIN tube_specimen ts ON ts.tube_id = t.id"
                " LEFT JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current"
                " WHERE r.current"
            )
        ).all()
    return {row.barcode: row for row in rows}


def cases(laboratory: Laboratory) -> int:
    with laboratory.sessions() as session:
        return int(session.execute(text("SELECT count(*) FROM f0_case")).scalar_one())


def test_a_cobas_6800_negative_without_any_ct_clears_its_person(
    api: Caller, laboratory: Laboratory
) -> None:
    (tube,) = api.received(1)
    receipt = api.done("/messages", heard("cobas", cobas(tube)))
    assert (receipt["matched"], receipt["state"]) == (1, "accepted")
    said = results(laboratory)[tube]
    assert (said.outcome, said.finding, said.status) == ("not_detected", "negative", "F")
    assert said.why == "the machine's own call: ORF1ab NEG, E NEG"
    assert [t["called"] for t in said.targets] == ["not_detected", "not_detected"]
    assert (said.called, said.closed_system, said.rule) == (None, True, "sars-cov-2/2")


def test_a_positive_by_call_opens_the_case_and_waits_for_its_final_word(
    api: Caller, laboratory: Laboratory
) -> None:
    (tube,) = api.received(1)
    api.done("/messages", heard("cobas", cobas(tube, "POS")))
    said = results(laboratory)[tube]
    assert (said.outcome, said.ct_cycles, said.finding, said.status) == (
        "detected",
        None,
        "positive",
        "P",
    )
    assert cases(laboratory) == 1
    story = api.get(f"/tubes/{tube}").json()
    assert (story["swabs"][0]["sign"], story["swabs"][0]["ct_cycles"]) == ("positive", None)
    measured = next(event for event in story["events"] if event["what"] == "result")
    assert measured["readings"] == [["ORF1ab", None, "POS"], ["E", None, "POS"]]


def test_an_unknown_word_is_no_word(api: Caller, laboratory: Laboratory) -> None:
    (tube,) = api.received(1)
    api.done("/messages", heard("cobas", cobas(tube, "QRX")))
    said = results(laboratory)[tube]
    assert said.outcome == "invalid"
    assert said.why == "the machine's own call is not known: ORF1ab QRX, E QRX"


def test_the_same_words_of_an_open_cycler_clear_nobody(api: Caller, laboratory: Laboratory) -> None:
    (tube,) = api.received(1)
    api.done("/messages", heard("cobas", cobas(tube)) | {"driver": "my-own-profile"})
    said = results(laboratory)[tube]
    assert (said.outcome, said.why) == ("invalid", "no target, internal control missing")
    assert said.closed_system is False


@pytest.mark.parametrize(
    ("name", "specimen", "said"),
    [
        (
            "cobas6800_target_not_detected.hl7",
            b"WB26-02135",
            ("not_detected", "the machine's own call: ORF1ab ND"),
        ),
        (
            "cobas6800_invalid.hl7",
            b"BP26-16850",
            ("invalid", "instrument error: P02T; P01T; C02H1"),
        ),
    ],
)
def test_a_captured_cobas_6800(
    api: Caller, laboratory: Laboratory, name: str, specimen: bytes, said: tuple[str, str]
) -> None:
    (tube,) = api.received(1)
    raw = captured(name).replace(specimen, tube.encode()).replace(*ASSAY).replace(*TARGET)
    api.done("/messages", heard("cobas", raw))
    found = results(laboratory)[tube]
    assert (found.outcome, found.why) == said


def test_a_cobas_5800_sends_neither_ct_nor_a_word_for_the_whole_test(
    api: Caller, laboratory: Laboratory
) -> None:
    (tube,) = api.received(1)
    raw = cobas5800(
        "OBX|1|ST|TGT1^TGT1^99ROC|1|Target Not Detected|^^UCUM||ND^^99ROC|||F",
        specimen=f"{tube}&ROCHE",
        container=tube,
    )
    api.done("/messages", heard("cobas", raw))
    assert results(laboratory)[tube].finding == "negative"


def test_a_captured_run_of_a_cobas_4800(api: Caller, laboratory: Laboratory) -> None:
    tubes = api.received(4)
    raw = captured("cobas4800_run_multi_SPM.hl7").replace(b"0BHIV1", b"SARS-COV-2")
    for number, tube in enumerate(tubes, start=1):
        raw = raw.replace(f"VL26000{number}".encode(), tube.encode())
    api.done("/messages", heard("cobas4800", raw))
    said = results(laboratory)
    assert [said[tube].outcome for tube in tubes] == [
        "not_detected",
        "detected",
        "detected",
        "invalid",
    ]
    assert said[tubes[0]].why == "the machine's own call: SARS-CoV-2 Target Not Detected"


def test_an_alinity_m_without_its_control_s_number(api: Caller, laboratory: Laboratory) -> None:
    negative, positive = api.received(2)
    for tube, words in (
        (negative, ("Not Detected", "Target Not Detected", "-1.00")),
        (positive, ("161,152", "Detected", "-1.00")),
    ):
        raw = alinity(*words, specimen=tube, control="-1.00", control_id=tube)
        api.done("/messages", heard("alinity-m", raw))
    said = results(laboratory)
    assert (said[negative].outcome, said[positive].outcome) == ("not_detected", "detected")
    assert said[positive].why == "the machine's own call: Detected"


def test_calls_that_disagree_wait_for_a_person(api: Caller, laboratory: Laboratory) -> None:
    (tube,) = api.received(1)
    body = heard("cobas", cobas(tube, "POS"))
    body["measurements"][0]["call"] = "NR"
    api.done("/messages", body)
    said = results(laboratory)[tube]
    assert (said.outcome, said.finding) == ("inconclusive", "inconclusive")
    assert said.why == ("the machine's own calls disagree: ORF1ab POS, E POS, whole test NR")
    assert cases(laboratory) == 0


def test_a_pool_called_positive_has_its_members_tested_at_once(
    api: Caller, laboratory: Laboratory, campaign: str
) -> None:
    members = api.received(3, campaign_id=campaign)
    pool = api.done("/pools", bodies.pool(members))["barcode"]
    api.done("/messages", heard("cobas", cobas(pool, "POS")))
    with laboratory.sessions() as session:
        queued = session.execute(
            text(
                "SELECT t.barcode, o.because FROM test_order o JOIN tube t ON t.id = o.tube_id"
                " WHERE o.state = 'queued'"
            )
        ).all()
    assert {row.barcode for row in queued} == set(members)
    assert {row.because for row in queued} == {"pool detected"}


@pytest.mark.parametrize(
    ("control", "state", "why"),
    [
        (None, "valid", "negative control clean, positive control on time"),
        (
            ("negative_control", "Detected"),
            "invalid",
            "negative control {}, the machine's own call: SARS-CoV-2 Detected",
        ),
        (
            ("positive_control", "Not Detected"),
            "held",
            "positive control {} did not amplify",
        ),
        (
            ("positive_control", "Invalid"),
            "held",
            "positive control {} failed: the machine's own call: Invalid",
        ),
    ],
)
def test_a_plate_of_a_closed_system_is_judged_by_the_calls_of_its_controls(
    api: Caller, laboratory: Laboratory, control: tuple[str, str] | None, state: str, why: str
) -> None:
    positive, _negative = api.received(2)
    layout = _LAYOUT.validate_python(api.planned())
    said = called_plate(layout, {positive}, controls=dict([control] if control else []))
    api.done("/messages", said.to_json())
    with laboratory.sessions() as session:
        run = session.execute(text("SELECT state, verdict_why FROM run")).one()
    assert run.state == state
    place = next((w.position for w in layout.wells if control and w.role == control[0]), "")
    assert run.verdict_why == why.format(place)
    assert cases(laboratory) == (1 if state == "valid" else 0)


def unmatched(laboratory: Laboratory) -> list[Row[Any]]:
    with laboratory.sessions() as session:
        rows = session.execute(
            text(
                "SELECT id, why, order_id FROM measurement WHERE standing = 'unmatched' ORDER BY id"
            )
        ).all()
    return list(rows)


def test_a_message_that_calls_itself_a_cobas_s_is_not_believed_of_an_open_cycler(
    api: Caller, laboratory: Laboratory
) -> None:
    (tube,) = api.received()
    receipt = api.done("/messages", heard("cobas", cobas(tube, "POS"), instrument="QS5-1"))
    assert (receipt["matched"], receipt["unmatched"]) == (0, 1)
    (kept,) = unmatched(laboratory)
    assert kept.why == "the gateway reads it as cobas, but it is set up here as plate-csv"
    assert (kept.order_id, results(laboratory), cases(laboratory)) == (None, {}, 0)


def test_another_closed_system_s_word_is_not_believed_either(
    api: Caller, laboratory: Laboratory
) -> None:
    (tube,) = api.received()
    api.done("/messages", heard("cobas", cobas(tube), instrument="m2000-1"))
    (kept,) = unmatched(laboratory)
    assert kept.why == "the gateway reads it as cobas, but it is set up here as m2000"


def test_numbers_count_whatever_driver_read_them(api: Caller, laboratory: Laboratory) -> None:
    (tube,) = api.received()
    at = datetime(2021, 9, 11, 1, tzinfo=UTC)
    said = cartridge_capture(tube, 24.0, at=at, instrument="QS5-1")
    api.done("/messages", said.to_json() | {"driver": "genexpert"})
    assert unmatched(laboratory) == []
    assert results(laboratory)[tube].outcome == "detected"
    assert results(laboratory)[tube].closed_system is False


def test_a_plate_of_words_under_a_wrong_set_up_waits_whole(
    api: Caller, laboratory: Laboratory
) -> None:
    api.received(2)
    layout = _LAYOUT.validate_python(api.planned())
    receipt = api.done("/messages", called_plate(layout, instrument="QS5-1").to_json())
    assert receipt["unmatched"] == len(layout.wells)
    assert (results(laboratory), cases(laboratory)) == ({}, 0)


def test_once_the_analyser_is_set_up_right_a_reviewer_s_word_lets_it_count(
    api: Caller, laboratory: Laboratory, clock: Clock
) -> None:
    (tube,) = api.received()
    api.done("/messages", heard("cobas", cobas(tube), instrument="QS5-1"))
    (kept,) = unmatched(laboratory)
    with laboratory.sessions.begin() as session, pytest.raises(DriverDiffers):
        attach(session, kept.id, tube, by="reviewer", now=clock.now)
    with laboratory.sessions.begin() as session:
        known = session.scalars(select(Instrument).where(Instrument.name == "QS5-1")).one()
        set_instrument_driver(session, known.id, "cobas", by="admin", now=clock.now)
    with laboratory.sessions.begin() as session:
        attach(session, kept.id, tube, by="reviewer", now=clock.now)
    assert results(laboratory)[tube].outcome == "not_detected"
