"""A plate as its profile prints it: one measurement a well, or a quarantine that says why."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instruments.analyser_messages import (
    Well,
    encoded,
    plate_message,
)
from instruments.astm.records import Message, read
from instruments.drivers import DRIVERS, Unreadable
from instruments.measurement import Measurement, Role, TargetReading

PLATE = DRIVERS["plate"]
ENDED = datetime(2021, 7, 13, 16, 42, 24, tzinfo=UTC)


def plate(*wells: Well) -> list[str]:
    return plate_message("PL7", wells, serial="C1000", ended_at=ENDED)


def a_well(well: str = "A01", specimen: str = "TT7K40FQ9XB", **changes: object) -> Well:
    parts: dict[str, object] = {
        "role": Role.SPECIMEN,
        "targets": {"ORF1ab": 23.71, "N": None, "IC": 27.1},
    }
    return Well(well, specimen, **(parts | changes))  # type: ignore[arg-type]  # chosen by tests


def plate_of(records: list[str]) -> Message:
    return read(b"".join(encoded(records)))


def test_a_plate_is_printed_as_its_profile_says() -> None:
    assert plate(a_well()) == [
        r"H|\^&|||plate^C1000^1.1|||||||P|LIS2-A2|20210713164224",
        "P|1",
        "O|1|TT7K40FQ9XB^PL7^A01||^^^SARS2|R||||||A",
        "R|1|^^^SARS2^ORF1ab|23.71|Ct||||F|||20210713154224|20210713164224|C1000^A01",
        "R|2|^^^SARS2^N||Ct||||F|||20210713154224|20210713164224|C1000^A01",
        "R|3|^^^SARS2^IC|27.10|Ct||||F|||20210713154224|20210713164224|C1000^A01",
        "L|1|N",
    ]


def test_a_plate_gives_one_measurement_a_well() -> None:
    control = a_well("H12", "", role=Role.EXTRACTION_CONTROL, targets={"IC": 26.0})
    first, second = PLATE.measurements(plate_of(plate(a_well(), control)))
    assert first == Measurement(
        path="O1",
        specimen="TT7K40FQ9XB",
        role=Role.SPECIMEN,
        assay="sars-cov-2",
        run="PL7",
        well="A01",
        targets=(TargetReading("ORF1ab", 23.71), TargetReading("N"), TargetReading("IC", 27.1)),
        measured_at="2021-07-13T16:42:24",
    )
    assert (second.path, second.specimen, second.well) == ("O2", "NEC", "H12")
    assert second.role is Role.EXTRACTION_CONTROL


def test_a_well_that_could_not_be_measured_says_so() -> None:
    (measured,) = PLATE.measurements(plate_of(plate(a_well(targets={}, error="E17 no signal"))))
    assert measured.error == "E17 no signal"


def test_a_plate_broken_off_gives_the_wells_that_were_closed() -> None:
    records = plate(a_well("A01"), a_well("A02"), a_well("A03"))[:-2]
    message = plate_of(records)
    assert not message.terminated
    assert [m.well for m in PLATE.measurements(message)] == ["A01", "A02"]


@pytest.mark.parametrize(
    ("find", "put", "reason"),
    [
        ("O|2|", "O|3|", "sequence-gap"),
        ("R|2|", "R|4|", "sequence-gap"),
        ("^PL7^A02", "^PL7^A01", "well-mismatch"),
        ("^PL7^A02", "^PL7^Q02", "well-name"),
        ("^PL7^A02", "^PL7^P25", "well-name"),
        ("^PL7^A02", "^PL7", "well-name"),
        ("^PL7^A02", "^PL8^A02", "two-plates"),
        ("^^^SARS2^N", "^^^FLU^N", "assay-mismatch"),
        ("^^^SARS2^N", "^^^SARS2^IC", "target-twice"),
        ("|23.71|", "|23.7l|", "cycle-number"),
        ("|23.71|", "|237.1|", "cycle-number"),
        ("R||||||A", "R||||||Q", "unknown-control"),
        ("plate^", "plates^", "another-instrument"),
    ],
)
def test_a_plate_that_cannot_be_trusted_is_quarantined(find: str, put: str, reason: str) -> None:
    records = [line.replace(find, put) for line in plate(a_well("A01"), a_well("A02"))]
    with pytest.raises(Unreadable) as refused:
        PLATE.measurements(plate_of(records))
    assert refused.value.reason == reason


def test_a_384_well_plate_is_read_to_its_last_well() -> None:
    letters = "ABCDEFGHIJKLMNOP"
    drawn = [
        a_well(f"{row}{column:02d}", f"S{row}{column}")
        for column in range(1, 25)
        for row in letters
    ]
    measured = PLATE.measurements(plate_of(plate(*drawn)))
    assert [m.well for m in measured][:2] == ["A01", "B01"]
    assert (len(measured), measured[-1].well, measured[-1].specimen) == (384, "P24", "SP24")


@pytest.mark.parametrize("driver", ["plate", "plate96"])
@pytest.mark.parametrize("sender", ["plate^C1000^1.1", "plate96^C1000^1.0"])
def test_what_the_old_profile_called_itself_is_read_under_either_name(
    driver: str, sender: str
) -> None:
    records = [line.replace("plate^C1000^1.1", sender) for line in plate(a_well("A01"))]
    assert DRIVERS[driver].name == driver
    assert [m.well for m in DRIVERS[driver].measurements(plate_of(records))] == ["A01"]


def test_a_well_that_comes_twice_is_quarantined() -> None:
    with pytest.raises(Unreadable, match="well-twice"):
        PLATE.measurements(plate_of(plate(a_well("A01"), a_well("A01"))))


readings = st.dictionaries(
    st.sampled_from(["ORF1ab", "N", "IC"]),
    st.none() | st.integers(1, 4500).map(lambda hundredths: hundredths / 100),
    min_size=1,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=12), readings), min_size=1, max_size=8))
def test_any_plate_printed_is_read_back(wells: list[tuple[str, dict[str, float | None]]]) -> None:
    clean = [(name.strip(), targets) for name, targets in wells if name.strip()]
    drawn = [Well(f"A{at:02}", n, Role.SPECIMEN, t) for at, (n, t) in enumerate(clean, start=1)]
    if not drawn:
        return
    measured = PLATE.measurements(plate_of(plate(*drawn)))
    assert [(m.specimen, {t.target: t.ct_cycles for t in m.targets}) for m in measured] == clean
