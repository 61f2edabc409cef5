import json

import pytest

from instruments.measurement import (
    Capture,
    MalformedCapture,
    Measurement,
    Quarantine,
    Role,
    TargetReading,
    digest_of,
)


def a_capture(**changes: object) -> Capture:
    raw = b"H|\\^&\rL|1|N\r"
    well = Measurement(
        path="O3",
        specimen="TT7K40FQ9XB",
        role=Role.SPECIMEN,
        assay="sars-cov-2",
        run="PLATE1",
        well="A03",
        call=None,
        targets=(TargetReading("ORF1ab", 23.71), TargetReading("N", None), TargetReading("IC", 27)),
        measured_at="2021-07-13T16:42:24",
    )
    parts: dict[str, object] = {
        "digest": digest_of(raw),
        "instrument": "cycler-1",
        "driver": "plate96",
        "driver_version": "1",
        "captured_at": "2021-07-13T09:42:25.000000+00:00",
        "complete": True,
        "raw": raw,
        "measurements": (well,),
    }
    return Capture(**(parts | changes))  # type: ignore[arg-type]  # keywords chosen by the test


def test_a_capture_comes_back_from_json_as_it_went() -> None:
    capture = a_capture()
    assert Capture.from_json(json.loads(json.dumps(capture.to_json()))) == capture


def test_a_quarantined_capture_keeps_its_reason_and_its_bytes() -> None:
    capture = a_capture(measurements=(), quarantine=Quarantine("sequence-gap", "after O3 came O5"))
    assert Capture.from_json(capture.to_json()) == capture


def test_a_lone_specimen_is_also_the_list_of_specimens() -> None:
    assert a_capture().measurements[0].specimens == ("TT7K40FQ9XB",)


@pytest.mark.parametrize("ct", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_cycle_number_that_cannot_be_one_is_refused(ct: float) -> None:
    with pytest.raises(MalformedCapture, match="above zero"):
        TargetReading("N", ct)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"digest": "00"}, "digest"),
        ({"raw": "not base64!"}, "raw"),
        ({"complete": "yes"}, "complete"),
        ({"measurements": None}, "measurements"),
        ({"quarantine": {"reason": 1, "detail": ""}}, "quarantine.reason"),
    ],
)
def test_a_body_that_is_no_capture_is_refused_with_the_place(
    change: dict[str, object], says: str
) -> None:
    with pytest.raises(MalformedCapture, match=says):
        Capture.from_json(a_capture().to_json() | change)


def test_an_unknown_role_is_refused_with_the_known_ones() -> None:
    body = a_capture().to_json()
    body["measurements"][0]["role"] = "blank"
    with pytest.raises(MalformedCapture, match="extraction_control"):
        Capture.from_json(body)


def test_a_field_of_a_newer_gateway_is_passed_over() -> None:
    capture = a_capture()
    assert Capture.from_json(capture.to_json() | {"humidity": 40}) == capture
