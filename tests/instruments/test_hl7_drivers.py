"""Every real message gives exactly its measurements, or a quarantine that says why."""

import pytest

from instruments.drivers import DRIVERS, Unreadable
from instruments.hl7.message import read
from instruments.hl7.results import hl7_time
from instruments.measurement import Measurement, Role, TargetReading
from tests.instruments.hl7_messages import (
    WIRE,
    alinity,
    captured,
    cobas5800,
    cobas6800,
    fline,
    queried,
)


def measured(driver: str, message: bytes) -> tuple[Measurement, ...]:
    found: tuple[Measurement, ...] = DRIVERS[driver].measurements(read(message))
    return found


def refusal(driver: str, message: bytes) -> str:
    with pytest.raises(Unreadable) as why:
        measured(driver, message)
    return why.value.reason


def test_cobas_6800_sars_cov_2_out_of_a_log() -> None:
    """Neither a Ct nor a word for the whole test was sent: two calls are all there is."""
    assert measured("cobas", (WIRE / "udsm_cobas6800_sarscov2_escaped.txt").read_bytes()) == (
        Measurement(
            path="SPM1OBR1",
            specimen="TBY 7363",
            role=Role.SPECIMEN,
            assay="SARS-COV-2",
            targets=(TargetReading("ORF1ab", None, "NEG"), TargetReading("E", None, "NEG")),
            measured_at="2023-05-16T17:14:42",
        ),
    )


def test_cobas_6800_target_not_detected() -> None:
    assert measured("cobas", captured("cobas6800_target_not_detected.hl7")) == (
        Measurement(
            path="SPM1OBR1",
            specimen="WB26-02135",
            role=Role.SPECIMEN,
            assay="70241-5",
            targets=(TargetReading("HIV", None, "ND"), TargetReading("IC", 37.68)),
            call="Target Not Detected",
            measured_at="2026-03-08T12:14:33",
        ),
    )


def test_cobas_6800_invalid_is_an_error_with_its_flags() -> None:
    (invalid,) = measured("cobas", captured("cobas6800_invalid.hl7"))
    assert invalid.specimen == "BP26-16850"
    assert (invalid.call, invalid.error) == ("Invalid", "P02T; P01T; C02H1")
    assert invalid.targets == (TargetReading("HIV"),)


def test_cobas_6800_two_targets_with_their_cts() -> None:
    message = cobas6800(("TGT1", "POS", "36.51^^37.15"), ("TGT2", "POS", "35.02^^36.90"))
    (both,) = measured("cobas", message)
    assert both.targets == (
        TargetReading("ORF1ab", 36.51, "POS"),
        TargetReading("E", 35.02, "POS"),
        TargetReading("IC", 36.9),
    )


@pytest.mark.parametrize("call", ["NEG", "POS", "NR", "RR", "BT", "ND"])
def test_cobas_calls_pass_as_sent(call: str) -> None:
    (one,) = measured("cobas", cobas6800(("TGT1", call, "")))
    assert one.targets == (TargetReading("ORF1ab", None, call),)


def test_a_number_of_which_nothing_is_known_is_no_ct() -> None:
    (one,) = measured("cobas", cobas6800(("TGT1", "NEG", "^33.3^37.15")))
    assert [target.ct_cycles for target in one.targets] == [None, 37.15]
    assert one.flags == ("ct-33.3-of-unknown",)


@pytest.mark.parametrize(
    ("status", "flags"), [("P", ("status-P",)), ("C", ("corrected",)), ("F", ())]
)
def test_statuses_that_are_not_final_are_flags(status: str, flags: tuple[str, ...]) -> None:
    (one,) = measured("cobas", cobas6800(("TGT1", "NEG", ""), status=status))
    assert (one.flags, one.error) == (flags, None)


def test_cobas_5800_quantified_not_detected_and_failed() -> None:
    tail = "||F|||||labuser1||c5800^Roche~c5800.2709^Roche|20260404180624||5-2709-20260404-1526"
    quantified = f"OBX|1|NM|HIV^HIV^99ROC|1|367|10*-1.{{copies}}/mL^^UCUM||VAL^^99ROC|{tail}"
    (one,) = measured("cobas", cobas5800(quantified))
    assert one.specimen == "TT7K40FQ9XB"
    assert one.targets == (TargetReading("HIV", None, "367 10*-1.{copies}/mL"),)
    absent = f"OBX|1|ST|HIV^HIV^99ROC|1|Target Not Detected|^^UCUM||ND^^99ROC|{tail}"
    (one,) = measured("cobas", cobas5800(absent))
    assert one.targets == (TargetReading("HIV", None, "ND"),)
    assert one.measured_at == "2026-04-04T18:06:24"
    flag = "P02T^Clot has been detected while aspirating.^99ROC"
    failed = f"OBX|1||HIV^HIV^99ROC|1||||{flag}~{flag}{tail.replace('F', 'X', 1)}"
    failed = failed.replace("||X|", "|||X|", 1)
    (one,) = measured("cobas", cobas5800(failed))
    assert one.error == "P02T Clot has been detected while aspirating."
    assert one.targets == (TargetReading("HIV"),)


def test_a_specimen_named_only_by_its_container() -> None:
    obx = "OBX|1|ST|TGT1^TGT1^99ROC|1|x|||NEG|||F"
    (one,) = measured("cobas", cobas5800(obx, specimen=""))
    assert one.specimen == "TT7K40FQ9XB"


def test_two_names_for_one_tube_are_quarantined() -> None:
    obx = "OBX|1|ST|TGT1^TGT1^99ROC|1|x|||NEG|||F"
    assert refusal("cobas", cobas5800(obx, container="OTHER")) == "specimen-mismatch"


@pytest.mark.parametrize(
    ("driver", "message", "reason"),
    [
        ("cobas", cobas6800(("TGT1", "NEG", ""), specimen=""), "no-specimen"),
        ("cobas", cobas6800(("TGT1", "NEG", ""), ("TGT1", "POS", "")), "target-twice"),
        ("cobas", cobas6800(("TGT1", "NEG", "99.9")), "cycle-number"),
        ("cobas", cobas6800(("TGT1", "NEG", "abc")), "cycle-number"),
        ("cobas", cobas6800(("TGT1", "NEG", ""), role="Q"), "unknown-control"),
        ("cobas", cobas6800(("TGT1", "NEG", "")).replace(b"OBX|2|", b"OBX|3|"), "sequence-gap"),
        ("cobas", cobas6800(("TGT1", "NEG", "")).replace(b"OBX|", b"ZBX|"), "no-results"),
        ("cobas", cobas6800(("TGT1", "NEG", "")).replace(b"OUL^R22", b"ORU^R01"), "message-type"),
        ("cobas", queried("TT7K40FQ9XB"), "host-query"),
        ("cobas", alinity("Not Detected", "x", "-1.00"), "another-instrument"),
        ("cobas4800", cobas6800(("TGT1", "NEG", "")), "another-instrument"),
        ("alinity-m", cobas6800(("TGT1", "NEG", "")), "another-instrument"),
        ("alinity-m", alinity("x", "x", "20", specimen=""), "no-specimen"),
        ("fline", fline("CWE|1^a^LN|1|x^Negative^y||||||F", specimen=""), "no-specimen"),
        ("fline", alinity("x", "x", "20"), "message-type"),
        ("fline", fline(), "no-results"),
    ],
)
def test_quarantined_with_a_true_reason(driver: str, message: bytes, reason: str) -> None:
    assert refusal(driver, message) == reason


def test_a_control_is_known_by_its_name() -> None:
    (one,) = measured("cobas", cobas6800(("TGT1", "NEG", ""), specimen="592_neg", role="Q"))
    assert one.role is Role.NEGATIVE_CONTROL


def test_cobas_4800_a_run_of_six() -> None:
    found = measured("cobas4800", captured("cobas4800_run_multi_SPM.hl7"))
    assert [m.path for m in found] == [f"SPM{n}OBR1" for n in range(1, 7)]
    assert [(m.specimen, m.role, m.call, m.error) for m in found] == [
        ("0PHJ100001N0QVJ", Role.POSITIVE_CONTROL, "3.26E+05 cp/mL", None),
        ("VL260001", Role.SPECIMEN, "Target Not Detected", None),
        ("VL260002", Role.SPECIMEN, "< Titer min", None),
        ("VL260003", Role.SPECIMEN, "6.73E+01 cp/mL", None),
        ("VL260004", Role.SPECIMEN, "Invalid", "Invalid R3223 X2"),
        ("", Role.POSITIVE_CONTROL, "Failed", "Failed X1"),
    ]
    assert found[0].targets == (TargetReading("0BHIV1", 26.71, "3.26E+05 cp/mL"),)
    assert found[1].targets == (TargetReading("0BHIV1", None, "Target Not Detected"),)
    assert found[1].flags == ("ct-0-MMx 1-26.71",)
    assert found[3].flags == ("status-P", "X1")
    assert found[4].targets == ()
    assert found[0].measured_at == "2026-06-12T19:43:24"


def test_cobas_4800_an_empty_id_of_a_specimen_stays_empty() -> None:
    nameless = captured("cobas4800_run_multi_SPM.hl7").replace(b"VL260001", b"")
    assert measured("cobas4800", nameless)[1].specimen == ""


def test_cobas_4800_a_specimen_less_is_seen() -> None:
    segments = captured("cobas4800_run_multi_SPM.hl7").split(b"\r")
    start, stop = (
        next(i for i, s in enumerate(segments) if s[:6] == n) for n in (b"SPM|3|", b"SPM|4|")
    )
    assert refusal("cobas4800", b"\r".join(segments[:start] + segments[stop:])) == "sequence-gap"


def test_alinity_m_detected_and_not() -> None:
    (found,) = measured("alinity-m", alinity("161,152", "Detected", "18.62"))
    assert found == Measurement(
        path="SPM1OBR1",
        specimen="TT7K40FQ9XB",
        role=Role.SPECIMEN,
        assay="SARS-CoV-2",
        call="Detected",
        targets=(TargetReading("SARS-CoV-2", 18.62, "161152"), TargetReading("IC", 15.7)),
        measured_at="2026-01-12T14:29:06",
    )
    (absent,) = measured("alinity-m", alinity("Not Detected", "Target Not Detected", "-1.00"))
    assert absent.call == "Target Not Detected"
    assert absent.targets[0] == TargetReading("SARS-CoV-2", None, "Not Detected")


def test_alinity_m_that_failed_is_an_error() -> None:
    (failed,) = measured("alinity-m", alinity("", "", "", status="X", control=""))
    assert failed.error == "the test could not be done"
    without_cycle = alinity("Failed", "", "20").replace(b"1010.R", b"1010.Z")
    (failed,) = measured("alinity-m", without_cycle)
    assert failed.error == "Failed"


def test_f_line_a_coded_antigen() -> None:
    message = fline("CWE|94558-4^SARS-CoV-2 Ag^LN|1.0.0.7|260385009^Negative^SCT||||||F")
    assert measured("fline", message) == (
        Measurement(
            path="OBR1",
            specimen="TT7K40FQ9XB",
            role=Role.SPECIMEN,
            assay="SARS-CoV-2 Ag",
            call="Negative",
            targets=(TargetReading("SARS-CoV-2 Ag", None, "Negative"),),
            measured_at="2021-07-13T11:41:38+07:00",
            flags=("lot-014",),
        ),
    )


@pytest.mark.parametrize(
    ("value", "call"),
    [("10828004^^SCT", "Positive"), ("POS", "POS"), ("10828004^Dương tính^SCT", "Dương tính")],
)
def test_f_line_a_code_without_its_text(value: str, call: str) -> None:
    (one,) = measured("fline", fline(f"CWE|94558-4^Ag^LN|1|{value}||||||F"))
    assert one.call == call


def test_f_line_two_analytes_of_one_cassette_have_no_common_word() -> None:
    (both,) = measured(
        "fline", fline("ST|1^Flu A^L|1|Negative||||||F", "ST|2^Flu B^L|1|Positive||||||F")
    )
    assert both.call is None
    assert [(t.target, t.call) for t in both.targets] == [
        ("Flu A", "Negative"),
        ("Flu B", "Positive"),
    ]


def test_f_line_invalid_is_an_error() -> None:
    (one,) = measured("fline", fline("ST|1^Ag^L|1|Invalid||||||F"))
    assert one.error == "Invalid"


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        ("20210713114138+0700", "2021-07-13T11:41:38+07:00"),
        ("20210713114138.123-0530", "2021-07-13T11:41:38-05:30"),
        ("202107131141", "2021-07-13T11:41:00"),
        ("20210713", "2021-07-13T00:00:00"),
        ("2021", None),
        ("20211332", None),
        ("20210713114138+07", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times(sent: str, read_as: str | None) -> None:
    assert hl7_time(sent) == read_as
