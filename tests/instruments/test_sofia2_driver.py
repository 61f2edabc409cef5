"""Every message of a Sofia gives exactly its measurements, or a quarantine that says why."""

import pytest

from instruments.drivers import DRIVERS, Unreadable
from instruments.measurement import Measurement, Role, TargetReading
from instruments.poct.message import poct_time, read
from instruments.trying import tried
from tests.instruments.poct1_messages import control, hello, message, observed, status


def measured(data: bytes) -> tuple[Measurement, ...]:
    found: tuple[Measurement, ...] = DRIVERS["sofia2"].measurements(read(data))
    return found


def refusal(data: bytes) -> str:
    with pytest.raises(Unreadable) as why:
        measured(data)
    return why.value.reason


def test_a_sars_antigen_is_its_call_with_the_lot_of_its_cassette() -> None:
    assert measured(observed(("SARS", "positive"))) == (
        Measurement(
            path="OBS1",
            specimen="TT7K40FQ9XB",
            role=Role.SPECIMEN,
            assay="Sofia SARS^SARS",
            call="positive",
            targets=(TargetReading("SARS", None, "positive"),),
            measured_at="2021-07-13T11:41:29",
            flags=("lot-140403", "expires-2025-04-03"),
        ),
    )


def test_a_combined_cassette_is_one_measurement_of_each_virus() -> None:
    combined = (("Flu A", "negative"), ("Flu B", "negative"), ("SARS", "positive"))
    found = measured(observed(*combined, test="Sofia 2 Flu + SARS"))
    assert [(one.path, one.assay, one.call) for one in found] == [
        ("OBS1", "Sofia 2 Flu + SARS^Flu A", "negative"),
        ("OBS2", "Sofia 2 Flu + SARS^Flu B", "negative"),
        ("OBS3", "Sofia 2 Flu + SARS^SARS", "positive"),
    ]


def test_every_test_of_a_message_is_told_each_with_its_own_patient_and_lot() -> None:
    first, second = (
        observed(("SARS", "negative"), lot="L1"),
        observed(("SARS", "positive"), specimen="TT7K40FQ9YC", lot="L2"),
    )
    service = second[second.index(b"<SVC>") : second.index(b"</OBS.R01>")]
    found = measured(first.replace(b"</OBS.R01>", service + b"</OBS.R01>"))
    assert [(one.path, one.specimen, one.call, one.flags[0]) for one in found] == [
        ("OBS1", "TT7K40FQ9XB", "negative", "lot-L1"),
        ("SVC2OBS1", "TT7K40FQ9YC", "positive", "lot-L2"),
    ]


def test_an_invalid_one_is_an_error_with_its_note() -> None:
    noted = observed(("SARS", "invalid")).replace(
        b"</OBS>", b'<NTE><NTE.text V="procedural control"/></NTE></OBS>'
    )
    assert [one.error for one in measured(noted)] == ["invalid: procedural control"]


def test_an_id_is_opaque_and_the_order_stands_in_for_it() -> None:
    assert measured(observed(specimen="Y B1232"))[0].specimen == "Y B1232"
    ordered = observed(specimen="").replace(b'<ORD.order_id V=""', b'<ORD.order_id V="TT7K40FQ9XB"')
    assert measured(ordered)[0].specimen == "TT7K40FQ9XB"


def test_what_was_sent_before_says_so() -> None:
    assert "resent" in measured(observed(reason="RES"))[0].flags


@pytest.mark.parametrize(
    ("level", "role"),
    [
        ("Positive Control", Role.POSITIVE_CONTROL),
        ("Negative Control", Role.NEGATIVE_CONTROL),
    ],
)
def test_a_quality_control_has_its_role_and_is_nobodys(level: str, role: Role) -> None:
    (one,) = measured(control(level))
    assert (one.role, one.specimen, one.call) == (role, level, "passed")


def test_a_calibration_is_no_measurement() -> None:
    assert measured(control("", name="Calibration Result")) == ()


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (message("OBS.R01"), "message-type"),
        (message("NOVA.STATE.R01", "<SVC/>"), "message-type"),
        (observed(specimen=""), "no-specimen"),
        (observed().replace(b"<OBS>", b"<OBX>").replace(b"</OBS>", b"</OBX>"), "no-results"),
        (observed(("", "negative")), "no-results"),
        (observed(("SARS", "negative"), ("SARS", "positive")), "target-twice"),
        (observed().replace(b"</PT>", b'</PT><PT><PT.patient_id V="A"/></PT>'), "two-patients"),
        (control("Level 1"), "unknown-control"),
    ],
)
def test_what_cannot_be_trusted_is_refused_whole(bad: bytes, reason: str) -> None:
    assert refusal(bad) == reason


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2019-02-22T11:01:29-00:00", "2019-02-22T11:01:29"),
        ("2019-02-22T11:01:29+07:00", "2019-02-22T11:01:29+07:00"),
        ("2019-02-22", None),
        ("yesterday at noon", None),
        ("", None),
    ],
)
def test_a_time_of_an_unknown_zone_has_none(text: str, time: str | None) -> None:
    assert poct_time(text) == time


def test_try_shows_what_a_session_would_yield() -> None:
    session = hello() + status(1) + observed(("SARS", "positive")) + b"<OBS.R01>&no;</OBS.R01>"
    good, bad = tried(DRIVERS["sofia2"], session, "sofia.xml")
    assert [one.call for one in good.measurements] == ["positive"]
    assert bad.quarantine is not None
    assert bad.quarantine.reason == "not-xml"
