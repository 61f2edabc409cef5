"""Every real session gives exactly its measurements, or a quarantine that says why."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from instruments.analyser_messages import (
    encoded,
    genexpert_message,
    m2000_message,
)
from instruments.astm.frames import Keep, Kind, Receiver
from instruments.astm.records import Message, read
from instruments.astm.session import Assembly, Received
from instruments.drivers import DRIVERS, Unreadable
from instruments.measurement import Measurement, Role, TargetReading

WIRE = Path(__file__).parent.parent / "data" / "astm_wire"
PLATE, XPERT = DRIVERS["plate"], DRIVERS["genexpert"]
M2000 = DRIVERS["m2000"].measurements
ENDED = datetime(2021, 7, 13, 16, 42, 24, tzinfo=UTC)


def messages_of(path: Path) -> list[Message]:
    receiver, assembly = Receiver(), Assembly()
    received: list[Received] = []
    for action in receiver.feed(path.read_bytes(), 0.0):
        if isinstance(action, Keep):
            receiver.kept(True)
            if action.kind is Kind.FRAME:
                received += assembly.frame(action.data)
            elif action.kind is Kind.END:
                received += assembly.end()
    return [read(each.text) for each in received]


def cartridge(number: int, code: str, call: str, *targets: TargetReading) -> Measurement:
    return Measurement(
        path=f"O1R{number}",
        specimen="99999",
        role=Role.SPECIMEN,
        assay=f"COVFLURSVPLUS^{code}",
        call=call,
        targets=targets,
        measured_at="2021-07-13T16:42:24",
    )


def neg(name: str) -> TargetReading:
    return TargetReading(name, None, "NEG")


def test_genexpert_all_negative() -> None:
    (message,) = messages_of(WIRE / "genexpert_302-7279-6.1.1.1_all_negative.bin")
    spc = TargetReading("SPC", 29.3, "PASS")
    assert XPERT.measurements(message) == (
        cartridge(1, "SARSCOV2", "NEGATIVE", neg("SARS-CoV-2"), spc),
        cartridge(8, "FLUA", "NEGATIVE", neg("Flu A 1"), neg("Flu A 2"), spc),
        cartridge(18, "FLUB", "NEGATIVE", neg("Flu B"), spc),
        cartridge(25, "RSV", "NEGATIVE", neg("RSV"), spc),
    )


def test_genexpert_sars_cov_2_positive() -> None:
    (message,) = messages_of(WIRE / "genexpert_302-7279-6.1.1.2_sarscov2_positive.bin")
    spc = TargetReading("SPC", 29.4, "NA")
    covid, *others = XPERT.measurements(message)
    assert covid == Measurement(
        path="O1R1",
        specimen="1_CoV2_c",
        role=Role.SPECIMEN,
        assay="COVFLURSVPLUS^SARSCOV2",
        call="POSITIVE",
        targets=(TargetReading("SARS-CoV-2", 31.2, "POS"), spc),
        measured_at="2021-07-13T13:00:50",
    )
    assert [(m.path, m.assay, m.call, m.targets) for m in others] == [
        ("O1R8", "COVFLURSVPLUS^FLUA", "NEGATIVE", (neg("Flu A 1"), neg("Flu A 2"), spc)),
        ("O1R18", "COVFLURSVPLUS^FLUB", "NEGATIVE", (neg("Flu B"), spc)),
        ("O1R25", "COVFLURSVPLUS^RSV", "NEGATIVE", (neg("RSV"), spc)),
    ]


def test_genexpert_pool_of_four_is_one_measurement_of_four_specimens() -> None:
    (message,) = messages_of(WIRE / "genexpert65_POOL_4_samples.bin")
    assert XPERT.measurements(message) == (
        Measurement(
            path="O1R1",
            specimen="0734",
            specimens=("0734", "0735", "0736", "0737"),
            role=Role.SPECIMEN,
            assay="UV2^TBPos",
            call="NOT DETECTED",
            targets=(TargetReading("SPC", 27.1, "PASS"),),
            measured_at="2026-09-18T19:34:31",
        ),
    )


def test_genexpert_with_a_truncated_main_result_is_quarantined() -> None:
    (message,) = messages_of(WIRE / "genexpert_302-7279-6.1.1.9_no_result_TRUNCATED_R1.bin")
    with pytest.raises(Unreadable, match=r"truncated-record: R\|1: R.14"):
        XPERT.measurements(message)


def test_an_m2000_session_is_five_messages_and_none_is_a_genexpert_s() -> None:
    messages = messages_of(WIRE / "m2000_run_one_session.bin")
    assert [order.record.text(26) for m in messages for _, order in m.orders()] == [*"FFFFX"]
    assert all(message.terminated and not message.faults for message in messages)
    for driver in (XPERT, PLATE):
        with pytest.raises(Unreadable, match="another-instrument"):
            driver.measurements(messages[0])


def test_an_m2000_session_is_two_controls_two_tubes_and_an_order_that_failed() -> None:
    told = [m for each in messages_of(WIRE / "m2000_run_one_session.bin") for m in M2000(each)]
    assert [(m.specimen, m.role, m.run, m.well, m.call, m.error) for m in told] == [
        (
            "HIV_NEG",
            Role.NEGATIVE_CONTROL,
            "HIV120126A",
            "A01",
            "Target not detected",
            None,
        ),
        ("HIV_LOPOS", Role.POSITIVE_CONTROL, "HIV120126A", "A02", "Detected", None),
        ("VL00000002", Role.SPECIMEN, "HIV120126A", "A05", "Detected", None),
        ("VL00000003", Role.SPECIMEN, "HIV120126A", "A06", "Detected", None),
        (
            "VL00000004",
            Role.SPECIMEN,
            "HIV120126A",
            "A07",
            None,
            "4442 : Internal control cycle number is too high. Valid range is [19.19, 23.19].",
        ),
    ]
    assert [m.targets for m in told] == [
        (TargetReading("HIV0.6ml", None, "Target not detected"),),
        (TargetReading("HIV0.6ml", 27.1, "Detected"),),
        (TargetReading("HIV0.6ml", 28.93, "Detected"),),
        (TargetReading("HIV0.6ml", 21.77, "Detected"),),
        (),
    ]
    assert [m.flags for m in told] == [
        (),
        ("result 1523 Copies / mL",),
        ("result < 40 Copies / mL",),
        ("result 86321 Copies / mL",),
        (),
    ]
    assert {m.measured_at for m in told} == {"2026-01-12T12:21:50", None}


def m2000(**changes: object) -> list[str]:
    asked: dict[str, object] = {
        "specimen": "TT7K40FQ9XB",
        "plate": "R7",
        "well": "B07",
        "ct_cycles": 21.5,
        "serial": "275",
        "ended_at": ENDED,
    }
    return m2000_message(**(asked | changes))  # type: ignore[arg-type]  # chosen by tests


def test_a_simulated_m2000_order_is_read_as_it_was_meant() -> None:
    (found,) = M2000(read(b"".join(encoded(m2000()))))
    assert (found.specimen, found.run, found.well, found.assay) == (
        "TT7K40FQ9XB",
        "R7",
        "B07",
        "SARS2",
    )
    assert found.targets == (TargetReading("SARS2", 21.5, "Detected"),)
    (none,) = M2000(read(b"".join(encoded(m2000(ct_cycles=None)))))
    assert none.targets == (TargetReading("SARS2", None, "Target not detected"),)
    (failed,) = M2000(read(b"".join(encoded(m2000(error="4442 no control")))))
    assert (failed.error, failed.targets) == ("4442 : no control", ())


@pytest.mark.parametrize(
    ("find", "put", "reason"),
    [
        ("m2000^", "m3000^", "another-instrument"),
        ("L|1", "C|1", "no-terminator"),
        ("R|3|", "R|4|", "sequence-gap"),
        ("|TT7K40FQ9XB^", "|TT7K40FQ9BX^", "specimen-mismatch"),
        ("O|1|TT7K40FQ9XB|", "O|1||", "no-specimen"),
        ("^R7^B7", "^R7^J7", "well-name"),
        ("^R7^B7", "^R7^B13", "well-name"),
        ("^^P|", "^^Q|", "result-suffix"),
        ("^^P|", "^^F|", "target-twice"),
        ("R|2|^^^SARS2", "R|2|^^^SARS3", "assay-mismatch"),
        ("|21.50|", "|21.5O|", "cycle-number"),
    ],
)
def test_an_m2000_order_that_cannot_be_trusted_says_why(find: str, put: str, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        M2000(read(b"".join(encoded([line.replace(find, put) for line in m2000()]))))
    assert refused.value.reason == reason


def test_an_m2000_order_without_result_or_failure_is_quarantined() -> None:
    bare = [line for line in m2000() if line[0] != "R"]
    with pytest.raises(Unreadable, match="no-results"):
        M2000(read(b"".join(encoded(bare))))


@pytest.mark.parametrize(
    "call", ["INVALID", "NO RESULT - REPEAT TEST", "ERREUR", "NON VALIDE", "UNGÜLTIG", "Lỗi"]
)
def test_a_cartridge_without_a_result_is_an_error_in_any_language(call: str) -> None:
    for encoding in ("utf-8", "latin-1"):
        try:
            word = MAIN.format(call=f"{call}^").encode(encoding)
        except UnicodeEncodeError:
            continue
        head = rb"H|@^\|GXM-1||PC^GeneXpert^6.3|||||LIS||P|1394-97|20210809121210"
        lines = [head, b"P|1", b"O|1|A1||^^^GBS", word, b"L|1|N"]
        (measured,) = XPERT.measurements(read(b"\r".join(lines)))
        assert (measured.call, measured.error) == (call, call)


def xpert(*records: str) -> Message:
    head = r"H|@^\|GXM-1||PC^GeneXpert^6.3|||||LIS||P|1394-97|20210809121210"
    return read(b"".join(encoded([head, "P|1", *records])))


MAIN = r"R|1|^^^GBS^Xpert GBS^4^^|{call}|||||F||op|20210713164557|20210713164741|^700434^^^^"


def test_an_error_of_the_cartridge_is_told_with_its_code() -> None:
    (measured,) = XPERT.measurements(
        xpert(
            "O|1|A1||^^^GBS",
            MAIN.format(call="ERROR^"),
            "C|1|I|Notes^^Mrs Example called|I",
            "C|2|I|Error^2125^Operation terminated^Error 2125: 15, 50^20210713164809|N",
            "L|1|N",
        )
    )
    assert (measured.assay, measured.call) == ("GBS", "ERROR")
    assert measured.error == "2125 Operation terminated"
    assert measured.targets == ()


def test_an_order_that_could_not_be_done_is_a_measurement_without_targets() -> None:
    (measured,) = XPERT.measurements(
        xpert("O|1|A1||^^^GBS" + "|" * 21 + "X", "C|1|I|Error^^Error^^20101111110659|N", "L|1|N")
    )
    assert (measured.path, measured.call, measured.error) == ("O1", None, "Error")


def test_a_main_result_without_an_end_has_no_time_rather_than_the_year_1900() -> None:
    main = MAIN.format(call="NEGATIVE^").replace("|20210713164741|", "||")
    (measured,) = XPERT.measurements(xpert("O|1|A1||^^^GBS", main, "L|1|N"))
    assert measured.measured_at is None


def test_a_decimal_comma_is_a_decimal_point() -> None:
    (measured,) = XPERT.measurements(
        xpert("O|1|A1||^^^GBS", MAIN.format(call="POSITIF^"), "R|2|^^^GBS^^^GBS^Ct|^31,2", "L|1|N")
    )
    assert measured.call == "POSITIF"
    assert measured.targets == (TargetReading("GBS", 31.2),)


def test_a_corrected_result_and_a_log_result_are_told_as_such() -> None:
    main = MAIN.format(call="^45000").replace("|F|", "|F@C|")
    log = r"R|2|^^^GBS^Xpert GBS^4^^LOG|^4.65|||||F||op|20210713164557|20210713164741|^700434^^^^"
    (measured,) = XPERT.measurements(xpert("O|1|A1||^^^GBS", main, log, "L|1|N"))
    assert measured.flags == ("status-C",)
    assert measured.call is None


@pytest.mark.parametrize(
    ("specimen", "role"),
    [("NEG-0713", Role.NEGATIVE_CONTROL), ("pc_12", Role.POSITIVE_CONTROL)],
)
def test_a_quality_control_cartridge_is_a_control(specimen: str, role: Role) -> None:
    order = f"O|1|{specimen}||^^^GBS|R||||||Q"
    (measured,) = XPERT.measurements(xpert(order, MAIN.format(call="NEGATIVE^"), "L|1|N"))
    assert measured.role is role


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        (["O|1|A1||^^^GBS", MAIN.format(call="NEGATIVE^")], "no-terminator"),
        (["O|1|A1||^^^GBS", MAIN.format(call="NEG^").replace("R|1", "R|2"), "L|1"], "sequence-gap"),
        (["O|1|A1||^^^GBS", "R|1|^^^GBS^^^GBS^Ct|^31", "L|1|N"], "no-main-result"),
        (["O|1|||^^^GBS", MAIN.format(call="NEGATIVE^"), "L|1|N"], "no-specimen"),
        (["O|1|X9||^^^GBS|R||||||Q", MAIN.format(call="NEGATIVE^"), "L|1|N"], "unknown-control"),
        (["O|1|A1||^^^GBS", "L|1|N"], "no-results"),
        (["Q|1|^A1||||||||||O@N", "L|1|N"], "host-query"),
        (
            [
                "O|1|A1||^^^GBS",
                MAIN.format(call="NEGATIVE^"),
                "R|2|^^^GBS^^^GBS^Ct|^three",
                "L|1|N",
            ],
            "cycle-number",
        ),
    ],
)
def test_a_cartridge_message_that_cannot_be_trusted_says_why(
    records: list[str], reason: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        XPERT.measurements(xpert(*records))
    assert refused.value.reason == reason


def test_a_simulated_cartridge_is_read_as_it_was_meant() -> None:
    records = genexpert_message(
        ["A", "B"], {"E": 24.0, "SPC": 30.0}, call="POSITIVE", serial="804051", ended_at=ENDED
    )
    (measured,) = XPERT.measurements(read(b"".join(encoded(records))))
    assert measured.specimens == ("A", "B")
    assert (measured.assay, measured.call) == ("COV2^SARSCOV2", "POSITIVE")
    assert measured.targets == (TargetReading("E", 24.0, "POS"), TargetReading("SPC", 30.0, "NA"))
    assert measured.measured_at == "2021-07-13T16:42:24"


GBS = ("O|1|A1||^^^GBS", MAIN.format(call="NEGATIVE^"))
AFTER = ("O|2|A2||^^^GBS", MAIN.format(call="POSITIVE^"), "O|3|A3||^^^GBS")


def test_the_closed_cartridges_of_a_message_that_broke_off_are_held_results() -> None:
    told = XPERT.measurements(xpert(*GBS, *AFTER))
    assert [(m.path, m.specimen, m.call) for m in told] == [
        ("O1R1", "A1", "NEGATIVE"),
        ("O2R1", "A2", "POSITIVE"),
    ]


@pytest.mark.parametrize("kept", range(1, 2 + len(AFTER)))
def test_a_cartridge_is_told_only_when_it_is_closed(kept: int) -> None:
    records = (*GBS, *AFTER)[:kept]
    closed = {3: 1, 4: 1, 5: 2}.get(kept, 0)
    if closed:
        assert len(XPERT.measurements(xpert(*records))) == closed
    else:
        with pytest.raises(Unreadable, match="no-terminator"):
            XPERT.measurements(xpert(*records))


def test_a_later_patient_closes_the_order_before_it() -> None:
    (told,) = XPERT.measurements(xpert(*GBS, "P|2"))
    assert (told.path, told.specimen) == ("O1R1", "A1")
    with pytest.raises(Unreadable, match="no-main-result"):
        XPERT.measurements(xpert("O|1|A1||^^^GBS", "R|1|^^^GBS^^^GBS^Ct|^31", "P|2"))


def test_of_an_m2000_message_that_broke_off_the_closed_orders_are_held_results() -> None:
    first = m2000()
    second = [line.replace("TT7K40FQ9XB", "TT7K40FR0A1") for line in m2000() if line[0] in "OR"]
    second[0] = second[0].replace("O|1|", "O|2|")
    whole = [*first[:-1], *second]
    (told,) = M2000(read(b"".join(encoded(whole))))
    assert (told.path, told.specimen, told.well) == ("O1", "TT7K40FQ9XB", "B07")
    assert len(M2000(read(b"".join(encoded([*whole, "L|1|N"]))))) == 2
