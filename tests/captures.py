"""What an analyser says of a plate or a cartridge, for stories that need no serial line."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum

from instruments.measurement import Capture, Measurement, Role, TargetReading, digest_of
from lims.db.ids import uuid7
from lims.work.run_layout import Layout, WellPlan


class Blank(Enum):
    """A well without a usable answer."""

    INVALID = "neither target nor internal control amplified"
    ERROR = "the instrument gave an error for this well"
    UNMEASURED = "the instrument never spoke of this well"


Told = float | None | Blank
"""A Ct in cycles (detected, or weak above 38), None for a clean negative, or a blank."""

INTERNAL_CONTROL_CT = 27.0


def plate_capture(
    layout: Layout,
    cts: Mapping[str, Told],
    *,
    ntc: Told = None,
    pc: Told = 25.0,
    complete: bool = True,
    only: Collection[str] | None = None,
    instrument: str = "QS5-1",
    raw: bytes | None = None,
    extra: tuple[Measurement, ...] = (),
) -> Capture:
    """A message on a whole plate. A tube that ``cts`` does not name is not detected.

    ``only`` keeps just these wells, as when the line broke; ``extra`` adds measurements that the
    layout does not know.
    """
    spoken = [
        _well(layout, well, told)
        for well in layout.wells
        if (told := _told(well, cts, ntc, pc)) is not Blank.UNMEASURED
        and (only is None or well.position in only)
    ]
    return _capture((*spoken, *extra), instrument, complete=complete, raw=raw)


def cartridge_capture(
    barcode: str, told: Told, *, at: datetime, instrument: str = "GX-1", raw: bytes | None = None
) -> Capture:
    """A message on one cartridge, which knows no plate."""
    one = Measurement(
        path="O1",
        specimen=barcode,
        role=Role.SPECIMEN,
        assay="SARS-CoV-2",
        targets=_targets(told),
        error="E1" if told is Blank.ERROR else None,
        measured_at=at.isoformat(),
    )
    return _capture((one,), instrument, complete=True, raw=raw)


def called_capture(
    barcode: str,
    calls: Mapping[str, str],
    *,
    at: datetime,
    whole: str | None = None,
    driver: str = "cobas",
    instrument: str = "cobas-1",
) -> Capture:
    """A message of a machine that sends its own words of each target and no cycle number."""
    one = Measurement(
        path="SPM1OBR1",
        specimen=barcode,
        role=Role.SPECIMEN,
        assay="SARS-COV-2",
        targets=tuple(TargetReading(target, None, call) for target, call in calls.items()),
        call=whole,
        measured_at=at.isoformat(),
    )
    return _capture((one,), instrument, complete=True, raw=None, driver=driver)


FOUR = ("SARSCOV2", "FLUA", "FLUB", "RSV")


def four_capture(
    barcode: str, *, at: datetime, instrument: str = "GX-1", calls: Mapping[str, str]
) -> Capture:
    """What a GeneXpert says of a SARS-CoV-2/Flu/RSV cartridge (302-7279, 6.1.1): NEGATIVE, but for
    ``calls``."""
    spoken = tuple(
        _analyte(number, barcode, analyte, calls.get(analyte, "NEGATIVE"), at)
        for number, analyte in enumerate(FOUR, 1)
    )
    return _capture(spoken, instrument, complete=True, raw=None, driver="genexpert")


def _analyte(number: int, barcode: str, analyte: str, call: str, at: datetime) -> Measurement:
    failed = call in ("INVALID", "NO RESULT")
    name = "SARS-CoV-2" if analyte == "SARSCOV2" else analyte
    found = call == "POSITIVE"
    reading = TargetReading(name, 28.1 if found else None, "POS" if found else "NEG")
    return Measurement(
        path=f"O1R{number}",
        specimen=barcode,
        role=Role.SPECIMEN,
        assay=f"COVFLURSVPLUS^{analyte}",
        targets=() if failed else (reading, TargetReading("SPC", 29.4, "NA")),
        call=call,
        measured_at=at.isoformat(),
        error=call if failed else None,
    )


def called_plate(
    layout: Layout,
    positives: Collection[str] = (),
    *,
    controls: Mapping[str, str] | None = None,
    instrument: str = "m2000-1",
) -> Capture:
    """A message of an m2000 that sends words and no cycle numbers; ``controls``: by role."""
    said = {"positive_control": "Detected", **(controls or {})}
    wells = [
        (well, said.get(well.role) or ("Detected" if well.barcode in positives else "Not Detected"))
        for well in layout.wells
    ]
    spoken = tuple(
        Measurement(
            path=well.position,
            specimen=well.barcode or well.role,
            role=Role(well.role),
            assay="SARS-CoV-2",
            targets=(TargetReading("SARS-CoV-2", None, word),),
            run=layout.plate,
            well=well.position,
            call=word,
        )
        for well, word in wells
    )
    return _capture(spoken, instrument, complete=True, raw=None, driver="m2000")


def stray(layout: Layout, specimen: str, well: str, told: Told) -> Measurement:
    """A specimen that the layout does not have in that well (S13)."""
    return Measurement(
        path=f"stray {well}",
        specimen=specimen,
        role=Role.SPECIMEN,
        assay="SARS-CoV-2",
        targets=_targets(told),
        run=layout.plate,
        well=well,
    )


def _told(well: WellPlan, cts: Mapping[str, Told], ntc: Told, pc: Told) -> Told:
    match well.role:
        case "negative_control":
            return ntc
        case "positive_control":
            return pc
        case _:
            return cts.get(well.barcode or "")


def _well(layout: Layout, well: WellPlan, told: Told) -> Measurement:
    return Measurement(
        path=well.position,
        specimen=well.barcode or well.role,
        role=Role(well.role),
        assay="SARS-CoV-2",
        targets=_targets(told),
        run=layout.plate,
        well=well.position,
        error="E1" if told is Blank.ERROR else None,
    )


def _targets(told: Told) -> tuple[TargetReading, ...]:
    ct = None if isinstance(told, Blank) else told
    control = None if isinstance(told, Blank) else INTERNAL_CONTROL_CT
    return (
        TargetReading("ORF1ab", ct),
        TargetReading("N", None if ct is None else ct + 0.5),
        TargetReading("IC", control),
    )


def _capture(
    spoken: tuple[Measurement, ...],
    instrument: str,
    *,
    complete: bool,
    raw: bytes | None,
    driver: str = "plate-csv",
) -> Capture:
    body = raw if raw is not None else f"message {uuid7()}".encode()
    return Capture(
        digest=digest_of(body),
        instrument=instrument,
        driver=driver,
        driver_version="1",
        captured_at="2021-09-11T01:00:00Z",
        complete=complete,
        raw=body,
        measurements=spoken,
    )
